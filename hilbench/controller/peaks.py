"""How long what the building drew keeps headroom from being used, on one line. Pure.

A load that is switched on and off again within minutes (cooktop, oven, boiler) comes back, and a car raised in between
would be there when it does. One that has run for long and ends mostly leaves its headroom for long. So what was drawn
steadily counts for ``short_s`` only, and a peak for ``long_s``. Where a load came back, all that was drawn counts: for
``long_s`` when that is longer than it was away, else for twice as long.
"""

from __future__ import annotations

import math
from collections import deque
from typing import NamedTuple

MEMORY_S = 900.0
"""A load that came back is expected to do so again for so long (policy)."""


class Hold(NamedTuple):
    """``long_s`` for peaks, ``short_s`` for what was drawn throughout ``steady_s`` [s]."""

    long_s: float
    short_s: float
    steady_s: float


class Highest:
    """The greatest value of the last ``window_s``: those that a later one exceeds are not kept."""

    def __init__(self, window_s: float) -> None:
        self._window_s = window_s
        self._kept: deque[tuple[float, float]] = deque()

    def add(self, t: float, value: float) -> None:
        """One more value, at ``t``; those that are too old are dropped."""
        while self._kept and self._kept[-1][1] <= value:
            self._kept.pop()
        self._kept.append((t, value))
        while self._kept[0][0] < t - self._window_s:
            self._kept.popleft()

    @property
    def value(self) -> float:
        """The greatest, as of the last ``add``; minus infinity before that."""
        return self._kept[0][1] if self._kept else -math.inf


class Peaks:
    """The greatest of one line that still counts. A change by ``rise`` or less is none."""

    def __init__(self, hold: Hold, rise: float) -> None:
        self._hold, self._rise = hold, rise
        self._soon_until = self._late_until = -math.inf
        self._begin(-math.inf)

    def _begin(self, t: float) -> None:
        """Nothing is known from before ``t``, except whether loads come back."""
        long_s = self._hold.long_s
        self._since, self._t, self._last = t, t, math.inf
        self._latest, self._peaks, self._least = (
            Highest(self._hold.short_s),
            Highest(long_s),
            Highest(self._hold.steady_s),
        )
        self._soon, self._late = Highest(long_s), Highest(2.0 * long_s)

    def add(self, t: float, value: float) -> None:
        """What the line is known to draw from ``t`` on."""
        if t - self._t > self._hold.long_s:
            self._begin(t)
        if value > self._last + self._rise:
            self._came(t, value)
        for kept in (self._latest, self._soon, self._late):
            kept.add(t, value)
        self._least.add(t, -value)
        self._judge(t, value)
        self._t, self._last = t, value

    def _came(self, t: float, value: float) -> None:
        """A load was switched on: did it run a moment ago?"""
        if value <= self._soon.value + self._rise:
            self._soon_until = t + MEMORY_S
        elif value <= self._late.value + self._rise:
            self._late_until = t + MEMORY_S

    def _judge(self, t: float, value: float) -> None:
        """A peak, or no longer one: then it was none while it was new either."""
        if not self._steady(t, value):
            self._peaks.add(t, value)
            return
        if self._peaks.value <= value + self._rise:
            self._peaks = Highest(self._hold.long_s)
        self._peaks.add(t, -math.inf)

    def _steady(self, t: float, value: float) -> bool:
        return t - self._since >= self._hold.steady_s and value <= self._rise - self._least.value

    @property
    def value(self) -> float:
        """The greatest that counts, as of the last ``add``."""
        if self._t < self._late_until:
            return self._late.value
        return self._soon.value if self._t < self._soon_until else max(self._peaks.value, self._latest.value)
