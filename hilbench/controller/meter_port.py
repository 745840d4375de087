"""The meter port: polls a Modbus meter on a fixed grid and turns its registers into samples."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass

from pymodbus.exceptions import ModbusException

from hilbench import clock
from hilbench.controller.registers import MapReader, Reader, Span
from hilbench.controller.sunspec_reader import SunSpecReader
from hilbench.controller.watch import MeterSample
from hilbench.meter_maps import DEFAULT_MAP, is_sunspec, load_meter_map
from hilbench.modbus import ModbusClient, connect, modbus_client
from hilbench.modbus_address import ModbusAddress

COUNTER_S = 2.0
"""The energy counter is asked for this often at most: well below any time-out for a frozen meter."""
OnSample = Callable[[MeterSample], None]


@dataclass(frozen=True)
class MeterPlace:
    """Where a meter is, and what it is: its address, its Modbus ``unit``, and the name or path of its map."""

    address: ModbusAddress
    unit: int = 1
    registers: str = DEFAULT_MAP


def reader_of(registers: str, lines: tuple[str, ...]) -> Reader:
    """What reads a meter with that map; raises ``InputError`` for one that is not there or has too few phases."""
    if is_sunspec(registers):
        return SunSpecReader(lines)
    return MapReader(load_meter_map(registers), lines)


class MeterPort:
    """Polls the meter at ``place`` and hands each answer to ``on_sample``; silence is left to the watch.

    ``every_s`` may be changed while it runs; the next poll is the first that follows the new grid.
    """

    def __init__(self, place: MeterPlace, lines: tuple[str, ...], poll_s: float, on_sample: OnSample) -> None:
        self._place, self._patience_s = place, 0.4 * poll_s if poll_s < 5.0 else 2.0
        self.every_s, self._offset_s = poll_s, 0.5 * poll_s
        self._on_sample = on_sample
        self._reader = reader_of(place.registers, lines)
        self._number = 0
        self._block: list[int] = []
        self._counter: list[int] = []
        self._counted_t = -math.inf

    async def run(self, after_poll: Callable[[], None]) -> None:
        """Poll until cancelled; ``after_poll`` is called after each try, answered or not."""
        client: ModbusClient | None = None
        try:
            while True:
                # half an interval behind the meter's own grid, so that a sample is never read while it changes
                await clock.sleep_until(clock.next_multiple(self.every_s, self._offset_s))
                client = await self._poll(client)
                after_poll()
        finally:
            if client is not None:
                client.close()

    async def _poll(self, client: ModbusClient | None) -> ModbusClient | None:
        """One reading; returns the client to go on with, None to connect anew."""
        try:
            if client is None:
                client = modbus_client(self._place.address, self._patience_s)
                async with asyncio.timeout(self._patience_s):
                    await connect(client)
            sample = await self._read(client)
        except (ModbusException, OSError, TimeoutError):
            if client is not None:
                client.close()
            return None
        if sample is not None:
            self._on_sample(sample)
        return client

    async def _read(self, client: ModbusClient) -> MeterSample | None:
        """A sample, None for an answer that is refused or too short.

        When its block repeats the last one bit for bit, the energy counter tells a meter that stands from one whose
        load does.
        """

        async def ask(span: Span) -> list[int]:
            read = client.read_input_registers if span.function == 4 else client.read_holding_registers
            answer = await read(span.first, count=span.count, device_id=self._place.unit)
            return list(answer.registers) if not answer.isError() and len(answer.registers) == span.count else []

        block = await self._reader.block(ask)
        if block and block == self._block and clock.time() - self._counted_t >= COUNTER_S - self.every_s / 4.0:
            self._counter, self._counted_t = await self._reader.counter(ask), clock.time()
        self._block = block
        return self._sample(block) if block else None

    def _sample(self, block: list[int]) -> MeterSample:
        self._number += 1
        return MeterSample(
            t=clock.time(),
            number=self._number,
            currents=self._reader.values("current", block),
            voltages=self._reader.values("voltage", block),
            powers=self._reader.values("power", block),
            raw=(*block, *self._counter),
        )
