"""How the bench's driver reads a meter by its map: every block that the map lists, decoded by pymodbus."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Sequence
from typing import Literal, Protocol

from pymodbus.client.mixin import ModbusClientMixin

from hilbench.meter_maps import MapRegister, MeterMap

READ_INPUT = 4
Ask = Callable[[int, int, int], Awaitable[list[int]]]
"""Asks for registers: function, address, count; raises ``DeviceError`` when they are not to be had."""


class Table(Protocol):
    """Where a kind of meter keeps its values."""

    title: str
    phases: int

    async def read(self, ask: Ask) -> dict[str, float]:
        """All values by name; NaN where the meter has none."""
        ...

    def place(self, name: str) -> str:
        """Where a value is, for a person."""
        ...


class MapTable:
    """The table of a map."""

    def __init__(self, meter: MeterMap) -> None:
        self._meter = meter
        self.title, self.phases = meter.title, meter.phases

    async def read(self, ask: Ask) -> dict[str, float]:
        """See :class:`Table`."""
        values: dict[str, float] = {}
        for block in self._meter.blocks:
            listed = self._meter.within(block)
            if not listed:
                continue
            first, count = listed[0].address, listed[-1].end - listed[0].address
            answer = await ask(self._meter.function, first, count + (count % 2 if self._meter.even_counts else 0))
            values |= {register.name: self._decoded(register, answer, first) for register in listed}
        return values

    def place(self, name: str) -> str:
        """See :class:`Table`."""
        register = self._meter.register(name)
        return f"register 0x{register.address:04X} ({name} [{register.unit}])"

    def _decoded(self, register: MapRegister, answer: Sequence[int], first: int) -> float:
        words = answer[register.address - first : register.end - first]
        order: Literal["big", "little"] = "big" if self._meter.word_order == "high-first" else "little"
        raw = ModbusClientMixin.convert_from_registers(words, ModbusClientMixin.DATATYPE[register.type.upper()], order)
        if not isinstance(raw, int | float) or raw == self._meter.undefined.get(register.type):
            return math.nan
        return raw * register.scale
