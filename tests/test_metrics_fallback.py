"""Entry into a safe level, the level itself, and the way out."""

from __future__ import annotations

import math

import numpy as np

from hilbench.metrics.fallback import exit_time, fallback, highest
from hilbench.metrics.polyline import Polyline


def line(*corners: tuple[float, float]) -> Polyline:
    """A polyline from its (time, value) corners."""
    t, v = zip(*corners, strict=True)
    return np.array(t, dtype=float), np.array(v, dtype=float)


GOOD = line((0, 16), (41, 16), (43, 6), (200, 6), (240, 6), (240, 16), (300, 16))


def test_entry_counts_from_the_loss_until_the_level_is_kept() -> None:
    """Lost at 10 s, through 7 A on a ramp that ends at 43 s: entry after 32.8 s, at 6 A once it has settled."""
    found = fallback(GOOD, 10.0, 200.0, 6.0, 1.0)
    assert math.isclose(found.entry_s, 32.8)
    assert found.level_a == 6.0


def test_the_exact_level_is_what_was_drawn_after_entry() -> None:
    """From entry on no more than 6 A was drawn."""
    assert fallback(line((0, 16), (30, 16), (30, 6), (99, 6)), 10.0, 99.0, 6.0, 1.0).level_a == 6.0


def test_a_level_that_is_left_again_was_not_entered_there() -> None:
    """A peak of 20 A at 60 s moves the entry behind it."""
    found = fallback(line((0, 16), (20, 6), (60, 6), (60, 20), (61, 20), (61, 6), (99, 6)), 10.0, 99.0, 6.0, 1.0)
    assert found.entry_s == 51.0


def test_a_station_that_fails_open_never_enters() -> None:
    """Entry is infinite and the level is the worst that was drawn."""
    found = fallback(line((0, 16), (50, 16), (50, 32), (99, 32)), 10.0, 99.0, 6.0, 1.0)
    assert (found.entry_s, found.level_a) == (math.inf, 32.0)


def test_a_station_already_low_is_there_at_once() -> None:
    """Nothing has to change for a car that draws 6 A anyway."""
    assert fallback(line((0, 6), (99, 6)), 10.0, 99.0, 6.0, 1.0).entry_s == 0.0


def test_exit_counts_from_the_return_of_data() -> None:
    """Data back at 200 s and 16 A at 240 s: 40 s; a station that stays low never leaves."""
    assert exit_time(GOOD, 200.0, 6.0, 1.0) == 40.0
    assert exit_time(line((0, 6), (99, 6)), 20.0, 6.0, 1.0) == math.inf
    assert exit_time(line((0, 16), (99, 16)), 20.0, 6.0, 1.0) == 0.0


def test_the_highest_value_of_a_window_sees_a_short_peak() -> None:
    """A boot peak of 32 A for half a second is found; outside the window it is not."""
    boot = line((0, 0), (5, 0), (5, 32), (5.5, 32), (5.5, 6), (60, 6))
    assert highest(boot, 1.0, 60.0) == 32.0
    assert highest(boot, 5.5, 60.0) == 6.0
