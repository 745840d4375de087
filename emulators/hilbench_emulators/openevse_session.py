"""A charging session of an OpenEVSE board: how long its relay was closed, how much energy went, and limits of both."""

from __future__ import annotations

import math

_QUARTER_S, _KWH_WS = 900.0, 3.6e6


class Session:
    """Counts since a vehicle was plugged in. Limits: ``quarters`` of an hour and ``kwh``; 0 is none."""

    def __init__(self) -> None:
        self.quarters = self.kwh = 0
        self.energy_ws = 0.0
        self._before_s = 0.0
        self._closed_at: float | None = None

    def begin(self) -> int:
        """A vehicle is plugged in: counts begin anew. What the last one took [Wh]."""
        taken_wh = int(self.energy_ws / 3600)
        self.energy_ws = self._before_s = 0.0
        return taken_wh

    def close(self, t: float) -> None:
        """The relay closes."""
        self._closed_at = t

    def open(self, t: float) -> None:
        """The relay opens, or is open."""
        self._before_s = self.elapsed_s(t)
        self._closed_at = None

    def elapsed_s(self, t: float) -> float:
        """Seconds that the relay was closed."""
        return self._before_s + (0.0 if self._closed_at is None else t - self._closed_at)

    @property
    def is_limited(self) -> bool:
        """It has a limit."""
        return self.quarters > 0 or self.kwh > 0

    def clear_limits(self) -> None:
        """It has none any more."""
        self.quarters = self.kwh = 0

    def ends(self, t: float, power_w: float) -> float:
        """When it reaches a limit at this power [s]; infinity without one."""
        by_time = t + _QUARTER_S * self.quarters - self.elapsed_s(t) if self.quarters else math.inf
        left_ws = _KWH_WS * self.kwh - self.energy_ws
        return min(by_time, t + left_ws / power_w if self.kwh and power_w > 0.0 else math.inf)
