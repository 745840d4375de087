"""When the station's source switches: periods on one grid, each with the duty cycle that stood at its start."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hilbench_emulators.pilot.wire import Change

Floats = NDArray[np.float64]
_BLOCK = 1024
"""Edges whose jitter is drawn at once, so that overlapping records of one seed agree."""


@dataclass(frozen=True)
class Edges:
    """Times [s after the base] at which the source turns to high (True) or low."""

    times: Floats
    highs: NDArray[np.bool_]


def source_edges(changes: Sequence[Change], base: float, start: float, stop: float, seed: int = 0) -> Edges:
    """All edges between ``start`` and ``stop`` [s after ``base``]; ``changes`` are in order, the first holds before."""
    parts = list(_spans(changes, base, start, stop, seed))
    starts = np.concatenate([part[0] for part in parts])
    falls = np.concatenate([part[1] for part in parts])
    highs = np.isnan(falls) | (falls > starts)
    falls = np.where(falls < np.append(starts[1:], np.inf), falls, np.nan)
    short = ~np.isnan(falls) & highs
    times = np.concatenate([starts, falls[short]])
    levels = np.concatenate([highs, np.zeros(int(short.sum()), dtype=np.bool_)])
    order = np.argsort(times, kind="stable")
    return Edges(times[order], levels[order])


def _spans(
    changes: Sequence[Change], base: float, start: float, stop: float, seed: int
) -> Iterator[tuple[Floats, Floats]]:
    """Starts of the periods of each change, and where their pulses end (NaN: they stay high)."""
    for index, change in enumerate(changes):
        first = start if index == 0 else max(change.t - base, start)
        last = min(changes[index + 1].t - base, stop) if index + 1 < len(changes) else stop
        yield _periods(change, base, first, last, seed)


def _periods(change: Change, base: float, first: float, last: float, seed: int) -> tuple[Floats, Floats]:
    evse = change.circuit.evse
    period = 1.0 / evse.frequency_hz
    low = math.ceil((base + first) / period)
    numbers = np.arange(low, max(math.ceil((base + last) / period), low))
    # only the first start is far from zero: the others lose nothing at a late base
    starts: Floats = (low * period - base) + np.asarray((numbers - low) * period, dtype=np.float64)
    width = _width(change.duty_pct, period, evse.width_error_s)
    falls = starts + width
    if evse.jitter_s > 0.0:
        starts = starts + evse.jitter_s * _jitter(numbers, seed, 0)
        falls = falls + evse.jitter_s * _jitter(numbers, seed, 1)
    return starts, np.maximum(falls, starts)


def _width(duty_pct: float, period: float, error_s: float) -> float:
    """Length [s] of a pulse; NaN for a steady high level."""
    if duty_pct == 100.0:
        return math.nan
    return 0.0 if duty_pct == 0.0 else min(max(duty_pct / 100.0 * period + error_s, 1e-9), period - 1e-9)


def _jitter(numbers: NDArray[np.int64], seed: int, kind: int) -> Floats:
    """A standard normal figure for each period, the same in every record."""
    if len(numbers) == 0:
        return np.zeros(0)
    blocks = range(int(numbers[0]) // _BLOCK, int(numbers[-1]) // _BLOCK + 1)
    drawn = [np.random.default_rng((seed, kind, block % 2**32)).standard_normal(_BLOCK) for block in blocks]
    return np.concatenate(drawn)[numbers - blocks[0] * _BLOCK]
