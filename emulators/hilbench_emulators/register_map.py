"""The registers of a real meter as the emulated one fills them; the table itself is ``hilbench/meters/*.toml``."""

from __future__ import annotations

import math
import struct
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

SDM630 = "sdm630"


@dataclass(frozen=True)
class Register:
    """One float32 value in two registers from ``address`` on (counted from 0)."""

    name: str
    address: int
    unit: str
    title: str


@dataclass(frozen=True)
class RegisterMap:
    """A meter's input registers, in the order of address."""

    model: str
    title: str
    function: int
    most_registers: int
    size: int
    registers: tuple[Register, ...]

    def encode(self, values: Mapping[str, float]) -> list[int]:
        """Registers 0 to the last one listed; a value that is not given is 0, one that is not finite a NaN."""
        floats = [0.0] * (self.registers[-1].address // 2 + 1)
        for register in self.registers:
            value = values.get(register.name, 0.0)
            floats[register.address // 2] = value if math.isfinite(value) else math.nan
        packed = struct.pack(f">{len(floats)}f", *floats)
        return list(struct.unpack(f">{2 * len(floats)}H", packed))


@cache
def load_register_map(model: str = SDM630) -> RegisterMap:
    """The map of ``model``; raises ``FileNotFoundError`` when there is none."""
    text = resources.files("hilbench").joinpath(f"meters/{model}.toml").read_text("utf-8")
    table = tomllib.loads(text)
    registers = [
        Register(entry["name"], entry["address"], entry["unit"], entry["title"]) for entry in table["register"]
    ]
    return RegisterMap(
        model=table["model"],
        title=table["title"],
        function=table["function"],
        most_registers=table["most_registers"],
        size=table["registers"],
        registers=tuple(sorted(registers, key=lambda register: register.address)),
    )
