"""Edges that fall between samples: all periods laid over each other, and every circuit that may be behind them.

With few samples on an edge, one best fit says nothing of how wrong it may be. So what is told is the mean over a sample
of all circuits and times that explain the folded samples, and its uncertainty is their spread.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hilbench.metrics.pilot_draws import Mode, mode, sample
from hilbench.metrics.pilot_edges import Edges
from hilbench.metrics.pilot_ensemble import FALL, JITTER, PERIOD, RISE, UNKNOWNS, Posterior
from hilbench.metrics.pilot_fold import Grid, folded, looked, with_slopes
from hilbench.metrics.pilot_levels import Levels, levels, step_v, unresolved_v, widened
from hilbench.metrics.pilot_shape import KNEE_V, Edge, Shape, expected_ratio
from hilbench.metrics.pilot_timing import Sure, Timing, ten_to_ninety, widening
from hilbench.metrics.pilot_train import JITTER_S, Train, train
from hilbench.metrics.uncertainty import combined
from hilbench.waveform import Waveform

Floats = NDArray[np.float64]
TAUS_S = np.geomspace(6e-8, 8e-6, 10)
"""Time constants to start from: from a generator's own edge to more than the worst legal cable (5.5 us)."""
START_RAMP_S = 0.4e-6
"""Ramp of the source to start from."""
BEST, STRANGE = 3, 1.5
"""How many of them are followed, and all of them where the edges then leave over that many times the noise."""
WIDE_S = 0.15e-6
"""Jitter that makes the posterior smooth enough to find places that lie further apart than the true one lets see."""
LEAST_APART_S = 1e-8
"""Slopes are told over twice that at least."""
_GRID, _ZOOMS, _PASSES = 24, 4, 2
_LONGEST_S, _LEAD_S, _AFTER_S = 45e-6, 9e-6, 20e-6


def _crossing(posterior: Posterior, edge: Edge, rising: bool, dt_s: float) -> tuple[float, float]:
    """Where the edge fits best, relative to the guess [s], and its log likelihood there."""
    seen, variance, level_v = posterior.folded(rising), posterior.variance(rising, 0.0), posterior.base.middle_v
    reach, centre, half, best = edge.reaching(level_v), 0.0, 1.5 * dt_s, math.inf
    for _ in range(_ZOOMS):
        grid = centre + np.linspace(-half, half, _GRID)
        left = seen.volts - edge.value(seen.at_s - grid[:, None] + reach)
        cost = np.sum(left**2 / variance, axis=1) / 2.0
        centre, half, best = float(grid[np.argmin(cost)]), 2.0 * half / (_GRID - 1), float(cost.min())
    return centre, -best


def starts(posterior: Posterior, dt_s: float) -> list[Floats]:
    """Places to start from, one time constant each, the best one first."""
    found = []
    for tau_s in TAUS_S:
        shape = replace(posterior.base, tau_s=float(tau_s), rise_ramp_s=START_RAMP_S, fall_ramp_s=START_RAMP_S)
        rise_s, rise_log = _crossing(posterior, shape.rise, True, dt_s)
        fall_s, fall_log = _crossing(posterior, shape.fall, False, dt_s)
        ramps = [math.log(START_RAMP_S)] * 2
        circuit = (math.log(tau_s), math.log(shape.ratio), KNEE_V, 0.0, 0.0, *ramps)
        walker = [rise_s, fall_s, 0.0, *circuit, math.log(max(posterior.jitter_s, JITTER_S))]
        found.append((rise_log + fall_log, walker))
    found.sort(key=lambda pair: -pair[0])
    return [np.array(walker) for _log, walker in found]


def sparse(record: Waveform, edges: Edges, threshold_v: float | None) -> tuple[Levels, Timing] | None:
    """Levels and timing of a record whose edges have few samples; None when its levels are not seen."""
    resting = widened(levels(record, edges, _LONGEST_S, _LEAD_S), edges, record.dt_s, _LONGEST_S)
    if not resting.apart:
        return None
    times = [at * record.dt_s for at in (edges.rises, edges.falls)]
    trained = train(*times, *(np.full(len(at), record.dt_s / 12.0) for at in times))
    timing = _tried(record, edges, resting, trained, threshold_v, BEST)
    if timing.misfit > STRANGE:
        more = _tried(record, edges, resting, trained, threshold_v, len(TAUS_S))
        timing = min(timing, more, key=lambda one: one.misfit)
    return resting, timing


def _tried(
    record: Waveform, edges: Edges, resting: Levels, trained: Train, threshold_v: float | None, best_starts: int
) -> Timing:
    """Timing from that many places to start from."""
    times = [at * record.dt_s for at in (edges.rises, edges.falls)]
    half = round(trained.cycles / 2.0) * trained.period_s
    grid = Grid(trained.begin_s + half, trained.begin_s + trained.width_s + half, trained.period_s)
    posterior = _posterior(record, edges, resting, times, grid, None)
    begin = starts(posterior, record.dt_s)[:best_starts]
    for _ in range(_PASSES):
        modes = _modes(posterior, begin)
        best = modes[0].walker
        grid = grid.moved(float(best[RISE]), float(best[FALL]), float(best[PERIOD]), _jitter_s(posterior, best))
        begin = [_at_home(one.walker, best) for one in modes]
        posterior = _posterior(record, edges, resting, times, grid, begin[0])
    wide = replace(posterior, jitter_s=combined(posterior.jitter_s, WIDE_S))
    walkers = sample(posterior, _modes(posterior, begin) + _modes(wide, begin))
    return _timing(posterior, walkers, grid, trained, threshold_v)


