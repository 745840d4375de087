"""Edges that fall between samples: all periods laid over each other, and every circuit that may be behind them.

With few samples on an edge, one best fit says nothing of how wrong it may be. So what is told is the mean over a sample
of all circuits and times that explain the folded samples, and its uncertainty is their spread.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hilbench.metrics.pilot_edges import Edges
from hilbench.metrics.pilot_ensemble import FALL, RISE, Folded, Posterior, sample
from hilbench.metrics.pilot_levels import Levels, levels, step_v, unresolved_v, widened
from hilbench.metrics.pilot_shape import KNEE_V, Edge, Shape, expected_ratio
from hilbench.metrics.pilot_timing import Sure, Timing, root, ten_to_ninety, widening
from hilbench.metrics.pilot_train import Train, train
from hilbench.metrics.uncertainty import combined
from hilbench.waveform import Waveform

Floats = NDArray[np.float64]
TAUS_S = np.geomspace(3e-8, 7e-6, 16)
"""Time constants to start from: from a generator's own edge to more than the worst legal cable (5.5 us)."""
BEST = 4
"""How many of them are followed."""
FINE_SHARE = 0.005
"""Samples closer together than that share of their distance are averaged."""
_GRID, _ZOOMS, _PASSES = 64, 3, 3
_LONGEST_S, _LEAD_S = 45e-6, 9e-6


def fold(record: Waveform, crossings_s: Floats, after_s: float, noise_v: float, floor_v: float) -> Folded:
    """Samples from two intervals before to ``after_s`` after all crossings, averaged where they fall together."""
    dt_s = record.dt_s
    before = max(2, math.ceil(_LEAD_S / dt_s))
    middle = np.floor(crossings_s / dt_s).astype(np.intp)
    index = middle[:, None] + np.arange(-before, math.ceil(after_s / dt_s) + 1)
    inside = (index >= 0) & (index < len(record.values))
    at = (index * dt_s - crossings_s[:, None])[inside]
    volts = record.values[index[inside]].astype(np.float64)
    places = np.round(at / (FINE_SHARE * dt_s)).astype(np.int64)
    _, group, count = np.unique(places, return_inverse=True, return_counts=True)
    at, volts = (np.bincount(group, weights=what) / count for what in (at, volts))
    return Folded(at, volts, noise_v**2 / count + floor_v**2)


def _crossing(folded: Folded, edge: Edge, level_v: float, dt_s: float) -> tuple[float, float]:
    """Where the edge fits best, relative to the guess [s], and its log likelihood there."""
    reach, centre, half, best = edge.reaching(level_v), 0.0, 1.5 * dt_s, math.inf
    for _ in range(_ZOOMS):
        grid = centre + np.linspace(-half, half, _GRID)
        left = folded.volts - edge.value(folded.at_s - grid[:, None] + reach)
        cost = np.sum(left**2 / folded.variance, axis=1) / 2.0
        centre, half, best = float(grid[np.argmin(cost)]), 2.0 * half / (_GRID - 1), float(cost.min())
    return centre, -best


def starts(posterior: Posterior, dt_s: float) -> Floats:
    """The best places to start from, one time constant each."""
    found = []
    for tau_s in TAUS_S:
        shape = Shape(posterior.base.high_v, posterior.base.low_v, float(tau_s), posterior.base.ratio)
        rise_s, rise_log = _crossing(posterior.rise, shape.rise, shape.middle_v, dt_s)
        fall_s, fall_log = _crossing(posterior.fall, shape.fall, shape.middle_v, dt_s)
        walker = [rise_s, fall_s, math.log(tau_s), math.log(shape.ratio), KNEE_V, 0.0, 0.0]
        found.append((rise_log + fall_log, walker))
    found.sort(key=lambda pair: -pair[0])
    return np.array([walker for _log, walker in found[:BEST]])


def sparse(record: Waveform, edges: Edges, threshold_v: float | None) -> tuple[Levels, Timing] | None:
    """Levels and timing of a record whose edges have few samples; None when its levels are not seen."""
    resting = widened(levels(record, edges, _LONGEST_S, _LEAD_S), edges, record.dt_s, _LONGEST_S)
    if not resting.apart:
        return None
    times = [at * record.dt_s for at in (edges.rises, edges.falls)]
    trained = train(*times, *(np.full(len(at), record.dt_s / 12.0) for at in times))
    seen = _look(record, edges, resting, times, trained)
    for _ in range(_PASSES - 1):
        seen = _look(record, edges, resting, seen.times, seen.trained)
    walkers = sample(seen.posterior, seen.starts)
    width_s = float(seen.ideal[1][0] - seen.ideal[0][0]) % seen.trained.period_s
    return resting, _timing(seen.posterior, walkers, seen.trained, width_s, threshold_v)


@dataclass(frozen=True)
class _Look:
    """One folding: what it shows, where to start from, the ideal crossings, and better ones with their train."""

    posterior: Posterior
    starts: Floats
    ideal: list[Floats]
    times: list[Floats]
    trained: Train


