"""CAN logs of any kind to frames in time: text lines, tables, BLF; what was odd about the file is told in ``notes``."""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from hilbench.canlogs.loose import decimal, is_decimal, json_row
from hilbench.canlogs.rows import NotClassicalError, Row, Stamp, asc, candump, console, pasted, slcan, trc
from hilbench.canlogs.tables import head_of, table_rows
from hilbench.canlogs.times import seconds
from hilbench.errors import InputError, Problem

_JITTER_S = 1.0
"""Frames that are out of order by less are put in order; more begins another recording (policy-default)."""
_ECHO_S = 0.005
"""The same frame on another channel within that time is the same frame (policy-default)."""


@dataclass(frozen=True, slots=True)
class CanFrame:
    """A frame at ``t`` seconds since the begin of its recording."""

    t: float
    id: int
    data: bytes
    channel: str = ""
    extended: bool = False


@dataclass(frozen=True)
class Log:
    """What a file holds: one list of frames for each recording in it.

    ``timed`` is False where there were no time stamps: then seconds are counted, not measured.
    """

    source: str
    form: str
    recordings: tuple[tuple[CanFrame, ...], ...]
    timed: bool
    notes: tuple[str, ...]

    @property
    def frames(self) -> int:
        """How many frames there are."""
        return sum(map(len, self.recordings))


@dataclass
class _Read:
    """Rows of a file so far, and what else was in it."""

    form: str
    rows: list[Row]
    others: int = 0
    unread: int = 0
    differences: bool = False


def read_log(source: str, content: bytes) -> Log:
    """The frames of a log; raises ``InputError`` when there is none in it."""
    if content[:2] == b"\x1f\x8b":
        content = _unpacked(source, content)
    read = _blf(source, content) if content[:4] == b"LOGG" else _text(_decoded(source, content))
    if not read.rows:
        raise InputError(source, Problem("", "holds no CAN frame that can be read", _READABLE))
    notes: list[str] = []
    if read.unread:
        notes.append(f"{read.unread} other lines are no frames")
    if read.others:
        notes.append(f"{read.others} remote, error or CAN FD frames were left out")
    rows, times, timed = seconds(read.rows, read.differences, notes)
    recordings = tuple(_cleaned(part, notes) for part in _parts(rows, times, notes))
    return Log(source, read.form, recordings, timed, tuple(notes))


_READABLE = "candump, .asc, .blf, .trc, CSV with a head, and lines with an id and eight bytes in hex are read"


def _unpacked(source: str, content: bytes) -> bytes:
    try:
        return gzip.decompress(content)
    except (OSError, EOFError) as error:
        raise InputError(source, f"is no whole gzip file: {error}") from error


def _decoded(source: str, content: bytes) -> str:
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", errors="replace")
    if content[:4096].count(0) > len(content[:4096]) // 10:
        raise InputError(source, Problem("", "is neither text nor BLF", _READABLE))
    return content.decode("utf-8-sig", errors="replace")


def _blf(source: str, content: bytes) -> _Read:
    try:
        import can
    except ImportError as error:
        remedy = "install hilbench[can], or convert it to .asc"
        raise InputError(source, Problem("", "is a BLF file, which python-can reads", remedy)) from error
    read = _Read("BLF", [])
    try:
        reader: Any = can.BLFReader(io.BytesIO(content))
        for message in reader:
            if message.is_remote_frame or message.is_error_frame or message.is_fd:
                read.others += 1
                continue
            stamp, channel = Stamp(message.timestamp), str(message.channel)
            read.rows.append(Row(stamp, message.arbitration_id, bytes(message.data), channel, message.is_extended_id))
    except Exception as error:
        if not read.rows:
            raise InputError(source, f"is no BLF file that can be read: {error}") from error
        read.form = "BLF, cut off"
    if not read.rows:
        raise InputError(source, "is a BLF file without a frame that can be read")
    return read


