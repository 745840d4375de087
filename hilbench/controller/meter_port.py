"""The meter port: polls a three-phase Modbus TCP meter on a fixed grid and turns its registers into samples."""

from __future__ import annotations

import asyncio
import math
import struct
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import resources

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException

from hilbench import clock
from hilbench.controller.watch import MeterSample

COUNTER_S = 2.0
"""The energy counter is asked for this often at most: well below any time-out for a frozen meter."""
_QUANTITIES = ("voltage", "current", "power")
OnSample = Callable[[MeterSample], None]


@dataclass(frozen=True)
class Layout:
    """Which registers to read: ``first`` address, ``count``, the offset of each quantity per line, and the address
    of the import energy, which is asked for only when all the others stand still.
    """

    first: int
    count: int
    offsets: dict[str, tuple[int, ...]]
    counter: int


def layout(lines: int, meter: str = "sdm630") -> Layout:
    """The block of registers that holds voltages, currents and powers of ``lines`` lines, and the import energy."""
    text = (resources.files("hilbench") / "meters" / f"{meter}.toml").read_text(encoding="utf-8")
    found: dict[str, int] = {entry["name"]: int(entry["address"]) for entry in tomllib.loads(text)["register"]}
    wanted = {f"{quantity}_l{k}": found[f"{quantity}_l{k}"] for quantity in _QUANTITIES for k in range(1, lines + 1)}
    first, last = min(wanted.values()), max(wanted.values())
    offsets = {
        quantity: tuple(wanted[f"{quantity}_l{k}"] - first for k in range(1, lines + 1)) for quantity in _QUANTITIES
    }
    return Layout(first, last + 2 - first, offsets, found["import_energy"])


def decode(registers: Sequence[int], offset: int) -> float:
    """The IEEE 754 single at ``offset``, high word first."""
    value: float = struct.unpack(">f", struct.pack(">HH", registers[offset], registers[offset + 1]))[0]
    return value


class MeterPort:
    """Polls the meter at ``host``:``port`` and hands each answer to ``on_sample``; silence is left to the watch.

    ``every_s`` may be changed while it runs; the next poll is the first that follows the new grid.
    """

    def __init__(
        self, host: str, port: int, unit: int, lines: tuple[str, ...], poll_s: float, on_sample: OnSample
    ) -> None:
        self._host, self._port, self._unit = host, port, unit
        self._lines, self._patience_s = lines, 0.4 * poll_s if poll_s < 5.0 else 2.0
        self.every_s, self._offset_s = poll_s, 0.5 * poll_s
        self._on_sample = on_sample
        self._layout = layout(len(lines))
        self._number = 0
        self._block: list[int] = []
        self._counter: list[int] = []
        self._counted_t = -math.inf

    async def run(self, after_poll: Callable[[], None]) -> None:
        """Poll until cancelled; ``after_poll`` is called after each try, answered or not."""
        client: AsyncModbusTcpClient | None = None
        try:
            while True:
                # half an interval behind the meter's own grid, so that a sample is never read while it changes
                await clock.sleep_until(clock.next_multiple(self.every_s, self._offset_s))
                client = await self._poll(client)
                after_poll()
        finally:
            if client is not None:
                client.close()

    async def _poll(self, client: AsyncModbusTcpClient | None) -> AsyncModbusTcpClient | None:
        """One reading; returns the client to go on with, None to connect anew."""
        try:
            if client is None:
                client = AsyncModbusTcpClient(self._host, port=self._port, timeout=self._patience_s, retries=0)
                async with asyncio.timeout(self._patience_s):
                    await client.connect()
            sample = await self._read(client)
        except (ModbusException, OSError, TimeoutError):
            if client is not None:
                client.close()
            return None
        if sample is not None:
            self._on_sample(sample)
        return client

    async def _read(self, client: AsyncModbusTcpClient) -> MeterSample | None:
        """A sample, None for an answer that is refused or too short.

        When its block repeats the last one bit for bit, the energy counter tells a meter that stands from one whose
        load does.
        """
        block = await self._registers(client, self._layout.first, self._layout.count)
        if block and block == self._block and clock.time() - self._counted_t >= COUNTER_S - self.every_s / 4.0:
            self._counter, self._counted_t = await self._registers(client, self._layout.counter, 2), clock.time()
        self._block = block
        return self._sample([*block, *self._counter]) if block else None

    async def _registers(self, client: AsyncModbusTcpClient, first: int, count: int) -> list[int]:
        answer = await client.read_input_registers(first, count=count, device_id=self._unit)
        return list(answer.registers) if not answer.isError() and len(answer.registers) == count else []

    def _sample(self, registers: Sequence[int]) -> MeterSample:
        self._number += 1

        def read(quantity: str) -> dict[str, float]:
            offsets = self._layout.offsets[quantity]
            return {line: decode(registers, offset) for line, offset in zip(self._lines, offsets, strict=True)}

        return MeterSample(
            t=clock.time(),
            number=self._number,
            currents=read("current"),
            voltages=read("voltage"),
            powers=read("power"),
            raw=tuple(registers),
        )


__all__ = ["Layout", "MeterPort", "decode", "layout"]
