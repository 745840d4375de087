"""The clock of an OpenEVSE board and its delay timer: minutes of the day between which charging is allowed."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

Timer = tuple[int, int, int, int]
_DAY_S = 86_400.0
NO_CLOCK = "165 165 165 165 165 85"
"""What ``$GT`` answers on a board without a clock, or with one that never was set (secondary: ``python-openevse``)."""


class DelayTimer:
    """The board's local time, set by ``$S1``; without it no timer acts."""

    def __init__(self) -> None:
        self._zero: datetime | None = None

    def set(self, t: float, moment: datetime) -> None:
        """It is ``moment`` at bench time ``t`` [s]."""
        self._zero = moment - timedelta(seconds=t)

    def told(self, t: float) -> str:
        """What ``$GT`` answers."""
        if self._zero is None:
            return NO_CLOCK
        now = self._zero + timedelta(seconds=t)
        return f"{now.year % 100} {now.month} {now.day} {now.hour} {now.minute} {now.second}"

    def _second_of_day(self, t: float) -> float:
        assert self._zero is not None
        now = self._zero + timedelta(seconds=t)
        return (now - now.replace(hour=0, minute=0, second=0, microsecond=0)).total_seconds()

    def is_open(self, t: float, timer: Timer) -> bool:
        """Charging is allowed now; always without a timer or a clock."""
        if self._zero is None or not any(timer):
            return True
        start, stop = _seconds(timer)
        now = self._second_of_day(t)
        return start <= now < stop if start < stop else now >= start or now < stop

    def changes_at(self, t: float, timer: Timer) -> bool:
        """The timer starts or stops charging at this very time (to a millisecond)."""
        if self._zero is None:
            return False
        now = self._second_of_day(t)
        return any(abs(now - edge) < 1e-3 for edge in _seconds(timer))

    def next_change(self, t: float, timer: Timer) -> float:
        """The next such time after ``t`` [s]; infinity without a timer or a clock."""
        if self._zero is None or not any(timer) or t == -math.inf:
            return math.inf
        now = self._second_of_day(t)
        return t + min((edge - now - 1e-3) % _DAY_S + 1e-3 for edge in _seconds(timer))


def _seconds(timer: Timer) -> tuple[float, float]:
    """Start and stop as seconds of the day."""
    start_h, start_min, stop_h, stop_min = timer
    return (start_h * 60.0 + start_min) * 60.0, (stop_h * 60.0 + stop_min) * 60.0
