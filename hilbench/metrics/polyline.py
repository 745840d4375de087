"""Exact arithmetic on piecewise-linear functions of time.

A :data:`Polyline` is a pair of float64 arrays (times, values) whose times never decrease; two equal times are a jump
(the value just before, the value just after). Outside its ends a polyline holds its end values.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from hilbench.signals import Array, clip

Polyline = tuple[Array, Array]
Indices = NDArray[np.intp]
Level = float | Polyline
"""A limit: one number, or a polyline when it changes with time."""


def checked(line: Polyline) -> Polyline:
    """``line`` as float64 arrays; raises ``ValueError`` when it is empty, not finite or goes back in time."""
    t, v = (np.asarray(part, dtype=np.float64) for part in line)
    if not len(t) or t.shape != v.shape or t.ndim != 1:
        raise ValueError("a polyline needs as many values as times, and at least one")
    if not (np.isfinite(t).all() and np.isfinite(v).all()):
        raise ValueError("a polyline must be finite: a gap or a NaN in the signal cannot be measured")
    if (np.diff(t) < 0).any():
        raise ValueError("the times of a polyline must not decrease")
    return t, v


def between(line: Polyline, start: float, stop: float) -> Polyline:
    """The part from ``start`` (value after any jump there) to ``stop`` (value before any jump there).

    Raises ``ValueError`` when ``stop`` comes before ``start``.
    """
    if stop < start:
        raise ValueError(f"a window cannot end at {stop} before it starts at {start}")
    return clip(*checked(line), start, stop)


def after(line: Polyline, start: float) -> Polyline:
    """The part from ``start`` to the end; raises ``ValueError`` when the polyline ends before."""
    t, v = checked(line)
    if start > t[-1]:
        raise ValueError(f"the signal ends at {t[-1]} s, before the time asked for, {start} s")
    kept = t > start
    head = _limits(t, v, np.array([start]))[1]
    return np.concatenate(([start], t[kept])), np.concatenate((head, v[kept]))


def duration(line: Polyline) -> float:
    """Seconds from the first to the last corner."""
    return float(line[0][-1] - line[0][0])


def integral(line: Polyline) -> float:
    """Integral over time; a jump has no width and adds nothing."""
    t, v = line
    return float(np.sum(np.diff(t) * (v[1:] + v[:-1])) / 2.0)


def mean(line: Polyline) -> float:
    """Mean over time; raises ``ValueError`` when the polyline has no duration."""
    if not duration(line) > 0:
        raise ValueError("the mean of an instant is not defined")
    return integral(line) / duration(line)


def highest_mean(line: Polyline, window_s: float) -> float:
    """The largest mean over ``window_s`` within the polyline, over all of it where it is shorter; exact.

    A mean is largest where the window begins or ends at a corner, or where both ends have the same value. Raises
    ``ValueError`` when the polyline has no duration.
    """
    t, v = checked(line)
    if duration((t, v)) <= window_s:
        return mean((t, v))
    first, last = float(t[0]), float(t[-1]) - window_s
    starts = np.unique(np.clip(np.concatenate((t, t - window_s)), first, last))
    before, ahead = _limits(t, v, starts), _limits(t, v, starts + window_s)
    rise, fall = ahead[1][:-1] - before[1][:-1], before[0][1:] - ahead[0][1:]
    turns = (rise > 0) & (fall > 0)
    between_s = np.diff(starts)[turns] * rise[turns] / (rise[turns] + fall[turns])
    starts = np.concatenate((starts, starts[:-1][turns] + between_s))
    return float(((_areas(t, v, starts + window_s) - _areas(t, v, starts)) / window_s).max())


def step_means(line: Polyline, start: float, step_s: float, count: int) -> Array:
    """Means over ``count`` steps of ``step_s`` from ``start`` on, which must lie within the polyline; exact."""
    t, v = checked(line)
    means: Array = np.diff(_areas(t, v, start + step_s * np.arange(count + 1, dtype=np.float64))) / step_s
    return means


def _areas(t: Array, v: Array, at: Array) -> Array:
    """Integral from the first corner up to each of the times ``at``."""
    sums = np.concatenate(([0.0], np.cumsum(np.diff(t) * (v[1:] + v[:-1]) / 2.0)))
    low = np.clip(np.searchsorted(t, at, side="right") - 1, 0, len(t) - 1)
    inside: Array = (at - t[low]) * (v[low] + _limits(t, v, at)[0]) / 2.0
    found: Array = sums[low] + inside
    return found


def aligned(*lines: Polyline) -> tuple[Array, Array]:
    """Common corners of several polylines: times [n], values [line, n], every time twice (before and after it)."""
    known = [checked(line) for line in lines]
    grid = np.unique(np.concatenate([t for t, _ in known]))
    return np.repeat(grid, 2), np.array([_on_grid(line, grid) for line in known])


def _on_grid(line: Polyline, grid: Array) -> Array:
    values = np.empty(2 * len(grid))
    values[0::2], values[1::2] = _limits(*line, grid)
    return values


def _limits(t: Array, v: Array, at: Array) -> tuple[Array, Array]:
    """Left-hand and right-hand limits of (t, v) at the times ``at``."""
    first, stop = np.searchsorted(t, at, side="left"), np.searchsorted(t, at, side="right")
    end = len(t) - 1
    low, high = np.clip(first - 1, 0, end), np.clip(first, 0, end)
    width = t[high] - t[low]
    share = np.divide(at - t[low], width, out=np.zeros_like(at), where=width > 0)
    inside = v[low] + np.clip(share, 0.0, 1.0) * (v[high] - v[low])
    on_corner = stop > first
    left = np.where(on_corner, v[high], inside)
    right = np.where(on_corner, v[np.clip(stop - 1, 0, end)], inside)
    return left, right


def as_line(level: Level, line: Polyline) -> Polyline:
    """``level`` as a polyline over exactly the span of ``line``."""
    start, stop = float(line[0][0]), float(line[0][-1])
    if isinstance(level, tuple):
        return between(level, start, stop)
    return np.array([start, stop]), np.array([level, level], dtype=np.float64)


def minus(line: Polyline, level: Level) -> Polyline:
    """``line - level`` over the span of ``line``."""
    t, (a, b) = aligned(line, as_line(level, line))
    return t, a - b


def total(*lines: Polyline) -> Polyline:
    """Sum of polylines (of the currents of several stations, for example)."""
    known = [checked(line) for line in lines]
    grid = np.unique(np.concatenate([t for t, _ in known]))
    values = np.zeros(2 * len(grid))
    for line in known:
        values += _on_grid(line, grid)
    return np.repeat(grid, 2), values


def with_crossings(t: Array, values: Array, row: int, level: float = 0.0) -> tuple[Array, Array]:
    """Corners (t, values [line, n]) with one added wherever line ``row`` passes through ``level`` between corners."""
    d = values[row] - level
    crossed = np.flatnonzero((d[:-1] * d[1:] < 0) & (np.diff(t) > 0))
    if not len(crossed):
        return t, values
    share = d[crossed] / (d[crossed] - d[crossed + 1])
    times = t[crossed] + share * (t[crossed + 1] - t[crossed])
    points = values[:, crossed] + share * (values[:, crossed + 1] - values[:, crossed])
    points[row] = level
    return np.insert(t, crossed + 1, times), np.insert(values, crossed + 1, points, axis=1)


def split(line: Polyline, level: float = 0.0) -> Polyline:
    """``line`` with a corner wherever it passes through ``level``: each piece lies on one side of it."""
    t, values = with_crossings(line[0], line[1][np.newaxis, :], 0, level)
    return t, values[0]


def smaller(line: Polyline, level: Level) -> Polyline:
    """The smaller of the two at every time, over the span of ``line`` and exact where they cross."""
    t, (a, b) = aligned(line, as_line(level, line))
    t, rows = with_crossings(t, np.vstack([a, b, a - b]), 2)
    return t, np.minimum(rows[0], rows[1])


def positive(line: Polyline) -> Polyline:
    """``max(line, 0)``, exact where it crosses zero."""
    t, v = split(line)
    return t, np.maximum(v, 0.0)


def runs_above(line: Polyline, level: float = 0.0) -> list[tuple[float, float]]:
    """Intervals (start, stop) in which ``line`` is above ``level``; intervals that touch count as one."""
    t, v = split(line, level)
    return [(float(t[first]), float(t[last])) for first, last in zip(*run_corners(t, v, level), strict=True)]


def run_corners(t: Array, v: Array, level: float) -> tuple[Indices, Indices]:
    """Indices of the first and the last corner of every run of a line that :func:`split` has cut at ``level``."""
    above = np.flatnonzero((np.maximum(v[:-1], v[1:]) > level) & (np.diff(t) > 0))
    first = np.ones(len(above), dtype=np.bool_)
    first[1:] = t[above[1:]] > t[above[:-1] + 1]
    return above[first], above[np.append(first[1:], True)] + 1 if len(above) else above


def first_at_or_above(line: Polyline, level: float) -> float:
    """First time at which ``line`` is at or above ``level``; ``inf`` when it never is."""
    t, v = split(line, level)
    hits = np.flatnonzero(v >= level)
    return float(t[hits[0]]) if len(hits) else math.inf


def last_above(line: Polyline, level: float) -> float:
    """The time from which on ``line`` stays at or below ``level``: ``-inf`` if always, ``inf`` if above at its end."""
    t, v = split(line, level)
    above = np.flatnonzero(v > level)
    if not len(above):
        return -math.inf
    if above[-1] == len(v) - 1:
        return math.inf
    return float(t[above[-1] + 1])
