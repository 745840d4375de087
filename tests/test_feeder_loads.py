"""Loads at feeders: where they flow, what a controller keeps free for them, and what is wrong with a rig's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilbench import clock
from hilbench.controller.explain import in_words, why
from hilbench.controller.planning.coordinator import Orders
from hilbench.controller.static import StaticCore
from hilbench.errors import InputError
from hilbench.rig import load_rig
from hilbench.rig_lint import lint
from hilbench.runner import Job, execute
from hilbench.signals import Record, base_current, line_current
from hilbench.site import Feeder
from hilbench_emulators.building import constant_load
from hilbench_emulators.plant import Plant
from tests.controller_toy import Toy, site, toy
from tests.rigs import trio

SHOP = Feeder(id="shop", rating_a=50, budget_a=40, worst_base_a=20)
DESK = Feeder(id="desk", parent="shop", rating_a=25, budget_a=20, worst_base_a=6)


def with_shop(count: int = 2, *feeders: Feeder, **options: object) -> Toy:
    """A toy with its stations behind the shop's feeder; the service has room for all of them."""
    return toy(count, 200.0, feeders=feeders or (SHOP,), feeder_of=("shop",) * count, **options)  # type: ignore[arg-type]


def shown(made: Toy, beside_a: float, seconds: int, node: str = "shop") -> None:
    """Seconds in which the feeder's meter shows ``beside_a`` beside the cars, and the service both."""
    made.base_a = dict.fromkeys(made.base_a, beside_a)
    for _ in range(seconds):
        made.advance()
        made.core.meter(made.sample())
        outside = {role: car.drawn_a for role, car in made.cars.items() if made.site.branch(role).feeder != node}
        sample = made.sample()
        below = {line: amps - sum(outside.values()) for line, amps in sample.currents.items()}
        made.core.part(node, replace(sample, currents=below))
        made.decide()


def test_a_load_at_a_feeder_flows_through_all_that_feeds_it() -> None:
    """It is in the feeder, its parent and the service, and not in a feeder beside it."""
    other = Feeder(id="other", rating_a=50)
    place, record = site(1, feeders=(SHOP, DESK, other)), Record()

    async def play() -> None:
        plant = Plant(place, record)
        plant.set_base_load(constant_load(place.service, 3.0), "desk")
        plant.set_base_load(constant_load(place.service, 10.0))
        assert plant.reading("other").currents == {"L1": 0.0}
        assert plant.reading("desk").currents["L1"] == pytest.approx(3.0)
        assert plant.reading("shop").currents["L1"] == pytest.approx(3.0)
        assert plant.reading("service").currents["L1"] == pytest.approx(13.0)
        plant.stop()

    clock.run(play(), "virtual")
    last = {name: signal.last() for name, signal in record.signals.items()}
    assert last[line_current("service", "L1")] == last[base_current("L1")] == pytest.approx(13.0)
    assert last[base_current("L1", "desk")] == last[base_current("L1", "shop")] == pytest.approx(3.0)
    assert base_current("L1", "other") not in last


def test_what_feeders_declare_adds_up_and_the_more_counts() -> None:
    """A feeder has at least what those below it have; what is its own is the rest."""
    place = site(1, worst_base_a=50.0, feeders=(SHOP, DESK, Feeder(id="hall", rating_a=50), Feeder(
        id="bay", parent="hall", rating_a=20, worst_base_a=5)))  # fmt: skip
    assert {node.id: place.base_a(node.id) for node in place.nodes} == {
        "service": 50.0, "shop": 20.0, "desk": 6.0, "hall": 5.0, "bay": 5.0,
    }  # fmt: skip
    assert [place.own_base_a(node) for node in ("service", "shop", "desk", "hall")] == [25.0, 14.0, 6.0, 0.0]


def test_without_a_meter_the_declared_load_is_kept_free() -> None:
    """40 A less 20 A declared and the margin of 2 A leave 9 A to each of two cars."""
    made = with_shop()
    made.run(300)
    assert made.targets() == {"s0": 9.0, "s1": 9.0}


def test_static_sharing_keeps_the_declared_load_free_too() -> None:
    """It asks no meter at all."""
    made = with_shop(law=StaticCore)
    made.run(100)
    assert made.targets() == {"s0": 9.0, "s1": 9.0}


def test_a_feeders_meter_gives_the_cars_what_the_load_leaves() -> None:
    """With 4 A beside them the cars have 17 A each; a rise to 20 A is answered within seconds."""
    made = with_shop()
    shown(made, 4.0, 400)
    assert made.targets() == {"s0": 17.0, "s1": 17.0}
    shown(made, 20.0, 8)
    assert made.targets() == {"s0": 9.0, "s1": 9.0}
    assert made.drawn("L1") + 20.0 <= 40.0


def test_a_motor_start_at_a_feeder_is_no_reason_to_shed() -> None:
    """One sample of a rise that stays below the rating of the feeder says nothing yet."""
    made = with_shop()
    shown(made, 4.0, 400)
    shown(made, 12.0, 1)
    shown(made, 4.0, 10)
    assert made.targets() == {"s0": 17.0, "s1": 17.0}


