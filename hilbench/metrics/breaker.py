"""Would the breaker have tripped? A thermal-memory model between the gates that the product standards guarantee.

``theta' = (i^2 - theta) / tau`` with ``i`` = current / rating; the device trips at ``theta >= k^2`` (the thermal
image of IEC 60255-149; secondary, from relay manuals). Between two corners of a polyline the current is straight, so
theta is a parabola plus an exponential and is computed exactly; only the time of a crossing is found by bisection.

Each standard leaves a band between a *fast* device, which trips as early as it may, and a *slow* one, which trips as
late as it may. What trips neither "cannot trip"; what trips both "must trip"; the rest is indeterminate, and
``fraction`` says how far the slow device was from tripping.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hilbench.metrics.polyline import Indices, Polyline, checked, first_at_or_above, split
from hilbench.signals import Array

Outcome = Literal["cannot-trip", "indeterminate", "must-trip"]
BoolArray = NDArray[np.bool_]
Standard = Literal["UL 489", "IEC 60898-1"]


@dataclass(frozen=True)
class Thermal:
    """Thermal element: pick-up ``k`` [x of rating] and time constant ``tau_s`` [s], 0 for one without any delay."""

    k: float
    tau_s: float


@dataclass(frozen=True)
class Breaker:
    """An OCPD: its slowest and fastest thermal elements, and the band [x of rating] of its magnetic trip, if known."""

    standard: Standard
    rating_a: float
    slow: Thermal
    fast: Thermal
    magnetic: tuple[float, float] | None = None


UL_489_SLOW = (
    # rating up to [A], longest trip time at 200 % [s], pick-up k that also meets the 135 % gate
    (30, 120, 1.3499),
    (50, 240, 1.3499),
    (100, 360, 1.3499),
    (150, 480, 1.3499),
    (225, 600, 1.3495),
    (400, 720, 1.3484),
    (600, 840, 1.3461),
    (800, 960, 1.3424),
    (1000, 1080, 1.3368),
    (1200, 1200, 1.3293),
    (1600, 1320, 1.3197),
    (2000, 1440, 1.3077),
)
"""UL 489: at 200 % trips within the time given, at 135 % within 1 h (<= 50 A) or 2 h (> 50 A), holds 100 % for good.

The gates are secondary, the 200 % times recalled; k is fitted to both gates.
"""
UL_489_FAST = Thermal(k=1.0, tau_s=0.0)
"""UL 489 promises no least time above 100 %, so any excess may trip the fastest device (policy-default)."""
IEC_60898_SLOW = ((32, Thermal(1.449, 153.9)), (125, Thermal(1.449, 307.8)))
"""IEC 60898-1: 1.45 In trips within 1 h (2 h above 63 A); 2.55 In cold within 60 s up to 32 A, else 120 s.

