"""A DC session that runs is not paused to make room for others, as long as there is room for its least current."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilbench.controller.allocate import Ranks, Tree, admit, allocate
from hilbench.controller.dimming import dimmed
from hilbench.controller.explain import in_words, why
from hilbench.controller.planning.coordinator import Orders
from hilbench.controller.sessions import must_go_on
from hilbench.controller.settings import ControllerSettings
from hilbench.controller.static import StaticCore
from hilbench.site import Branch
from tests.controller_toy import Toy, site, toy

LEAST_A, PILOT_A, BUDGET_A = 5.0, 6.0, 60.0
Day = tuple[tuple[int, ...], tuple[int, ...], list[tuple[float, int]]]


def park(count: int, dc: tuple[int, ...], budget_a: float = BUDGET_A, **more: Any) -> Toy:
    """A three-phase site some minutes after all cars have come."""
    made = toy(count, budget_a, wiring="three-phase", dc=dc, **more)
    made.run(90)
    return made


# what a car needs


def test_the_least_current_is_that_of_the_branch() -> None:
    """6 A, or what the controller's settings or the branch say, for AC; what the branch says for DC."""
    places = {kind: Branch(role="s", branch_a=40, max_a=32, connection="L1-N", kind=kind) for kind in ("ac", "dc")}
    rules, strict = ControllerSettings(), ControllerSettings(minimum_a=8.0)
    assert [rules.least_a(places["ac"]), strict.least_a(places["ac"])] == [6.0, 8.0]
    assert [rules.least_a(places["dc"]), strict.least_a(places["dc"])] == [5.0, 5.0]
    assert rules.least_a(places["ac"].model_copy(update={"least_a": 7.0})) == 7.0


def test_each_has_at_least_what_its_car_needs() -> None:
    """In 29 A beside the building three cars of 6 A and two of 5 A all charge, and the DC ones with what is even."""
    made = toy(5, BUDGET_A, wiring="three-phase", dc=(3, 4), base_a=29.0)
    made.run(600)
    assert all(made.targets()[f"s{k}"] >= PILOT_A for k in range(3))
    assert all(LEAST_A <= made.targets()[f"s{k}"] < PILOT_A for k in (3, 4))


MIXED = st.lists(st.sampled_from([4.0, 6.0, 9.0]), min_size=1, max_size=8)


@settings(max_examples=100, deadline=None)
@given(MIXED, st.floats(0.0, 80.0), st.randoms(use_true_random=False))
def test_admission_with_different_needs_passes_over_nobody_who_fits(
    least: list[float], room_a: float, rng: Any
) -> None:
    """Whoever is left out would not fit beside all that were admitted before it; who is smaller may."""
    order = rng.sample(range(len(least)), len(least))
    inside = admit(Tree(site(len(least))), np.array([room_a]), order, np.array(least))
    left_a = room_a
    for column in order:
        assert bool(inside[column]) == (least[column] <= left_a + 1e-6)
        left_a -= least[column] if inside[column] else 0.0


@settings(max_examples=100, deadline=None)
@given(MIXED, st.floats(0.0, 80.0))
def test_shares_reach_the_least_of_each_and_no_further_than_the_room(least: list[float], room_a: float) -> None:
    """Who charges has its own least or more; nobody has more than another who could take it."""
    place, needs = site(len(least)), np.array(least)
    caps = np.full(len(least), 32.0)
    found = allocate(Tree(place), np.array([room_a]), caps, range(len(least)), Ranks.of(place.branches), needs)
    assert float(found.sum()) <= room_a + 1e-6
    assert ((found == 0.0) | (found >= needs - 1e-9)).all()
    raised = found[(found > needs + 1e-6)]
    assert raised.size == 0 or float(raised.max()) <= float(np.where(found > 0, found, np.inf).min()) + 1e-6


@settings(max_examples=100, deadline=None)
@given(MIXED, st.floats(0.0, 60_000.0), st.floats(9.0, 32.0))
def test_a_limit_of_power_leaves_each_its_least(least: list[float], limit_w: float, had_a: float) -> None:
    """No more than the limit in sum; who still charges has at least what it needs, and nothing is wasted."""
    needs, watts, amps = np.array(least), np.full(len(least), 690.0), np.full(len(least), had_a)
    found = dimmed(amps, watts, range(len(least)), limit_w, needs)
    total_w = float(found @ watts)
    assert total_w <= limit_w + 1e-3
    assert ((found == 0.0) | (found >= needs - 1e-9)).all()
    assert (found <= amps + 1e-9).all()
    assert total_w >= limit_w - 1e-3 or np.allclose(found[found > 0], had_a)


@pytest.mark.parametrize("base_a", [10.0, 38.0, 41.0])
def test_static_sharing_leaves_each_its_least(base_a: float) -> None:
    """Even parts; where these are too small for AC, those have 6 A, and the DC station what is left."""
    made = toy(3, BUDGET_A, wiring="three-phase", dc=(2,), law=StaticCore, worst_base_a=base_a)
    made.run(200, meter=False)
    found = list(made.targets().values())
    room_a = BUDGET_A - made.settings.margin_a - base_a
    assert sum(found) == pytest.approx(room_a, abs=0.31)
    assert min(found[:2]) >= PILOT_A - 1e-9
    assert found[2] >= LEAST_A


# who makes room


@st.composite
def days(draw: st.DrawFn) -> Day:
    """Which of up to six stations are DC, their classes, and a building [A, s] that moves."""
    count = draw(st.integers(2, 6))
    dc = draw(st.sets(st.integers(0, count - 1), min_size=1, max_size=count))
    classes = draw(st.lists(st.integers(0, 3), min_size=count, max_size=count))
    steps = draw(st.lists(st.tuples(st.floats(0.0, 58.0), st.integers(20, 60)), min_size=1, max_size=3))
    return tuple(dc), tuple(classes), steps


