"""Metrics of limits of the grid and of costs: rises, rebounds, means over steps, and charging on arrival."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilbench.metrics.arrival import Stay, on_arrival
from hilbench.metrics.polyline import Polyline, mean, step_means
from hilbench.metrics.rebound import rebound, steepest_share


def line(*corners: tuple[float, float]) -> Polyline:
    """A polyline of (time, value)."""
    t, v = zip(*corners, strict=True)
    return np.array(t, dtype=float), np.array(v, dtype=float)


def test_an_even_rise_is_as_steep_as_its_share_of_time() -> None:
    """10 kW in 600 s: a tenth of it in a minute."""
    assert steepest_share(line((0, 5), (600, 15), (1200, 15)), 60.0, 1.0) == pytest.approx(0.1, abs=0.001)


def test_a_step_is_the_whole_rise() -> None:
    """And half of it where half came before."""
    assert steepest_share(line((0, 5), (300, 5), (300, 15), (900, 15)), 60.0, 1.0) == pytest.approx(1.0)
    assert steepest_share(line((0, 5), (300, 5), (300, 10), (600, 10), (600, 15), (900, 15)), 60.0, 1.0) == 0.5


def test_the_return_from_a_dip_is_no_rise() -> None:
    """What was there before does not count; nor does a rise that is too small, or a line without duration."""
    dip = line((0, 10), (100, 10), (100, 4), (130, 4), (130, 10), (700, 20), (900, 20))
    assert steepest_share(dip, 60.0, 1.0) == pytest.approx(60 / 570, abs=0.003)
    assert steepest_share(line((0, 5), (900, 5.5)), 60.0, 1.0) == 0.0
    assert steepest_share(line((0, 5), (0, 15)), 60.0, 1.0) == 0.0


def test_a_rebound_is_the_highest_minute_against_that_before() -> None:
    """12 kW after 10; nothing after nothing is no rebound, something after nothing has no bound."""
    flat, nothing = line((0, 10), (1800, 10)), line((0, 0), (1800, 0))
    peak = line((0, 8), (600, 8), (600, 12), (700, 12), (700, 8), (1800, 8))
    assert rebound(flat, peak, 60.0) == pytest.approx(1.2)
    assert rebound(nothing, nothing, 60.0) == 1.0
    assert rebound(nothing, flat, 60.0) == math.inf


@given(st.lists(st.floats(-1e3, 1e3), min_size=13, max_size=13))
def test_means_over_steps_are_the_mean_of_the_whole(values: list[float]) -> None:
    """Of twelve corners, three to a step, jumps or none."""
    whole = line(*((float(n), value) for n, value in enumerate(values)))
    means = step_means(whole, 0.0, 3.0, 4)
    assert float(means.mean()) == pytest.approx(mean(whole), abs=1e-6)
    first = mean((whole[0][:4], whole[1][:4]))
    assert float(means[0]) == pytest.approx(first, abs=1e-6)


def test_who_comes_first_has_all_that_is_left() -> None:
    """Of 10 kW the first takes 7, the second 3 and then 7; both have their energy."""
    stays = [Stay(60.0, 7200.0, 7.0, 7.0), Stay(0.0, 7200.0, 7.0, 7.0)]
    taken = on_arrival(stays, np.full(120, 10.0), 0.0, 60.0)
    assert taken[0] == 7.0
    assert taken[1] == 10.0
    assert taken.sum() / 60.0 == pytest.approx(14.0)
    assert not taken[110:].any()


@given(
    st.lists(
        st.tuples(st.floats(0, 3000), st.floats(0, 3000), st.floats(0.1, 20), st.floats(0.1, 20)),
        min_size=1,
        max_size=6,
    ),
    st.lists(st.floats(0, 30), min_size=60, max_size=60),
)
def test_nobody_takes_more_than_there_is(cars: list[tuple[float, float, float, float]], room: list[float]) -> None:
    """Never above the room, never more energy than was taken, nothing outside of stays."""
    stays = [Stay(begin, begin + length, power, energy) for begin, length, power, energy in cars]
    taken = on_arrival(stays, np.array(room), 0.0, 60.0)
    assert (taken <= np.array(room) + 1e-9).all()
    assert (taken >= 0.0).all()
    assert taken.sum() / 60.0 <= sum(stay.energy_kwh for stay in stays) + 1e-6
    latest = max(stay.stop for stay in stays)
    assert not taken[math.ceil(latest / 60.0) :].any()
