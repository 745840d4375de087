"""The core of the reference controller, driven by hand and in a closed loop with a toy site."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from hilbench.controller.core import Core, Setpoint
from hilbench.controller.settings import ControllerSettings
from hilbench.controller.watch import MeterSample
from hilbench.site import Feeder
from tests.controller_toy import Toy, site, toy

QUICK = ControllerSettings(raise_hold_s=5.0, rotation_s=120.0, resume_hold_s=10.0)


def settled(count: int = 4, budget_a: float = 80.0, base_a: float = 10.0, **options: Any) -> Toy:
    """A toy whose cars have had five minutes to come up."""
    made = toy(count, budget_a, base_a=base_a, **options)
    made.run(300)
    return made


# one sample, one action


def test_a_sample_is_acted_on_once() -> None:
    """A step is answered once: deciding again, or reading the same sample again, changes nothing more."""
    site_toy = settled()
    site_toy.base_a["L1"] = 90.0
    site_toy.advance()
    sample = site_toy.sample()
    site_toy.core.meter(sample)
    first = site_toy.decide()
    assert first
    for _ in range(3):
        site_toy.core.meter(sample)
        assert site_toy.decide() == []


def test_a_sample_with_an_old_number_is_not_looked_at() -> None:
    """Values that come under a number that was seen are ignored, however bad they are."""
    site_toy = settled()
    site_toy.advance()
    good = site_toy.sample()
    site_toy.core.meter(good)
    site_toy.decide()
    before = site_toy.core.building.base.copy()
    site_toy.core.meter(MeterSample(good.t, good.number, {"L1": 500.0}, good.voltages, good.powers, (1, 2)))
    assert (site_toy.core.building.base == before).all()
    assert site_toy.decide() == []


def test_cars_that_are_still_following_are_not_told_again() -> None:
    """While cars take seconds to go down, samples that still show the overload bring no further reduction."""
    site_toy = settled()
    site_toy.base_a["L1"] += 30.0
    site_toy.run(3)
    told = site_toy.targets()
    site_toy.run(12)
    assert site_toy.targets() == told


# down at once, up slowly


def test_an_overload_above_the_rating_is_shed_with_one_sample() -> None:
    """Above the main breaker's rating the first sample already brings everybody to the final share."""
    site_toy = settled()
    site_toy.base_a["L1"] = 50.0
    site_toy.run(1)
    assert sum(site_toy.targets().values()) <= 80.0 - 50.0
    assert min(site_toy.targets().values()) >= 6.0


def test_below_the_rating_two_samples_must_agree() -> None:
    """A rise that lasts one sample moves nobody; one that stays is shed in one step with the second."""
    site_toy = settled()
    before = site_toy.targets()
    site_toy.base_a["L1"] = 25.0
    site_toy.run(1)
    assert site_toy.targets() == before
    site_toy.run(1)
    dropped = site_toy.targets()
    assert sum(dropped.values()) <= 80.0 - 25.0
    assert all(dropped[role] < before[role] for role in before)


def test_a_motor_start_moves_nobody() -> None:
    """15 A more for one second between calm ones: no limit moves by more than what the estimate may be off."""
    site_toy = settled()
    before = site_toy.targets()
    site_toy.base_a["L1"] += 15.0
    site_toy.run(1)
    site_toy.base_a["L1"] -= 15.0
    for _ in range(60):
        site_toy.run(1)
        assert site_toy.targets() == pytest.approx(before, abs=0.5)


def test_headroom_that_a_peak_leaves_counts_after_the_hold_time() -> None:
    """After a load that was on for less than steady_s goes, nobody is raised for raise_hold_s, then somebody is."""
    site_toy = settled()
    site_toy.base_a["L1"] = 40.0
    site_toy.run(60)
    site_toy.base_a["L1"] = 10.0
    before = site_toy.targets()
    site_toy.run(44)
    assert site_toy.targets() == before
    site_toy.run(10)
    assert sum(site_toy.targets().values()) > sum(before.values())


