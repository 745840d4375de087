"""The edges of a pilot behind 1 kOhm with a capacitance, a diode and a load: pieces that meet at the diode.

Below the forward voltage of the diode (``knee_v``) the node charges through R1 alone, above it through R1 beside the
load, so that two time constants and the two resting levels describe both edges of a source that jumps. Slopes are
continuous at the knee, which gives what the first exponential heads for. A circuit without diode is the case of equal
time constants. A source that takes its time is taken for a straight ramp: while it lasts, the node follows a line.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Volts = NDArray[np.float64]
KNEE_V, KNEE_U_V = 0.7, 0.1
"""Forward voltage of the EV's diode: 0.55 to 0.85 V from -40 to +85 degC and 2.75 to 10 mA (recalled)."""
RAMP_S, RAMP_U = 0.4e-6, 1.2
"""Time of the source from rail to rail, and the standard deviation of its logarithm, before anything is seen: from next
to nothing to the 2.5 us of a generator that takes 2 us from 10 to 90 % (limit recalled; policy-default)."""
_MOST_STEPS = 20


class Piece(NamedTuple):
    """From ``begin_s`` on: ``level_v + slope x + swing_v exp(-x / tau_s)``, ``x`` being the time since."""

    begin_s: float
    level_v: float
    slope: float
    swing_v: float
    tau_s: float

    def value(self, x: float) -> float:
        """Voltage, ``x`` seconds after its begin."""
        return self.level_v + self.slope * x + self.swing_v * math.exp(-x / self.tau_s)

    def reaching(self, level_v: float) -> float:
        """How long after its begin the piece passes a level that it does pass, or would if it did not end."""
        if self.slope == 0.0:
            ratio = self.swing_v / (level_v - self.level_v) if level_v != self.level_v else math.inf
            return self.tau_s * math.log(ratio) if ratio > 1.0 else 0.0
        return self._on_a_ramp(level_v)

    def _on_a_ramp(self, level_v: float) -> float:
        """Newton's steps from the side from which they never overshoot: where the exponential is over."""
        per_tau = self.slope * self.tau_s
        goal, curve = (level_v - self.level_v) / per_tau, self.swing_v / per_tau
        u = max(goal, 1e-6)
        for _ in range(_MOST_STEPS):
            bent = curve * math.exp(-u)
            step = (u + bent - goal) / max(1.0 - bent, 1e-9)
            u = max(u - step, 0.0)
            if abs(step) < 1e-9:
                break
        return u * self.tau_s


@dataclass(frozen=True)
class Edge:
    """From ``start_v`` to ``last_v`` in pieces. Time counts from the instant at which the source begins to move [s]."""

    start_v: float
    last_v: float
    pieces: tuple[Piece, ...]

    def value(self, x: Volts) -> Volts:
        """Voltage at the times ``x``."""
        volts = np.full(x.shape, self.start_v)
        for piece in self.pieces:
            since = np.maximum(x - piece.begin_s, 0.0)
            bent = piece.level_v + piece.swing_v * np.exp(-since / piece.tau_s)
            volts = np.where(x < piece.begin_s, volts, bent + piece.slope * since if piece.slope else bent)
        return volts

    def reaching(self, level_v: float) -> float:
        """When the edge passes ``level_v``, which lies between its ends."""
        piece = self._passing(level_v)
        return piece.begin_s + piece.reaching(level_v)

    def heading(self, level_v: float) -> tuple[float, float]:
        """What the edge of a source that jumps heads for while it passes ``level_v``, and its time constant."""
        piece = self._passing(level_v)
        return piece.level_v, piece.tau_s

    def steepness(self, level_v: float) -> float:
        """Slope [V/s] where the edge passes the level, at least 1."""
        piece = self._passing(level_v)
        fading = piece.swing_v / piece.tau_s * math.exp(-piece.reaching(level_v) / piece.tau_s)
        return max(abs(piece.slope - fading), 1.0)

    def left_over(self, x: float) -> float:
        """How far the edge is from its end [V] at the time ``x``, in its last piece."""
        last = self.pieces[-1]
        return last.swing_v * math.exp(-max(x - last.begin_s, 0.0) / last.tau_s)

    def _passing(self, level_v: float) -> Piece:
        """The piece that passes the level."""
        sign = 1.0 if self.last_v > self.start_v else -1.0
        found = self.pieces[0]
        for piece in self.pieces[1:]:
            if (level_v - piece.value(0.0)) * sign > 0.0:
                found = piece
        return found


