"""Figures of a CHAdeMO session: what car and charger are, how it went, how it ended, how regular the frames were."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

from hilbench.canlogs.sessions import Part, Said, likely
from hilbench.chademo import CarLimits, CarState, CarStatus, ChargerDischarge, ChargerState, ChargerStatus
from hilbench.chademo.timing import PERIOD_S, PERIOD_TOLERANCE_S, limit

T = TypeVar("T")
HOLE_S = 1.0
"""Longer gaps between frames of an id are holes, and no part of its rhythm (policy-default)."""
_UNKNOWN = 3
"""102.6 up to that is what recorded cars send before they know their charge."""


@dataclass(frozen=True)
class Rhythm:
    """How regularly an id came: mean, 99th percentile and longest gap [s], all without holes; None: too few."""

    id: int
    count: int
    mean_s: float | None
    p99_s: float | None
    longest_s: float | None
    outside: float | None
    holes: int


@dataclass(frozen=True)
class Step:
    """A wait between two things on CAN, and the time that it may take; None: did not happen, no limit known."""

    what: str
    seconds: float | None
    limit_s: float | None


@dataclass(frozen=True)
class Energy:
    """What flowed, from 109 and 208 as the charger measured it; ``seconds`` of it, and the highest power."""

    charged_wh: float
    discharged_wh: float
    seconds: float
    peak_w: float


def of(said: Sequence[Said], kind: type[T]) -> list[tuple[float, T]]:
    """Frames of a kind with their times."""
    return [(one.t, one.frame) for one in said if isinstance(one.frame, kind)]


def last(said: Sequence[Said], kind: type[T]) -> T | None:
    """The last frame of a kind."""
    return next((one.frame for one in reversed(said) if isinstance(one.frame, kind)), None)


def when(frames: Sequence[tuple[float, T]], holds: Callable[[T], bool], after: float = -math.inf) -> float | None:
    """The first time after ``after`` at which a frame of that kind is so."""
    return next((t for t, frame in frames if t > after and holds(frame)), None)


def rhythms(part: Part) -> list[Rhythm]:
    """One for each id, in the order of ids."""
    times: dict[int, list[float]] = {}
    for one in part.said:
        times.setdefault(one.id, []).append(one.t)
    return [_rhythm(can_id, times[can_id]) for can_id in sorted(times)]


def _rhythm(can_id: int, times: list[float]) -> Rhythm:
    gaps = [b - a for a, b in pairwise(times)]
    kept = sorted(gap for gap in gaps if gap <= HOLE_S)
    holes = len(gaps) - len(kept)
    if not kept:
        return Rhythm(can_id, len(times), None, None, None, None, holes)
    outside = sum(abs(gap - PERIOD_S) > PERIOD_TOLERANCE_S + 1e-9 for gap in kept) / len(kept)
    p99 = kept[min(math.ceil(0.99 * len(kept)), len(kept)) - 1]
    return Rhythm(can_id, len(times), sum(kept) / len(kept), p99, kept[-1], outside, holes)


def charge_pct(said: Sequence[Said]) -> tuple[float, float] | None:
    """State of charge at the begin and at the end: 102.6 as part of 100.6; None where the two do not give one."""
    limits, known = last(said, CarLimits), [frame for _t, frame in of(said, CarState) if frame.charged_rate > _UNKNOWN]
    if limits is None or not known or not limits.rate_reference:
        return None
    found = tuple(100.0 * frame.charged_rate / limits.rate_reference for frame in (known[0], known[-1]))
    return (found[0], found[1]) if max(found) <= 100.0 else None


def ramp_a_per_s(said: Sequence[Said]) -> tuple[float, float] | None:
    """Mean rate of the first rise of the request [A/s], and its end [s]; None without a rise of three steps."""
    frames = of(said, CarState)
    begin = when(frames, lambda frame: frame.request_a > 0)
    if begin is None:
        return None
    rise = [(t, frame.request_a) for t, frame in frames if t >= begin]
    end = 0
    still = 0
    for index in range(1, len(rise)):
        still = 0 if rise[index][1] > rise[end][1] else still + 1
        if rise[index][1] < rise[end][1] or still > 3:
            break
        if rise[index][1] > rise[end][1]:
            end = index
    if end < 3:
        return None
    return (rise[end][1] - rise[0][1]) / (rise[end][0] - rise[0][0]), rise[end][0]


def energy(said: Sequence[Said]) -> Energy:
    """Trapezoids over the charger's own measurements; holes and impossible voltages count nothing."""
    charged_ws = discharged_ws = seconds = peak_w = 0.0
    drawn_a, before = 0, None
    for one in said:
        if isinstance(one.frame, ChargerDischarge):
            drawn_a = one.frame.discharge_a
        elif isinstance(one.frame, ChargerState) and likely(one.frame):
            now = (one.t, one.frame.voltage_v * one.frame.current_a, one.frame.voltage_v * drawn_a)
            if before is not None and one.t - before[0] <= HOLE_S:
                half = (one.t - before[0]) / 2.0
                charged_ws += half * (before[1] + now[1])
                discharged_ws += half * (before[2] + now[2])
                seconds += 2.0 * half if before[1] or before[2] else 0.0
            peak_w, before = max(peak_w, now[1]), now
    return Energy(charged_ws / 3600.0, discharged_ws / 3600.0, seconds, peak_w)


