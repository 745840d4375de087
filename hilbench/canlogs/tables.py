"""CAN logs as tables: CSV with a head, of SavvyCAN, python-can, PCAN, Excel and whoever else writes one."""

from __future__ import annotations

import base64
import binascii
import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from hilbench.canlogs.rows import LONGEST, NotClassicalError, Row, Stamp, stamp_of

_TIME = re.compile(r"time|stamp|^t$|^t[ _(\[]|abs|offset", re.IGNORECASE)
_ID = re.compile(
    r"^(can|msg|message|frame|arbitration|arb)?[ ._-]*(id|identifier|arbitration)(entifier)?\b", re.IGNORECASE
)
_LENGTH = re.compile(r"^(dlc|len|length|data ?length|size|bytes)", re.IGNORECASE)
_ONE = re.compile(r"^(data|payload|hex|bytes|message|data ?bytes)\b", re.IGNORECASE)
_SINGLE = re.compile(r"^(?:d|b|db|data|byte|data ?byte|data_byte)[ _\[]*(\d{1,2})\]?$", re.IGNORECASE)
_BUS = re.compile(r"^(bus|channel|interface|iface|can ?bus)", re.IGNORECASE)
_UNIT = re.compile(r"(?<![a-z])(ns|us|µs|ms|s|sec|seconds|milliseconds|microseconds)(?![a-z])", re.IGNORECASE)
_IDS = 1 << 29
"""Ids have at most 29 bits (ISO 11898-1, recalled)."""
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "microseconds": 1e-6, "ms": 1e-3, "milliseconds": 1e-3}


@dataclass(frozen=True)
class Head:
    """Which column holds what; ``singles`` are those of one byte each, ``times`` all of times with their units [s]."""

    delimiter: str
    id: int
    time: int | None
    length: int | None
    bus: int | None
    data: int | None
    singles: tuple[int, ...]
    unit_s: float | None
    times: tuple[tuple[int, float | None], ...] = ()
    decimal_id: bool = False
    base64: bool = False
    decimal_data: bool = False


def head_of(lines: list[str]) -> tuple[int, Head] | None:
    """The first line that names the columns of a log, and what it says."""
    for number, line in enumerate(lines[:200]):
        for delimiter in (",", ";", "\t"):
            head = _head(line, delimiter)
            if head is not None:
                return number, _with_samples(head, lines[number + 1 : number + 200])
    return None


def _head(line: str, delimiter: str) -> Head | None:
    names = [name.strip().strip('"') for name in line.split(delimiter)]
    if len(names) < 3:
        return None
    find = {key: _first(names, pattern) for key, pattern in _KINDS.items()}
    singles = tuple(index for index, name in enumerate(names) if _SINGLE.match(name))
    if len(singles) < 2:
        singles = ()
    if find["id"] is None or not (singles or find["data"] is not None):
        return None
    times = tuple((index, _unit_s(name)) for index, name in enumerate(names) if _TIME.search(name))
    return Head(
        delimiter,
        find["id"],
        find["time"],
        find["length"],
        find["bus"],
        None if singles else find["data"],
        singles,
        times[0][1] if times else None,
        times,
    )


def _unit_s(name: str) -> float | None:
    unit = _UNIT.search(name.replace("_", " ").lower())
    return _UNITS.get(unit[1], 1.0) if unit else None


_KINDS = {"time": _TIME, "id": _ID, "length": _LENGTH, "data": _ONE, "bus": _BUS}


def _first(names: list[str], pattern: re.Pattern[str]) -> int | None:
    return next((index for index, name in enumerate(names) if pattern.search(name)), None)


def _with_samples(head: Head, lines: list[str]) -> Head:
    """What the columns' names do not say: which time counts, what is in decimal figures, and base 64 (python-can)."""
    cells = [row for row in csv.reader(lines, delimiter=head.delimiter) if len(row) > head.id]
    ids = [row[head.id].strip() for row in cells]
    decimal = bool(ids) and all(one.isdecimal() for one in ids) and {"256", "258", "264", "265"} <= set(ids)
    packed = False
    if head.data is not None:
        texts = [row[head.data].strip() for row in cells if len(row) > head.data]
        packed = bool(texts) and sum(bool(re.fullmatch(r"[0-9A-Za-z+/]{11}=", text)) for text in texts) > len(texts) / 2
    tenfold = decimal and any(len(word) == 3 and word.isdecimal() for row in cells for word in _words(row, head))
    time, unit_s = _time(cells, head)
    return replace(head, time=time, unit_s=unit_s, decimal_id=decimal, decimal_data=tenfold, base64=packed)


def _time(cells: list[list[str]], head: Head) -> tuple[int | None, float | None]:
    """The first column of times that has about as many different ones as the best: others are rounded or empty."""
    if len(head.times) < 2:
        return head.time, head.unit_s
    counts = [len({_cell_stamp(row[at]) for row in cells if len(row) > at} - {None}) for at, _unit_s in head.times]
    return next(time for time, count in zip(head.times, counts, strict=True) if count >= 0.9 * max(counts))


def _words(row: list[str], head: Head) -> list[str]:
    """The bytes of a row as they are written."""
    if head.singles:
        return [row[index].strip() for index in head.singles if index < len(row)]
    if head.data is None or len(row) <= head.data:
        return []
    return re.split(r"[\s:;,-]+", row[head.data].strip().removeprefix("x|").strip())


def table_rows(lines: list[str], head: Head) -> Iterator[Row | None]:
    """Each line below the head as a row; None for one that is no frame."""
    for cells in csv.reader(lines, delimiter=head.delimiter):
        try:
            yield _row([cell.strip() for cell in cells], head)
        except (ValueError, IndexError, binascii.Error, NotClassicalError):
            yield None


def _row(cells: list[str], head: Head) -> Row:
    text = cells[head.id]
    can_id = int(text, 10) if head.decimal_id else int(text.removesuffix("h").removesuffix("x"), 16)
    data = _data(cells, head)
    length = int(cells[head.length], 16) if head.length is not None and cells[head.length] else len(data)
    if length > LONGEST:
        raise NotClassicalError
    if not 0 <= can_id < _IDS or not 0 <= length <= len(data):
        raise ValueError(f"{text} with {len(data)} of {length} bytes is no whole frame")
    bus = cells[head.bus] if head.bus is not None else ""
    return Row(_stamp(cells, head), can_id, data[:length], bus, can_id > 0x7FF)


def _data(cells: list[str], head: Head) -> bytes:
    if head.base64:
        return base64.b64decode(cells[head.data or 0], validate=True)
    words = [word for word in _words(cells, head) if word]
    if len(words) == 1 and not head.singles:
        return bytes.fromhex(words[0].removeprefix("0x"))
    return bytes(int(word, 10 if head.decimal_data else 16) for word in words)


def _stamp(cells: list[str], head: Head) -> Stamp | None:
    if head.time is None or not cells[head.time]:
        return None
    stamp = _cell_stamp(cells[head.time])
    if stamp is None or stamp.of_day or ":" in cells[head.time]:
        return stamp
    return replace(stamp, unit_s=head.unit_s)


def _cell_stamp(text: str) -> Stamp | None:
    """The time in a cell; a counter may have hexadecimal digits."""
    ticks = re.fullmatch(r"0x([0-9A-Fa-f]{1,16})", text.strip())
    return Stamp(float(int(ticks[1], 16)), None, ticks=True) if ticks else stamp_of(text.strip())
