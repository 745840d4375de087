"""One line of a CAN log, whatever wrote it, as time stamp, id and bytes."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime

LONGEST = 8
"""Bytes of a classical CAN frame (ISO 11898-1, recalled)."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """A time as it was written: ``unit_s`` is the length of its unit, None where the line does not say.

    ``ticks`` are those of a counter in hexadecimal digits.
    """

    value: float
    unit_s: float | None = 1.0
    of_day: bool = False
    ticks: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A frame of a log; ``stamp`` is None where there is none, ``small`` a short number that may be one."""

    stamp: Stamp | None
    id: int
    data: bytes
    channel: str = ""
    extended: bool = False
    small: int | None = None


class NotClassicalError(Exception):
    """The line is a frame that carries no data of CHAdeMO: remote, error, or CAN FD."""


_HEX = "[0-9A-Fa-f]"
_STAMP = r"(?:\(\s*(?P<t>[^()]*?)\s*\)\s*)?"
_CANDUMP = re.compile(rf"\s*{_STAMP}(?:(?P<channel>[^\s#]+)\s+)?(?P<id>{_HEX}{{3,8}})#(?P<rest>\S*)(?:\s+[RT])?\s*$")
_CONSOLE = re.compile(
    rf"\s*{_STAMP}(?P<channel>[A-Za-z]\S*)\s+(?:(?:RX|TX)\s+\S+\s+\S+\s+)?(?P<id>{_HEX}{{3,8}})\s+"
    rf"\[(?P<length>\d+)\]\s*(?P<rest>.*)$"
)
_TRC_1 = re.compile(
    rf"\s*\d+\)\s+(?P<t>\d+(?:\.\d+)?)\s+(?:\d+\s+)?(?:(?:Rx|Tx|Warng|Error)\s+)?"
    rf"(?P<id>{_HEX}{{4,8}})\s+(?:-\s+)?(?P<length>\d)\s+(?P<rest>.*)$"
)
_TRC_2 = re.compile(
    rf"\s*\d+\s+(?P<t>\d+(?:\.\d+)?)\s+(?P<type>[A-Z]{{2}})\s+(?:\d+\s+)?(?P<id>{_HEX}{{4,8}})\s+(?:Rx|Tx)\s+"
    rf"(?:-\s+)?(?P<length>\d+)\s*(?P<rest>.*)$"
)
_ASC = re.compile(
    rf"\s*(?P<t>\d+(?:[.,]\d+)?)\s+(?P<channel>\d+)\s+(?P<id>{_HEX}+)(?P<x>x?)\s+(?:Rx|Tx|TxRq)\s+"
    rf"(?P<type>[dr])\s*(?P<length>{_HEX}+)?\s*(?P<rest>.*)$",
    re.IGNORECASE,
)
_ASC_FD = re.compile(
    rf"\s*(?P<t>\d+(?:[.,]\d+)?)\s+CANFD\s+(?P<channel>\d+)\s+(?:Rx|Tx)\s+(?P<id>{_HEX}+)(?P<x>x?)\s+"
    rf"(?:[A-Za-z_]\S*\s+)?[01]\s+[01]\s+{_HEX}\s+(?P<length>\d+)\s+(?P<rest>.*)$",
    re.IGNORECASE,
)
_SLCAN = re.compile(
    rf"\s*t(?P<id>[0-7]{_HEX}{{2}})(?P<length>[0-8])(?P<data>(?:{_HEX}{{2}}){{0,8}})(?P<t>{_HEX}{{4}})?\s*$"
)
_MOMENT = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)[T ](?P<dtime>\d\d:\d\d:\d\d(?:[.,]\d+)?)(?:Z|[+-]\d\d:?\d\d)?"
    r"|(?<![\d:])(?P<hours>\d{1,3}):(?P<minutes>\d\d):(?P<seconds>\d\d(?:[.,:]\d+)?)(?![\d:])"
)
_NUMBER = re.compile(r"(?<![\w.])(?P<number>\d+\.\d+|\d{4,})\s*(?P<unit>ns|us|µs|ms|s|sec)?(?![\w.])")
_SMALL = re.compile(r"(?<![\w.])(?P<number>\d{1,3})(?![\w.])")
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "sec": 1.0}
_BYTE = rf"(?:0x)?{_HEX}{{2}}"
_RUN = re.compile(rf"(?<![0-9A-Za-z.])({_BYTE}(?:[\s;,:|-]+{_BYTE}){{0,7}})(?![0-9A-Za-z.])")
_LOOSE = re.compile(rf"(?<![0-9A-Za-z.])({_HEX}{{1,2}}(?:[\s;,]+{_HEX}{{1,2}}){{7,8}})(?![0-9A-Za-z.])")
_COMPACT = re.compile(rf"(?<![0-9A-Za-z.])(?:0x)?({_HEX}{{16}})(?![0-9A-Za-z.])")
_ID = re.compile(rf"(?<![0-9A-Za-z.])(?:0x)?(0{{0,5}}[0-7]{_HEX}{{2}})(?:h\b)?(?![0-9A-Za-z.])", re.IGNORECASE)
_LENGTH = re.compile(r"(?<![0-9A-Za-z.])([0-8])(?![0-9A-Za-z.])")
_JOINED = re.compile(rf"(?:^|[\s>,;\])])([0-7]{_HEX}{{2}})({_HEX}{{16}})\s*>?\s*$")
_MINUTES = re.compile(r"(?P<minutes>\d{1,3}):(?P<seconds>\d\d[.,]\d+)$")


