"""Register maps of real meters as data: one TOML file per meter in ``hilbench/meters``, a user's own by its path.

A map says where a meter keeps which value, and how: nothing here reads or writes a register. The emulated meter fills
the registers of a map, the controller and the bench's driver each read them, with code of their own.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from functools import lru_cache
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, model_validator

from hilbench.errors import InputError, Problem
from hilbench.site import Integer, Model, Name, Number
from hilbench.tomlfile import in_words, is_file, read_toml

DEFAULT_MAP = "sdm630"
SUNSPEC = ("sunspec", "sunspec-delta")
"""Names that stand for no file: registers as SunSpec lays them out, the second with the model of a delta service."""
DataType = Literal["int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"]
WIDTH: dict[str, int] = {
    "int16": 1, "uint16": 1, "int32": 2, "uint32": 2, "float32": 2, "int64": 4, "uint64": 4, "float64": 4,
}  # fmt: skip
"""Registers of a value by its type."""
PHASE_UNITS = {"voltage": "V", "current": "A", "power": "W"}
"""Quantities that every map has for each of its phases, with their units."""
TOTAL_UNITS = {"total_power": "W", "frequency": "Hz", "import_energy": "kWh", "export_energy": "kWh"}
"""Values that every map has once."""


class MapRegister(Model):
    """``[[register]]``: a value from ``address`` on (counted from 0, as on the wire); a count is ``scale`` ``unit``."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,47}$")]
    address: Annotated[Integer, Field(ge=0, le=65_535)]
    type: DataType = "float32"
    scale: Annotated[Number, Field(gt=0)] = 1.0
    unit: str
    title: str = ""

    @property
    def width(self) -> int:
        """How many registers it takes."""
        return WIDTH[self.type]

    @property
    def end(self) -> int:
        """The address behind it."""
        return self.address + self.width


class MapBlock(Model):
    """A range of addresses that the meter answers; any other is answered with an exception."""

    address: Annotated[Integer, Field(ge=0, le=65_535)]
    count: Annotated[Integer, Field(ge=1, le=65_536)]

    def holds(self, address: int, count: int) -> bool:
        """Whether the range lies in this one."""
        return self.address <= address and address + count <= self.address + self.count


class MeterMap(Model):
    """A meter's registers: ``function`` 3 reads holding, 4 input registers, at most ``most_registers`` at once.

    ``word_order`` says which register of a wide value comes first. ``undefined`` is, by integer type, the raw value
    that stands for none. ``even_counts``: an odd number of registers is refused. ``confidence`` says how ``source``
    is known; what a file's comments call recalled was not checked.
    """

    model: Name
    title: Annotated[str, Field(min_length=1)]
    source: Annotated[str, Field(min_length=1)]
    confidence: Literal["vendor-doc", "read-code", "secondary", "recalled"]
    function: Literal[3, 4]
    word_order: Literal["high-first", "low-first"] = "high-first"
    even_counts: bool = False
    most_registers: Annotated[Integer, Field(ge=4, le=125)]
    undefined: dict[DataType, Integer] = Field(default_factory=dict)
    blocks: Annotated[tuple[MapBlock, ...], Field(alias="block", min_length=1)]
    registers: Annotated[tuple[MapRegister, ...], Field(alias="register", min_length=1)]

    @model_validator(mode="after")
    def _can_be_used(self) -> Self:
        problem = next(_faults(self), "")
        if problem:
            raise ValueError(problem)
        return self

    @property
    def phases(self) -> int:
        """How many phases it measures, 1 to 3."""
        names = {register.name for register in self.registers}
        return next((k - 1 for k in (1, 2, 3) if f"current_l{k}" not in names), 3)

    def register(self, name: str) -> MapRegister:
        """The register of a value; raises ``KeyError``."""
        for register in self.registers:
            if register.name == name:
                return register
        raise KeyError(name)

    def within(self, block: MapBlock) -> list[MapRegister]:
        """The listed registers of a block in the order of their addresses."""
        found = [register for register in self.registers if block.holds(register.address, register.width)]
        return sorted(found, key=lambda register: register.address)

    def block_of(self, register: MapRegister) -> MapBlock:
        """The block that holds a register."""
        return next(block for block in self.blocks if block.holds(register.address, register.width))


