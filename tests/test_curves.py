"""Piecewise-linear curves."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilbench_emulators.curves import Polyline


def test_a_curve_is_straight_between_corners_and_held_outside() -> None:
    """A polyline interpolates, and keeps its first and last value beyond its ends."""
    curve = Polyline([0.0, 10.0], [1.0, 3.0])
    assert [float(curve.at(t)[0]) for t in (-5, 0, 5, 10, 99)] == [1, 1, 2, 3, 3]


def test_a_time_that_occurs_twice_is_a_jump() -> None:
    """At a jump the value after it counts, or the one before it when asked."""
    curve = Polyline([0.0, 5.0, 5.0, 9.0], [1.0, 1.0, 7.0, 7.0])
    assert float(curve.at(5.0)[0]) == 7.0
    assert float(curve.at(5.0, before=True)[0]) == 1.0


def test_the_next_kink_is_the_first_corner_after_now() -> None:
    """Each corner is announced once; after the last there is none."""
    curve = Polyline([0.0, 5.0, 5.0], [1.0, 1.0, 7.0])
    assert [curve.next_kink(t) for t in (-1.0, 0.0, 4.0)] == [0.0, 5.0, 5.0]
    assert curve.next_kink(5.0) == math.inf


@pytest.mark.parametrize(
    ("times", "values"), [([], []), ([1.0, 0.0], [0.0, 0.0]), ([0.0], [math.nan]), ([math.inf], [0.0])]
)
def test_a_curve_that_is_none_is_refused(times: list[float], values: list[float]) -> None:
    """No corners, time that runs backwards and numbers that are not finite are programming errors."""
    with pytest.raises(ValueError, match="curve"):
        Polyline(times, values)


def test_nobody_can_change_a_curve_through_its_values() -> None:
    """What a curve hands out is read-only."""
    with pytest.raises(ValueError, match="read-only"):
        Polyline([0.0], [[1.0, 2.0]]).at(0.0)[0] = 9.0


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=8), st.floats(-10, 100))
def test_a_curve_agrees_with_numpy(values: list[float], t: float) -> None:
    """Without jumps a polyline is numpy's linear interpolation."""
    times = [10.0 * number for number in range(len(values))]
    assert float(Polyline(times, values).at(t)[0]) == pytest.approx(float(np.interp(t, times, values)), abs=1e-9)
