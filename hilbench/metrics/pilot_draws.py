"""Draws from all that a folded pilot record allows, where one best fit would say nothing of how wrong it may be.

The places where the posterior is highest are found by Gauss-Newton; what is drawn around them (Student's t) is weighed
by the posterior; an ensemble that is drawn from these by softened weight (affine-invariant, Goodman and Weare 2010,
stretch move, recalled) takes the rest of the way. All is drawn from a generator of its own with a fixed seed, so that
the same record gives the same result.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hilbench.metrics.pilot_ensemble import UNITS, UNKNOWNS, Posterior

Floats = NDArray[np.float64]
DRAWN, ROUNDS, FREEDOM = 320, 2, 5.0
WALKERS, SETTLING, KEPT, EVERY = 64, 72, 60, 12
_STEPS, _SMALL, _STRETCH, _WIDER = 25, 1e-3, 2.0, 1.2
_MOST = np.array([2e-6, 2e-6, 2e-7, 0.7, 0.3, 0.2, 0.2, 0.2, 1.0, 1.0, 1.0])
"""By how much one step of the search may change each unknown."""


@dataclass(frozen=True)
class Mode:
    """A place where the posterior is highest, its log there, and the covariance around it."""

    walker: Floats
    log: float
    covariance: Floats

    @property
    def evidence(self) -> float:
        """Log of the share of the posterior around it, up to a constant."""
        return self.log + float(np.linalg.slogdet(self.covariance / np.outer(UNITS, UNITS))[1]) / 2.0


def _jacobian(posterior: Posterior, walker: Floats) -> tuple[Floats, Floats]:
    """What is left over there, and how it changes with each unknown in its unit."""
    step = 1e-3
    tried = walker + np.concatenate((np.zeros((1, UNKNOWNS)), step * np.diag(UNITS), -step * np.diag(UNITS)))
    left = posterior.residuals(tried)
    return left[0], (left[1 : UNKNOWNS + 1] - left[UNKNOWNS + 1 :]).T / (2.0 * step)


def mode(posterior: Posterior, start: Floats) -> Mode:
    """Climb from a start to the highest place nearby."""
    walker, damping = start, 1e-3
    left, slope = _jacobian(posterior, walker)
    cost = float(left @ left)
    for _ in range(_STEPS):
        matrix = slope.T @ slope
        damped = matrix + damping * np.diag(np.diag(matrix))
        change = np.clip(-np.linalg.solve(damped, slope.T @ left) * UNITS, -_MOST, _MOST)
        new_left, new_slope = _jacobian(posterior, walker + change)
        gain = cost - float(new_left @ new_left)
        if not gain > 0.0:
            damping = max(8.0 * damping, 1e-2)
            if damping > 1e6:
                break
            continue
        walker, left, slope, cost, damping = walker + change, new_left, new_slope, cost - gain, damping / 8.0
        if gain < _SMALL:
            break
    covariance = np.linalg.inv(slope.T @ slope) * np.outer(UNITS, UNITS)
    return Mode(walker, -cost / 2.0, np.asarray(covariance, dtype=np.float64))


@dataclass(frozen=True)
class _Cloud:
    """A multivariate t around a place."""

    centre: Floats
    axes: Floats
    widths: Floats

    @classmethod
    def of(cls, centre: Floats, covariance: Floats) -> _Cloud:
        """A little wider than the covariance says."""
        squares, axes = np.linalg.eigh(covariance / np.outer(UNITS, UNITS) * _WIDER)
        return cls(centre, axes, np.sqrt(np.maximum(squares, 1e-12)))

    def draw(self, count: int, rng: np.random.Generator) -> Floats:
        """As many walkers."""
        longer = np.sqrt(FREEDOM / rng.chisquare(FREEDOM, count))
        steps = (rng.standard_normal((count, UNKNOWNS)) * self.widths) @ self.axes.T
        return np.asarray(self.centre + steps * longer[:, None] * UNITS)

    def log(self, walkers: Floats) -> Floats:
        """Log of the density, up to the same constant for all clouds."""
        square = np.sum(((walkers - self.centre) / UNITS @ self.axes / self.widths) ** 2, axis=1)
        return np.asarray(-(FREEDOM + UNKNOWNS) / 2.0 * np.log1p(square / FREEDOM) - float(np.sum(np.log(self.widths))))


def _mixed(clouds: list[_Cloud], shares: Floats, walkers: Floats) -> Floats:
    """Log of the density of a mixture."""
    logs = np.stack([cloud.log(walkers) + math.log(share) for cloud, share in zip(clouds, shares, strict=True)])
    most = logs.max(axis=0)
    return np.asarray(most + np.log(np.sum(np.exp(logs - most), axis=0)))


def sample(posterior: Posterior, modes: list[Mode], seed: int = 1) -> Floats:
    """Walkers from the posterior, one row each."""
    rng = np.random.default_rng(seed)
    evidence = np.array([one.evidence for one in modes])
    shares = np.maximum(np.exp(evidence - evidence.max()), 0.02)
    clouds = [_Cloud.of(one.walker, one.covariance) for one in modes]
    walkers, logs, weights = np.empty((0, UNKNOWNS)), np.empty(0), np.empty(0)
    for _ in range(ROUNDS):
        shares = shares / shares.sum()
        drawn = np.concatenate([c.draw(max(round(DRAWN * s), 8), rng) for c, s in zip(clouds, shares, strict=True)])
        log = posterior.log(drawn)
        walkers = np.concatenate((walkers, drawn))
        logs = np.concatenate((logs, log))
        weights = np.concatenate((weights, log - _mixed(clouds, shares, drawn)))
        clouds, shares = [*clouds, _refitted(walkers, weights)], np.append(shares, 1.0)
    chosen = rng.choice(len(walkers), WALKERS, replace=False, p=_softened(weights))
    return _ensemble(posterior, walkers[chosen], logs[chosen], rng)


def _softened(weights: Floats) -> Floats:
    """Shares from log weights, flattened until enough walkers count."""
    share = np.full(len(weights), 1.0 / len(weights))
    for flat in (1.0, 0.7, 0.5, 0.35, 0.25, 0.18, 0.12, 0.08):
        share = np.exp(flat * (weights - weights.max())) + 1e-9
        share /= share.sum()
        if 1.0 / float(share @ share) > 2.0 * WALKERS:
            break
    return share


def _refitted(walkers: Floats, weights: Floats) -> _Cloud:
    """The cloud that the weighed walkers make; no weight counts more than a tenth of all."""
    share = np.exp(weights - weights.max())
    share = np.minimum(share / share.sum(), 0.1)
    share /= share.sum()
    centre = share @ walkers
    away = walkers - centre
    covariance = (share[:, None] * away).T @ away
    return _Cloud.of(centre, covariance + np.diag((0.03 * UNITS) ** 2) * 1e-4)


def _ensemble(posterior: Posterior, walkers: Floats, logs: Floats, rng: np.random.Generator) -> Floats:
    """Let the walkers go on for a while, and keep some of where they were."""
    kept = []
    for step in range(1, SETTLING + KEPT + 1):
        for half in (slice(None, WALKERS // 2), slice(WALKERS // 2, None)):
            _stretch(posterior, walkers, logs, half, rng)
        if step > SETTLING and step % EVERY == 0:
            kept.append(walkers.copy())
    return np.concatenate(kept)


def _stretch(posterior: Posterior, walkers: Floats, logs: Floats, half: slice, rng: np.random.Generator) -> None:
    """Move one half of the walkers along the lines to walkers of the other half."""
    moving = walkers[half]
    others = np.concatenate((walkers[: half.start or 0], walkers[half.stop or len(walkers) :]))
    count = len(moving)
    z = ((_STRETCH - 1.0) * rng.random(count) + 1.0) ** 2 / _STRETCH
    other = others[rng.integers(len(others), size=count)]
    tried = other + z[:, None] * (moving - other)
    new = posterior.log(tried)
    taken = np.log(rng.random(count)) < (UNKNOWNS - 1.0) * np.log(z) + new - logs[half]
    moving[taken] = tried[taken]
    logs[half][taken] = new[taken]
