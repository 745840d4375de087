"""Axes and curves for small pictures: round ticks, time units that people read, few points that show every peak."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from hilbench.signals import Array

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_HOURS = (0.25, 0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 12.0, 24.0, 48.0, 168.0)
CLOCK_FROM_S = 4 * 3600.0
"""From this length on a time axis shows the clock of the site rather than bench time."""


def nice_step(span: float, wanted: int) -> float:
    """The round step (1, 2, 2.5 or 5 times a power of ten) that cuts ``span`` into about ``wanted`` parts."""
    rough = max(span, 1e-12) / max(wanted, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    return next(step * power for step in _STEPS if step * power >= rough * 0.999)


def ticks(low: float, high: float, wanted: int = 5) -> list[float]:
    """Round values within [low, high]."""
    return _multiples(low, high, nice_step(high - low, wanted))


def _multiples(low: float, high: float, step: float) -> list[float]:
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [index * step for index in range(first, last + 1)]


def value_range(values: Sequence[float]) -> tuple[float, float]:
    """A range with round ends that holds all ``values``, zero unless that would squeeze them, and some air on top."""
    finite = [value for value in values if math.isfinite(value)] or [0.0, 1.0]
    low, high = min(finite), max(finite)
    if 0.0 < low <= 0.6 * high or low == high > 0.0:
        low = 0.0
    elif 0.6 * low <= high < 0.0:
        high = 0.0
    if high - low <= 1e-9 * max(1.0, abs(high)):
        low, high = low - 0.5, high + 0.5
    step = nice_step((high - low) * 1.06, 5)
    top = high + 0.06 * (high - low) if high != 0.0 else high
    bottom = low if low == 0.0 else low - 0.04 * (high - low)
    return math.floor(bottom / step + 1e-9) * step, math.ceil(top / step - 1e-9) * step


def label(value: float) -> str:
    """A tick's number without noise: 0.30000000000000004 is 0.3."""
    return f"{round(value, 9) + 0.0:.6g}"


@dataclass(frozen=True)
class TimeAxis:
    """Where the ticks of a time axis are [s], what they say, and what the axis is called."""

    at: list[float]
    text: list[str]
    title: str


def time_axis(start: float, stop: float, epoch: datetime | None = None, wanted: int = 8) -> TimeAxis:
    """Ticks for bench time: seconds, minutes or hours; long spans show the clock of ``epoch``'s zone when given."""
    span = stop - start
    if epoch is not None and span >= CLOCK_FROM_S:
        return _clock_axis(start, stop, epoch, wanted)
    unit, seconds = next(((name, s) for name, s, upto in _UNITS if span <= upto), ("h", 3600.0))
    at = _multiples(start, stop, _time_step(span / seconds, wanted, unit) * seconds)
    return TimeAxis(at, [label(t / seconds) for t in at], f"bench time [{unit}]")


_UNITS = (("s", 1.0, 300.0), ("min", 60.0, 3 * 3600.0))


def _time_step(span: float, wanted: int, unit: str) -> float:
    if unit != "h":
        return nice_step(span, wanted)
    return next((step for step in _HOURS if span / step <= wanted), nice_step(span, wanted))


def _clock_axis(start: float, stop: float, epoch: datetime, wanted: int) -> TimeAxis:
    step_s = _time_step((stop - start) / 3600.0, wanted, "h") * 3600.0
    offset = (epoch.utcoffset() or timedelta()).total_seconds()
    since_midnight = (epoch.replace(tzinfo=None) - datetime(1970, 1, 1)).total_seconds()
    at = [t - since_midnight for t in _multiples(start + since_midnight, stop + since_midnight, step_s)]
    name = epoch.tzname() or "UTC"
    text = [(epoch.replace(tzinfo=None) + timedelta(seconds=round(t))).strftime("%H:%M") for t in at]
    return TimeAxis(at, text, f"time of day [{name}]" if offset or name != "UTC" else "time of day [UTC]")


def span_text(seconds: float) -> str:
    """A duration as people say it: 0.8 s, 42 s, 3 min 20 s, 24 h 2 min."""
    if not math.isfinite(seconds):
        return "never"
    if seconds < 100:
        return f"{seconds:.3g} s"
    whole = round(seconds)
    if whole < 3600:
        return _pair(whole // 60, "min", whole % 60, "s")
    minutes = round(seconds / 60)
    return _pair(minutes // 60, "h", minutes % 60, "min")


def _pair(first: int, first_unit: str, second: int, second_unit: str) -> str:
    return f"{first} {first_unit} {second} {second_unit}" if second else f"{first} {first_unit}"


def decimate(t: Array, v: Array, start: float, stop: float, bins: int) -> tuple[Array, Array]:
    """At most four points per bin of time: first, lowest, highest, last, in their order; every peak stays.

    ``t`` ascends; points must lie within [start, stop]; NaN must have been cut out before.
    """
    if len(t) <= 4 * bins:
        return t, v
    index = np.clip(((t - start) / max(stop - start, 1e-12) * bins).astype(np.int64), 0, bins - 1)
    order = np.lexsort((v, index))  # within a bin from the lowest to the highest
    edges = np.flatnonzero(np.diff(index)) + 1
    first = np.concatenate(([0], edges))
    last = np.concatenate((edges - 1, [len(t) - 1]))
    keep = np.unique(np.concatenate((first, order[first], order[last], last)))
    return t[keep], v[keep]


def finite_runs(t: Array, v: Array) -> list[tuple[Array, Array]]:
    """The stretches of a curve between its gaps (NaN or infinite values)."""
    good = np.isfinite(v)
    if bool(good.all()):
        return [(t, v)] if len(t) else []
    edges = np.flatnonzero(np.diff(good.astype(np.int8))) + 1
    pieces = zip(np.split(t, edges), np.split(v, edges), np.split(good, edges), strict=True)
    return [(times, values) for times, values, fine in pieces if len(fine) and bool(fine[0])]
