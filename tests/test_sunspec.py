"""SunSpec meters: the registers of an emulated one, and what controller and driver read of it by pysunspec2."""

from __future__ import annotations

import asyncio
import math
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilbench import clock
from hilbench.controller.meter_port import MeterPlace, MeterPort
from hilbench.controller.registers import Span
from hilbench.controller.sunspec_reader import SunSpecReader
from hilbench.controller.watch import MeterSample
from hilbench.drivers.modbus_meter import ModbusMeterDriver
from hilbench.errors import DeviceError, InputError
from hilbench.modbus_address import ModbusAddress
from hilbench.rig import load_rig
from hilbench.signals import Record
from hilbench.site import Branch, Service, Site
from hilbench.sunspec import BASES, MeterModel, Place, find
from hilbench_emulators.meter import ModbusMeter
from hilbench_emulators.metering import MeterSettings
from hilbench_emulators.sunspec_image import sunspec_encoder

ADDRESS = ModbusAddress("tcp", "127.0.0.1", 5020)
IDEAL = MeterSettings(accuracy_class="ideal")
Wiring = Literal["single-phase", "split-phase", "three-phase"]
SERVICES: dict[str, Service] = {
    "single-phase": Service(rating_a=100, voltage_v=230, wiring="single-phase", frequency_hz=50),
    "split-phase": Service(rating_a=100, voltage_v=240, wiring="split-phase"),
    "three-phase": Service(rating_a=100, voltage_v=400, wiring="three-phase", frequency_hz=50),
}
KINDS = (("single-phase", "sunspec", 201), ("split-phase", "sunspec", 202), ("three-phase", "sunspec", 203),
         ("three-phase", "sunspec-delta", 204))  # fmt: skip
METER = 40_070


@dataclass
class Truth:
    """A site whose lines carry 10, 20 and 30 A at unity power factor."""

    site: Site
    amps: dict[str, float] = field(default_factory=dict)

    def reading(self, _node_id: str) -> Any:
        """The truth now."""
        volts = self.site.service.line_to_neutral_v
        lines = self.site.service.lines
        amps = dict(zip(lines, (10.0, 20.0, 30.0), strict=False)) | self.amps
        return type("R", (), {"currents": amps, "voltages_v": dict.fromkeys(lines, volts),
                              "power_w": {line: volts * i for line, i in amps.items()},
                              "reactive_var": dict.fromkeys(lines, 0.0)})()  # fmt: skip


def truth(wiring: str) -> Truth:
    """A site with one station."""
    connection = "L1-N" if wiring == "single-phase" else "-".join(SERVICES[wiring].lines)
    branch = Branch(role="A", branch_a=40, max_a=32, connection=connection)
    return Truth(Site(name="m", service=SERVICES[wiring], branches=(branch,)))


def beside(meter: ModbusMeter, body: Callable[[], Awaitable[Any]]) -> Any:
    """Run ``body`` beside a meter in virtual time."""

    async def main() -> Any:
        await meter.start()
        try:
            return await body()
        finally:
            await meter.stop()

    return clock.run(main())


def emulated(wiring: str, registers: str) -> ModbusMeter:
    """A meter at the service."""
    rng = np.random.default_rng(1)
    return ModbusMeter(
        truth(wiring), "service", record=Record(), rng=rng, settings=IDEAL, address=ADDRESS, registers=registers
    )


def test_golden_registers() -> None:
    """Marker, common model, the meter with its scale factors, values as counts of them, and the end of the list."""
    encoder = sunspec_encoder(SERVICES["split-phase"], 100.0)
    registers = encoder.blank()
    values = {
        "current_l2": 12.34,
        "voltage_l1": 120.1,
        "power_l1": -2_000.0,
        "import_energy": 65.537,
        "frequency": 60.0,
    }
    encoder.encode(values, registers)

    def at(address: int, count: int = 1) -> list[int]:
        return registers[address - 40_000 : address - 40_000 + count]

    assert at(40_000, 4) == [0x5375, 0x6E53, 1, 66]
    assert b"".join(word.to_bytes(2, "big") for word in at(40_004, 4)) == b"hilbench"
    assert at(METER, 2) == [202, 105]
    assert at(METER + 6) == [0xFFFE]  # A_SF -2
    assert at(METER + 4) == [1234]
    assert at(METER + 5) == [0x8000]  # no phase C
    assert (at(METER + 15), at(METER + 8)) == ([0xFFFF], [1201])
    assert (at(METER + 22), at(METER + 19)) == ([1], [0x10000 - 200])
    assert at(METER + 46, 2) == [1, 1]
    assert at(METER + 107, 2) == [0xFFFF, 0]
    assert len(registers) == 70 + 107 + 2


