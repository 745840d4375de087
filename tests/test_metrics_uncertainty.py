"""Uncertainty of times, currents and ampere-seconds."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hilbench.metrics.uncertainty import (
    charge_uncertainty,
    combined,
    ct_ratio_error_pct,
    current_uncertainty,
    ratio_uncertainty,
    rectangular,
    time_uncertainty,
)


@pytest.mark.parametrize(("sampling", "expected"), [(0.1, 0.08), (1.0, 0.82), (5.0, 4.1), (15.0, 12.2)])
def test_time_between_two_sampled_edges(sampling: float, expected: float) -> None:
    """1 s sampling makes every time uncertain by 0.82 s (k = 2), 15 s by 12 s."""
    assert time_uncertainty(sampling) == pytest.approx(expected, rel=0.025)


def test_the_sampling_formula_covers_what_sampling_does() -> None:
    """Of 20 000 intervals seen through a 1 s grid at random phase 95 % are off by less than U."""
    rng = np.random.default_rng(5)
    start, length = rng.random(20_000) * 50, 7.0 + rng.random(20_000)
    seen = np.ceil(start + length) - np.ceil(start)
    assert np.mean(np.abs(seen - length) <= time_uncertainty(1.0)) > 0.94
    assert np.mean(np.abs(seen - length) <= time_uncertainty(1.0) / 2) < 0.9


def test_a_clock_offset_adds_to_the_sampling() -> None:
    """Independent parts add as squares; a known start leaves one edge."""
    assert time_uncertainty(0.0, clock_s=0.3) == pytest.approx(2 * 0.3 / math.sqrt(3))
    assert time_uncertainty(1.0, edges=1) == pytest.approx(2 / math.sqrt(12))
    assert time_uncertainty(1.0, 1.0) == pytest.approx(math.hypot(time_uncertainty(1.0), 2 / math.sqrt(3)))


def test_class_1_ct_with_a_half_percent_meter() -> None:
    """1 % and 0.5 % give 1.3 % at k = 2."""
    assert current_uncertainty(100.0, 1.0, 0.5) == pytest.approx(1.3, abs=0.02)
    assert current_uncertainty(0.0, 1.0, absolute_a=0.1) == pytest.approx(2 * rectangular(0.1))


def test_ct_ratio_errors_follow_the_points_of_the_standard() -> None:
    """Class 1: 3 % at 5 %, 1 % at rated current, straight between; nothing is promised below 5 %."""
    assert [ct_ratio_error_pct("1", share) for share in (0.05, 0.125, 0.2, 1.0, 1.2)] == [3.0, 2.25, 1.5, 1.0, 1.0]
    assert math.isnan(ct_ratio_error_pct("1", 0.01))
    assert ct_ratio_error_pct("0.5S", 0.01) == 1.5
    with pytest.raises(ValueError, match="CT class"):
        ct_ratio_error_pct("2", 1.0)


def test_ampere_seconds_carry_both_errors() -> None:
    """30 A over for 4 s, 0.3 A and 0.1 s uncertain: 1.2 and 3 A.s, together 3.2 A.s."""
    assert charge_uncertainty(4.0, 30.0, 0.1, 0.3) == pytest.approx(math.hypot(1.2, 3.0))


def test_ratio_and_sum() -> None:
    """3 and 4 combine to 5; a ratio carries the relative errors of both parts."""
    assert combined(3.0, 4.0) == 5.0
    assert ratio_uncertainty(0.9, 0.03, 0.04) == pytest.approx(0.045)