def test_a_feeders_meter_that_is_lost_leaves_only_that_feeder_at_what_it_declares() -> None:
    """The service's meter is still good: the station at the service keeps all that it has."""
    made = toy(3, 200.0, feeders=(SHOP,), feeder_of=("shop", "shop", "service"))
    shown(made, 0.0, 400)
    assert made.targets() == {"s0": 19.0, "s1": 19.0, "s2": 32.0}
    made.run(15)
    assert made.targets() == {"s0": 9.0, "s1": 9.0, "s2": 32.0}
    assert made.core.feeders.doubts() == {"shop": "stale"}
    shown(made, 0.0, 25)
    assert made.targets()["s0"] == 9.0  # it has to be good for half a minute
    shown(made, 0.0, 200)
    assert made.targets() == {"s0": 19.0, "s1": 19.0, "s2": 32.0}


def test_a_raise_keeps_the_feeders_load_free_beside_what_all_may_draw() -> None:
    """Of 40 A less the margin of 2 A and 20 A of load, nothing is left beside two cars of 9 A."""
    made = with_shop()
    made.run(300)
    row = made.core.tree.keys.index(("shop", "L1"))
    assert made.core.beside(made.core.look(made.t))[row] == pytest.approx(0.0, abs=0.2)


def test_why_tells_what_a_feeder_carries_beside_stations() -> None:
    """The constraint that is full is the feeder's, with what is kept free in it."""
    made = with_shop()
    made.run(300)
    found = why(made.core, "s0", made.t)
    assert found.constraint is not None
    assert (found.kind, found.constraint.node, found.constraint.building_a) == ("full", "shop", 20.0)
    assert any("shop L1: 40.0 A - 2.0 A margin - 20.0 A building; leaves 18.0 A" in line for line in in_words(found))


def test_a_discharge_does_not_hide_what_the_feeder_carries() -> None:
    """A plan to give back changes nothing of what is kept free for the load."""
    made = with_shop()
    made.run(300)
    made.core.plan(Orders({"s0": 100.0, "s1": 100.0}, {}, {}, float("inf"), "test"))
    made.run(60)
    assert sum(made.targets().values()) <= 18.0


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0.0, 20.0), st.integers(5, 60)), min_size=1, max_size=6),
    st.lists(st.booleans(), min_size=6, max_size=6),
)
def test_a_feeder_stays_within_its_budget(loads: list[tuple[float, int]], answers: list[bool]) -> None:
    """Whatever a load of at most the declared one does and whenever its meter is silent: 10 s later it is kept."""
    made = with_shop(3)
    for (amps, seconds), heard in zip(loads, answers, strict=False):
        if heard:
            shown(made, amps, seconds)
        else:
            made.base_a = dict.fromkeys(made.base_a, amps)
            made.run(seconds)
        if seconds >= 25:
            assert made.drawn("L1") + amps <= 40.5


CHANGES = (
    ('vehicle = "model-3"\n\n', 'vehicle = "model-3"\nfeeder = "bays"\n\n[[feeder]]\nid = "bays"\nrating_a = 60\n'
     "budget_a = 40\nworst_base_a = 14\n\n"),
    ("[building]", '[[base_load]]\nnode = "bays"\nmodel = "constant"\npeak_a = 14\n\n[building]'),
    ('model = "workplace"\npeak_a = 20', 'model = "constant"\npeak_a = 6'),
)  # fmt: skip
METER = ("[building]", '[meter.bays]\nnode = "bays"\naddress = "tcp://127.0.0.1:5021"\n\n[building]')


@pytest.mark.parametrize("changes", [CHANGES, (*CHANGES, METER)], ids=["declared", "metered"])
def test_a_rig_plays_a_load_at_a_feeder(tmp_path: Path, changes: tuple[tuple[str, str], ...]) -> None:
    """It is steady as a site, its parts make the worst of the whole, and steps of the building are answered."""
    rig = trio(tmp_path, *changes)
    assert [finding for finding in lint(load_rig(rig)) if finding.severity == "error"] == []
    done = execute(Job(str(rig), "7.2", 1, tmp_path / "run"))
    assert (done["verdict"], done["error"]) == ("PASS", "")


MISTAKES = {
    "no such feeder": ('node = "bays"', 'node = "bay"', "there is no feeder 'bay' (did you mean bays?)"),
    "the service": ('node = "bays"', 'node = "service"', "the load of the service is [building]"),
    "nothing declared": ("worst_base_a = 14\n", "", "declares nothing of its own beside its stations"),
    "more than the site": ("worst_base_a = 14", "worst_base_a = 21", "what the feeders declare makes 21 A"),
    "no source": ('model = "constant"\npeak_a = 14', "", "no single source"),
    "no such line": ("peak_a = 14", "peak_a = 14\nshares = { L3 = 1.0 }", "no such line"),
}


@pytest.mark.parametrize(("old", "new", "said"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_load_that_cannot_be_is_told(tmp_path: Path, old: str, new: str, said: str) -> None:
    """By its key, before anything starts."""
    changed = tuple((before, after.replace(old, new)) for before, after in CHANGES)
    with pytest.raises(InputError) as told:
        load_rig(trio(tmp_path, *changed))
    assert said in str(told.value)


def test_fallbacks_are_held_against_what_a_feeder_declares(tmp_path: Path) -> None:
    """Three times 6 A and 14 A fit into 40 A, and not into 30 A."""
    tight = tuple((old, new.replace("budget_a = 40", "budget_a = 30")) for old, new in CHANGES)
    errors = [finding.what for finding in lint(load_rig(trio(tmp_path, *tight))) if finding.severity == "error"]
    assert errors == ["fallbacks add up to 18 A per line, but budget 30 A less worst base load 14 A leaves 16 A"]
