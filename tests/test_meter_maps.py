"""Register maps: golden registers of each meter, both ends of the wire against each other, and files that are wrong."""

from __future__ import annotations

import asyncio
import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilbench.controller.registers import decode
from hilbench.drivers.meter_table import MapTable
from hilbench.errors import InputError
from hilbench.meter_maps import MapRegister, MeterMap, load_meter_map, maps_by_model, meter_map_names
from hilbench.rig import load_rig
from hilbench.tomlfile import read_toml
from hilbench_emulators.register_map import Encoder

ROOT = Path(__file__).parent.parent
RIG = (ROOT / "rigs" / "workplace-10.toml").read_text("utf-8")
NAMES = meter_map_names()
GOLDEN: dict[str, tuple[tuple[str, float, int, tuple[int, ...]], ...]] = {
    "sdm630": (("voltage_l1", 230.25, 0x0000, (0x4366, 0x4000)), ("total_power", -1500.0, 0x0034, (0xC4BB, 0x8000))),
    "sdm72d-m-2": (("current_l3", 10.5, 0x000A, (0x4128, 0x0000)), ("import_energy", 0.5, 0x0048, (0x3F00, 0x0000))),
    "em340": (
        ("voltage_l1", 230.2, 0x0000, (2302, 0)),
        ("current_l2", 70.0, 0x000E, (0x1170, 0x0001)),  # 70 000 mA, least significant register first
        ("power_l3", -100.0, 0x0016, (0xFC18, 0xFFFF)),
        ("frequency", 50.0, 0x0033, (500,)),
    ),
    "abb-b23": (
        ("voltage_l1", 230.2, 0x5B00, (0, 2302)),
        ("current_l1", 700.0, 0x5B0C, (0x0001, 0x1170)),
        ("power_l1", -1.0, 0x5B16, (0xFFFF, 0xFF9C)),
        ("import_energy", 655.37, 0x5000, (0, 0, 1, 1)),
    ),
    "umg96rm": (("current_l1", 1.0, 19012, (0x3F80, 0x0000)), ("import_energy", 1.0, 19068, (0x447A, 0x0000))),
    "iem3155": (
        ("power_l1", 1500.0, 3053, (0x3FC0, 0x0000)),  # 1.5 kW
        ("import_energy", 65.537, 3203, (0, 0, 1, 1)),
        ("voltage_l1", 230.25, 3027, (0x4366, 0x4000)),
    ),
    "pac2200": (("current_l3", 1.0, 17, (0x3F80, 0x0000)), ("import_energy", 1.0, 801, (0x408F, 0x4000, 0, 0))),
}
"""By map: a value, its address, and the registers that the meter's document (or code that reads it) makes of it."""


def filled(meter: MeterMap, values: dict[str, float]) -> tuple[Encoder, list[int]]:
    """The registers of an emulated meter that shows ``values``."""
    encoder = Encoder(meter)
    registers = encoder.blank()
    encoder.encode(values, registers)
    return encoder, registers


def driven(meter: MeterMap, first: int, registers: list[int]) -> dict[str, float]:
    """What the bench's driver reads of them."""

    async def ask(function: int, address: int, count: int) -> list[int]:
        assert (function, count <= meter.most_registers) == (meter.function, True)
        return registers[address - first : address - first + count]

    return asyncio.run(MapTable(meter).read(ask))


@pytest.mark.parametrize("name", NAMES)
def test_golden_registers(name: str) -> None:
    """Known values are where, and as, the meter has them, and both readers read them back."""
    meter = load_meter_map(name)
    for value_name, value, address, words in GOLDEN[name]:
        encoder, registers = filled(meter, {value_name: value})
        start = address - encoder.first
        assert tuple(registers[start : start + len(words)]) == words, value_name
        assert decode(meter, meter.register(value_name), registers, encoder.first) == pytest.approx(value)
        assert driven(meter, encoder.first, registers)[value_name] == pytest.approx(value)


