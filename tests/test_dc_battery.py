"""The battery behind DC charging: exact in energy and charge, the same however often it is looked at."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilbench_emulators.dc.battery import GENERIC_NMC, Battery, Cells, advance
from hilbench_emulators.dc.piecewise import Piecewise, ramped

BATTERY = Battery.of_energy(58.0, 108, 0.08)
CAR_A = st.floats(-200.0, 400.0)
SOC = st.floats(0.1, 0.9)


@given(st.lists(st.tuples(st.floats(0.01, 5.0), st.floats(-10.0, 10.0)), min_size=2, max_size=6), st.floats(-5.0, 40.0))
def test_an_area_is_the_integral(steps: list[tuple[float, float]], x: float) -> None:
    """The area of a curve is the sum of its values, beyond its ends as well."""
    corners, at = [], 0.0
    for width, y in steps:
        corners.append((at, y))
        at += width
    curve = Piecewise(corners)
    parts = sorted({0.0, x, *(corner[0] for corner in corners)})
    low, high = min(0.0, x), max(0.0, x)
    inside = [part for part in parts if low <= part <= high]
    total = sum((b - a) * curve.at((a + b) / 2.0) for a, b in pairwise(inside))
    assert curve.area(x) == pytest.approx(math.copysign(total, total * x), abs=1e-9)


@given(st.floats(3.3, 4.18))
def test_the_inverse_leads_back(volts: float) -> None:
    """The state of charge at which a cell has a voltage has that voltage."""
    assert GENERIC_NMC.at(GENERIC_NMC.inverse(volts)) == pytest.approx(volts, abs=1e-12)


@pytest.mark.parametrize(
    "corners", [[(0, 1)], [(0, 1), (0, 2)], [(1, 1), (0, 2)], [(0, 1), (1, math.nan)], [(0, 1), (math.inf, 2)]]
)
def test_a_curve_that_is_none_is_refused(corners: list[tuple[float, float]]) -> None:
    """One corner, corners out of order and numbers that are none raise."""
    with pytest.raises(ValueError, match="corners"):
        Piecewise(corners)


@given(st.floats(-100.0, 100.0), st.floats(-100.0, 100.0), st.floats(0.0, 20.0), st.floats(0.0, 20.0))
def test_a_ramp_may_be_looked_at_on_its_way(present: float, target: float, first_s: float, second_s: float) -> None:
    """Two parts of a ramp end where the whole ends, also through zero."""
    whole = ramped(present, target, 10.0, 25.0, first_s + second_s)
    halfway = ramped(present, target, 10.0, 25.0, first_s)
    assert ramped(halfway, target, 10.0, 25.0, second_s) == pytest.approx(whole, abs=1e-9)


def test_a_ramp_through_zero_shrinks_first_and_then_grows() -> None:
    """From 50 A to -20 A: two seconds at 25 A/s, then two at 10 A/s."""
    assert ramped(50.0, -20.0, 10.0, 25.0, 1.0) == 25.0
    assert ramped(50.0, -20.0, 10.0, 25.0, 3.0) == -10.0
    assert ramped(50.0, -20.0, 10.0, 25.0, 4.0) == -20.0
    assert ramped(50.0, 40.0, 10.0, 25.0, 9.0) == 40.0


def test_a_full_charge_stores_the_usable_energy() -> None:
    """The capacity in coulombs is that of the energy between empty and full."""
    assert BATTERY.stored_j(1.0) - BATTERY.stored_j(0.0) == pytest.approx(58.0 * 3.6e6, rel=1e-12)


@given(SOC, CAR_A, CAR_A, st.floats(0.0, 30.0))
def test_energy_is_balanced(soc: float, start_a: float, end_a: float, dt_s: float) -> None:
    """What is taken is stored or lost, and the terminals' voltage times current says the same."""
    after = advance(BATTERY, Cells(soc), start_a, end_a, dt_s)
    stored = BATTERY.stored_j(after.soc) - BATTERY.stored_j(soc)
    assert after.taken_j == pytest.approx(stored + after.lost_j, abs=1e-6)
    assert after.lost_j >= 0.0
    count = 400
    taken = 0.0
    for i in range(count):
        share = (i + 0.5) / count
        amps = start_a + (end_a - start_a) * share
        there = advance(BATTERY, Cells(soc), start_a, amps, dt_s * share)
        taken += BATTERY.voltage_v(there.soc, amps) * amps * dt_s / count
    assert after.taken_j == pytest.approx(taken, rel=1e-4, abs=50.0)


@given(SOC, CAR_A, CAR_A, st.floats(0.1, 60.0), st.floats(0.0, 1.0))
def test_a_look_changes_nothing(soc: float, start_a: float, end_a: float, dt_s: float, share: float) -> None:
    """Advancing along a straight change of current in two steps is advancing in one."""
    once = advance(BATTERY, Cells(soc), start_a, end_a, dt_s)
    between_a = start_a + (end_a - start_a) * share
    halfway = advance(BATTERY, Cells(soc), start_a, between_a, dt_s * share)
    twice = advance(BATTERY, halfway, between_a, end_a, dt_s * (1.0 - share))
    assert twice.soc == pytest.approx(once.soc, abs=1e-12)
    assert twice.taken_j == pytest.approx(once.taken_j, rel=1e-9, abs=1e-5)
    assert twice.lost_j == pytest.approx(once.lost_j, rel=1e-9, abs=1e-5)


@given(SOC, st.floats(-200_000.0, 300_000.0))
def test_a_power_has_its_current(soc: float, power_w: float) -> None:
    """Voltage times the current of a power is that power, taken or given."""
    amps = BATTERY.current_a(soc, power_w)
    assert amps * BATTERY.voltage_v(soc, amps) == pytest.approx(power_w, rel=1e-9, abs=1e-6)


def test_more_than_it_can_give_is_its_most() -> None:
    """Beyond the greatest power that a resistance lets through, the current is that of the greatest power."""
    most_a = BATTERY.open_v(0.5) / 2.0 / BATTERY.resistance_ohm
    assert BATTERY.current_a(0.5, -1e9) == pytest.approx(-most_a)
    assert BATTERY.voltage_v(0.5, -most_a) == pytest.approx(BATTERY.open_v(0.5) / 2.0)


@settings(max_examples=30)
@given(SOC, st.floats(1.0, 300.0), st.floats(1.0, 600.0))
def test_there_and_back_costs_the_loss(soc: float, amps: float, dt_s: float) -> None:
    """Charging and discharging the same charge leads to the same state, less what the resistance took."""
    there = advance(BATTERY, Cells(soc), amps, amps, dt_s)
    back = advance(BATTERY, there, -amps, -amps, dt_s)
    assert back.soc == pytest.approx(soc, abs=1e-12)
    assert back.taken_j == pytest.approx(2.0 * BATTERY.resistance_ohm * amps * amps * dt_s, rel=1e-6, abs=1e-3)
