"""The last resort: whose session is ended, when, and that nobody's is who obeys."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilbench import clock
from hilbench.bench import Bench
from hilbench.controller.explain import in_words, why
from hilbench.controller.settings import ControllerSettings
from hilbench.controller.stopping import LastResort, Stop
from hilbench.rig import load_rig
from hilbench.signals import line_current
from tests.controller_toy import Toy, toy
from tests.rigs import trio

ON, OFF = ControllerSettings(), ControllerSettings(stop_strays=False)


def watched(made: Toy, seconds: int) -> list[tuple[float, Stop]]:
    """What the last resort wants ended; who is told so ends it."""
    resort, found = LastResort(made.core), []
    for _ in range(seconds):
        made.run(1)
        stop = resort.look(made.t)
        if stop is not None:
            found.append((made.t, stop))
            made.cars[stop.role].stubborn_a = made.cars[stop.role].demand_a = 0.0
            made.core.status(stop.role, made.t, "Finishing")
    return found


def stubborn(base_a: float, *amps: float, rules: ControllerSettings = ON, **options: Any) -> Toy:
    """A service with a budget of 40 A; cars that draw what is given here whatever they are told, and one that obeys."""
    made = toy(len(amps) + 1, 40.0, cars=0, base_a=base_a, fallback_a=6.0, settings=rules, **options)
    for number, one in enumerate(amps):
        made.plug(f"s{number}", stubborn_a=one)
    made.plug(f"s{len(amps)}")
    return made


def test_a_station_that_alone_breaks_the_budget_is_stopped_after_limits_had_their_time() -> None:
    """32 A and 15 A of building are 47 A of 40 A: nobody else can make room. The car that obeys then charges."""
    made = stubborn(15.0, 32.0)
    ((at, stop),) = watched(made, 240)
    found_out = 10.0 + ON.reaction_s  # reports every 15 s
    assert found_out + ON.reaction_s <= at <= 90.0
    assert (stop.role, stop.drawn_a, stop.node, stop.line, stop.limit_a) == ("s0", 32.0, "service", "L1", 40.0)
    assert stop.total_a == pytest.approx(47.0, abs=0.5)
    assert made.targets()["s1"] > 20.0
    assert max(made.totals[-100:]) <= 40.5


@pytest.mark.parametrize("base_a", [2.0, 9.0])
def test_a_station_for_which_others_can_make_room_is_not_stopped(base_a: float) -> None:
    """At 8 A beside it, or 1 A: limits keep the budget, so that it goes on."""
    made = stubborn(base_a - 1.0, 32.0)
    assert watched(made, 300) == []
    assert made.core.stations["s0"].trust.flaw == "ignores"


def test_where_it_is_switched_off_nobody_is_stopped() -> None:
    """The others make as much room as they can, and the budget stays broken."""
    made = stubborn(15.0, 32.0, rules=OFF)
    assert watched(made, 300) == []
    assert made.measured()["L1"] > 46.0


def test_a_building_that_breaks_the_budget_alone_stops_nobody_who_obeys() -> None:
    """60 A of building: all cars are paused, and no session is ended."""
    made = toy(3, 40.0, base_a=10.0)
    made.run(120)
    made.base_a = dict.fromkeys(made.base_a, 60.0)
    assert watched(made, 300) == []


def test_one_that_draws_most_goes_first_and_only_as_many_as_it_takes() -> None:
    """12 A and 20 A beside 15 A of building: without the second there is room for the first."""
    made = stubborn(15.0, 12.0, 20.0)
    assert [stop.role for _t, stop in watched(made, 400)] == ["s1"]


def test_a_lower_class_goes_before_a_higher_one() -> None:
    """Whatever they draw."""
    made = stubborn(15.0, 14.0, 20.0, priorities=(0, 3, 3))
    assert [stop.role for _t, stop in watched(made, 400)] == ["s0"]


def test_a_meter_that_is_not_trusted_is_no_reason() -> None:
    """What is only feared stops nobody."""
    made = stubborn(15.0, 32.0)
    resort = LastResort(made.core)
    made.run(20)
    for _ in range(200):
        made.run(1, meter=False)
        assert resort.look(made.t) is None


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.one_of(st.none(), st.floats(8.0, 32.0)), min_size=1, max_size=3),
    st.lists(st.tuples(st.floats(0.0, 45.0), st.integers(20, 120)), min_size=1, max_size=4),
)
def test_only_who_does_not_obey_is_ever_stopped(cars: list[float | None], loads: list[tuple[float, int]]) -> None:
    """With any building, beside any mix of cars; None obeys."""
    made = toy(len(cars), 40.0, cars=0, fallback_a=6.0)
    for number, amps in enumerate(cars):
        made.plug(f"s{number}", stubborn_a=amps)
    for base_a, seconds in loads:
        made.base_a = dict.fromkeys(made.base_a, base_a)
        for _t, stop in watched(made, seconds):
            assert cars[int(stop.role[1:])] is not None


def test_why_tells_that_the_session_was_ended_until_the_car_leaves() -> None:
    """With what it drew and what was too full."""
    made = stubborn(15.0, 32.0)
    ((_t, stop),) = watched(made, 240)
    made.core.stations["s0"].trust.stopped = stop.reason
    assert why(made.core, "s0", made.t).kind == "stopped"
    words = in_words(why(made.core, "s0", made.t))
    assert "last resort" in words[1]
    assert "draws 32.0 A against its limit, and service L1 has 47.0 A of 40.0 A" in words[1]
    made.unplug("s0")
    made.plug("s0")
    assert made.core.stations["s0"].trust.stopped == ""


@pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
@pytest.mark.parametrize("on", [True, False])
def test_a_deaf_station_is_stopped_in_the_loop(
    tmp_path: Path, version: str, on: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """32 A and 22 A of building on 48 A: its transaction is ended, and the others charge; or not, as it is set."""
    policy = f'policy = "dynamic"\nstop_strays = {str(on).lower()}'
    path = trio(tmp_path, ('policy = "dynamic"', policy), ('ocpp = "1.6"', f'ocpp = "{version}"'))

    async def body() -> tuple[float, float]:
        async with Bench(load_rig(path)) as bench:
            await bench.plug_in()
            await bench.settled()
            bench.faults.deafen("A", 32.0)
            bench.base_load.step(12.0)
            await asyncio.sleep(180)
            bench.plant.touch()
            one, other = (bench.record.signals[line_current(role, "L1")].last() or 0.0 for role in "AB")
            return one, other

    deaf, other = clock.run(body(), "virtual")
    said = [record.message for record in caplog.records if "last resort" in record.message]
    if on:
        assert (deaf, other > 6.0, len(said)) == (0.0, True, 1)
        assert "station A: last resort, its session is ended: it draws 32" in said[0]
    else:
        assert (deaf > 31.0, other, said) == (True, 0.0, [])