@pytest.mark.parametrize(("wiring", "registers", "model"), KINDS)
def test_controller_and_driver_read_each_model(wiring: str, registers: str, model: int) -> None:
    """Currents, voltages to neutral and powers of every line, whichever model the wiring calls for."""
    lines = SERVICES[wiring].lines
    volts = SERVICES[wiring].line_to_neutral_v
    expected = dict(zip(lines, (10.0, 20.0, 30.0), strict=False))
    samples: list[MeterSample] = []

    async def body() -> Any:
        port = MeterPort(MeterPlace(ADDRESS, registers="sunspec"), lines, 1.0, samples.append)
        polling = asyncio.create_task(port.run(lambda: None))
        await asyncio.sleep(10.0)
        polling.cancel()
        await asyncio.wait([polling])
        driver = ModbusMeterDriver("service", str(ADDRESS), registers="sunspec", lines=lines)
        readings = [await driver.read(), await driver.read()]
        await driver.stop()
        return readings[1], driver.table.place("total_power")

    reading, place = beside(emulated(wiring, registers), body)
    assert len(samples) >= 9
    assert samples[-1].currents == reading.currents == pytest.approx(expected, abs=0.006)
    assert samples[-1].voltages == pytest.approx(dict.fromkeys(lines, volts), abs=1.5)
    assert reading.voltages_v == pytest.approx(dict.fromkeys(lines, volts), abs=1.5)
    assert samples[-1].powers == pytest.approx({line: volts * amps for line, amps in expected.items()}, abs=6.0)
    assert reading.frequency_hz == SERVICES[wiring].frequency_hz
    assert reading.import_kwh > 0
    assert place == f"total_power of model {model}"
    assert len({sample.raw for sample in samples}) > 5  # a meter that lives is not taken for a frozen one


@given(amps=st.floats(0.0, 300.0), watts=st.floats(-70_000.0, 70_000.0), kwh=st.floats(0.0, 4_000_000.0))
@settings(max_examples=100, deadline=None)
def test_what_is_written_is_read_within_a_count(amps: float, watts: float, kwh: float) -> None:
    """Currents to 0.01 A, powers to 10 W, energy to 1 Wh, for a service of 100 A."""
    encoder = sunspec_encoder(SERVICES["three-phase"], 100.0)
    registers = encoder.blank()
    encoder.encode({"current_l3": amps, "power_l2": watts, "import_energy": kwh, "voltage_l1": 230.0}, registers)
    values = MeterModel(Place(203, METER, 107)).values(registers[70:177])
    assert values["current_l3"] == pytest.approx(amps, abs=0.0051)
    assert values["power_l2"] == pytest.approx(watts, abs=5.1)
    assert values["import_energy"] == pytest.approx(kwh, abs=0.00051)


def test_no_value_and_no_scale_factor_are_no_number() -> None:
    """An int16 of 0x8000 is none; a count whose scale factor is none is never taken for the value."""
    encoder = sunspec_encoder(SERVICES["three-phase"], 100.0)
    registers = encoder.blank()
    encoder.encode({"current_l1": math.nan, "current_l2": 400.0, "current_l3": 12.5, "voltage_l1": 230.0}, registers)
    model = MeterModel(Place(203, METER, 107))
    values = model.values(registers[70:177])
    assert math.isnan(values["current_l1"])
    assert math.isnan(values["current_l2"])  # beyond an int16 at 0.01 A
    assert values["current_l3"] == 12.5
    for wrong in (0x8000, 0x7FFF):
        registers[70 + 6] = wrong
        assert math.isnan(model.values(registers[70:177])["current_l3"])


def test_a_model_without_neutral_and_phase_powers_still_gives_them() -> None:
    """Voltage to neutral from line to line, and the total power in equal shares."""
    encoder = sunspec_encoder(SERVICES["three-phase"], 100.0, delta=True)
    registers = encoder.blank()
    values = {f"{name}_l{k}": value for k in (1, 2, 3) for name, value in (("voltage", 230.9), ("current", 10.0))}
    encoder.encode({**values, "total_power": -6_900.0}, registers)
    for offset in (19, 20, 21):
        registers[70 + offset] = 0x8000
    found = MeterModel(Place(204, METER, 107)).values(registers[70:177])
    assert found["voltage_l2"] == pytest.approx(230.9, abs=0.1)
    assert [found[f"power_l{k}"] for k in (1, 2, 3)] == [-2_300.0] * 3


def searched(device: dict[int, list[int]]) -> Place | None:
    """What is found in a device with these registers by address of the first; all others are refused."""

    async def ask(address: int, count: int) -> list[int]:
        for first, words in device.items():
            if first <= address and address + count <= first + len(words):
                return words[address - first : address - first + count]
        return []

    return asyncio.run(find(ask))


@pytest.mark.parametrize("base", BASES)
def test_a_meter_is_found_wherever_the_list_begins(base: int) -> None:
    """Behind other models too, which are stepped over by their length."""
    words = [0x5375, 0x6E53, 1, 66, *[0] * 66, 103, 50, *[0] * 50, 203, 105, *[0] * 105, 0xFFFF, 0]
    assert searched({base: words}) == Place(203, base + 2 + 68 + 52, 107)


