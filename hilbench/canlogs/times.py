"""Time stamps of a log to seconds: units, differences, midnight, reversed files, and stamps that are not there."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable
from itertools import pairwise

from hilbench.canlogs.rows import Row, Stamp
from hilbench.chademo.frames import CAR_IDS, CHARGER_IDS
from hilbench.chademo.timing import PERIOD_S

_DAY_S = 86_400.0
_UNITS = {1.0: "s", 1e-3: "ms", 1e-6: "µs", 1e-9: "ns"}
_TICKS = {**_UNITS, 1e-4: "0.1 ms", 1e-5: "10 µs"}
"""Units of counters in hexadecimal digits: ZLG's adapters count 0.1 ms (measured in a recorded log)."""
_SHARE = 0.2
"""Steps back of at least that part of all steps mean differences or a reversed file, not mistakes (policy-default)."""
_LARGEST = 1e19
"""Larger stamps are no times: nanoseconds since 1970 are 1.8e18."""
_FULL = (60_000, 1 << 16, 1 << 32)
"""Where counters begin again: the milliseconds of Lawicel's serial protocol, and those of 16 and 32 bits (recalled)."""
_WRAP = 0.25
"""The part of a counter that a step across its end may have (policy-default)."""
_LONGEST_STEP_S = 30.0
"""Larger stamps are no differences between frames (policy-default)."""


def seconds(rows: list[Row], differences: bool, notes: list[str]) -> tuple[list[Row], list[float], bool]:
    """Rows in their order of time, their seconds, and whether those are real; what was done goes to ``notes``."""
    stamps = _with_small([row.stamp if row.stamp and abs(row.stamp.value) < _LARGEST else None for row in rows], rows)
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


def _with_small(stamps: list[Stamp | None], rows: list[Row]) -> list[Stamp | None]:
    """Counters have few digits at their begin: short numbers are stamps where all others are numbers without a unit."""
    known = [stamp for stamp in stamps if stamp]
    if not known or any(stamp.unit_s is not None or not stamp.value.is_integer() for stamp in known):
        return stamps
    return [
        stamp if stamp or row.small is None else Stamp(float(row.small), None)
        for stamp, row in zip(stamps, rows, strict=True)
    ]


def _filled(stamps: list[Stamp | None]) -> list[Stamp]:
    last = next(stamp for stamp in stamps if stamp is not None)
    filled = []
    for stamp in stamps:
        last = stamp or last
        filled.append(last)
    return filled


def _in_seconds(rows: list[Row], stamps: list[Stamp], notes: list[str]) -> tuple[list[float], bool]:
    values = _unwrapped(stamps)
    units = {stamp.unit_s for stamp in stamps}
    if units == {None}:
        unit_s = _likely_unit(rows, values, _UNITS if any(not stamp.ticks for stamp in stamps) else _TICKS)
        if unit_s != 1.0:
            notes.append(f"the unit of time is not named and taken for {_TICKS[unit_s]}, by the rhythm of the frames")
        return [value * unit_s for value in values], False
    found = [value * (stamp.unit_s or 1.0) for value, stamp in zip(values, stamps, strict=True)]
    return found, any(stamp.of_day for stamp in stamps)


def _unwrapped(stamps: list[Stamp]) -> list[float]:
    """Counters that begin again at 0 once they are full go on instead."""
    values = [stamp.value for stamp in stamps]
    sizes = _FULL if all(stamp.ticks for stamp in stamps) else _FULL[-1:]
    full = next((size for size in sizes if size > max(values)), 0)
    back = [(a, b) for a, b in pairwise(values) if b < a]
    counter = all(value.is_integer() for value in values) and not any(stamp.of_day for stamp in stamps)
    if not back or not counter or any(b + full - a > _WRAP * full for a, b in back):
        return values
    turns, found = 0, [values[0]]
    for before, value in pairwise(values):
        turns += value < before
        found.append(value + turns * full)
    return found


def _likely_unit(rows: list[Row], values: list[float], units: Iterable[float]) -> float:
    """The one of the units in which frames of one id come about every 100 ms."""
    gaps = []
    for can_id in CAR_IDS | CHARGER_IDS:
        own = [value for row, value in zip(rows, values, strict=True) if row.id == can_id]
        gaps += [abs(b - a) for a, b in pairwise(own) if b != a]
    if not gaps:
        return 1.0 if max(values, default=0.0) < 1e4 else 1e-6
    gap = statistics.median(gaps)
    return min(units, key=lambda unit_s: abs(math.log10(gap * unit_s / PERIOD_S)))


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