def test_headroom_that_a_steady_load_leaves_counts_soon() -> None:
    """A load that has run for minutes and ends is waited for only quick_hold_s."""
    site_toy = settled(base_a=40.0)
    site_toy.base_a["L1"] = 10.0
    before = site_toy.targets()
    site_toy.run(5)
    assert site_toy.targets() == before
    site_toy.run(3)
    assert sum(site_toy.targets().values()) > sum(before.values())


def test_a_steady_load_that_came_back_is_waited_for() -> None:
    """Where a load that runs for minutes comes back after seconds, its headroom is left alone the next time."""
    site_toy = settled(base_a=40.0)
    for seconds, amps in ((20, 10.0), (150, 40.0)):
        site_toy.base_a["L1"] = amps
        site_toy.run(seconds)
    before = site_toy.targets()
    site_toy.base_a["L1"] = 10.0
    site_toy.run(44)
    assert site_toy.targets() == before


def test_raises_are_small_and_wait_for_each_other() -> None:
    """No raise is above raise_step_a, and the next of a station comes once its car reports what it was given."""
    site_toy = settled(2, 80.0, base_a=50.0)
    site_toy.base_a["L1"] = 0.0
    seen = dict(site_toy.granted)
    raised: dict[str, float] = {}
    for _ in range(200):
        site_toy.run(1)
        for role, amps in site_toy.granted.items():
            if amps > seen[role]:
                assert amps - seen[role] <= site_toy.settings.raise_step_a + 1e-9
                assert site_toy.core.stations[role].reported_t > raised.get(role, -math.inf)
                raised[role] = site_toy.t
        seen = dict(site_toy.granted)
    assert set(site_toy.granted.values()) == {32.0}


def test_all_raises_in_flight_stay_within_their_share_of_the_limit() -> None:
    """Twenty arrivals on 400 A are let in a few at a time: what they were given and do not draw yet is at most 15 %."""
    site_toy = toy(20, 400.0)
    for _ in range(120):
        site_toy.run(1)
        drawn = sum(car.drawn_a for car in site_toy.cars.values())
        assert sum(site_toy.granted.values()) - drawn <= 0.15 * 400.0 + 1e-6
    assert sum(site_toy.granted.values()) > 360.0


def test_more_may_be_in_flight_where_reports_come_often() -> None:
    """What a raise could hide is hidden for less time: 15 % for reports every 15 s, more for 5 s, no less for 60."""
    shares = [ControllerSettings(sample_s=seconds).raise_in_flight for seconds in (5, 15, 60)]
    assert shares == pytest.approx([0.15 * 25.0 / 15.0, 0.15, 0.15])


@pytest.mark.parametrize("budget_a", [10.0, 16.0, 25.6, 32.0, 40.0, 60.0])
def test_a_small_service_charges_its_car_with_all_there_is(budget_a: float) -> None:
    """Also where a share of the limit is less than 6 A, a car starts and comes up to what the service can give."""
    site_toy = toy(1, budget_a)
    site_toy.run(300)
    assert site_toy.granted["s0"] == pytest.approx(min(budget_a - 2.0, 32.0), abs=1.0)


# granted and not yet drawn


def test_two_arrivals_do_not_get_the_same_headroom() -> None:
    """Cars that have not begun to draw count with what they were granted: together they stay below the budget."""
    site_toy = toy(8, 60.0, base_a=20.0)
    for car in site_toy.cars.values():
        car.demand_a = 0.0
    for _ in range(120):
        site_toy.run(1)
        assert sum(site_toy.granted.values()) + 20.0 <= 60.0
    assert sum(amps >= 6.0 for amps in site_toy.granted.values()) == 6


def test_a_car_that_starts_late_finds_its_current_still_reserved() -> None:
    """A car that drew nothing for a minute and then all it may overloads nothing."""
    site_toy = toy(3, 60.0, base_a=10.0)
    site_toy.cars["s0"].demand_a = 0.0
    site_toy.run(60)
    site_toy.cars["s0"].demand_a = 32.0
    site_toy.run(120)
    assert max(site_toy.totals) <= 60.0


