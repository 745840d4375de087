"""How the bench's driver reads a meter by its map: every block that the map lists, decoded by pymodbus."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Sequence
from typing import Literal, Protocol

from pymodbus.client.mixin import ModbusClientMixin

from hilbench.errors import DeviceError
from hilbench.meter_maps import MapRegister, MeterMap
from hilbench.sunspec import BASES, MeterModel, Place, find

READ_HOLDING, READ_INPUT = 3, 4
Ask = Callable[[int, int, int], Awaitable[list[int]]]
"""Asks for registers: function, address, count; raises ``DeviceError`` when they are not to be had."""


class NotThisMeterError(Exception):
    """What answers is another kind of meter."""


class Table(Protocol):
    """Where a kind of meter keeps its values."""

    title: str
    phases: int

    async def read(self, ask: Ask) -> dict[str, float]:
        """All values by name; NaN where the meter has none. Raises ``NotThisMeterError``."""
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


class SunSpecTable:
    """The table of a SunSpec meter, which says itself where it keeps its values.

    Raises ``InputError`` when ``pysunspec2`` is not installed.
    """

    title, phases = "SunSpec meter", 3

    def __init__(self) -> None:
        self._model = MeterModel(Place(203, 0, 0))
        self._known = False

    async def read(self, ask: Ask) -> dict[str, float]:
        """See :class:`Table`."""
        if not self._known:
            self._model, self._known = MeterModel(await self._found(ask)), True
        place = self._model.place
        self._known = False
        answer = await ask(READ_HOLDING, place.address, place.count)
        self._known = answer[:2] == [place.model, place.count - 2]
        if not self._known:
            raise NotThisMeterError(f"no model {place.model} at 0x{place.address:04X} any more")
        return self._model.values(answer)

    async def _found(self, ask: Ask) -> Place:
        refusals: list[DeviceError] = []

        async def two(address: int, count: int) -> list[int]:
            try:
                return await ask(READ_HOLDING, address, count)
            except DeviceError as error:
                refusals.append(error)
                return []

        place = await find(two)
        if place is None and len(refusals) >= len(BASES):
            raise refusals[0]
        if place is None:
            raise NotThisMeterError("no meter model (201 to 204) in a list of SunSpec models")
        return place

    def place(self, name: str) -> str:
        """See :class:`Table`."""
        return f"{name} of model {self._model.place.model}"
