"""Verdicts on a measured pilot: kept by U, missed by more than U, or open."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hilbench.metrics.pilot import Reading, measure
from hilbench.metrics.pilot_table import Limit
from hilbench.metrics.pilot_verdicts import Check, checks
from hilbench.pilot_limits import pilot_limits
from tests.pilot_waves import LOAD_OHM, Circuit, Scope, pwm

TEN = Limit("ten", 9.0, 11.0, "V", "test", "policy-default")


def verdicts(
    duty: float, circuit: Circuit, limit_a: float | None = None, hz: float = 1000.0, **options: str
) -> dict[str, bool | None]:
    """Name of each check and whether it was kept."""
    scope = Scope()
    record = scope.take(pwm(duty, scope.duration_s, hz, -3e-4, circuit), circuit, np.random.default_rng(1))
    table, windows = options.get("table", "iec2017"), options.get("windows", "corners")
    found = checks(measure(record, table=table), pilot_limits(table), limit_a, windows)
    return {check.limit.name: check.kept for check in found}


@pytest.mark.parametrize(
    ("value", "u", "kept"),
    [
        (10.0, 0.9, True), (11.0, 0.0, True), (10.95, 0.1, None), (11.05, 0.1, None), (11.2, 0.1, False),
        (9.0, 0.0, True), (9.05, 0.1, None), (8.8, 0.1, False), (10.0, 1.5, None), (math.nan, math.nan, None),
        (math.inf, 0.0, False),
    ],
)  # fmt: skip
def test_a_limit_is_kept_by_the_uncertainty_or_not(value: float, u: float, kept: bool | None) -> None:
    """Both edges of a limit, with U on either side; what has no value is open, what never happened is missed."""
    assert Check(Reading(value, u), TEN).kept is kept


@pytest.mark.parametrize("state", "ABCD")
def test_a_good_pilot_keeps_everything(state: str) -> None:
    """16 A in each state: state, frequency, low level, duty and current."""
    found = verdicts(16.0 / 0.6, Circuit(LOAD_OHM[state]), 16.0)
    assert found == dict.fromkeys(
        (f"state {state}", "frequency", "low level", "duty for 16 A", "current that a car may draw"), True
    )


@pytest.mark.parametrize(("points", "kept"), [(-0.51, False), (-0.49, True), (0.49, True), (0.51, False)])
def test_the_duty_is_judged_at_both_edges(points: float, kept: bool) -> None:
    """5 us of IEC 61851-1 are half a point at 1 kHz; the capacitance, which moves 0.05 points, does not count."""
    assert verdicts(30.0 + points, Circuit(), 18.0)["duty for 18 A"] is kept


def test_j1772_is_five_times_wider() -> None:
    """2 points off are too many for IEC and few enough for J1772."""
    assert verdicts(32.0, Circuit(), 18.0)["duty for 18 A"] is False
    assert verdicts(32.0, Circuit(), 18.0, table="j1772_2017")["duty for 18 A"] is True


@pytest.mark.parametrize(("hz", "iec", "j1772"), [(1004.5, True, True), (1006.0, False, True), (1021.0, False, False)])
def test_the_frequency_is_judged_by_the_edition(hz: float, iec: bool, j1772: bool) -> None:
    """0.5 % of IEC 61851-1, 2 % of J1772."""
    assert verdicts(30.0, Circuit(), hz=hz)["frequency"] is iec
    assert verdicts(30.0, Circuit(), hz=hz, table="j1772_2017")["frequency"] is j1772


@pytest.mark.parametrize(
    ("down_v", "corners", "iec"), [(-11.5, True, True), (-11.2, False, True), (-10.7, False, False)]
)
def test_a_weak_negative_rail_is_found(down_v: float, corners: bool, iec: bool) -> None:
    """-10.7 V is missed by all, -11.2 V by the narrow window alone."""
    assert verdicts(30.0, Circuit(down_v=down_v))["low level"] is corners
    assert verdicts(30.0, Circuit(down_v=down_v), windows="iec")["low level"] is iec


def test_a_missing_diode_is_found() -> None:
    """Without it the low level is -5.6 V in state C."""
    assert verdicts(30.0, Circuit(diode=False))["low level"] is False


def test_a_station_off_by_three_points_offers_too_little() -> None:
    """16 A sent as 23.9 % (a real kit, openevse_esp32 #588): the duty is missed, the car is safe."""
    found = verdicts(23.9, Circuit(), 16.0)
    assert (found["duty for 16 A"], found["current that a car may draw"]) == (False, True)


def test_a_station_that_offers_too_much_fails_twice() -> None:
    """16 A sent as 30 %."""
    found = verdicts(30.0, Circuit(), 16.0)
    assert (found["duty for 16 A"], found["current that a car may draw"]) == (False, False)


def test_what_cannot_be_offered_must_not_be() -> None:
    """5 A commanded: any duty that means a current is a failure."""
    assert verdicts(10.0, Circuit(), 5.0)["duty for no charging"] is False
    assert verdicts(5.0, Circuit(), 5.0)["duty for no charging"] is True


def test_a_level_without_wave_has_one_check() -> None:
    """In B1 there is a window and nothing else to judge."""
    from hilbench.waveform import Waveform

    (check,) = checks(measure(Waveform(np.full(5000, 9.0), 1e-6)), pilot_limits("iec2017"), 16.0)
    assert (check.limit.name, check.kept) == ("state B", True)