def _text(text: str) -> _Read:
    lines = text.splitlines()
    try:
        read = _table(lines)
    except csv.Error:
        read = None  # a quote that never ends: perhaps its lines can be read one by one
    return read or _lines(lines)


def _table(lines: list[str]) -> _Read | None:
    """A log with columns; None where there is no head, or no frame under it."""
    found = head_of(lines)
    if found is None:
        return None
    number, head = found
    read = _Read("CSV", [])
    for row in table_rows(lines[number + 1 :], head):
        if row is None:
            read.unread += 1
        else:
            read.rows.append(row)
    return read if read.rows else None


def _lines(lines: list[str]) -> _Read:
    read, forms = _Read("", []), Counter[str]()
    shapes: dict[str, Shape] = {"decimal figures": decimal} if is_decimal(lines) else dict(_SHAPES)
    for line in lines:
        head = _ASC_HEAD.match(line)
        if head:
            shapes = {"ASC": partial(asc, base=10 if head[1].lower() == "dec" else 16)}
            read.differences = (head[2] or "").lower() == "relative"
        elif line.strip() and not _COMMENT.match(line):
            form = _one(_COLOUR.sub("", line), shapes, read)
            forms[form] += 1
            if form and form != next(iter(shapes)):
                shapes = {form: shapes[form], **shapes}  # the next line is likely of the same shape
    read.unread = forms.pop("", 0)
    read.form = forms.most_common(1)[0][0] if forms else ""
    return read


def _one(line: str, shapes: Mapping[str, Shape], read: _Read) -> str:
    """Take a line in; the name of its shape, empty for none."""
    for name, shape in shapes.items():
        try:
            row = shape(line)
        except NotClassicalError:
            read.others += 1
            return name
        if row is not None:
            read.rows.append(row)
            return name
    return ""


Shape = Callable[[str], Row | None]
_SHAPES: dict[str, Shape] = {
    "candump log": candump,
    "candump output": console,
    "ASC": asc,
    "TRC": trc,
    "slcan": slcan,
    "JSON": json_row,
    "pasted lines": pasted,
}
_ASC_HEAD = re.compile(r"\s*base\s+(hex|dec)(?:\s+timestamps\s+(\w+))?", re.IGNORECASE)
_COMMENT = re.compile(
    r"\s*(?:[;#]|//|date\s|no internal|internal events|(?:begin|end) trigger|[\d.]+\s+start of meas)", re.IGNORECASE
)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def _parts(rows: list[Row], times: list[float], notes: list[str]) -> list[list[tuple[float, Row]]]:
    """Recordings: time that goes back far begins another one; little disorder is put right."""
    parts: list[list[tuple[float, Row]]] = [[]]
    latest, disorder = times[0], 0
    for t, row in zip(times, rows, strict=True):
        if t < latest - _JITTER_S:
            notes.append(f"time goes back by {latest - t:.6g} s: another recording is taken to begin")
            parts.append([])
            latest = t
        disorder += t < latest
        latest = max(latest, t)
        parts[-1].append((t, row))
    if disorder:
        notes.append(f"{disorder} frames were out of order in time")
        for part in parts:
            part.sort(key=lambda item: item[0])
    return parts


def _cleaned(part: list[tuple[float, Row]], notes: list[str]) -> tuple[CanFrame, ...]:
    """Frames from 0 s on, without those that another channel repeats."""
    begin = part[0][0]
    last: dict[tuple[int, bytes], tuple[float, str]] = {}
    frames, repeated = [], 0
    for t, row in part:
        before = last.get((row.id, row.data))
        last[row.id, row.data] = (t, row.channel)
        again = before is not None and t - before[0] <= _ECHO_S
        if again and before is not None and (before[1] != row.channel or t == before[0]):
            repeated += 1
            continue
        frames.append(CanFrame(t - begin, row.id, row.data, row.channel, row.extended))
    if repeated:
        notes.append(f"{repeated} frames are repeated, by another channel or in the same instant, and count once")
    return tuple(frames)
