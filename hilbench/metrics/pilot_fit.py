"""Times of the edges of a pilot to a small part of a sample: the shape of the edges is fitted to all of them at once.

Gauss-Newton with one unknown time per edge and five unknowns of the shape that all edges share (time constant, ratio,
knee, and how long the source takes to rise and to fall), each with a wide prior that only matters where the samples say
little. The time of an edge is that of its crossing of the level half way, which the shape moves least.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hilbench.metrics.pilot_shape import KNEE_U_V, KNEE_V, RAMP_S, RAMP_U, Edge, Shape, expected_ratio

Floats = NDArray[np.float64]
Theta = NDArray[np.float64]

PRIOR_U = np.array([1.0, 0.1, KNEE_U_V, RAMP_U, RAMP_U])
"""Standard deviations of log time constant, log ratio, knee [V] and log ramps before anything is seen
(policy-default)."""
UNKNOWNS = len(PRIOR_U)
RISE_RAMP, FALL_RAMP = 3, 4
_LEAST = np.array([math.log(2e-8), math.log(0.02), 0.2, math.log(1e-8), math.log(1e-8)])
_MOST = np.array([math.log(2e-5), math.log(1.2), 1.2, math.log(4e-5), math.log(4e-5)])
_STEPS, _SMALL = 15, 1e-4
"""Most steps, and the change [standard deviations of what is asked] at which they end."""


@dataclass(frozen=True)
class Windows:
    """Samples around the edges of one direction: ``volts`` and ``times_s``, one row per edge; ``used`` masks them."""

    rising: bool
    times_s: Floats
    volts: Floats
    used: Floats
    start_s: Floats

    def edge(self, shape: Shape) -> Edge:
        """The edge of this direction."""
        return shape.rise if self.rising else shape.fall

    def model(self, shape: Shape, crossing_s: Floats) -> Floats:
        """What the shape says at the samples for edges that cross half way at ``crossing_s``."""
        edge = self.edge(shape)
        return edge.value(self.times_s - crossing_s[:, None] + edge.reaching(shape.middle_v))


@dataclass(frozen=True)
class Side:
    """Fitted crossings of one direction [s] with what is needed to say how sure they are.

    ``information`` is the sum of squared slopes [V^2/s^2] per edge, ``pull`` how far the crossing moves with each
    unknown of the shape, ``bracket`` the part of each crossing that only its two samples tell.
    """

    crossing_s: Floats
    information: Floats
    pull: Floats
    bracket: Floats

    @property
    def mean_pull(self) -> Floats:
        """``pull`` of the weighted mean of the crossings."""
        weights = self.information / self.information.sum()
        return np.asarray(weights @ self.pull)


@dataclass(frozen=True)
class Fit:
    """Shape and crossings; ``covariance`` is that of the shape's unknowns for a noise of 1 V, ``misfit`` the ratio of
    what is left over to the noise, ``edge_misfit`` the same where the edges are steep, ``biased`` how far the priors
    pull the unknowns."""

    shape: Shape
    rise: Side
    fall: Side
    covariance: Floats
    misfit: float
    edge_misfit: float
    biased: Floats


@dataclass(frozen=True)
class _Linear:
    """One linearisation: squared residuals, also weighed by steepness, and the normal equations of one direction."""

    cost: float
    samples: float
    steep_cost: float
    steep_freedom: float
    information: Floats
    mixed: Floats
    gradient_t: Floats
    shape: Floats
    gradient_shape: Floats


def shape_of(base: Shape, theta: Theta) -> Shape:
    """``base`` with the unknowns log time constant, log ratio, knee and log ramps."""
    return replace(
        base,
        tau_s=math.exp(theta[0]),
        ratio=math.exp(theta[1]),
        knee_v=float(theta[2]),
        rise_ramp_s=math.exp(theta[RISE_RAMP]),
        fall_ramp_s=math.exp(theta[FALL_RAMP]),
    )


def theta_of(shape: Shape) -> Theta:
    """The unknowns of a shape with ramps."""
    ramps = (math.log(shape.rise_ramp_s), math.log(shape.fall_ramp_s))
    return np.array([math.log(shape.tau_s), math.log(shape.ratio), shape.knee_v, *ramps])


def _derivative(function: Callable[[float], Floats], step: float) -> Floats:
    return np.asarray((function(step) - function(-step)) / (2.0 * step))


def _linear(windows: Windows, base: Shape, theta: Theta, crossing_s: Floats, dt_s: float) -> _Linear:
    shape = shape_of(base, theta)
    left = (windows.volts - windows.model(shape, crossing_s)) * windows.used
    step = min(shape.tau_s, dt_s) * 1e-3
    slope = _derivative(lambda d: windows.model(shape, crossing_s + d), step) * windows.used
    idle = FALL_RAMP if windows.rising else RISE_RAMP
    columns = [
        _derivative(lambda d, k=k: windows.model(shape_of(base, theta + d * np.eye(UNKNOWNS)[k]), crossing_s), 1e-4)  # type: ignore[misc]  # k is bound early
        * windows.used
        if k != idle
        else np.zeros_like(left)
        for k in range(UNKNOWNS)
    ]
    flat = np.stack([column.ravel() for column in columns])
    steep = slope**2
    information = np.sum(steep, axis=1)
    return _Linear(
        cost=float(np.sum(left**2)),
        samples=float(windows.used.sum()),
        steep_cost=float(np.sum(steep * left**2)),
        steep_freedom=float(np.sum(steep * (1.0 - steep / np.maximum(information, 1.0)[:, None]))),
        information=information,
        mixed=np.stack([np.sum(slope * column, axis=1) for column in columns], axis=1),
        gradient_t=np.sum(slope * left, axis=1),
        shape=flat @ flat.T,
        gradient_shape=flat @ left.ravel(),
    )


class _Search:
    """The steps of the fit; ``noise_v`` weighs the samples against the priors."""

    def __init__(self, sides: tuple[Windows, Windows], base: Shape, noise_v: float, dt_s: float) -> None:
        self.sides, self.base, self.dt_s = sides, base, dt_s
        self.prior = noise_v**2 / PRIOR_U**2
        self.per_edge = noise_v**2 * 12.0 / dt_s**2
        expected = expected_ratio(base.high_v, base.low_v)
        self.centre = np.array([math.log(base.tau_s), math.log(expected), KNEE_V, *[math.log(RAMP_S)] * 2])
        self.theta = theta_of(base) if base.rise_ramp_s else self.centre.copy()
        self.crossings = [side.start_s.copy() for side in sides]

    def linear(self, theta: Theta, crossings: list[Floats]) -> list[_Linear]:
        """Both directions at this point."""
        both = zip(self.sides, crossings, strict=True)
        return [_linear(side, self.base, theta, at, self.dt_s) for side, at in both]

    def cost(self, parts: list[_Linear], theta: Theta) -> float:
        """Sum of squares with that of the priors, in V^2."""
        return sum(part.cost for part in parts) + float(np.sum(self.prior * (theta - self.centre) ** 2))

    def normal(self, parts: list[_Linear], damping: float) -> tuple[Floats, Floats]:
        """Normal equations of the shape after the times are taken out."""
        matrix, right = np.diag(self.prior), self.prior * (self.centre - self.theta)
        for part in parts:
            held = part.information * (1.0 + damping) + self.per_edge
            matrix = matrix + part.shape - (part.mixed / held[:, None]).T @ part.mixed
            right = right + part.gradient_shape - (part.mixed / held[:, None]).T @ part.gradient_t
        return matrix + damping * np.diag(np.diag(matrix)), right

    def moved(self, parts: list[_Linear], damping: float) -> tuple[Theta, list[Floats]]:
        """Where one step leads; no crossing moves by more than a sample at once."""
        matrix, right = self.normal(parts, damping)
        change = np.clip(np.linalg.solve(matrix, right), -0.7, 0.7)
        crossings = []
        for part, at in zip(parts, self.crossings, strict=True):
            held = part.information * (1.0 + damping) + self.per_edge
            crossings.append(at + np.clip((part.gradient_t - part.mixed @ change) / held, -self.dt_s, self.dt_s))
        return np.asarray(np.clip(self.theta + change, _LEAST, _MOST), dtype=np.float64), crossings

    def run(self) -> list[_Linear]:
        """Step until nothing moves any more; returns the linearisation there."""
        parts, damping = self.linear(self.theta, self.crossings), 0.0
        cost = self.cost(parts, self.theta)
        for _ in range(_STEPS):
            theta, crossings = self.moved(parts, damping)
            tried = self.linear(theta, crossings)
            new = self.cost(tried, theta)
            gain = cost - new
            if gain < 0.0:
                damping = max(damping * 8.0, 0.02)
                continue
            self.theta, self.crossings, parts, cost, damping = theta, crossings, tried, new, damping / 8.0
            if gain < _SMALL * cost / sum(part.samples for part in parts):
                break
        return parts

    def side(self, part: _Linear, crossing_s: Floats) -> Side:
        """Crossings with their pull; where the samples tell nothing, the bracket stays."""
        held = part.information + self.per_edge
        return Side(crossing_s, part.information, part.mixed / held[:, None], self.per_edge / held)


def fit(rises: Windows, falls: Windows, base: Shape, noise_v: float, dt_s: float) -> Fit:
    """Fit edges between the levels of ``base``, from its unknowns on; ``noise_v`` is that of a sample."""
    search = _Search((rises, falls), base, max(noise_v, 1e-6), dt_s)
    parts = search.run()
    unknowns = len(rises.start_s) + len(falls.start_s) + UNKNOWNS
    freedom = max(sum(part.samples for part in parts) - unknowns, 1.0)
    left_v = math.sqrt(sum(part.cost for part in parts) / freedom)
    rise, fall = (search.side(part, at) for part, at in zip(parts, search.crossings, strict=True))
    covariance = np.asarray(np.linalg.inv(search.normal(parts, 0.0)[0]), dtype=np.float64)
    steep_v = math.sqrt(sum(part.steep_cost for part in parts) / max(sum(part.steep_freedom for part in parts), 1e-9))
    return Fit(
        shape_of(base, search.theta),
        rise,
        fall,
        covariance,
        left_v / max(noise_v, 1e-6),
        steep_v / max(noise_v, 1e-6),
        np.asarray(covariance @ (search.prior * (search.centre - search.theta))),
    )
