"""Files that survive a kill: replaced at once or grown by whole lines, and read back as far as they are whole."""

from __future__ import annotations

import json
import math
import os
import re
import zlib
from array import array
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np

GUARDIAN = "guardian.jsonl"
"""Beside run.json where a guardian had to act; its process writes it."""
_SAFE_NAME = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*")
_MAX_NAME = 100


def plain(value: Any) -> Any:
    """``value`` as strict JSON: no number is lost, infinite ones and NaN become the strings inf, -inf and nan.

    Anything that JSON does not know becomes text rather than an error: evidence is written, whatever it holds.
    """
    if isinstance(value, Enum):
        return plain(value.value)
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float | np.floating):
        number = float(value)
        return number if math.isfinite(number) else repr(number)
    return _plain_container(value)


def _plain_container(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, set | frozenset):
        return sorted((plain(item) for item in value), key=str)
    if isinstance(value, datetime):
        return utc_text(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Iterable) and not isinstance(value, bytes | Path):
        return [plain(item) for item in value]
    return str(value)


def number(value: Any) -> float | None:
    """The float behind a JSON number as :func:`plain` writes it, None when it is not one."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except ValueError:
        return None


def utc_text(moment: datetime) -> str:
    """ISO 8601 in UTC with milliseconds and ``Z``; a moment without a zone counts as UTC."""
    offset = moment.utcoffset() or timedelta()
    return (moment.replace(tzinfo=None) - offset).isoformat(timespec="milliseconds") + "Z"


def canonical(value: Any) -> str:
    """JSON text with sorted keys and one spelling for one value, ending in a newline."""
    return json.dumps(plain(value), sort_keys=True, indent=1, ensure_ascii=True, allow_nan=False) + "\n"


def json_line(value: Any) -> str:
    """One line of JSON with sorted keys, newline included."""
    return json.dumps(plain(value), sort_keys=True, separators=(",", ":"), allow_nan=False) + "\n"


def write_atomic(path: Path, text: str) -> None:
    """Replace ``path`` at once: a reader sees the old text or the new one, also after a kill or a power loss."""
    write_bytes_atomic(path, text.encode("utf-8", "backslashreplace"))


def write_bytes_atomic(path: Path, content: bytes) -> None:
    """As :func:`write_atomic`, for what is no text."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def append(path: Path, text: str) -> None:
    """Grow ``path`` by ``text`` (whole lines) in one write."""
    with path.open("ab", buffering=0) as file:
        file.write(text.encode("utf-8", "backslashreplace"))


def safe_name(name: str, taken: Iterable[str] = ()) -> str:
    """A file name (without suffix) for a signal: readable, unique also where case does not count.

    ``taken`` holds the names already given. Names of letters, digits, ``-``, ``_`` and ``/`` keep their spelling with
    ``.`` for ``/``; all others carry a checksum of the true name.
    """
    readable = _spell(name)
    used = {other.casefold() for other in taken}
    if _SAFE_NAME.fullmatch(name) and len(readable) <= _MAX_NAME and readable.casefold() not in used:
        return readable
    return f"{readable[:_MAX_NAME]}-{zlib.crc32(name.encode('utf-8', 'surrogatepass')):08x}"


def _spell(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_+.-]", "_", name.replace("/", ".")).strip(".") or "signal"


def whole_lines(path: Path) -> list[str]:
    """The lines of a text file that were written to their end; an absent file has none."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return []
    return data[: data.rfind(b"\n") + 1].decode("utf-8", "replace").split("\n")[:-1]


def read_json(path: Path) -> dict[str, Any] | None:
    """The JSON object in ``path``, None when the file is absent or not one."""
    try:
        value = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def read_json_lines(path: Path) -> tuple[list[dict[str, Any]], list[str]]:
    """The objects of a JSON-lines file, and one problem per line that is none."""
    found, problems = [], []
    for index, line in enumerate(whole_lines(path), 1):
        try:
            value = json.loads(line)
        except ValueError:
            value = None
        if isinstance(value, dict):
            found.append(value)
        else:
            problems.append(f"{path.name} line {index}: not a JSON object")
    return found, problems


def read_columns(path: Path) -> tuple[array[float], array[float], list[str]]:
    """Times and values of a signal file, and one problem per line that holds no two numbers."""
    lines = whole_lines(path)[1:]
    try:
        flat = array("d", map(float, ",".join(lines).split(",") if lines else ()))
        if len(flat) == 2 * len(lines):
            return flat[::2], flat[1::2], []
    except ValueError:
        pass
    return _read_damaged_columns(path.name, lines)


def _read_damaged_columns(name: str, lines: list[str]) -> tuple[array[float], array[float], list[str]]:
    times, values, problems = array("d"), array("d"), []
    for index, line in enumerate(lines, 2):
        try:
            t, value = map(float, line.split(","))
        except ValueError:
            problems.append(f"{name} line {index}: not two numbers")
            continue
        times.append(t)
        values.append(value)
    return times, values, problems
