"""From the times of single edges to period, width and jitter of a train of pulses, with their covariance."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hilbench.metrics.pilot_edges import median

Floats = NDArray[np.float64]
JITTER_S, JITTER_U = 60e-9, 1.3
"""Standard deviation of the times of edges and of samples, and that of its logarithm, before anything is seen: from
that of a crystal to that of a slow timer (policy-default)."""
ENOUGH = 30
"""Edges beyond the three unknowns that tell their jitter well enough by themselves: twice its standard deviation is
then 2.04 times it (Student's t)."""
_GRID = np.geomspace(1e-10, 1e-5, 100)


@dataclass(frozen=True)
class Train:
    """A train of equal pulses: first rise, period and width [s], covariance of the three [s^2], and jitter [s].

    ``jitter_s`` is the standard deviation of an edge beyond what its own uncertainty explains.
    """

    begin_s: float
    period_s: float
    width_s: float
    covariance: Floats
    jitter_s: float
    cycles: int

    @property
    def duty_pct(self) -> float:
        """High part of the period."""
        return 100.0 * self.width_s / self.period_s

    @property
    def duty_u_pct(self) -> float:
        """Standard uncertainty of the duty from the scatter of the edges."""
        by = np.array([0.0, -self.width_s / self.period_s, 1.0]) * 100.0 / self.period_s
        return math.sqrt(max(float(by @ self.covariance @ by), 0.0))


def train(rises_s: Floats, falls_s: Floats, rise_u_s: Floats, fall_u_s: Floats) -> Train:
    """Fit a train to the edges, each with its standard uncertainty; needs two edges of one direction, one of the other.

    Lost edges are no matter: each is counted by its time.
    """
    period, first = _rough_period(rises_s, falls_s), rises_s[0]
    width = median(np.mod(falls_s - first, period))
    numbers = np.concatenate((np.round((rises_s - first) / period), np.round((falls_s - first - width) / period)))
    is_fall = np.repeat([0.0, 1.0], [len(rises_s), len(falls_s)])
    matrix = np.stack([np.ones_like(numbers), numbers, is_fall])
    times, own = np.concatenate((rises_s, falls_s)) - first, np.concatenate((rise_u_s, fall_u_s)) ** 2
    found, covariance, jitter2 = _solved(matrix, times, own, 0.0)
    if len(times) <= ENOUGH + 3:
        covariance = _solved(matrix, times, own, _likely(matrix, times, own))[1]
    if jitter2 > 0.0:
        found, seen, jitter2 = _solved(matrix, times, own, jitter2)
        covariance = covariance if len(times) <= ENOUGH + 3 else seen
    cycles = round(float((times.max() - times.min()) / found[1]))
    return Train(float(first + found[0]), float(found[1]), float(found[2]), covariance, math.sqrt(jitter2), cycles)


def _solved(matrix: Floats, times: Floats, own: Floats, jitter2: float) -> tuple[Floats, Floats, float]:
    """Weighted least squares with a row of ``matrix`` per unknown; the third result is the jitter's variance.

    It is that of which the residuals show.
    """
    weight = 1.0 / (own + jitter2)
    weighed = matrix * weight
    covariance = np.asarray(np.linalg.inv(weighed @ matrix.T), dtype=np.float64)
    found = covariance @ (weighed @ times)
    left = times - found @ matrix
    freedom = len(times) - 3
    if freedom < 1:
        return found, covariance, jitter2
    hat = np.einsum("ij,ij->j", covariance @ matrix, weighed)
    even = 1.0 / own if jitter2 == 0.0 else weight
    free = even * (1.0 - hat)
    return found, covariance, max(float(even @ left**2 - free @ own) / float(free.sum()), 0.0)


def _likely(matrix: Floats, times: Floats, own: Floats) -> float:
    """Mean of the jitter's variance over all that few residuals allow, for they may be small by chance [s^2]."""
    even = np.linalg.pinv(matrix)
    left, free = times - times @ even @ matrix, 1.0 - np.einsum("ij,ji->j", matrix, even)
    variance = own + _GRID[:, None] ** 2
    log = -(np.log(variance) @ free + (1.0 / variance) @ left**2) / 2.0
    log -= (np.log(_GRID / JITTER_S) / JITTER_U) ** 2 / 2.0
    share = np.exp(log - log.max())
    return float(share @ _GRID**2 / share.sum())


def _rough_period(rises_s: Floats, falls_s: Floats) -> float:
    """Median distance, then the whole span over the number of periods in it."""
    longer = rises_s if len(rises_s) >= len(falls_s) else falls_s
    typical = median(np.diff(longer))
    span = float(longer[-1] - longer[0])
    return span / max(round(span / typical), 1)
