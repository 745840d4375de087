"""How many runs a claim needs, and what many runs say: order statistics, percentiles, bootstrap."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from hilbench.signals import Array


def runs_without_failure(share: float = 0.95, confidence: float = 0.95) -> int:
    """Runs that must all pass to claim, with ``confidence``, that at least ``share`` of all runs pass (59 for 95/95).

    Raises ``ValueError`` unless both are inside (0, 1).
    """
    _proportion(share, confidence)
    return math.ceil(math.log(1.0 - confidence) / math.log(share))


def upper_bound_rank(n: int, share: float = 0.95, confidence: float = 0.95) -> int | None:
    """Rank (1 = smallest) of the sample that bounds the ``share`` quantile from above with ``confidence``.

    Distribution-free: rank k does when P(Binomial(n, share) < k) >= confidence. None when ``n`` is too small.
    """
    _proportion(share, confidence)
    below = 0.0
    for rank in range(1, n + 1):
        below += _binomial(n, rank - 1, share)
        if below >= confidence:
            return rank
    return None


def _proportion(*values: float) -> None:
    if not all(0.0 < value < 1.0 for value in values):
        raise ValueError("share and confidence must lie inside (0, 1)")


def _binomial(n: int, k: int, p: float) -> float:
    log_choose = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    return math.exp(log_choose + k * math.log(p) + (n - k) * math.log1p(-p))


@dataclass(frozen=True)
class Summary:
    """A metric over many runs. ``p95_bound`` is its one-sided 95 % upper bound, ``nan`` for fewer than 59 runs.

    ``indicative`` is True below 59 runs: such a figure is an impression, not a claim.
    """

    n: int
    minimum: float
    median: float
    p95: float
    p99: float
    maximum: float
    p95_bound: float
    indicative: bool


def summarise(values: Sequence[float]) -> Summary:
    """Order statistics of ``values``; a run without a result (``nan``) is an error, never left out.

    Raises ``ValueError`` when there are no values or one is ``nan``; ``inf`` (never happened) sorts last.
    """
    x = np.sort(np.asarray(values, dtype=np.float64))
    if not len(x) or np.isnan(x).any():
        raise ValueError("a summary needs at least one value and no NaN")
    rank = upper_bound_rank(len(x))
    bound = math.nan if rank is None else float(x[rank - 1])
    return Summary(
        n=len(x),
        minimum=float(x[0]),
        median=percentile(x, 50.0),
        p95=percentile(x, 95.0),
        p99=percentile(x, 99.0),
        maximum=float(x[-1]),
        p95_bound=bound,
        indicative=rank is None,
    )


def percentile(values: Sequence[float] | Array, percent: float) -> float:
    """The smallest sample with at least ``percent`` % of all at or below it (nearest rank: an observed value)."""
    x = np.sort(np.asarray(values, dtype=np.float64))
    return float(x[max(math.ceil(round(percent / 100.0 * len(x), 9)), 1) - 1])


def bootstrap_interval(
    values: Sequence[float],
    statistic: Callable[[Array], float],
    rng: np.random.Generator,
    confidence: float = 0.95,
    resamples: int = 2000,
) -> tuple[float, float]:
    """Percentile bootstrap interval of ``statistic``; the same generator state gives the same interval.

    Raises ``ValueError`` when there are no values or ``confidence`` is outside (0, 1).
    """
    _proportion(confidence)
    x = np.asarray(values, dtype=np.float64)
    if not len(x):
        raise ValueError("a bootstrap needs at least one value")
    draws = [statistic(x[rng.integers(0, len(x), len(x))]) for _ in range(resamples)]
    tail = (1.0 - confidence) / 2.0 * 100.0
    return percentile(draws, tail), percentile(draws, 100.0 - tail)
