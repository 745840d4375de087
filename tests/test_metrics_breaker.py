"""The thermal-memory model against the gates of the product standards and against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilbench.metrics.breaker import (
    UL_489_SLOW,
    Breaker,
    Thermal,
    assess,
    iec_60898,
    tau_for,
    thermal_history,
    trip_time,
    ul_489,
)
from hilbench.metrics.polyline import Polyline

HOUR = 3600.0


def line(*corners: tuple[float, float]) -> Polyline:
    """A polyline from its (time, value) corners."""
    t, v = zip(*corners, strict=True)
    return np.array(t, dtype=float), np.array(v, dtype=float)


def slow_trip(breaker: Breaker, *steps: tuple[float, float]) -> float:
    """Trip time of the slow element, cold, for steps of (multiple of rating, seconds)."""
    corners, t = [], 0.0
    for multiple, seconds in steps:
        corners += [(t, multiple * breaker.rating_a), (t + seconds, multiple * breaker.rating_a)]
        t += seconds
    return thermal_history(line(*corners), breaker.rating_a, breaker.slow, 0.0).trip_s


@pytest.mark.parametrize(("rating", "t200", "k"), UL_489_SLOW)
def test_ul_489_gates(rating: float, t200: float, k: float) -> None:
    """Every UL 489 rating holds 100 % for 3 h, trips at 135 % within 1 h or 2 h, and at 200 % in its time."""
    breaker = ul_489(rating)
    assert slow_trip(breaker, (1.0, 3 * HOUR)) == math.inf
    assert 0 < slow_trip(breaker, (1.35, 3 * HOUR)) <= (1 if rating <= 50 else 2) * HOUR
    assert slow_trip(breaker, (2.0, HOUR)) == pytest.approx(t200, abs=1e-3)


def test_a_gate_is_missed_by_a_wrong_time_constant() -> None:
    """The gate check can fail: a 100 A breaker with the heat of a 2000 A one does not trip at 200 % in 6 min."""
    lazy = Breaker("UL 489", 100, ul_489(2000).slow, ul_489(2000).fast)
    assert slow_trip(lazy, (2.0, HOUR)) > 360


@pytest.mark.parametrize(("rating", "limit"), [(16, 60.0), (32, 60.0), (40, 120.0), (63, 120.0)])
def test_iec_60898_gates(rating: float, limit: float) -> None:
    """1.13 In holds for 1 h, then 1.45 In trips within 1 h; 2.55 In trips in its time and not before 1 s."""
    breaker = iec_60898(rating)
    assert slow_trip(breaker, (1.13, HOUR)) == math.inf
    assert HOUR < slow_trip(breaker, (1.13, HOUR), (1.45, HOUR)) <= 2 * HOUR
    assert slow_trip(breaker, (2.55, HOUR)) == pytest.approx(limit, abs=0.1)
    assert trip_time(2.55, breaker.fast) == pytest.approx(1.0, abs=0.01)
    assert trip_time(1.13, breaker.fast) == math.inf


def test_the_iec_sequence_takes_the_time_that_simulation_gave() -> None:
    """After an hour at 1.13 In the slow element up to 32 A trips 870 s into 1.45 In."""
    assert slow_trip(iec_60898(32), (1.13, HOUR), (1.45, HOUR)) - HOUR == pytest.approx(870, abs=5)


@pytest.mark.parametrize(("multiple", "ul_100", "iec_32"), [(1.4, 1338, math.inf), (2.0, 257, 88), (3.0, 90, 30)])
def test_trip_times_after_80_percent_preload(multiple: float, ul_100: float, iec_32: float) -> None:
    """Reference trip times after a long 80 % load, by closed form and by simulation alike."""
    for breaker, expected in ((ul_489(100), ul_100), (iec_60898(32), iec_32)):
        assert trip_time(multiple, breaker.slow, 0.8) == pytest.approx(expected, abs=0.6)
        current = line((0, multiple * breaker.rating_a), (HOUR, multiple * breaker.rating_a))
        found = thermal_history(current, breaker.rating_a, breaker.slow, 0.8 * breaker.rating_a)
        assert found.trip_s == pytest.approx(expected, abs=0.6)


@pytest.mark.parametrize(("response", "fraction"), [(120, 0.542), (300, 0.632), (590, 0.73)])
def test_a_slow_controller_heats_a_breaker_without_tripping_it(response: float, fraction: float) -> None:
    """92 A, then 127 A on a 100 A breaker for ten minutes: three quarters of the trip value, no trip."""
    current = line((0, 92), (10, 92), (10, 127), (10 + response, 127), (10 + response, 95), (3000, 95))
    found = assess(current, ul_489(100))
    assert found.fraction == pytest.approx(fraction, abs=0.002)
    assert found.outcome == "indeterminate"
    assert found.must_trip_s == math.inf


def test_the_three_outcomes() -> None:
    """Within the rating nothing can trip; a little above it may; far above it must, at the time of the closed form."""
    breaker = ul_489(100)
    assert assess(line((0, 100), (HOUR, 100)), breaker).outcome == "cannot-trip"
    assert assess(line((0, 80), (9, 80), (9, 101), (12, 101)), breaker).outcome == "indeterminate"
    hot = assess(line((0, 80), (9, 80), (9, 200), (HOUR, 200)), breaker)
    assert hot.outcome == "must-trip"
    assert hot.may_trip_s == 9.0
    assert hot.must_trip_s == pytest.approx(9 + trip_time(2.0, breaker.slow, 0.8), abs=1e-3)


def test_an_iec_breaker_bears_a_short_excess() -> None:
    """The fastest permitted IEC element does not trip on 1.3 In for 0.5 s after 80 %, but may after 10 s."""
    breaker = iec_60898(40)
    brief = line((0, 32), (5, 32), (5, 52), (5.5, 52), (5.5, 32), (20, 32))
    assert assess(brief, breaker).outcome == "cannot-trip"
    assert assess(line((0, 32), (5, 32), (5, 52), (15, 52)), breaker).outcome == "indeterminate"


def test_the_magnetic_element_trips_at_once() -> None:
    """A C curve may trip from 5 In and must from 10 In, however short; a D curve bears 5 In for 10 ms."""
    peak_5 = line((0, 10), (1, 10), (1, 80), (1.01, 80), (1.01, 10), (5, 10))
    peak_10 = line((0, 10), (1, 10), (1, 160), (1.01, 160), (1.01, 10), (5, 10))
    assert assess(peak_5, iec_60898(16, "C")).outcome == "indeterminate"
    assert assess(peak_10, iec_60898(16, "C")).must_trip_s == 1.0
    assert assess(peak_5, iec_60898(16, "D")).outcome == "cannot-trip"


def test_a_cold_start_is_cooler_than_a_preloaded_one() -> None:
    """The default is that the first value had flowed for long."""
    current = line((0, 100), (60, 100))
    assert assess(current, ul_489(100)).fraction == pytest.approx(1 / 1.3499**2)
    assert assess(current, ul_489(100), preload_a=0.0).fraction < 0.1


def stepped(signal: Polyline, rating: float, thermal: Thermal, dt: float = 1e-3) -> float:
    """Largest theta / k^2 by small steps with the current held at its middle."""
    t = np.arange(signal[0][0] + dt / 2, signal[0][-1], dt)
    i = np.interp(t, *signal) / rating
    theta = top = (signal[1][0] / rating) ** 2
    for x in (i * i).tolist():
        theta = x + (theta - x) * math.exp(-dt / thermal.tau_s)
        top = max(top, theta)
    return float(top / thermal.k**2)


@pytest.mark.parametrize("tau", [0.7, 4.57, 197.4, 2500.0])
def test_ramps_agree_with_small_steps(tau: float) -> None:
    """Up and down ramps, with the hottest moment inside a falling one, agree with 1 ms steps within 1e-6."""
    signal = line((0, 20), (1, 95), (3, 140), (3.2, 10), (4, 160), (9, 0), (10, 60))
    thermal = Thermal(1.3, tau)
    assert thermal_history(signal, 100, thermal).fraction == pytest.approx(stepped(signal, 100, thermal), abs=1e-6)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.floats(1e-9, 50), st.floats(0, 300)), min_size=1, max_size=10),
    st.floats(0.5, 3000),
)
def test_theta_never_leaves_the_range_of_the_squared_current(pieces: list[tuple[float, float]], tau: float) -> None:
    """However short or steep a piece, heat stays between the least and the greatest squared current so far."""
    t = np.concatenate(([0.0], np.cumsum([length for length, _ in pieces])))
    i = np.array([50.0, *(value for _, value in pieces)])
    found = thermal_history((t, i), 100, Thermal(1.35, tau))
    assert found.fraction * 1.35**2 <= max(0.25, float(np.max(i / 100) ** 2)) + 1e-9
    assert (found.theta >= min(0.25, float(np.min(i / 100) ** 2)) - 1e-9).all()
    assert found.fraction * 1.35**2 >= found.theta.max() - 1e-12


@settings(deadline=None)
@given(st.floats(1e-9, 30.0), st.floats(0.5, 3000))
def test_an_extra_corner_changes_nothing(at: float, tau: float) -> None:
    """Cutting a ramp in two leaves the heat as it was: the pieces are exact."""
    whole, cut = line((0, 30), (30, 210), (60, 60)), 30 + 6 * at
    parts = line((0, 30), (at, cut), (30, 210), (60, 60))
    one, two = (thermal_history(x, 100, Thermal(1.35, tau)) for x in (whole, parts))
    assert one.theta[-1] == pytest.approx(two.theta[-1], abs=1e-12)
    assert one.fraction == pytest.approx(two.fraction, abs=1e-9)
    assert one.trip_s == pytest.approx(two.trip_s, abs=1e-6)


def test_time_constant_and_trip_time_are_inverse() -> None:
    """tau_for gives the element that trips at the gate it was made for."""
    assert trip_time(2.0, Thermal(1.35, tau_for(2.0, 360, 1.35))) == pytest.approx(360)
    assert trip_time(2.0, Thermal(1.35, 100), preload=1.4) == 0.0
    assert trip_time(1.2, Thermal(1.0, 0.0)) == 0.0


def test_ratings_and_curves_without_data_are_refused() -> None:
    """No gate, no verdict: 5000 A UL, 160 A IEC and curve Z raise."""
    with pytest.raises(ValueError, match="asked for 5000 A"):
        ul_489(5000)
    with pytest.raises(ValueError, match="asked for 160 A"):
        iec_60898(160)
    with pytest.raises(ValueError, match="curve 'Z'"):
        iec_60898(16, "Z")