def test_a_raise_waits_for_a_reduction_that_is_not_confirmed() -> None:
    """A station that cannot be told keeps its current; the newcomer is not given it while its limit stands."""
    site_toy = settled(2, 80.0, base_a=40.0, cars=1)
    assert site_toy.granted["s0"] == 32.0
    site_toy.deaf.add("s0")
    site_toy.plug("s1")
    for _ in range(int(site_toy.settings.lease_s) + 60):
        site_toy.run(1)
        assert site_toy.totals[-1] <= 80.0
        assert sum(site_toy.granted.values()) + 40.0 <= 80.0


# never below six amperes


def test_every_limit_is_nothing_or_six_amperes_and_more() -> None:
    """When the building takes ever more, cars go down to 6 A together, then some are paused; none gets less."""
    site_toy = settled(6, 80.0)
    for base in range(10, 90, 4):
        site_toy.base_a["L1"] = float(base)
        site_toy.run(20)
        assert all(amps == 0.0 or 6.0 <= amps <= 32.0 for amps in site_toy.granted.values())
    assert set(site_toy.granted.values()) == {0.0}
    assert all(change.limit_a == 0.0 or 6.0 <= change.limit_a <= 32.0 for _t, change in site_toy.changes)


@pytest.mark.parametrize(("cars", "at_once"), [(3, 1), (5, 2), (7, 3), (4, 3)])
def test_every_waiting_car_gets_its_turn(cars: int, at_once: int) -> None:
    """With room for k of n cars, none waits longer than the turns of those before it, plus the pause between turns."""
    site_toy = toy(cars, 6.0 * at_once + 4.0, settings=QUICK)
    waited = dict.fromkeys(site_toy.granted, 0.0)
    turn = QUICK.rotation_s + QUICK.resume_hold_s + 3 * QUICK.settle_s
    for _ in range(int(4 * cars * QUICK.rotation_s)):
        site_toy.run(1)
        charging = sum(amps >= 6.0 for amps in site_toy.granted.values())
        assert charging <= at_once
        for role, amps in site_toy.granted.items():
            waited[role] = 0.0 if amps >= 6.0 else waited[role] + 1.0
            assert waited[role] <= math.ceil(cars / at_once) * turn
    starts = [change.role for _t, change in site_toy.changes if change.limit_a >= 6.0]
    assert set(starts) == set(site_toy.granted)


def test_a_turn_is_not_cut_short() -> None:
    """A car that charges keeps its place for rotation_s, also when others wait."""
    site_toy = toy(4, 10.0, settings=QUICK)
    began: dict[str, float] = {}
    lasted = []
    for _ in range(900):
        site_toy.run(1)
        for role, amps in site_toy.granted.items():
            if amps >= 6.0:
                began.setdefault(role, site_toy.t)
            elif role in began:
                lasted.append(site_toy.t - began.pop(role))
    assert len(lasted) >= 4
    assert min(lasted) >= QUICK.rotation_s


def test_a_paused_car_is_not_started_again_at_once() -> None:
    """Room that comes and goes does not switch a car on again before resume_hold_s."""
    site_toy = settled(1, 40.0, base_a=10.0)
    site_toy.base_a["L1"] = 38.0
    site_toy.run(5)
    assert site_toy.granted["s0"] == 0.0
    paused = site_toy.t
    site_toy.base_a["L1"] = 10.0
    while site_toy.granted["s0"] == 0.0:
        site_toy.run(1)
    assert site_toy.t - paused >= site_toy.settings.resume_hold_s - 5.0


def test_a_higher_class_charges_first_and_more() -> None:
    """With room for two of four the two of class 1 charge; with more, they are filled first and the others get 6 A."""
    site_toy = settled(4, 16.0, base_a=0.0, priorities=(0, 1, 0, 1))
    assert [amps >= 6.0 for amps in site_toy.granted.values()] == [False, True, False, True]
    site_toy = settled(4, 80.0, base_a=10.0, priorities=(0, 1, 0, 1))
    assert site_toy.granted["s1"] >= 25.0
    assert site_toy.granted["s0"] == 6.0


# the meter fails


def silent(site_toy: Toy) -> MeterSample | None:
    """No answer."""
    return None


