"""What is on the wire over time: histories, scripts, and the pilots of the plant's stations and cars."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from functools import partial

import numpy as np
import pytest

from hilbench import clock
from hilbench.errors import InputError
from hilbench.signals import Record
from hilbench.site import Branch, Service, Site
from hilbench_emulators.pilot import Change, Circuit, Ev, Evse, PilotHistory, PilotWire, Script, steady, voltage
from hilbench_emulators.plant import Plant
from hilbench_emulators.station.outlet import Outlet
from hilbench_emulators.station.settings import StationSettings

ONE = Site(
    name="one",
    service=Service(rating_a=100, voltage_v=240, wiring="split-phase"),
    branches=(Branch(role="A", branch_a=40, max_a=32, connection="L1-L2"),),
)


def on_plant(body: Callable[[Plant, Outlet], Awaitable[None]]) -> None:
    """Run ``body`` in virtual time with a plant and the outlet of a station at it."""

    async def main() -> None:
        record = Record()
        plant = Plant(ONE, record)
        outlet = Outlet(ONE.branches[0], plant, StationSettings(), record, lambda: None)
        await body(plant, outlet)
        plant.stop()

    clock.run(main())


# histories


def test_a_history_answers_any_time_it_remembers() -> None:
    """What held at a time, and what has changed since; before its first change, that."""
    history = PilotHistory(Change(0.0))
    history.update(10.0, load="B")
    history.update(12.0, duty_pct=40.0)
    assert [history.at(t).state for t in (-5.0, 0.0, 9.9, 10.0, 12.0, 99.0)] == ["A1", "A1", "A1", "B1", "B2", "B2"]
    assert [change.t for change in history.since(10.5)] == [10.0, 12.0]


def test_a_history_forgets_what_is_old_but_not_what_holds() -> None:
    """A minute after a change what was before it is gone; the change itself stays as long as it holds."""
    history = PilotHistory(Change(0.0), keep_s=60.0)
    for t in range(0, 1000, 10):
        history.update(float(t), duty_pct=20.0 + t / 100)
    kept = history.since(-math.inf)
    assert len(kept) <= 8
    assert kept[0].t <= 990.0 - 60.0
    assert history.at(935.0).duty_pct == pytest.approx(29.3)


def test_what_changes_nothing_is_no_change() -> None:
    """The same again is not kept, and of two changes at one time only the last holds."""
    history = PilotHistory(Change(0.0))
    history.update(1.0, load="A")
    assert len(history.since(-math.inf)) == 1
    history.update(2.0, load="B")
    history.update(2.0, load="C")
    assert [change.load for change in history.since(-math.inf)] == ["A", "C"]


def test_time_does_not_run_backwards() -> None:
    """A change before the last one, a script out of order or without changes, and a time that is none are refused."""
    history = PilotHistory(Change(5.0))
    with pytest.raises(InputError, match="before the last change"):
        history.update(4.0, load="B")
    for changes in ((), (Change(2.0), Change(1.0))):
        with pytest.raises(InputError, match="order"):
            Script(changes)
    with pytest.raises(InputError, match="time"):
        Change(math.nan)


@pytest.mark.parametrize("duty", [-0.1, 100.1, math.nan])
def test_a_duty_cycle_that_cannot_be_is_refused(duty: float) -> None:
    """0 to 100 % and nothing else."""
    with pytest.raises(InputError, match="duty_pct"):
        steady("A", duty)


@pytest.mark.parametrize(
    ("change", "state"),
    [
        (Change(0.0), "A1"),
        (Change(0.0, "B", 53.0), "B2"),
        (Change(0.0, "C", 100.0), "C1"),
        (Change(0.0, "D", 5.0), "D2"),
        (Change(0.0, "E", 40.0), "E"),
        (Change(0.0, "C", 0.0), "F"),
        (Change(0.0, "C", 40.0, Circuit().unpowered()), "E"),
    ],
)
def test_states_have_their_names(change: Change, state: str) -> None:
    """The letter of the car, 1 without and 2 with PWM, E for a short or a dead source, F for a steady low level."""
    assert change.state == state


# the plant


def test_the_plant_shows_what_station_and_car_do() -> None:
    """Plug in, offer, ready, another offer, pause, plug out: all on the wire at its time."""

    async def body(plant: Plant, outlet: Outlet) -> None:
        wire: PilotWire = plant.pilot_wire("A")
        outlet.power_up()
        await asyncio.sleep(10)
        outlet.plug_in("leaf-40", None, None)
        outlet.allow(16.0)
        await asyncio.sleep(20)
        outlet.allow(10.0)
        await asyncio.sleep(20)
        outlet.unplug()
        await asyncio.sleep(1)
        changes = wire.since(0.0)
        states = [change.state for change in changes]
        assert states[0] == "A1"
        assert states[-1] == "A1"
        assert states.index("B2") < states.index("C2")
        assert wire.at(29.0).duty_pct == pytest.approx(16 / 0.6)
        assert wire.at(30.5).duty_pct == pytest.approx(10 / 0.6)
        assert wire.at(29.0).state == wire.at(49.0).state == "C2"

    on_plant(body)


def test_a_probe_sees_the_moment() -> None:
    """What an instrument takes of the plant's wire now has the duty cycle and the level of now."""

    async def body(plant: Plant, outlet: Outlet) -> None:
        outlet.power_up()
        outlet.plug_in("leaf-40", None, None)
        outlet.allow(16.0)
        await asyncio.sleep(20)
        probe = partial(voltage, plant.pilot_wire("A"))
        volts = probe(clock.time(), 1e-6, 10_000)
        assert float(np.mean(volts > 0.0)) == pytest.approx(16 / 60, abs=0.003)
        assert volts.max() == pytest.approx(5.99, abs=0.01)
        outlet.allow(0.0)
        await asyncio.sleep(0)
        assert probe(clock.time(), 1e-6, 10_000)[50:].min() > 5.9  # the last edge rises just now

    on_plant(body)


