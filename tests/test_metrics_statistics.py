"""Sample sizes, order statistics, percentiles and bootstrap intervals."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilbench.metrics.statistics import (
    bootstrap_interval,
    percentile,
    runs_without_failure,
    summarise,
    upper_bound_rank,
)


@pytest.mark.parametrize(("share", "runs"), [(0.90, 29), (0.95, 59), (0.99, 299)])
def test_runs_without_failure(share: float, runs: int) -> None:
    """29, 59 and 299 runs without a failure prove 90, 95 and 99 % with 95 % confidence, and one run fewer does not."""
    assert runs_without_failure(share) == runs
    assert 1 - share**runs >= 0.95 > 1 - share ** (runs - 1)


@pytest.mark.parametrize(("n", "rank"), [(58, None), (59, 59), (100, 99), (200, 196), (300, 292)])
def test_order_statistics_bound_the_95th_percentile(n: int, rank: int | None) -> None:
    """The rank that bounds P95 from above with 95 % confidence; 58 runs bound nothing."""
    assert upper_bound_rank(n) == rank


def test_the_bound_holds_in_simulation() -> None:
    """The 99th of 100 uniform samples is above the true P95 in at least 95 % of 4000 trials, the 97th is not."""
    samples = np.sort(np.random.default_rng(1).random((4000, 100)), axis=1)
    assert np.mean(samples[:, 98] >= 0.95) >= 0.95
    assert np.mean(samples[:, 96] >= 0.95) < 0.95


@pytest.mark.parametrize("share", [0.0, 1.0, -0.5])
def test_shares_outside_zero_and_one_are_refused(share: float) -> None:
    """Certainty takes infinitely many runs."""
    with pytest.raises(ValueError, match="inside"):
        runs_without_failure(share)


def test_a_percentile_is_a_value_that_was_observed() -> None:
    """Nearest rank: P50 of 1..10 is 5, P95 is 10, P0 the least."""
    values = list(range(10, 0, -1))
    assert [percentile(values, p) for p in (0, 50, 95, 100)] == [1, 5, 10, 10]


@settings(deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50), st.floats(0.1, 100))
def test_enough_samples_lie_at_or_below_a_percentile(values: list[float], percent: float) -> None:
    """At least the share asked for is at or below it."""
    assert sum(value <= percentile(values, percent) for value in values) >= percent / 100 * len(values) - 1e-6


def test_a_summary_names_few_runs_indicative() -> None:
    """Five runs give no bound; 59 runs are bounded by their worst, an infinite one included."""
    few = summarise([3.0, 1.0, 2.0, 5.0, 4.0])
    assert (few.n, few.minimum, few.median, few.maximum, few.indicative) == (5, 1.0, 3.0, 5.0, True)
    assert math.isnan(few.p95_bound)
    many = summarise([1.0] * 58 + [math.inf])
    assert (many.p95_bound, many.indicative, many.median) == (math.inf, False, 1.0)


@pytest.mark.parametrize("values", [[], [1.0, math.nan]])
def test_a_run_without_a_result_is_not_left_out(values: list[float]) -> None:
    """Nothing and NaN raise."""
    with pytest.raises(ValueError, match="at least one value"):
        summarise(values)


def test_the_bootstrap_is_repeatable_and_contains_the_median() -> None:
    """The same seed gives the same interval, another seed another; more runs give a narrower one."""
    values = np.random.default_rng(2).normal(10.0, 1.0, 100).tolist()

    def interval(seed: int, of: list[float] = values) -> tuple[float, float]:
        return bootstrap_interval(of, lambda x: float(np.mean(x)), np.random.default_rng(seed), resamples=500)

    low, high = interval(1)
    assert interval(1) == (low, high) != interval(3)
    assert low < 10.0 < high
    few_low, few_high = interval(1, values[:10])
    assert few_high - few_low > high - low


def test_a_bootstrap_of_nothing_is_refused() -> None:
    """No values, no interval."""
    with pytest.raises(ValueError, match="at least one"):
        bootstrap_interval([], lambda x: float(x[0]), np.random.default_rng(1))
