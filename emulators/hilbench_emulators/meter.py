"""The emulated site meter: CTs and a three-phase Modbus meter at a node of the plant, behind a real Modbus server.

Registers: a map of ``hilbench.meter_maps``, or SunSpec models. Its currents are magnitudes; a CT that is mounted
backwards shows in the sign of the power.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Iterable
from typing import Protocol

import numpy as np
from pymodbus import FramerType
from pymodbus.constants import ExcCodes
from pymodbus.exceptions import NoSuchIdException
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from hilbench import clock
from hilbench.devices import MeterFault
from hilbench.errors import DeviceError, InputError, Problem
from hilbench.meter_maps import DEFAULT_MAP, SUNSPEC, is_sunspec, load_meter_map
from hilbench.modbus_address import ModbusAddress
from hilbench.signals import Record, Source, metered_current
from hilbench.site import Site
from hilbench_emulators.metering import MeterCore, MeterSettings, Reading, WiringFault
from hilbench_emulators.register_map import Encoder
from hilbench_emulators.serial_line import SerialLine
from hilbench_emulators.sunspec_image import sunspec_encoder

logging.getLogger("pymodbus").addHandler(logging.NullHandler())  # it reports what the bench does on purpose

_FAULTS: tuple[MeterFault, ...] = ("dead", "frozen", "nan", "zero", "reversed", "swapped")
_ENERGY = ("import_energy", "export_energy")


class Truth(Protocol):
    """What the meter asks of the plant."""

    site: Site

    def reading(self, node_id: str) -> Reading:
        """Currents, voltages and power at a node now."""
        ...


class ModbusMeter:
    """A meter at ``node_id``: samples on the UTC grid, answers at ``address`` for unit ``unit``.

    ``registers`` names its map, or is the path of one. Port 0 takes a free one; ``port`` tells which after ``start``.
    A serial line is made at its path, and carries the same frames as ``rtu+tcp``; it needs real time.
    What the registers show is recorded as ``metered_current(name, line)``, each change of fault as an event
    ``meter.fault``. ``rng`` places the CTs inside their class and makes their noise. Raises ``InputError`` for
    settings that are out of range.
    """

    def __init__(
        self,
        plant: Truth,
        node_id: str,
        *,
        record: Record,
        rng: np.random.Generator,
        settings: MeterSettings | None = None,
        address: ModbusAddress | None = None,
        unit: int = 1,
        name: str | None = None,
        registers: str = DEFAULT_MAP,
    ) -> None:
        self.name = name or node_id
        self.settings = settings or MeterSettings()
        self.address, self.unit = address or ModbusAddress("tcp", "127.0.0.1", 0), unit
        self.port = self.address.port
        self._plant, self._node_id = plant, node_id
        service = plant.site.service
        ct = self.settings.ct(plant.site.node(node_id).rating_a)
        self._core = MeterCore(service, ct, self.settings.averaging_s, rng)
        self._encoder = _encoder(registers, plant.site, node_id)
        self._map, self._rng = self._encoder.meter, rng
        self._record = record
        source = Source(f"emulated:{self._map.model}")
        self._signals = [record.signal(metered_current(self.name, line), "A", source=source) for line in service.lines]
        self._fault: MeterFault | None = None
        self._fresh: dict[str, float] | None = None
        self._server: ModbusTcpServer | None = None
        self._line: SerialLine | None = None
        self._sampling: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Take a first sample, listen, and go on sampling; raises ``DeviceError`` when the port is not free."""
        if self._server is not None:
            return
        self._sample()
        self._publish(self._values())
        server = ModbusTcpServer(
            [self._device(self.unit, self._answer), self._device(0, _silence)],
            framer=FramerType.SOCKET if self.address.kind == "tcp" else FramerType.RTU,
            address=(self.address.host or "127.0.0.1", self.port),
            ignore_missing_devices=True,
        )
        try:
            await server.serve_forever(background=True)
        except RuntimeError:
            where = f"{self.address.host}:{self.port}"
            raise DeviceError(f"meter {self.name}: cannot listen at {where}: choose another port or host") from None
        self._server = server
        self.port = server.transport.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
        await self._lay_line()
        self._sampling = asyncio.get_running_loop().create_task(self._run(), name=f"meter {self.name}")

    async def _lay_line(self) -> None:
        if self.address.kind != "serial":
            return
        line = SerialLine(self.address.device, "127.0.0.1", self.port)
        try:
            await line.start()
        except DeviceError as error:
            await self.stop()
            raise DeviceError(f"meter {self.name}: {error}") from None
        self._line = line

    async def stop(self) -> None:
        """Stop sampling, close the port and every connection."""
        if self._sampling is not None:
            self._sampling.cancel()
            await asyncio.gather(self._sampling, return_exceptions=True)
            self._sampling = None
        if self._line is not None:
            line, self._line = self._line, None
            await line.stop()
        if self._server is not None:
            server, self._server = self._server, None
            await server.shutdown()  # type: ignore[no-untyped-call]

    def set_fault(self, fault: MeterFault | None, **parameters: object) -> None:
        """Start ``fault``, in place of any other, or end it with None.

        ``dead`` takes requests and never answers; ``frozen`` answers with the values of now for ever; ``nan`` makes
        every value NaN; ``zero`` makes every current and power 0; ``reversed`` mounts the CTs of ``lines`` (default
        all) backwards; ``swapped`` exchanges the CTs of two ``lines`` (default the first two). All but ``dead`` and
        ``frozen`` show from the next sample on. Raises ``InputError`` for a fault, a parameter or a line unknown.
        """
        wiring = self._wiring(fault, parameters)
        self._fault = fault
        self._core.wiring = wiring
        lines = sorted(wiring.reversed_lines) or list(wiring.swapped_lines)
        self._record.event(clock.time(), "meter.fault", self.name, fault=fault, **({"lines": lines} if lines else {}))

    def _wiring(self, fault: MeterFault | None, parameters: dict[str, object]) -> WiringFault:
        """The wiring that a fault leaves; raises ``InputError`` for what it does not know."""
        where = f"meter {self.name}"
        if fault is not None and fault not in _FAULTS:
            raise InputError(where, Problem("fault", f"no fault {fault!r}", f"use one of {', '.join(_FAULTS)}"))
        known = {"lines"} if fault in ("reversed", "swapped") else set()
        unknown = [Problem(key, f"no parameter of fault {fault!r}") for key in parameters if key not in known]
        if unknown:
            raise InputError(where, unknown)
        if fault == "reversed":
            return WiringFault(reversed_lines=frozenset(self._lines(parameters.get("lines", self._core.lines))))
        if fault == "swapped":
            lines = self._lines(parameters.get("lines", self._core.lines[:2]))
            if len(lines) != 2:
                raise InputError(where, Problem("lines", f"{len(lines)} given", "exchange the CTs of two lines"))
            return WiringFault(swapped_lines=lines)
        return WiringFault()

    def _lines(self, value: object) -> tuple[str, ...]:
        names = (value,) if isinstance(value, str) else tuple(value) if isinstance(value, Iterable) else (value,)
        lines = tuple(name for name in self._core.lines if name in names)
        if not names or len(lines) != len(names):
            remedy = f"use {' '.join(self._core.lines)}, each once"
            raise InputError(f"meter {self.name}", Problem("lines", f"{value!r} names no lines of the site", remedy))
        return lines

    async def _run(self) -> None:
        """Sample and publish on the grid; with an averaging window also once a second in between."""
        interval = self.settings.interval_s
        pieces = max(1, round(interval)) if self.settings.averaging_s else 1
        while True:
            due = clock.next_multiple(interval, self.settings.phase_s)
            for piece in range(pieces, 0, -1):
                await clock.sleep_until(due - (piece - 1) * interval / pieces)
                self._sample()
            values = self._values()
            if self.settings.latency_s:
                asyncio.get_running_loop().call_later(self.settings.latency_s, self._arrive, values)
            else:
                self._publish(values)

    def _sample(self) -> None:
        self._core.sample(clock.time(), self._plant.reading(self._node_id))

    def _values(self) -> dict[str, float]:
        """The values of now; voltages in whole counts flicker by some of them.

        No mains voltage stands still to a tenth of a volt (chosen: a standard deviation of two counts). Without it a
        meter of few digits could not be told from a frozen one.
        """
        values = self._core.values()
        for register in self._map.registers:
            if register.name.startswith("voltage_l") and "int" in register.type and register.name in values:
                values[register.name] += 2.0 * register.scale * float(self._rng.standard_normal())
        return values

    def _arrive(self, values: dict[str, float]) -> None:
        """Publish what was measured a latency ago, unless the meter has been stopped since."""
        if self._server is not None:
            self._publish(values)

    def _publish(self, values: dict[str, float]) -> None:
        """Put ``values`` into the registers and the record, as far as the fault lets them."""
        if self._fault in ("dead", "frozen"):
            return
        if self._fault == "nan":
            values = dict.fromkeys(values, math.nan)
        elif self._fault == "zero":
            values = {name: value if _survives(name) else 0.0 for name, value in values.items()}
        self._fresh = values
        if self._fault != "nan":
            for number, signal in enumerate(self._signals, 1):
                signal.append(clock.time(), values[f"current_l{number}"])

    def _device(self, unit: int, action: object) -> SimDevice:
        data = SimData(self._encoder.first, values=self._encoder.blank(), datatype=DataType.REGISTERS)
        return SimDevice(id=unit, simdata=[data], action=action)  # type: ignore[arg-type]

    async def _answer(
        self, function: int, _start: int, address: int, count: int, registers: list[int], values: object
    ) -> ExcCodes | None:
        """Refresh the server's registers before a read; raises to leave a request without an answer."""
        if self._fault == "dead":
            raise NoSuchIdException(f"meter {self.name} is dead")
        if function != self._map.function or values:
            return ExcCodes.ILLEGAL_FUNCTION
        if (count % 2 and self._map.even_counts) or count > self._map.most_registers:
            return ExcCodes.ILLEGAL_VALUE
        if not self._encoder.answers(address, count):
            return ExcCodes.ILLEGAL_ADDRESS
        if self._fresh is not None:
            self._encoder.encode(self._fresh, registers)
            self._fresh = None
        return None


def _encoder(registers: str, site: Site, node_id: str) -> Encoder:
    if is_sunspec(registers):
        return sunspec_encoder(site.service, site.node(node_id).rating_a, delta=registers == SUNSPEC[1])
    return Encoder(load_meter_map(registers))


async def _silence(*_request: object) -> ExcCodes | None:
    """No other unit is on the line: nothing answers."""
    raise NoSuchIdException("no such unit")


def _survives(name: str) -> bool:
    """Whether a value outlives a meter that has lost its currents: voltages, frequency, counters."""
    return name.startswith(("voltage", "average_voltage", "frequency")) or name in _ENERGY
