"""CSV files of oscilloscopes: lines of words, then columns of numbers, the first of them time."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hilbench.errors import InputError, Problem
from hilbench.records.asked import Asked, even_times
from hilbench.waveform import Waveform

_HEADER_LINES = 100
_UNIT = re.compile(r"(?:^|[\s(\[/_:])([^\W_]+)[)\]]?$")
"""The last word of a title or of a line of units: ``Time (ms)``, ``[mV]``, ``t/us``, ``time_s``."""
_SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ns": 1e-9}
_VOLTS = {"V": 1.0, "mV": 1e-3, "µV": 1e-6, "μV": 1e-6, "uV": 1e-6, "kV": 1e3}


@dataclass(frozen=True)
class _Layout:
    """How many lines precede the numbers, what separates them, and the words of the line with the most columns.

    ``scales`` are seconds per unit of the first column, then volts per unit of the others.
    """

    skip: int
    separator: str
    decimal_comma: bool
    columns: int
    names: tuple[str, ...]
    start_step: tuple[float, float] | None
    scales: tuple[float, ...]


def read_csv(path: Path, asked: Asked) -> Waveform:
    """Read columns of numbers; one column needs ``dt_s``, of more the first is time.

    Times are in seconds and levels in volts unless a title or a line of units says otherwise (PicoScope: ``(ms)``).
    Rigol's files count samples in the first column and give ``Start`` and ``Increment`` in the header; older ones of
    Tektronix have the header in columns of its own, before the numbers.
    """
    text = _numbers_first(path.read_text(encoding="utf-8-sig", errors="replace"))
    layout = _layout(path, text)
    table = _numbers(path, text, layout)
    if table.shape[1] == 1:
        return asked.record(path, table[:, 0] * layout.scales[0], asked.step_s(path))
    column = 1 + asked.pick(path, layout.names)
    t0_s, dt_s = _time(path, table[:, 0], layout, asked)
    return asked.record(path, np.ascontiguousarray(table[:, column]) * layout.scales[column], dt_s, t0_s)


def _time(path: Path, first: NDArray[np.float64], layout: _Layout, asked: Asked) -> tuple[float, float]:
    if asked.dt_s is not None:
        return 0.0, asked.dt_s
    if layout.start_step is not None:
        return layout.start_step
    return even_times(path, first * layout.scales[0])


def _numbers_first(text: str) -> str:
    """``text`` without the columns that are empty in its last line: a header may stand beside the numbers."""
    last = text[-1000:].rstrip().rpartition("\n")[2]
    empty = len(last) - len(last.lstrip(","))
    if not empty:
        return text
    return "\n".join(line.split(",", empty)[-1] for line in text.splitlines())


def _layout(path: Path, text: str) -> _Layout:
    head = text[:100_000].splitlines()[:_HEADER_LINES]
    separator = next((one for one in (";", "\t") if any(one in line for line in head)), ",")
    comma = separator == ";" and not any("." in line for line in head[-5:]) and any("," in line for line in head[-5:])
    for skip, line in enumerate(head):
        fields = _fields(line, separator, comma)
        if fields and all(_is_number(field) for field in fields):
            words = [_fields(one, separator, False) for one in head[:skip]]
            names, scales = _names(words, len(fields)), _scales(words, len(fields))
            return _Layout(skip, separator, comma, len(fields), names, _rigol(head), scales)
    raise InputError(str(path), Problem("", f"no line of numbers among the first {len(head)}", "is it a CSV file?"))


def _fields(line: str, separator: str, decimal_comma: bool) -> list[str]:
    fields = [field.strip().strip('"') for field in line.rstrip(f"\r\n {separator}").split(separator)]
    return [field.replace(",", ".") for field in fields] if decimal_comma else fields


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def _names(rows: list[list[str]], columns: int) -> tuple[str, ...]:
    """Names of the columns after the first: those of the first header line that is long enough."""
    words = next((row for row in rows if len(row) >= columns), [])
    return tuple(words[k] if k < len(words) and words[k] else f"column {k + 1}" for k in range(1, columns))


def _scales(rows: list[list[str]], columns: int) -> tuple[float, ...]:
    """What a unit of each column is, by the last header line that says so: seconds of the first, volts of others."""
    first = _SECONDS if columns > 1 else _VOLTS
    return tuple(_scale(rows, k, _VOLTS if k else first) for k in range(columns))


def _scale(rows: list[list[str]], column: int, units: Mapping[str, float]) -> float:
    titles = [row[column] for row in rows if len(row) > column]
    found = [units[unit[1]] for title in titles if (unit := _UNIT.search(title)) and unit[1] in units]
    return found[-1] if found else 1.0


def _rigol(head: list[str]) -> tuple[float, float] | None:
    """Start and increment of a Rigol file [s]."""
    words = [word.strip() for word in head[0].split(",")]
    if "Start" not in words or "Increment" not in words or len(head) < 2:
        return None
    values = [word.strip() for word in head[1].split(",")]
    found = [values[words.index(name)] if words.index(name) < len(values) else "" for name in ("Start", "Increment")]
    return (float(found[0]), float(found[1])) if all(map(_is_number, found)) else None


def _numbers(path: Path, text: str, layout: _Layout) -> NDArray[np.float64]:
    body = "\n".join(line.rstrip(f"\r {layout.separator}") for line in text.splitlines()[layout.skip :])
    body = body.replace(",", ".") if layout.decimal_comma else body
    try:
        table = np.loadtxt(io.StringIO(body), delimiter=layout.separator, ndmin=2, quotechar='"', comments=None)
    except ValueError as error:
        where = f"after line {layout.skip}"
        raise InputError(str(path), Problem(where, f"not all lines hold {layout.columns} numbers: {error}")) from error
    return np.asarray(table, dtype=np.float64)
