"""What the repeats of a procedure say together: order statistics of each measurement, with what they are worth.

Of the lines, nodes and stations of one repeat the worst counts, so that there is one value for each repeat, and
repeats are independent: each has its own seed, and with it another phase of the stimulus to the sampling of the meter.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hilbench.evidence.files import number
from hilbench.metrics.catalogue import METRICS
from hilbench.metrics.statistics import Summary, bootstrap_interval, percentile, runs_without_failure, summarise

RESAMPLES = 1000
"""Of the bootstrap for an interval of the median: its ends are then good to about a hundredth of the spread."""
ENOUGH = runs_without_failure()
"""Repeats below which nothing can be said of 95 % of all with 95 % confidence."""


@dataclass(frozen=True)
class Spread:
    """One measurement over ``n`` repeats; ``missing`` have no value of it.

    ``tail`` has 95 % of the repeats on its good side, ``bound`` has with 95 % confidence 95 % of all that could be
    (``nan``: too few repeats). ``median_low`` and ``median_high`` are a 95 % bootstrap interval of the median.
    """

    metric: str
    unit: str
    op: str
    limit: float
    n: int
    missing: int
    median: float
    median_low: float
    median_high: float
    tail: float
    bound: float
    worst: float

    @property
    def shown(self) -> bool | None:
        """True when the repeats show that 95 % keep the limit, False when not, None: too few, or no limit."""
        if math.isnan(self.bound) or math.isnan(self.limit) or self.op not in ("<=", ">="):
            return None
        return self.bound <= self.limit if self.op == "<=" else self.bound >= self.limit


def spreads(repeats: Sequence[Iterable[Mapping[str, Any]]]) -> list[Spread]:
    """The spread of every measurement of a procedure, from the measurements of each of its repeats."""
    tables = [_worst(items) for items in repeats]
    names = dict.fromkeys(name for table in tables for name in table)
    return [_spread(name, [table[name] for table in tables if name in table], len(repeats)) for name in names]


def _worst(items: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """The worst measurement of each metric; one without a value is worse than any."""
    found: dict[str, Mapping[str, Any]] = {}
    for item in items:
        name = str(item.get("metric"))
        if name not in found or _badness(item) > _badness(found[name]):
            found[name] = item
    return found


def _badness(item: Mapping[str, Any]) -> float:
    value = _value(item)
    return math.inf if math.isnan(value) else _sign(str(item.get("metric"))) * value


def _value(item: Mapping[str, Any]) -> float:
    value = number(item.get("value"))
    return math.nan if value is None else value


def _sign(metric: str) -> float:
    """1 where less is better, -1 where more is: statistics then look at the bad end."""
    return -1.0 if metric in METRICS and METRICS[metric].direction == "higher" else 1.0


def _spread(metric: str, items: Sequence[Mapping[str, Any]], repeats: int) -> Spread:
    sign = _sign(metric)
    values = [sign * value for item in items if not math.isnan(value := _value(item))]
    limits = {limit for item in items if (limit := number(item.get("limit_value"))) is not None}
    limit = min((sign * one for one in limits if not math.isnan(one)), default=math.nan)
    first, missing = items[0], repeats - len(values)
    low, high, summary = math.nan, math.nan, None
    if values:
        rng = np.random.default_rng(1)
        low, high = bootstrap_interval(values, lambda x: percentile(x, 50.0), rng, resamples=RESAMPLES)
        summary = summarise(values)
    low, high = sorted((sign * low, sign * high))
    figures = _figures(summary, sign, missing)
    return Spread(
        metric, str(first.get("unit", "")), str(first.get("op", "")), sign * limit, len(values), missing,
        figures[0], low, high, *figures[1:],
    )  # fmt: skip


def _figures(summary: Summary | None, sign: float, missing: int) -> tuple[float, float, float, float]:
    """Median, tail, bound and worst; nothing is claimed where a repeat has no value."""
    if summary is None:
        return math.nan, math.nan, math.nan, math.nan
    bound = math.nan if missing else sign * summary.p95_bound
    return sign * summary.median, sign * summary.p95, bound, sign * summary.maximum


def claim(spread: Spread) -> str:
    """What the repeats show of a limit, in words."""
    if spread.missing:
        return f"no value in {spread.missing} of {spread.n + spread.missing}"
    if spread.n < ENOUGH:
        return f"indicative: below {ENOUGH} repeats"
    return {True: "95 % keep it", False: "not shown that 95 % keep it", None: ""}[spread.shown]
