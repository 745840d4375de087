"""The emulated meter over Modbus TCP: what a client reads of a known truth, and of a meter that fails."""

from __future__ import annotations

import math
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException

from hilbench import clock
from hilbench.devices import MeterFault
from hilbench.errors import DeviceError, InputError
from hilbench.meter_maps import load_meter_map
from hilbench.modbus_address import ModbusAddress
from hilbench.signals import Record, metered_current
from hilbench.site import Branch, Service, Site
from hilbench_emulators.meter import ModbusMeter
from hilbench_emulators.metering import MeterSettings

MAP = load_meter_map()
SERVICE = Service(rating_a=100, voltage_v=400, wiring="three-phase", frequency_hz=50)
SITE = Site(name="m", service=SERVICE, branches=(Branch(role="A", branch_a=40, max_a=32, connection="L1-L2-L3"),))
LINES = ("L1", "L2", "L3")
IDEAL = MeterSettings(accuracy_class="ideal")


@dataclass
class Truth:
    """A site whose lines carry 10, 20 and 30 A at 230 V and unity power factor, or what a test sets."""

    site: Site = SITE
    amps: dict[str, float] = field(default_factory=lambda: {"L1": 10.0, "L2": 20.0, "L3": 30.0})

    def reading(self, node_id: str) -> Any:
        """The truth now."""
        assert node_id == "service"
        zero = dict.fromkeys(LINES, 0.0)
        power = {line: 230.0 * amps for line, amps in self.amps.items()}
        return type("R", (), {"currents": dict(self.amps), "voltages_v": dict.fromkeys(LINES, 230.0),
                              "power_w": power, "reactive_var": zero})()  # fmt: skip


class Reader:
    """A Modbus client that reads values by the names of the register map."""

    def __init__(self, client: AsyncModbusTcpClient) -> None:
        self._client = client

    async def value(self, name: str) -> float:
        """One value; raises ``ModbusException`` when nothing answers."""
        address = MAP.register(name).address
        answer = await self._client.read_input_registers(address, count=2, device_id=1)
        assert not answer.isError()
        return float(struct.unpack(">f", struct.pack(">HH", *answer.registers))[0])

    async def currents(self) -> list[float]:
        """The three line currents [A]."""
        return [await self.value(f"current_l{number}") for number in (1, 2, 3)]


Body = Callable[[ModbusMeter, Truth, Reader], Awaitable[None]]


def meter_at(port: int) -> ModbusAddress:
    """The address of a meter on this machine."""
    return ModbusAddress("tcp", "127.0.0.1", port)


def with_meter(body: Body, config: MeterSettings = IDEAL, record: Record | None = None) -> None:
    """Run ``body`` with a meter in virtual time and a client that is connected to it."""

    async def main() -> None:
        truth = Truth()
        kept = record or Record()
        meter = ModbusMeter(truth, "service", record=kept, rng=np.random.default_rng(1), settings=config)
        await meter.start()
        client = AsyncModbusTcpClient("127.0.0.1", port=meter.port, timeout=0.5, retries=0)
        await client.connect()
        try:
            await body(meter, truth, Reader(client))
        finally:
            client.close()
            await meter.stop()

    clock.run(main())


def test_a_client_reads_currents_voltages_power_and_energy() -> None:
    """All quantities of the truth are in the registers of the SDM630, energy counted by time."""

    async def body(meter: ModbusMeter, truth: Truth, reader: Reader) -> None:
        await clock.sleep_until(3600.0)
        assert await reader.currents() == pytest.approx([10.0, 20.0, 30.0])
        assert await reader.value("voltage_l2") == pytest.approx(230.0)
        assert await reader.value("total_power") == pytest.approx(13_800.0)
        assert await reader.value("import_energy") == pytest.approx(13.8, rel=1e-3)
        assert await reader.value("frequency") == pytest.approx(50.0)

    with_meter(body)


def test_a_change_is_seen_at_the_next_sample_and_after_the_latency() -> None:
    """With samples every 5 s and a latency of 2 s, a step at 1 s after a sample is read 6 s later, not before."""

    async def body(meter: ModbusMeter, truth: Truth, reader: Reader) -> None:
        await clock.sleep_until(clock.next_multiple(5.0) + 5.0)
        start = clock.time()
        await clock.sleep_until(start + 1.0)
        truth.amps["L1"] = 50.0
        for wait, amps in ((5.9, 10.0), (7.1, 50.0)):
            await clock.sleep_until(start + wait)
            assert (await reader.currents())[0] == pytest.approx(amps)

    with_meter(body, MeterSettings(accuracy_class="ideal", interval_s=5.0, latency_s=2.0))


