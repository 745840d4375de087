"""Exposure of a conductor or a budget: how far, how long and how much above; and how well the budget was used."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from hilbench.metrics.polyline import (
    Level,
    Polyline,
    aligned,
    between,
    checked,
    duration,
    minus,
    run_corners,
    split,
    with_crossings,
)
from hilbench.signals import Array


@dataclass(frozen=True)
class Excursion:
    """One uninterrupted stay above limit + tolerance.

    ``peak_a`` [A], ``ampere_seconds`` [A.s] and ``a2s`` [A2.s] count from the limit itself, not from the tolerance.
    """

    start: float
    duration_s: float
    peak_a: float
    ampere_seconds: float
    a2s: float


def excursions(line: Polyline, limit: Level, tolerance: float = 0.0) -> list[Excursion]:
    """All stays of ``line`` above ``limit + tolerance``, in order of time."""
    t, v = split(minus(line, limit), tolerance)
    charge, square = _areas(t, v), _square_areas(t, v)
    return [
        Excursion(
            start=float(t[i]),
            duration_s=float(t[j] - t[i]),
            peak_a=float(v[i : j + 1].max()),
            ampere_seconds=float(charge[i:j].sum()),
            a2s=float(square[i:j].sum()),
        )
        for i, j in zip(*run_corners(t, v, tolerance), strict=True)
    ]


def _areas(t: Array, v: Array) -> Array:
    return np.diff(t) * (v[:-1] + v[1:]) / 2.0


def _square_areas(t: Array, v: Array) -> Array:
    return np.diff(t) * (v[:-1] ** 2 + v[:-1] * v[1:] + v[1:] ** 2) / 3.0


@dataclass(frozen=True)
class Exposure:
    """Summary of the excursions above a limit: worst single ones, and totals.

    ``peak_a`` is the largest difference to the limit and negative when the line never reaches it.
    """

    peak_a: float
    longest_s: float
    worst_ampere_seconds: float
    worst_a2s: float
    time_above_s: float
    ampere_seconds: float
    a2s: float
    share_above: float
    count: int


def exposure(line: Polyline, limit: Level, tolerance: float = 0.0) -> Exposure:
    """How ``line`` [A] exceeded ``limit`` [A]; time counts above ``limit + tolerance``, amperes from ``limit``."""
    stays = excursions(line, limit, tolerance)
    above = math.fsum(stay.duration_s for stay in stays)
    length = duration(line)
    return Exposure(
        peak_a=float(minus(line, limit)[1].max()),
        longest_s=max((stay.duration_s for stay in stays), default=0.0),
        worst_ampere_seconds=max((stay.ampere_seconds for stay in stays), default=0.0),
        worst_a2s=max((stay.a2s for stay in stays), default=0.0),
        time_above_s=above,
        ampere_seconds=math.fsum(stay.ampere_seconds for stay in stays),
        a2s=math.fsum(stay.a2s for stay in stays),
        share_above=above / length if length > 0 else math.nan,
        count=len(stays),
    )


def square_integral(line: Polyline) -> float:
    """Integral of the square over time, exact for straight pieces."""
    return float(np.sum(_square_areas(*line)))


def reversals(line: Polyline, hysteresis: float = 1.0) -> int:
    """How often the line changes direction, counting only swings larger than ``hysteresis``."""
    values = checked(line)[1].tolist()
    count, direction, extreme = 0, 0, values[0]
    for value in values[1:]:
        if direction >= 0 and value < extreme - hysteresis:
            count += direction > 0
            direction, extreme = -1, value
        elif direction <= 0 and value > extreme + hysteresis:
            count += direction < 0
            direction, extreme = 1, value
        elif direction > 0:
            extreme = max(extreme, value)
        elif direction < 0:
            extreme = min(extreme, value)
    return count


def reversals_per_hour(line: Polyline, hysteresis: float = 1.0) -> float:
    """:func:`reversals` per hour of the line's duration; ``nan`` for an instant."""
    length = duration(line)
    return reversals(line, hysteresis) * 3600.0 / length if length > 0 else math.nan


def false_curtailment(feasible: Polyline, drawn: Polyline, headroom: Polyline, margin: float = 0.0) -> float:
    """A.s withheld from the cars while there was room for them.

    Integral of ``feasible - drawn`` where positive, counted only while ``headroom`` (limit minus site current) is
    above ``margin``.
    """
    t, (ideal, actual, room) = aligned(feasible, drawn, headroom)
    t, rows = with_crossings(t, np.vstack([ideal - actual, room]), 1, margin)
    t, rows = with_crossings(t, rows, 0)
    withheld, open_room = np.maximum(rows[0], 0.0), (rows[1][:-1] + rows[1][1:]) / 2.0 > margin
    return float(np.sum(_areas(t, withheld)[open_room]))


def largest_drop(line: Polyline, t0: float, t1: float) -> float:
    """How far the line falls in [t0, t1] below its value just before ``t0``; 0 when it never does."""
    t, v = checked(line)
    before = float(between((t, v), float(t[0]), t0)[1][-1]) if t0 > t[0] else float(v[0])
    return max(before - float(between((t, v), t0, t1)[1].min()), 0.0)
