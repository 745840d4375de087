"""Where the edges of a folded period may lie: a sample of all that its points and the priors allow.

Unknowns of a walker: time of rise and fall [s], log time constant, log ratio, knee [V], and what the levels are off
[V]. The sampler is the affine-invariant ensemble of Goodman and Weare (2010, stretch move, recalled); it draws from a
generator of its own with a fixed seed, so that the same record gives the same result.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hilbench.metrics.pilot_shape import KNEE_U_V, KNEE_V, Shape

Floats = NDArray[np.float64]
RISE, FALL, TAU, RATIO, KNEE, HIGH, LOW = range(7)
TAU_PRIOR = (math.log(1.5e-6), 1.0)
"""Mean and standard deviation of the log time constant before anything is seen (policy-default)."""
RATIO_U = 0.08
"""Standard deviation of the log ratio around what the levels let expect (policy-default)."""
WALKERS, SETTLING, KEPT, EVERY = 48, 200, 240, 12
_SPREAD = 2.0
_LOST = 18.0


@dataclass(frozen=True)
class Folded:
    """Samples around one edge of the mean period: time after the guessed crossing [s], volts, variance [V^2]."""

    at_s: Floats
    volts: Floats
    variance: Floats


@dataclass(frozen=True)
class Posterior:
    """What is known of a folded period: base shape, standard uncertainties of its levels [V], samples of both edges."""

    base: Shape
    high_u_v: float
    low_u_v: float
    rise: Folded
    fall: Folded

    def shape(self, walker: Floats) -> Shape:
        """The shape of one walker."""
        base = self.base
        ratio, tau = math.exp(walker[RATIO]), math.exp(walker[TAU])
        return Shape(
            base.high_v + float(walker[HIGH]), base.low_v + float(walker[LOW]), tau, ratio, float(walker[KNEE])
        )

    def left(self, walkers: Floats, rising: bool) -> Floats:
        """What is left over at each sample of one edge, in standard deviations; one row per walker."""
        folded = self.rise if rising else self.fall
        edge = _Edges(self.base, walkers, rising)
        x = folded.at_s - walkers[:, [RISE if rising else FALL]] + edge.reaching_middle
        return np.asarray((folded.volts - edge.value(x)) / np.sqrt(folded.variance))

    def log(self, walkers: Floats) -> Floats:
        """Log of the posterior of each walker, up to a constant."""
        squares = [np.sum(self.left(walkers, rising) ** 2, axis=1) for rising in (True, False)]
        priors = (
            (TAU, *TAU_PRIOR),
            (RATIO, math.log(self.base.ratio), RATIO_U),
            (KNEE, KNEE_V, KNEE_U_V),
            (HIGH, 0.0, self.high_u_v),
            (LOW, 0.0, self.low_u_v),
        )
        away = sum(((walkers[:, k] - mean) / spread) ** 2 for k, mean, spread in priors)
        return np.asarray(-(squares[0] + squares[1] + away) / 2.0)


class _Edges:
    """One edge for many walkers at once; the arrays have one row per walker and one column."""

    def __init__(self, base: Shape, walkers: Floats, rising: bool) -> None:
        high, low = base.high_v + walkers[:, [HIGH]], base.low_v + walkers[:, [LOW]]
        tau = np.exp(walkers[:, [TAU]])
        self.start, self.end = (low, high) if rising else (high, low)
        middle = (high + low) / 2.0
        if base.two_parts:
            upper = tau * np.exp(walkers[:, [RATIO]])
            self.knee = walkers[:, [KNEE]]
            self.first_s, self.last_s = (tau, upper) if rising else (upper, tau)
        else:
            self.knee, self.first_s, self.last_s = self.start, tau, tau
        self.target = self.knee + (self.end - self.knee) * self.first_s / self.last_s
        self.knee_s = self.first_s * _log((self.target - self.start) / (self.target - self.knee))
        early = self.first_s * _log((self.target - self.start) / (self.target - middle))
        late = self.knee_s + self.last_s * _log((self.end - self.knee) / (self.end - middle))
        self.reaching_middle = np.where((middle - self.start) * (middle - self.knee) < 0.0, early, late)

    def value(self, x: Floats) -> Floats:
        """Voltage at the times after the jump of the source."""
        first = self.target + (self.start - self.target) * np.exp(np.minimum(-x, 0.0) / self.first_s)
        last = self.end + (self.knee - self.end) * np.exp(np.minimum(self.knee_s - x, 0.0) / self.last_s)
        return np.asarray(np.where(x < self.knee_s, first, last), dtype=np.float64)


def _log(ratio: Floats) -> Floats:
    """Logarithm; the branch that does not apply may be asked for that of a negative ratio."""
    return np.asarray(np.log(np.maximum(ratio, 1e-9)))


def sample(posterior: Posterior, starts: Floats, seed: int = 1) -> Floats:
    """Walkers from the posterior, one row each; ``starts`` are places to start from."""
    rng = np.random.default_rng(seed)
    walkers = starts[rng.integers(len(starts), size=WALKERS)] + rng.standard_normal((WALKERS, 7)) * _jitter(posterior)
    logs = posterior.log(walkers)
    kept = []
    for step in range(SETTLING + KEPT):
        for half in (slice(None, WALKERS // 2), slice(WALKERS // 2, None)):
            _stretch(posterior, walkers, logs, half, rng)
        if step in (SETTLING // 3, 2 * SETTLING // 3):
            _gather(walkers, logs, rng)
        if step >= SETTLING and step % EVERY == 0:
            kept.append(walkers.copy())
    return np.concatenate(kept)


def _jitter(posterior: Posterior) -> Floats:
    """How far walkers start from each other."""
    small_s = 0.02 * posterior.base.tau_s
    return np.array([small_s, small_s, 0.05, 0.02, 0.03, posterior.high_u_v, posterior.low_u_v])


def _stretch(posterior: Posterior, walkers: Floats, logs: Floats, half: slice, rng: np.random.Generator) -> None:
    """Move one half of the walkers along the lines to walkers of the other half."""
    moving = walkers[half]
    others = np.concatenate((walkers[: half.start or 0], walkers[half.stop or len(walkers) :]))
    count = len(moving)
    z = ((_SPREAD - 1.0) * rng.random(count) + 1.0) ** 2 / _SPREAD
    other = others[rng.integers(len(others), size=count)]
    tried = other + z[:, None] * (moving - other)
    new = posterior.log(tried)
    taken = np.log(rng.random(count)) < 6.0 * np.log(z) + new - logs[half]
    moving[taken] = tried[taken]
    logs[half][taken] = new[taken]


def _gather(walkers: Floats, logs: Floats, rng: np.random.Generator) -> None:
    """Walkers lost in places that hardly count go to where others are."""
    lost = logs < logs.max() - _LOST
    good = np.flatnonzero(~lost)
    source = good[rng.integers(len(good), size=int(lost.sum()))]
    walkers[lost], logs[lost] = walkers[source], logs[source]
