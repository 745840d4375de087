"""How an emulated meter fills its registers: the encoding of a map of ``hilbench.meter_maps``, and nothing else."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from hilbench.meter_maps import MapBlock, MapRegister, MeterMap

_CODES = {
    "int16": "h", "uint16": "H", "int32": "i", "uint32": "I", "int64": "q", "uint64": "Q", "float32": "f",
    "float64": "d",
}  # fmt: skip
_LARGEST = {"float32": 3.4028234e38, "float64": 1.7e308}


@dataclass(frozen=True)
class _Packed:
    """The listed registers of a block as one structure from ``start`` on, gaps as padding."""

    start: int
    registers: tuple[MapRegister, ...]
    layout: struct.Struct
    words: struct.Struct


class Encoder:
    """Turns values by name into the registers of a map, from address ``first`` on, ``size`` of them.

    What lies between the listed values reads as 0. A value that is not given is 0; one that is not finite, or that
    does not fit into its type, is what the meter shows in place of a value. ``fixed`` are registers by address that
    always read the same.
    """

    def __init__(self, meter: MeterMap, fixed: Mapping[int, int] | None = None) -> None:
        self.meter = meter
        self._fixed = dict(fixed or {})
        self.first = min(block.address for block in meter.blocks)
        self.size = max(block.address + block.count for block in meter.blocks) - self.first
        self._packed = [_packed(meter, block) for block in meter.blocks if meter.within(block)]
        listed = {place for register in meter.registers for place in range(register.address, register.end)}
        self._kept = [(place - self.first, word) for place, word in self._fixed.items() if self._between(place, listed)]
        self._swapped = [r for r in meter.registers if r.width > 1] if meter.word_order == "low-first" else []

    def _between(self, place: int, listed: set[int]) -> bool:
        """Whether a fixed register lies between values, where packing them would leave a 0."""
        packed = any(part.start <= place < part.start + part.words.size // 2 for part in self._packed)
        return packed and place not in listed

    def blank(self) -> list[int]:
        """All registers before the first value."""
        return [self._fixed.get(address, 0) for address in range(self.first, self.first + self.size)]

    def answers(self, address: int, count: int) -> bool:
        """Whether the meter has every register of a range."""
        return all(any(b.holds(place, 1) for b in self.meter.blocks) for place in range(address, address + count))

    def encode(self, values: Mapping[str, float], registers: list[int]) -> None:
        """Write ``values`` into ``registers``, the first of which has the address ``first``."""
        for part in self._packed:
            raw = [self._raw(register, values.get(register.name, 0.0)) for register in part.registers]
            words = part.words.unpack(part.layout.pack(*raw))
            start = part.start - self.first
            registers[start : start + len(words)] = words
        for place, word in self._kept:  # some lie between values
            registers[place] = word
        for register in self._swapped:
            start = register.address - self.first
            registers[start : start + register.width] = registers[start : start + register.width][::-1]

    def _raw(self, register: MapRegister, value: float) -> float | int:
        counts = value / register.scale
        if register.type in _LARGEST:
            return counts if abs(counts) <= _LARGEST[register.type] else math.nan
        least, most = _bounds(register)
        return round(counts) if least <= counts <= most else self.meter.undefined[register.type]


def _packed(meter: MeterMap, block: MapBlock) -> _Packed:
    listed = meter.within(block)
    layout = ">" + _CODES[listed[0].type]
    for before, register in pairwise(listed):
        layout += f"{2 * (register.address - before.end)}x{_CODES[register.type]}"
    packed = struct.Struct(layout)
    return _Packed(listed[0].address, tuple(listed), packed, struct.Struct(f">{packed.size // 2}H"))


def _bounds(register: MapRegister) -> tuple[int, int]:
    bits = 16 * register.width
    return (0, (1 << bits) - 1) if register.type.startswith("u") else (-(1 << bits - 1), (1 << bits - 1) - 1)
