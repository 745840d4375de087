"""The protective device of a node: what the rig names, a curve in a CSV file, or what is usual at its frequency."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from hilbench.errors import InputError, Problem
from hilbench.metrics.breaker import usual_breaker
from hilbench.metrics.curve import Curve
from hilbench.metrics.ocpd import Device, known_device
from hilbench.site import Site

COLUMNS = ("multiple", "fast_s", "slow_s")
"""Of a curve file: current as a multiple of the rating, and the seconds of the fastest and the slowest device."""


def device_at(site: Site, node_id: str) -> Device:
    """The OCPD of a node; raises ``InputError`` for one that cannot be."""
    rating_a, name = site.ocpd_of(node_id)
    if name.endswith(".csv"):
        return read_curve(Path(name), rating_a)
    try:
        return known_device(name, rating_a) if name else usual_breaker(rating_a, site.service.frequency_hz)
    except ValueError as error:
        raise InputError(node_id, Problem("ocpd", str(error))) from None


@cache
def read_curve(path: Path, rating_a: float) -> Curve:
    """A time-current band from a CSV file with :data:`COLUMNS`; raises ``InputError`` with every problem and its line.

    A cell of ``slow_s`` or ``fast_s`` is empty in the first rows where that device never opens at such a current.
    """
    rows = _rows(path)
    problems = list(_problems(rows))
    fast, slow = (tuple((row[0], row[at]) for _n, row in rows if not math.isnan(row[at])) for at in (1, 2))
    if not problems and not (fast and slow):
        problems = [Problem("", "the fastest and the slowest device need at least one time each")]
    if problems:
        raise InputError(str(path), problems)
    return Curve(f"device of {path.name}", rating_a, fast, slow)


Row = tuple[float, float, float]


def _rows(path: Path) -> list[tuple[int, Row]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = [line for line in csv.reader(file) if line]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(str(path), f"cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if not lines or tuple(cell.strip() for cell in lines[0]) != COLUMNS:
        found = ",".join(lines[0]) if lines else "nothing"
        raise InputError(str(path), Problem("line 1", f"the columns are {found}", f"write {','.join(COLUMNS)}"))
    return [(number, _row(path, number, cells)) for number, cells in enumerate(lines[1:], 2)]


def _row(path: Path, number: int, cells: Sequence[str]) -> Row:
    try:
        multiple, fast, slow = (float(cell) if cell.strip() else math.nan for cell in cells)
    except ValueError:
        what = f"{','.join(cells)} is not three numbers"
        raise InputError(
            str(path), Problem(f"line {number}", what, "leave a time empty where it never opens")
        ) from None
    return multiple, fast, slow


def _problems(rows: Sequence[tuple[int, Row]]) -> Iterator[Problem]:
    last: Row = (0.0, math.nan, math.nan)
    for number, row in rows:
        place, (multiple, fast, slow) = f"line {number}", row
        if not (math.isfinite(multiple) and multiple > last[0]):
            yield Problem(place, "the multiple must be a number above that of the line before", "sort the lines")
        if any(not 0.0 < value < math.inf for value in (fast, slow) if not math.isnan(value)):
            yield Problem(place, "a time must be above 0 s and finite", "leave it empty where it never opens")
        if slow < fast or (math.isnan(fast) and not math.isnan(slow)):
            yield Problem(place, "the slowest device opens before the fastest", "exchange the columns")
        for name, before, now in zip(COLUMNS[1:], last[1:], row[1:], strict=True):
            if now > before or (math.isnan(now) and not math.isnan(before)):
                yield Problem(place, f"{name} is not as short as in the line before", "more current opens sooner")
        last = row


def ocpd_problems(site: Site, node_id: str) -> Iterator[Problem]:
    """What is wrong with the device that a node names, if anything."""
    try:
        device_at(site, node_id)
    except InputError as error:
        yield from error.problems
