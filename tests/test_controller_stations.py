"""Within which bounds a station's draw is known while its car follows a limit."""

from __future__ import annotations

import pytest

from hilbench.controller.building import BuildingEstimate
from hilbench.controller.peaks import Hold
from hilbench.controller.settings import ControllerSettings
from hilbench.controller.stations import StationState, known_draw, least_drawn, most_drawn, settled
from hilbench.site import Branch

RULES = ControllerSettings()


def changed(before_a: float, after_a: float) -> StationState:
    """A station whose car drew ``before_a`` for long and was told ``after_a`` at 100 s."""
    branch = Branch(role="s0", branch_a=40.0, max_a=32.0, connection="L1-N")
    station = StationState(branch, 0, 32.0, online=True, known=True, status="Charging", wants=True, begun=True)
    station.trust.told = True
    station.granted_a, station.before_a, station.granted_t = after_a, (before_a, before_a), 100.0
    station.raised_t = 100.0 if after_a > before_a else 0.0
    station.reported_a, station.reported_t = before_a, 99.0
    return station


def told(station: StationState, t: float, amps: float) -> StationState:
    """Its report."""
    station.reported_a, station.reported_t = amps, t
    return station


@pytest.mark.parametrize(("amps", "followed"), [(8.0, False), (13.0, False), (15.8, True), (16.2, True)])
def test_a_raise_is_followed_when_the_car_says_so(amps: float, followed: bool) -> None:
    """Only what a car draws that has arrived counts; then its draw is known before settle_s is over."""
    station = told(changed(8.0, 16.0), 104.0, amps)
    assert settled(station, RULES, 104.0) == followed
    assert known_draw(station, RULES) == followed
    assert least_drawn(station, RULES) == (amps if followed else 8.0)


def test_a_report_from_before_a_raise_says_nothing_of_it() -> None:
    """The last report before the raise showed as much, at a higher limit then."""
    station = told(changed(8.0, 16.0), 99.0, 16.0)
    assert not settled(station, RULES, 104.0)


def test_a_reduction_is_known_after_the_settling_time_only() -> None:
    """A car on its way down may go below its limit."""
    station = told(changed(16.0, 8.0), 104.0, 8.0)
    assert not known_draw(station, RULES)


def test_a_slow_car_is_no_load_while_it_says_that_it_is_slow() -> None:
    """It draws 14 A still when most cars have followed: without its report that looks like 6 A of building."""
    assert most_drawn(changed(16.0, 8.0), RULES, 105.0) == pytest.approx(8.3)
    assert most_drawn(told(changed(16.0, 8.0), 105.0, 14.0), RULES, 105.0) == 14.0
    assert most_drawn(told(changed(16.0, 8.0), 105.0, 14.0), RULES, 107.0) == pytest.approx(8.3)


def test_a_car_that_goes_down_draws_no_more_than_it_reported() -> None:
    """Within the time that cars have to follow, a report counts instead of what was drawn before."""
    assert most_drawn(told(changed(16.0, 8.0), 101.0, 12.0), RULES, 103.0) == 12.0
    assert most_drawn(changed(16.0, 8.0), RULES, 103.0) == 16.0


def test_a_car_that_was_on_its_way_up_may_go_up_still() -> None:
    """Raised 4 s before it was reduced: what it reports next is not the most."""
    station = told(changed(16.0, 8.0), 101.0, 12.0)
    station.raised_t = 96.0
    assert most_drawn(station, RULES, 103.0) == 16.0


def estimate(*samples: float) -> list[float]:
    """The building beside a car of 10 A, after each sample of the meter."""
    building = BuildingEstimate(1, Hold(45.0, 5.0, 120.0))
    found = []
    for t, amps in enumerate(samples):
        building.update(float(t), [amps], ([10.0], [10.0]))
        found.append(float(building.base[0]))
    return found


def test_the_estimate_moves_to_what_a_sample_says() -> None:
    """Not only as far that it contradicts the sample no longer: that leaves 0.3 A of every rise unseen."""
    assert estimate(30.0, 40.0, 40.0, 25.0) == [20.0, 30.0, 30.0, 15.0]


def test_noise_does_not_move_the_estimate() -> None:
    """0.2 A up and down is within what meters and stations may contradict each other."""
    assert estimate(30.0, 30.2, 29.8, 30.2) == [20.0] * 4


def test_relative_errors_explain_a_fall_but_no_rise() -> None:
    """At 400 A a rise of 1 A is believed, a fall of 1 A may be an error of 0.5 %."""
    assert estimate(400.0, 401.0, 401.0, 400.0) == [390.0, 391.0, 391.0, 391.0]
