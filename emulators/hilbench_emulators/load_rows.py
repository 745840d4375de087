"""The rows of a load file that are played: their UTC and their values, checked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from statistics import median
from zoneinfo import ZoneInfo

from hilbench.errors import InputError, Problem
from hilbench_emulators.tables import Problems, Table, number_in
from hilbench_emulators.timestamps import LocalClock, day_bounds, is_yearless, parse_iso, parse_yearless

_GAP = 1.5
"""Rows further apart than this multiple of the usual interval leave a gap."""


@dataclass(frozen=True)
class Window:
    """Which part of a file is played: ``days`` local days from ``day`` on, or all of it."""

    zone: ZoneInfo
    day: date | None
    days: int = 1


@dataclass(frozen=True)
class Row:
    """One row: its number in the file, its UTC, and the values of the load columns."""

    number: int
    time: datetime
    values: tuple[float, ...] = ()
    cells: tuple[str, ...] = ()


def read_rows(table: Table, indices: tuple[int, ...], window: Window) -> tuple[bool, list[Row]]:
    """Whether the stamps have no year, and the rows of ``window`` with one usual interval around it.

    Raises ``InputError``: time stamps are checked in the whole file, values and gaps only in what is played.
    """
    yearless = is_yearless(table.rows[0][1][0])
    if yearless and window.day is None:
        problem = Problem(f"row {table.rows[0][0]}", "time stamps without a year", "say which day to play")
        raise InputError(table.source, problem)
    if yearless and window.day is not None:
        day_bounds(window.day, window.zone)
    problems = Problems(table.source)
    timed = _timed(table, window, yearless, problems)
    problems.check()
    usual = _usual_interval(timed)
    rows = _inside(table.source, timed, window, usual)
    rows = [_valued(row, table, indices, problems) for row in rows]
    _check_gaps(rows, window.zone, yearless, usual, problems)
    problems.check()
    return yearless, rows


def _timed(table: Table, window: Window, yearless: bool, problems: Problems) -> list[Row]:
    local = LocalClock(window.zone)
    rows: list[Row] = []
    for number, cells in table.rows:
        try:
            time = _utc(cells[0], local, window.day if yearless else None)
        except ValueError as error:
            problems.add(f"row {number}, column {table.header[0]!r}", str(error))
            continue
        if time is None:
            continue
        if rows and time <= rows[-1].time:
            what = "the same time as" if time == rows[-1].time else "earlier than"
            problems.add(f"row {number}", f"{cells[0]} is {what} row {rows[-1].number}", "sort the rows, one per time")
        rows.append(Row(number, time, cells=tuple(cells)))
    return rows


def _utc(text: str, local: LocalClock, day: date | None) -> datetime | None:
    """UTC of a stamp; None for a year-less one in an hour that the clock change of ``day``'s year leaves out."""
    if day is None:
        return local.utc(parse_iso(text))
    stamp = parse_yearless(text, day.year)
    try:
        return local.utc(stamp)
    except ValueError:
        return None


def _usual_interval(rows: list[Row]) -> float:
    gaps = [(b.time - a.time).total_seconds() for a, b in pairwise(rows)]
    return median(gaps) if gaps else 3600.0


def _inside(source: str, rows: list[Row], window: Window, usual_s: float) -> list[Row]:
    if window.day is None:
        return rows
    start, end = day_bounds(window.day, window.zone, window.days)
    margin = timedelta(seconds=usual_s)
    inside = [row for row in rows if start - margin <= row.time <= end + margin]
    if not inside or inside[0].time > start + margin or inside[-1].time < end - margin:
        what = f"does not cover {window.day}" + (f" and {window.days - 1} days more" if window.days > 1 else "")
        has = f"{_local(rows[0].time, window)} to {_local(rows[-1].time, window)}" if rows else "no usable row"
        raise InputError(source, Problem("", what, f"it has {has}"))
    return inside


def _local(time: datetime, window: Window) -> str:
    return f"{time.astimezone(window.zone):%Y-%m-%d %H:%M}"


def _valued(row: Row, table: Table, indices: tuple[int, ...], problems: Problems) -> Row:
    values: list[float] = []
    for index in indices:
        where = f"row {row.number}, column {table.header[index]!r}"
        try:
            values.append(number_in(row.cells[index]))
        except ValueError as error:
            problems.add(where, str(error), "fill it in or leave the day out")
            values.append(0.0)
        if values[-1] < 0:
            problems.add(where, f"{row.cells[index]} is negative", "a load is 0 or more: add generation back to it")
    return Row(row.number, row.time, tuple(values))


def _check_gaps(rows: list[Row], zone: ZoneInfo, yearless: bool, usual_s: float, problems: Problems) -> None:
    for before, after in pairwise(rows):
        apart = (after.time - before.time).total_seconds()
        change = after.time.astimezone(zone).utcoffset() != before.time.astimezone(zone).utcoffset()
        allowed = _GAP * usual_s + (3600.0 if yearless and change else 0.0)
        if apart > allowed:
            what = f"a gap of {apart:g} s after row {before.number} ({before.time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ})"
            problems.add(f"row {after.number}", what, f"rows are usually {usual_s:g} s apart")
