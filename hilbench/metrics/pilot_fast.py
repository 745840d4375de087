"""Fast mode: only the samples at the edges are looked at, and each is carried along its exponential to the crossing."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hilbench.metrics.pilot_codes import resolved
from hilbench.metrics.pilot_edges import Edges, Level, plateaus
from hilbench.metrics.pilot_levels import Levels, step_v, widened
from hilbench.metrics.pilot_shape import Shape, expected_ratio
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
_SHARES = np.linspace(0.0, 1.0, _PER_PLATEAU)


def quick_levels(record: Waveform, edges: Edges, skip_s: float, lead_s: float) -> Levels:
    """Levels from 16 samples of every plateau."""
    begin, end, high = plateaus(edges, len(record.values), skip_s / record.dt_s + 1.0)
    end = np.maximum(end - lead_s / record.dt_s - 1.0, begin)
    index = (begin[:, None] + (end - begin)[:, None] * _SHARES).astype(np.intp)
    found = record.values.take(index, mode="clip").astype(np.float64)
    inner = slice(1, -1) if len(found) > 3 else slice(None)
    found, kind = found[inner], high[inner]
    means, lsb_v = found.mean(axis=1), step_v(record)
    top, bottom = (resolved(_level(found[one], means[one]), found[one].ravel(), lsb_v) for one in (kind, ~kind))
    apart = np.abs(means - np.where(kind, top.volts, bottom.volts))
    return Levels(top, bottom, float(np.fmax.reduce(apart, initial=0.0)))


def _level(found: Floats, means: Floats) -> Level:
    if not found.size:
        return Level(math.nan, 0.0, 0)
    spread = (found - means[:, None]).ravel()
    freedom = found.size * (1.0 - 1.0 / found.shape[1])
    return Level(float(means.mean()), math.sqrt(float(spread @ spread) / freedom), found.size)


class Carried:
    """Crossings of all edges [samples] and, per edge, how many samples told it; ``tau`` is in samples.

    ``target_v`` is what each edge heads for while it passes ``level_v``.
    """

    def __init__(self, record: Waveform, edges: Edges, target_v: Floats, level_v: float, swing_v: float) -> None:
        reach = max(math.ceil(REACH_S / record.dt_s), 1)
        index = np.floor(edges.at).astype(np.intp)[:, None] + np.arange(1 - reach, reach + 1)
        np.minimum(np.maximum(index, 0, out=index), len(record.values) - 1, out=index)
        volts = record.values.take(index).astype(np.float64)
        near = np.abs(volts - level_v) < BAND_SHARE * swing_v
        ratio = (target_v[:, None] - volts) / (target_v - level_v)[:, None]
        near &= ratio > 0.05
        ratio[~near] = 1.0
        logs, after = np.log(ratio), index - edges.at[:, None]
        self.samples = np.add.reduce(near, axis=1, dtype=np.intp)
        self.tau = _slopes(after, logs, near, self.samples)
        weight = ratio * ratio * near
        total = np.maximum(weight.sum(axis=1), 1e-9)
        by_edge = _by_turns(self.tau, len(edges.at))
        self.at = edges.at + (_rows(weight, after) + by_edge * _rows(weight, logs)) / total
        self.u = by_edge / np.sqrt(total) / np.abs(target_v - level_v)

    @property
    def seen(self) -> float:
        """Part of the edges with a sample on them, of the direction that has fewer."""
        return min(np.count_nonzero(one) / max(len(one), 1) for one in (self.samples[0::2], self.samples[1::2]))


def _by_turns(pair: ArrayLike, count: int) -> Floats:
    """The two figures, over and over."""
    return np.asarray(pair, dtype=np.float64)[np.arange(count) % 2]


def _rows(one: Floats, other: Floats) -> Floats:
    """Sums of the products, row by row."""
    return np.asarray(np.einsum("ij,ij->i", one, other))


def _slopes(after: Floats, logs: Floats, near: NDArray[np.bool_], samples: NDArray[np.intp]) -> Floats:
    """Time constants [samples] of both directions from logs = (crossing - x) / tau, within the edges that have two
    samples or more."""
    x, count = after * near, np.maximum(samples, 1)
    sum_x, some = x.sum(axis=1), samples > 1
    squares = (_rows(x, x) - sum_x**2 / count) * some
    mixed = (_rows(x, logs) - sum_x * logs.sum(axis=1) / count) * some
    steep = [float(mixed[k::2].sum()) for k in (0, 1)]
    return np.array([float(squares[k::2].sum()) / -one if one < 0.0 else math.nan for k, one in enumerate(steep)])


def fast(record: Waveform, edges: Edges, rough: tuple[float, float], threshold_v: float | None) -> Result | None:
    """Levels and timing of a record with these edges; None when its edges have too few samples, or are too few."""
    resting = widened(quick_levels(record, edges, LONGEST_EDGE_S, LEAD_S), edges, record.dt_s, LONGEST_EDGE_S)
    high_v, low_v = resting.high.volts, resting.low.volts
    middle_v, unit = (high_v + low_v) / 2.0, Shape(high_v, low_v, 1.0, expected_ratio(high_v, low_v))
    if not (resting.apart and rough[0] < middle_v < rough[1]):
        return None
    in_turn = (unit.rise, unit.fall) if edges.first_up else (unit.fall, unit.rise)
    heads = _by_turns([edge.heading(middle_v)[0] for edge in in_turn], len(edges.at))
    found = Carried(record, edges, heads, middle_v, high_v - low_v)
    if found.seen < LEAST_SEEN or not np.all(found.tau > 0.0):
        return None
    noise_s = max(resting.noise_v, 1e-6) * record.dt_s
    times, unsure = (Edges(middle_v, one, edges.first_up) for one in (found.at, found.u))
    trained = train(
        times.rises * record.dt_s, times.falls * record.dt_s, unsure.rises * noise_s, unsure.falls * noise_s
    )
    below = middle_v < unit.knee_v or not unit.two_parts
    tau_s = float(found.tau.mean()) * record.dt_s / (1.0 if below else unit.ratio)
    return resting, _timing(replace(unit, tau_s=tau_s), trained, record.dt_s, threshold_v)


def _timing(shape: Shape, trained: Train, dt_s: float, threshold_v: float | None) -> Timing:
    level_v = shape.middle_v if threshold_v is None else threshold_v
    to_pct, middle = 100.0 / trained.period_s, widening(shape, shape.middle_v)
    at_level = middle if threshold_v is None else widening(shape, level_v)
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
        duty_pct=duty(at_level - middle),
        source_duty_pct=duty(-middle),
        rise_s=roughly(ten_to_ninety(shape, shape.rise)),
        fall_s=roughly(ten_to_ninety(shape, shape.fall)),
        tau_s=roughly(shape.tau_s),
        jitter_s=trained.jitter_s,
        cycles=trained.cycles,
        misfit=math.nan,
        way="fast",
    )