def test_a_station_without_supply_is_a_dead_wire() -> None:
    """Before it is supplied and after it has lost it the wire is at 0 V; in between it is at 12 V."""

    async def body(plant: Plant, outlet: Outlet) -> None:
        wire = plant.pilot_wire("A")
        plant.set_supply("A", False)
        assert np.abs(voltage(wire, 0.0, 1e-6, 100)).max() < 1e-9
        outlet.power_up()
        await asyncio.sleep(5)
        assert voltage(wire, 4.0, 1e-6, 100).min() == pytest.approx(12.0)
        outlet.power_down()
        await asyncio.sleep(5)
        assert wire.at(9.0).state == "E"
        assert np.abs(voltage(wire, 9.0, 1e-6, 100)).max() < 1e-9
        outlet.power_up()
        await asyncio.sleep(1)
        assert wire.at(11.0).state == "A1"

    on_plant(body)


def test_a_fault_of_the_circuit_shows_from_its_time_on() -> None:
    """A diode that fails and a negative rail that sags are on the wire of the plant, until the station acts on it."""

    async def body(plant: Plant, outlet: Outlet) -> None:
        outlet.power_up()
        outlet.plug_in("leaf-40", None, None)
        outlet.allow(16.0)
        await asyncio.sleep(20)
        plant.set_circuit("A", Circuit(evse=Evse(low_v=-10.7), ev=Ev(diode="shorted")))
        await asyncio.sleep(1)
        wire = plant.pilot_wire("A")
        assert voltage(wire, 19.0, 1e-6, 2000).min() == pytest.approx(-12.0, abs=0.01)
        assert voltage(wire, 20.05, 1e-6, 2000).min() == pytest.approx(-10.7 * 881.7 / 1881.7, abs=0.01)

    on_plant(body)