def _faults(meter: MeterMap) -> Iterator[str]:
    """What makes a map unusable, in words; the text after the semicolon is the remedy."""
    names = [register.name for register in meter.registers]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"register {name!r} is there {names.count(name)} times; each value has one"
    yield from _missing(meter, set(names))
    for register in meter.registers:
        if not any(block.holds(register.address, register.width) for block in meter.blocks):
            yield f"register {register.name!r} lies in no block; let a block cover its {register.width} registers"
        if register.type.startswith(("int", "uint")) and register.type not in meter.undefined:
            yield f"undefined says nothing of {register.type}; add {register.type} = the raw value that stands for none"
    yield from _misplaced(meter)


def _missing(meter: MeterMap, names: set[str]) -> Iterator[str]:
    units = {f"{quantity}_l{k}": unit for k in range(1, meter.phases + 1) for quantity, unit in PHASE_UNITS.items()}
    if not units:
        yield "there is no register 'current_l1'; a map needs voltage, current and power of each phase"
    for name, unit in (units | TOTAL_UNITS).items():
        if name not in names:
            yield f"there is no register {name!r}; add it"
        elif meter.register(name).unit != unit:
            yield f"register {name!r} is in {meter.register(name).unit!r}; let scale turn a count into {unit}"


def _misplaced(meter: MeterMap) -> Iterator[str]:
    ordered = sorted(meter.registers, key=lambda register: register.address)
    for one, other in pairwise(ordered):
        if other.address < one.end:
            yield f"registers {one.name!r} and {other.name!r} overlap; correct an address or a type"
    for block in meter.blocks:
        listed = meter.within(block)
        if listed and listed[-1].end - listed[0].address > meter.most_registers:
            what = f"the values of the block at {block.address} do not fit into one request"
            yield f"{what}; split it into blocks of {meter.most_registers} registers at most"
    lines = [r for r in meter.registers if r.name.rpartition("_l")[0] in PHASE_UNITS]
    if len({meter.block_of(register).address for register in lines}) > 1:
        yield "voltages, currents and powers lie in different blocks; they must come in one request"


def meter_map_names() -> list[str]:
    """Names of the maps that come with the bench."""
    return sorted(Path(file.name).stem for file in _folder().iterdir() if file.name.endswith(".toml"))


def is_sunspec(name: str) -> bool:
    """Whether a map's name stands for SunSpec models instead of a file."""
    return name in SUNSPEC


@lru_cache(maxsize=64)
def load_meter_map(name_or_path: str = DEFAULT_MAP) -> MeterMap:
    """A shipped map by its name, or one from a TOML file; raises ``InputError`` with everything that is wrong."""
    path = Path(name_or_path) if name_or_path.endswith(".toml") else _folder() / f"{name_or_path}.toml"
    if not is_file(path):
        known = [*meter_map_names(), *SUNSPEC]
        close = difflib.get_close_matches(name_or_path, known, 1)
        remedy = f"did you mean {close[0]}?" if close else f"known: {', '.join(known)}; or the path of a .toml file"
        raise InputError(name_or_path, Problem("", "no such meter map", remedy))
    data, _text = read_toml(path)
    try:
        return MeterMap.model_validate(data)
    except ValidationError as error:
        raise InputError(str(path), list(_problems(error))) from None


@lru_cache(maxsize=1)
def maps_by_model() -> dict[str, str]:
    """Names of the shipped maps by the models of their meters, as ``device = "modbus:MODEL"`` calls them."""
    return {load_meter_map(name).model: name for name in meter_map_names()}


def _folder() -> Path:
    return Path(str(resources.files("hilbench"))) / "meters"


def _problems(error: ValidationError) -> Iterator[Problem]:
    for details in error.errors(include_url=False):
        what, remedy = in_words(details)
        place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in details["loc"])
        yield Problem(place.lstrip("."), what, remedy)
