"""What was metered, as means over equal steps of local days: what forecasts learn from, and which demand is paid."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from hilbench.controller.planning.model import Array

LONGEST_DAYS = 60
"""So far back anybody looks."""
LEAST_SHARE = 0.5
"""A step of which less was seen is not known."""


class History:
    """Means of one power [kW] by local day and step of the day."""

    def __init__(self, zone: ZoneInfo, step_s: float) -> None:
        self._zone, self._step_s = zone, step_s
        self.per_day = round(86_400.0 / step_s)
        self.days: dict[date, Array] = {}
        self._at: tuple[date, int] | None = None
        self._sum, self._seen_s, self._t = 0.0, 0.0, math.nan

    def slot(self, t: float) -> tuple[date, int]:
        """Local day and step of a moment (UTC [s]); in a repeated hour both passes fall on the same steps."""
        local = datetime.fromtimestamp(t, UTC).astimezone(self._zone)
        seconds = local.hour * 3600 + local.minute * 60 + local.second
        return local.date(), min(int(seconds // self._step_s), self.per_day - 1)

    def see(self, t: float, power_kw: float) -> float | None:
        """A value that held since the last one; the mean of a step that has just ended, else None.

        A gap of more than a step, or a clock set back, begins anew.
        """
        gap = t - self._t
        steady = 0.0 < gap <= self._step_s
        at = self.slot(t - gap / 2.0 if steady else t)
        ended = None
        if at != self._at:
            ended = self._close()
            self._at, self._sum, self._seen_s = at, 0.0, 0.0
        if steady:
            self._sum, self._seen_s = self._sum + power_kw * gap, self._seen_s + gap
        self._t = t
        return ended

    def _close(self) -> float | None:
        if self._at is None or self._seen_s < LEAST_SHARE * self._step_s:
            return None
        day, step = self._at
        mean = self._sum / self._seen_s
        self.days.setdefault(day, np.full(self.per_day, np.nan))[step] = mean
        for old in sorted(self.days)[:-LONGEST_DAYS]:
            del self.days[old]
        return mean

    def table(self, today: date) -> tuple[Array, NDArray[np.intp]]:
        """All days up to ``today`` [day, step] and the kind of each: working day, Saturday, Sunday."""
        days = [day for day in sorted(self.days) if day < today] + [today]
        rows = [self.days.get(day, np.full(self.per_day, np.nan)) for day in days]
        return np.array(rows), np.array([kind_of(day) for day in days], dtype=np.intp)


def kind_of(day: date) -> int:
    """Days that are alike have one number: working days, Saturdays, Sundays."""
    return max(day.weekday() - 4, 0)