def stamp_of(text: str | None) -> Stamp | None:
    """A time stamp from its own text: a number of seconds, a time of day, or a date with a time."""
    if not text:
        return None
    moment = _MOMENT.search(text)
    if moment:
        return _moment(moment)
    minutes = _MINUTES.match(text)
    if minutes:
        return Stamp(60.0 * int(minutes["minutes"]) + float(minutes["seconds"].replace(",", ".")))
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        return None
    return Stamp(value) if math.isfinite(value) else None


def moment_of(line: str) -> tuple[Stamp | None, int, int] | None:
    """A date or time of day in a line, and where it stands."""
    found = _MOMENT.search(line)
    return (_moment(found), *found.span()) if found else None


def _moment(found: re.Match[str]) -> Stamp | None:
    if found["date"]:
        try:
            when = datetime.fromisoformat(f"{found['date']}T{found['dtime'].replace(',', '.')}")
        except ValueError:
            return None
        return Stamp(when.replace(tzinfo=UTC).timestamp())
    seconds = float(re.sub("[,:]", ".", found["seconds"]))
    return Stamp(3600.0 * int(found["hours"]) + 60.0 * int(found["minutes"]) + seconds, of_day=True)


def candump(line: str) -> Row | None:
    """``(1436509052.249713) can0 102#029A010000C80300``: candump -l, cansend, python-can."""
    found = _CANDUMP.match(line)
    if not found:
        return None
    rest = found["rest"].replace(".", "")
    if rest.startswith(("#", "R", "r")):
        raise NotClassicalError
    if not re.fullmatch(rf"(?:{_HEX}{{2}}){{0,8}}(?:_[0-9A-Fa-f])?", rest):
        return None
    data = bytes.fromhex(rest.partition("_")[0])
    return Row(stamp_of(found["t"]), int(found["id"], 16), data, found["channel"] or "", len(found["id"]) == 8)


def console(line: str) -> Row | None:
    """`` (000.010012)  can0  102   [8]  02 9A 01 00 00 C8 03 00``: what candump prints."""
    found = _CONSOLE.match(line)
    if not found:
        return None
    if "remote" in found["rest"] or int(found["length"]) > LONGEST:
        raise NotClassicalError
    data = _bytes(found["rest"], int(found["length"]))
    if data is None:
        return None
    return Row(stamp_of(found["t"]), int(found["id"], 16), data, found["channel"], len(found["id"]) == 8)


