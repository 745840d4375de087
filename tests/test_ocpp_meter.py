"""A site meter that a station reports: its messages, what the controller makes of them, and procedures with it."""

from __future__ import annotations

import asyncio
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilbench import clock
from hilbench.controller.abilities import Supply
from hilbench.controller.csms2 import Conversation2, Session201
from hilbench.controller.csms16 import Conversation16, Session16
from hilbench.controller.ocpp_meter import OcppPort
from hilbench.controller.settings import ControllerSettings
from hilbench.controller.watch import MeterSample
from hilbench.errors import InputError
from hilbench.rig import load_rig
from hilbench.runner import Job, execute
from hilbench.signals import Record
from hilbench.world import World, build_world
from hilbench_emulators.ocpp_meter import OcppMeter
from hilbench_emulators.station.base import AcStation
from hilbench_emulators.station.metering import Figure, main_meter, meter_value2, meter_value16
from tests.rigs import trio
from tests.test_meter import IDEAL, Truth

LINES = ("L1", "L2", "L3")
QUANTITIES = {"voltage": 230.0, "current": 10.25, "power": 2300.0}
VALUES = {f"{name}_l{k}": value + k for name, value in QUANTITIES.items() for k in (1, 2, 3)} | {"import_energy": 1.5}
MODBUS = 'device = "emulated:ct"\nnode = "service"\naddress = "tcp://127.0.0.1:5020"\n'
REPORTED = 'device = "emulated:ocpp"\nstation = "A"\n'


def handed_on(*reports: list[dict[str, Any]], lines: tuple[str, ...] = LINES) -> list[MeterSample]:
    """The samples that come of reports, one a second."""
    samples: list[MeterSample] = []

    async def body() -> None:
        port = OcppPort(lines, 230.0, 1.0, samples.append)
        running = asyncio.create_task(port.run(lambda: None))
        for report in reports:
            port.take(report)
            await asyncio.sleep(1.0)
        running.cancel()
        await asyncio.wait([running])

    clock.run(body())
    return samples


def test_golden_messages() -> None:
    """Currents, voltages and powers by phase and the energy, at the Inlet: text in 1.6, numbers in 2.x."""
    read = main_meter(VALUES, 3)
    one, two = (make(read, "now", "Sample.Periodic", "Inlet") for make in (meter_value16, meter_value2))
    common = {"measurand": "Current.Import", "context": "Sample.Periodic", "location": "Inlet", "phase": "L1"}
    assert one["sampled_value"][0] == common | {"value": "11.25", "unit": "A"}
    assert two["sampled_value"][0] == common | {"value": 11.25, "unit_of_measure": {"unit": "A"}}
    assert [(s["measurand"], s.get("phase"), s["value"]) for s in one["sampled_value"]][3:] == [
        ("Voltage", "L1-N", "231.0"), ("Voltage", "L2-N", "232.0"), ("Voltage", "L3-N", "233.0"),
        ("Power.Active.Import", "L1", "2301"), ("Power.Active.Import", "L2", "2302"),
        ("Power.Active.Import", "L3", "2303"), ("Energy.Active.Import.Register", None, "1500"),
    ]  # fmt: skip


@given(amps=st.floats(0.0, 5_000.0), watts=st.floats(-1e6, 1e6))
def test_what_a_station_says_is_what_the_controller_reads(amps: float, watts: float) -> None:
    """In both versions, to the digits that are sent."""
    read = main_meter(VALUES | {"current_l2": amps, "power_l3": watts}, 3)
    for make in (meter_value16, meter_value2):
        (sample,) = handed_on([make(read, "now", "Sample.Periodic", "Inlet")])
        assert sample.currents == pytest.approx({"L1": 11.25, "L2": amps, "L3": 13.25}, abs=0.0051)
        assert sample.powers["L3"] == pytest.approx(watts, abs=0.51)
        assert sample.voltages == {"L1": 231.0, "L2": 232.0, "L3": 233.0}


def test_no_number_is_handed_on_as_such_or_not_said_at_all() -> None:
    """1.6 says NaN, which the watch judges; 2.x has nothing to say."""
    read = main_meter(dict.fromkeys(VALUES, math.nan), 3)
    (sample,) = handed_on([meter_value16(read, "now", "Sample.Periodic", "Inlet")])
    assert all(map(math.isnan, sample.currents.values()))
    assert meter_value2(read, "now", "Sample.Periodic", "Inlet")["sampled_value"] == []