def frozen(site_toy: Toy) -> MeterSample:
    """The same registers for ever."""
    sample = site_toy.sample()
    return MeterSample(sample.t, sample.number, {"L1": 60.0}, sample.voltages, {"L1": 13_800.0}, (7, 7, 7))


BROKEN: dict[str, Callable[[Toy], MeterSample | None]] = {
    "silent": silent,
    "frozen": frozen,
    "nan": lambda made: made.sample(currents=math.nan),
    "infinite": lambda made: made.sample(powers=math.inf),
    "zero": lambda made: made.sample(currents=0.0, powers=0.0),
    "no voltage": lambda made: made.sample(currents=0.0, voltages=0.0, powers=0.0),
    "reversed": lambda made: made.sample(powers=-230.0 * made.measured()["L1"]),
}


def run_broken(site_toy: Toy, broken: Callable[[Toy], MeterSample | None], seconds: int) -> None:
    """Seconds with a meter that is broken so."""
    for _ in range(seconds):
        site_toy.advance()
        sample = broken(site_toy)
        if sample is not None:
            site_toy.core.meter(sample)
        site_toy.decide()


@pytest.mark.parametrize("kind", BROKEN)
def test_a_meter_that_fails_brings_everybody_to_the_fallback_in_time(kind: str) -> None:
    """Within stale_s (or frozen_s) and a poll each car stands at its fallback, and stays there."""
    site_toy = settled(3, 80.0, base_a=20.0, fallback_a=6.0)
    assert min(site_toy.granted.values()) > 10.0
    run_broken(site_toy, BROKEN[kind], 12)
    assert set(site_toy.granted.values()) == {6.0}
    assert site_toy.core.watch.reason
    run_broken(site_toy, BROKEN[kind], 100)
    assert set(site_toy.granted.values()) == {6.0}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_meter_that_comes_back_is_trusted_after_the_recovery_time(kind: str) -> None:
    """For recover_s of good values nobody is raised; some time later all are back."""
    site_toy = settled(3, 80.0, base_a=20.0, fallback_a=6.0)
    run_broken(site_toy, BROKEN[kind], 60)
    for _ in range(int(site_toy.settings.recover_s) - 1):
        site_toy.run(1)
        assert set(site_toy.granted.values()) == {6.0}
    site_toy.run(120)
    assert min(site_toy.granted.values()) > 15.0
    assert site_toy.core.watch.reason == ""


@pytest.mark.parametrize("kind", sorted(set(BROKEN) - {"silent"}))
def test_one_bad_sample_is_passed_over(kind: str) -> None:
    """A single bad answer between good ones changes no limit."""
    site_toy = settled(3, 80.0, base_a=20.0, fallback_a=6.0)
    before = dict(site_toy.granted)
    run_broken(site_toy, BROKEN[kind], 1)
    site_toy.run(30)
    assert site_toy.granted == before


def test_export_is_no_fault_where_the_site_generates() -> None:
    """With allow_export negative power is believed; without, it is taken for a reversed CT."""
    solar = ControllerSettings(allow_export=True)
    believing, doubting = settled(2, 80.0, base_a=20.0, settings=solar), settled(2, 80.0, base_a=20.0)
    for made in (believing, doubting):
        run_broken(made, BROKEN["reversed"], 30)
    assert min(believing.granted.values()) > 25.0
    assert set(doubting.granted.values()) == {0.0}


# stations fail


def others_when_offline(fallback_a: float, seconds: int) -> tuple[float, float]:
    """What the station that is left has ``seconds`` after the other one went, and what both had before."""
    site_toy = settled(2, 50.0, base_a=0.0, fallback_a=fallback_a)
    before = site_toy.granted["s1"]
    site_toy.core.offline("s0", site_toy.t)
    site_toy.run(seconds)
    return site_toy.granted["s1"], before


def test_a_station_out_of_reach_keeps_its_current_until_its_lease_ends() -> None:
    """While the lease may stand, what it was granted is not given to others; then only its fallback stays reserved."""
    during, before = others_when_offline(10.0, 14)
    assert during == before
    assert before == pytest.approx(24.0, abs=1.0)
    after, _before = others_when_offline(10.0, 200)
    assert after == 32.0
    small, _before = others_when_offline(20.0, 200)
    assert small == pytest.approx(28.0, abs=1.0)


