"""CSV files of oscilloscopes: lines of words, then columns of numbers, the first of them time."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hilbench.errors import InputError, Problem
from hilbench.records.asked import Asked, even_times
from hilbench.waveform import Waveform

_HEADER_LINES = 100


@dataclass(frozen=True)
class _Layout:
    """How many lines precede the numbers, what separates them, and the words of the line with the most columns."""

    skip: int
    separator: str
    decimal_comma: bool
    columns: int
    names: tuple[str, ...]
    start_step: tuple[float, float] | None


def read_csv(path: Path, asked: Asked) -> Waveform:
    """Read columns of numbers; one column needs ``dt_s``, of more the first is time [s].

    Rigol's files count samples in the first column and give ``Start`` and ``Increment`` in the header.
    """
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    layout = _layout(path, text)
    table = _numbers(path, text, layout)
    if table.shape[1] == 1:
        return asked.record(path, table[:, 0], asked.step_s(path))
    column = 1 + asked.pick(path, layout.names)
    t0_s, dt_s = _time(path, table[:, 0], layout, asked)
    return asked.record(path, np.ascontiguousarray(table[:, column]), dt_s, t0_s)


def _time(path: Path, first: NDArray[np.float64], layout: _Layout, asked: Asked) -> tuple[float, float]:
    if asked.dt_s is not None:
        return 0.0, asked.dt_s
    if layout.start_step is not None:
        return layout.start_step
    return even_times(path, first)


def _layout(path: Path, text: str) -> _Layout:
    head = text[:100_000].splitlines()[:_HEADER_LINES]
    separator = next((one for one in (";", "\t") if any(one in line for line in head)), ",")
    comma = separator == ";" and not any("." in line for line in head[-5:]) and any("," in line for line in head[-5:])
    for skip, line in enumerate(head):
        fields = _fields(line, separator, comma)
        if fields and all(_is_number(field) for field in fields):
            return _Layout(
                skip, separator, comma, len(fields), _names(head[:skip], separator, len(fields)), _rigol(head)
            )
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


def _names(header: list[str], separator: str, columns: int) -> tuple[str, ...]:
    """Names of the columns after the first: those of the first header line that is long enough."""
    rows = [_fields(line, separator, False) for line in header]
    words = next((row for row in rows if len(row) >= columns), [])
    return tuple(words[k] if k < len(words) and words[k] else f"column {k + 1}" for k in range(1, columns))


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
