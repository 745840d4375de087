"""OpenADR 3 events to test with."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

LIMIT = "IMPORT_CAPACITY_LIMIT"
EVENING = datetime(2026, 7, 15, 23, 0, tzinfo=UTC)


def payload(value: object, kind: str = LIMIT) -> dict[str, Any]:
    """A payload with one value."""
    return {"type": kind, "values": [value]}


def iso(t: float) -> str:
    """UTC of seconds since 1970."""
    return datetime.fromtimestamp(t, UTC).isoformat().replace("+00:00", "Z")


def event(start: float, length_s: float, *values: object, kind: str = LIMIT, **fields: Any) -> dict[str, Any]:
    """An event whose intervals of ``length_s`` follow each other from ``start`` (seconds since 1970)."""
    intervals = [{"id": place, "payloads": [payload(value, kind)]} for place, value in enumerate(values)]
    period = {"start": iso(start), "duration": f"PT{length_s:g}S"}
    return {"programID": "site-dr", "intervalPeriod": period, "intervals": intervals, **fields}


FEEDER_CAP: dict[str, Any] = {
    "id": "cap",
    "programID": "site-dr",
    "objectType": "EVENT",
    "eventName": "feeder cap",
    "priority": 0,
    "targets": ["evse-site-7"],
    "payloadDescriptors": [{"payloadType": LIMIT, "units": "KW"}],
    "intervalPeriod": {"start": "2026-07-15T23:00:00Z", "duration": "PT15M", "randomizeStart": "PT0S"},
    "intervals": [
        {"id": 0, "payloads": [payload(60.0)]},
        {"id": 1, "payloads": [payload(30.0)]},
        {
            "id": 2,
            "intervalPeriod": {"start": "2026-07-15T23:30:00Z", "duration": "PT1H"},
            "payloads": [payload(45.0)],
        },
    ],
}
"""60 kW from 23:00, 30 kW from 23:15, 45 kW from 23:30 to 00:30."""
