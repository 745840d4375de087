"""What a coordinator knows, as text: needs, paid demands and what was metered survive a restart of the controller."""

from __future__ import annotations

import json
import math
from datetime import date
from typing import Any

import numpy as np

from hilbench.controller.planning.coordinator import Coordinator
from hilbench.controller.planning.needs import Need

KEY = "plan"
"""Under this the text is kept."""
_FIELDS = ("energy_kwh", "departure", "most_kw", "discharge_kw", "spare_kwh", "space_kwh")


def text_of(coordinator: Coordinator) -> str:
    """All that is worth keeping, as JSON; infinities are null."""
    needs = {role: [_or_none(getattr(need, name)) for name in _FIELDS] for role, need in coordinator.needs.items()}
    days = {day.isoformat(): [_or_none(round(kw, 2)) for kw in row] for day, row in coordinator.building.days.items()}
    paid = [[list(key), kw] for key, kw in coordinator.paid.items()]
    return json.dumps({"needs": needs, "paid": paid, "days": days})


def recall_into(coordinator: Coordinator, text: str, t: float) -> None:
    """Take what ``text`` holds at ``t`` (UTC [s]); needs whose time is over, and what makes no sense, are left out."""
    try:
        found: dict[str, Any] = json.loads(text)
        needs = {role: _need(values) for role, values in found["needs"].items()}
        paid = {_key(key): float(kw) for key, kw in found["paid"]}
        days = {date.fromisoformat(day): _row(values) for day, values in found["days"].items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return
    coordinator.needs |= {role: need for role, need in needs.items() if need.departure > t}
    coordinator.paid |= paid
    coordinator.building.days |= {day: row for day, row in days.items() if len(row) == coordinator.building.per_day}


def _need(values: list[float | None]) -> Need:
    return Need(*(math.inf if value is None else float(value) for value in values))


def _key(key: list[Any]) -> tuple[str, int, int, int]:
    kind, period, year, month = key
    return str(kind), int(period), int(year), int(month)


def _row(values: list[float | None]) -> Any:
    return np.array([math.nan if value is None else float(value) for value in values])


def _or_none(value: float) -> float | None:
    return value if math.isfinite(value) else None
