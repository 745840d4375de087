"""From snake_case to the names on the wire and back."""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import Any, cast

from hilbench.ocppj.versions import KNOWN_NAMES, Names, camel, snake

_SCALARS = (str, float, int, type(None))
_PLAIN = frozenset({str, float, int, bool, type(None)})
_NONE: Names = {}


class _Spellings(dict[str, str]):
    """snake_case forms that are looked up most of the time."""

    def __missing__(self, key: str) -> str:
        found = snake(key)
        if len(self) < KNOWN_NAMES:
            self[key] = found
        return found


_SNAKE = _Spellings()


def to_snake(data: Any) -> Any:
    """Copy of JSON data whose keys are snake_case."""
    if isinstance(data, dict):
        return {_SNAKE[k]: v if type(v) in _PLAIN else to_snake(v) for k, v in data.items()}
    return [to_snake(item) for item in data] if isinstance(data, list) else data


@cache
def _fields(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind))


def to_camel(data: Any, known: Names = _NONE) -> Any:
    """JSON data of a payload (dataclasses, dicts, lists) with keys as ``known`` spells them; what is None is left out.

    Keys that ``known`` lacks are spelt as most are.
    """
    if isinstance(data, _SCALARS):  # most of what there is
        return data
    if isinstance(data, dict):
        return {known.get(k) or camel(k): to_camel(value, known) for k, value in data.items() if value is not None}
    if isinstance(data, list | tuple):
        return [to_camel(item, known) for item in data if item is not None]
    if dataclasses.is_dataclass(data):
        pairs = ((name, getattr(data, name)) for name in _fields(cast(Any, type(data))))
        return {known.get(k) or camel(k): to_camel(value, known) for k, value in pairs if value is not None}
    return data
