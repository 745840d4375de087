"""What the edges of a pilot record say about its timing, by whichever way they were measured."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hilbench.metrics.pilot_shape import Edge, Shape


@dataclass(frozen=True)
class Sure:
    """A figure and its standard uncertainty."""

    value: float
    u: float


@dataclass(frozen=True)
class Timing:
    """Timing of a steady record; the clock of the instrument is not in the uncertainties.

    ``duty_pct`` is that at ``threshold_v``, ``source_duty_pct`` that of the source: what the capacitance moved is taken
    away. ``tau_s`` is the time constant below the diode's voltage, R1 times the capacitance. ``misfit`` is what the
    edges leave over in units of the noise (1: the model holds).
    """

    threshold_v: float
    begin_s: float
    period_s: Sure
    duty_pct: Sure
    source_duty_pct: Sure
    rise_s: Sure
    fall_s: Sure
    tau_s: Sure
    jitter_s: float
    cycles: int
    misfit: float
    way: str


def widening(shape: Shape, threshold_v: float) -> float:
    """By how much the time above the threshold exceeds that of the source [s], which is taken half way up its ramps."""
    of_source = (shape.fall_ramp_s - shape.rise_ramp_s) / 2.0
    return shape.fall.reaching(threshold_v) - shape.rise.reaching(threshold_v) - of_source


def ten_to_ninety(shape: Shape, edge: Edge) -> float:
    """Time from 10 to 90 % of the swing [s]."""
    tenth = 0.1 * (shape.high_v - shape.low_v)
    return abs(edge.reaching(shape.high_v - tenth) - edge.reaching(shape.low_v + tenth))


def root(square: float) -> float:
    """Square root of what rounding may have made slightly negative."""
    return math.sqrt(max(square, 0.0))
