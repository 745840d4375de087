"""A stream of pilot records cut into stretches of one state and one duty cycle, down to single cycles."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from hilbench.metrics.pilot import NOTHING, Pilot, Reading, measure
from hilbench.metrics.pilot_edges import Edges, find
from hilbench.metrics.pilot_table import state_of
from hilbench.waveform import Waveform

Floats = NDArray[np.float64]
LEVEL_V, HYSTERESIS_V = 0.0, 1.0
"""Where the stream looks for edges: every state's wave passes 0 V."""
STILL_S, BLOCK_S = 1.5e-3, 1e-3
"""A level that lasts longer than one and a half periods is no part of a wave; it is looked at in blocks."""
DIFFERENT_PCT = 0.3
"""Points between duty cycles that are different ones, at least (policy-default)."""


@dataclass(frozen=True)
class Piece:
    """One cycle, or one block of a still level: from and to [s], state, duty [%] (``nan`` without PWM), level [V]."""

    begin_s: float
    end_s: float
    state: str
    duty_pct: float
    high_v: float


@dataclass(frozen=True)
class Stretch:
    """Pieces alike: from the first to the end of the last one [s].

    It began at ``begin_s`` or up to ``unsure_s`` before: the cycle that changed, or the gap between records.
    """

    begin_s: float
    end_s: float
    state: str
    duty_pct: Reading
    high_v: Reading
    cycles: int
    unsure_s: float = 0.0

    @property
    def pwm(self) -> bool:
        """True while the square wave is on."""
        return not math.isnan(self.duty_pct.value)


def pieces(record: Waveform) -> list[Piece]:
    """All whole cycles and still levels of a record in their order; what is cut by its ends is left out."""
    edges = find(record, LEVEL_V, HYSTERESIS_V)
    found = [*_cycles(record, edges), *_still(record, edges)]
    return sorted(found, key=lambda piece: piece.begin_s)


def _medians(values: NDArray[np.floating], begin: Floats, end: Floats) -> Floats:
    """Median of up to 32 samples from the middle half of each interval."""
    share = np.linspace(0.25, 0.75, 32)
    index = (begin[:, None] + (end - begin)[:, None] * share).astype(np.intp)
    return np.asarray(np.median(values[np.clip(index, 0, len(values) - 1)], axis=1), dtype=np.float64)


def _cycles(record: Waveform, edges: Edges) -> Iterator[Piece]:
    rises = edges.rises
    falls = edges.falls if edges.first_up else edges.falls[1:]
    count = min(len(rises) - 1, len(falls))
    if count < 1:
        return
    begin, middle, end = rises[:count], falls[:count], rises[1 : count + 1]
    still = STILL_S / record.dt_s
    whole = (middle - begin < still) & (end - middle < still)
    levels = _medians(record.values, begin, middle)
    for k in np.flatnonzero(whole):
        times = [record.t0_s + float(at[k]) * record.dt_s for at in (begin, end)]
        duty = 100.0 * float((middle[k] - begin[k]) / (end[k] - begin[k]))
        yield Piece(times[0], times[1], _named(float(levels[k]), True), duty, float(levels[k]))


def _still(record: Waveform, edges: Edges) -> Iterator[Piece]:
    bounds = np.concatenate(([0.0], edges.at, [float(len(record.values))]))
    for first, last in pairwise(bounds):
        if (last - first) * record.dt_s <= STILL_S:
            continue
        count = max(int((last - first) * record.dt_s / BLOCK_S), 1)
        ends = np.linspace(first, last, count + 1)
        for begin, end, level in zip(ends[:-1], ends[1:], _medians(record.values, ends[:-1], ends[1:]), strict=True):
            times = [record.t0_s + float(at) * record.dt_s for at in (begin, end)]
            yield Piece(times[0], times[1], _named(float(level), False), math.nan, float(level))