@st.composite
def shown(draw: st.DrawFn, meter: MeterMap) -> dict[str, float]:
    """Values that a meter can show."""

    def value(register: MapRegister) -> st.SearchStrategy[float]:
        low = 0.0 if register.type.startswith("u") else -20_000.0 * register.scale
        return st.floats(low, 20_000.0 * register.scale, width=32)

    return {register.name: draw(value(register)) for register in meter.registers}


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_both_readers_read_what_was_written(name: str, data: st.DataObject) -> None:
    """Every value comes back within half a count, or as a float32 holds it, from all values at once."""
    meter = load_meter_map(name)
    values = data.draw(shown(meter))
    encoder, registers = filled(meter, values)
    drivers = driven(meter, encoder.first, registers)
    for register in meter.registers:
        step = 0.5 * register.scale if "int" in register.type else 0.0
        expected = pytest.approx(values[register.name], rel=1e-6, abs=step * 1.001 + 1e-30)
        assert decode(meter, register, registers, encoder.first) == expected
        assert drivers[register.name] == expected


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e300])
def test_what_a_meter_cannot_show_reads_as_no_number(name: str, value: float) -> None:
    """NaN, the infinities and what does not fit are NaN at both readers, in whatever way the meter says it."""
    meter = load_meter_map(name)
    unshown = [r.name for r in meter.registers if not (r.type == "float64" and math.isfinite(value))]
    encoder, registers = filled(meter, dict.fromkeys(unshown, value))
    drivers = driven(meter, encoder.first, registers)
    for value_name in unshown:
        assert math.isnan(decode(meter, meter.register(value_name), registers, encoder.first)), value_name
        assert math.isnan(drivers[value_name]), value_name


def test_the_maps_say_where_they_come_from() -> None:
    """At least four meters beside the first, of several encodings; each has its source and a name of its own."""
    maps = [load_meter_map(name) for name in NAMES]
    assert len(maps) >= 5
    assert len(maps_by_model()) == len(maps)
    assert all(meter.source and meter.confidence for meter in maps)
    types = {register.type for meter in maps for register in meter.registers}
    assert {"float32", "float64", "int16", "int32", "uint16", "uint32", "int64", "uint64"} <= types
    assert {meter.word_order for meter in maps} == {"high-first", "low-first"}
    assert {meter.function for meter in maps} == {3, 4}


