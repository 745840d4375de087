"""Stations that do not do what they accept are found out, counted with what they draw, and believed again."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilbench.controller.core import Core
from hilbench.controller.obedience import Obedience, rests_at_a, stray_a, worth_asking
from hilbench.controller.settings import ControllerSettings
from hilbench.controller.stations import most_drawn
from tests.controller_toy import site, toy

NOW = 1000.0
RULES = ControllerSettings()


def charging(limit_a: float = 10.0, t: float = NOW, settings: ControllerSettings = RULES) -> Core:
    """A core of one station whose car charges with a limit that it accepted long ago."""
    core = Core(site(1, fallback_a=6.0), settings, 0.0)
    core.confirmed("s0", t - 200.0, 6.0, math.inf)
    core.online("s0", t - 200.0)
    core.status("s0", t - 200.0, "Charging")
    core.confirmed("s0", t - 100.0, limit_a, 1e6)
    return core


def tell(core: Core, t: float, amps: float) -> str:
    """A report; what the station is accused of then."""
    core.report("s0", t, {"L1": amps})
    return core.stations["s0"].trust.flaw


# found out


def test_two_reports_above_the_limit_find_a_station_out() -> None:
    """The first is doubt, the second, a second later, is certainty; 1 A above is still a car's own tolerance."""
    core = charging(10.0)
    assert [tell(core, NOW, 11.0), tell(core, NOW + 1, 11.5), tell(core, NOW + 2, 11.5)] == ["", "", "ignores"]
    assert core.stations["s0"].trust.found == 1


def test_one_report_that_comes_twice_accuses_nobody() -> None:
    """A queue that is emptied in one instant, or one odd value between good ones, is not enough."""
    core = charging(10.0)
    assert [tell(core, NOW, 30.0), tell(core, NOW, 30.0), tell(core, NOW + 5, 10.0), tell(core, NOW + 6, 30.0)] == [
        "",
        "",
        "",
        "",
    ]


@given(st.lists(st.tuples(st.integers(1, 12), st.floats(0.0, 32.0)), min_size=1, max_size=20), st.floats(0.0, 1.0))
def test_a_car_that_follows_within_the_reaction_time_is_never_accused(
    steps: list[tuple[int, float]], excess_a: float
) -> None:
    """However limits change, drawing no more than the highest of the last ten seconds plus 1 A is obedience."""
    core, t = charging(16.0), NOW
    past = [(0.0, 16.0)]
    for seconds, limit_a in steps:
        core.confirmed("s0", t, limit_a, 1e6)
        past.append((t, limit_a))
        for _ in range(seconds):
            t += 1.0
            ends = [*(began for began, _limit in past[1:]), math.inf]
            highest = max(limit for (_t, limit), end in zip(past, ends, strict=True) if end > t - RULES.reaction_s)
            assert tell(core, t, (highest if highest >= 6.0 else 0.0) + excess_a) == ""


@pytest.mark.parametrize("since_s", [10.0, 30.0])
def test_a_car_that_does_not_follow_is_accused_after_the_reaction_time(since_s: float) -> None:
    """20 A ten seconds after the limit fell to 10 A: two reports, and it is out."""
    core = charging(20.0)
    core.confirmed("s0", NOW, 10.0, 1e6)
    assert [tell(core, NOW + at, 20.0) for at in (9.0, since_s, since_s + 1)] == ["", "", "ignores"]


def test_a_stubborn_car_is_counted_and_not_steered() -> None:
    """In the loop it is found out within reaction time and two samples; the others share what it leaves."""
    made = toy(3, 60.0, cars=0)
    made.plug("s0", stubborn_a=30.0)
    made.run(40)
    trust = made.core.stations["s0"].trust
    assert trust.flaw == "ignores"
    made.plug("s1", "s2")
    made.run(200)
    assert made.targets()["s0"] == 0.0
    assert max(made.totals[-190:]) <= 60.0
    assert made.granted["s1"] + made.granted["s2"] == pytest.approx(60.0 - 2.0 - 30.0, abs=1.5)


def test_the_behaviour_without_a_finding_is_that_of_cars_that_obey() -> None:
    """No car of the toy that obeys is ever accused, through arrivals, steps and departures."""
    made = toy(4, 80.0, base_a=10.0)
    for base in (10.0, 50.0, 70.0, 20.0, 0.0):
        made.base_a["L1"] = base
        made.run(120)
    made.unplug("s0", "s1")
    made.run(60)
    assert {station.trust.found for station in made.core.stations.values()} == {0}