@settings(max_examples=12, deadline=None)
@given(days())
def test_no_session_ends_while_others_could_make_room(day: Day) -> None:
    """A DC session loses its least only where the building leaves no room for that of all; then no AC car has any.

    Whatever the classes, and with turns of two minutes.
    """
    dc, classes, steps = day
    quick = ControllerSettings(rotation_s=120.0, raise_hold_s=30.0, quick_hold_s=30.0)
    made = park(len(classes), dc, priorities=classes, settings=quick)
    recent = [0.0]
    for base_a, seconds in steps:
        made.base_a = dict.fromkeys(made.site.lines, base_a)
        recent = [recent[-1], base_a]
        for _ in range(seconds):
            before = {f"s{k}": made.granted[f"s{k}"] for k in dc}
            made.run(1)
            ended = [role for role, had_a in before.items() if had_a >= LEAST_A > made.granted[role]]
            if ended:
                running = sum(had_a >= LEAST_A for had_a in before.values())
                assert max(recent) + running * LEAST_A > BUDGET_A - quick.margin_a - 0.5
                assert all(made.granted[f"s{k}"] == 0.0 for k in range(len(classes)) if k not in dc)
    made.run(60)
    assert made.totals[-1] <= max(BUDGET_A, recent[-1]) + 0.5


def test_turns_are_for_those_that_can_be_paused() -> None:
    """In room for two cars the DC session goes on through all turns, and the AC cars share the other place."""
    made = toy(3, BUDGET_A, wiring="three-phase", dc=(0,), settings=ControllerSettings(rotation_s=120.0))
    made.run(120)
    made.base_a = dict.fromkeys(made.site.lines, 46.0)
    seen: dict[str, list[float]] = {role: [] for role in made.granted}
    for _ in range(500):
        made.run(1)
        for role, amps in made.granted.items():
            seen[role].append(amps)
    assert min(seen["s0"]) >= LEAST_A
    assert all(min(seen[role]) == 0.0 and max(seen[role][60:]) >= PILOT_A for role in ("s1", "s2"))


def test_who_began_last_goes_first() -> None:
    """In room for one of two sessions the one that began first goes on, turn after turn."""
    made = toy(2, BUDGET_A, wiring="three-phase", dc=(0, 1), cars=1, settings=ControllerSettings(rotation_s=120.0))
    made.run(60)
    made.plug("s1")
    made.run(120)
    assert min(made.granted.values()) >= LEAST_A
    made.base_a = dict.fromkeys(made.site.lines, 53.0)
    made.run(400)
    assert made.granted["s0"] >= LEAST_A
    assert made.granted["s1"] == 0.0


def test_without_room_for_its_least_a_session_gets_nothing() -> None:
    """The limit of the site is never the one that gives way."""
    made = park(2, (0,))
    made.base_a = dict.fromkeys(made.site.lines, 57.0)
    made.run(9)
    assert made.targets() == {"s0": LEAST_A, "s1": 0.0}
    made.run(30)
    assert made.targets() == {"s0": 0.0, "s1": 0.0}


def test_no_plan_pauses_a_session() -> None:
    """A plan of nothing leaves the DC session its least, pauses the AC car, and keeps a new DC car waiting."""
    made = toy(3, BUDGET_A, wiring="three-phase", dc=(0, 2), cars=2)
    made.run(120)
    made.core.plan(Orders(caps={"s0": 0.0, "s1": 0.0, "s2": 0.0}))
    made.plug("s2")
    made.run(60)
    assert made.targets() == {"s0": LEAST_A, "s1": 0.0, "s2": 0.0}
    said = in_words(why(made.core, "s0", made.t))
    assert said[1].endswith("(0.0 A; a DC session is not paused)")


def test_a_car_that_can_give_back_is_paused_by_its_plan() -> None:
    """It passes through nothing anyway whenever the direction changes."""
    made = park(1, (0,))
    made.core.plan(Orders(caps={"s0": 0.0}, able={"s0": 5.0}))
    made.run(30)
    assert made.targets() == {"s0": 0.0}


def test_a_session_that_never_begins_is_none() -> None:
    """While it is being set up it is kept; a car that only stands there is not, after its welcome."""
    made = park(1, (0,))
    station = made.core.stations["s0"]
    assert must_go_on(station, made.t)
    made.core.status("s0", made.t, "Preparing")
    assert must_go_on(station, station.welcome_until - 1.0)
    assert not must_go_on(station, station.welcome_until + 1.0)


def test_a_session_that_is_set_up_slowly_is_guaranteed_nothing() -> None:
    """Cable check and pre-charge last for more than the 20 s after which an AC car is taken to want 10 A."""
    made = toy(2, BUDGET_A, wiring="three-phase", dc=(0,), base_a=42.0)
    for role in made.granted:
        made.core.status(role, made.t, "Preparing")
        made.cars[role].demand_a = 0.0
    made.run(60)
    ranks = made.core._ranks.guaranteed
    assert list(ranks) == [0.0, 10.0]


def test_a_dc_station_that_holds_its_least_is_no_stray() -> None:
    """At a limit of nothing it may draw its least, so that the session lives: that is no disobedience."""
    made = park(2, (0, 1), base_a=10.0)
    made.base_a = dict.fromkeys(made.site.lines, BUDGET_A - 3.0)
    for role in ("s0", "s1"):
        made.cars[role].stubborn_a = LEAST_A - 0.5
    made.run(300)
    assert all(amps <= LEAST_A for amps in made.targets().values())
    assert not any(station.trust.flaw for station in made.core.stations.values())
