"""All periods of a pilot record laid over each other: samples around one edge, averaged where they fall together."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hilbench.metrics.pilot_ensemble import Folded, Posterior
from hilbench.waveform import Waveform

Floats = NDArray[np.float64]
FINE_SHARE, FINE_S = 0.005, 20e-9
"""Samples closer together than that share of their distance, or than that, are averaged."""
PARTS = 6
"""Parts of a record whose samples are not averaged with those of others: they tell the period."""
CALM_S, CALM_TIMES = 8e-6, 10.0
"""That long before and after a crossing the node is calm enough to average over that many times more."""
_BEFORE_S = 8e-6


@dataclass(frozen=True)
class Grid:
    """Where the crossings of a train were: those of the middle period [s], its period, and jitter of the edges."""

    rise_s: float
    fall_s: float
    period_s: float
    jitter_s: float = 0.0

    def moved(self, rise_s: float, fall_s: float, period_s: float, jitter_s: float) -> Grid:
        """The grid with what it is found to be off."""
        return Grid(self.rise_s + rise_s, self.fall_s + fall_s, self.period_s + period_s, jitter_s)


@dataclass(frozen=True)
class Around:
    """Single samples around all edges of one direction: time after the crossing [s], number of the period, volts."""

    at_s: Floats
    number: Floats
    volts: Floats


def looked(record: Waveform, times_s: Floats, begin_s: float, period_s: float, after_s: float) -> Around:
    """Samples from two intervals before to ``after_s`` after all edges.

    ``begin_s`` is the crossing of the middle period, ``times_s`` say which edges there are.
    """
    dt_s = record.dt_s
    numbers = np.unique(np.round((times_s - begin_s) / period_s))
    crossings_s = begin_s + numbers * period_s
    before = max(2, math.ceil(_BEFORE_S / dt_s))
    middle = np.floor(crossings_s / dt_s).astype(np.intp)
    index = middle[:, None] + np.arange(-before, math.ceil(after_s / dt_s) + 1)
    inside = (index >= 0) & (index < len(record.values))
    return Around(
        (index * dt_s - crossings_s[:, None])[inside],
        np.broadcast_to(numbers[:, None], index.shape)[inside],
        record.values[index[inside]].astype(np.float64),
    )


def folded(around: Around, dt_s: float, lsb_v: float) -> Folded:
    """The samples averaged where they fall together; ``lsb_v`` is a step of the converter (0: none)."""
    first, last = around.number.min(), around.number.max()
    part = np.round(PARTS * (around.number - first) / max(last - first, 1.0)).astype(np.int64)
    places = _places(around.at_s, dt_s) * (PARTS + 1) + part
    _, group, count = np.unique(places, return_inverse=True, return_counts=True)
    squares = np.bincount(group, weights=around.volts**2)
    means = (np.bincount(group, weights=what) / count for what in (around.at_s, around.number, around.volts))
    at, number, volts = means
    scatter = np.maximum(squares - count * volts**2, 0.0)
    return Folded(at, number, volts, count.astype(np.float64), scatter, np.zeros_like(at), _alike(volts, lsb_v))


def _alike(volts: Floats, lsb_v: float) -> Floats:
    """How many places lie on the same step of the converter."""
    if lsb_v <= 0.0:
        return np.ones_like(volts)
    _, step, many = np.unique(np.rint(volts / lsb_v), return_inverse=True, return_counts=True)
    return np.asarray(many[step], dtype=np.float64)


def _places(at: Floats, dt_s: float) -> NDArray[np.int64]:
    """Numbers of the places that samples are averaged over."""
    fine_s = max(FINE_SHARE * dt_s, FINE_S)
    fine, calm = at / fine_s, CALM_S / fine_s
    beyond = np.sign(fine) * (calm + 1.0 + (np.abs(fine) - calm) / CALM_TIMES)
    return np.asarray(np.round(np.where(np.abs(fine) > calm, beyond, fine)), dtype=np.int64)


def with_slopes(posterior: Posterior, rising: bool, steep: Floats, around: Around) -> Folded:
    """The folded samples with their slopes, and with what it makes that the jitter of an edge moves all of its own."""
    seen = posterior.folded(rising)
    order = np.argsort(seen.at_s)
    squares = np.interp(around.at_s, seen.at_s[order], steep[order]) ** 2
    told = squares / (posterior.noise_v**2 + posterior.jitter_s**2 * squares)
    by_edge = np.bincount(np.unique(around.number, return_inverse=True)[1], weights=told)
    alone, total = float(told @ told), max(float(told.sum()), 1e-300)
    if alone <= 0.0:
        return replace(seen, steep=steep)
    grouped = max(float(by_edge @ by_edge), alone)  # of one sample an edge they are equal but for rounding
    return replace(seen, steep=steep, together=grouped / alone, shared=(grouped - alone) / total**2)