# counted


def test_a_stray_counts_with_its_draw_while_two_reports_agree_and_with_its_nameplate_otherwise() -> None:
    """Agreeing and fresh: the report; on its way, or 45 s old: 32 A."""
    core = charging(10.0)
    station = core.stations["s0"]
    for at, amps in ((0, 20.0), (1, 20.5)):
        tell(core, NOW + at, amps)
    assert stray_a(station, RULES, NOW + 2) == 20.5
    assert stray_a(station, RULES, NOW + 46.1) == 32.0
    tell(core, NOW + 15, 14.0)
    assert stray_a(station, RULES, NOW + 16) == 32.0
    assert most_drawn(station, RULES, NOW + 16) == 32.0


def test_a_stray_whose_link_is_lost_may_take_all_that_it_can() -> None:
    """Nothing says what it does, and its fallback is not to be relied on."""
    core = charging(10.0)
    for at in (0, 1):
        tell(core, NOW + at, 20.0)
    core.offline("s0", NOW + 2)
    assert most_drawn(core.stations["s0"], RULES, NOW + 3) == 32.0


def test_limits_of_power_count_what_strays_draw() -> None:
    """Of 8 kW for all stations a stray takes 16 A x 230 V; the rest is what the others may have."""
    made = toy(3, 200.0, cars=0)
    made.plug("s0", stubborn_a=16.0)
    made.run(60)
    made.plug("s1", "s2")
    made.run(200)
    made.core.dim(8.0)
    made.run(60)
    assert sum(made.granted[role] for role in ("s1", "s2")) <= 8000.0 / 230.0 - 16.0
    assert sum(made.granted[role] for role in ("s1", "s2")) >= 15.0


# believed again


def test_belief_comes_back_with_obedience_and_more_slowly_each_time() -> None:
    """After believe_s of reports at the limit, and after twice that the second time."""
    core, t = charging(10.0), NOW
    for wait_s in (RULES.believe_s, 2 * RULES.believe_s):
        tell(core, t, 20.0)
        assert tell(core, t + 1, 20.0) == "ignores"
        began = t + 2
        flaws = {at: tell(core, began + at, 10.0) for at in range(0, int(wait_s) + 1, 10)}
        assert [at for at, flaw in flaws.items() if not flaw] == [int(wait_s)]
        t = began + wait_s + 10


def test_a_car_that_takes_less_than_half_of_its_limit_shows_nothing() -> None:
    """What a car leaves by itself is no sign that the station would hold it there."""
    core = charging(10.0)
    for at in (0, 1):
        tell(core, NOW + at, 20.0)
    assert {tell(core, NOW + at, 3.0) for at in range(10, 600, 10)} == {"ignores"}


# what may stand in a station


@pytest.mark.parametrize(("unknown", "amps"), [("fallback", 6.0), ("max", 32.0)])
def test_a_station_that_was_never_heard_of_counts_as_the_rig_says(unknown: str, amps: float) -> None:
    """Its fallback, where the site relies on it, or its nameplate."""
    rules = ControllerSettings.model_validate({"unknown_a": unknown})
    core = Core(site(1, fallback_a=6.0), rules, 0.0)
    assert most_drawn(core.stations["s0"], rules, 500.0) == amps
    core.confirmed("s0", 501.0, 6.0, math.inf)
    assert most_drawn(core.stations["s0"], rules, 502.0) == 6.0


def test_a_station_that_refuses_its_fallback_may_take_all_that_it_can_for_ever() -> None:
    """Online before its car was heard of, and offline; a limit that it accepts after all makes it one to be steered."""
    core = charging(10.0)
    fresh = core.stations["s0"].trust = Obedience()
    core.refused("s0", True)
    station = core.stations["s0"]
    assert (fresh.flaw, rests_at_a(station, RULES), most_drawn(station, RULES, NOW)) == ("refuses", 32.0, 32.0)
    core.confirmed("s0", NOW, 12.0, 30.0)
    assert fresh.flaw == ""
    assert most_drawn(station, RULES, NOW + 20) == pytest.approx(12.3)
    core.decide(NOW + 32)
    assert station.granted_a == 32.0
    core.offline("s0", NOW + 40)
    assert most_drawn(station, RULES, NOW + 500) == 32.0


