"""Cars of a JSON file in the shape of chargeprice/open-ev-data: charging curves of many models, taken as they are.

Such a file knows capacity, ports and power against state of charge. The rest is assumed from it and from the shipped
car of the same port; each assumption says so among the car's sources. The file itself is the user's.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import orjson
from pydantic import BaseModel, Field, ValidationError

from hilbench.errors import InputError, Problem
from hilbench.tomlfile import in_words
from hilbench_emulators.dc.battery import GENERIC_NMC
from hilbench_emulators.dc.cars import Capacity, Car, CarFile, Percent, Port, Power, car_of, load_car
from hilbench_emulators.dc.sourced import Source, checked
from hilbench_emulators.tables import read_text

_PORTS: dict[str, Port] = {"ccs": "ccs", "tesla_ccs": "ccs", "chademo": "chademo"}
_LIKE: dict[Port, str] = {"ccs": "id-3-58", "chademo": "leaf-40"}
"""The shipped car from which a car of a port has what no such file knows."""
_BORROWED = ("up_a_per_s", "down_a_per_s", "min_current_a", "below_minimum", "gives_up_s")
_CELLS = (96, 192)
"""Cells in series of the 400 V and the 800 V class (chosen; real packs have 84 to 112 and 168 to 216, recalled)."""
_CONNECTOR_A, _CELL_V = 500.0, 3.7
"""Most current of a CCS connector and nominal voltage of a cell (recalled): a car whose power needs more current with
96 cells is of the 800 V class, but for those with a Tesla port, which go beyond."""
_OHM_KWH_PER_CELL2 = 4e-4
"""Resistance x capacity / cells squared: that of the shipped ID.3, which is assumed itself."""
_CELL_MAX_V = 4.2


class _Corner(BaseModel):
    percentage: Percent
    power: Power


class _DcCharger(BaseModel):
    ports: Annotated[list[str], Field(min_length=1)]
    charging_curve: Annotated[list[_Corner], Field(min_length=2)]
    is_default_charging_curve: bool = True


class _Entry(BaseModel):
    id: str
    brand: str
    model: str
    variant: str = ""
    usable_battery_size: Capacity
    dc_charger: _DcCharger


def load_open_ev_car(path: Path, choice: str, *, cells: int | None = None, port: Port | None = None) -> Car:
    """The car ``choice`` of the file: its id, or brand, model and variant in that order, in any case.

    ``cells`` in series and ``port`` replace what would be assumed. Raises ``InputError``: a file of another shape, a
    car that is not there (with the closest) or is there more than once, and every figure that the car lacks.
    """
    index, raw = _find(_entries(path), choice, str(path))
    where = f"{path}: data[{index}]"
    try:
        entry = _Entry.model_validate(raw)
    except ValidationError as error:
        raise InputError(where, [_problem(str(_label(raw)), details) for details in error.errors()]) from None
    chosen = port or _port(entry, where)
    return car_of(checked(CarFile, where, _figures(entry, chosen, cells)))


class Listed(NamedTuple):
    """A car of a file: what it is called there, its usable capacity [kWh] and most power [kW]."""

    id: str
    label: str
    usable_kwh: float
    most_kw: float


def listed(path: Path) -> list[Listed]:
    """The cars of a file that can be loaded, in its order; raises ``InputError`` for a file of another shape."""
    return [one for one in map(_listed, _entries(path)) if one is not None]


def _listed(raw: dict[str, Any]) -> Listed | None:
    try:
        entry = _Entry.model_validate(raw)
    except ValidationError:
        return None
    if not any(name in _PORTS for name in entry.dc_charger.ports):
        return None
    most_kw = max(corner.power for corner in entry.dc_charger.charging_curve)
    return Listed(entry.id, _label(raw), entry.usable_battery_size, most_kw)


def _entries(path: Path) -> list[dict[str, Any]]:
    try:
        data = orjson.loads(read_text(path))
    except orjson.JSONDecodeError as error:
        raise InputError(str(path), Problem(f"line {error.lineno}", f"not JSON: {error.msg}")) from None
    found = data.get("data") if isinstance(data, dict) else None
    if not isinstance(found, list) or not found or not all(isinstance(entry, dict) for entry in found):
        raise InputError(str(path), Problem("data", "must be a list of cars", "give a file like open-ev-data's"))
    return found


def _label(raw: Mapping[str, Any]) -> str:
    return " ".join(str(raw.get(key) or "") for key in ("brand", "model", "variant")).strip()


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _find(entries: Sequence[dict[str, Any]], choice: str, source: str) -> tuple[int, dict[str, Any]]:
    wanted = _plain(choice)
    labels = [_plain(_label(raw)) for raw in entries]
    hits = [i for i, raw in enumerate(entries) if str(raw.get("id")) == choice]
    hits = hits or [i for i, label in enumerate(labels) if label == wanted]
    hits = hits or [i for i, label in enumerate(labels) if wanted and f" {wanted} " in f" {label} "]
    if len(hits) == 1:
        return hits[0], entries[hits[0]]
    if hits:
        several = "; ".join(f"{_label(entries[i])} = {entries[i].get('id')}" for i in hits[:5])
        raise InputError(source, Problem(choice, f"{len(hits)} cars have that name", f"give an id: {several}"))
    close = difflib.get_close_matches(wanted, labels, 3, 0.5)
    remedy = f"did you mean {', '.join(_label(entries[labels.index(name)]) for name in close)}?" if close else ""
    raise InputError(source, Problem(choice, "no such car in the file", remedy or "write brand, model and variant"))


def _problem(label: str, details: Any) -> Problem:
    place = ".".join(map(str, details["loc"]))
    if place == "dc_charger" and details.get("input") is None:
        return Problem(label, "has no DC charger", "choose another car")
    what, remedy = in_words(details)
    return Problem(f"{label}: {place}", what, remedy)


def _port(entry: _Entry, where: str) -> Port:
    known = [_PORTS[name] for name in entry.dc_charger.ports if name in _PORTS]
    if not known:
        ports = ", ".join(entry.dc_charger.ports)
        raise InputError(where, Problem("dc_charger.ports", f"{ports}: neither CCS nor CHAdeMO", "choose another car"))
    return "ccs" if "ccs" in known else "chademo"


def _figures(entry: _Entry, port: Port, cells: int | None) -> dict[str, Any]:
    """The keys of a :class:`CarFile`, with their sources."""
    like, curve = load_car(_LIKE[port]), [(c.percentage, c.power) for c in entry.dc_charger.charging_curve]
    series = cells or _cells(entry)
    label = _label(entry.model_dump())
    figures: dict[str, Any] = {
        "port": port,
        "usable_kwh": entry.usable_battery_size,
        "curve": curve,
        "cells": series,
        "resistance_ohm": _OHM_KWH_PER_CELL2 * series * series / entry.usable_battery_size,
        "max_current_a": max(10.0 * math.ceil(_most_a(curve, series) / 10.0), like.min_a),
        "max_voltage_v": _CELL_MAX_V * series,
        "min_power_w": 0.0,
        "up_a_per_s": like.up_a_per_s,
        "down_a_per_s": like.down_a_per_s,
        "min_current_a": like.min_a,
        "below_minimum": like.below_minimum,
    }
    if math.isfinite(like.gives_up_s):
        figures["gives_up_s"] = like.gives_up_s
    sources = _sources(figures, entry, label, like.title, given_cells=cells is not None)
    return {"name": entry.id, "title": label, "source": sources, **figures}


def _sources(
    figures: Mapping[str, Any], entry: _Entry, label: str, like: str, *, given_cells: bool
) -> dict[str, Source]:
    read: Source = ("secondary", f"the file's entry {entry.id}, {label}")
    default: Source = ("policy-default", f"the file's entry {entry.id}: a default curve, not measured")
    sources: dict[str, Source] = dict.fromkeys(_BORROWED, ("policy-default", f"assumed: as the {like}"))
    sources |= {
        "port": read,
        "usable_kwh": read,
        "curve": default if entry.dc_charger.is_default_charging_curve else read,
        "cells": (
            "policy-default",
            "given by the caller" if given_cells else "assumed: 96, or 192 if 96 need more than 500 A",
        ),
        "resistance_ohm": ("policy-default", "assumed: that of the shipped ID.3, by cells and capacity"),
        "max_current_a": ("policy-default", "assumed: the least that the curve needs, in steps of 10 A"),
        "max_voltage_v": ("policy-default", "assumed: 4.2 V per cell"),
        "min_power_w": ("policy-default", "assumed: none"),
    }
    return {key: sources[key] for key in figures}


def _cells(entry: _Entry) -> int:
    most_w = 1000.0 * max(corner.power for corner in entry.dc_charger.charging_curve)
    tesla = any(name.startswith("tesla") for name in entry.dc_charger.ports)
    return _CELLS[0] if tesla or most_w <= _CONNECTOR_A * _CELL_V * _CELLS[0] else _CELLS[1]


def _most_a(curve: Sequence[tuple[float, float]], cells: int) -> float:
    """The most current [A] of a curve (corners ``[%, kW]``) at open-circuit voltages."""
    return max(1000.0 * kw / (cells * GENERIC_NMC.at(pct / 100.0)) for pct, kw in curve)
