"""Exposure above a limit, utilisation, reversals and curtailment."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilbench.metrics.exposure import (
    excursions,
    exposure,
    false_curtailment,
    largest_drop,
    reversals,
    reversals_per_hour,
    square_integral,
)
from hilbench.metrics.polyline import Polyline


def line(*corners: tuple[float, float]) -> Polyline:
    """A polyline from its (time, value) corners."""
    t, v = zip(*corners, strict=True)
    return np.array(t, dtype=float), np.array(v, dtype=float)


@st.composite
def lines(draw: st.DrawFn) -> Polyline:
    """Lines over 0..10 s with corners on a 0.1 s grid, jumps included."""
    times = sorted(draw(st.lists(st.integers(1, 99), max_size=8)))
    times = [t for i, t in enumerate(times) if i < 2 or times[i - 2] != t]
    grid = [0, *times, 100]
    values = draw(st.lists(st.integers(0, 100), min_size=len(grid), max_size=len(grid)))
    return np.array(grid) / 10.0, np.array(values, dtype=float)


def dense(a: Polyline, n: int = 100_000) -> np.ndarray:
    """Values at the midpoints of n equal cells over 0..10 s."""
    t = (np.arange(n) + 0.5) * 10.0 / n
    left = np.searchsorted(a[0], t, side="right") - 1
    share = (t - a[0][left]) / np.where(a[0][left + 1] > a[0][left], a[0][left + 1] - a[0][left], 1.0)
    return np.asarray(a[1][left] + share * (a[1][left + 1] - a[1][left]))


def test_a_rectangle_has_its_area() -> None:
    """30 A over the limit for 4 s: 120 A.s, 3600 A2.s, one excursion of 4 s."""
    found = exposure(line((0, 80), (10, 80), (10, 130), (14, 130), (14, 80), (20, 80)), 100.0)
    assert (found.peak_a, found.longest_s, found.ampere_seconds, found.a2s) == (30.0, 4.0, 120.0, 3600.0)
    assert (found.count, found.share_above) == (1, 0.2)


def test_a_triangle_is_exact_without_samples_at_its_crossings() -> None:
    """A ramp up and down through the limit: 5 s above, 25 A.s, 250/3 * 2 A2.s."""
    found = exposure(line((0, 90), (5, 110), (10, 90)), 100.0)
    assert (found.longest_s, found.ampere_seconds) == pytest.approx((5.0, 25.0))
    assert found.a2s == pytest.approx(2 * 2.5 * 100 / 3)


def test_time_counts_beyond_the_tolerance_and_amperes_from_the_limit() -> None:
    """A slow 0.5 A over the budget is within 1 A of tolerance; 3 A over it counts with all 3 A."""
    found = exposure(line((0, 80.5), (100, 80.5), (100, 83), (104, 83), (104, 80), (200, 80)), 80.0, 1.0)
    assert (found.time_above_s, found.ampere_seconds) == (4.0, 12.0)
    assert exposure(line((0, 80.5), (100, 80.5)), 80.0).time_above_s == 100.0


def test_the_worst_single_excursion_is_kept_apart_from_the_total() -> None:
    """Two excursions of 2 s and 3 s: 5 s in all, the longest 3 s."""
    signal = line((0, 0), (1, 0), (1, 9), (3, 9), (3, 0), (5, 0), (5, 6), (8, 6), (8, 0), (10, 0))
    found = exposure(signal, 5.0)
    assert (found.time_above_s, found.longest_s, found.worst_ampere_seconds) == (5.0, 3.0, 8.0)
    assert [stay.start for stay in excursions(signal, 5.0)] == [1.0, 5.0]


def test_a_line_below_its_limit_has_no_exposure_and_a_negative_peak() -> None:
    """The peak tells how much room was left."""
    found = exposure(line((0, 60), (10, 70)), 80.0)
    assert (found.peak_a, found.longest_s, found.count) == (-10.0, 0.0, 0)


def test_a_limit_may_change_with_time() -> None:
    """80 A is fine until the limit falls to 60 A."""
    limit = line((0, 100), (5, 100), (5, 60), (10, 60))
    assert exposure(line((0, 80), (10, 80)), limit).ampere_seconds == 100.0


@settings(deadline=None)
@given(lines(), st.integers(0, 100), st.integers(0, 5))
def test_exposure_equals_dense_sampling(signal: Polyline, limit: int, tolerance: int) -> None:
    """Time, A.s and A2.s above a limit are those of 100 000 samples."""
    values, width = dense(signal), 1e-4
    above = values > limit + tolerance
    found = exposure(signal, float(limit), float(tolerance))
    assert found.time_above_s == pytest.approx(above.sum() * width, abs=0.003)
    assert found.ampere_seconds == pytest.approx(((values - limit) * above).sum() * width, abs=0.1)
    assert found.a2s == pytest.approx((((values - limit) ** 2) * above).sum() * width, abs=5.0)
    assert found.longest_s <= found.time_above_s + 1e-9


@settings(deadline=None)
@given(lines())
def test_the_square_is_integrated_exactly(signal: Polyline) -> None:
    """The square of a straight piece is a parabola, and integrated as one."""
    assert square_integral(signal) == pytest.approx((dense(signal) ** 2).sum() * 1e-4, abs=0.05)


def test_a_sine_reverses_twice_per_period() -> None:
    """Period 10 s for 100 s is 19 or 20 reversals; a ripple below the hysteresis is none."""
    t = np.arange(0.0, 100.0, 0.1)
    wave = np.sin(2 * np.pi * t / 10.0)
    assert reversals((t, 10.0 * wave)) in (19, 20)
    assert reversals((t, 0.4 * wave)) == 0
    assert reversals((t, 0.4 * wave), hysteresis=0.1) in (19, 20)


def test_a_staircase_in_one_direction_never_reverses() -> None:
    """A slow raise in steps is no hunting, however many steps it has."""
    assert reversals(line(*((i, i) for i in range(50)))) == 0


def test_small_swings_on_the_way_are_no_reversals() -> None:
    """A fall with ripples of half an ampere is one direction; ripples of 2 A are not."""
    values = [20.0, 10.0, 10.5, 8.0, 8.5, 6.0]
    assert reversals(line(*enumerate(values))) == 0
    assert reversals(line(*enumerate([20.0, 10.0, 12.0, 8.0, 10.0, 6.0]))) == 4


def test_reversals_per_hour_scale_with_time() -> None:
    """Two reversals in half an hour are four per hour; an instant has no rate."""
    assert reversals_per_hour(line((0, 6), (600, 16), (1200, 6), (1800, 16))) == 4.0
    assert math.isnan(reversals_per_hour(line((0, 6))))


def test_false_curtailment_counts_only_while_there_is_room() -> None:
    """10 A withheld for 10 s, with headroom above the margin in the last 4 s: 40 A.s."""
    feasible, drawn = line((0, 16), (10, 16)), line((0, 6), (10, 6))
    assert false_curtailment(feasible, drawn, line((0, 0), (6, 0), (6, 12), (10, 12)), 2.0) == pytest.approx(40.0)
    assert false_curtailment(feasible, drawn, line((0, 2), (10, 2)), 2.0) == 0.0
    assert false_curtailment(drawn, feasible, line((0, 9), (10, 9)), 2.0) == 0.0


def test_false_curtailment_is_exact_on_ramps() -> None:
    """Headroom that ramps through the margin at 5 s counts from there on."""
    found = false_curtailment(line((0, 16), (10, 16)), line((0, 6), (10, 6)), line((0, 0), (10, 10)), 5.0)
    assert found == pytest.approx(50.0)


def test_a_drop_is_measured_from_the_value_before_the_event() -> None:
    """Offers that fall from 60 A to 48 A after an inrush were cut by 12 A; a raise is no drop."""
    offers = line((0, 60), (10, 60), (10, 48), (20, 48), (20, 60), (40, 60))
    assert largest_drop(offers, 10.0, 30.0) == 12.0
    assert largest_drop(line((0, 6), (10, 6), (10, 9), (20, 9)), 10.0, 15.0) == 0.0
