"""The plant: closed-form currents, exact energy, phasor sums, and the car's answer to its pilot."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilbench import clock
from hilbench.errors import InputError
from hilbench.signals import Record, base_current, demanded_current, line_current, station_energy, station_power
from hilbench.site import Branch, Feeder, Service, Site
from hilbench_emulators.building import constant_load
from hilbench_emulators.injections import Step
from hilbench_emulators.plant import Plant

SPLIT = Site(
    name="two",
    service=Service(rating_a=100, voltage_v=240, wiring="split-phase"),
    branches=tuple(Branch(role=role, branch_a=40, max_a=32, connection="L1-L2") for role in "AB"),
)
DELTA = Site(
    name="delta",
    service=Service(rating_a=200, voltage_v=208, wiring="three-phase"),
    feeders=(Feeder(id="pod", rating_a=100),),
    branches=tuple(
        Branch(role=role, feeder="pod", branch_a=40, max_a=32, connection=lines)
        for role, lines in (("A", "L1-L2"), ("B", "L2-L3"), ("C", "L3-L1"))
    ),
)
Script = Callable[[Plant], Awaitable[None]]


def play(site: Site, script: Script) -> Record:
    """Run ``script`` on a plant of ``site`` in virtual time; contactors follow the cars."""
    record = Record()

    async def main() -> None:
        plant = Plant(site, record)
        await script(plant)
        plant.stop()

    clock.run(main())
    return record


def follow(plant: Plant, role: str) -> Callable[[str], None]:
    """A station that closes its contactor in state C and opens it otherwise."""
    return lambda state: plant.set_contactor(role, state == "C")


def test_a_car_follows_its_pilot_after_its_dead_time() -> None:
    """A lower duty cycle lowers the current after the dead time, along a ramp, to the car's own response."""

    async def script(plant: Plant) -> None:
        plant.plug_in("A", "leaf-40", on_state=follow(plant, "A"))
        plant.set_pilot("A", 16 / 0.6)
        await asyncio.sleep(100)
        plant.set_pilot("A", 10.0)
        await asyncio.sleep(60)

    signal = play(SPLIT, script).signals[line_current("A", "L1")]
    assert signal.value_at(99.0) == pytest.approx(16.1, abs=0.2)
    assert signal.value_at(101.4) == signal.value_at(99.0)
    assert signal.value_at(120.0) == pytest.approx(6.04, abs=0.01)


def test_of_two_duty_cycles_at_one_instant_the_last_counts() -> None:
    """A station that gets two limits at once leaves the car at the second, were it the one that it had before."""

    async def script(plant: Plant) -> None:
        plant.plug_in("A", "leaf-40", on_state=follow(plant, "A"))
        plant.set_pilot("A", 10.0)
        await asyncio.sleep(100)
        plant.set_pilot("A", 20.0)
        plant.set_pilot("A", 10.0)
        await asyncio.sleep(60)

    signal = play(SPLIT, script).signals[line_current("A", "L1")]
    assert signal.value_at(120.0) == signal.value_at(99.0) == pytest.approx(6.04, abs=0.01)


def test_no_current_flows_without_contactor_or_pilot() -> None:
    """A car without PWM, or behind an open contactor, draws nothing."""

    async def script(plant: Plant) -> None:
        plant.plug_in("A", "model-3", on_state=lambda _state: None)
        await asyncio.sleep(30)
        assert plant.pilot_state("A") == "B"
        plant.set_pilot("A", 50.0)
        await asyncio.sleep(30)
        assert plant.pilot_state("A") == "C"
        assert plant.station_reading("A").power_w == 0.0

    play(SPLIT, script)


