"""Exact arithmetic on piecewise-linear functions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilbench.metrics import polyline as pl
from hilbench.metrics.polyline import Polyline
from hilbench.signals import Signal


def line(*corners: tuple[float, float]) -> Polyline:
    """A polyline from its (time, value) corners."""
    t, v = zip(*corners, strict=True)
    return np.array(t, dtype=float), np.array(v, dtype=float)


@st.composite
def lines(draw: st.DrawFn, low: float = 0.0, high: float = 100.0) -> Polyline:
    """Lines over 0..10 s with corners on a 0.1 s grid, jumps included."""
    times = sorted(draw(st.lists(st.integers(1, 99), max_size=8)))
    times = [t for i, t in enumerate(times) if i < 2 or times[i - 2] != t]
    grid = [0, *times, 100]
    values = draw(st.lists(st.integers(int(low), int(high)), min_size=len(grid), max_size=len(grid)))
    return np.array(grid) / 10.0, np.array(values, dtype=float)


def dense(a: Polyline, n: int = 100_000) -> tuple[np.ndarray, np.ndarray, float]:
    """Midpoints of n equal cells over 0..10 s, the values there, and the width of a cell."""
    t = (np.arange(n) + 0.5) * 10.0 / n
    left = np.searchsorted(a[0], t, side="right") - 1
    share = (t - a[0][left]) / np.where(a[0][left + 1] > a[0][left], a[0][left + 1] - a[0][left], 1.0)
    return t, a[1][left] + share * (a[1][left + 1] - a[1][left]), 10.0 / n


@pytest.mark.parametrize(
    ("t", "v", "message"),
    [
        ([], [], "at least one"),
        ([0.0, 1.0], [1.0], "as many values"),
        ([0.0, 1.0], [1.0, math.nan], "finite"),
        ([1.0, 0.0], [1.0, 1.0], "not decrease"),
    ],
)
def test_a_line_that_is_none_is_refused(t: list[float], v: list[float], message: str) -> None:
    """Empty, ragged, NaN and backward lines raise instead of giving a number."""
    with pytest.raises(ValueError, match=message):
        pl.checked((np.array(t), np.array(v)))


def test_a_jump_adds_no_area() -> None:
    """The integral of 0 for 2 s and then 5 for 3 s is 15."""
    assert pl.integral(line((0, 0), (2, 0), (2, 5), (5, 5))) == 15.0
    assert pl.mean(line((0, 0), (2, 0), (2, 5), (5, 5))) == 3.0


def test_the_mean_of_an_instant_is_refused() -> None:
    """A line without duration has no mean."""
    with pytest.raises(ValueError, match="instant"):
        pl.mean(line((1, 2)))


def test_after_takes_the_value_behind_a_jump() -> None:
    """What is asked from the time of a jump on starts behind it."""
    t, v = pl.after(line((0, 0), (2, 0), (2, 5), (5, 5)), 2.0)
    assert t.tolist() == [2.0, 5.0]
    assert v.tolist() == [5.0, 5.0]


def test_after_interpolates_and_refuses_a_start_behind_the_end() -> None:
    """Between corners the line is straight; behind its end there is nothing to measure."""
    assert pl.after(line((0, 0), (4, 8)), 1.0)[1].tolist() == [2.0, 8.0]
    with pytest.raises(ValueError, match="ends at"):
        pl.after(line((0, 0), (4, 8)), 4.5)


def test_a_window_that_ends_before_it_starts_is_refused() -> None:
    """A stimulus recorded after the end of the window is a mistake, not an empty result."""
    with pytest.raises(ValueError, match="cannot end"):
        pl.between(line((0, 0), (4, 8)), 3.0, 2.0)


def test_runs_that_touch_are_one() -> None:
    """A dip of no duration does not interrupt an excursion; a dip of 10 ms does."""
    assert pl.runs_above(line((0, 5), (2, 5), (2, 0), (2, 5), (3, 5)), 1.0) == [(0.0, 3.0)]
    assert pl.runs_above(line((0, 5), (2, 5), (2, 0), (2.01, 0), (2.01, 5), (3, 5)), 1.0) == [(0.0, 2.0), (2.01, 3.0)]


def test_staying_at_the_level_is_not_above_it() -> None:
    """Equality with a limit is within it."""
    assert pl.runs_above(line((0, 5), (9, 5)), 5.0) == []


@settings(deadline=None)
@given(lines(), lines())
def test_minimum_and_difference_agree_with_dense_sampling(a: Polyline, b: Polyline) -> None:
    """min(a, b) and a - b have the integrals that 100 000 samples give."""
    _, va, width = dense(a)
    _, vb, _ = dense(b)
    assert pl.integral(pl.smaller(a, b)) == pytest.approx(np.minimum(va, vb).sum() * width, abs=0.02)
    assert pl.integral(pl.minus(a, b)) == pytest.approx((va - vb).sum() * width, abs=0.02)


@settings(deadline=None)
@given(lines(), st.integers(0, 100))
def test_crossing_corners_change_no_integral(a: Polyline, level: int) -> None:
    """Splitting at a level leaves the function as it was and no piece on both sides."""
    t, v = pl.split(a, level)
    assert pl.integral((t, v)) == pytest.approx(pl.integral(a), abs=1e-9)
    d = (v - level)[:-1] * (v - level)[1:]
    assert not ((d < 0) & (np.diff(t) > 0)).any()


def test_a_limit_that_changes_is_read_over_the_line_only() -> None:
    """A longer limit does not lengthen the line that it is compared with."""
    t, v = pl.minus(line((2, 10), (3, 10)), line((0, 1), (2.5, 1), (2.5, 4), (9, 4)))
    assert (t[0], t[-1]) == (2.0, 3.0)
    assert pl.integral((t, v)) == 9 * 0.5 + 6 * 0.5


def test_total_adds_stations_with_different_corners() -> None:
    """6 A for 10 s and a ramp to 10 A are 110 A.s together."""
    assert pl.integral(pl.total(line((0, 6), (10, 6)), line((0, 0), (10, 10)))) == 110.0


def test_a_recorded_signal_is_a_line() -> None:
    """Signal.polyline feeds the metrics as it is, its jumps included."""
    signal = Signal("offered/A", "A")
    for t, v in ((0.0, 16.0), (4.0, 6.0), (10.0, 6.0)):
        signal.append(t, v)
    assert pl.integral(signal.polyline()) == 16 * 4 + 6 * 6
    assert pl.last_above(signal.polyline(), 6.0) == 4.0


def test_a_signal_holds_its_last_value() -> None:
    """From a start behind its last sample on it is that value, and no line that goes back in time."""
    signal = Signal("current/A", "A")
    signal.append(0.0, 6.0)
    t, v = pl.checked(signal.polyline(start=30.0))
    assert t.tolist() == [30.0, 30.0]
    assert v.tolist() == [6.0, 6.0]


def test_first_and_last_times_say_when_it_never_was() -> None:
    """Never reached is infinite; always below is minus infinite."""
    ramp = line((0, 0), (10, 10))
    assert pl.first_at_or_above(ramp, 7.0) == pytest.approx(7.0)
    assert pl.first_at_or_above(ramp, 11.0) == math.inf
    assert pl.last_above(ramp, 9.0) == math.inf
    assert pl.last_above(ramp, 10.0) == -math.inf
