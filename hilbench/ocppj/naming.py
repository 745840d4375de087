"""From snake_case to the names on the wire and back."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from functools import cache
from typing import Any, cast

from hilbench.ocppj.versions import KNOWN_NAMES, Names, camel, snake

_SCALARS = (str, float, int, type(None))
_PLAIN = frozenset({str, float, int, bool, type(None)})
_NONE: Any = {}
_OPEN = "customData"
"""Holds keys of a vendor's own, which nobody else may respell; only ``vendorId`` is the standard's (OCPP 2.x)."""


class _Spellings(dict[str, str]):
    """snake_case forms that are looked up most of the time."""

    def __missing__(self, key: str) -> str:
        found = snake(key)
        if len(self) < KNOWN_NAMES:
            self[key] = found
        return found


_SNAKE = _Spellings()


def to_snake(data: Any) -> Any:
    """Copy of JSON data whose keys are snake_case, but for those of a vendor in ``customData``."""
    if isinstance(data, dict):
        return {
            _SNAKE[k]: v if type(v) in _PLAIN else _renamed(v, "vendorId", "vendor_id") if k == _OPEN else to_snake(v)
            for k, v in data.items()
        }
    return [to_snake(item) for item in data] if isinstance(data, list) else data


def from_wire(action: str, payload: dict[str, Any]) -> dict[str, Any]:
    """Arguments of a handler, or fields of an answer; what a DataTransfer carries stays as it is."""
    found: dict[str, Any] = to_snake(payload)
    if action == "DataTransfer" and "data" in payload:
        found["data"] = payload["data"]
    return found


def to_wire(action: str, payload: Any, known: Names) -> Any:
    """A payload as it is sent, see :func:`to_camel`; what a DataTransfer carries stays as it is."""
    found = to_camel(payload, known)
    if action == "DataTransfer" and "data" in found:
        found["data"] = payload["data"] if isinstance(payload, dict) else payload.data
    return found


def _renamed(data: Any, old: str, new: str) -> Any:
    """A copy of an object with one key respelt, in its place."""
    return {new if key == old else key: value for key, value in data.items()} if isinstance(data, dict) else data


@cache
def _fields(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind))


def to_camel(data: Any, known: Names = _NONE, place: str = "") -> Any:
    """JSON data of a payload (dataclasses, dicts, lists) with keys as ``known`` spells them; what is None is left out.

    ``place`` is the key that holds the data. Keys that ``known`` lacks are spelt as most are.
    """
    if isinstance(data, dict):
        return _spelt(data.items(), known, place)
    if isinstance(data, list | tuple):
        return [item if type(item) in _PLAIN else to_camel(item, known, place) for item in data if item is not None]
    if not isinstance(data, _SCALARS) and dataclasses.is_dataclass(data):
        return _spelt([(name, getattr(data, name)) for name in _fields(cast(Any, type(data)))], known, place)
    return data


def _spelt(pairs: Iterable[tuple[str, Any]], known: Names, place: str) -> dict[str, Any]:
    here, found = known.get(place, _NONE), dict[str, Any]()
    for key, value in pairs:
        if value is not None:
            name = here.get(key) or camel(key)
            found[name] = value if type(value) in _PLAIN else _inner(value, known, name)
    return found


def _inner(value: Any, known: Names, name: str) -> Any:
    return _renamed(value, "vendor_id", "vendorId") if name == _OPEN else to_camel(value, known, name)
