"""Where the edges of a pilot record are, and its two levels: a look at few samples, then at those around the edges."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from hilbench.waveform import Waveform

Indices = NDArray[np.intp]
Floats = NDArray[np.float64]
COARSE_S = 4e-6
"""Spacing of the first look: the shortest legal pulse, 3 % of 1 ms, has seven such samples."""
SHORT_S = 10e-6
"""Pulses shorter than that are none of a wave: the shortest of a table is 3 % of 1 ms (policy-default)."""
TAIL_S = 12e-6
"""What a short pulse leaves behind it is over by then on most wires (policy-default)."""
CHATTER_S = 2e-6
"""Noise may turn a slow edge over and over that far from where it was found."""
_ROUGH, _GOLDEN = 3000, 0.6180339887498949
LEAST_SWING_V = 1.0
"""A record that swings less is no square wave: a level with noise (policy-default)."""


@dataclass(frozen=True)
class Edges:
    """Positions [samples, fractional] of the crossings of ``level_v`` in their order; ``first_up`` tells the first."""

    level_v: float
    at: Floats
    first_up: bool

    @property
    def rises(self) -> Floats:
        """Upward crossings."""
        return self.at[0 if self.first_up else 1 :: 2]

    @property
    def falls(self) -> Floats:
        """Downward crossings."""
        return self.at[1 if self.first_up else 0 :: 2]


def median(values: Floats) -> float:
    """The median of a few numbers, without what ``numpy.median`` does beside."""
    ordered, count = np.sort(values), len(values)
    return float(ordered[(count - 1) // 2] + ordered[count // 2]) / 2.0


def regular(edges: Edges) -> bool:
    """True for three edges or more whose periods are alike, as in a wave; a lost pair of edges is no matter."""
    if len(edges.at) < 3:
        return False
    periods = edges.at[2:] - edges.at[:-2]
    period = median(periods)
    times = np.maximum(np.round(periods / period), 1.0)
    return median(np.diff(edges.at)) > 2.0 and bool(np.all(np.abs(periods / times - period) < 0.25 * period))


def without_short(edges: Edges, dt_s: float) -> Edges:
    """The edges without those of pulses that are shorter than any of a wave."""
    if len(edges.at) < 2:
        return edges
    short = np.flatnonzero(np.diff(edges.at) * dt_s < SHORT_S)
    gone = np.zeros(len(edges.at), dtype=np.bool_)
    for first in short.tolist():
        if not gone[first]:
            gone[first : first + 2] = True
    first_up = edges.first_up if int(np.argmin(gone)) % 2 == 0 else not edges.first_up
    return Edges(edges.level_v, edges.at[~gone], first_up)


@dataclass(frozen=True)
class Level:
    """A resting level: mean, standard deviation of the samples around it, and how many there are.

    ``model_u_v`` is the standard uncertainty of what was corrected for samples that had not come to rest, ``steps_u_v``
    that of where between the steps of the converter the level lies.
    """

    volts: float
    noise_v: float
    samples: int
    model_u_v: float = 0.0
    steps_u_v: float = 0.0

    @property
    def statistical_v(self) -> float:
        """Standard uncertainty of the mean from noise, correction and steps."""
        if not self.samples:
            return math.nan
        return math.hypot(self.noise_v / math.sqrt(self.samples), self.model_u_v, self.steps_u_v)


def stride(dt_s: float) -> int:
    """Samples from one to the next of the first look."""
    return max(int(COARSE_S / dt_s), 1)


def rough_levels(values: NDArray[np.floating]) -> tuple[float, float]:
    """Low and high level: medians below and above the middle, so that single spikes hardly move them.

    The samples are taken at uneven distances: even ones may fall on the same places of every period.
    """
    count = min(len(values), _ROUGH)
    steps = np.arange(count) if count == len(values) else _uneven(count) * (len(values) / count)
    few = np.sort(values[steps.astype(np.intp)]).astype(np.float64)
    low, high = float(few[int(0.002 * count)]), float(few[count - 1 - int(0.002 * count)])
    for _ in range(2):
        below = int(np.searchsorted(few, (low + high) / 2.0, "right"))
        if below in (0, count):
            break
        low, high = float(few[below // 2]), float(few[(below + count) // 2])
    return low, high


@cache
def _uneven(count: int) -> Floats:
    """One place within each of ``count`` equal steps."""
    number = np.arange(count, dtype=np.float64)
    return number + np.mod(number * _GOLDEN, 1.0)


def look(record: Waveform) -> NDArray[np.floating]:
    """The samples of the first look for edges."""
    return np.ascontiguousarray(record.values[:: stride(record.dt_s)])


def find(record: Waveform, level_v: float, hysteresis_v: float, looked: NDArray[np.floating] | None = None) -> Edges:
    """Crossings of ``level_v``, each between a sample beyond the hysteresis on one side and one on the other.

    A pulse shorter than 4 us is not seen. ``looked`` is what ``look`` gave, if it was asked before.
    """
    step, coarse = stride(record.dt_s), look(record) if looked is None else looked
    side = (coarse > level_v + hysteresis_v).view(np.int8) - (coarse < level_v - hysteresis_v).view(np.int8)
    first, last, kind = _runs(side)
    turns = np.flatnonzero(kind[1:] != kind[:-1])
    before, after = last[turns] * step, first[turns + 1] * step
    first_up = bool(len(turns)) and bool(kind[turns[0]] < 0)
    return Edges(level_v, _refined(record.values, level_v, before, after, first_up), first_up)


def _runs(side: NDArray[np.int8]) -> tuple[Indices, Indices, NDArray[np.int8]]:
    """First and last sample of each run on a side, and the side; runs within the hysteresis are left out."""
    changes = np.flatnonzero(side[1:] != side[:-1])
    first, last = np.concatenate(([0], changes + 1)), np.append(changes, len(side) - 1)
    sure = np.flatnonzero(side[first])
    return first[sure], last[sure], side[first[sure]]


def _refined(values: NDArray[np.floating], level_v: float, before: Indices, after: Indices, first_up: bool) -> Floats:
    """Crossings between ``before`` and ``after``, by linear interpolation between the two samples around each."""
    if not len(before):
        return np.empty(0)
    spans = after - before
    columns = np.arange(min(int(spans.max()), 4096) + 1)
    window = values.take(before[:, None] + columns, mode="clip")
    up = (np.arange(len(before)) % 2 == 0) == first_up
    not_yet = ((window < level_v) == up[:, None]) & (columns < spans[:, None])
    count = np.add.reduce(not_yet, axis=1, dtype=np.intp)
    last = before + np.minimum(np.maximum(count, 1), columns[-1]) - 1
    y0, y1 = values[last].astype(np.float64), values[last + 1].astype(np.float64)
    share = np.divide(level_v - y0, y1 - y0, out=np.full(len(last), 0.5), where=y1 != y0)
    return np.asarray(last + np.minimum(np.maximum(share, 0.0), 1.0), dtype=np.float64)


def unseen(record: Waveform, edges: Edges) -> Indices:
    """First and last sample of the pulses across the level of ``edges`` that are none of theirs, one row each.

    Those are too short for the first look, or left out of the edges as too short for a wave; one sample is enough.
    """
    turns = _turns(record.values > edges.level_v)
    bounds = np.concatenate(([-math.inf], edges.at, [math.inf]))
    after = np.searchsorted(bounds, turns)
    away = np.minimum(bounds[after] - turns, turns - bounds[after - 1])
    strange = turns[away > max(CHATTER_S / record.dt_s, 3.0)]
    return strange[: len(strange) // 2 * 2].reshape(-1, 2)


def _turns(above: NDArray[np.bool_]) -> Indices:
    """Samples that differ from the one before; eight are looked at as one word, for hardly any do."""
    differs = above[1:] != above[:-1]
    whole = len(differs) // 8 * 8
    words = np.flatnonzero(differs[:whole].view(np.uint64) != 0)
    index = np.concatenate(((words[:, None] * 8 + np.arange(8)).ravel(), np.arange(whole, len(differs))))
    return np.asarray(index[differs[index]] + 1, dtype=np.intp)


def without(record: Waveform, edges: Edges, pulses: Indices) -> Waveform:
    """The record with what came before in the place of these pulses and of their tails, up to the next edges."""
    values = record.values.copy()
    bounds = np.concatenate(([0.0], edges.at, [float(len(values))]))
    before, tail, room = (math.ceil(seconds / record.dt_s) for seconds in (CHATTER_S, TAIL_S, 2.0 * CHATTER_S))
    for first, last in pulses.tolist():
        after = int(np.searchsorted(bounds, first))
        begin = max(first - before, math.ceil(bounds[after - 1]) + room)
        end = min(last + tail, int(bounds[after]) - room)
        if begin < end:
            values[begin:end] = values[max(begin - room, 0) : max(begin, 1)].mean()
    return replace(record, values=values)


def plateaus_short_s(edges: Edges, dt_s: float) -> tuple[float, float]:
    """Length of the shortest whole low and high plateau [s]; infinite where there is none."""
    lengths = np.diff(edges.at) * dt_s
    highs, lows = (lengths[0::2], lengths[1::2]) if edges.first_up else (lengths[1::2], lengths[0::2])
    return float(np.min(lows, initial=math.inf)), float(np.min(highs, initial=math.inf))


def plateaus(edges: Edges, count: int, skip: float) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Begin and end [samples] of what lies between the crossings, ``skip`` after each, and which are high.

    The first and the last one end with the record, which may begin right after an edge and end within one. Where less
    is left than 40 % of any other plateau, its last 40 % are taken.
    """
    bounds = np.concatenate(([-1.0], edges.at, [float(count)]))
    begin, end = bounds[:-1], bounds[1:]
    late = np.minimum(begin + skip, end - 0.4 * (end - begin))
    late[0], end[-1] = min(skip, end[0]), max(end[-1] - skip, late[-1])
    high = (np.arange(len(begin)) % 2 == 1) == edges.first_up
    return late, end, high
