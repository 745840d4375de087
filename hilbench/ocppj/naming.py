"""From snake_case to the names on the wire and back."""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import Any, cast

from hilbench.ocppj.versions import Names, camel, snake

_SCALARS = (str, float, int, type(None))
_NONE: Names = {}


def to_snake(data: Any) -> Any:
    """Copy of JSON data whose keys are snake_case."""
    if isinstance(data, _SCALARS):
        return data
    if isinstance(data, dict):
        return {snake(key): to_snake(value) for key, value in data.items()}
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
