"""The bench in virtual time: a rig comes up, obeys its methods, and is left safe."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from hilbench import clock
from hilbench.bench import Bench
from hilbench.errors import InputError
from hilbench.rig import load_rig
from hilbench.signals import base_current, line_current, offered_current
from tests.rigs import trio

Body = Callable[[Bench], Awaitable[Any]]


def on_bench(folder: Path, body: Body, **options: Any) -> Bench:
    """The bench after ``body`` ran on it and it was left."""
    rig = load_rig(str(trio(folder)))

    async def main() -> Bench:
        async with Bench(rig, **options) as bench:
            await body(bench)
        return bench

    return clock.run(main(), epoch=rig.run.epoch)


def test_every_station_is_accepted_before_the_first_line_of_a_test(tmp_path: Path) -> None:
    """When the context is entered the stations are online and the meter is read."""

    async def body(bench: Bench) -> None:
        assert [station.connected for station in bench.stations.values()] == [True] * 3
        assert bench.trace_hashes.keys() == {"A", "B", "C"}

    on_bench(tmp_path, body)


def test_cars_that_plug_in_charge_and_leave(tmp_path: Path) -> None:
    """One of three: it alone charges after a minute; after it left nobody does."""

    async def body(bench: Bench) -> None:
        await bench.plug_in("B")
        assert await bench.settled()
        assert bench.charging_roles() == ["B"]
        assert bench.total_power_w() > 1000.0
        await bench.unplug("B")
        await bench.run_for(10.0)
        assert bench.charging_roles() == []

    on_bench(tmp_path, body)


def test_after_the_end_every_station_is_at_its_safe_limit(tmp_path: Path) -> None:
    """Leaving the context sets each station to its fallback and says so in the record."""

    async def body(bench: Bench) -> None:
        await bench.plug_in()
        await bench.settled()

    bench = on_bench(tmp_path, body)
    confirmed = {event.subject for event in bench.record.events if event.kind == "safe.confirmed"}
    assert (bench.unsafe, confirmed) == ([], {"A", "B", "C"})


def test_a_test_that_fails_leaves_a_safe_site_too(tmp_path: Path) -> None:
    """An exception inside the context passes through, after the stations were made safe."""
    seen: list[Bench] = []

    async def body(bench: Bench) -> None:
        seen.append(bench)
        await bench.plug_in()
        await bench.settled()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        on_bench(tmp_path, body)
    assert seen[0].unsafe == []
    assert {event.subject for event in seen[0].record.events if event.kind == "safe.confirmed"} == {"A", "B", "C"}


def test_a_step_of_the_building_is_in_the_record_at_its_time(tmp_path: Path) -> None:
    """The base signal jumps by the step when the event says so, and the service's current with it."""

    async def body(bench: Bench) -> None:
        before = bench.record.signals[base_current("L1")].last()
        step = bench.base_load.step(7.0)
        await bench.run_for(1.0)
        base = bench.record.signals[base_current("L1")]
        assert base.value_at(step.t + 0.5) == pytest.approx((before or 0.0) + 7.0)
        assert bench.record.signals[line_current("service", "L1")].value_at(step.t + 0.5) >= 7.0

    on_bench(tmp_path, body)


def test_a_phase_of_the_stimulus_is_drawn_from_the_seed(tmp_path: Path) -> None:
    """``align`` waits for a phase within one meter interval: equal for equal seeds, different for others."""
    phases: list[float] = []

    async def body(bench: Bench) -> None:
        await bench.align()
        phases.append(clock.now().timestamp() % 10.0)

    for seed in (1, 1, 2):
        on_bench(tmp_path, body, seed=seed)
    assert phases[0] == phases[1] != phases[2]
    assert all(0.0 <= phase < 1.0 for phase in phases)


def test_an_unknown_station_is_refused_with_those_that_exist(tmp_path: Path) -> None:
    """A misspelt role does not silently plug in nobody."""

    async def body(bench: Bench) -> None:
        with pytest.raises(InputError, match="no station D; the rig has A, B, C"):
            await bench.plug_in(["A", "D"])
        assert bench.offered_sum_a() == 0.0

    on_bench(tmp_path, body)


def test_a_controller_that_goes_on_changing_is_marked_as_unsettled(tmp_path: Path) -> None:
    """``settled`` gives up after its time-out, says so in the record, and lets the test go on."""

    async def body(bench: Bench) -> None:
        await bench.plug_in()
        offers = bench.record.signals[offered_current("A")]
        assert not await bench.settled(quiet_s=15.0, timeout_s=1.0)
        assert len(offers) > 1
        assert [event.kind for event in bench.record.events].count("bench.unsettled") == 1

    on_bench(tmp_path, body)


def test_the_rooms_of_a_rig_are_those_of_its_file(tmp_path: Path) -> None:
    """Steps scale with the service, equal cars fit beside the quiet building, time-outs are the rig's."""
    bench = Bench(load_rig(str(trio(tmp_path))))
    bench.stations = dict.fromkeys("ABC")  # type: ignore[assignment]  # only their names count here
    assert bench.step_a == pytest.approx(15.0)
    assert bench.equal_roles(each_a=12.0) == ["A", "B", "C"]
    assert bench.equal_roles(each_a=30.0) == ["A"]
    assert bench.fallback_timeout_s > bench.meter_interval_s


def test_a_station_with_a_wrong_clock_is_told_the_time(tmp_path: Path) -> None:
    """The controller sees it by the stamps of its reports, within two of them, and the fault is in the record."""

    async def body(bench: Bench) -> None:
        await bench.plug_in("A")
        await bench.settled()
        jumped = bench.faults.set_clock("A", -3600.0)
        await bench.run_for(31.0)
        told = [event for event in bench.record.events_of("station.clock") if event.t > jumped.t]
        assert jumped.kind == "fault.clock"
        assert [(event.subject, abs(event.data["ahead_s"]) < 1.0) for event in told] == [("A", True)]

    on_bench(tmp_path, body)
