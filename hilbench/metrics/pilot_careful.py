"""Careful mode: the edges of a record fitted with their shape, close to the bound of what noise allows."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hilbench.metrics.pilot_edges import Edges, find
from hilbench.metrics.pilot_fit import Fit, Side, Windows, fit, shape_of
from hilbench.metrics.pilot_levels import Levels, levels, step_v, unresolved_v
from hilbench.metrics.pilot_shape import Edge, Shape, expected_ratio
from hilbench.metrics.pilot_train import Train, train
from hilbench.metrics.uncertainty import combined
from hilbench.waveform import Waveform

Floats = NDArray[np.float64]
HYSTERESIS_SHARE = 0.2
"""Hysteresis of the search as a share of the swing (policy-default)."""
_GUESS_S = 1.5e-6
_LONGEST_TAU_S = 8e-6


@dataclass(frozen=True)
class Timing:
    """What the edges of a record say; ``u`` are standard uncertainties, clock of the instrument not included.

    ``shift_s`` is what the width at half way exceeds that of the source by; its uncertainty is in ``source_duty_u``.
    """

    train: Train
    duty_u_pct: float
    shift_s: float
    source_duty_u_pct: float
    rise_s: float
    rise_u_s: float
    fall_s: float
    fall_u_s: float
    tau_s: float
    tau_u_s: float
    misfit: float

    @property
    def source_duty_pct(self) -> float:
        """Duty of the source: what the capacitance did is taken away."""
        return self.train.duty_pct - 100.0 * self.shift_s / self.train.period_s


def guess_tau(record: Waveform, low_v: float, high_v: float) -> float:
    """Time constant [s] from the mean time between 20 and 80 % of the swing; a middling one where that is not seen."""
    swing = high_v - low_v
    lower, upper = (find(record, low_v + share * swing, 0.1 * swing).at for share in (0.2, 0.8))
    if len(lower) != len(upper) or not len(lower):
        return _GUESS_S
    unit = Shape(high_v, low_v, 1.0, expected_ratio(high_v, low_v))
    per_tau = sum(abs(edge.reaching(low_v + 0.8 * swing) - edge.reaching(low_v + 0.2 * swing)) for edge in _edges(unit))
    mean_s = float(np.mean(np.abs(upper - lower))) * record.dt_s
    return min(max(2.0 * mean_s / per_tau, 5e-8), _LONGEST_TAU_S)


def _edges(shape: Shape) -> tuple[Edge, Edge]:
    return shape.rise, shape.fall


def windows(record: Waveform, at: Floats, rising: bool, before: int, after: int) -> Windows:
    """Samples around the crossings; what lies beyond the record is masked, edges cut near their middle are dropped."""
    count = len(record.values)
    middle = np.floor(at).astype(np.intp)
    whole = (middle >= before // 2 + 1) & (middle + after // 2 + 1 < count)
    index = middle[whole][:, None] + np.arange(-before, after + 1)
    inside = (index >= 0) & (index < count)
    volts = record.values[np.clip(index, 0, count - 1)].astype(np.float64)
    return Windows(rising, index * record.dt_s, volts, inside.astype(np.float64), at[whole] * record.dt_s)


def windows_of(record: Waveform, edges: Edges, tau_s: float) -> tuple[Windows, Windows]:
    """Windows of all rises and all falls, from before the source jumps until the edge is over or the next one begins."""
    room = float(np.diff(edges.at).min()) if len(edges.at) > 1 else float(len(record.values))
    before = min(math.ceil(1.5 * tau_s / record.dt_s) + 4, max(int(0.4 * room), 1))
    after = min(math.ceil(9.0 * tau_s / record.dt_s) + 3, max(int(room) - 2 - math.ceil(1.5 * tau_s / record.dt_s), 2))
    return windows(record, edges.rises, True, before, after), windows(record, edges.falls, False, before, after)


def careful(record: Waveform, edges: Edges, rough: tuple[float, float]) -> tuple[Levels, Timing] | None:
    """Levels and timing of a record with these edges; None when fewer than two periods' edges are whole."""
    tau_s = guess_tau(record, *rough)
    resting = levels(record, edges, 8.0 * tau_s, 1.5 * tau_s)
    rises, falls = windows_of(record, edges, tau_s)
    if min(len(rises.start_s), len(falls.start_s)) < 1 or len(rises.start_s) + len(falls.start_s) < 3:
        return None
    lsb_v = step_v(record)
    noise_v = max(resting.noise_v, lsb_v / math.sqrt(12.0), 1e-5 * (rough[1] - rough[0]))
    found = fit(rises, falls, resting.high.volts, resting.low.volts, tau_s, noise_v, record.dt_s)
    return resting, _timing(found, resting, noise_v, lsb_v, record.dt_s)


