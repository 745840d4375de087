"""Passwords of a rig, masked in what a run folder keeps of it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Any

MASK = "(masked)"
WITHHELD = "# This rig file is not kept here: it holds passwords in a way that cannot be masked.\n"
_SETTING = re.compile(
    r"""(["']?\bpassword["']?[ \t]*=[ \t]*)"""
    r"(\"\"\".*?\"\"\"|'''.*?'''|\"(?:\\.|[^\"\\\n])*\"|'[^'\n]*')",
    re.DOTALL,
)


def masked(data: Any) -> Any:
    """A copy of nested data in which the value of every key ``password`` is masked, unless it is empty."""
    if isinstance(data, dict):
        return {key: MASK if key == "password" and value else masked(value) for key, value in data.items()}
    return [masked(value) for value in data] if isinstance(data, list | tuple) else data


def masked_rig(text: str) -> str:
    """The text of a rig file with every password masked, and a last line that says so; lines keep their numbers.

    It is a rig file as before: all passwords are the same word, so station and reference controller still agree.
    """
    if not any(_passwords(tomllib.loads(text))):
        return text
    hidden, count = _SETTING.subn(lambda found: f'{found[1]}"{MASK}"', text)
    if any(word != MASK for word in _passwords(tomllib.loads(hidden))):
        return WITHHELD
    note = f'# hilbench: {count} passwords were masked as "{MASK}"; the run used those of the original (see run.json)'
    return f"{hidden.rstrip()}\n{note}\n"


def _passwords(data: Any) -> Iterator[str]:
    for key, value in data.items() if isinstance(data, dict) else ():
        if key == "password" and value:
            yield str(value)
        for part in value if isinstance(value, list) else [value]:
            yield from _passwords(part)
