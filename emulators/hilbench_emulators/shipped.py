"""TOML files that come with the emulators, found by their names; a user's own by its path."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

from hilbench.errors import InputError, Problem
from hilbench.tomlfile import is_file, read_toml


def shipped(folder: Path) -> list[str]:
    """Names of the files in a folder."""
    return sorted(path.stem for path in folder.glob("*.toml"))


def read_shipped(folder: Path, name_or_path: str, what: str) -> tuple[Path, dict[str, Any]]:
    """Path and data of a file of ``folder`` by its name, or of one that ends in ``.toml``.

    Raises ``InputError`` for a name that is not there, which is said to be no such ``what``, and for bad TOML.
    """
    path = Path(name_or_path) if name_or_path.endswith(".toml") else folder / f"{name_or_path}.toml"
    if not is_file(path):
        close = difflib.get_close_matches(name_or_path, shipped(folder), 1)
        remedy = f"did you mean {close[0]}?" if close else f"shipped: {', '.join(shipped(folder))}"
        raise InputError(name_or_path, Problem("", f"no such {what}", remedy))
    data, _text = read_toml(path)
    return path, data
