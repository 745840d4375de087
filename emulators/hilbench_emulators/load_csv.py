"""A building load from a user's CSV file.

**Header.** The first column holds time stamps. The load is either one column (the one named, or the first whose
name carries a unit: kW, W or A in brackets, or at its end after a space or underscore, such as
``Facility [kW](Hourly)`` or ``load_kW``) or one column per line, named ``L1_A L2_A L3_A`` or with kW or W. Power in
one column is the total of all lines and is split evenly or by ``shares``; amperes in one column flow in every line.

**Time.** ISO 8601. A stamp with an offset is taken at its word; one without is local time in ``timezone``: the hour
that a clock change repeats is told apart by the order of rows, a stamp in the hour that it leaves out is an error.
Year-less stamps (``MM/DD  HH:MM:SS``, hours to 24:00:00, as EnergyPlus writes them) are local time on the same date
of the year of ``day``; rows in a left-out hour are dropped, the repeated hour is bridged.

**Values.** ISO stamps mean the value at that instant; year-less ones the mean over the interval that ends there,
which is put at its middle (``stamp`` says otherwise). Between values the load is straight, beyond the first and the
last it is held.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Literal

import numpy as np

from hilbench.errors import InputError, Problem
from hilbench.site import Service
from hilbench_emulators.building import BuildingLoad, amps_per_kw, line_shares
from hilbench_emulators.curves import Array, Polyline
from hilbench_emulators.load_rows import Row, Window, read_rows
from hilbench_emulators.tables import Table, read_table
from hilbench_emulators.timestamps import day_bounds, zone_of

Stamp = Literal["instant", "start", "end"]
UNITS = {"kw": "kW", "w": "W", "a": "A"}
_UNIT = re.compile(r"(?:[\[(]\s*|^|[\s_](?=\w+$))(kw|w|a)(?:\s*[\])]|$)", re.IGNORECASE)
_PER_LINE = re.compile(r"^(L[123])[_ ]?[\[(]?(kw|w|a)[\])]?$", re.IGNORECASE)


@dataclass(frozen=True)
class Columns:
    """Which columns hold the load, one for all lines or one per line in their order, and their unit."""

    indices: tuple[int, ...]
    unit: str


def read_load_csv(
    path: str | Path,
    service: Service,
    *,
    epoch: datetime,
    timezone: str = "UTC",
    day: date | None = None,
    days: int = 1,
    file_day: date | None = None,
    column: str | None = None,
    unit: str | None = None,
    shares: Mapping[str, float] | None = None,
    power_factor: float = 0.95,
    stamp: Stamp | None = None,
) -> BuildingLoad:
    """The load in ``path`` as amperes per line of ``service``; bench time 0 is ``epoch`` (UTC).

    ``day`` (local date) selects that day and ``days - 1`` after it; without it the whole file is used, which a
    year-less file does not allow. ``file_day`` plays another day of the file in its place, so that a Tuesday can be
    played on a Tuesday. Raises ``InputError`` with every problem found: an unreadable or empty file, no load column
    or unit, bad, unsorted or double time stamps, missing, non-finite or negative values, gaps, a day not covered.
    """
    table = read_table(Path(path))
    columns = find_columns(table, service, column, unit)
    zone = zone_of(timezone)
    window = Window(zone, file_day or day, days)
    yearless, rows = read_rows(table, columns.indices, window)
    t = np.array([(row.time - epoch).total_seconds() for row in rows])
    t = _placed(t, stamp or ("end" if yearless else "instant"))
    if file_day and day:
        t += (day_bounds(day, zone)[0] - day_bounds(file_day, zone)[0]).total_seconds()
    amps = _amps(rows, columns, service, shares, power_factor)
    return BuildingLoad(Polyline(t, amps), service, power_factor=power_factor)


def find_columns(table: Table, service: Service, column: str | None, unit: str | None) -> Columns:
    """The load columns of ``table``; raises ``InputError`` when there are none or their unit is unknown."""
    where = "row 1"
    if column is not None:
        if column not in table.header[1:]:
            names = ", ".join(table.header[1:])
            raise InputError(table.source, Problem(where, f"no column {column!r}", f"it has: {names}"))
        return Columns((table.column(column),), _unit(table, column, unit))
    per_line = _per_line(table, service)
    if per_line is not None:
        return per_line
    for index, name in enumerate(table.header[1:], 1):
        if _UNIT.search(name):
            return Columns((index,), _unit(table, name, unit))
    remedy = "name a column like load_kW, or say which column and unit to use"
    raise InputError(table.source, Problem(where, "no column with a unit kW, W or A", remedy))


def _unit(table: Table, column: str, unit: str | None) -> str:
    match = _UNIT.search(column)
    found = unit or (match[1] if match else "")
    if found.lower() not in UNITS:
        what = f"column {column!r} has {'unit ' + repr(found) if found else 'no unit'}"
        raise InputError(table.source, Problem("row 1", what, "the units are kW, W and A"))
    return UNITS[found.lower()]


def _per_line(table: Table, service: Service) -> Columns | None:
    found = {match[1].upper(): (index, UNITS[match[2].lower()]) for index, match in _line_columns(table)}
    if not found:
        return None
    missing = [line for line in service.lines if line not in found]
    units = {unit for _index, unit in found.values()}
    if missing or len(units) > 1:
        what = f"no column for {', '.join(missing)}" if missing else f"lines in different units: {', '.join(units)}"
        remedy = f"give one column for each of {' '.join(service.lines)}, in one unit"
        raise InputError(table.source, Problem("row 1", what, remedy))
    return Columns(tuple(found[line][0] for line in service.lines), units.pop())


def _line_columns(table: Table) -> list[tuple[int, re.Match[str]]]:
    matches = ((index, _PER_LINE.match(name)) for index, name in enumerate(table.header[1:], 1))
    return [(index, match) for index, match in matches if match]


def _placed(t: Array, stamp: Stamp) -> Array:
    """Times at which the values count: means over an interval are put at its middle."""
    if stamp == "instant" or len(t) < 2:
        return t
    half = float(np.median(np.diff(t))) / 2.0
    placed: Array = t + (half if stamp == "start" else -half)
    return placed


def _amps(
    rows: list[Row], columns: Columns, service: Service, shares: Mapping[str, float] | None, power_factor: float
) -> Array:
    """Amperes, shape (rows, lines)."""
    values = np.array([row.values for row in rows])
    lines = len(service.lines)
    if columns.unit == "A":
        return np.broadcast_to(values, (len(rows), lines))
    kilowatts = values / (1000.0 if columns.unit == "W" else 1.0)
    split = np.ones(lines) if len(columns.indices) > 1 else line_shares(service, shares)
    amps: Array = kilowatts * amps_per_kw(service, split, power_factor)
    return amps
