"""Instants: a grid on which sums are exact, ISO 8601, and local time with its shifts.

Schedules are made of sums and differences of instants, and a boundary must fall on the very float that the next
decision is asked about. Everything that comes in is therefore rounded to 1/1024 s: such numbers, and their sums and
differences, are exact in floats for any date up to the year 10000.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_GRID = 1024.0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STEP_S = 86_400.0


def grid(t: float) -> float:
    """``t`` on the grid; infinity stays."""
    return t if math.isinf(t) else round(t * _GRID) / _GRID


def instant(text: str, *, local: bool = False) -> float:
    """Seconds since 1970 of an ISO 8601 time, UTC when it names no zone.

    As ``local`` time its zone is disregarded (OCPP 2.1 K01.FR.90, standard-text). Raises ``ValueError``.
    """
    moment = datetime.fromisoformat(text)
    if local or moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return grid((moment - _EPOCH).total_seconds())


def timestamp(t: float) -> str:
    """ISO 8601 with milliseconds where there are any."""
    moment = _EPOCH + timedelta(seconds=t)
    return moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds").replace("+00:00", "Z")


@dataclass(frozen=True)
class Zone:
    """Offset of local time from UTC: ``shifts`` are pairs of an instant and the offset from it on, in order of time.

    Before the first shift the offset is ``offset_s``.
    """

    offset_s: float = 0.0
    shifts: tuple[tuple[float, float], ...] = ()

    def offset(self, t: float) -> float:
        """Seconds that local time is ahead of UTC at ``t``."""
        index = bisect_right(self.shifts, (t, math.inf))
        return self.shifts[index - 1][1] if index else self.offset_s

    def next_shift(self, t: float) -> float:
        """The first shift after ``t``; infinity when there is none."""
        return next((at for at, _ in self.shifts if at > t), math.inf)


def zone_of(offset: Callable[[float], float], since: float, until: float) -> Zone:
    """The zone that a function of the offset describes between two instants, shifts to the second.

    Looks once a day: two shifts within a day that undo each other go unseen.
    """
    return Zone(offset(since), tuple(_shifts(offset, math.floor(since), math.ceil(until))))


def _shifts(offset: Callable[[float], float], since: float, until: float) -> Iterator[tuple[float, float]]:
    at = since
    while at < until:
        after = min(at + _STEP_S, until)
        if offset(after) != offset(at):
            shift = _bisect(offset, at, after)
            yield shift, offset(shift)
        at = after


def _bisect(offset: Callable[[float], float], before: float, after: float) -> float:
    """The second at which the offset has become that of ``after``."""
    while after - before > 1:
        middle = float((before + after) // 2)
        before, after = (middle, after) if offset(middle) == offset(before) else (before, middle)
    return float(after)
