"""Careful mode: the edges of a record fitted with their shape, close to the bound of what noise allows."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hilbench.metrics.pilot_edges import Edges, Level, find
from hilbench.metrics.pilot_fit import UNKNOWNS, Fit, Side, Windows, fit, shape_of, theta_of
from hilbench.metrics.pilot_levels import Levels, levels, step_v, unresolved_v
from hilbench.metrics.pilot_shape import Edge, Shape, expected_ratio
from hilbench.metrics.pilot_sparse import sparse
from hilbench.metrics.pilot_timing import Sure, Timing, root, ten_to_ninety, widening
from hilbench.metrics.pilot_train import Train, train
from hilbench.metrics.uncertainty import combined
from hilbench.waveform import Waveform

Floats = NDArray[np.float64]
Result = tuple[Levels, Timing]
SKIP, LEAD = 8.0, 2.5
"""Left out of the plateaus after and before a crossing, in time constants."""
RESTED = 12.0
"""Shorter plateaus, in time constants, have not come to rest."""
SPARSE, SPARSE_S = 0.6, 1.9e-6
"""Samples further apart than that many time constants, or that far, leave too few on an edge to fit each."""
LEVEL_SHARE = 4.0
"""How much more than the levels, in shares, an error of both moves the time constant (found by simulation)."""
STRANGE = 1.5
"""Edges that leave over more than that many times the noise are tried again as those of a slow source."""
RAMP_TAUS = 2.3
"""How many time constants a straight ramp lasts that takes as long from 20 to 80 % as an exponential."""
_GUESS_S = 1.5e-6
_LONGEST_TAU_S = 8e-6


def guess_tau(record: Waveform, low_v: float, high_v: float) -> float:
    """Time constant [s] from the mean time between 20 and 80 % of the swing; a middling one where that is not seen."""
    swing = high_v - low_v
    lower, upper = (find(record, low_v + share * swing, 0.1 * swing).at for share in (0.2, 0.8))
    if not (len(lower) and len(upper)):
        return _GUESS_S
    after = np.clip(np.searchsorted(upper, lower), 1, len(upper) - 1) if len(upper) > 1 else np.zeros(1, dtype=np.intp)
    apart = np.minimum(np.abs(upper[after] - lower), np.abs(upper[after - 1] - lower))
    whole = apart <= 5.0 * np.median(apart)  # the ends of the record may cut an edge
    unit = Shape(high_v, low_v, 1.0, expected_ratio(high_v, low_v))
    per_tau = sum(
        abs(edge.reaching(low_v + 0.8 * swing) - edge.reaching(low_v + 0.2 * swing)) for edge in (unit.rise, unit.fall)
    )
    mean_s = float(np.mean(apart[whole])) * record.dt_s
    return min(max(2.0 * mean_s / per_tau, 5e-8), _LONGEST_TAU_S)


def windows(record: Waveform, at: Floats, rising: bool, before: int, after: int) -> Windows:
    """Samples around the crossings; what lies beyond the record is masked, edges cut near their middle are dropped."""
    count = len(record.values)
    middle = np.floor(at).astype(np.intp)
    whole = (middle >= before // 2 + 1) & (middle + after // 2 + 1 < count)
    index = middle[whole][:, None] + np.arange(-before, after + 1)
    inside = (index >= 0) & (index < count)
    volts = record.values[np.clip(index, 0, count - 1)].astype(np.float64)
    start_s = np.asarray(at[whole] * record.dt_s, dtype=np.float64)
    times_s = np.asarray(index * record.dt_s, dtype=np.float64)
    return Windows(rising, times_s, volts, inside.astype(np.float64), start_s)


def windows_of(record: Waveform, edges: Edges, tau_s: float) -> tuple[Windows, Windows]:
    """Windows of all rises and all falls, from before the source jumps until an edge is over or the next one begins."""
    room = float(np.diff(edges.at).min()) if len(edges.at) > 1 else float(len(record.values))
    before = min(math.ceil(1.5 * tau_s / record.dt_s) + 4, max(int(0.4 * room), 1))
    after = min(math.ceil(9.0 * tau_s / record.dt_s) + 3, max(int(room) - 2 - math.ceil(1.5 * tau_s / record.dt_s), 2))
    return windows(record, edges.rises, True, before, after), windows(record, edges.falls, False, before, after)


def careful(record: Waveform, edges: Edges, rough: tuple[float, float], threshold_v: float | None) -> Result | None:
    """Levels and timing of a record with these edges; None when fewer than three edges are whole."""
    tau_s = guess_tau(record, *rough)
    if record.dt_s > min(SPARSE * tau_s, SPARSE_S):
        return sparse(record, edges, threshold_v)
    resting = levels(record, edges, SKIP * tau_s, LEAD * tau_s)
    rises, falls = windows_of(record, edges, tau_s)
    counts = len(rises.start_s), len(falls.start_s)
    if min(counts) < 1 or sum(counts) < 3 or not resting.apart:
        return None
    lsb_v = step_v(record)
    noise_v = max(resting.noise_v, lsb_v / math.sqrt(12.0), 1e-5 * (rough[1] - rough[0]))
    base = Shape(resting.high.volts, resting.low.volts, tau_s, expected_ratio(resting.high.volts, resting.low.volts))
    found = _fitted((rises, falls), base, noise_v, record.dt_s)
    if float(np.diff(edges.at).min()) * record.dt_s < RESTED * tau_s:
        resting, found = _unrested(record, edges, tau_s, resting, found, (rises, falls), noise_v)
    steps_v = unresolved_v(lsb_v, resting.noise_v)
    noisy_v = noise_v * max(found.misfit, found.edge_misfit, 1.0)
    shape_v = combined(noisy_v, steps_v * math.sqrt(len(edges.at) / 2.0))  # steps are the same in every period
    edge_u = [_edge_u(side, noisy_v, record.dt_s) for side in (found.rise, found.fall)]
    trained = train(found.rise.crossing_s, found.fall.crossing_s, *edge_u)
    common_s = _common_u(found, resting, steps_v, record.dt_s)
    return resting, _timing(found, trained, shape_v, steps_v, common_s, threshold_v)


def _fitted(both: tuple[Windows, Windows], base: Shape, noise_v: float, dt_s: float) -> Fit:
    """The better of two fits: from a source that is quick, and where that leaves much over from one that is slow."""
    found = fit(*both, base, noise_v, dt_s)
    if found.misfit < STRANGE:
        return found
    ramp_s = RAMP_TAUS * base.tau_s
    slow = fit(*both, replace(base, tau_s=_GUESS_S, rise_ramp_s=ramp_s, fall_ramp_s=ramp_s), noise_v, dt_s)
    return min(found, slow, key=lambda one: one.misfit)


def _unrested(
    record: Waveform,
    edges: Edges,
    tau_s: float,
    resting: Levels,
    found: Fit,
    both: tuple[Windows, Windows],
    noise_v: float,
) -> tuple[Levels, Fit]:
    """Levels and fit once more, for plateaus too short to come to rest on."""
    lengths = np.diff(edges.at) * record.dt_s
    high_s, low_s = (float(np.median(lengths[k::2])) for k in ((0, 1) if edges.first_up else (1, 0)))
    high, low = resting.high, resting.low
    for _ in range(2):
        shape = replace(found.shape, high_s=high_s, low_s=low_s)
        high = _rested(resting.high, shape.rise, high_s, tau_s)
        low = _rested(resting.low, shape.fall, low_s, tau_s)
        base = replace(shape, high_v=high.volts, low_v=low.volts)
        found = fit(*both, base, noise_v, record.dt_s)
    return replace(resting, high=high, low=low), found


def _rested(level: Level, edge: Edge, length_s: float, tau_s: float) -> Level:
    """The level without what the samples behind it still lacked."""
    lead_s, skip_s = LEAD * tau_s, min(SKIP * tau_s, 0.6 * length_s)
    ages = edge.reaching((edge.start_v + edge.last_v) / 2.0) + np.linspace(skip_s, max(length_s - lead_s, skip_s), 50)
    lacking = float(np.mean(edge.value(ages))) - edge.last_v
    return replace(level, volts=level.volts - lacking, model_u_v=0.1 * abs(lacking))


def _timing(
    found: Fit, trained: Train, shape_v: float, steps_v: float, common_s: float, threshold_v: float | None
) -> Timing:
    level_v = found.shape.middle_v if threshold_v is None else threshold_v
    to_pct, swing_v = 100.0 / trained.period_s, found.shape.high_v - found.shape.low_v
    pull = found.fall.mean_pull - found.rise.mean_pull

    def duty(width: Sure) -> Sure:
        u = combined(trained.duty_u_pct, to_pct * width.u, to_pct * common_s)
        return Sure(trained.duty_pct + to_pct * width.value, u)

    def of_shape(function: Callable[[Shape], float]) -> Sure:
        figure = _figure(found, function, shape_v)
        return replace(figure, u=combined(figure.u, LEVEL_SHARE * steps_v / swing_v * figure.value))

    return Timing(
        threshold_v=level_v,
        begin_s=trained.begin_s,
        period_s=Sure(trained.period_s, root(float(trained.covariance[1, 1]))),
        duty_pct=duty(_figure(found, lambda s: widening(s, level_v) - widening(s, s.middle_v), shape_v, pull)),
        source_duty_pct=duty(_figure(found, lambda s: -widening(s, s.middle_v), shape_v, pull)),
        rise_s=of_shape(lambda s: ten_to_ninety(s, s.rise)),
        fall_s=of_shape(lambda s: ten_to_ninety(s, s.fall)),
        tau_s=of_shape(lambda s: s.tau_s),
        jitter_s=trained.jitter_s,
        cycles=trained.cycles,
        misfit=found.misfit,
        way="careful",
    )


def _edge_u(side: Side, noise_v: float, dt_s: float) -> Floats:
    """Standard uncertainty of single crossings; never worse than lying anywhere between two samples."""
    return np.asarray(1.0 / np.sqrt(side.information / noise_v**2 + 12.0 / dt_s**2))


def _common_u(found: Fit, resting: Levels, steps_v: float, dt_s: float) -> float:
    """Standard uncertainty [s] of the width that all edges share: converter steps, levels, blind samples."""
    sides = (found.rise, found.fall)
    per_side = [steps_v / math.sqrt(float(np.median(side.information)) + 1e-300) for side in sides]
    per_side = [min(one, dt_s / math.sqrt(12.0)) for one in per_side]
    blind = [float(np.median(side.bracket)) * dt_s / math.sqrt(12.0) for side in sides]
    middle_v = combined(resting.high.statistical_v, resting.low.statistical_v) / 2.0
    slower = sum(1.0 / edge.steepness(found.shape.middle_v) for edge in (found.shape.rise, found.shape.fall))
    return combined(*per_side, *blind, middle_v * slower)


def _figure(found: Fit, function: Callable[[Shape], float], noise_v: float, pull: Floats | None = None) -> Sure:
    """A figure of the shape; ``pull`` is what the width half way moves with the shape, against it."""
    theta = theta_of(found.shape)
    by = np.array([_partial(found.shape, theta, function, k) for k in range(UNKNOWNS)])
    by = by if pull is None else by - pull
    u = combined(noise_v * root(float(by @ found.covariance @ by)), float(by @ found.biased))
    return Sure(function(found.shape), u)


def _partial(shape: Shape, theta: Floats, function: Callable[[Shape], float], k: int) -> float:
    step = 1e-4 * np.eye(UNKNOWNS)[k]
    return (function(shape_of(shape, theta + step)) - function(shape_of(shape, theta - step))) / 2e-4