The 1.45 gate is vendor-doc, the 2.55 row recalled; the elements are fitted to both.
"""
IEC_60898_FAST = Thermal(1.13, 4.57)
"""IEC 60898-1: 1.13 In holds for 1 h (vendor-doc); 2.55 In from cold takes at least 1 s (recalled)."""
IEC_60898_MAGNETIC = {"B": (3.0, 5.0), "C": (5.0, 10.0), "D": (10.0, 20.0)}
"""IEC 60898-1: instantaneous trip between these multiples of In (vendor-doc)."""


def ul_489(rating_a: float) -> Breaker:
    """A UL 489 breaker; raises ``ValueError`` above the 2000 A of the table."""
    for largest, t200_s, k in UL_489_SLOW:
        if rating_a <= largest:
            return Breaker("UL 489", rating_a, Thermal(k, tau_for(2.0, t200_s, k)), UL_489_FAST)
    raise ValueError(f"no UL 489 gates are known above {UL_489_SLOW[-1][0]} A, asked for {rating_a:g} A")


def iec_60898(rating_a: float, curve: str = "C") -> Breaker:
    """An IEC 60898-1 breaker of curve B, C or D; raises ``ValueError`` above 125 A or for another curve."""
    if curve not in IEC_60898_MAGNETIC:
        raise ValueError(f"curve {curve!r} is not one of {', '.join(IEC_60898_MAGNETIC)}")
    for largest, slow in IEC_60898_SLOW:
        if rating_a <= largest:
            return Breaker("IEC 60898-1", rating_a, slow, IEC_60898_FAST, IEC_60898_MAGNETIC[curve])
    raise ValueError(f"IEC 60898-1 ends at {IEC_60898_SLOW[-1][0]} A, asked for {rating_a:g} A")


def usual_breaker(rating_a: float, frequency_hz: float) -> Breaker:
    """What protects a node of that rating: IEC 60898-1 at 50 Hz as far as it goes, else UL 489; see those."""
    european = frequency_hz < 55.0 and rating_a <= IEC_60898_SLOW[-1][0]
    return iec_60898(rating_a) if european else ul_489(rating_a)


def trip_time(i: float, thermal: Thermal, preload: float = 0.0) -> float:
    """Seconds until a constant current ``i`` [x of rating] trips after a long ``preload``; ``inf`` when never."""
    if preload >= thermal.k:
        return 0.0
    if i <= thermal.k:
        return math.inf
    return thermal.tau_s * math.log((i * i - preload**2) / (i * i - thermal.k**2)) if thermal.tau_s > 0 else 0.0


def tau_for(i: float, trip_s: float, k: float) -> float:
    """Time constant [s] with which a cold element of pick-up ``k`` trips at ``i`` [x of rating] after ``trip_s``."""
    return trip_s / math.log(i * i / (i * i - k * k))


@dataclass(frozen=True)
class ThermalHistory:
    """theta at every corner ``t``; the largest theta at any time, as a ``fraction`` of k^2; the first trip time."""

    t: Array
    theta: Array
    fraction: float
    trip_s: float


def thermal_history(
    line: Polyline, rating_a: float, thermal: Thermal, preload_a: float | None = None
) -> ThermalHistory:
    """Run the current ``line`` [A] through a thermal element.

    ``preload_a`` [A] flowed for a long time before (default: the first value of the line; 0 for a cold start).
    ``trip_s`` is on the time axis of the line and ``inf`` without a trip.
    """
    t, i = split(checked(line))
    i = np.abs(i) / rating_a
    k2 = thermal.k**2
    if thermal.tau_s == 0:
        trip = first_at_or_above((t, i), np.nextafter(thermal.k, np.inf))
        return ThermalHistory(t, i * i, float(np.max(i * i)) / k2, trip)
    theta0 = float(i[0]) ** 2 if preload_a is None else (preload_a / rating_a) ** 2
    pieces = _Pieces(t, i, thermal.tau_s)
    theta = pieces.theta_at_corners(theta0)
    piece, s = pieces.peaks(theta, k2)
    peaks = pieces.theta_after(theta[piece], s, piece)
    top = float(np.max(np.append(theta, peaks)))
    return ThermalHistory(t, theta, top / k2, _trip_time(pieces, theta, piece[peaks >= k2], s[peaks >= k2], k2))


class _Pieces:
    """The straight pieces of i(t) [x of rating]: exact theta anywhere inside each of them."""

    def __init__(self, t: Array, i: Array, tau_s: float) -> None:
        self.start, self.length, self.tau_s = t[:-1], np.diff(t), tau_s
        self.i0, self.rise = i[:-1], np.diff(i)

    def theta_after(self, theta0: Array, s: Array, at: Indices) -> Array:
        """theta of the pieces ``at``, ``s`` seconds into each, from ``theta0`` at their start."""
        return theta0 * np.exp(-s / self.tau_s) + self._heat(s, at)

    def _heat(self, s: Array, at: Indices) -> Array:
        """Integral of i^2 exp(-(s - u) / tau) / tau over the first ``s`` seconds of each piece."""
        i0, rise = self.i0[at], self._risen(s, at)
        w0, w1, w2 = _weights(s / self.tau_s)
        return w0 * i0**2 + 2.0 * w1 * i0 * rise + w2 * rise**2

    def _risen(self, s: Array, at: Indices) -> Array:
        length = self.length[at]
        return self.rise[at] * np.divide(s, length, out=np.zeros_like(s), where=length > 0)

    def _heating(self, theta0: Array, s: Array, at: Indices) -> BoolArray:
        """True where theta still rises: it does while it is below the squared current."""
        return (self.i0[at] + self._risen(s, at)) ** 2 > self.theta_after(theta0, s, at)

    def theta_at_corners(self, theta0: float) -> Array:
        """theta at every corner, from ``theta0`` at the first."""
        values = [theta0]
        heat = self._heat(self.length, np.arange(len(self.length)))
        for keep, add in zip(np.exp(-self.length / self.tau_s).tolist(), heat.tolist(), strict=True):
            values.append(values[-1] * keep + add)
        return np.array(values)

    def peaks(self, theta: Array, enough: float) -> tuple[Indices, Array]:
        """Pieces inside which theta is largest, and when: only those that can pass every corner or ``enough``.

        Inside a piece that falls theta first rises, then falls; it stays below what its first current would give.
        """
        bound = self.i0**2 + (theta[:-1] - self.i0**2) * np.exp(-self.length / self.tau_s)
        at = np.flatnonzero((self.rise < 0) & (bound > min(float(np.max(theta)), enough)))
        low, high = np.zeros(len(at)), self.length[at]
        for _ in range(50):
            middle = (low + high) / 2.0
            rising = self._heating(theta[at], middle, at)
            low, high = np.where(rising, middle, low), np.where(rising, high, middle)
        return at, low


def _weights(x: Array) -> tuple[Array, Array, Array]:
    """``x * integral of r^k exp(-x (1 - r))`` over r in [0, 1] for k = 0, 1, 2."""
    small = x < 0.01
    y = np.where(small, 1.0, x)  # the closed forms cancel near zero; there the series is exact to 1e-16
    p0 = -np.expm1(-y) / y
    p1 = (1.0 - p0) / y
    p2 = (1.0 - 2.0 * p1) / y
    series = [_series(x, k) for k in range(3)]
    w0, w1, w2 = (x * np.where(small, near, far) for near, far in zip(series, (p0, p1, p2), strict=True))
    return w0, w1, w2


def _series(x: Array, k: int) -> Array:
    terms = [(-x) ** j * (math.factorial(k) / math.factorial(k + j + 1)) for j in range(6)]
    return np.asarray(sum(terms), dtype=np.float64)


def _trip_time(pieces: _Pieces, theta: Array, hot: Indices, peak_at: Array, k2: float) -> float:
    """First time at k2: at the start, within a piece that ends above it, or before the peak inside a ``hot`` one."""
    if theta[0] >= k2:
        return float(pieces.start[0]) if len(pieces.start) else math.inf
    ends = {int(piece): float(pieces.length[piece]) for piece in np.flatnonzero(theta[1:] >= k2)[:1]}
    ends.update({int(piece): float(s) for piece, s in zip(hot[:1], peak_at[:1], strict=True)})
    if not ends:
        return math.inf
    piece = min(ends)
    at, low, high = np.array([piece]), 0.0, ends[piece]
    for _ in range(60):
        middle = (low + high) / 2.0
        reached = bool(pieces.theta_after(theta[at], np.array([middle]), at)[0] >= k2)
        low, high = (low, middle) if reached else (middle, high)
    return float(pieces.start[piece]) + high


@dataclass(frozen=True)
class BreakerVerdict:
    """What the standard allows to conclude.

    ``fraction`` is the heat of the slow element as a share of its trip value; ``may_trip_s`` and ``must_trip_s`` are
    times on the axis of the line, ``inf`` when not reached.
    """

    outcome: Outcome
    fraction: float
    may_trip_s: float
    must_trip_s: float


def assess(line: Polyline, breaker: Breaker, preload_a: float | None = None) -> BreakerVerdict:
    """Judge the current ``line`` [A] in one pole of ``breaker``; ``preload_a`` as in :func:`thermal_history`."""
    slow = thermal_history(line, breaker.rating_a, breaker.slow, preload_a)
    fast = thermal_history(line, breaker.rating_a, breaker.fast, preload_a)
    may, must = fast.trip_s, slow.trip_s
    if breaker.magnetic is not None:
        size = line[0], np.abs(line[1]) / breaker.rating_a
        low, high = (first_at_or_above(size, multiple) for multiple in breaker.magnetic)
        may, must = min(may, low), min(must, high)
    outcome: Outcome = "must-trip" if must < math.inf else "indeterminate" if may < math.inf else "cannot-trip"
    return BreakerVerdict(outcome, slow.fraction, may, must)
