"""Fairness, satisfaction, starvation and the least offer."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilbench.metrics.allocation import energy_satisfaction, jain_index, minimum_offer, served_share, starvation_time
from hilbench.metrics.polyline import Polyline


def line(*corners: tuple[float, float]) -> Polyline:
    """A polyline from its (time, value) corners."""
    t, v = zip(*corners, strict=True)
    return np.array(t, dtype=float), np.array(v, dtype=float)


def test_jain_is_one_for_equal_shares_and_one_over_n_for_all_to_one() -> None:
    """[1, 0, 0, 0] gives 0.25, equal shares give 1, nothing at all gives no index."""
    assert jain_index([1, 0, 0, 0]) == 0.25
    assert jain_index([7.5] * 6) == pytest.approx(1.0)
    assert math.isnan(jain_index([0, 0]))


def test_weights_turn_unequal_shares_into_fair_ones() -> None:
    """A car entitled to twice as much may have twice as much."""
    assert jain_index([20, 10], [2, 1]) == pytest.approx(1.0)
    assert jain_index([20, 10]) == pytest.approx(0.9)


@pytest.mark.parametrize(("shares", "weights"), [([], None), ([1.0], [1.0, 2.0]), ([-1.0], None), ([1.0], [0.0])])
def test_shares_that_are_none_are_refused(shares: list[float], weights: list[float] | None) -> None:
    """No shares, ragged weights, negative shares and zero weights raise."""
    with pytest.raises(ValueError, match="share"):
        jain_index(shares, weights)


@settings(deadline=None)
@given(st.lists(st.floats(0.01, 1e4), min_size=1, max_size=30))
def test_jain_stays_between_one_over_n_and_one(shares: list[float]) -> None:
    """The index is bounded whatever the shares."""
    assert 1 / len(shares) - 1e-9 <= jain_index(shares) <= 1 + 1e-9


def test_a_surplus_does_not_pay_for_another_sessions_deficit() -> None:
    """20 kWh to a car that asked for 10 leaves the other half served at 75 % in all."""
    assert energy_satisfaction([20, 5], [10, 10]) == 0.75
    assert math.isnan(energy_satisfaction([1], [0]))
    with pytest.raises(ValueError, match="one delivered"):
        energy_satisfaction([1, 2], [1])


def test_starvation_is_the_longest_wait_of_a_car_that_wants() -> None:
    """Below 6 A from 10 to 40 s and from 50 to 60 s, but wanting only until 35 s: 25 s."""
    current = line((0, 16), (10, 16), (10, 0), (40, 0), (40, 8), (50, 8), (50, 0), (60, 0))
    demand = line((0, 32), (35, 32), (35, 0), (60, 0))
    assert starvation_time(current, demand) == 25.0
    assert starvation_time(current, line((0, 32), (60, 32))) == 30.0
    assert starvation_time(line((0, 6), (60, 6)), line((0, 32), (60, 32))) == 0.0


def test_starvation_ends_where_a_ramp_passes_the_floor() -> None:
    """A ramp from 0 to 12 A in 10 s starves for 5 s."""
    assert starvation_time(line((0, 0), (10, 12)), line((0, 32), (10, 32))) == pytest.approx(5.0)


def test_the_least_offer_leaves_pauses_out() -> None:
    """0 A is a pause; 5.9 A is an offer that no car may be given."""
    good = line((0, 0), (5, 0), (5, 6), (9, 6), (9, 16), (20, 16))
    bad = line((0, 16), (5, 16), (5, 5.9), (6, 5.9), (6, 16), (9, 16))
    assert minimum_offer([good]) == 6.0
    assert minimum_offer([good, bad]) == 5.9
    assert math.isnan(minimum_offer([line((0, 0), (5, 0))]))


def test_an_offer_without_duration_is_none() -> None:
    """What is replaced at the same instant was never offered."""
    assert minimum_offer([line((0, 16), (5, 16), (5, 3), (5, 8), (9, 8))]) == 8.0


def flat(value: float) -> Polyline:
    """A line that stands still for 10 s."""
    return line((0, value), (10, value))


@pytest.mark.parametrize(
    ("drawn", "wanted", "above", "share"),
    [
        (16.0, 32.0, [(40.0, 80.0)], 0.5),
        (16.0, 32.0, [(40.0, 80.0), (19.0, 20.0)], 0.95),
        (30.0, 32.0, [(40.0, 80.0)], 30.0 / 32.0),
        (16.0, 32.0, [(90.0, 80.0)], 1.0),
        (2.0, 3.0, [(40.0, 80.0)], 1.0),
        (0.0, 32.0, [(75.0, 80.0)], 1.0),
        (0.0, 32.0, [(60.0, 80.0)], 66.0 / 80.0),
        (0.0, 32.0, [(0.0, 0.0)], 1.0),
        (0.0, 32.0, [], 0.0),
    ],
)
def test_a_car_is_served_as_far_as_its_wish_or_its_fullest_limit_is_exhausted(
    drawn: float, wanted: float, above: list[tuple[float, float]], share: float
) -> None:
    """Half a wish below a half full site is 0.5; a full limit, a full battery or less than 6 A left excuse."""
    found = served_share(flat(drawn), flat(wanted), [(flat(used), limit) for used, limit in above])
    assert found[1] == pytest.approx(share)


@pytest.mark.parametrize(("least_a", "share"), [(6.0, 1.0), (4.0, 0.5)])
def test_the_least_current_says_what_a_wish_is(least_a: float, share: float) -> None:
    """2.5 of 5 A are half of what a DC car wants, and an AC car wants nothing that a pilot could say."""
    assert served_share(flat(2.5), flat(5.0), [], least_a)[1] == pytest.approx(share)
    full = served_share(flat(0.0), flat(20.0), [(flat(75.0), 80.0)], least_a)[1]
    assert full == pytest.approx(min((75.0 + least_a) / 80.0, 1.0))