class _Side(NamedTuple):
    """What holds on one side of the knee: where the node heads for before and after the ramp, and how fast."""

    before_v: float
    after_v: float
    tau_s: float

    def ramp(self, begin_s: float, begin_v: float, ramp_s: float) -> Piece:
        """The piece from ``begin_s`` on, while the source moves for ``ramp_s``."""
        slope = (self.after_v - self.before_v) / ramp_s
        level_v = self.before_v + slope * (begin_s - self.tau_s)
        return Piece(begin_s, level_v, slope, begin_v - level_v, self.tau_s)

    def rest(self, begin_s: float, begin_v: float) -> Piece:
        """The piece from ``begin_s`` on, once the source stands still."""
        return Piece(begin_s, self.after_v, 0.0, begin_v - self.after_v, self.tau_s)


def _edge(start_v: float, knee_v: float | None, ramp_s: float, first: _Side, last: _Side) -> Edge:
    """The pieces of an edge that passes from the side ``first`` to the side ``last``; no knee: ``last`` throughout."""
    if knee_v is None:
        first = last
    if ramp_s <= 0.0:
        pieces = [first.rest(0.0, start_v)]
    else:
        ramp = first.ramp(0.0, start_v, ramp_s)
        pieces = [ramp, first.rest(ramp_s, ramp.value(ramp_s))]
    if knee_v is None:
        return Edge(start_v, last.after_v, tuple(pieces))
    sign = 1.0 if last.after_v > start_v else -1.0
    if ramp_s > 0.0 and (pieces[1].value(0.0) - knee_v) * sign > 0.0:
        turn_s = pieces[0].reaching(knee_v)
        ramp = last.ramp(turn_s, knee_v, ramp_s)
        pieces = [pieces[0], ramp, last.rest(ramp_s, ramp.value(ramp_s - turn_s))]
    else:
        turn_s = pieces[-1].begin_s + pieces[-1].reaching(knee_v)
        pieces.append(last.rest(turn_s, knee_v))
    return Edge(start_v, last.after_v, tuple(pieces))


@dataclass(frozen=True)
class Shape:
    """Resting levels, time constant below the knee, ratio of the one above to it, and the knee.

    ``rise_ramp_s`` and ``fall_ramp_s`` are how long the source takes from rail to rail. ``high_s`` and ``low_s`` are
    the times from one start of the source to the next: the resting level is not reached in short ones, and the next
    edge starts from where the last one got to.
    """

    high_v: float
    low_v: float
    tau_s: float
    ratio: float
    knee_v: float = KNEE_V
    high_s: float = math.inf
    low_s: float = math.inf
    rise_ramp_s: float = 0.0
    fall_ramp_s: float = 0.0

    @property
    def two_parts(self) -> bool:
        """True when the levels lie on both sides of the knee, with room."""
        return self.low_v + 0.2 < self.knee_v < self.high_v - 0.2

    @property
    def middle_v(self) -> float:
        """Half way between the levels."""
        return (self.high_v + self.low_v) / 2.0

    @cached_property
    def rise(self) -> Edge:
        """From the low level to the high one."""
        lacking_v = self._fall(self.high_v).left_over(self.low_s) if self.low_s < math.inf else 0.0
        return self._rise(self.low_v + lacking_v)

    @cached_property
    def fall(self) -> Edge:
        """From the high level to the low one."""
        lacking_v = self._rise(self.low_v).left_over(self.high_s) if self.high_s < math.inf else 0.0
        return self._fall(self.high_v + lacking_v)

    def _sides(self) -> tuple[_Side, _Side]:
        """Below and above the knee, for a rise: what the levels of the source would be without the other side."""
        below_v = self.knee_v + (self.high_v - self.knee_v) / self.ratio
        above_v = self.knee_v - (self.knee_v - self.low_v) * self.ratio
        below = _Side(self.low_v, below_v, self.tau_s)
        return below, _Side(above_v, self.high_v, self.tau_s * self.ratio)

    def _rise(self, start_v: float) -> Edge:
        if not self.two_parts:
            plain = _Side(self.low_v, self.high_v, self.tau_s)
            return _edge(start_v, None, self.rise_ramp_s, plain, plain)
        below, above = self._sides()
        return _edge(start_v, self.knee_v, self.rise_ramp_s, below, above)

    def _fall(self, start_v: float) -> Edge:
        if not self.two_parts:
            plain = _Side(self.high_v, self.low_v, self.tau_s)
            return _edge(start_v, None, self.fall_ramp_s, plain, plain)
        below, above = (_Side(side.after_v, side.before_v, side.tau_s) for side in self._sides())
        return _edge(start_v, self.knee_v, self.fall_ramp_s, above, below)


def expected_ratio(high_v: float, low_v: float) -> float:
    """Ratio of the time constants if the source is as far up as ``low_v`` is down: 1 without a load."""
    return min(max((high_v - KNEE_V) / max(-low_v - KNEE_V, 1.0), 0.02), 1.0)
