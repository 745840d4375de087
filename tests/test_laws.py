"""The published control laws do what their descriptions say, and ours clears the same scenes without a restart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from benches.law_judge import OURS, Found, dominators, found_in, losses, together
from benches.law_loop import HANDOVER_S, Outcome, Scene, outcome, play
from benches.law_models import (
    LAWS,
    Clamp,
    Evcc,
    HassLoadBalancer,
    Law,
    LoadJuggler,
    Offers,
    SmartEvse,
    UnityGain,
    View,
    Warp,
    equal_shares,
)
from benches.laws import SCENES, ours, verdict

LIMIT_A = 25.0
STEP_CT, STEP_P1 = SCENES[:2]


def fed(law: Law, meter_a: Iterable[float], *, every_s: int = 1, drawn_a: tuple[float, ...] = (20.0,)) -> list[Offers]:
    """The offers of every second; the meter's samples last ``every_s`` seconds each."""
    samples = [amps for amps in meter_a for _ in range(every_s)]
    return [law.step(View(float(t), LIMIT_A, amps, t % every_s == 0, drawn_a)) for t, amps in enumerate(samples)]


def firsts(offers: list[Offers]) -> list[float]:
    """What the first car is offered every second."""
    return [one[0] for one in offers]


def writes(offers: list[float]) -> list[int]:
    """The seconds at which an offer changes."""
    return [t for t in range(1, len(offers)) if offers[t] != offers[t - 1]]


@pytest.mark.parametrize("scene", [STEP_CT, STEP_P1], ids=["CT", "P1"])
@pytest.mark.parametrize("offset_s", [0.5, 6.0])
def test_ours_clears_both_scenes_without_a_restart(scene: Scene, offset_s: float) -> None:
    """One step down soon after the sample that shows it, no pause, and more than 98 % of the feasible energy."""
    found = outcome(scene, play(ours, scene, offset_s))
    assert found.above_s == found.clear_s < scene.meter_s + 7.0
    assert found.restarts == 0
    assert found.useful_kwh > 0.98 * found.feasible_kwh


def test_ours_is_above_the_limit_once_where_a_cooktop_cycles() -> None:
    """What a cooktop leaves for 25 s is not given to the car: the first overload is the only one."""
    found = outcome(SCENES[4], play(ours, SCENES[4]))
    assert found.above_s == found.clear_s < 8.0


def test_the_clamp_never_reduces() -> None:
    """Above the limit the measured current is taken to be the limit, so that the offer stays; headroom raises it."""
    offers = firsts(fed(Clamp([20.0]), [37.0] * 300 + [22.0] + [25.0] * 5))
    assert offers[:300] == [20.0] * 300
    assert offers[-1] == 23.0


def test_load_juggler_falls_by_at_most_a_fifth_of_an_ampere_per_second() -> None:
    """An overload of 12 A takes a minute of limits that are sent every 15 s."""
    offers = firsts(fed(LoadJuggler([20.0]), [37.0] * 80))
    assert offers[-1] < offers[0]
    assert all(t % 15 == 0 for t in writes(offers))
    assert all(b >= a - 0.2 * 30 - 1e-6 for a, b in zip(offers, offers[30:], strict=False))
    assert min(t for t, amps in enumerate(offers) if amps <= 8.0) >= 60


def test_evcc_visits_one_loadpoint_in_thirty_seconds() -> None:
    """With two of them the second keeps its current for another 30 s; the first is capped to what is left."""
    offers = fed(Evcc([16.0, 16.0]), [29.0] * 31, drawn_a=(16.0, 16.0))
    assert offers[0] == [12.0, 16.0]
    assert offers[29] == [12.0, 16.0]
    assert offers[30] == [12.0, 12.0]


def test_evcc_keeps_nothing_for_what_was_granted() -> None:
    """Headroom that the first car has not drawn yet is granted to the second as well."""
    offers = fed(Evcc([0.0, 0.0]), [9.0] * 31, drawn_a=(0.0, 0.0))
    assert offers[30] == [16.0, 16.0]


def test_hass_load_balancer_waits_between_writes() -> None:
    """48 % of overload is borne for 10 s; the next write comes 20 s after that, though the overload goes on."""
    offers = firsts(fed(HassLoadBalancer([32.0]), [37.0] * 40))
    assert writes(offers) == [9, 29]
    assert offers[9] == 20.0


def test_hass_load_balancer_raises_after_fifteen_minutes() -> None:
    """Headroom of 12 A is left alone until 900 s after the last write."""
    offers = firsts(fed(HassLoadBalancer([20.0]), [37.0] * 10 + [13.0] * 920))
    assert writes(offers) == [9, 909]


def test_warp_needs_half_as_much_again_to_switch_on() -> None:
    """A car that is off stays off where half of the headroom is 8.5 A, and goes on where it is 9.5 A."""
    assert fed(Warp([0.0]), [8.0] * 60)[-1] == [0.0]
    assert fed(Warp([0.0]), [6.0] * 60)[-1] != [0.0]


def test_warp_takes_most_of_an_excess_at_once_and_gives_back_after_four_minutes() -> None:
    """93.75 % of 8 A; then the least of the last 240 s holds the offer down."""
    offers = firsts(fed(Warp([20.0]), [33.0] + [15.0] * 300))
    assert offers[0] == 12.5
    assert next(t for t in writes(offers) if offers[t] > offers[t - 1]) >= 240