def test_a_raise_without_an_answer_may_be_in_force_and_a_reduction_may_not() -> None:
    """The higher of the two limits counts until the lease of the raise would have ended."""
    core = charging(10.0)
    core.unanswered("s0", NOW, 16.0, 30.0)
    assert core.stations["s0"].granted_a == 16.0
    core.unanswered("s0", NOW + 1, 8.0, 30.0)
    assert core.stations["s0"].granted_a == 16.0


def test_a_lease_from_before_a_restart_accuses_nobody() -> None:
    """A station that still follows the controller of before is not blamed until any such lease must have ended."""
    core = Core(site(1, fallback_a=6.0), RULES, 0.0)
    core.confirmed("s0", 1.0, 6.0, math.inf)
    core.online("s0", 1.0)
    core.status("s0", 1.0, "Charging")
    assert {tell(core, at, 20.0) for at in (5.0, 15.0, 29.0, 39.0)} == {""}
    assert [tell(core, at, 20.0) for at in (41.0, 42.0)] == ["", "ignores"]


def test_what_a_station_did_alone_is_remembered() -> None:
    """Above its fallback when its link comes back: away, it counts with its nameplate from then on."""
    core = charging(10.0)
    station = core.stations["s0"]
    core.offline("s0", NOW)
    station.lease_until = NOW + 30
    core.decide(NOW + 40)
    assert most_drawn(station, RULES, NOW + 40) == 6.0
    core.confirmed("s0", NOW + 100, 6.0, math.inf)
    core.online("s0", NOW + 100)
    core.status("s0", NOW + 100, "Charging")
    assert [tell(core, NOW + at, 31.0) for at in (101, 102)] == ["", "ignores"]
    for at in range(110, 300, 10):
        tell(core, NOW + at, 6.0)
    core.offline("s0", NOW + 300)
    assert (station.trust.flaw, most_drawn(station, RULES, NOW + 400)) == ("", 32.0)


def test_currents_that_cannot_be_are_no_report() -> None:
    """16 000 mA labelled A tells nothing, and that is noted; three times the branch's 40 A may be a sum."""
    core = charging(10.0)
    station = core.stations["s0"]
    tell(core, NOW, 16_000.0)
    assert (station.reported_a, station.trust.garbled) == (None, True)
    tell(core, NOW + 1, 120.0)
    assert (station.reported_a, station.trust.garbled) == (120.0, False)


# asking


def asked(core: Core, seconds: int, report_a: float | None = None) -> list[float]:
    """When a report would be asked for in the next ``seconds``; each answered with ``report_a``."""
    found, station = [], core.stations["s0"]
    for at in range(seconds):
        t = NOW + at
        if worth_asking(station, core.settings, t):
            station.trust.asked_t = t
            found.append(float(at))
            if report_a is not None:
                core.report("s0", t, {"L1": report_a})
    return found


def test_a_reduction_that_matters_is_checked_once_when_it_should_have_been_followed() -> None:
    """20 to 10 A: one question after ten seconds, however often one looks, and none for a small step."""
    core = charging(20.0)
    tell(core, NOW - 1, 20.0)
    core.confirmed("s0", NOW, 10.0, 1e6)
    assert asked(core, 60) == [10.0]
    small = charging(20.0)
    tell(small, NOW - 1, 20.0)
    small.confirmed("s0", NOW, 17.0, 1e6)
    assert asked(small, 60) == []


def test_an_answer_of_too_much_is_asked_about_once_more() -> None:
    """The second answer finds the station out, a second after the reaction time, and no more is asked."""
    core = charging(20.0)
    tell(core, NOW - 1, 20.0)
    core.confirmed("s0", NOW, 10.0, 1e6)
    assert asked(core, 60, report_a=20.0) == [10.0, 11.0]
    assert core.stations["s0"].trust.flaw == "ignores"


def test_a_report_that_came_by_itself_is_not_asked_for() -> None:
    """Nor is anything where nobody wants it, or where no car charges."""
    core = charging(20.0)
    core.confirmed("s0", NOW, 10.0, 1e6)
    tell(core, NOW + 10, 10.0)
    assert asked(core, 60) == []
    never = charging(20.0, settings=ControllerSettings(verify_a=0.0))
    tell(never, NOW - 1, 20.0)
    never.confirmed("s0", NOW, 10.0, 1e6)
    assert asked(never, 60) == []
    idle = charging(20.0)
    idle.status("s0", NOW, "Available")
    assert asked(idle, 60) == []