def test_a_window_averages() -> None:
    """Over a window of 4 s, a step of 40 A two seconds ago counts by half."""

    async def body(meter: ModbusMeter, truth: Truth, reader: Reader) -> None:
        await clock.sleep_until(20.5)
        truth.amps["L1"] = 50.0
        await clock.sleep_until(22.75)
        assert (await reader.currents())[0] == pytest.approx(30.0)

    with_meter(body, MeterSettings(accuracy_class="ideal", averaging_s=4.0))


@pytest.mark.parametrize(
    ("fault", "parameters", "currents", "power_l1"),
    [
        ("zero", {}, [0.0, 0.0, 0.0], 0.0),
        ("reversed", {"lines": ("L1",)}, [10.0, 20.0, 30.0], -2300.0),
        ("swapped", {"lines": ("L1", "L3")}, [30.0, 20.0, 10.0], 230.0 * 30.0 * math.cos(2 * math.pi / 3)),
        (None, {}, [10.0, 20.0, 30.0], 2300.0),
    ],
)
def test_a_fault_shows_in_the_registers(
    fault: MeterFault | None, parameters: dict[str, object], currents: list[float], power_l1: float
) -> None:
    """Zeros; a CT mounted backwards shows in the sign of the power; swapped CTs in current and angle."""

    async def body(meter: ModbusMeter, truth: Truth, reader: Reader) -> None:
        meter.set_fault(fault, **parameters)
        await clock.sleep_until(clock.time() + 3.0)
        assert await reader.currents() == pytest.approx(currents)
        assert await reader.value("power_l1") == pytest.approx(power_l1, abs=0.01)

    with_meter(body)


def test_nan_is_sent_as_nan_and_never_recorded_as_a_value() -> None:
    """The registers hold NaN; the record keeps what was measured before."""
    record = Record()

    async def body(meter: ModbusMeter, truth: Truth, reader: Reader) -> None:
        meter.set_fault("nan")
        await clock.sleep_until(clock.time() + 3.0)
        assert all(map(math.isnan, await reader.currents()))

    with_meter(body, record=record)
    assert np.isfinite(record.signals[metered_current("service", "L1")].rows()[1]).all()


def test_a_frozen_meter_answers_with_the_values_of_then() -> None:
    """Not even its energy counter moves."""

    async def body(meter: ModbusMeter, truth: Truth, reader: Reader) -> None:
        await clock.sleep_until(100.0)
        before = [*await reader.currents(), await reader.value("import_energy")]
        meter.set_fault("frozen")
        truth.amps["L1"] = 90.0
        await clock.sleep_until(1000.0)
        assert [*await reader.currents(), await reader.value("import_energy")] == before

    with_meter(body)


def test_a_dead_meter_does_not_answer_and_comes_back() -> None:
    """A request runs into its time-out while it is dead; healed, the truth is there again."""

    async def body(meter: ModbusMeter, truth: Truth, reader: Reader) -> None:
        meter.set_fault("dead")
        with pytest.raises(ModbusException):
            await reader.currents()
        meter.set_fault(None)
        await clock.sleep_until(clock.time() + 2.0)
        client = AsyncModbusTcpClient("127.0.0.1", port=meter.port, timeout=0.5, retries=0)
        await client.connect()
        assert await Reader(client).currents() == pytest.approx([10.0, 20.0, 30.0])
        client.close()

    with_meter(body)


def test_unknown_faults_and_lines_are_refused() -> None:
    """A fault, a parameter or a line that is not there is named, and nothing changes."""

    async def body(meter: ModbusMeter, truth: Truth, reader: Reader) -> None:
        for fault, parameters in (("melted", {}), ("zero", {"lines": "L1"}), ("reversed", {"lines": "L9"})):
            with pytest.raises(InputError, match="meter service"):
                meter.set_fault(fault, **parameters)  # type: ignore[arg-type]
        await clock.sleep_until(clock.time() + 2.0)
        assert await reader.currents() == pytest.approx([10.0, 20.0, 30.0])

    with_meter(body)


def test_an_occupied_port_is_told() -> None:
    """A second meter at the same port does not start and says where."""

    async def body(meter: ModbusMeter, truth: Truth, reader: Reader) -> None:
        second = ModbusMeter(
            truth, "service", record=Record(), rng=np.random.default_rng(1), address=meter_at(meter.port)
        )
        with pytest.raises(DeviceError, match=f"cannot listen at 127.0.0.1:{meter.port}"):
            await second.start()

    with_meter(body)


@pytest.mark.parametrize("changes", [{"interval_s": 0.05}, {"interval_s": 16.0}, {"latency_s": -1.0}])
def test_timings_out_of_range_are_named(changes: dict[str, float]) -> None:
    """A sampling interval outside 0.1 to 15 s or a negative latency is no meter."""
    with pytest.raises(InputError, match=next(iter(changes))):
        MeterSettings(**changes)  # type: ignore[arg-type]
