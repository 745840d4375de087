"""Fallback: when a signal went to its safe level after a loss, how high it was there, and when it came back."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hilbench.metrics.polyline import Polyline, after, between, last_above, runs_above

SETTLING_S = 10.0
"""A car that comes down to its fallback has arrived after so long: it may take 5 s to follow its pilot (IEC 61851-1
Annex A, recalled), slow ones 8 s (measured)."""


@dataclass(frozen=True)
class Fallback:
    """Entry into a safe level.

    ``entry_s`` counts from the loss and is ``inf`` when the level was not held to the end of the window.
    ``level_a`` is the highest current from ``SETTLING_S`` after entry on (at entry itself it is the ceiling by
    definition), or in the whole window when there was no entry.
    """

    entry_s: float
    level_a: float


def fallback(line: Polyline, t0: float, t1: float, level_a: float, tolerance_a: float) -> Fallback:
    """Entry of ``line`` into ``level_a`` + ``tolerance_a`` after the loss at ``t0``, held until ``t1``."""
    window = between(line, t0, t1)
    ceiling = level_a + tolerance_a
    entered = max(last_above(window, ceiling), t0)
    if math.isinf(entered):
        return Fallback(math.inf, highest(line, t0, t1))
    settled = entered + SETTLING_S if entered + SETTLING_S < t1 else t1
    return Fallback(entered - t0, highest(line, settled, t1))


def highest(line: Polyline, t0: float, t1: float) -> float:
    """The largest value in [t0, t1]: the level really held, or a peak during boot."""
    return float(between(line, t0, t1)[1].max())


def exit_time(line: Polyline, restored: float, level_a: float, tolerance_a: float) -> float:
    """Seconds from ``restored`` until the line is first above ``level_a + tolerance_a``; ``inf`` when it never is.

    Too short an exit is a missing hysteresis: data that came back once may be gone again.
    """
    runs = runs_above(after(line, restored), level_a + tolerance_a)
    return runs[0][0] - restored if runs else math.inf
