"""What follows the end of a limit: how steeply a power rises to new heights, and how far beyond what it was before."""

from __future__ import annotations

import math

import numpy as np

from hilbench.metrics.polyline import Polyline, duration, highest_mean, step_means

STEP_S = 1.0
"""Means over so long are looked at: shorter than this no car changes its current."""


def steepest_share(line: Polyline, window_s: float, least: float) -> float:
    """The part of all that ``line`` rises above its beginning that it gains within ``window_s``.

    What counts is how high it has been so far: cars that take turns lower it for a moment, and their return is no
    rise. 0 where it rises by less than ``least``, or does not last a second.
    """
    count = int(duration(line) // STEP_S)
    if count < 1:
        return 0.0
    highest = np.maximum.accumulate(step_means(line, float(line[0][0]), STEP_S, count))
    whole = float(highest[-1] - highest[0])
    if whole < least:
        return 0.0
    ahead = np.minimum(np.arange(count) + round(window_s / STEP_S), count - 1)
    return float((highest[ahead] - highest).max()) / whole


def rebound(before: Polyline, after: Polyline, window_s: float) -> float:
    """The highest mean over ``window_s`` of ``after`` as a multiple of that of ``before``; 1 where both are nothing."""
    was, became = max(highest_mean(before, window_s), 0.0), max(highest_mean(after, window_s), 0.0)
    return became / was if was > 0.0 else 1.0 if became == 0.0 else math.inf


__all__ = ["rebound", "steepest_share"]
