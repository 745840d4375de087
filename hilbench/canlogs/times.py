"""Time stamps of a log to seconds: units, differences, midnight, reversed files, and stamps that are not there."""

from __future__ import annotations

import math
import statistics
from itertools import pairwise

from hilbench.canlogs.rows import Row, Stamp
from hilbench.chademo.frames import CAR_IDS, CHARGER_IDS
from hilbench.chademo.timing import PERIOD_S

_DAY_S = 86_400.0
_UNITS = {1.0: "s", 1e-3: "ms", 1e-6: "µs", 1e-9: "ns"}
_SHARE = 0.2
"""Steps back of at least that part of all steps mean differences or a reversed file, not mistakes (policy-default)."""
_LARGEST = 1e19
"""Larger stamps are no times: nanoseconds since 1970 are 1.8e18."""
_LONGEST_STEP_S = 30.0
"""Larger stamps are no differences between frames (policy-default)."""


def seconds(rows: list[Row], differences: bool, notes: list[str]) -> tuple[list[Row], list[float], bool]:
    """Rows in their order of time, their seconds, and whether those are real; what was done goes to ``notes``."""
    stamps = [row.stamp if row.stamp and abs(row.stamp.value) < _LARGEST else None for row in rows]
    if not any(stamps):
        notes.append(f"no time stamps: times are counted, {PERIOD_S * 1e3:g} ms for each round of frames")
        return rows, _counted(rows), False
    if None in stamps:
        notes.append(f"{stamps.count(None)} frames have no time stamp and stand where the one before them does")
    values, days = _in_seconds(rows, _filled(stamps), notes)
    if days:
        values = _past_midnight(values)
    moves = [b - a for a, b in pairwise(values) if a != b]
    back = sum(move < 0.0 for move in moves) / max(len(moves), 1)
    if differences or (back >= _SHARE and max(values) < _LONGEST_STEP_S and back < 1.0 - _SHARE):
        notes.append("time stamps are taken for differences to the frame before")
        return rows, _summed(values), True
    if back >= 1.0 - _SHARE:
        notes.append("the newest frame comes first: the log was turned round")
        return rows[::-1], values[::-1], True
    return rows, values, True


def _filled(stamps: list[Stamp | None]) -> list[Stamp]:
    last = next(stamp for stamp in stamps if stamp is not None)
    filled = []
    for stamp in stamps:
        last = stamp or last
        filled.append(last)
    return filled


def _in_seconds(rows: list[Row], stamps: list[Stamp], notes: list[str]) -> tuple[list[float], bool]:
    values = [stamp.value for stamp in stamps]
    units = {stamp.unit_s for stamp in stamps}
    if units == {None}:
        unit_s = _likely_unit(rows, values)
        if unit_s != 1.0:
            notes.append(f"the unit of time is not named and taken for {_UNITS[unit_s]}, by the rhythm of the frames")
        return [value * unit_s for value in values], False
    return [stamp.value * (stamp.unit_s or 1.0) for stamp in stamps], any(stamp.of_day for stamp in stamps)


def _likely_unit(rows: list[Row], values: list[float]) -> float:
    """The unit in which frames of one id come about every 100 ms."""
    gaps = []
    for can_id in CAR_IDS | CHARGER_IDS:
        own = [value for row, value in zip(rows, values, strict=True) if row.id == can_id]
        gaps += [b - a for a, b in pairwise(own) if b > a]
    if not gaps:
        return 1.0 if max(values, default=0.0) < 1e4 else 1e-6
    gap = statistics.median(gaps)
    return min(_UNITS, key=lambda unit_s: abs(math.log10(gap * unit_s / PERIOD_S)))


def _past_midnight(values: list[float]) -> list[float]:
    days, found = 0, [values[0]]
    for before, value in pairwise(values):
        days += value < before - _DAY_S / 2.0
        found.append(value + days * _DAY_S)
    return found


def _summed(values: list[float]) -> list[float]:
    total, found = 0.0, []
    for index, value in enumerate(values):
        total += value if index else 0.0
        found.append(total)
    return found


def _counted(rows: list[Row]) -> list[float]:
    """A round ends when an id of the car or the charger comes again."""
    seen: set[int] = set()
    rounds, found = 0, []
    for row in rows:
        if row.id in seen:
            rounds += 1
            seen.clear()
        if row.id in CAR_IDS or row.id in CHARGER_IDS:
            seen.add(row.id)
        found.append(rounds * PERIOD_S)
    return found