def _named(level_v: float, pwm: bool) -> str:
    letter = state_of(level_v)
    return letter if letter in "EF" else f"{letter}{2 if pwm else 1}"


def _alike(one: Piece, other: Piece, apart_pct: float) -> bool:
    if one.state != other.state or math.isnan(one.duty_pct) != math.isnan(other.duty_pct):
        return False
    return math.isnan(one.duty_pct) or abs(one.duty_pct - other.duty_pct) <= apart_pct


def _grouped(found: list[Piece], apart_pct: float) -> list[list[Piece]]:
    """Runs of pieces that are like the first of their run."""
    groups: list[list[Piece]] = []
    for piece in found:
        if groups and _alike(groups[-1][0], piece, apart_pct):
            groups[-1].append(piece)
        else:
            groups.append([piece])
    return [group for k, group in enumerate(groups) if not _passing(groups, k, apart_pct)]


def _passing(groups: list[list[Piece]], k: int, apart_pct: float) -> bool:
    """True for the one cycle or block in which a change fell: alone between two longer runs that differ."""
    if len(groups[k]) > 1 or not 0 < k < len(groups) - 1:
        return False
    before, after = groups[k - 1], groups[k + 1]
    return len(before) > 1 and len(after) > 1 and not _alike(before[0], after[0], apart_pct)


def stretches(records: Iterable[Waveform], table: str = "iec2017") -> list[Stretch]:
    """Stretches of all records, which follow each other in time; a stretch goes on over the gap between two records.

    Raises ``InputError`` as :func:`hilbench.metrics.pilot.measure` does.
    """
    found: list[Stretch] = []
    for record in records:
        apart = max(DIFFERENT_PCT, 150.0 * record.dt_s / BLOCK_S)
        for group in _grouped(pieces(record), apart):
            found = _joined(found, _stretch(record, group, table), apart)
    return found


def _joined(found: list[Stretch], new: Stretch, apart_pct: float) -> list[Stretch]:
    if not found:
        return [new]
    last = found[-1]
    same = last.state == new.state and last.pwm == new.pwm
    if same and (not new.pwm or abs(last.duty_pct.value - new.duty_pct.value) <= apart_pct):
        better = new if new.cycles > last.cycles else last
        joined = replace(better, begin_s=last.begin_s, end_s=new.end_s, unsure_s=last.unsure_s)
        return [*found[:-1], replace(joined, cycles=last.cycles + new.cycles)]
    return [*found, replace(new, unsure_s=max(new.begin_s - last.end_s, BLOCK_S))]


def _stretch(record: Waveform, group: list[Piece], table: str) -> Stretch:
    """A run of pieces, measured as a record of its own when it is long enough."""
    begin_s, end_s = group[0].begin_s, group[-1].end_s
    cycles = 0 if math.isnan(group[0].duty_pct) else len(group)
    shown = _measured(record, begin_s, end_s, table) if cycles >= 3 else None
    if shown is not None and shown.pwm and shown.steady:
        return Stretch(begin_s, end_s, group[0].state, shown.duty_pct, shown.high_v, cycles)
    high = Reading(float(np.median([piece.high_v for piece in group])), 0.2)
    duty = float(np.median([piece.duty_pct for piece in group]))
    reading = Reading(duty, 200.0 * record.dt_s / BLOCK_S) if cycles else NOTHING
    return Stretch(begin_s, end_s, group[0].state, reading, high, cycles)


def _measured(record: Waveform, begin_s: float, end_s: float, table: str) -> Pilot:
    """The record from a little before the first edge to a little after the last one."""
    margin = math.ceil(2e-5 / record.dt_s)
    first = max(math.floor((begin_s - record.t0_s) / record.dt_s) - margin, 0)
    last = math.ceil((end_s - record.t0_s) / record.dt_s) + margin
    part = replace(record, values=record.values[first:last], t0_s=record.t0_s + first * record.dt_s)
    return measure(part, "fast", table=table)
