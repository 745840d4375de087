"""The emulated site meter: CTs and a three-phase Modbus meter at a node of the plant, behind a real Modbus server.

Registers: a map of ``hilbench.meter_maps``, or SunSpec models. Its currents are magnitudes; a CT that is mounted
backwards shows in the sign of the power.
"""

from __future__ import annotations

import logging

import numpy as np
from pymodbus import FramerType
from pymodbus.constants import ExcCodes
from pymodbus.exceptions import NoSuchIdException
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from hilbench.errors import DeviceError
from hilbench.meter_maps import DEFAULT_MAP, SUNSPEC, MeterMap, is_sunspec, load_meter_map
from hilbench.modbus_address import ModbusAddress
from hilbench.signals import Record
from hilbench.site import Site
from hilbench_emulators.metering import MeterSettings
from hilbench_emulators.register_map import Encoder
from hilbench_emulators.sampled_meter import SampledMeter, Truth
from hilbench_emulators.serial_line import SerialLine
from hilbench_emulators.sunspec_image import sunspec_encoder

logging.getLogger("pymodbus").addHandler(logging.NullHandler())  # it reports what the bench does on purpose


class ModbusMeter(SampledMeter):
    """A meter at ``node_id``: samples on the UTC grid, answers at ``address`` for unit ``unit``.

    ``registers`` names its map, or is the path of one. Port 0 takes a free one; ``port`` tells which after ``start``.
    A serial line is made at its path, and carries the same frames as ``rtu+tcp``; it needs real time. Everything else
    as in :class:`SampledMeter`.
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
        self._encoder = _encoder(registers, plant.site, node_id)
        self._map = self._encoder.meter
        super().__init__(
            plant,
            node_id,
            model=self._map.model,
            record=record,
            rng=rng,
            settings=settings,
            name=name,
            flicker=_flicker(self._map),
        )
        self.address, self.unit = address or ModbusAddress("tcp", "127.0.0.1", 0), unit
        self.port = self.address.port
        self._fresh: dict[str, float] | None = None
        self._server: ModbusTcpServer | None = None
        self._line: SerialLine | None = None

    async def start(self) -> None:
        """Take a first sample, listen, and go on sampling; raises ``DeviceError`` when the port is not free."""
        if self._server is not None:
            return
        self.first_sample()
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
        self.begin()

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
        await self.end()
        if self._line is not None:
            line, self._line = self._line, None
            await line.stop()
        if self._server is not None:
            server, self._server = self._server, None
            await server.shutdown()  # type: ignore[no-untyped-call]

    def show(self, values: dict[str, float]) -> None:
        """See :class:`SampledMeter`: the registers are filled when they are read."""
        self._fresh = values

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


def _flicker(meter: MeterMap) -> dict[str, float]:
    """Noise of voltages that are shown in whole counts, as a standard deviation [V].

    No mains voltage stands still to a tenth of a volt (chosen: two counts). Without it a meter of few digits could not
    be told from a frozen one.
    """
    voltages = [register for register in meter.registers if register.name.startswith("voltage_l")]
    return {register.name: 2.0 * register.scale for register in voltages if "int" in register.type}


async def _silence(*_request: object) -> ExcCodes | None:
    """No other unit is on the line: nothing answers."""
    raise NoSuchIdException("no such unit")
