"""Frames in JSON, and frames in decimal figures: lines whose numbers mean another thing than those of other logs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hilbench.canlogs.rows import LONGEST, Row, Stamp, beside, moment_of, stamp_of

MAIN_DECIMAL = frozenset({256, 257, 258, 264, 265})
"""0x100, 0x101, 0x102, 0x108 and 0x109 in decimal figures."""
_LOOKED_AT = 500
"""Lines from which the base of a log is told (policy-default)."""
_SHARE = 0.3
"""Of those, the part that must speak of CHAdeMO in decimal figures (policy-default)."""
_KEYS: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "canid", "arbitrationid", "arbid", "frameid", "identifier", "msgid", "messageid"),
    "data": ("data", "payload", "bytes", "databytes", "msg", "frame"),
    "time": ("timestamp", "ts", "time", "t", "datetime", "date"),
    "bus": ("channel", "bus", "interface"),
}
_DECIMALS = re.compile(r"(?<![\w.])(\d{1,3}(?:\s*[,;]\s*\d{1,3}|\s+\d{1,3}){7})(?![\w.])")
_NUMBER = re.compile(r"(?<![\w.])(\d{1,4})(?![\w.])")


def json_row(line: str) -> Row | None:
    """``{"timestamp": 1.5, "id": 258, "data": [2, 154, ...]}``: numbers are decimal, texts are hexadecimal."""
    text = line.strip().rstrip(",")
    if not (text.startswith("{") and text.endswith("}")):
        return None
    try:
        return _object(json.loads(text))
    except (ValueError, TypeError, RecursionError):
        return None


def _object(found: Any) -> Row | None:
    own = {re.sub(r"[^a-z]", "", str(key).lower()): value for key, value in found.items()}
    values = {what: next((own[key] for key in keys if key in own), None) for what, keys in _KEYS.items()}
    can_id, data = _json_number(values["id"]), _json_data(values["data"])
    if can_id is None or data is None or not 0 <= can_id < 1 << 29 or len(data) > LONGEST:
        return None
    bus = "" if values["bus"] is None else str(values["bus"])
    return Row(_json_stamp(values["time"]), can_id, data, bus, can_id > 0x7FF)


def _json_number(value: Any) -> int | None:
    if isinstance(value, str):
        return int(value, 16)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _json_data(value: Any) -> bytes | None:
    if isinstance(value, str):
        words = re.findall(r"[0-9A-Fa-f]{2}", value.replace("0x", " "))
        return bytes.fromhex("".join(words)) if words else None
    if not isinstance(value, list) or any(_json_number(one) is None for one in value):
        return None
    return bytes(_json_number(one) or 0 for one in value)


def _json_stamp(value: Any) -> Stamp | None:
    if isinstance(value, str):
        return stamp_of(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return Stamp(float(value), None)


def is_decimal(lines: Sequence[str]) -> bool:
    """Whether a log has its ids and bytes in decimal figures: bytes of three figures, and ids of CHAdeMO."""
    found = [row for row in map(decimal, _some(lines)) if row]
    ours = [row for row in found if row.id in MAIN_DECIMAL]
    return len(ours) > _SHARE * len(found) and any(max(row.data) > 99 for row in ours)


def _some(lines: Sequence[str]) -> Iterator[str]:
    """Lines of the begin, of the middle and of the end: the begin often lacks the car."""
    part = _LOOKED_AT // 3
    for begin in {0, max(len(lines) // 2 - part // 2, 0), max(len(lines) - part, 0)}:
        yield from lines[begin : begin + part]


def decimal(line: str) -> Row | None:
    """``ID: 258 DATA: 2 154 1 0 0 200 3 0``: the id in decimal figures before eight bytes that are so too."""
    moment = moment_of(line)
    if moment:
        line = line[: moment[1]] + " | " + line[moment[2] :]
    for run in _DECIMALS.finditer(line):
        numbers = [int(word) for word in re.findall(r"\d+", run[1])]
        ids = [one for one in _NUMBER.finditer(line, 0, run.start()) if int(one[1]) != LONGEST]
        if max(numbers) > 255 or not ids or int(ids[-1][1]) > 0x7FF:
            continue
        can_id, data = int(ids[-1][1]), bytes(numbers)
        rest = line[: ids[-1].start()] + " | " + line[run.end() :]
        return Row(moment[0], can_id, data) if moment else beside(rest, can_id, data)
    return None