def toml(value: Any) -> str:
    """A value, or the tables of a file, as TOML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {toml(entry)}" for key, entry in value.items()) + "}"
    return "[" + ", ".join(map(toml, value)) + "]" if isinstance(value, list) else json.dumps(value)


def write(path: Path, tables: dict[str, Any]) -> None:
    """A file of these tables."""
    path.write_text("".join(f"{key} = {toml(value)}\n" for key, value in tables.items()), "utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_the_phases_of_a_quantity_are_alike(name: str) -> None:
    """Same type, scale and unit, one behind the other: a slip in one phase would be seen."""
    meter = load_meter_map(name)
    phased = [register for register in meter.registers if register.name[-3:-1] == "_l"]
    assert len(phased) % 3 == 0
    for first, second, third in zip(*(phased[k::3] for k in range(3)), strict=True):
        assert [one.name[-1] for one in (first, second, third)] == ["1", "2", "3"]
        assert len({(one.type, one.scale, one.unit, one.name[:-1]) for one in (first, second, third)}) == 1
        assert (second.address, third.address) == (first.end, second.end)


def broken(change: dict[str, Any]) -> dict[str, Any]:
    """The tables of a sound map with some keys changed."""
    data, _text = read_toml(ROOT / "hilbench" / "meters" / "abb-b23.toml")
    registers = [{**entry, **change.get(entry["name"], {})} for entry in data["register"]]
    registers = [entry for entry in registers if entry["name"] not in change.get("without", ())]
    top = {key: value for key, value in change.items() if key in ("function", "word_order", "block", "undefined")}
    return {**data, "register": registers, **top}


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no current": ({"without": ["current_l1"]}, "there is no register 'current_l1' (a map needs voltage, current and"),
    "no energy": ({"without": ["import_energy"]}, "there is no register 'import_energy' (add it)"),
    "one phase half": ({"without": ["power_l2"]}, "there is no register 'power_l2' (add it)"),
    "unit": ({"power_l1": {"unit": "kW"}}, "register 'power_l1' is in 'kW' (let scale turn a count into W)"),
    "overlap": ({"power_l1": {"address": 0x5B15}}, "registers 'total_power' and 'power_l1' overlap"),
    "outside": ({"frequency": {"address": 0x5FFF}}, "register 'frequency' lies in no block"),
    "two blocks": (
        {
            "block": [
                {"address": 0x5000, "count": 8},
                {"address": 0x5B00, "count": 18},
                {"address": 0x5B12, "count": 48},
            ]
        },
        "voltages, currents and powers lie in different blocks (they must come in one request",
    ),
    "long": ({"block": [{"address": 0x5000, "count": 4096}]}, "do not fit into one request (split it into blocks"),
    "type": ({"current_l1": {"type": "int24"}}, "register[5].type: must be 'int16', 'uint16'"),
    "no undefined": ({"undefined": {}}, "undefined says nothing of uint64 (add uint64 = the raw value"),
    "function": ({"function": 6}, "function: must be 3 or 4, not 6"),
    "order": ({"word_order": "big"}, "word_order: must be 'high-first' or 'low-first', not 'big'"),
    "scale": ({"current_l1": {"scale": 0}}, "register[5].scale: must be greater than 0"),
    "address": ({"current_l1": {"address": 65_536}}, "register[5].address: must be less than or equal to 65535"),
    "key": ({"current_l1": {"words": 2}}, "register[5].words: is not a key of this table"),
    "twice": ({"current_l2": {"name": "current_l1"}}, "register 'current_l1' is there 2 times (each value has one)"),
}


@pytest.mark.parametrize(("change", "said"), WRONG.values(), ids=WRONG.keys())
def test_a_map_that_cannot_be_used_says_why(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    """One error with the file, the place or the register, and what to do."""
    path = tmp_path / "mine.toml"
    write(path, broken(change))
    with pytest.raises(InputError) as told:
        load_meter_map(str(path))
    assert str(told.value).startswith(f"{path}: ")
    assert said in str(told.value)


def test_a_rig_names_its_map_or_brings_its_own(tmp_path: Path) -> None:
    """``map`` is a shipped name, or a path beside the rig; a real device's model says its map."""
    write(tmp_path / "mine.toml", broken({}))
    rig = tmp_path / "rig.toml"
    for line, expected in (
        ('map = "em340"', "em340"),
        ('map = "mine.toml"', str(tmp_path / "mine.toml")),
        ("", "sdm630"),
    ):
        rig.write_text(RIG.replace('device = "emulated:ct"', f'device = "emulated:ct"\n{line}'))
        assert load_rig(rig).site_meter.map == expected
    rig.write_text(RIG.replace('device = "emulated:ct"', 'device = "modbus:abb-b23"'))
    assert load_rig(rig).site_meter.map == "abb-b23"


RIG_MISTAKES = {
    "no such map": ('map = "em430"', "there is no map 'em430'", "did you mean em340?"),
    "no such file": ('map = "other.toml"', "no such meter map", ""),
    "another model's": (
        'device = "modbus:abb-b23"\nmap = "em340"',
        "'em340' is not the map of modbus:abb-b23",
        "leave it",
    ),
    "too few phases": ('map = "one.toml"', "measures 1 of 2 lines", "for all of them"),
}


@pytest.mark.parametrize(("lines", "what", "remedy"), RIG_MISTAKES.values(), ids=RIG_MISTAKES.keys())
def test_a_rig_that_cannot_have_its_map_says_so(tmp_path: Path, lines: str, what: str, remedy: str) -> None:
    """At ``meter.service.map`` with its line, before anything is started."""
    without = [f"{quantity}_l{k}" for quantity in ("voltage", "current", "power") for k in (2, 3)]
    write(tmp_path / "one.toml", broken({"without": without}))
    lines = lines if "device" in lines else f'device = "emulated:ct"\n{lines}'
    (tmp_path / "rig.toml").write_text(RIG.replace('device = "emulated:ct"', lines))
    with pytest.raises(InputError) as told:
        load_rig(tmp_path / "rig.toml")
    (problem,) = told.value.problems
    assert problem.where.startswith("meter.service.map (line ")
    assert what in problem.what
    assert remedy in problem.remedy
