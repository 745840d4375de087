"""Events of OpenADR 2.0b, as openleadr parses them, as the same data as those of 3: limits of the site's import.

SIMPLE levels 0 to 3 are shares of the site's import; LOAD_DISPATCH as a set point is a limit in kW; LOAD_CONTROL as
``x-loadControlCapacity`` is a share of it, 1 for all (names as in openleadr's enums, read-code; what they mean:
recalled). Of priorities 1 is the highest, 0 is none (recalled). Other signals are named and ignored.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from hilbench.controller.signals.events import Event, Rules, Span
from hilbench.controller.signals.values import RefusedError, array, mapping, number

OVER = ("cancelled", "completed")


def read_event2(raw: Mapping[str, Any], rules: Rules, full_kw: float) -> Event:
    """The event of one ``oadrEvent``; without limits when it is cancelled. Raises ``RefusedError``."""
    told = mapping(raw.get("event_descriptor"), "event_descriptor")
    name, priority = str(told.get("event_id")), number(told.get("priority") or 0, "priority")
    spans, ignored = list[Span](), dict[str, None]()
    if told.get("event_status") not in OVER:
        for item in array(raw.get("event_signals"), "event_signals"):
            spans += _spans(mapping(item, "a signal"), rules, full_kw, ignored)
    return Event(name, priority or math.inf, tuple(spans), tuple(ignored))


def _spans(signal: Mapping[str, Any], rules: Rules, full_kw: float, ignored: dict[str, None]) -> Iterator[Span]:
    kind, how = str(signal.get("signal_name")).upper(), str(signal.get("signal_type"))
    for item in array(signal.get("intervals"), "intervals"):
        interval = mapping(item, "an interval")
        value = number(interval.get("signal_payload"), kind)
        limit_kw = _limit_kw(kind, how, value, rules, full_kw)
        if limit_kw is None:
            ignored[f"{kind} ({how})"] = None
            continue
        start, length = interval.get("dtstart"), interval.get("duration")
        if not isinstance(start, datetime) or start.tzinfo is None or not isinstance(length, timedelta):
            raise RefusedError("an interval has no start with an offset from UTC, or no duration")
        begins = start.timestamp()
        # a duration of 0 is without end (recalled)
        yield Span(begins, begins + (length.total_seconds() or math.inf), limit_kw)


def _limit_kw(kind: str, how: str, value: float, rules: Rules, full_kw: float) -> float | None:
    """What a value comes to; None for a signal that is no limit."""
    if kind == "SIMPLE":
        if value not in (0, 1, 2, 3):
            raise RefusedError(f"SIMPLE level {value:g} is none of 0, 1, 2, 3")
        return rules.levels_kw[int(value)]
    if kind == "LOAD_DISPATCH" and how == "setpoint":
        return value
    if kind == "LOAD_CONTROL" and how == "x-loadControlCapacity":
        return math.inf if value >= 1.0 else value * full_kw
    return None


__all__ = ["read_event2"]
