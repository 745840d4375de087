"""Would a device have opened whose time-current band is known: a fuse, or whatever a user has the curve of?

A curve says after how many seconds a constant current opens the device. A current that changes adds up: at each
moment a share ``dt / time(current)``, and at 1 the device opens (the integral of IEEE C37.112, as relay manuals use it;
secondary). Below its least current a device forgets, at no current within the time of its least current, near that
current hardly (policy-default). Times between two points of a curve are straight in the logarithms of both.

Beyond its last point a curve promises nothing more: the fastest device may open at once, the slowest takes no longer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from hilbench.metrics.breaker import BreakerVerdict, Outcome
from hilbench.metrics.polyline import Polyline, checked, first_at_or_above, split
from hilbench.signals import Array

Points = tuple[tuple[float, float], ...]
"""Times [s] by current [x of rating], currents rising, times not."""
PARTS = 16
"""Pieces into which a ramp is cut; within each the current counts as its middle (policy-default)."""


@dataclass(frozen=True)
class Curve:
    """What opens between its ``fast`` and its ``slow`` points; ``title`` names the device in words."""

    title: str
    rating_a: float
    fast: Points
    slow: Points


def operating_time(multiple: Array, points: Points) -> Array:
    """Seconds in which a current [x of rating] opens a device; ``inf`` below the first point, the last one beyond."""
    currents, times = (np.array(part, dtype=np.float64) for part in zip(*points, strict=True))
    safe = np.maximum(multiple, currents[0])
    found = np.exp(np.interp(np.log(safe), np.log(currents), np.log(times)))
    return np.where(multiple < currents[0], math.inf, found)


@dataclass(frozen=True)
class CurveHistory:
    """The largest sum of shares, 1 opens, and when that was reached (``inf``: never), on the axis of the line."""

    fraction: float
    trip_s: float


def curve_history(line: Polyline, rating_a: float, points: Points) -> CurveHistory:
    """Add up the current ``line`` [A] on a device that is cold when it begins."""
    t, amps = _pieces(line, points[0][0] * rating_a)
    middle, length = np.abs(amps[:-1] + amps[1:]) / 2.0 / rating_a, np.diff(t)
    rate = np.where(middle < points[0][0], 0.0, 1.0 / operating_time(middle, points))
    rate -= np.where(middle < points[0][0], (1.0 - (middle / points[0][0]) ** 2) / points[0][1], 0.0)
    share, top, trip_s = 0.0, 0.0, math.inf
    for start, seconds, speed in zip(t.tolist(), length.tolist(), rate.tolist(), strict=False):
        before, share = share, max(share + speed * seconds, 0.0)
        top = max(top, share)
        if share >= 1.0 and trip_s == math.inf:
            trip_s = start + max(1.0 - before, 0.0) / speed if before < 1.0 else start
    return CurveHistory(top, trip_s)


def _pieces(line: Polyline, least_a: float) -> Polyline:
    """The line with a corner where it passes the least current, and with its ramps cut into parts."""
    t, amps = split(split(checked(line), least_a), -least_a)
    ramp = (np.diff(amps) != 0.0) & (np.diff(t) > 0.0)
    at = np.flatnonzero(ramp)
    shares = np.arange(1, PARTS) / PARTS
    times = (t[at, None] + np.diff(t)[at, None] * shares).ravel()
    values = (amps[at, None] + np.diff(amps)[at, None] * shares).ravel()
    where = np.repeat(at + 1, PARTS - 1)
    return np.insert(t, where, times), np.insert(amps, where, values)


def assess(line: Polyline, device: Curve) -> BreakerVerdict:
    """Judge the current ``line`` [A] through ``device``, which is cold when it begins."""
    slow = curve_history(line, device.rating_a, device.slow)
    fast = curve_history(line, device.rating_a, device.fast)
    beyond_a = np.nextafter(device.fast[-1][0], math.inf) * device.rating_a
    may = min(fast.trip_s, first_at_or_above((line[0], np.abs(line[1])), beyond_a))
    outcome: Outcome = "must-trip" if slow.trip_s < math.inf else "indeterminate" if may < math.inf else "cannot-trip"
    return BreakerVerdict(outcome, slow.fraction, may, slow.trip_s)
