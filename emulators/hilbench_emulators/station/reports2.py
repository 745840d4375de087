"""The device model of an OCPP 2.x station as a report in parts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

PART = 10
"""Entries of one message: small enough for a frame that any controller takes."""


def device_reports(request_id: int, data: Sequence[dict[str, Any]], timestamp: str) -> Iterator[dict[str, Any]]:
    """NotifyReport messages of at most ``PART`` variables each."""
    for number, first in enumerate(range(0, len(data), PART)):
        yield {
            "request_id": request_id,
            "generated_at": timestamp,
            "seq_no": number,
            "tbc": first + PART < len(data),
            "report_data": list(data[first : first + PART]),
        }
