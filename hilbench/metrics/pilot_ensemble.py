"""What the folded periods of a record say about the circuit and the times behind them: all that may be, weighed.

Unknowns of a walker: time of rise and fall [s], what the period is off [s], log time constant, log ratio, knee [V],
what the levels are off [V], the log of how long the source takes to rise and to fall, and that of how much edges
jitter.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hilbench.metrics.pilot_shape import KNEE_U_V, KNEE_V, RAMP_S, RAMP_U, Shape
from hilbench.metrics.pilot_train import JITTER_S, JITTER_U

Floats = NDArray[np.float64]
RISE, FALL, PERIOD, TAU, RATIO, KNEE, HIGH, LOW, RISE_RAMP, FALL_RAMP, JITTER = range(11)
UNKNOWNS = 11
UNITS = np.array([1e-7, 1e-7, 1e-9, 0.3, 0.1, 0.1, 0.01, 0.01, 0.5, 0.5, 0.5])
"""By how much walkers are moved to see what comes of it, in thousands."""
TAU_PRIOR = (math.log(1.5e-6), 1.0)
"""Mean and standard deviation of the log time constant before anything is seen (policy-default)."""
RATIO_U = 0.08
"""Standard deviation of the log ratio around what the levels let expect (policy-default)."""
KNEE_ROOM_V = 0.201
"""How far from the levels a knee is kept: a little more than ``Shape`` asks of one."""
_STEPS, _JITTERS = 6, np.geomspace(1e-11, 1e-4, 120)


@dataclass(frozen=True)
class Folded:
    """Samples around one edge of the mean period: time after the guessed crossing [s], number of the period after the
    middle one, volts, how many samples each is, their sum of squares around it [V^2], how steep the edge is [V/s], how
    many places share a step of the converter and so its error, how many samples share the jitter of one edge, and what
    that adds to the variance of the time of the mean edge, as a share of the jitter's."""

    at_s: Floats
    number: Floats
    volts: Floats
    count: Floats
    scatter: Floats
    steep: Floats
    alike: Floats
    together: float = 1.0
    shared: float = 0.0


@dataclass(frozen=True)
class Posterior:
    """What is known of a folded period: base shape, standard uncertainties of its levels [V], noise of a sample and
    what no averaging takes away [V], the jitter that is taken for granted in a search [s], how far off the edges and
    the period may be [s], and the samples of both edges."""

    base: Shape
    high_u_v: float
    low_u_v: float
    noise_v: float
    floor_v: float
    jitter_s: float
    edge_u_s: float
    period_u_s: float
    rise: Folded
    fall: Folded

    def shape(self, walker: Floats) -> Shape:
        """The shape of one walker."""
        base = self.base
        ratio, tau, rise_ramp_s, fall_ramp_s = np.exp(walker[[RATIO, TAU, RISE_RAMP, FALL_RAMP]]).tolist()
        return Shape(
            base.high_v + float(walker[HIGH]),
            base.low_v + float(walker[LOW]),
            tau,
            ratio,
            self._knee_v(walker),
            rise_ramp_s=rise_ramp_s,
            fall_ramp_s=fall_ramp_s,
        )

    def _knee_v(self, walker: Floats) -> float:
        """The knee of one walker: none, or one between its levels, as it is for the base shape."""
        if not self.base.two_parts:
            return -math.inf
        least, most = self.base.low_v + float(walker[LOW]), self.base.high_v + float(walker[HIGH])
        return min(max(float(walker[KNEE]), least + KNEE_ROOM_V), most - KNEE_ROOM_V)

    def crossing_s(self, walkers: Floats, shapes: list[Shape], rising: bool) -> Floats:
        """Where each walker crosses half way in the middle period, after the guess [s]."""
        begin = walkers[:, RISE if rising else FALL] - _Edges(self.base, walkers, rising).about_middle[:, 0]
        edges = [(shape.rise if rising else shape.fall, shape.middle_v) for shape in shapes]
        return np.asarray(begin + np.array([edge.reaching(middle_v) for edge, middle_v in edges]), dtype=np.float64)

    def folded(self, rising: bool) -> Folded:
        """The samples of one edge."""
        return self.rise if rising else self.fall

    def value(self, walkers: Floats, rising: bool, later_s: float = 0.0) -> Floats:
        """Voltage [V] of each walker (rows) at the samples of one edge, or a little later."""
        folded, edge = self.folded(rising), _Edges(self.base, walkers, rising)
        moved = walkers[:, [RISE if rising else FALL]] + walkers[:, [PERIOD]] * folded.number
        return edge.value(folded.at_s + later_s - moved + edge.about_middle)

    def single(self, rising: bool, jitter_s: Floats | float) -> Floats:
        """Variance [V^2] of single samples of one edge with that jitter."""
        return np.asarray(self.noise_v**2 + (jitter_s * self.folded(rising).steep) ** 2)

    def variance(self, rising: bool, jitter_s: Floats | float) -> Floats:
        """Variance [V^2] of what samples were averaged to."""
        folded = self.folded(rising)
        return self.single(rising, jitter_s) / folded.count + self.floor_v**2 * folded.alike

    def left(self, walkers: Floats, rising: bool, jitter_s: Floats | float) -> Floats:
        """What is left over at each sample of one edge, in standard deviations; one row per walker."""
        volts = self.folded(rising).volts
        return np.asarray((volts - self.value(walkers, rising)) / np.sqrt(self.variance(rising, jitter_s)))

    def residuals(self, walkers: Floats) -> Floats:
        """What is left over at all samples and of each prior with the jitter that is taken for granted."""
        parts = [self.left(walkers, rising, self.jitter_s) for rising in (True, False)]
        return np.concatenate([*parts, (walkers - self._centre) / self._spread], axis=1)

    def log(self, walkers: Floats) -> Floats:
        """Log of the posterior of each walker, up to a constant."""
        jitter_s = np.exp(walkers[:, [JITTER]])
        lefts = [self.left(walkers, True, jitter_s), self.left(walkers, False, jitter_s)]
        lefts.append((walkers - self._centre) / self._spread)
        squares = sum(np.einsum("ij,ij->i", left, left) for left in lefts)
        return np.asarray(np.interp(walkers[:, JITTER], np.log(_JITTERS), self._of_jitter) - squares / 2.0)

    @cached_property
    def _of_jitter(self) -> Floats:
        """What only the jitter says: how often the samples would scatter as they do."""
        total = np.zeros(len(_JITTERS))
        for rising in (True, False):
            folded, at = self.folded(rising), _JITTERS[:, None]
            single, mean = self.single(rising, at), self.variance(rising, at)
            inner = (folded.count - 1.0) * np.log(single) + folded.scatter / single
            total -= np.sum(np.log(mean) + inner / folded.together, axis=1) / 2.0
        return total

    @property
    def _centre(self) -> Floats:
        ratio, ramp = math.log(self.base.ratio), math.log(RAMP_S)
        return np.array([0.0, 0.0, 0.0, TAU_PRIOR[0], ratio, KNEE_V, 0.0, 0.0, ramp, ramp, math.log(JITTER_S)])

    @property
    def _spread(self) -> Floats:
        times, levels = (self.edge_u_s, self.edge_u_s, self.period_u_s), (self.high_u_v, self.low_u_v)
        return np.array([*times, TAU_PRIOR[1], RATIO_U, KNEE_U_V, *levels, RAMP_U, RAMP_U, JITTER_U])


