"""Reading a user's CSV table: encoding, delimiter, header and row lengths, every problem with its row and column."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from pathlib import Path

from hilbench.errors import InputError, Problem

LARGEST = 1e9
"""No cell of a file is larger: in kW it would be more than the world's power stations give."""
MOST_PROBLEMS = 25
"""So many problems are listed; of more, only the number."""


@dataclass(frozen=True)
class Table:
    """The header and the rows of a CSV file; row numbers are those of the file, the header being row 1."""

    source: str
    header: tuple[str, ...]
    rows: list[tuple[int, list[str]]]

    def column(self, name: str) -> int:
        """Index of the column called ``name``; raises ``KeyError``."""
        try:
            return self.header.index(name)
        except ValueError:
            raise KeyError(name) from None


class Problems:
    """Collects what is wrong with a file and raises it all at once."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._found: list[Problem] = []

    def __len__(self) -> int:
        return len(self._found)

    def add(self, where: str, what: str, remedy: str = "") -> None:
        """Note one problem."""
        self._found.append(Problem(where, what, remedy))

    def check(self) -> None:
        """Raise ``InputError`` with everything noted, if anything was."""
        if not self._found:
            return
        shown = self._found[:MOST_PROBLEMS]
        if len(self._found) > MOST_PROBLEMS:
            shown.append(Problem("", f"and {len(self._found) - MOST_PROBLEMS} more like these"))
        raise InputError(self._source, shown)


def read_text(path: Path) -> str:
    """The file's text (UTF-8, with or without a mark); raises ``InputError`` when it cannot be read as that."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        problem = Problem(f"byte {error.start + 1}", "not UTF-8 text", "save the file as UTF-8")
    except OSError as error:
        problem = Problem("", f"cannot be read: {error.strerror or error}")
    raise InputError(str(path), problem)


def read_table(path: Path) -> Table:
    """The CSV table in ``path``: comma-separated, a header first; blank rows are left out.

    Columns that a row leaves out at its end are empty (EnergyPlus writes monthly columns so). Raises ``InputError``
    for an empty file, another delimiter, a header with a name twice, no rows, and rows longer than the header.
    """
    lines = read_text(path).splitlines()
    source = str(path)
    if not any(line.strip() for line in lines):
        raise InputError(source, "the file is empty")
    try:
        records = [
            (number, [cell.strip() for cell in cells])
            for number, cells in enumerate(csv.reader(lines), 1)
            if any(cells)
        ]
    except csv.Error as error:
        raise InputError(source, f"not a CSV table: {error}") from None
    (number, header), rows = records[0], records[1:]
    _check_header(source, number, header)
    problems = Problems(source)
    if not rows:
        problems.add("row 2", "no rows below the header")
    for number, cells in rows:
        if len(cells) > len(header):
            what = f"{len(cells)} columns where the header has {len(header)}"
            problems.add(f"row {number}", what, "write numbers with a decimal point, not a comma")
        cells.extend("" for _ in range(len(header) - len(cells)))
    problems.check()
    return Table(source, tuple(header), rows)


def _check_header(source: str, number: int, header: list[str]) -> None:
    if len(header) == 1:
        for delimiter, name in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
            if delimiter in header[0]:
                problem = Problem(f"row {number}", f"columns are separated by {name}", "save the file with commas")
                raise InputError(source, problem)
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        raise InputError(source, Problem(f"row {number}", f"column {', '.join(twice)} occurs twice"))


def number_in(cell: str) -> float:
    """The finite number in a cell; raises ``ValueError`` saying what is wrong with it."""
    if not cell:
        raise ValueError("no value")
    shown = cell if len(cell) <= 40 else f"{cell[:37]}..."
    try:
        value = float(cell)
    except ValueError:
        raise ValueError(f"{shown!r} is no number") from None
    if "_" in cell:
        raise ValueError(f"{shown!r} is no number")
    if not math.isfinite(value):
        raise ValueError(f"{shown} is no finite number")
    if abs(value) > LARGEST:
        raise ValueError(f"{shown} is beyond all measure")
    return value
