"""Charging sessions: which car stands where, from when to when, and what it wants.

**CSV.** Columns ``arrival, departure, station, energy_kwh`` and, if known, ``max_power_kw`` and ``vehicle``; times in
ISO 8601, without an offset they are local. **ACN-Data JSON.** The answer of its API or a list of its sessions:
``connectionTime`` and ``disconnectTime`` (RFC 1123), ``spaceID`` or ``stationID``, ``kWhDelivered`` and, of
``userInputs``, the last ``kWhRequested``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from hilbench.errors import InputError, Problem
from hilbench_emulators.tables import Problems, number_in, read_table, read_text
from hilbench_emulators.timestamps import LocalClock, day_bounds, parse_iso, plausible, zone_of
from hilbench_emulators.vehicles import vehicle_names

EnergySource = Literal["delivered", "requested"]
_REQUIRED = ("arrival", "departure", "station", "energy_kwh")
_OPTIONAL = ("max_power_kw", "vehicle")


@dataclass(frozen=True)
class Session:
    """One car at one station: times in UTC, ``energy_kwh`` wanted, its largest power and model if known."""

    arrival: datetime
    departure: datetime
    station: str
    energy_kwh: float
    max_power_kw: float | None = None
    vehicle: str | None = None


@dataclass(frozen=True)
class _Entry:
    """A session as it stands in a file: text, and where it stands."""

    where: str
    arrival: str
    departure: str
    station: str
    energy_kwh: str
    max_power_kw: str = ""
    vehicle: str = ""


def read_sessions(
    path: str | Path, *, timezone: str = "UTC", day: date | None = None, energy: EnergySource = "delivered"
) -> list[Session]:
    """The sessions in ``path`` (CSV, or ACN-Data for ``.json``) in the order of arrival, station.

    With ``day`` only those that arrive on that day of ``timezone`` (a car that came the day before is left out);
    only those are checked in full. ``energy`` chooses which figure of ACN-Data a car wants; the one delivered, the
    default, is what the car really took. Raises ``InputError`` with every problem and its row: missing columns, bad
    times, a departure not after the arrival, negative energy, two cars at one station, no session on that day.
    """
    file = Path(path)
    zone = zone_of(timezone)
    problems = Problems(str(file))
    entries = _json_entries(file, problems, energy) if file.suffix.lower() == ".json" else _csv_entries(file)
    window = day_bounds(day, zone) if day else None
    found = [(entry, session) for entry in entries if (session := _session(entry, zone, window, problems)) is not None]
    found.sort(key=lambda pair: (pair[1].arrival, pair[1].station))
    _check_overlaps(found, zone, problems)
    problems.check()
    if not found:
        raise InputError(str(file), f"no session arrives on {day}" if day else "no sessions")
    return [session for _entry, session in found]


def _csv_entries(path: Path) -> list[_Entry]:
    table = read_table(path)
    missing = [name for name in _REQUIRED if name not in table.header]
    if missing:
        has = ", ".join(table.header)
        raise InputError(table.source, Problem("row 1", f"no column {', '.join(missing)}", f"it has: {has}"))
    columns = {name: table.column(name) for name in (*_REQUIRED, *_OPTIONAL) if name in table.header}
    return [
        _Entry(f"row {number}", **{name: cells[index] for name, index in columns.items()})
        for number, cells in table.rows
    ]


def _json_entries(path: Path, problems: Problems, energy: EnergySource) -> list[_Entry]:
    try:
        data = json.loads(read_text(path))
    except ValueError as error:
        raise InputError(str(path), f"not JSON: {error}") from None
    except RecursionError:
        raise InputError(str(path), "not JSON that can be read: nested too deeply") from None
    items = data.get("_items") if isinstance(data, dict) else data
    if not isinstance(items, list):
        raise InputError(str(path), "no list of sessions: ACN-Data has it under _items")
    entries = []
    for index, item in enumerate(items):
        if isinstance(item, dict):
            entries.append(_acn_entry(f"item {index}", item, energy))
        else:
            problems.add(f"item {index}", "is no object")
    return entries


def _acn_entry(where: str, item: dict[str, Any], energy: EnergySource) -> _Entry:
    wanted = item.get("kWhDelivered")
    if energy == "requested":
        given = item.get("userInputs")
        inputs = given if isinstance(given, list) else []
        asked = [entry["kWhRequested"] for entry in inputs if isinstance(entry, dict) and entry.get("kWhRequested")]
        wanted = asked[-1] if asked else wanted
    station = item.get("spaceID") or item.get("stationID") or ""
    return _Entry(
        where,
        arrival=str(item.get("connectionTime") or ""),
        departure=str(item.get("disconnectTime") or ""),
        station=str(station) if isinstance(station, str | int) else "",
        energy_kwh="" if wanted is None else str(wanted),
    )


def _session(
    entry: _Entry, zone: ZoneInfo, window: tuple[datetime, datetime] | None, problems: Problems
) -> Session | None:
    """The session of an entry; None when it is outside the window or wrong."""
    arrival = _time(entry.arrival, "arrival", entry.where, zone, problems)
    if arrival is None or (window and not window[0] <= arrival < window[1]):
        return None
    before = len(problems)
    departure = _time(entry.departure, "departure", entry.where, zone, problems)
    if departure is not None and departure <= arrival:
        problems.add(entry.where, f"departure {entry.departure} is not after arrival {entry.arrival}")
    if not entry.station:
        problems.add(entry.where, "no station")
    energy = _amount(entry.energy_kwh, "energy_kwh", entry.where, problems)
    power = _amount(entry.max_power_kw, "max_power_kw", entry.where, problems) if entry.max_power_kw else None
    if power == 0:
        problems.add(entry.where, "max_power_kw: 0 charges nothing", "leave it empty when it is not known")
    if entry.vehicle and not entry.vehicle.endswith(".toml") and entry.vehicle not in vehicle_names():
        remedy = f"leave it empty, or use one of {', '.join(vehicle_names())}"
        problems.add(entry.where, f"vehicle: there is no {entry.vehicle!r}", remedy)
    if len(problems) > before or departure is None or energy is None:
        return None
    return Session(arrival, departure, entry.station, energy, power, entry.vehicle or None)


def _time(text: str, name: str, where: str, zone: ZoneInfo, problems: Problems) -> datetime | None:
    try:
        if text.endswith("GMT"):
            moment = parsedate_to_datetime(text)
            plausible(moment.year, repr(text))
            return moment.astimezone(UTC)
        # of a repeated hour the first passage: sessions are not rows in the order of time
        return LocalClock(zone).utc(parse_iso(text))
    except (ValueError, TypeError, OverflowError) as error:
        problems.add(where, f"{name}: {error}" if text else f"{name}: no time")
        return None


def _amount(text: str, name: str, where: str, problems: Problems) -> float | None:
    try:
        value = number_in(text)
    except ValueError as error:
        problems.add(where, f"{name}: {error}")
        return None
    if value < 0:
        problems.add(where, f"{name}: {text} is negative")
        return None
    return value


def _check_overlaps(found: list[tuple[_Entry, Session]], zone: ZoneInfo, problems: Problems) -> None:
    """Note where a car arrives before the one before it at the same station has left."""
    last: dict[str, tuple[_Entry, Session]] = {}
    for entry, session in found:
        before = last.get(session.station)
        if before and session.arrival < before[1].departure:
            until = f"{before[1].departure.astimezone(zone):%Y-%m-%d %H:%M}"
            what = f"station {session.station} is taken until {until} by {before[0].where}"
            problems.add(entry.where, what, "one car at a time: correct the times or the station")
        if not before or session.departure > before[1].departure:
            last[session.station] = (entry, session)
