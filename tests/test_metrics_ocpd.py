"""Fuses, breakers that only promise conventional currents, and curves of a user: gates, sums of shares, forgetting."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilbench.metrics.breaker import Outcome, ul_489
from hilbench.metrics.curve import Curve, curve_history, operating_time
from hilbench.metrics.ocpd import GG_GATES, NAMES, assess, gg_fuse, holds_a, iec_60947_2, known_device
from hilbench.metrics.polyline import Polyline
from tests.test_metrics_breaker import HOUR, line

NH = {
    # published mean melting curves of NH fuses (pandapower 3.5.6 std types): current [A], seconds
    63: ((100, 4000), (200, 100), (300, 10), (400, 2)),
    80: ((150.6, 4800), (250, 120), (450, 7)),
    100: ((150, 5400), (190, 2000), (250, 400), (430, 20), (900, 1)),
    125: ((180, 4800), (400, 120), (740, 7)),
    160: ((210, 4800), (500, 120), (900, 7)),
    250: ((450, 4800), (800, 120), (1650, 7)),
    400: ((720, 4800), (1350, 120), (2800, 7)),
}
USER = Curve("user", 100.0, ((1.2, 100.0), (2.0, 10.0), (5.0, 1.0)), ((1.4, 1000.0), (2.0, 100.0), (5.0, 10.0)))


def steady(amps: float, seconds: float) -> Polyline:
    """A current that flows for so long."""
    return line((0, amps), (seconds, amps))


GATES: list[tuple[str, float, float, float, Outcome]] = [
    # device, rating [A], current [x of rating], seconds, what the standard says: both sides of each gate
    ("gG", 63, 1.249, 5 * HOUR, "cannot-trip"),
    ("gG", 63, 1.26, 1 * HOUR, "indeterminate"),
    ("gG", 63, 1.6, 0.99 * HOUR, "indeterminate"),
    ("gG", 63, 1.6, 1.01 * HOUR, "must-trip"),
    ("gG", 100, 1.6, 1.99 * HOUR, "indeterminate"),
    ("gG", 100, 1.6, 2.01 * HOUR, "must-trip"),
    ("gG", 250, 1.6, 3.01 * HOUR, "must-trip"),
    ("gG", 630, 1.6, 4.01 * HOUR, "must-trip"),
    ("gG", 100, 2.9, 9.9, "cannot-trip"),
    ("gG", 100, 2.9, 10.1, "indeterminate"),
    ("gG", 100, 5.8, 4.9, "indeterminate"),
    ("gG", 100, 5.8, 5.1, "must-trip"),
    ("gG", 100, 8.2, 0.09, "cannot-trip"),
    ("gG", 100, 14.5, 0.11, "must-trip"),
    ("IEC 60947-2", 63, 1.049, 5 * HOUR, "cannot-trip"),
    ("IEC 60947-2", 63, 1.06, 1.0, "indeterminate"),
    ("IEC 60947-2", 63, 1.30, 0.99 * HOUR, "indeterminate"),
    ("IEC 60947-2", 63, 1.30, 1.01 * HOUR, "must-trip"),
    ("IEC 60947-2", 160, 1.30, 1.99 * HOUR, "indeterminate"),
    ("IEC 60947-2", 160, 1.30, 2.01 * HOUR, "must-trip"),
    ("UL 489", 100, 1.0, 5 * HOUR, "cannot-trip"),
    ("UL 489", 100, 1.01, 1.0, "indeterminate"),
    ("IEC 60898-1 B", 16, 2.99, 0.01, "cannot-trip"),
    ("IEC 60898-1 B", 16, 3.01, 0.01, "indeterminate"),
    ("IEC 60898-1 B", 16, 5.01, 0.01, "must-trip"),
]


@pytest.mark.parametrize(("name", "rating", "times", "seconds", "outcome"), GATES)
def test_gates(name: str, rating: float, times: float, seconds: float, outcome: Outcome) -> None:
    """On either side of each gate a cold device says what its standard promises."""
    device = known_device(name, rating)
    assert assess(steady(times * rating, seconds), device, 0.0).outcome == outcome


def test_a_gate_is_missed_by_another_fuse() -> None:
    """The table can fail: what a 63 A fuse must end in an hour, one of 80 A need not."""
    assert assess(steady(1.6 * 63, 1.01 * HOUR), gg_fuse(80)).outcome != "must-trip"


@pytest.mark.parametrize("rating", NH)
def test_real_fuses_melt_within_the_band(rating: int) -> None:
    """Published mean curves lie between the fastest and the slowest gG fuse, give or take an eighth of the current."""
    fuse = gg_fuse(rating)
    for amps, seconds in NH[rating]:
        at_once, at_last = (np.array([share * amps / rating]) for share in (1.125, 0.875))
        assert operating_time(at_once, fuse.fast)[0] <= seconds <= operating_time(at_last, fuse.slow)[0]


def test_the_gates_of_a_fuse_are_in_order() -> None:
    """More current melts sooner, the fastest before the slowest, and a larger fuse bears more."""
    for amps in zip(*GG_GATES, strict=True):
        assert list(amps) == sorted(amps)
    for rating, holds_10, melts_5, holds_01, melts_01 in GG_GATES:
        assert rating < holds_10 < holds_01 < melts_01
        assert holds_10 < melts_5 < melts_01


def test_a_fuse_of_another_rating_is_refused() -> None:
    """There is none of 70 A, and none above the table; nor is there a device without a name."""
    for rating in (70, 5000):
        with pytest.raises(ValueError, match="no gG fuse has"):
            gg_fuse(rating)
    with pytest.raises(ValueError, match="is not one of UL 489"):
        known_device("UL489", 100)


def test_a_curve_is_straight_in_logarithms() -> None:
    """Its points, halfway between two of them, below the first and beyond the last."""
    found = operating_time(np.array([1.1, 1.2, math.sqrt(1.2 * 2.0), 2.0, 5.0, 9.0]), USER.fast)
    assert found.tolist() == pytest.approx([math.inf, 100.0, math.sqrt(1000.0), 10.0, 1.0, 1.0])


def test_shares_add_up() -> None:
    """Half of the time at one current and half of that at another open the device, to the second."""
    current = line((0, 200), (50, 200), (50, 500), (60, 500))
    assert assess(current, USER).must_trip_s == pytest.approx(55.0)
    assert assess(line((0, 200), (49, 200), (49, 500), (54, 500)), USER).fraction == pytest.approx(0.99)


def test_a_ramp_adds_up_what_it_passes() -> None:
    """Within a hundredth of the integral in steps of a millisecond, wherever it crosses the least current."""
    ramp = line((0, 100), (100, 300))
    amps = np.arange(100.0, 300.0, 0.002) + 0.001
    times = operating_time(amps / 100.0, USER.slow)
    expected = float(np.sum(0.001 / times))
    assert curve_history(ramp, 100.0, USER.slow).fraction == pytest.approx(expected, rel=0.01)


def test_a_device_forgets_below_its_least_current() -> None:
    """With no current within the time of its least current; near that current hardly, and never below nothing."""
    cold = line((0, 200), (50, 200), (50, 0), (1050, 0), (1050, 200), (1100, 200))
    warm = line((0, 200), (50, 200), (50, 139), (1050, 139), (1050, 200), (1100, 200))
    assert assess(cold, USER).fraction == pytest.approx(0.5)
    assert assess(warm, USER).fraction > 0.98


def test_beyond_its_last_point_the_fastest_may_open_at_once() -> None:
    """A curve that ends at five times the rating promises nothing about six."""
    brief = line((0, 80), (10, 80), (10, 600), (10.01, 600), (10.01, 80), (20, 80))
    found = assess(brief, USER)
    assert (found.outcome, found.may_trip_s) == ("indeterminate", 10.0)


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0.5, 100.0), st.floats(0.0, 900.0)), min_size=1, max_size=10))
def test_more_current_is_never_safer(pieces: list[tuple[float, float]]) -> None:
    """A tenth more at any time leaves every device nearer to opening, whatever its kind."""
    rank = ("cannot-trip", "indeterminate", "must-trip")
    corners, t = [], 0.0
    for seconds, amps in pieces:
        corners += [(t, amps), (t + seconds, amps)]
        t += seconds
    less = line(*corners)
    for device in (gg_fuse(100), iec_60947_2(100), USER, ul_489(100)):
        one, other = assess(less, device, 0.0), assess((less[0], 1.1 * less[1]), device, 0.0)
        assert other.fraction >= one.fraction - 1e-9
        assert rank.index(other.outcome) >= rank.index(one.outcome)


def test_what_is_borne_for_ever_never_opens() -> None:
    """A day at a thousandth less than that, for each device that is known by name."""
    for name in NAMES:
        device = known_device(name, 63)
        assert assess(steady(0.999 * holds_a(device), 24 * HOUR), device, 0.0).outcome != "must-trip"