def test_a_station_that_is_back_counts_before_it_says_how_it_is() -> None:
    """Between the new connection and the first status the old grant stays reserved."""
    site_toy = settled(2, 50.0, base_a=0.0)
    site_toy.core.offline("s0", site_toy.t)
    site_toy.run(2)
    site_toy.core.online("s0", site_toy.t)
    site_toy.deaf.add("s0")
    site_toy.run(14)
    assert site_toy.granted["s1"] <= 24.0


def test_a_lease_that_ran_out_is_known_and_the_limit_is_given_anew() -> None:
    """After the end of a lease the core counts with the fallback, and asks again for what the station shall have."""
    site_toy = settled(1, 50.0, base_a=10.0, fallback_a=6.0)
    station = site_toy.core.stations["s0"]
    site_toy.deaf.add("s0")
    site_toy.run(33)
    assert site_toy.granted["s0"] == 6.0
    assert station.granted_a == 6.0
    site_toy.deaf.clear()
    site_toy.run(60)
    assert site_toy.granted["s0"] == 32.0


def test_a_new_controller_raises_nobody_until_every_station_is_known() -> None:
    """With one station missing, the others stay at their fallback until its last lease must have run out."""
    made = Toy(site(3, 80.0, fallback_a=6.0))
    made.connect("s0", "s1")
    made.plug("s0", "s1")
    patience = made.settings.lease_s + made.settings.settle_s
    while made.t < patience:
        made.run(1)
        assert set(made.targets().values()) <= {0.0, 6.0}
    made.run(120)
    assert made.granted["s0"] == 32.0


def test_a_new_controller_starts_as_soon_as_all_are_known() -> None:
    """When everybody has said how it is, raising begins long before the leases end."""
    made = Toy(site(2, 80.0, fallback_a=6.0))
    made.connect()
    made.plug("s0", "s1")
    made.run(20)
    assert made.granted["s0"] > 6.0


def test_before_the_first_sample_nobody_gets_more_than_the_fallback() -> None:
    """Without any meter value there is nothing to share."""
    made = Toy(site(2, 80.0, fallback_a=6.0))
    made.connect()
    made.plug("s0", "s1")
    made.run(200, meter=False)
    assert set(made.targets().values()) == {6.0}


@pytest.mark.parametrize("drawn_a", [20.0, 30.0])
def test_a_car_that_ignores_its_limit_is_counted_with_what_it_draws(drawn_a: float) -> None:
    """Three obedient cars make room for one that draws what it likes, also while its limit keeps changing."""
    made = toy(4, 100.0, cars=0)
    made.plug("s0", stubborn_a=drawn_a)
    made.run(60)
    made.plug("s1", "s2", "s3")
    made.run(120)
    for base in (20.0, 0.0, 25.0, 5.0, 20.0):
        made.base_a["L1"] = base
        made.run(100)
        over = [amps for amps in made.totals[-85:] if amps > 100.0]
        assert len(over) <= 1, (base, over)


def test_a_car_that_goes_on_without_a_limit_is_counted() -> None:
    """A station that was paused and draws 16 A all the same leaves 16 A less to the others."""
    made = toy(3, 50.0, cars=0)
    made.plug("s0", stubborn_a=16.0)
    made.run(60)
    made.plug("s1", "s2")
    made.run(300)
    assert max(made.totals[-200:]) <= 50.0
    assert made.granted["s1"] > 6.0


# what cars use


def test_single_phase_cars_on_rotated_stations_each_get_a_line_of_their_own() -> None:
    """Before reports every car counts on three lines; when each turns out to use one, all have it to themselves."""
    rotations = ("L1-L2-L3", "L2-L3-L1", "L3-L1-L2")
    made = toy(3, 40.0, cars=0, wiring="three-phase", connections=rotations)
    made.plug("s0", "s1", "s2", phases=1)
    made.run(14)
    assert max(made.granted.values()) < 14.0
    made.run(300)
    assert set(made.granted.values()) == {32.0}
    assert max(made.totals) <= 40.0


