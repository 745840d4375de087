"""A real Modbus meter, or anything that looks like one: reads its registers and records the currents."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass

from pymodbus.exceptions import ModbusException
from pymodbus.pdu import ExceptionResponse

from hilbench import clock
from hilbench.drivers.meter_table import READ_INPUT, MapTable, NotThisMeterError, SunSpecTable, Table
from hilbench.errors import DeviceError, InputError, Problem
from hilbench.meter_maps import DEFAULT_MAP, is_sunspec, load_meter_map
from hilbench.modbus import ModbusClient, connect, modbus_client
from hilbench.modbus_address import ModbusAddress, modbus_address
from hilbench.signals import Record, Signal, Source, metered_current


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


def class_uncertainty_a(accuracy_class: float, rated_a: float) -> float:
    """Expanded uncertainty (k = 2) [A] of a current from a meter of ``accuracy_class`` [%] at ``rated_a``.

    The class limit counts as rectangular (GUM 4.3.7): 2 / sqrt(3) of it. Below the rated current it is less.
    """
    return 2.0 / math.sqrt(3.0) * accuracy_class / 100.0 * rated_a


class ModbusMeterDriver:
    """The meter ``name`` at ``address`` (``tcp://``, ``rtu+tcp://`` or ``serial://``), unit ``unit``.

    ``registers`` names its map, or is the path of one.

    ``lines`` are the site's lines on the meter's phases 1, 2, 3. With a ``record``, each reading goes to
    ``metered_current(name, line)`` as an instrument's: its uncertainty [A] is that of ``accuracy_class`` [%] at
    ``rated_a``, ``calibration`` names its certificate. With ``interval_s`` it reads by itself on the UTC grid from
    ``start`` on; a reading that fails then is an event ``meter.error``. Raises ``InputError`` for an unknown map or
    an address that is none.
    """

    def __init__(
        self,
        name: str,
        address: str,
        *,
        unit: int = 1,
        registers: str = DEFAULT_MAP,
        lines: Sequence[str] = ("L1", "L2", "L3"),
        timeout_s: float = 1.0,
        interval_s: float | None = None,
        accuracy_class: float = 1.0,
        rated_a: float = 100.0,
        calibration: str = "",
        record: Record | None = None,
    ) -> None:
        self.name, self.unit, self.lines = name, unit, tuple(lines)
        self.table = _table(name, registers, len(self.lines))
        self.address = _address(name, address)
        self.timeout_s, self.interval_s = timeout_s, interval_s
        uncertainty = class_uncertainty_a(accuracy_class, rated_a)
        self.source = Source(f"{self.table.title} at {address}", "instrument", uncertainty, calibration)
        self._record = record
        self._signals: list[Signal] = []
        if record is not None:
            self._signals = [record.signal(metered_current(name, line), "A", source=self.source) for line in self.lines]
        self._client: ModbusClient | None = None
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
        try:
            values = await self.table.read(self._registers)
        except NotThisMeterError as error:
            raise self._error(str(error), f"is it a {self.table.title}?") from None
        reading = self._reading(values)
        for signal, current in zip(self._signals, reading.currents.values(), strict=False):
            signal.append(reading.t, current)
        return reading

    async def _registers(self, function: int, address: int, count: int) -> list[int]:
        client = await self._connected()
        read = client.read_input_registers if function == READ_INPUT else client.read_holding_registers
        try:
            answer = await read(address, count=count, device_id=self.unit)
        except (ModbusException, OSError):
            silent = f"no usable answer within {self.timeout_s:g} s"
            what = silent if client.connected else "the connection was closed before the answer was complete"
            self._disconnect()  # a late answer must not be taken for that of the next request
            raise self._error(what, "check power, cable and unit number") from None
        span = f"0x{address:04X}..0x{address + count - 1:04X}"
        if isinstance(answer, ExceptionResponse):
            what = f"refuses registers {span} with exception {answer.exception_code}"
            raise self._error(what, f"is it a {self.table.title}?")
        if answer.function_code != function:
            raise self._error(f"answers function {answer.function_code}, asked for {function}", "check the gateway")
        if len(answer.registers) != count:
            raise self._error(f"{len(answer.registers)} registers in answer for {span}", "check the gateway")
        return list(answer.registers)

    async def _connected(self) -> ModbusClient:
        if self._client is None:
            self._client = modbus_client(self.address, self.timeout_s)
        if not self._client.connected and not await connect(self._client):
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
                what = f"{self.table.place(name)} reads {value}"
                raise self._error(what, "look at the meter's display and its voltage terminals")
        phases = {line: f"l{number}" for number, line in enumerate(self.lines, 1)}
        if any(f"current_{phase}" not in values for phase in phases.values()):
            raise self._error(f"measures fewer lines than {', '.join(self.lines)}", "is it the right meter?")
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

    def _error(self, what: str, remedy: str) -> DeviceError:
        return DeviceError(f"meter {self.name} at {self.address} unit {self.unit}: {what} ({remedy})")


def _table(name: str, registers: str, lines: int) -> Table:
    table: Table = SunSpecTable() if is_sunspec(registers) else MapTable(load_meter_map(registers))
    if table.phases < lines:
        what = f"{table.title} measures {table.phases} of {lines} lines"
        raise InputError(f"meter {name}", Problem("map", what, "choose the map of a meter for all of them"))
    return table


def _address(name: str, address: str) -> ModbusAddress:
    try:
        return modbus_address(address, default_port=502)
    except ValueError as error:
        what, _, remedy = str(error).partition("; ")
        raise InputError(f"meter {name}", Problem("address", what, remedy)) from None
