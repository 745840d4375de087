"""Single values of OpenADR 3 JSON: numbers, times and durations, or a reason why not."""

from __future__ import annotations

import math
import re
from datetime import datetime
from typing import Any

ENDLESS_YEARS = 9999
"""A duration of so many years is without end (OpenADR 3 definition of ``intervalPeriod``; read in openleadr-rs)."""
_NOW = ("0000-00-00", "0001-01-01")
_DURATION = re.compile(
    r"P(?=[\dT])(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:[.,]\d+)?)S)?)?",
    re.ASCII,
)
_SECONDS = (604_800.0, 86_400.0, 3600.0, 60.0, 1.0)


class RefusedError(ValueError):
    """An event cannot be used; the message is the reason."""


def mapping(value: object, what: str) -> dict[str, Any]:
    """A JSON object; raises :class:`RefusedError`."""
    if not isinstance(value, dict):
        raise RefusedError(f"{what} is no object")
    return value


def array(value: object, what: str) -> list[Any]:
    """A JSON array with something in it; raises :class:`RefusedError`."""
    if not isinstance(value, list) or not value:
        raise RefusedError(f"{what} is no list with something in it")
    return value


def number(value: object, what: str, *, signed: bool = False) -> float:
    """A finite number, not negative unless ``signed``; raises :class:`RefusedError`."""
    least = -math.inf if signed else -math.ulp(0.0)
    if isinstance(value, bool) or not isinstance(value, int | float) or not least < value < math.inf:
        raise RefusedError(f"{what} is {value!r}, not a number{'' if signed else ' from 0 up'}")
    try:
        return float(value)
    except OverflowError:
        raise RefusedError(f"{what} is too large") from None


def instant(value: object, what: str) -> float:
    """Seconds since 1970 of an RFC 3339 time; raises :class:`RefusedError`."""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        raise RefusedError(f"{what} {value!r} is no RFC 3339 time") from None
    if not isinstance(value, str) or moment.tzinfo is None:
        raise RefusedError(f"{what} {value!r} has no offset from UTC")
    return moment.timestamp()


def is_now(start: object) -> bool:
    """True for the starts that mean "now" (OpenADR 3 definition of ``intervalPeriod``; read in openleadr-rs)."""
    return isinstance(start, str) and start.startswith(_NOW)


def duration(value: object, what: str) -> float:
    """Seconds of an ISO 8601 duration, infinite for ``P9999Y``; raises :class:`RefusedError`.

    Other years and months are refused unless they are 0: they have no fixed length.
    """
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise RefusedError(f"{what} {value!r} is no ISO 8601 duration")
    years, months, *rest = (float((part or "0").replace(",", ".")) for part in match.groups())
    if years >= ENDLESS_YEARS:
        return math.inf
    if years or months:
        raise RefusedError(f"{what} {value!r} counts years or months, which have no fixed length")
    return sum(count * seconds for count, seconds in zip(rest, _SECONDS, strict=True))


__all__ = ["RefusedError", "array", "duration", "instant", "is_now", "mapping", "number"]