def steps(said: Sequence[Said]) -> list[Step]:
    """The waits of the standard that can be seen on CAN."""
    car, charger = of(said, CarState), of(said, ChargerState)
    closed = _fallen(car, CarStatus.CONTACTOR_OPEN)
    asked = when(car, lambda frame: frame.request_a > 0)
    charging = when(charger, lambda frame: frame.status & _BOTH == ChargerStatus.CHARGING)
    stop = when(charger, lambda frame: bool(frame.status & ChargerStatus.STOP), charging or math.inf)
    back = when(car, lambda frame: not frame.request_a and not frame.status & CarStatus.ENABLED, charging or math.inf)
    off = when(charger, lambda frame: not frame.status & ChargerStatus.CHARGING, charging or math.inf)
    opened = when(car, lambda frame: bool(frame.status & CarStatus.CONTACTOR_OPEN), closed or math.inf)
    first_stop = stop is not None and (back is None or stop < back)
    return [
        Step("contactor closed to first request", _between(closed, asked), limit("request").limit_s),
        Step("first request to charging", _between(asked, charging), limit("charging").limit_s),
        Step("charger's stop to request 0 and not ready", _between(stop if first_stop else None, back), None),
        Step("not charging to contactor open", _between(off, opened), limit("contactor_open").limit_s),
    ]


_BOTH = ChargerStatus.CHARGING | ChargerStatus.STOP


def _fallen(frames: Sequence[tuple[float, CarState]], bit: CarStatus) -> float | None:
    """When a bit went from 1 to 0 first."""
    return next((t for (_, a), (t, b) in pairwise(frames) if a.status & bit and not b.status & bit), None)


def _between(begin: float | None, end: float | None) -> float | None:
    return None if begin is None or end is None or end < begin else end - begin


def series(said: Sequence[Said]) -> Iterator[tuple[str, str, list[tuple[float, float]]]]:
    """Name, unit and samples of what a picture shows."""
    from hilbench.chademo import ChargerLimits

    yield "request", "A", [(t, frame.request_a) for t, frame in of(said, CarState)]
    yield "offer", "A", [(t, frame.available_current_a) for t, frame in of(said, ChargerLimits)]
    yield "output", "A", [(t, frame.current_a) for t, frame in of(said, ChargerState)]
    drawn = [(t, -float(frame.discharge_a)) for t, frame in of(said, ChargerDischarge)]
    if any(value for _t, value in drawn):
        yield "discharge", "A", drawn
    yield "voltage", "V", [(t, frame.voltage_v) for t, frame in of(said, ChargerState)]
