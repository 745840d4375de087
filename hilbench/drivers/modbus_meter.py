"""A real Modbus TCP meter, or anything that looks like one: reads its block of registers and records the currents."""

from __future__ import annotations

import asyncio
import math
import struct
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from urllib.parse import urlsplit

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException
from pymodbus.pdu import ExceptionResponse

from hilbench import clock
from hilbench.errors import DeviceError, InputError, Problem
from hilbench.modbus import tcp_client
from hilbench.signals import Record, Signal, Source, metered_current

READ_INPUT_REGISTERS = 4


@dataclass(frozen=True)
class MeterTable:
    """Where a model of meter keeps its values: a block of registers, and the address and unit of each value."""

    model: str
    title: str
    address: int
    count: int
    values: Mapping[str, tuple[int, str]]

    def decode(self, registers: Sequence[int]) -> dict[str, float]:
        """The values in a block, each an IEEE 754 float32 with its most significant register first."""
        floats = struct.unpack(f">{len(registers) // 2}f", struct.pack(f">{len(registers)}H", *registers))
        return {name: floats[(address - self.address) // 2] for name, (address, _unit) in self.values.items()}


@dataclass(frozen=True)
class MeterReading:
    """One reading: bench time of the answer [s], RMS currents [A] and signed powers [W] by line, energies [kWh]."""

    t: float
    currents: dict[str, float]
    voltages_v: dict[str, float]
    power_w: dict[str, float]
    total_power_w: float
    frequency_hz: float
    import_kwh: float
    export_kwh: float


@cache
def meter_tables() -> dict[str, MeterTable]:
    """Every meter model that the bench knows, by name."""
    files = resources.files("hilbench").joinpath("meters").iterdir()
    tables = [_table(file.read_text("utf-8")) for file in files if file.name.endswith(".toml")]
    return {table.model: table for table in tables}


def _table(text: str) -> MeterTable:
    data = tomllib.loads(text)
    values = {entry["name"]: (entry["address"], entry["unit"]) for entry in data["register"]}
    return MeterTable(data["model"], data["title"], data["block"]["address"], data["block"]["count"], values)


def class_uncertainty_a(accuracy_class: float, rated_a: float) -> float:
    """Expanded uncertainty (k = 2) [A] of a current from a meter of ``accuracy_class`` [%] at ``rated_a``.

    The class limit counts as rectangular (GUM 4.3.7): 2 / sqrt(3) of it. Below the rated current it is less.
    """
    return 2.0 / math.sqrt(3.0) * accuracy_class / 100.0 * rated_a


class ModbusMeterDriver:
    """The meter ``name`` of model ``model`` at ``address`` (``tcp://host:port``), unit ``unit``.

    ``lines`` are the site's lines on the meter's phases 1, 2, 3. With a ``record``, each reading goes to
    ``metered_current(name, line)`` as an instrument's: its uncertainty [A] is that of ``accuracy_class`` [%] at
    ``rated_a``, ``calibration`` names its certificate. With ``interval_s`` it reads by itself on the UTC grid from
    ``start`` on; a reading that fails then is an event ``meter.error``. Raises ``InputError`` for an unknown model or
    an address that is none.
    """

    def __init__(
        self,
        name: str,
        address: str,
        *,
        unit: int = 1,
        model: str = "eastron-sdm630",
        lines: Sequence[str] = ("L1", "L2", "L3"),
        timeout_s: float = 1.0,
        interval_s: float | None = None,
        accuracy_class: float = 1.0,
        rated_a: float = 100.0,
        calibration: str = "",
        record: Record | None = None,
    ) -> None:
        if model not in meter_tables():
            remedy = f"use one of {', '.join(meter_tables())}"
            raise InputError(f"meter {name}", Problem("device", f"no meter model {model!r}", remedy))
        self.name, self.unit, self.lines = name, unit, tuple(lines)
        self.table = meter_tables()[model]
        self.host, self.port = _endpoint(name, address)
        self.timeout_s, self.interval_s = timeout_s, interval_s
        uncertainty = class_uncertainty_a(accuracy_class, rated_a)
        self.source = Source(f"{self.table.title} at {address}", "instrument", uncertainty, calibration)
        self._record = record
        self._signals: list[Signal] = []
        if record is not None:
            self._signals = [record.signal(metered_current(name, line), "A", source=self.source) for line in self.lines]
        self._client: AsyncModbusTcpClient | None = None
        self._polling: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Connect and read once; raises ``DeviceError`` when the meter does not answer sensibly."""
        await self.read()
        if self.interval_s is not None and self._polling is None:
            self._polling = asyncio.get_running_loop().create_task(
                self._poll(self.interval_s), name=f"meter {self.name}"
            )

    async def stop(self) -> None:
        """Stop reading and disconnect."""
        if self._polling is not None:
            self._polling.cancel()
            await asyncio.gather(self._polling, return_exceptions=True)
            self._polling = None
        self._disconnect()

    async def read(self) -> MeterReading:
        """Read the block of registers now.

        Raises ``DeviceError`` naming the meter and, where it applies, the register: no connection, no answer within
        ``timeout_s``, an exception response, a short answer, a value that is not finite.
        """
        values = self.table.decode(await self._registers())
        reading = self._reading(values)
        for signal, current in zip(self._signals, reading.currents.values(), strict=False):
            signal.append(reading.t, current)
        return reading

    async def _registers(self) -> list[int]:
        client = await self._connected()
        try:
            answer = await client.read_input_registers(self.table.address, count=self.table.count, device_id=self.unit)
        except (ModbusException, OSError):
            silent = f"no usable answer within {self.timeout_s:g} s"
            what = silent if client.connected else "the connection was closed before the answer was complete"
            self._disconnect()  # a late answer must not be taken for that of the next request
            raise self._error(what, "check power, cable and unit number") from None
        if isinstance(answer, ExceptionResponse):
            what = f"refuses registers {self._span()} with exception {answer.exception_code}"
            raise self._error(what, f"is it a {self.table.title}?")
        if answer.function_code != READ_INPUT_REGISTERS:
            raise self._error(f"answers function {answer.function_code}, asked for 4", "check the gateway")
        if len(answer.registers) != self.table.count:
            raise self._error(f"{len(answer.registers)} registers in answer for {self._span()}", "check the gateway")
        return list(answer.registers)

    async def _connected(self) -> AsyncModbusTcpClient:
        if self._client is None:
            self._client = tcp_client(self.host, self.port, self.timeout_s)
        if not self._client.connected and not await self._client.connect():
            self._disconnect()
            raise self._error("no connection", "check address, port and network")
        return self._client

    def _disconnect(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    def _reading(self, values: dict[str, float]) -> MeterReading:
        for name, value in values.items():
            if not math.isfinite(value):
                address, unit = self.table.values[name]
                what = f"register 0x{address:04X} ({name} [{unit}]) reads {value}"
                raise self._error(what, "look at the meter's display and its voltage terminals")
        phases = {line: f"l{number}" for number, line in enumerate(self.lines, 1)}
        return MeterReading(
            t=clock.time(),
            currents={line: values[f"current_{phase}"] for line, phase in phases.items()},
            voltages_v={line: values[f"voltage_{phase}"] for line, phase in phases.items()},
            power_w={line: values[f"power_{phase}"] for line, phase in phases.items()},
            total_power_w=values["total_power"],
            frequency_hz=values["frequency"],
            import_kwh=values["import_energy"],
            export_kwh=values["export_energy"],
        )

    async def _poll(self, interval_s: float) -> None:
        while True:
            await clock.sleep_until(clock.next_multiple(interval_s))
            try:
                await self.read()
            except DeviceError as error:
                if self._record is not None:
                    self._record.event(clock.time(), "meter.error", self.name, error=str(error))

    def _span(self) -> str:
        return f"0x{self.table.address:04X}..0x{self.table.address + self.table.count - 1:04X}"

    def _error(self, what: str, remedy: str) -> DeviceError:
        where = f"tcp://{self.host}:{self.port} unit {self.unit}"
        return DeviceError(f"meter {self.name} at {where}: {what} ({remedy})")


def _endpoint(name: str, address: str) -> tuple[str, int]:
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = urlsplit(""), None, None
    if parts.scheme != "tcp" or not host:
        problem = Problem("address", f"{address!r} is no address of a Modbus TCP meter", "use tcp://10.0.0.12:502")
        raise InputError(f"meter {name}", problem)
    return host, port or 502