def said(**fields: Any) -> dict[str, Any]:
    """One sampled value."""
    return {"measurand": "Current.Import", "phase": "L1", **fields}


ODD: dict[str, tuple[list[dict[str, Any]], tuple[str, ...], MeterSample | None]] = {
    "only currents": ([said(value="5"), said(value="6", phase="L2")], LINES[:2],
                      MeterSample(0.0, 1, {"L1": 5.0, "L2": 6.0}, {"L1": 230.0, "L2": 230.0}, {"L1": 0.0, "L2": 0.0})),
    "no phase on one line": ([{"measurand": "Current.Import", "value": 7}], LINES[:1],
                             MeterSample(0.0, 1, {"L1": 7.0}, {"L1": 230.0}, {"L1": 0.0})),
    "kW and a multiplier": (
        [said(value=700, unit_of_measure={"unit": "A", "multiplier": -2}),
         said(measurand="Power.Active.Import", value="1.5", unit="kW")], LINES[:1],
        MeterSample(0.0, 1, {"L1": 7.0}, {"L1": 230.0}, {"L1": 1500.0})),
    "to neutral": ([said(value="7", phase="L1-N")], LINES[:1],
                   MeterSample(0.0, 1, {"L1": 7.0}, {"L1": 230.0}, {"L1": 0.0})),
    "the sum of phases": ([{"measurand": "Current.Import", "value": 7}], LINES, None),
    "no current": ([said(measurand="Voltage", value="230")], LINES, None),
    "nothing": ([], LINES, None),
}  # fmt: skip


@pytest.mark.parametrize(("values", "lines", "expected"), ODD.values(), ids=ODD.keys())
def test_what_stations_say_otherwise(
    values: list[dict[str, Any]], lines: tuple[str, ...], expected: MeterSample | None
) -> None:
    """What is not said counts as nominal voltage and no power; a sum of phases and no current are no sample."""
    found = handed_on([{"sampled_value": values}], lines=lines)
    key = ("t", "number", "currents", "voltages", "powers")
    assert [[getattr(s, name) for name in key] for s in found] == [
        [getattr(s, name) for name in key] for s in [expected] if s is not None
    ]


@pytest.mark.parametrize("value", ["", "abc", None, "NaN", [1], "inf"])
def test_a_current_that_is_no_number_or_not_there_is_not_finite(value: Any) -> None:
    """For the line that it is of; a line of which nothing is said is no number either."""
    (sample,) = handed_on([{"sampled_value": [said(value=value), said(value="4", phase="L2")]}])
    assert not math.isfinite(sample.currents["L1"])
    assert sample.currents["L2"] == 4.0
    assert math.isnan(sample.currents["L3"])


def test_each_report_is_one_sample_and_silence_is_none() -> None:
    """The newest entry of a report counts; a report that comes between two instants replaces the last."""
    entries = [{"sampled_value": [said(value=str(amps))]} for amps in (1, 2)]
    samples = handed_on(entries, [], [entries[0]], lines=("L1",))
    assert [(s.t, s.number, s.currents["L1"]) for s in samples] == [(0.0, 1, 2.0), (2.0, 2, 1.0)]
    assert samples[0].raw != samples[1].raw


@pytest.mark.parametrize("kind", [(Session16, Conversation16), (Session201, Conversation2)])
@pytest.mark.parametrize(("role", "place", "heard"), [("A", 0, "site"), ("A", 1, "A"), ("B", 1, "B")])
def test_only_the_main_meter_of_the_named_station_is_the_sites(kind: Any, role: str, place: int, heard: str) -> None:
    """Its own outlet and other stations are reports of what stations draw."""
    told: list[str] = []
    session, conversation = (object.__new__(one) for one in kind)
    conversation.role, conversation.transaction = role, None
    conversation._installer = SimpleNamespace(supply=Supply(230.0, 3))
    conversation.csms = SimpleNamespace(meter_role="A", settings=ControllerSettings())
    conversation.listener = SimpleNamespace(
        on_site_meter=lambda _value: told.append("site"), on_report=lambda r, _c: told.append(r)
    )
    session._conversation, session._results = conversation, SimpleNamespace(MeterValues=lambda: None)
    report = [{"sampled_value": [said(value="5")]}]
    session.on_meter_values(meter_value=report, **{"connector_id" if kind[0] is Session16 else "evse_id": place})
    assert told == [heard]


@pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
def test_a_procedure_passes_with_a_meter_that_a_station_reports(tmp_path: Path, version: str) -> None:
    """The controller has no other meter, and the building's step is seen in time."""
    rig = trio(tmp_path, (MODBUS, REPORTED), ('ocpp = "1.6"', f'ocpp = "{version}"'))
    assert load_rig(rig).site_meter.whereabouts == "reported by station A"
    assert execute(Job(str(rig), "7.2", 1, tmp_path / "run"))["verdict"] == "PASS"


@pytest.mark.parametrize(("version", "procedure"), [("1.6", "4.4"), ("2.1", "4.4b")])
def test_a_reported_meter_that_fails_is_found_out(tmp_path: Path, version: str, procedure: str) -> None:
    """Dead, no number, zero and frozen lead to the fallbacks as with a meter that is polled."""
    rig = trio(tmp_path, (MODBUS, REPORTED), ('ocpp = "1.6"', f'ocpp = "{version}"'))
    assert execute(Job(str(rig), procedure, 1, tmp_path / "run"))["verdict"] == "PASS"


def offered_a(world: World, role: str) -> float:
    """What the station offers now [A]."""
    station = world.stations[role]
    assert isinstance(station, AcStation)
    return station.offered_a


@pytest.mark.parametrize("fault", ["dead", "frozen", "nan", "zero", "reversed", "swapped"])
@pytest.mark.parametrize(
    "meter",
    [REPORTED, *(MODBUS + f'map = "{name}"\n' for name in ("em340", "sunspec"))],
    ids=["reported", "integers", "sunspec"],
)
def test_every_fault_of_a_meter_brings_the_stations_to_their_fallback(tmp_path: Path, meter: str, fault: Any) -> None:
    """Two cars that charge fall to 6 A within the lease and the time-out, however the meter is read."""
    rig = load_rig(trio(tmp_path, (MODBUS, meter)))

    async def body() -> tuple[float, float]:
        world = build_world(rig, Record(), seed=1, quiet_base_a=5.0, day=None)
        await world.start()
        assert world.meter is not None
        for role in "AB":
            await world.stations[role].plug_in("model-3", energy_kwh=30.0)
        await asyncio.sleep(200.0)
        before = offered_a(world, "B")
        world.meter.set_fault(fault)
        await asyncio.sleep(40.0)
        after = max(offered_a(world, role) for role in "AB")
        await world.stop()
        return before, after

    before, after = clock.run(body())
    assert before > 10.0
    assert after <= 6.0


def test_a_frozen_meter_goes_on_to_tell_and_a_dead_one_does_not() -> None:
    """The same values at every sample, as from a station that repeats what it has; then silence."""
    told: list[list[Figure]] = []

    async def body() -> list[int]:
        station = SimpleNamespace(tell_main_meter=told.append)
        meter = OcppMeter(Truth(), station, record=Record(), rng=np.random.default_rng(1), settings=IDEAL)
        await meter.start()
        counts = []
        for fault in ("frozen", "dead", None):
            meter.set_fault(fault)
            before = len(told)
            await asyncio.sleep(9.5)
            counts.append(len(told) - before)
        await meter.stop()
        return counts

    frozen, dead, healed = clock.run(body())
    assert 9 <= frozen <= 10
    assert dead == 0
    assert 9 <= healed <= 10
    assert all(figures == told[0] for figures in told[: 1 + frozen])
    assert told[-1] != told[0]


MISTAKES = {
    "no station": (
        'station = "A"\n',
        "",
        "meter.service.station",
        "there is no station None that reports it (known: A, B",
    ),
    "another station": ('"A"\n', '"Z"\n', "meter.service.station", "there is no station 'Z' that reports it"),
    "an address": ('"A"\n', '"A"\nunit = 2\n', "meter.service.unit", "a meter that a station reports has none"),
    "no reported meter": (
        "emulated:ocpp",
        "emulated:ct",
        "meter.service.station",
        "no station reports a meter that is",
    ),
    "a feeder's": ('"A"\n', '"A"\nnode = "bays"\n', "meter.service.node", "reports the meter of the service only"),
}


@pytest.mark.parametrize(("old", "new", "where", "what"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_reported_meter_that_cannot_be_is_told(tmp_path: Path, old: str, new: str, where: str, what: str) -> None:
    """By its key, before anything starts."""
    feeder = ("[meter.service]", '[[feeder]]\nid = "bays"\nrating_a = 50\n\n[meter.service]')
    with pytest.raises(InputError) as told:
        load_rig(trio(tmp_path, (MODBUS, REPORTED.replace(old, new)), feeder))
    assert f"{where} (line " in str(told.value)
    assert what in str(told.value)
