"""Cars that give power back: signed currents, two energy registers, the battery's balance and its reserve."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilbench import clock
from hilbench.errors import InputError
from hilbench.signals import (
    Record,
    Signal,
    demanded_current,
    exported_energy,
    line_current,
    node_power,
    state_of_charge,
    station_energy,
    station_power,
)
from hilbench.site import Branch, Service, Site
from hilbench_emulators.building import constant_load
from hilbench_emulators.plant import Plant
from hilbench_emulators.vehicles import Vehicle, load_vehicle

EUROPE = Site(
    name="eu",
    service=Service(rating_a=100, voltage_v=400, wiring="three-phase"),
    branches=tuple(Branch(role=role, branch_a=40, max_a=32, connection="L1-L2-L3") for role in "AB"),
)
CAR = "generic-v2g"
DIGITAL = 5.0
Script = Callable[[Plant], Awaitable[None]]


def play(script: Script, site: Site = EUROPE) -> Record:
    """Run ``script`` on a plant that records both directions; contactors follow the cars."""
    record = Record()

    async def main() -> None:
        plant = Plant(site, record, two_way=True)
        await script(plant)
        plant.stop()

    clock.run(main())
    return record


def connect(plant: Plant, role: str = "A", vehicle: Vehicle | str = CAR, soc: float = 0.5) -> None:
    """Plug a car in at a station that closes its contactor in state C."""
    plant.plug_in(role, vehicle, soc=soc, on_state=lambda state: plant.set_contactor(role, state == "C"))
    plant.set_pilot(role, DIGITAL)


def small(battery_kwh: float = 4.0) -> Vehicle:
    """The generic car with a battery that empties within an hour."""
    return load_vehicle(CAR).model_copy(update={"battery_kwh": battery_kwh})


def integral_wh(signal: Signal, sign: int) -> float:
    """Energy of the positive or negative part of a recorded power, by fine steps that know nothing of its corners."""
    t, watts = signal.polyline()
    fine = np.arange(t[0], t[-1], 0.05)
    return float(np.clip(sign * np.interp(fine, t, watts), 0.0, None).sum() * 0.05 / 3600.0)


def test_an_order_charges_and_discharges_with_its_sign() -> None:
    """11 kW in, 11 kW out: currents stay magnitudes, powers have the direction, at the station and at the service."""

    async def script(plant: Plant) -> None:
        plant.set_base_load(constant_load(EUROPE.service, 5.0))
        connect(plant)
        for order, sign in ((16.0, 1), (-16.0, -1)):
            plant.order("A", order)
            await asyncio.sleep(60)
            read, node = plant.station_reading("A"), plant.reading("service")
            assert read.currents == pytest.approx(dict.fromkeys(("L1", "L2", "L3"), 16.0), rel=1e-3)
            assert read.power_w == pytest.approx(sign * 3 * 230.94 * 16.0, rel=3e-3)
            base_w = 5.0 * 230.94 * 0.95
            assert sum(node.power_w.values()) == pytest.approx(read.power_w + 3 * base_w, rel=3e-2)
            assert node.currents["L1"] == pytest.approx(abs(sign * 16.0 + 5.0 * 0.95), abs=0.4)

    record = play(script)
    power = record.signals[node_power("service")]
    assert power.value_at(100.0) == pytest.approx(record.signals[station_power("A")].value_at(100.0) + 3e3, rel=0.1)
    assert power.value_at(100.0) < -7000.0


def test_a_car_that_cannot_discharge_takes_a_negative_order_for_nothing() -> None:
    """It stops charging, and nothing is counted out."""

    async def script(plant: Plant) -> None:
        connect(plant, vehicle="model-3")
        plant.order("A", 16.0)
        await asyncio.sleep(60)
        assert plant.station_reading("A").power_w > 10e3
        plant.order("A", -16.0)
        await asyncio.sleep(60)
        assert plant.station_reading("A").power_w == 0.0

    record = play(script)
    assert exported_energy("A") not in record.signals
    assert state_of_charge("A") not in record.signals


def test_without_an_order_the_pilot_counts_and_nothing_is_given() -> None:
    """The 5 % of a digital link offer nothing; an order that ends while discharging leaves what the pilot says."""

    async def script(plant: Plant) -> None:
        connect(plant)
        await asyncio.sleep(30)
        assert plant.pilot_state("A") == "B"
        plant.order("A", -10.0)
        await asyncio.sleep(30)
        assert plant.station_reading("A").power_w < -6e3
        plant.set_pilot("A", 10 / 0.6)
        await asyncio.sleep(30)
        assert plant.station_reading("A").power_w < -6e3
        plant.order("A", None)
        await asyncio.sleep(30)
        assert plant.station_reading("A").currents["L1"] == pytest.approx(10.0, rel=1e-3)
        assert plant.station_reading("A").power_w > 6e3

    play(script)


@pytest.mark.parametrize("order_a", [-16.0, -6.0, -1.0])
def test_discharging_ends_at_the_reserve(order_a: float) -> None:
    """The ramp to nothing ends at the least state of charge, and an order that goes on takes nothing more."""

    async def script(plant: Plant) -> None:
        connect(plant, vehicle=small(1.0), soc=0.6)
        plant.order("A", order_a)
        await asyncio.sleep(4 * 3600)
        plant.order("A", order_a)
        await asyncio.sleep(60)

    record = play(script)
    soc = record.signals[state_of_charge("A")]
    assert soc.last() == pytest.approx(0.2, abs=1e-6)
    assert min(soc.rows()[1]) >= 0.2 - 1e-9
    assert record.signals[exported_energy("A")].last() == pytest.approx(1000.0 * 0.4 * 0.85, rel=1e-6)
    assert record.signals[station_power("A")].last() == 0.0


def test_a_full_car_can_discharge_and_charge_again() -> None:
    """Full, it has opened its contactor; an order brings it back, and its demand returns with room in its battery."""

    async def script(plant: Plant) -> None:
        connect(plant, vehicle=small(), soc=0.97)
        plant.order("A", 16.0)
        await asyncio.sleep(3600)
        assert plant.pilot_state("A") == "B"
        assert plant.demand_a("A") == 0.0
        plant.order("A", -16.0)
        await asyncio.sleep(300)
        assert plant.station_reading("A").power_w < -10e3
        plant.order("A", 16.0)
        await asyncio.sleep(60)
        assert plant.station_reading("A").power_w > 10e3
        await asyncio.sleep(3600)
        assert plant.pilot_state("A") == "B"

    record = play(script)
    assert record.signals[state_of_charge("A")].last() == pytest.approx(1.0)
    assert max(record.signals[demanded_current("A")].rows()[1]) == 16.0


@settings(max_examples=30, deadline=None)
@given(
    orders=st.lists(
        st.tuples(st.sampled_from([None, -16.0, -9.5, -2.0, 0.0, 3.0, 6.0, 16.0]), st.floats(0.3, 900.0)),
        min_size=1,
        max_size=8,
    ),
    soc=st.floats(0.15, 0.99),
)
def test_energy_is_the_integral_of_power_in_each_direction(
    orders: list[tuple[float | None, float]], soc: float
) -> None:
    """Both registers agree with a fine integration of the power, and the battery with both registers."""

    async def script(plant: Plant) -> None:
        connect(plant, vehicle=small(), soc=soc)
        for order, wait_s in orders:
            plant.order("A", order)
            await asyncio.sleep(wait_s)

    record = play(script)
    power = record.signals[station_power("A")]
    taken, given = (record.signals[name("A")].last() or 0.0 for name in (station_energy, exported_energy))
    assert taken == pytest.approx(integral_wh(power, 1), rel=3e-3, abs=0.5)
    assert given == pytest.approx(integral_wh(power, -1), rel=3e-3, abs=0.5)
    # a battery that is full forgives the end of its taper, at most 5 % of the last 3 %, each time
    forgiven = 4000.0 * 0.05 * 0.03 * len(orders)
    held = 1000.0 * 4.0 * ((record.signals[state_of_charge("A")].last() or 0.0) - soc)
    assert taken - given / 0.85 - 1e-6 <= held <= taken - given / 0.85 + forgiven + 1e-6


@settings(max_examples=25, deadline=None)
@given(probe=st.floats(60.5, 64.0) | st.floats(0.0, 300.0))
def test_between_recorded_samples_the_truth_is_straight(probe: float) -> None:
    """A car that turns round is recorded where its current passes through zero."""
    seen: dict[str, float] = {}

    async def script(plant: Plant) -> None:
        connect(plant)
        plant.order("A", 16.0)
        asyncio.get_running_loop().call_at(60.0, plant.order, "A", -7.0)
        await asyncio.sleep(probe)
        seen["amps"], seen["soc"] = plant.station_reading("A").currents["L1"], plant.station_reading("A").soc or 0.0
        seen["watts"] = plant.station_reading("A").power_w
        await asyncio.sleep(300.0 - probe)

    signals = play(script).signals
    assert signals[line_current("A", "L1")].value_at(probe) == pytest.approx(seen["amps"], abs=1e-6)
    assert signals[station_power("A")].value_at(probe) == pytest.approx(seen["watts"], abs=5.0)
    assert signals[state_of_charge("A")].value_at(probe) == pytest.approx(seen["soc"], abs=2e-6)


def test_opening_the_contactor_ends_a_discharge_at_once() -> None:
    """Interrupted or unplugged, nothing flows from that instant on, and the register keeps what was given."""

    async def script(plant: Plant) -> None:
        connect(plant)
        plant.order("A", -16.0)
        await asyncio.sleep(60)
        plant.set_contactor("A", closed=False)
        assert plant.station_reading("A").power_w == 0.0
        plant.set_contactor("A", closed=True)
        await asyncio.sleep(60)
        assert plant.station_reading("A").power_w < -10e3
        plant.unplug("A")
        kept = plant.station_reading("A").exported_wh
        await asyncio.sleep(60)
        assert plant.station_reading("A").exported_wh == kept > 250.0

    play(script)


def test_two_cars_cancel_at_the_service() -> None:
    """One that charges and one that discharges leave next to nothing on the line above them."""

    async def script(plant: Plant) -> None:
        for role, order in (("A", 10.0), ("B", -10.0)):
            connect(plant, role)
            plant.order(role, order)
        await asyncio.sleep(60)
        assert plant.reading("service").currents["L1"] < 1.0

    play(script)


def test_what_a_car_can_give_is_checked(tmp_path: Path) -> None:
    """A reserve of everything and a gain instead of a loss are refused, each by name."""
    path = tmp_path / "mine.toml"
    text = (
        'title = "x"\nbattery_kwh = 50\ntiming_source = "a"\nbattery_source = "b"\n'
        '[discharge]\nmax_a = 16\nmin_soc = 1.0\nefficiency = 1.1\nsource = "c"\n'
        '[[response]]\nphases = 1\npoints = [[6, 6, 1], [16, 16, 1]]\nsource = "d"\n'
    )
    path.write_text(text)
    with pytest.raises(InputError) as found:
        load_vehicle(str(path))
    assert {problem.where for problem in found.value.problems} == {"discharge.min_soc", "discharge.efficiency"}
