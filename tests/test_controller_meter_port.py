"""The controller's meter port against the emulated meter, both over Modbus TCP on the virtual loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import numpy as np
import pytest

from hilbench import clock
from hilbench.controller.meter_port import MeterPlace, MeterPort
from hilbench.controller.registers import MapReader
from hilbench.controller.watch import MeterSample
from hilbench.meter_maps import load_meter_map, meter_map_names
from hilbench.modbus_address import ModbusAddress
from hilbench.signals import Record
from hilbench_emulators.meter import ModbusMeter
from tests.test_meter import IDEAL, LINES, Truth


def polled(seconds: float, change: Callable[[ModbusMeter, Truth], None] | None = None) -> list[MeterSample]:
    """All samples of ``seconds`` with a poll per second; ``change`` is made after half of them."""

    async def main() -> list[MeterSample]:
        truth, samples = Truth(), list[MeterSample]()
        meter = ModbusMeter(truth, "service", record=Record(), rng=np.random.default_rng(1), settings=IDEAL)
        await meter.start()
        port = MeterPort(MeterPlace(ModbusAddress("tcp", "127.0.0.1", meter.port)), LINES, 1.0, samples.append)
        polling = asyncio.create_task(port.run(lambda: None))
        await asyncio.sleep(seconds / 2)
        if change is not None:
            change(meter, truth)
        await asyncio.sleep(seconds / 2)
        polling.cancel()
        await asyncio.wait([polling])
        await meter.stop()
        return samples

    return clock.run(main())


def test_every_poll_is_a_sample_with_the_values_of_each_line() -> None:
    """Ten seconds are nine or ten samples, half a second behind the meter's grid, numbered without a gap."""
    samples = polled(10.0)
    assert 9 <= len(samples) <= 10
    assert [sample.number for sample in samples] == list(range(1, len(samples) + 1))
    assert samples[-1].currents == pytest.approx({"L1": 10.0, "L2": 20.0, "L3": 30.0}, rel=1e-6)
    assert samples[-1].voltages == pytest.approx(dict.fromkeys(LINES, 230.0), rel=1e-6)
    assert samples[-1].powers == pytest.approx({"L1": 2300.0, "L2": 4600.0, "L3": 6900.0}, rel=1e-6)
    assert {round(sample.t % 1.0, 3) for sample in samples} == {0.5}


def test_a_new_load_is_in_the_next_sample_but_one() -> None:
    """What changes at 5 s is read at 6.5 s at the latest."""
    samples = polled(10.0, lambda _meter, truth: truth.amps.update(L2=44.0))
    assert samples[0].currents["L2"] == pytest.approx(20.0)
    assert next(sample.t for sample in samples if sample.currents["L2"] > 40.0) <= 6.5


def test_a_silent_meter_gives_no_sample_and_no_error() -> None:
    """Silence is left to the watch: nothing is made up, and polling goes on."""
    samples = polled(20.0, lambda meter, _truth: meter.set_fault("dead"))
    assert max(sample.t for sample in samples) <= 10.5


def test_a_meter_that_comes_back_is_read_again() -> None:
    """After a time without any answer the port connects anew by itself."""

    def later(meter: ModbusMeter, _truth: Truth) -> None:
        meter.set_fault("dead")
        asyncio.get_running_loop().call_later(5.0, meter.set_fault, None)

    samples = polled(40.0, later)
    assert max(sample.t for sample in samples) >= 39.0


def test_a_standing_block_is_told_from_a_standing_load_by_the_energy_counter() -> None:
    """With an ideal meter and a constant load the registers repeat, but the raw sample does not: energy goes on."""
    samples = polled(20.0)
    assert len({sample.raw for sample in samples}) > 3
    frozen = polled(40.0, lambda meter, _truth: meter.set_fault("frozen"))
    assert len({sample.raw for sample in frozen if sample.t > 26.0}) == 1


@pytest.mark.parametrize("name", meter_map_names())
@pytest.mark.parametrize("lines", [1, 2, 3])
def test_the_block_holds_what_the_site_has(lines: int, name: str) -> None:
    """One block of registers covers voltages, currents and powers of all lines, and no more than one request may."""
    meter = load_meter_map(name)
    reader = MapReader(meter, LINES[:lines])
    block = [0] * reader.span.count
    assert {len(reader.values(quantity, block)) for quantity in ("voltage", "current", "power")} == {lines}
    assert reader.span.count <= meter.most_registers