def test_opening_the_contactor_interrupts_at_once() -> None:
    """The current is zero in the instant in which the contactor opens, and the record shows the jump."""

    async def script(plant: Plant) -> None:
        plant.plug_in("A", "model-3", on_state=follow(plant, "A"))
        plant.set_pilot("A", 50.0)
        await asyncio.sleep(60)
        plant.set_contactor("A", closed=False)
        await asyncio.sleep(1)

    t, v = play(SPLIT, script).signals[line_current("A", "L1")].polyline(0.0, 61.0)
    jump = np.flatnonzero((np.diff(t) == 0) & (t[1:] == 60.0))
    assert len(jump) == 1
    assert v[jump[0]] > 29.0
    assert v[jump[0] + 1] == 0.0


def test_a_pause_ends_in_state_b_and_resumes() -> None:
    """Without PWM the car ramps down and opens S2; when PWM returns it asks again."""
    states: list[str] = []

    async def script(plant: Plant) -> None:
        def on_state(state: str) -> None:
            states.append(state)
            plant.set_contactor("A", state == "C")

        plant.plug_in("A", "model-3", on_state=on_state)
        for duty in (50.0, None, 50.0):
            plant.set_pilot("A", duty)
            await asyncio.sleep(60)

    play(SPLIT, script)
    assert states == ["B", "C", "B", "C"]


def test_the_energy_asked_for_is_delivered_and_ends_the_demand() -> None:
    """A car stops near the energy it wanted, with a taper at the end, and its demand becomes zero."""

    async def script(plant: Plant) -> None:
        plant.plug_in("A", "model-3", energy_kwh=5.0, on_state=follow(plant, "A"))
        plant.set_pilot("A", 50.0)
        await asyncio.sleep(7200)
        assert plant.pilot_state("A") == "B"

    record = play(SPLIT, script)
    assert record.signals[station_energy("A")].last() == pytest.approx(5000.0, rel=0.03)
    assert record.signals[demanded_current("A")].last() == 0.0


@settings(max_examples=25, deadline=None)
@given(
    duties=st.lists(st.sampled_from([None, 10.0, 16.0, 25.0, 40.0, 53.0]), min_size=1, max_size=6),
    vehicle=st.sampled_from(["model-3", "leaf-40", "spring", "zoe-ze50", "mg4"]),
    energy_kwh=st.floats(0.2, 8.0),
)
def test_recorded_energy_is_the_integral_of_recorded_power(
    duties: list[float | None], vehicle: str, energy_kwh: float
) -> None:
    """The station's energy counter agrees with the integral of its recorded power, whatever the pilot does."""

    async def script(plant: Plant) -> None:
        plant.plug_in("A", vehicle, energy_kwh=energy_kwh, on_state=follow(plant, "A"))
        for duty in duties:
            plant.set_pilot("A", duty)
            await asyncio.sleep(400)

    record = play(SPLIT, script)
    t, watts = record.signals[station_power("A")].polyline()
    counted = record.signals[station_energy("A")].last()
    assert counted == pytest.approx(float(np.trapezoid(watts, t)) / 3600.0, rel=2e-3, abs=0.2)


@settings(max_examples=25, deadline=None)
@given(probe=st.floats(0.0, 600.0))
def test_between_recorded_samples_the_truth_is_straight(probe: float) -> None:
    """Linear interpolation of the record agrees with the plant's own answer at any time."""
    seen: dict[str, float] = {}

    async def script(plant: Plant) -> None:
        plant.set_base_load(constant_load(SPLIT.service, 5.0))
        for role, duty in (("A", 20.0), ("B", 45.0)):
            plant.plug_in(role, "leaf-40", energy_kwh=1.5, on_state=follow(plant, role))
            plant.set_pilot(role, duty)
        await asyncio.sleep(probe)
        seen["L1"] = plant.reading("service").currents["L1"]
        await asyncio.sleep(600.0 - probe)

    signal = play(SPLIT, script).signals[line_current("service", "L1")]
    assert signal.value_at(probe) == pytest.approx(seen["L1"], abs=0.1)


