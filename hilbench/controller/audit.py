"""A file that shows when something in it was changed: JSON lines, each with the SHA-256 of the line before."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

START = "0" * 64
"""What the first line carries."""


class Audit:
    """The audit file at ``path``; ``sound`` says whether its chain held when it was opened. Raises ``OSError``."""

    def __init__(self, path: Path) -> None:
        self._path = path
        lines = _lines(path)
        self.sound = next(broken(lines), None) is None
        self.entries: list[dict[str, Any]] = [entry for line in lines if (entry := _entry(line))]
        self._last = _hash(lines[-1]) if lines else START

    def append(self, entry: dict[str, Any]) -> None:
        """Add a line, on the disk when this returns; raises ``OSError``."""
        line = json.dumps(entry | {"previous": self._last}, sort_keys=True).encode()
        with self._path.open("ab") as file:
            if file.tell() and not _ends_whole(self._path):
                file.write(b"\n")  # a line that a power cut tore stays what it is
            file.write(line + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self._last = _hash(line)


def broken(lines: list[bytes]) -> Iterator[int]:
    """Numbers (from 1) of lines that do not follow from the line before."""
    last = START
    for number, line in enumerate(lines, 1):
        if _entry(line).get("previous") != last:
            yield number
        last = _hash(line)


def _lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines() if path.exists() else []


def _ends_whole(path: Path) -> bool:
    return path.read_bytes()[-1:] == b"\n"


def _entry(line: bytes) -> dict[str, Any]:
    """A line as it was written; empty for one that is torn."""
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _hash(line: bytes) -> str:
    return sha256(line).hexdigest()
