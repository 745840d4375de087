"""A current transformer and the meter's input behind it, as arithmetic.

    reading = round( saturate( I x (1 + ratio error(I)) ) + noise ),   angle = phi - phase error(I)

The errors are a fixed share of the limits of the CT's accuracy class, drawn once per CT: the class says how far
off it may be at each current, the share where inside that this one is.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from typing import Literal

import numpy as np

from hilbench.errors import InputError, Problem

AccuracyClass = Literal["ideal", "0.5", "0.5S", "1", "3", "5"]

LIMITS: dict[str, tuple[tuple[float, float, float], ...]] = {
    "0.5": ((0.05, 1.5, 90), (0.2, 0.75, 45), (1.0, 0.5, 30), (1.2, 0.5, 30)),
    "0.5S": ((0.01, 1.5, 90), (0.05, 0.75, 45), (0.2, 0.5, 30), (1.0, 0.5, 30), (1.2, 0.5, 30)),
    "1": ((0.05, 3.0, 180), (0.2, 1.5, 90), (1.0, 1.0, 60), (1.2, 1.0, 60)),
    "3": ((0.5, 3.0, 0), (1.2, 3.0, 0)),
    "5": ((0.5, 5.0, 0), (1.2, 5.0, 0)),
}
"""Per class: share of the rated current, limit of the ratio error [%], limit of the phase error [minutes].

IEC 61869-2 tables 201 and 202 (secondary: quoted by a CT maker). Below the lowest current the standard says nothing;
the lowest limit is held there. Classes 3 and 5 have no phase limit; none is assumed."""

_MINUTE_RAD = math.pi / 180 / 60


@dataclass(frozen=True)
class CtSettings:
    """A kind of CT: class, rated primary current [A], noise (standard deviation [A]) and resolution [A] of a sample.

    Above ``knee`` x ``rated_a`` it saturates: only ``beyond_knee`` of what is more comes through (0.3 and a knee at
    1.2 to 1.5 are an RMS shortcut, policy-default). Raises ``InputError`` for figures that are out of range.
    """

    accuracy_class: AccuracyClass = "1"
    rated_a: float = 100.0
    noise_a: float = 0.0
    resolution_a: float = 0.0
    knee: float = 1.5
    beyond_knee: float = 0.3

    def __post_init__(self) -> None:
        problems = []
        if self.accuracy_class != "ideal" and self.accuracy_class not in LIMITS:
            names = ", ".join(("ideal", *LIMITS))
            problems.append(Problem("class", f"no accuracy class {self.accuracy_class!r}", f"use one of {names}"))
        if not 0 < self.rated_a < math.inf:
            problems.append(Problem("rated_a", f"{self.rated_a} must be above 0"))
        problems += [
            Problem(name, f"{getattr(self, name)} must be 0 or more")
            for name in ("noise_a", "resolution_a")
            if not 0 <= getattr(self, name) < math.inf
        ]
        if not self.knee > 0 or not 0 <= self.beyond_knee <= 1:
            problems.append(Problem("knee", "must be above 0, and beyond_knee in 0..1"))
        if problems:
            raise InputError("CT", problems)


@dataclass(frozen=True)
class CtChain:
    """One CT: its settings and where it is inside its class, -1..1 of the limits of ratio and phase error."""

    settings: CtSettings
    ratio_share: float = 0.0
    phase_share: float = 0.0

    def ratio_error(self, current_a: float) -> float:
        """Relative error of the reading at ``current_a`` [1]."""
        return self.ratio_share * self._limits(current_a)[0] / 100.0

    def phase_error_rad(self, current_a: float) -> float:
        """How far the secondary current leads the primary at ``current_a`` [rad]."""
        return self.phase_share * self._limits(current_a)[1] * _MINUTE_RAD

    def reading_a(self, current_a: float, noise: float = 0.0) -> float:
        """What is read when ``current_a`` (RMS) flows; ``noise`` is a draw of unit variance. Never negative."""
        settings = self.settings
        value = current_a * (1.0 + self.ratio_error(current_a))
        knee_a = settings.knee * settings.rated_a
        if value > knee_a and settings.accuracy_class != "ideal":
            value = knee_a + settings.beyond_knee * (value - knee_a)
        value = abs(value + noise * settings.noise_a)
        if settings.resolution_a:
            value = round(value / settings.resolution_a) * settings.resolution_a
        return value

    def _limits(self, current_a: float) -> tuple[float, float]:
        """Limits of a class [%, minutes] at a current, straight in its logarithm between the points of the class."""
        points = LIMITS.get(self.settings.accuracy_class)
        if points is None:
            return 0.0, 0.0
        share = current_a / self.settings.rated_a
        index = bisect_right(points, (share, math.inf))
        if index == 0 or index == len(points):
            return points[max(0, index - 1)][1:]
        low, high = points[index - 1], points[index]
        weight = math.log(share / low[0]) / math.log(high[0] / low[0])
        return low[1] + weight * (high[1] - low[1]), low[2] + weight * (high[2] - low[2])


def draw_chain(settings: CtSettings, rng: np.random.Generator) -> CtChain:
    """A CT somewhere inside its class: both shares uniform in -1..1."""
    ratio, phase = rng.uniform(-1.0, 1.0, 2)
    return CtChain(settings, float(ratio), float(phase))


def expanded_uncertainty_a(settings: CtSettings, current_a: float | None = None) -> float:
    """Uncertainty (k = 2) [A] that a class leaves at a current (None: the rated one), resolution and noise included.

    The class limit and half a resolution step count as rectangular (GUM 4.3.7: divided by the square root of 3).
    """
    current = settings.rated_a if current_a is None else current_a
    limit = abs(CtChain(settings, 1.0).ratio_error(current)) * current
    parts = (limit / math.sqrt(3), settings.resolution_a / 2 / math.sqrt(3), settings.noise_a)
    return 2.0 * math.hypot(*parts)
