"""How long what the building drew keeps headroom from being used, on one line. Pure.

A load that is switched on and off again within minutes (cooktop, oven, boiler) comes back, and a car raised in between
would be there when it does. One that has run for long and ends mostly leaves its headroom for long. So what was drawn
steadily counts for ``short_s`` only, a peak for ``long_s``, and everything does while loads come back before that.
"""

from __future__ import annotations

import math
from collections import deque
from typing import NamedTuple

MEMORY_S = 900.0
"""A load that came back within ``long_s`` is expected to do so again for so long (policy)."""


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
        self._restart(-math.inf)
        self._came_back = -math.inf

    def _restart(self, t: float) -> None:
        self._since, self._last_t, self._last = t, t, math.inf
        self._drawn, self._peaks, self._latest = (Highest(s) for s in (self._hold.long_s, self._hold.long_s, self._hold.short_s))
        self._least = Highest(self._hold.steady_s)

    def add(self, t: float, value: float) -> None:
        """What the line is known to draw from ``t`` on."""
        if t - self._last_t > self._hold.long_s:
            self._restart(t)
        if self._last + self._rise < value <= self._drawn.value + self._rise:
            self._came_back = t
        self._drawn.add(t, value)
        self._latest.add(t, value)
        self._least.add(t, -value)
        self._peaks.add(t, -math.inf if self._steady(t, value) else value)
        self._last_t, self._last = t, value

    def _steady(self, t: float, value: float) -> bool:
        quiet = t - max(self._since, self._came_back + MEMORY_S - self._hold.steady_s) >= self._hold.steady_s
        return quiet and value <= self._rise - self._least.value

    @property
    def value(self) -> float:
        """The greatest that counts, as of the last ``add``."""
        return max(self._peaks.value, self._latest.value)
