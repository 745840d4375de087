"""TOML files that come with the emulators, found by their names; a user's own by its path."""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path
from typing import Any

from hilbench.errors import InputError, Problem
from hilbench.tomlfile import is_file, read_toml


def shipped(folder: Path) -> list[str]:
    """Names of the files in a folder."""
    return sorted(path.stem for path in folder.glob("*.toml"))


def read_shipped(folder: Path, name_or_path: str, what: str) -> tuple[Path, dict[str, Any]]:
    """Path and data of a file of ``folder`` by its name, or of one that ends in ``.toml``.

    ``NAME+KEY=VALUE+TABLE.KEY=VALUE`` replaces keys by values as TOML has them. Raises ``InputError`` for a name that
    is not there, which is said to be no such ``what``, and for bad TOML.
    """
    name_or_path, *changes = name_or_path.split("+")
    path, data = _read(folder, name_or_path, what)
    for change in changes:
        _replace(data, change)
    return path, data


def _replace(data: dict[str, Any], change: str) -> None:
    """Put ``TABLE.KEY=VALUE`` into ``data``."""
    try:
        changed = tomllib.loads(change)
    except tomllib.TOMLDecodeError as error:
        raise InputError(change, f"is no KEY=VALUE of TOML: {error}") from None
    for key, value in changed.items():
        data[key] = {**data.get(key, {}), **value} if isinstance(value, dict) else value


def _read(folder: Path, name_or_path: str, what: str) -> tuple[Path, dict[str, Any]]:
    path = Path(name_or_path) if name_or_path.endswith(".toml") else folder / f"{name_or_path}.toml"
    if not is_file(path):
        close = difflib.get_close_matches(name_or_path, shipped(folder), 1)
        remedy = f"did you mean {close[0]}?" if close else f"shipped: {', '.join(shipped(folder))}"
        raise InputError(name_or_path, Problem("", f"no such {what}", remedy))
    data, _text = read_toml(path)
    return path, data
