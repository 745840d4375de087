"""Times, durations and figures as options."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from typing import Any

import click

_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}
_LONGEST_S = 366 * 86_400.0
_FIRST, _LAST = datetime(1971, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)


class Moment(click.ParamType[float]):
    """An ISO 8601 time as UTC seconds; without zone it is UTC."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """See ``click.ParamType``."""
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is not an ISO 8601 time such as 2026-03-01T18:00:00Z", param, ctx)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
        if not _FIRST <= moment <= _LAST:
            self.fail(f"{value!r} is not between the years 1971 and 9000", param, ctx)
        return moment.timestamp()


class Span(click.ParamType[float]):
    """A duration such as 90s, 15m, 24h or 7d, in seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """See ``click.ParamType``."""
        match = re.fullmatch(r"(\d+(?:\.\d+)?)(s|m|min|h|d|)", str(value).strip())
        found = float(match[1]) * _UNITS[match[2]] if match else 0.0
        if not 1 <= found <= _LONGEST_S:
            self.fail(f"{value!r} is not a duration from 1s to 366d, such as 90s, 15m, 24h or 7d", param, ctx)
        return found


class Between(click.FloatRange):
    """A range of floats that NaN is not in."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """See ``click.ParamType``."""
        found: float = super().convert(value, param, ctx)
        if math.isnan(found):
            self.fail(f"{value!r} is not a number", param, ctx)
        return found
