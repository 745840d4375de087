"""How long what the building drew keeps headroom from being used."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from hilbench.controller.peaks import MEMORY_S, Highest, Hold, Peaks

HOLD = Hold(45.0, 5.0, 120.0)
RISE_A = 1.0


def peaks_over(*parts: tuple[int, float]) -> Peaks:
    """A line that draws (for how many seconds, amperes)."""
    peaks, t = Peaks(HOLD, RISE_A), 0
    for seconds, amps in parts:
        for _ in range(seconds):
            peaks.add(float(t), amps)
            t += 1
    return peaks


def waits_s(*parts: tuple[int, float]) -> int:
    """How long after the last part, at 2 A, what came before it counts."""
    return next(seconds for seconds in range(1, 200) if peaks_over(*parts, (seconds, 2.0)).value < 3.0)


def test_a_peak_counts_for_the_long_hold() -> None:
    """A load that ran for less than two minutes is waited for."""
    assert waits_s((300, 2.0), (60, 20.0)) == 46


def test_what_was_drawn_steadily_counts_for_the_short_hold() -> None:
    """A load that ran for more than two minutes leaves its headroom at once, as far as samples agree."""
    assert waits_s((300, 2.0), (130, 20.0)) == 6


def test_before_a_line_is_known_for_long_nothing_is_steady() -> None:
    """What was first seen a minute ago may be a peak."""
    assert waits_s((60, 20.0)) == 46


def test_a_steady_load_that_came_back_is_waited_for() -> None:
    """It was away for 20 s once: the next time its headroom has to last for the long hold."""
    assert waits_s((300, 20.0), (20, 2.0), (130, 20.0)) == 46


def test_a_load_that_was_away_for_longer_is_waited_for_longer() -> None:
    """A cooktop that is off for 60 s is waited for 90 s the next time."""
    assert waits_s((300, 2.0), (20, 20.0), (60, 2.0), (20, 20.0)) == 91


def test_what_came_back_is_forgotten() -> None:
    """A quarter of an hour later a steady load is steady again."""
    assert waits_s((300, 20.0), (20, 2.0), (int(MEMORY_S) + 10, 20.0)) == 6


def test_a_higher_load_has_not_come_back() -> None:
    """A second load on top of a first that stays is a rise, and none that was there before."""
    assert waits_s((300, 2.0), (60, 12.0), (130, 20.0)) == 6


def test_small_changes_are_no_peaks() -> None:
    """Half an ampere up and down does not make a steady load restless."""
    noise = [(1, 20.0 + 0.5 * (k % 2)) for k in range(300)]
    assert waits_s(*noise) == 6


def test_a_gap_in_the_samples_makes_all_new() -> None:
    """After a minute without samples what is drawn is not known to be steady."""
    peaks = peaks_over((300, 20.0))
    for t in (*range(360, 400), *range(400, 420)):
        peaks.add(float(t), 20.0 if t < 400 else 2.0)
    assert peaks.value == 20.0


@given(st.lists(st.tuples(st.integers(1, 40), st.sampled_from([0.0, 5.0, 6.0, 20.0])), min_size=1))
def test_what_counts_is_between_the_most_of_the_short_hold_and_of_twice_the_long_one(
    parts: list[tuple[int, float]],
) -> None:
    """Never less than what was drawn in the last seconds, never more than there was in the last 90 s."""
    amps = [value for seconds, value in parts for _ in range(seconds)]
    assert max(amps[-6:]) <= peaks_over(*parts).value <= max(amps[-91:])


@given(st.lists(st.floats(-50.0, 50.0), min_size=1), st.integers(0, 20))
def test_the_highest_of_a_window(values: Iterable[float], window: int) -> None:
    """As the maximum of a list that is cut to the window."""
    highest, seen = Highest(float(window)), []
    for t, value in enumerate(values):
        highest.add(float(t), value)
        seen.append(value)
        assert highest.value == max(seen[-window - 1 :])