@pytest.mark.parametrize(
    "words",
    [[], [0x5375, 0x6E53, 0xFFFF, 0], [0x5375, 0x6E53, 1, 66, *[0] * 66, 103, 50, *[0] * 50, 0xFFFF, 0],
     [0x5375, 0x6E53, 1, 66], [0x5375, 0x6E54, 203, 105, *[0] * 105], [0x5375, 0x6E53, *[0] * 500]],
    ids=["nothing", "empty list", "an inverter", "cut off", "another marker", "zeros"],
)  # fmt: skip
def test_a_device_without_a_meter_ends_the_search(words: list[int]) -> None:
    """However its list looks."""
    assert searched({40_000: words}) is None


def test_a_meter_with_too_few_phases_is_told() -> None:
    """A single-phase meter on two lines: the driver says so, the controller sees no number for the second one."""
    samples: list[MeterSample] = []

    async def body() -> None:
        driver = ModbusMeterDriver("service", str(ADDRESS), registers="sunspec", lines=("L1", "L2"))
        with pytest.raises(DeviceError, match="measures fewer lines than L1, L2"):
            await driver.read()
        await driver.stop()
        port = MeterPort(MeterPlace(ADDRESS, registers="sunspec"), ("L1", "L2"), 1.0, samples.append)
        polling = asyncio.create_task(port.run(lambda: None))
        await asyncio.sleep(3.0)
        polling.cancel()
        await asyncio.wait([polling])

    beside(emulated("single-phase", "sunspec"), body)
    assert math.isnan(samples[-1].currents["L2"])
    assert samples[-1].currents["L1"] == pytest.approx(10.0)


def test_a_device_that_is_no_sunspec_meter_is_told() -> None:
    """The driver names the meter and what is missing; the controller has no sample and asks again."""
    samples: list[MeterSample] = []

    async def body() -> None:
        driver = ModbusMeterDriver("service", str(ADDRESS), registers="sunspec")
        with pytest.raises(
            DeviceError, match=r"meter service at tcp.* refuses registers 0x9C40..0x9C41 with exception 2"
        ):
            await driver.read()
        await driver.stop()
        port = MeterPort(MeterPlace(ADDRESS, registers="sunspec"), ("L1",), 1.0, samples.append)
        polling = asyncio.create_task(port.run(lambda: None))
        await asyncio.sleep(5.0)
        assert not polling.done()
        polling.cancel()
        await asyncio.wait([polling])

    beside(emulated("three-phase", "sdm630"), body)
    assert samples == []


def test_a_device_that_became_another_is_looked_at_anew() -> None:
    """Where the meter model was is now something else: no value of that at either reader, then the new place."""
    images = [sunspec_encoder(SERVICES["three-phase"], 100.0).blank() for _ in range(2)]
    images[1][70:70] = [103, 2, 0, 0]

    async def body() -> None:
        driver = ModbusMeterDriver("service", str(ADDRESS), registers="sunspec")
        shown = images[0]

        async def ask(_function: int, address: int, count: int) -> list[int]:
            return shown[address - 40_000 : address - 40_000 + count]

        async def asked(span: Span) -> list[int]:
            return await ask(span.function, span.first, span.count)

        assert await driver.table.read(ask)
        shown = images[1]
        with pytest.raises(Exception, match="no model 203 at 0x9C86 any more"):
            await driver.table.read(ask)
        assert await driver.table.read(ask)
        reader = SunSpecReader(("L1", "L2", "L3"))
        shown = images[0]
        found = [await reader.block(asked)]
        shown = images[1]
        found += [await reader.block(asked), await reader.block(asked)]
        assert [block[:2] for block in found] == [[203, 105], [], [203, 105]]

    asyncio.run(body())


def test_without_pysunspec2_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """By driver and controller, and by the rig before anything starts."""
    monkeypatch.setitem(sys.modules, "sunspec2", None)
    monkeypatch.setitem(sys.modules, "sunspec2.device", None)
    said = r'not installed \(pip install "hilbench\[sunspec\]"\)'
    with pytest.raises(InputError, match=said):
        ModbusMeterDriver("service", str(ADDRESS), registers="sunspec")
    with pytest.raises(InputError, match=said):
        MeterPort(MeterPlace(ADDRESS, registers="sunspec"), ("L1",), 1.0, lambda _sample: None)
    rig = tmp_path / "rig.toml"
    text = load_rig("workplace-10").path.read_text()
    rig.write_text(text.replace('device = "emulated:ct"', 'device = "emulated:ct"\nmap = "sunspec"'))
    with pytest.raises(InputError, match=r"meter.service.map \(line 68\): .*" + said):
        load_rig(rig)


def test_a_delta_meter_needs_three_phases(tmp_path: Any) -> None:
    """Said with the name to use."""
    rig = tmp_path / "rig.toml"
    text = load_rig("workplace-10").path.read_text()
    rig.write_text(text.replace('device = "emulated:ct"', 'device = "emulated:ct"\nmap = "sunspec-delta"'))
    with pytest.raises(InputError, match=r"meter.service.map .*this one is split-phase \(use sunspec\)"):
        load_rig(rig)