def _timing(found: Fit, resting: Levels, noise_v: float, lsb_v: float, dt_s: float) -> Timing:
    noisy_v = noise_v * max(found.misfit, 1.0)
    trained = train(
        found.rise.crossing_s, found.fall.crossing_s, _edge_u(found.rise, noisy_v, dt_s), _edge_u(found.fall, noisy_v, dt_s)
    )
    pull = found.fall.mean_pull - found.rise.mean_pull
    common_s = _common_u(found, resting, lsb_v, dt_s)
    to_pct = 100.0 / trained.period_s
    shape_s = noisy_v * _spread(found, pull)
    shift_s, shift_u_s = _functional(found, _shift, noisy_v, pull)
    rise_s, rise_u_s = _functional(found, lambda shape: _ten_to_ninety(shape, shape.rise), noisy_v)
    fall_s, fall_u_s = _functional(found, lambda shape: _ten_to_ninety(shape, shape.fall), noisy_v)
    tau_s, tau_u_s = _functional(found, lambda shape: shape.tau_s, noisy_v)
    return Timing(
        train=trained,
        duty_u_pct=combined(trained.duty_u_pct, to_pct * shape_s, to_pct * common_s),
        shift_s=shift_s,
        source_duty_u_pct=combined(trained.duty_u_pct, to_pct * shift_u_s, to_pct * common_s),
        rise_s=rise_s,
        rise_u_s=rise_u_s,
        fall_s=fall_s,
        fall_u_s=fall_u_s,
        tau_s=tau_s,
        tau_u_s=tau_u_s,
        misfit=found.misfit,
    )


def _edge_u(side: Side, noise_v: float, dt_s: float) -> Floats:
    """Standard uncertainty of single crossings; never worse than lying anywhere between two samples."""
    return np.asarray(1.0 / np.sqrt(side.information / noise_v**2 + 12.0 / dt_s**2))


def _common_u(found: Fit, resting: Levels, lsb_v: float, dt_s: float) -> float:
    """Standard uncertainty [s] of the width that all edges share: converter steps, levels, samples that tell nothing."""
    steps_v = unresolved_v(lsb_v, resting.noise_v)
    per_side = [steps_v / math.sqrt(float(np.median(side.information)) + 1e-300) for side in (found.rise, found.fall)]
    per_side = [min(one, dt_s / math.sqrt(12.0)) for one in per_side]
    blind = [float(np.median(side.bracket)) * dt_s / math.sqrt(12.0) for side in (found.rise, found.fall)]
    middle_v = combined(resting.high.statistical_v, resting.low.statistical_v, math.sqrt(2.0) * steps_v) / 2.0
    slower = sum(1.0 / _slope(edge, found.shape.middle_v) for edge in _edges(found.shape))
    return combined(*per_side, *blind, middle_v * slower)


def _slope(edge: Edge, level_v: float) -> float:
    """Steepness [V/s] where the edge passes the level."""
    target, tau = (edge.last_v, edge.last_s)
    if edge.knee_s > 0.0 and (level_v - edge.start_v) * (level_v - edge.knee_v) <= 0.0:
        target, tau = edge.first_v, edge.first_s
    return max(abs(target - level_v) / tau, 1.0)


def _spread(found: Fit, by: Floats) -> float:
    return math.sqrt(max(float(by @ found.covariance @ by), 0.0))


def _functional(
    found: Fit, function: Callable[[Shape], float], noise_v: float, pull: Floats | None = None
) -> tuple[float, float]:
    """A figure of the shape and its standard uncertainty; ``pull`` adds what moves with the shape beside it."""
    theta = np.array([math.log(found.shape.tau_s), math.log(found.shape.ratio), found.shape.knee_v])
    by = np.array([_partial(found.shape, theta, function, k) for k in range(3)])
    return function(found.shape), noise_v * _spread(found, by if pull is None else by + pull)


def _partial(shape: Shape, theta: Floats, function: Callable[[Shape], float], k: int) -> float:
    step = 1e-4 * np.eye(3)[k]
    return (function(shape_of(shape, theta + step)) - function(shape_of(shape, theta - step))) / 2e-4


def _shift(shape: Shape) -> float:
    return shape.fall.reaching(shape.middle_v) - shape.rise.reaching(shape.middle_v)


def _ten_to_ninety(shape: Shape, edge: Edge) -> float:
    tenth = 0.1 * (shape.high_v - shape.low_v)
    return abs(edge.reaching(shape.high_v - tenth) - edge.reaching(shape.low_v + tenth))