class _Edges:
    """One edge for many walkers at once, in three pieces; the arrays have one row per walker and one column.

    ``about_middle`` is roughly when half of the swing is passed: the times of walkers are counted from there, so that
    they hardly depend on the shape.
    """

    def __init__(self, base: Shape, walkers: Floats, rising: bool) -> None:
        high, low = base.high_v + walkers[:, [HIGH]], base.low_v + walkers[:, [LOW]]
        tau, ramp = np.exp(walkers[:, [TAU]]), np.exp(walkers[:, [RISE_RAMP if rising else FALL_RAMP]])
        upper = tau * np.exp(walkers[:, [RATIO]]) if base.two_parts else tau
        self.start, end = (low, high) if rising else (high, low)
        knee = walkers[:, [KNEE]] if base.two_parts else end
        first_s, last_s = (tau, upper) if rising else (upper, tau)
        target = knee + (end - knee) * first_s / last_s if base.two_parts else end
        source = knee - (knee - self.start) * last_s / first_s if base.two_parts else self.start
        self._pieces(ramp, knee, (self.start, target, first_s), (source, end, last_s))
        middle = (high + low) / 2.0
        turn_s = first_s * _log((target - self.start) / (target - knee)) if base.two_parts else 0.0
        early = first_s * _log((target - self.start) / (target - middle))
        late = turn_s + last_s * _log((end - knee) / (end - middle)) if base.two_parts else early
        self.about_middle = np.where((middle - self.start) * (middle - knee) < 0.0, early, late) + ramp / 2.0

    def _pieces(self, ramp: Floats, knee: Floats, first: tuple[Floats, ...], last: tuple[Floats, ...]) -> None:
        """Begin, level, slope, swing and time constant of each, as ``pilot_shape`` has them for one edge."""
        (before, after, tau), (source, end, last_s) = first, last
        slope, last_slope = (after - before) / ramp, (end - source) / ramp
        ramped = before + slope * (ramp - tau + tau * np.exp(-ramp / tau))
        quick = (ramped - knee) * (end - before) > 0.0
        turn = np.where(quick, tau * _passing((knee - before) / (slope * tau)), ramp)
        never = np.full_like(ramped, math.inf)  # an edge without a knee heads for what is its last level
        rest_turn = ramp + tau * _log(np.divide(ramped - after, knee - after, out=never, where=knee != after))
        level = source + last_slope * (turn - last_s)
        reached = level + last_slope * (ramp - turn) + (knee - level) * np.exp(-(ramp - turn) / last_s)
        self.rows = (
            (np.zeros_like(ramp), before - slope * tau, slope, slope * tau, tau),
            (
                turn,
                np.where(quick, level, after),
                np.where(quick, last_slope, 0.0),
                np.where(quick, knee - level, ramped - after),
                np.where(quick, last_s, tau),
            ),
            (
                np.where(quick, ramp, rest_turn),
                end,
                np.zeros_like(ramp),
                np.where(quick, reached, knee) - end,
                last_s,
            ),
        )

    def value(self, x: Floats) -> Floats:
        """Voltage at the times after the source begins to move."""
        volts = self.start + np.zeros_like(x)
        for begin, level, slope, swing, tau in self.rows:
            since = np.maximum(x - begin, 0.0)
            np.copyto(volts, level + slope * since + swing * np.exp(since / -tau), where=x >= begin)
        return volts


def _passing(share: Floats) -> Floats:
    """The u at which u - 1 + exp(-u) is ``share``, by Newton's steps that never overshoot."""
    u = np.maximum(share + 1.0, 1e-6)
    for _ in range(_STEPS):
        bent = np.exp(-u)
        u = np.maximum(u - (u - 1.0 + bent - share) / np.maximum(1.0 - bent, 1e-9), 1e-9)
    return u


def _log(ratio: Floats) -> Floats:
    """Logarithm; the branch that does not apply may be asked for that of a negative ratio."""
    return np.asarray(np.log(np.maximum(ratio, 1e-9)))
