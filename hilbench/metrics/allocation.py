"""How current and energy were shared among the stations: fairness, satisfaction, starvation, least offer."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from hilbench.metrics.polyline import Level, Polyline, aligned, as_line, checked, runs_above, with_crossings
from hilbench.site import MINIMUM_CURRENT_A


def jain_index(shares: Sequence[float], weights: Sequence[float] | None = None) -> float:
    """Jain's fairness index of what each received: (sum x)^2 / (n sum x^2), 1 is equal and 1/n is all to one.

    ``weights`` are entitlements; the index is then taken of ``share / weight``. ``nan`` when nobody received
    anything. Raises ``ValueError`` for no shares, negative shares or weights that are not positive.
    """
    x = np.asarray(shares, dtype=np.float64)
    w = np.ones_like(x) if weights is None else np.asarray(weights, dtype=np.float64)
    if not len(x) or x.shape != w.shape:
        raise ValueError("fairness needs one weight per share, and at least one share")
    if not (np.isfinite(x).all() and (x >= 0).all() and np.isfinite(w).all() and (w > 0).all()):
        raise ValueError("shares must be >= 0 and weights > 0")
    x = x / w
    squares = float(np.sum(x * x))
    return float(np.sum(x)) ** 2 / (len(x) * squares) if squares > 0 else math.nan


def energy_satisfaction(delivered: Sequence[float], requested: Sequence[float]) -> float:
    """Share of the requested energy that was delivered, a session's surplus not counting for another.

    Any unit, the same for both. ``nan`` when nothing was requested; raises ``ValueError`` on unequal lengths.
    """
    got, wanted = np.asarray(delivered, dtype=np.float64), np.asarray(requested, dtype=np.float64)
    if got.shape != wanted.shape:
        raise ValueError("one delivered energy per requested energy")
    asked = float(np.sum(wanted))
    return float(np.sum(np.minimum(got, wanted))) / asked if asked > 0 else math.nan


def served_share(
    drawn: Polyline,
    wanted: Polyline,
    above: Sequence[tuple[Polyline, Level]],
    least_a: float = MINIMUM_CURRENT_A,
) -> Polyline:
    """How far a car's wish or something above it is exhausted: 1 is a car that could not have more, 0 one left alone.

    The larger of what it draws of what it wants [A of A] and the fullest of ``above``, pairs of a current and its
    limit [A]. Where a car draws nothing, a limit that has less than ``least_a`` left counts as reached: it could not
    begin. 1 when it wants less than that. Exact at the corners of all lines.
    """
    pairs = [part for line, limit in above for part in (line, as_line(limit, line))]
    t, rows = aligned(drawn, wanted, *pairs)
    own, wish, used, limits = rows[0], rows[1], rows[2::2], rows[3::2]
    next_a = np.where(own < 1.0, least_a, 0.0)
    full = np.divide(used + next_a, limits, out=np.ones_like(used), where=limits > 0)
    share = np.divide(own, wish, out=np.ones_like(own), where=wish >= least_a)
    return t, np.clip(np.vstack([full, share]).max(axis=0), 0.0, 1.0)


def starvation_time(current: Polyline, demand: Polyline, floor_a: float = MINIMUM_CURRENT_A) -> float:
    """Longest uninterrupted time [s] with less than ``floor_a`` while the car wants current (``demand`` > 0)."""
    t, (given, wanted) = aligned(current, demand)
    t, rows = with_crossings(t, np.vstack([given, wanted]), 0, floor_a)
    middle = (rows[:, :-1] + rows[:, 1:]) / 2.0
    hungry = ((middle[0] < floor_a) & (middle[1] > 0)).astype(np.float64)
    runs = runs_above((np.repeat(t, 2)[1:-1], np.repeat(hungry, 2)), 0.5)
    return max((stop - start for start, stop in runs), default=0.0)


def minimum_offer(offers: Iterable[Polyline]) -> float:
    """Least current [A] that was offered for any time at all, pauses (0 A) left out; ``nan`` when all were pauses.

    For ``step`` signals (the offered current): on a ramp from zero the least offer is next to nothing.
    """
    least = math.inf
    for line in offers:
        t, v = checked(line)
        held = np.diff(t) > 0
        values = np.concatenate((v[:-1][held], v[1:][held]))
        values = values[values > 0]
        least = min(least, float(values.min())) if len(values) else least
    return least if math.isfinite(least) else math.nan