def test_unity_gain_corrects_twice_what_a_car_has_not_done_yet() -> None:
    """A second sample with the same overload makes a pause of 300 s out of a feasible 8 A."""
    offers = firsts(fed(UnityGain([20.0]), [37.0, 37.0] + [17.0] * 305))
    assert offers[:2] == [8.0, 0.0]
    assert writes(offers)[:2] == [1, 301]


def test_smart_evse_acts_again_on_an_old_sample() -> None:
    """Four cycles of 2 s on one sample are enough to stop; with a sample that shows the cut it goes on."""
    assert 0.0 in firsts(fed(SmartEvse([20.0]), [37.0], every_s=10))
    assert 0.0 not in firsts(fed(SmartEvse([20.0]), [37.0] * 2 + [25.0] * 8))


def test_smart_evse_pauses_and_restarts_on_a_slow_meter() -> None:
    """The car is stopped though 8 A are feasible, and started again a minute later; not so on a meter of 1 s."""
    played = {scene: play(lambda _scene, offers: SmartEvse(offers), scene) for scene in (STEP_CT, STEP_P1)}
    assert outcome(STEP_CT, played[STEP_CT]).restarts == 0
    assert outcome(STEP_P1, played[STEP_P1]).restarts > 0
    offers = played[STEP_P1].outlets[0].offers
    stop = next(k for k, (_t, amps) in enumerate(offers) if not amps)
    assert offers[stop + 1][0] - offers[stop][0] == pytest.approx(60.0, abs=12.0)


@pytest.mark.parametrize("name", LAWS)
def test_every_law_is_steady_before_the_scene(name: str) -> None:
    """Nobody starts with an overload or a pause of the bench's own making."""
    quiet = Scene("quiet", 1.0, LIMIT_A, ((0.0, 5.0),), length_s=30.0)
    played = play(lambda _scene, offers: LAWS[name](offers), quiet)
    found = outcome(quiet, played)
    assert found.ampere_s == 0.0
    assert found.delivered_kwh == pytest.approx(found.feasible_kwh, rel=0.01)
    assert all(amps for t, amps in played.outlets[0].offers if t > HANDOVER_S)


def test_shares_leave_nobody_below_the_minimum() -> None:
    """11 A feed one car of three, 12 A two, and no car gets more than its station has."""
    assert equal_shares(11.0, 3) == [11.0, 0.0, 0.0]
    assert equal_shares(12.0, 3) == [6.0, 6.0, 0.0]
    assert equal_shares(99.0, 2) == [32.0, 32.0]


def judged(law: Outcome, mine: Outcome, *unclear: str) -> Found:
    """Two laws, the other one called evcc."""
    return Found("scene", {"evcc": law, OURS: mine}, frozenset(unclear))


GOOD = Outcome(5.0, 5.0, 4.0, 50.0, 0.0, 9.9, 9.8, 10.0)


def test_a_loss_is_said_with_its_price() -> None:
    """Where a law is better than ours, the bench names it, both figures, and what it is worse in."""
    assert losses(judged(GOOD, GOOD)) == []
    thrifty = replace(GOOD, above_s=3.0, useful_kwh=7.0)
    assert losses(judged(thrifty, GOOD)) == [
        "scene: s above the limit 5.0, evcc 3.0; it pays with energy not delivered [%] 30.0 instead of 2.0"
    ]


def test_a_law_that_pays_nothing_beats_ours() -> None:
    """Better in one and equal in the rest is a defeat; equal in all, or worse in another, is none."""
    assert dominators(judged(replace(GOOD, useful_kwh=9.9), GOOD)) == ["evcc"]
    assert dominators(judged(replace(GOOD, useful_kwh=9.84), GOOD)) == []
    assert dominators(judged(replace(GOOD, useful_kwh=9.9, restarts=1.0), GOOD)) == []


def test_energy_of_an_overload_that_is_never_cleared_is_not_compared() -> None:
    """A law whose breaker would have opened is not the one that delivered most."""
    greedy = replace(GOOD, above_s=300.0, useful_kwh=10.0)
    assert len(losses(judged(greedy, GOOD))) == 1
    assert losses(judged(greedy, GOOD, "evcc")) == []


def test_over_all_scenes_one_overload_that_is_never_cleared_counts() -> None:
    """Means over the scenes; who never clears in one of them has not cleared them all."""
    bad = replace(GOOD, above_s=305.0)
    total = together([judged(GOOD, GOOD), judged(bad, GOOD, "evcc")])
    assert total.means["evcc"].above_s == 155.0
    assert total.unclear == {"evcc"}


@pytest.mark.parametrize("beaten", [True, False])
def test_the_verdict_is_the_exit_code(beaten: bool) -> None:
    """1 when a law is better and pays nothing."""
    found = judged(replace(GOOD, useful_kwh=9.9 if beaten else 9.8), GOOD)
    assert verdict([found], found) == int(beaten)


def test_a_law_that_waits_for_the_fall_never_clears() -> None:
    """The clamp's overload lasts as long as the step, ours seconds."""
    clamp = outcome(STEP_CT, play(lambda _scene, offers: Clamp(offers), STEP_CT))
    mine = outcome(STEP_CT, play(ours, STEP_CT))
    assert found_in(STEP_CT, {"clamp": [clamp], OURS: [mine]}).unclear == {"clamp"}