def summing(phases: int, stubborn_a: float | None = None) -> Toy:
    """A single-phase car beside one at a station of a 40 A feeder that reports one current without a phase."""
    row = Feeder(id="row", budget_a=40.0)
    rotations, behind = ("L1-L2-L3", "L2-L3-L1"), ("row", "row")
    made = toy(2, 200.0, cars=0, wiring="three-phase", connections=rotations, feeders=(row,), feeder_of=behind)
    made.sums.add("s1")
    made.plug("s1", phases=phases, stubborn_a=stubborn_a)
    made.run(60)
    made.plug("s0", phases=1)
    made.run(300)
    return made


@pytest.mark.parametrize("phases", [1, 3])
def test_a_current_without_a_phase_says_nothing_of_lines(phases: int) -> None:
    """However many lines the car uses, a feeder without a meter keeps its limit, and both cars charge."""
    made = summing(phases)
    assert max(made.totals) <= 40.0
    assert min(made.granted.values()) >= 12.0
    assert not made.core.stations["s1"].lines


def test_the_sum_of_all_phases_is_not_taken_for_disobedience() -> None:
    """A three-phase car that obeys is believed once its sum is more than a phase carries; one that ignores is not."""
    assert summing(3).core.stations["s1"].trust.flaw == ""
    assert summing(3, stubborn_a=25.0).core.stations["s1"].trust.flaw == "ignores"


def test_what_was_learned_of_a_car_is_forgotten_when_it_leaves() -> None:
    """After a single-phase car a three-phase one counts on three lines again."""
    made = toy(2, 40.0, cars=0, wiring="three-phase", connections=("L1-L2-L3", "L2-L3-L1"))
    made.plug("s0", "s1", phases=1)
    made.run(300)
    assert set(made.granted.values()) == {32.0}
    made.unplug("s0", "s1")
    made.run(5)
    made.plug("s0", "s1", phases=3)
    made.run(300)
    assert sum(made.granted.values()) <= 38.0
    assert max(made.totals[-250:]) <= 40.0


def test_a_car_that_takes_little_leaves_the_rest_to_others() -> None:
    """A car that takes 8 A is offered a little more than that, and the other one the rest."""
    made = toy(2, 40.0, cars=0)
    made.plug("s0", demand_a=8.0)
    made.plug("s1")
    made.run(400)
    assert 8.0 <= made.granted["s0"] <= 11.0
    assert made.granted["s1"] >= 26.0


def test_a_feeder_below_the_service_is_kept_too() -> None:
    """Behind a feeder of 20 A two cars share 18 A, while the one beside it has all it wants."""
    made = toy(
        3,
        80.0,
        feeders=(Feeder(id="f", rating_a=25, budget_a=20),),
        feeder_of=("f", "f", "service"),
    )
    made.run(300)
    assert made.granted == pytest.approx({"s0": 9.0, "s1": 9.0, "s2": 32.0}, abs=1.0)
    assert made.granted["s0"] + made.granted["s1"] <= 18.0


def test_setpoints_come_only_when_something_changes() -> None:
    """On a calm site there is nothing to say for minutes."""
    made = settled()
    count = len(made.changes)
    made.run(300)
    assert len(made.changes) == count


def test_a_setpoint_that_was_not_confirmed_is_asked_for_again() -> None:
    """A limit that a station refused is in the next decision again."""
    made = Toy(site(1, 80.0, fallback_a=6.0))
    made.connect()
    made.plug("s0")
    made.deaf.add("s0")
    made.run(25)
    asked = [change for t, change in made.changes if t > 15.0]
    assert len(asked) >= 2
    assert set(asked) == {Setpoint("s0", 14.0)}


def test_the_same_history_gives_the_same_setpoints() -> None:
    """Two cores that live through the same day say the same."""
    assert settled().changes == settled().changes


def test_a_site_without_stations_is_no_error() -> None:
    """Nothing to steer: decisions are empty."""
    made = Toy(site(0, 80.0))
    made.run(5)
    assert made.changes == []
    assert isinstance(made.core, Core)
