"""Single fields of a payload: numbers of usable size, times, names. Every refusal names the field as on the wire."""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeVar

from hilbench_emulators.smart_charging.model import Rate
from hilbench_emulators.smart_charging.times import grid, instant

E = TypeVar("E", bound=StrEnum)
Raw = Mapping[str, Any]
MOST_S = 1e12
"""Longest duration in seconds; beyond it sums of instants are no longer exact."""


def wire_name(key: str) -> str:
    """camelCase of a snake_case key, as a message shows it."""
    head, *tail = key.split("_")
    return head + "".join(part.capitalize() for part in tail)


def required(raw: Raw, key: str) -> Any:
    """The field, or ``ValueError``."""
    if raw.get(key) is None:
        raise ValueError(f"{wire_name(key)} is missing")
    return raw[key]


def objects(raw: Raw, key: str) -> list[Raw]:
    """A list of objects."""
    found = required(raw, key)
    if not isinstance(found, list) or not all(isinstance(entry, Mapping) for entry in found):
        raise ValueError(f"{wire_name(key)} is not a list of objects")
    return found


def number(raw: Raw, key: str) -> float | None:
    """A finite float, or None when absent; JSON knows larger numbers than floats."""
    value = raw.get(key)
    if value is None:
        return None
    try:
        found = math.nan if isinstance(value, bool | str) else float(value)
    except (TypeError, OverflowError):
        found = math.nan
    if not math.isfinite(found):
        raise ValueError(f"{wire_name(key)} is not a number of usable size")
    return found


def seconds(raw: Raw, key: str) -> float | None:
    """A duration from 0 s on."""
    found = number(raw, key)
    if found is None:
        return None
    if not 0 <= found <= MOST_S:
        raise ValueError(f"{wire_name(key)} is not between 0 and {MOST_S:.0e} s")
    return grid(found)


def integer(raw: Raw, key: str) -> int | None:
    """A whole number, or None when absent."""
    value = raw.get(key)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise ValueError(f"{wire_name(key)} is not a whole number")
    return value


def moment(raw: Raw, key: str, *, local: bool = False) -> float | None:
    """Seconds since 1970, or None when absent."""
    value = raw.get(key)
    if value is None:
        return None
    try:
        return instant(value, local=local)
    except (TypeError, ValueError):
        raise ValueError(f"{wire_name(key)} is not a time: {value!r}") from None


def choice(kind: type[E], raw: Raw, key: str) -> E:
    """One of the values of an enumeration."""
    value = required(raw, key)
    try:
        return kind(value)
    except ValueError:
        raise ValueError(f"{wire_name(key)} cannot be {value!r}") from None


def rate(raw: Raw, key: str, *, lowest: float = -math.inf, highest: float = math.inf) -> Rate | None:
    """A figure with those of the second and third phase; None when there is none of them.

    Where only a later phase has one, the first has NaN, which :func:`hilbench_emulators.smart_charging.rules.check`
    refuses (OCPP 2.1 K01.FR.146).
    """
    found = [number(raw, name) for name in (key, f"{key}_l2", f"{key}_l3")]
    if any(value is not None and not lowest <= value <= highest for value in found):
        raise ValueError(f"{wire_name(key)} is {'negative' if lowest == 0 else 'positive'}")
    if all(value is None for value in found):
        return None
    return Rate(math.nan if found[0] is None else found[0], found[1], found[2])
