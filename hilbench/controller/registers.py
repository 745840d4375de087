"""How the controller reads a meter by its map: which registers to ask for, and the values that are in them."""

from __future__ import annotations

import math
import struct
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from hilbench.errors import InputError, Problem
from hilbench.meter_maps import PHASE_UNITS, MapRegister, MeterMap

_FORMATS = {
    "int16": ">h", "uint16": ">H", "int32": ">i", "uint32": ">I", "int64": ">q", "uint64": ">Q", "float32": ">f",
    "float64": ">d",
}  # fmt: skip


@dataclass(frozen=True)
class Span:
    """A request: ``function`` 3 or 4, the address of the first register, and how many."""

    function: int
    first: int
    count: int


Ask = Callable[[Span], Awaitable[list[int]]]
"""Asks the meter for registers; an empty list when it refuses them or answers with another number of them."""


class Reader(Protocol):
    """Reads one kind of meter."""

    async def block(self, ask: Ask) -> list[int]:
        """The registers that are read at every poll; empty when they are not to be had."""
        ...

    async def counter(self, ask: Ask) -> list[int]:
        """The registers of an energy counter that is not in the block; empty when there is no other one."""
        ...

    def values(self, quantity: str, block: Sequence[int]) -> dict[str, float]:
        """``voltage``, ``current`` or ``power`` by line [V, A, W]; NaN where the meter has no value."""
        ...


class MapReader:
    """Reads a meter by its map for a site with ``lines``.

    One block holds voltages, currents and powers of all lines; the import energy is asked for on its own.
    Raises ``InputError`` for a map with fewer phases than lines.
    """

    def __init__(self, meter: MeterMap, lines: tuple[str, ...]) -> None:
        if meter.phases < len(lines):
            what = f"{meter.title} measures {meter.phases} of {len(lines)} lines"
            raise InputError("meter", Problem("map", what, "choose the map of a meter for all of them"))
        self._meter, self._lines = meter, lines
        wanted = [meter.register(f"{quantity}_l{k}") for quantity in PHASE_UNITS for k in range(1, len(lines) + 1)]
        self.span = _span(meter, min(r.address for r in wanted), max(r.end for r in wanted))
        energy = meter.register("import_energy")
        self._counter = _span(meter, energy.address, energy.end)

    async def block(self, ask: Ask) -> list[int]:
        """See :class:`Reader`."""
        return await ask(self.span)

    async def counter(self, ask: Ask) -> list[int]:
        """See :class:`Reader`."""
        return await ask(self._counter)

    def values(self, quantity: str, block: Sequence[int]) -> dict[str, float]:
        """See :class:`Reader`."""
        registers = [self._meter.register(f"{quantity}_l{k}") for k in range(1, len(self._lines) + 1)]
        found = [decode(self._meter, register, block, self.span.first) for register in registers]
        return dict(zip(self._lines, found, strict=True))


def _span(meter: MeterMap, first: int, end: int) -> Span:
    count = end - first
    return Span(meter.function, first, count + count % 2 if meter.even_counts else count)


def decode(meter: MeterMap, register: MapRegister, registers: Sequence[int], first: int) -> float:
    """The value of ``register`` in ``registers``, which begin at address ``first``."""
    start = register.address - first
    words = list(registers[start : start + register.width])
    if meter.word_order == "low-first":
        words.reverse()
    raw: float = struct.unpack(_FORMATS[register.type], struct.pack(f">{len(words)}H", *words))[0]
    return math.nan if raw == meter.undefined.get(register.type) else raw * register.scale