def test_line_to_line_loads_add_as_phasors() -> None:
    """Three equal cars between three pairs of lines load each line with sqrt(3) times their current, at every node."""

    async def script(plant: Plant) -> None:
        for role in "ABC":
            plant.plug_in(role, "leaf-40", on_state=follow(plant, role))
            plant.set_pilot(role, 30.0)
        await asyncio.sleep(60)
        one = plant.station_reading("A").currents["L1"]
        for node in ("service", "pod"):
            for line in ("L1", "L2", "L3"):
                assert plant.reading(node).currents[line] == pytest.approx(math.sqrt(3) * one, rel=1e-6)

    play(DELTA, script)


def test_reactive_current_loads_the_line_without_power() -> None:
    """A three-phase Renault at 6 A draws more than 6 A per line and next to no power."""
    site = Site(
        name="eu",
        service=Service(rating_a=100, voltage_v=400, wiring="three-phase"),
        branches=(Branch(role="A", branch_a=40, max_a=32, connection="L1-L2-L3"),),
    )

    async def script(plant: Plant) -> None:
        plant.plug_in("A", "zoe-ze50", on_state=follow(plant, "A"))
        plant.set_pilot("A", 20.0)
        await asyncio.sleep(60)
        plant.set_pilot("A", 10.0)
        await asyncio.sleep(60)
        found = plant.reading("service")
        assert found.currents["L1"] > 6.3
        assert 0.0 < sum(found.power_w.values()) < 60.0

    play(site, script)


def test_a_building_step_is_a_jump_in_the_record() -> None:
    """A step of the building is recorded as the value before and after it, and does not smear backwards."""

    async def script(plant: Plant) -> None:
        load = constant_load(SPLIT.service, 10.0)
        plant.set_base_load(load)
        await asyncio.sleep(100)
        plant.touch()
        load.add(Step(clock.time(), 20.0))
        await asyncio.sleep(10)

    signals = play(SPLIT, script).signals
    for name in (line_current("service", "L2"), base_current("L2")):
        assert signals[name].value_at(99.9) == pytest.approx(10.0)
        assert signals[name].value_at(100.0) == pytest.approx(30.0)


def test_a_jump_of_a_building_curve_is_one_in_the_record() -> None:
    """A load that jumps by itself has its old value until then, in the record of the building too."""

    async def script(plant: Plant) -> None:
        load = constant_load(SPLIT.service, 10.0)
        load.add(Step(clock.time() + 50.0, 20.0))
        plant.set_base_load(load)
        await asyncio.sleep(100)
        plant.touch()

    signals = play(SPLIT, script).signals
    for name in (line_current("service", "L2"), base_current("L2")):
        assert signals[name].value_at(49.0) == pytest.approx(10.0)
        assert signals[name].value_at(50.0) == pytest.approx(30.0)


def test_a_car_that_ignores_its_pilot_keeps_its_current() -> None:
    """With the fault on, a car keeps its current whatever the pilot says, and follows again when it ends."""

    async def script(plant: Plant) -> None:
        plant.plug_in("A", "model-3", on_state=follow(plant, "A"))
        plant.set_pilot("A", 40.0)
        await asyncio.sleep(60)
        plant.ignore_pilot("A", 24.0)
        plant.set_pilot("A", 10.0)
        await asyncio.sleep(60)
        assert plant.station_reading("A").currents["L1"] == pytest.approx(24.0)
        plant.ignore_pilot("A", None)
        await asyncio.sleep(60)
        assert plant.station_reading("A").currents["L1"] == pytest.approx(6.1, abs=0.1)

    play(SPLIT, script)


def test_a_second_car_at_the_same_outlet_is_refused() -> None:
    """Plugging into an occupied outlet is an error that says what to do."""

    async def script(plant: Plant) -> None:
        plant.plug_in("A", "model-3", on_state=lambda _state: None)
        with pytest.raises(InputError, match="unplug it first"):
            plant.plug_in("A", "mg4", on_state=lambda _state: None)

    play(SPLIT, script)
