"""What the building will draw: three forecasts, each a function of the days seen so far.

A day is one row of equally long steps; ``kinds`` numbers days that are alike, such as working days,
Saturdays and Sundays. The newest row may be
incomplete: NaN from now on.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from hilbench.controller.planning.model import Array

Forecast = Callable[[Array, NDArray[np.intp]], Array]
"""From history [day, step] (NaN: not yet seen) and the kind of each day to a full last day [step]."""
FADE_H = 3.0
"""How fast what is different today is forgotten (policy)."""
SURE = 0.9
"""On so many days the building keeps within the margin (policy)."""
MEMORY_DAYS = 5
"""So many days of a kind are looked back on: a holiday among them does not move their median (policy)."""


def persistence(history: Array, _kinds: NDArray[np.intp]) -> Array:
    """All stays as it is now."""
    seen = history[np.isfinite(history)]
    now = float(seen[-1]) if len(seen) else 0.0
    return np.where(np.isfinite(history[-1]), history[-1], now)


def seasonal_naive(history: Array, kinds: NDArray[np.intp]) -> Array:
    """As on the last day of the same kind."""
    before = _alike(history, kinds)
    if not len(before):
        return persistence(history, kinds)
    expected: Array = np.where(np.isfinite(history[-1]), history[-1], before[-1])
    return expected


def learned(history: Array, kinds: NDArray[np.intp]) -> Array:
    """The median of the last days of the same kind, and today's difference from it, which fades."""
    before = _alike(history, kinds)
    if not len(before):
        return persistence(history, kinds)
    usual: Array = np.median(before[-MEMORY_DAYS:], axis=0)
    known = np.isfinite(history[-1])
    count, now = len(usual), int(known.sum())
    if not now:
        return usual
    difference = float(np.mean(history[-1][max(now - count // 24, 0) : now] - usual[max(now - count // 24, 0) : now]))
    fades = np.exp(-(np.arange(count) - now) * 24.0 / count / FADE_H)
    expected: Array = np.where(known, history[-1], np.maximum(usual + difference * fades, 0.0))
    return expected


def surprise_kw(history: Array, kinds: NDArray[np.intp], forecast: Forecast, days: int = 20) -> float:
    """By how much the peak of a day exceeds that of its forecast on one of ten of the last whole ``days`` of its kind.

    A demand charge is paid for the worst quarter of an hour of a month: what was foreseen on an average day is no
    guide to it. The worst of all days is none either: after it cars would be kept away from hours that are never so
    high again.
    """
    alike = np.flatnonzero(np.isfinite(history[:-1]).all(axis=1) & (kinds[:-1] == kinds[-1]))
    excess = [0.0]
    for day in alike[1:][-days:]:
        blank = history[: day + 1].copy()
        blank[day] = np.nan
        excess.append(float(history[day].max() - forecast(blank, kinds[: day + 1]).max()))
    return max(float(np.quantile(excess[1:] or excess, SURE)), 0.0)


def _alike(history: Array, kinds: NDArray[np.intp]) -> Array:
    """Earlier days of today's kind, all seen."""
    whole = np.isfinite(history[:-1]).all(axis=1) & (kinds[:-1] == kinds[-1])
    found: Array = history[:-1][whole]
    return found
