"""The edges of a pilot behind 1 kOhm with a capacitance, a diode and a load: two exponentials that meet at the diode.

Below the forward voltage of the diode (``knee_v``) the node charges through R1 alone, above it through R1 beside the
load, so that two time constants and the two resting levels describe both edges. Slopes are continuous at the knee,
which gives what the first exponential heads for. A circuit without diode is the case of equal time constants.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Volts = NDArray[np.float64]
KNEE_V, KNEE_U_V = 0.7, 0.1
"""Forward voltage of the EV's diode: 0.55 to 0.85 V from -40 to +85 degC and 2.75 to 10 mA (recalled)."""


@dataclass(frozen=True)
class Edge:
    """From ``start_v`` towards ``first_v`` with ``first_s``, and from ``knee_v`` on towards ``last_v`` with ``last_s``.

    Time counts from the jump of the source [s].
    """

    start_v: float
    first_v: float
    first_s: float
    knee_v: float
    last_v: float
    last_s: float

    @property
    def knee_s(self) -> float:
        """When the knee is reached; 0 when the edge has only its last part."""
        return _reaching(self.start_v, self.first_v, self.first_s, self.knee_v)

    def value(self, x: Volts) -> Volts:
        """Voltage at the times ``x``."""
        knee = self.knee_s
        first = self.first_v + (self.start_v - self.first_v) * np.exp(np.minimum(-x, 0.0) / self.first_s)
        last = self.last_v + (self.knee_v - self.last_v) * np.exp(np.minimum(knee - x, 0.0) / self.last_s)
        return np.where(x < knee, first, last) if knee > 0.0 else np.where(x < 0.0, self.start_v, last)

    def reaching(self, level_v: float) -> float:
        """When the edge passes ``level_v``, which lies between its ends."""
        if (level_v - self.start_v) * (level_v - self.knee_v) <= 0.0:
            return _reaching(self.start_v, self.first_v, self.first_s, level_v)
        return self.knee_s + _reaching(self.knee_v, self.last_v, self.last_s, level_v)

    def heading(self, level_v: float) -> tuple[float, float]:
        """What the edge heads for while it passes ``level_v``, and with which time constant."""
        early = self.knee_s > 0.0 and (level_v - self.start_v) * (level_v - self.knee_v) <= 0.0
        return (self.first_v, self.first_s) if early else (self.last_v, self.last_s)

    def left_over(self, x: float) -> float:
        """How far the edge is from its end [V] at the time ``x``, after the knee."""
        return (self.knee_v - self.last_v) * math.exp(-(x - self.knee_s) / self.last_s)


def _reaching(start: float, target: float, tau: float, level: float) -> float:
    return tau * math.log((start - target) / (level - target)) if level != start else 0.0


@dataclass(frozen=True)
class Shape:
    """Resting levels, time constant below the knee, ratio of the one above to it, and the knee.

    ``high_s`` and ``low_s`` are the times from one jump of the source to the next: the resting level is not reached in
    short ones, and the next edge starts from where the last one got to.
    """

    high_v: float
    low_v: float
    tau_s: float
    ratio: float
    knee_v: float = KNEE_V
    high_s: float = math.inf
    low_s: float = math.inf

    @property
    def two_parts(self) -> bool:
        """True when the levels lie on both sides of the knee, with room."""
        return self.low_v + 0.2 < self.knee_v < self.high_v - 0.2

    @property
    def middle_v(self) -> float:
        """Half way between the levels."""
        return (self.high_v + self.low_v) / 2.0

    @property
    def rise(self) -> Edge:
        """From the low level to the high one."""
        return self._rise(
            self.low_v + (self._fall(self.high_v).left_over(self.low_s) if self.low_s < math.inf else 0.0)
        )

    @property
    def fall(self) -> Edge:
        """From the high level to the low one."""
        return self._fall(
            self.high_v + (self._rise(self.low_v).left_over(self.high_s) if self.high_s < math.inf else 0.0)
        )

    def _rise(self, start_v: float) -> Edge:
        if not self.two_parts:
            return self._plain(start_v, self.high_v)
        heads_for = self.knee_v + (self.high_v - self.knee_v) / self.ratio
        return Edge(start_v, heads_for, self.tau_s, self.knee_v, self.high_v, self.tau_s * self.ratio)

    def _fall(self, start_v: float) -> Edge:
        if not self.two_parts:
            return self._plain(start_v, self.low_v)
        heads_for = self.knee_v - (self.knee_v - self.low_v) * self.ratio
        return Edge(start_v, heads_for, self.tau_s * self.ratio, self.knee_v, self.low_v, self.tau_s)

    def _plain(self, start: float, end: float) -> Edge:
        return Edge(start, end, self.tau_s, start, end, self.tau_s)


def expected_ratio(high_v: float, low_v: float) -> float:
    """Ratio of the time constants if the source is as far up as ``low_v`` is down: 1 without a load."""
    return min(max((high_v - KNEE_V) / max(-low_v - KNEE_V, 1.0), 0.02), 1.0)