def trc(line: str) -> Row | None:
    """Lines of PEAK's .trc, version 1 and 2; times are milliseconds."""
    found = _TRC_1.match(line) or _TRC_2.match(line)
    if not found:
        return None
    if found.groupdict().get("type", "DT") != "DT" or found["rest"].startswith("RTR"):
        raise NotClassicalError
    data = _bytes(found["rest"], int(found["length"]))
    if data is None:
        return None
    return Row(Stamp(float(found["t"]), 1e-3), int(found["id"], 16), data, extended=len(found["id"]) == 8)


def asc(line: str, base: int = 16) -> Row | None:
    """Lines of Vector's .asc in the base that its head names; also those that are written as CAN FD and are not."""
    found = _ASC.match(line) or _ASC_FD.match(line)
    if not found:
        return None
    if found.groupdict().get("type", "d").lower() == "r":
        raise NotClassicalError
    if found["length"] is None:
        return None
    length = int(found["length"], 16)
    if length > LONGEST:
        raise NotClassicalError
    words = found["rest"].split()[:length]
    try:
        number, data = int(found["id"], base), bytes(int(word, base) for word in words)
    except ValueError:
        return None
    if len(words) != length:
        return None
    return Row(Stamp(float(found["t"].replace(",", "."))), number, data, found["channel"], bool(found["x"]))


def slcan(line: str) -> Row | None:
    """``t1028029A010C00C149001F40``: the serial protocol of Lawicel, with or without its milliseconds."""
    found = _SLCAN.match(line)
    if not found:
        return None
    length, digits = int(found["length"]), found["data"] + (found["t"] or "")
    if len(digits) not in (2 * length, 2 * length + 4):
        return None
    data, rest = bytes.fromhex(digits[: 2 * length]), digits[2 * length :]
    return Row(Stamp(float(int(rest, 16)), 1e-3, ticks=True) if rest else None, int(found["id"], 16), data)


def pasted(line: str) -> Row | None:
    """Any other line with an id and eight bytes in hex, or as many as a single figure before them says.

    Bytes may lack their leading zero, as Arduino prints them, and follow the id without a space, as an ELM327 has
    them. Times are a date, a time of day or a number anywhere beside them.
    """
    moment = moment_of(line)
    if moment:
        line = line[: moment[1]] + " | " + line[moment[2] :]
    line = _JOINED.sub(r" \1 \2", line)
    for run in (*_COMPACT.finditer(line), *_RUN.finditer(line), *_LOOSE.finditer(line)):
        row = _around(line, run, _run(run[1]), moment[0] if moment else None)
        if row is not None:
            return row
    return None


def _around(line: str, run: re.Match[str], data: bytes, stamp: Stamp | None) -> Row | None:
    ids = list(_ID.finditer(line, 0, run.start()))
    if not ids:
        return None
    told = _LENGTH.findall(line, ids[-1].end(), run.start())
    if len(data) != (int(told[-1]) if told else LONGEST) or (len(data) < LONGEST and len(told) > 1):
        return None
    can_id, rest = int(ids[-1][1], 16), line[: ids[-1].start()] + " | " + line[run.end() :]
    return Row(stamp, can_id, data) if stamp else beside(rest, can_id, data)


def beside(rest: str, can_id: int, data: bytes) -> Row:
    """A frame with the first number in what else its line has as its time stamp."""
    number = _NUMBER.search(rest)
    if number:
        return Row(Stamp(float(number["number"]), _UNITS.get(number["unit"] or "")), can_id, data)
    small = _SMALL.search(rest)
    return Row(None, can_id, data, small=int(small["number"]) if small else None)


def _run(text: str) -> bytes:
    """Bytes of a run; a length of 8 that stands before eight others is none of them."""
    words = re.findall(rf"(?:0x)?({_HEX}{{16}}|{_HEX}{{1,2}})", text)
    if len(words) == LONGEST + 1 and words[0] == "8":
        words = words[1:]
    return bytes.fromhex("".join(word.zfill(2) for word in words))


def _bytes(text: str, length: int) -> bytes | None:
    """The first bytes of a text; None where there are fewer."""
    words = text.split()[:length]
    if len(words) != length or not all(re.fullmatch(rf"{_HEX}{{2}}", word) for word in words):
        return None
    return bytes.fromhex("".join(words))