def _modes(posterior: Posterior, begin: list[Floats]) -> list[Mode]:
    """The highest places that the starts lead to, the highest one first."""
    return sorted((mode(posterior, start) for start in begin), key=lambda one: -one.log)


def _at_home(walker: Floats, best: Floats) -> Floats:
    """A walker on the grid that was moved to the best one."""
    times = [RISE, FALL, PERIOD]
    moved = walker.copy()
    moved[times] -= best[times]
    return moved


def _noise_v(record: Waveform, resting: Levels) -> float:
    """Noise of a sample, with the steps of the converter."""
    swing_v = resting.high.volts - resting.low.volts
    return combined(max(resting.noise_v, 1e-5 * swing_v), step_v(record) / math.sqrt(12.0))


def _posterior(
    record: Waveform, edges: Edges, resting: Levels, times: list[Floats], grid: Grid, best: Floats | None
) -> Posterior:
    """All that the samples say; what an edge's jitter adds to them takes a shape, which is that of ``best``."""
    high_v, low_v = resting.high.volts, resting.low.volts
    after_s = min(_AFTER_S, 0.9 * float(np.diff(edges.at).min()) * record.dt_s)
    around = [
        looked(record, at, begin_s, grid.period_s, after_s)
        for at, begin_s in zip(times, (grid.rise_s, grid.fall_s), strict=True)
    ]
    rise, fall = (folded(one, record.dt_s, step_v(record)) for one in around)
    high_u_v, low_u_v = (combined(level.statistical_v, 1e-4) for level in (resting.high, resting.low))
    posterior = Posterior(
        Shape(high_v, low_v, 1e-6, expected_ratio(high_v, low_v)),
        high_u_v,
        low_u_v,
        _noise_v(record, resting),
        unresolved_v(step_v(record), resting.noise_v),
        grid.jitter_s,
        record.dt_s,
        record.dt_s / max(round((edges.at[-1] - edges.at[0]) * record.dt_s / grid.period_s), 1),
        rise,
        fall,
    )
    if best is None:
        return posterior
    told = [
        with_slopes(posterior, rising, _steep(posterior, best, rising), around[not rising]) for rising in (True, False)
    ]
    return replace(posterior, rise=told[0], fall=told[1])


def _steep(posterior: Posterior, walker: Floats, rising: bool) -> Floats:
    """Slope [V/s] at the samples of one edge, over as long as it jitters: at its start it may have begun or not."""
    apart_s = max(posterior.jitter_s, LEAST_APART_S)
    later, sooner = (posterior.value(walker[None], rising, shift)[0] for shift in (apart_s, -apart_s))
    return np.asarray((later - sooner) / (2.0 * apart_s))


def _jitter_s(posterior: Posterior, best: Floats) -> float:
    """Standard deviation of the time of single samples on the edges, from what they scatter beyond the noise [s]."""
    excess = total = 0.0
    for rising in (True, False):
        seen, steep2 = posterior.folded(rising), _steep(posterior, best, rising) ** 2
        left = seen.volts - posterior.value(best[None], rising)[0]
        single = seen.count * (left**2 - posterior.noise_v**2) + seen.scatter
        excess += float(np.sum(steep2 * single))
        total += float(np.sum(steep2**2 * seen.count))
    return math.sqrt(max(excess / total, 0.0)) if total > 0.0 else 0.0


def _timing(posterior: Posterior, walkers: Floats, grid: Grid, trained: Train, threshold_v: float | None) -> Timing:
    level_v = posterior.base.middle_v if threshold_v is None else threshold_v
    shapes = [posterior.shape(walker) for walker in walkers]
    middle = np.array([widening(shape, shape.middle_v) for shape in shapes])
    at_level = middle if threshold_v is None else np.array([widening(shape, level_v) for shape in shapes])
    rises, falls = (posterior.crossing_s(walkers, shapes, rising) for rising in (True, False))
    periods = grid.period_s + walkers[:, PERIOD]
    widths = (grid.fall_s - grid.rise_s + falls - rises) % grid.period_s

    def figure(function: Callable[[Shape], float]) -> Sure:
        return _over(np.array([function(shape) for shape in shapes]))

    jitter2 = float(np.mean(np.exp(2.0 * walkers[:, JITTER])))
    shared2 = jitter2 * (posterior.rise.shared + posterior.fall.shared)
    width_u_s, period_u_s = math.sqrt(shared2), math.sqrt(6.0 * shared2) / max(trained.cycles, 1)

    def duty(widths_s: Floats) -> Sure:
        told = _over(100.0 * widths_s / periods)
        return Sure(told.value, combined(told.u, 100.0 * width_u_s / grid.period_s))

    left = posterior.residuals(walkers[[int(np.argmax(posterior.log(walkers)))]])[0, :-UNKNOWNS]
    return Timing(
        threshold_v=level_v,
        begin_s=trained.begin_s,
        period_s=Sure(float(periods.mean()), combined(float(periods.std()), period_u_s)),
        duty_pct=duty(widths + at_level - middle),
        source_duty_pct=duty(widths - middle),
        rise_s=figure(lambda shape: ten_to_ninety(shape, shape.rise)),
        fall_s=figure(lambda shape: ten_to_ninety(shape, shape.fall)),
        tau_s=figure(lambda shape: shape.tau_s),
        jitter_s=math.sqrt(jitter2),
        cycles=trained.cycles,
        misfit=math.sqrt(float(np.mean(left**2))),
        way="sparse",
    )


def _over(values: Floats) -> Sure:
    """Mean and spread over the walkers."""
    return Sure(float(values.mean()), float(values.std()))
