"""Fast mode: only the samples at the edges are looked at, and each is carried along its exponential to the crossing."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hilbench.metrics.pilot_codes import resolved
from hilbench.metrics.pilot_edges import Edges, Level, plateaus
from hilbench.metrics.pilot_levels import Levels, step_v, widened
from hilbench.metrics.pilot_shape import Edge, Shape, expected_ratio
from hilbench.metrics.pilot_timing import Sure, Timing, root, ten_to_ninety, widening
from hilbench.metrics.pilot_train import Train, train
from hilbench.metrics.uncertainty import combined
from hilbench.waveform import Waveform

Floats = NDArray[np.float64]
REACH_S, BAND_SHARE = 1.2e-6, 0.35
"""Samples that far from the crossing, and that far from its level as a share of the swing, are used."""
LONGEST_EDGE_S, LEAD_S = 30e-6, 9e-6
"""Left out of the plateaus after and before a crossing: eight time constants and one and a half of the worst legal
cable (5.5 nF; policy-default)."""
LEAST_SEEN = 0.9
"""Part of the edges that must have a sample on them; fewer are left to the careful mode (policy-default)."""
SHIFT_SHARE = 0.02
"""Standard uncertainty of what capacitance moves, as a share of the time constant: the rails need not be alike."""
TAU_SHARE, STEP_SHARE, SHAPE_SHARE = 2e-3, 5e-3, 0.15
"""Standard uncertainty of the width from the shape that is taken for granted, as shares of the time constant and of the
distance of samples (measured over legal circuits), and of what is read off that shape."""
Result = tuple[Levels, Timing]
_PER_PLATEAU = 16


def quick_levels(record: Waveform, edges: Edges, skip_s: float, lead_s: float) -> Levels:
    """Levels from 16 samples of every plateau."""
    begin, end, high = plateaus(edges, len(record.values), skip_s / record.dt_s + 1.0)
    end = np.maximum(end - lead_s / record.dt_s - 1.0, begin)
    share = np.linspace(0.0, 1.0, _PER_PLATEAU)
    index = (begin[:, None] + (end - begin)[:, None] * share).astype(np.intp)
    found = record.values[np.minimum(index, len(record.values) - 1)].astype(np.float64)
    inner = found[1:-1] if len(found) > 3 else found
    kind = high[1:-1] if len(found) > 3 else high
    means = inner.mean(axis=1)
    lsb_v = step_v(record)
    top, bottom = (resolved(_level(inner[one]), inner[one].ravel(), lsb_v) for one in (kind, ~kind))
    apart = np.abs(means - np.where(kind, top.volts, bottom.volts))
    return Levels(top, bottom, float(np.nanmax(apart, initial=0.0)))


def _level(found: Floats) -> Level:
    if not found.size:
        return Level(math.nan, 0.0, 0)
    spread = found - found.mean(axis=1, keepdims=True)
    return Level(
        float(found.mean()), float(np.sqrt(np.mean(spread**2) * found.shape[1] / (found.shape[1] - 1))), found.size
    )


class Carried:
    """Crossings of one direction [samples] and, per edge, how many samples told it; ``tau`` is in samples."""

    def __init__(self, record: Waveform, at: Floats, edge: Edge, level_v: float, swing_v: float) -> None:
        reach = max(math.ceil(REACH_S / record.dt_s), 1)
        index = np.floor(at).astype(np.intp)[:, None] + np.arange(1 - reach, reach + 1)
        np.clip(index, 0, len(record.values) - 1, out=index)
        volts = record.values[index].astype(np.float64)
        target = edge.heading(level_v)[0]
        near = np.abs(volts - level_v) < BAND_SHARE * swing_v
        ratio = np.where(near, (target - volts) / (target - level_v), 1.0)
        near &= ratio > 0.05
        logs = np.log(np.where(near, ratio, 1.0))
        self.tau = _slope(index - at[:, None], logs, near)
        weight = np.where(near, ratio**2, 0.0)
        self.total = weight.sum(axis=1)
        carried = np.sum(weight * (index + self.tau * logs), axis=1)
        self.samples = near.sum(axis=1)
        self.at = np.where(self.total > 0.0, carried / np.maximum(self.total, 1e-9), at)
        self.u = self.tau / np.sqrt(np.maximum(self.total, 1e-9)) / abs(target - level_v)

    @property
    def seen(self) -> float:
        """Part of the edges with a sample on them."""
        return float(np.mean(self.samples > 0)) if len(self.at) else 0.0


def _slope(x: Floats, logs: Floats, near: NDArray[np.bool_]) -> float:
    """Time constant [samples] from logs = (crossing - x) / tau, within the edges that have two samples or more."""
    both = near & (near.sum(axis=1) > 1)[:, None]
    count = np.maximum(both.sum(axis=1), 1)[:, None]
    dx = np.where(both, x - (np.where(both, x, 0.0).sum(axis=1)[:, None] / count), 0.0)
    dy = np.where(both, logs - (np.where(both, logs, 0.0).sum(axis=1)[:, None] / count), 0.0)
    steep = float(np.sum(dx * dy))
    return float(np.sum(dx * dx)) / -steep if steep < 0.0 else math.nan


def fast(record: Waveform, edges: Edges, rough: tuple[float, float], threshold_v: float | None) -> Result | None:
    """Levels and timing of a record with these edges; None when its edges have too few samples, or are too few."""
    resting = widened(quick_levels(record, edges, LONGEST_EDGE_S, LEAD_S), edges, record.dt_s, LONGEST_EDGE_S)
    high_v, low_v = resting.high.volts, resting.low.volts
    middle_v, unit = (high_v + low_v) / 2.0, Shape(high_v, low_v, 1.0, expected_ratio(high_v, low_v))
    if not (resting.apart and rough[0] < middle_v < rough[1]):
        return None
    rise, fall = (
        Carried(record, at, edge, middle_v, high_v - low_v)
        for at, edge in ((edges.rises, unit.rise), (edges.falls, unit.fall))
    )
    if min(rise.seen, fall.seen) < LEAST_SEEN or not (rise.tau > 0.0 and fall.tau > 0.0):
        return None
    noise_v = max(resting.noise_v, 1e-6)
    trained = train(
        *(one.at * record.dt_s for one in (rise, fall)), *(one.u * noise_v * record.dt_s for one in (rise, fall))
    )
    below = middle_v < unit.knee_v or not unit.two_parts
    tau_s = (rise.tau + fall.tau) / 2.0 * record.dt_s / (1.0 if below else unit.ratio)
    return resting, _timing(replace(unit, tau_s=tau_s), trained, record.dt_s, threshold_v)


def _timing(shape: Shape, trained: Train, dt_s: float, threshold_v: float | None) -> Timing:
    level_v = shape.middle_v if threshold_v is None else threshold_v
    to_pct, middle = 100.0 / trained.period_s, widening(shape, shape.middle_v)
    own = combined(trained.duty_u_pct, to_pct * combined(TAU_SHARE * shape.tau_s, STEP_SHARE * dt_s))

    def unsure_s(more_s: float) -> float:
        return combined(SHAPE_SHARE * more_s, SHIFT_SHARE * shape.tau_s) if more_s else 0.0

    def duty(more_s: float) -> Sure:
        return Sure(trained.duty_pct + to_pct * more_s, combined(own, to_pct * unsure_s(more_s)))

    def roughly(value: float) -> Sure:
        return Sure(value, SHAPE_SHARE * value)

    return Timing(
        threshold_v=level_v,
        begin_s=trained.begin_s,
        period_s=Sure(trained.period_s, root(float(trained.covariance[1, 1]))),
        duty_pct=duty(widening(shape, level_v) - middle),
        source_duty_pct=duty(-middle),
        rise_s=roughly(ten_to_ninety(shape, shape.rise)),
        fall_s=roughly(ten_to_ninety(shape, shape.fall)),
        tau_s=roughly(shape.tau_s),
        jitter_s=trained.jitter_s,
        cycles=trained.cycles,
        misfit=math.nan,
        way="fast",
    )