def _look(record: Waveform, edges: Edges, resting: Levels, times: list[Floats], trained: Train) -> _Look:
    """Fold by the train, and make a better train of what the best start says about every edge."""
    noise_v = _noise_v(record, resting)
    ideal = _ideal(trained, times)
    posterior = _posterior(record, edges, resting, ideal, noise_v)
    begin = starts(posterior, record.dt_s)
    shifts = (float(begin[0][RISE]), float(begin[0][FALL]))
    moved = _moved(record, posterior.shape(begin[0]), shifts, ideal, noise_v)
    better = [at for at, _u in moved]
    return _Look(posterior, begin, ideal, better, train(*better, *(u for _at, u in moved)))


def _noise_v(record: Waveform, resting: Levels) -> float:
    """Noise of a sample, with the steps of the converter."""
    swing_v = resting.high.volts - resting.low.volts
    return max(resting.noise_v, step_v(record) / math.sqrt(12.0), 1e-5 * swing_v)


def _ideal(trained: Train, times: list[Floats]) -> list[Floats]:
    """The crossings of a perfect train beside the measured ones."""
    begin = (trained.begin_s, trained.begin_s + trained.width_s)
    return [
        start + trained.period_s * np.round((at - start) / trained.period_s)
        for at, start in zip(times, begin, strict=True)
    ]


def _posterior(record: Waveform, edges: Edges, resting: Levels, ideal: list[Floats], noise_v: float) -> Posterior:
    high_v, low_v = resting.high.volts, resting.low.volts
    floor_v = unresolved_v(step_v(record), resting.noise_v)
    after_s = min(_LONGEST_S, 0.9 * float(np.diff(edges.at).min()) * record.dt_s)
    rise, fall = (fold(record, at, after_s, noise_v, floor_v) for at in ideal)
    base = Shape(high_v, low_v, 1e-6, expected_ratio(high_v, low_v))
    high_u_v, low_u_v = (combined(level.statistical_v, floor_v, 1e-4) for level in (resting.high, resting.low))
    return Posterior(base, high_u_v, low_u_v, rise, fall)


def _moved(
    record: Waveform, shape: Shape, shifts: tuple[float, float], ideal: list[Floats], noise_v: float
) -> list[tuple[Floats, Floats]]:
    """Crossing and uncertainty of every single edge by one step from the ideal train, with the best shape."""
    moved = []
    for edge, shift, at in zip((shape.rise, shape.fall), shifts, ideal, strict=True):
        crossing = at + shift
        index = np.floor(crossing / record.dt_s).astype(np.intp)[:, None] + np.arange(-2, 8)
        inside = (index >= 0) & (index < len(record.values))
        x = index * record.dt_s - crossing[:, None] + edge.reaching(shape.middle_v)
        left = record.values[np.clip(index, 0, len(record.values) - 1)] - edge.value(x)
        slope = (edge.value(x - 1e-9) - edge.value(x + 1e-9)) / 2e-9 * inside
        held = np.sum(slope**2, axis=1) + 12.0 * noise_v**2 / record.dt_s**2
        moved.append((crossing + np.sum(slope * left, axis=1) / held, noise_v / np.sqrt(held)))
    return moved


def _timing(posterior: Posterior, walkers: Floats, trained: Train, width_s: float, threshold_v: float | None) -> Timing:
    level_v = posterior.base.middle_v if threshold_v is None else threshold_v
    to_pct = 100.0 / trained.period_s
    shapes = [posterior.shape(walker) for walker in walkers]
    middle = np.array([widening(shape, shape.middle_v) for shape in shapes])
    at_level = middle if threshold_v is None else np.array([widening(shape, level_v) for shape in shapes])
    widths = width_s + walkers[:, FALL] - walkers[:, RISE]
    ripple_pct = to_pct * trained.jitter_s / math.sqrt(max(trained.cycles, 1))

    def duty(more_s: Floats) -> Sure:
        width = _over(widths + more_s)
        return Sure(to_pct * width.value, combined(to_pct * width.u, ripple_pct))

    def figure(function: Callable[[Shape], float]) -> Sure:
        return _over(np.array([function(shape) for shape in shapes]))

    best = int(np.argmax(posterior.log(walkers)))
    squares = [float(np.mean(posterior.left(walkers[[best]], rising) ** 2)) for rising in (True, False)]
    return Timing(
        threshold_v=level_v,
        begin_s=trained.begin_s,
        period_s=Sure(trained.period_s, root(float(trained.covariance[1, 1]))),
        duty_pct=duty(at_level - middle),
        source_duty_pct=duty(-middle),
        rise_s=figure(lambda shape: ten_to_ninety(shape, shape.rise)),
        fall_s=figure(lambda shape: ten_to_ninety(shape, shape.fall)),
        tau_s=figure(lambda shape: shape.tau_s),
        jitter_s=trained.jitter_s,
        cycles=trained.cycles,
        misfit=math.sqrt(sum(squares) / 2.0),
        way="sparse",
    )


def _over(values: Floats) -> Sure:
    """Mean and spread over the walkers."""
    return Sure(float(values.mean()), float(values.std()))
