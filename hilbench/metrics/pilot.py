"""From a record of the control pilot to duty, frequency, levels, edges, state and current, each with its uncertainty.

Two modes: ``careful`` fits the shape of the edges and comes close to the Cramer-Rao bound; ``fast`` looks at few
samples. Both take any record that holds three whole edges; whole periods are not needed. Duty is that at a threshold,
half way between the levels unless told otherwise, because the capacitance of cable and car moves the crossings of every
other level more or less: ``source_duty`` is what the station sent, by the same edges.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hilbench.errors import InputError
from hilbench.metrics.pilot_careful import careful
from hilbench.metrics.pilot_codes import resolved
from hilbench.metrics.pilot_edges import (
    LEAST_SWING_V,
    Edges,
    Level,
    find,
    look,
    median,
    regular,
    rough_levels,
    unseen,
    without,
    without_short,
)
from hilbench.metrics.pilot_fast import fast
from hilbench.metrics.pilot_levels import Levels, step_v
from hilbench.metrics.pilot_table import STATE_WINDOWS, DutyTable, duty_table, state_of
from hilbench.metrics.pilot_timing import Sure, Timing
from hilbench.metrics.uncertainty import COVERAGE, combined
from hilbench.waveform import Waveform

Mode = Literal["careful", "fast"]
HYSTERESIS_SHARE = 0.2
"""Hysteresis of the search for edges as a share of the swing (policy-default)."""
UNSTEADY_V, UNSTEADY_S = 0.4, 2e-6
"""A record whose plateaus or edges differ by more is not steady (policy-default)."""


STANDS_OUT_V = 2.0
"""How far a pulse leaves a level without wave to be counted (policy-default)."""


@dataclass(frozen=True)
class Reading:
    """A measured value and its expanded uncertainty U (k = 2); both ``nan`` where there is nothing to measure."""

    value: float
    uncertainty: float

    def __str__(self) -> str:
        return f"{self.value:.6g} +- {self.uncertainty:.2g}"


NOTHING = Reading(math.nan, math.nan)


@dataclass(frozen=True)
class Pilot:
    """What a steady record of the pilot shows. Levels in V, times in s, duty in %, current in A.

    ``short_pulses`` counts what crosses the middle for less than 4 to 10 us beside the wave: it is in no other figure.
    ``state`` is a letter with 1 (no PWM) or 2 (PWM), without for E and F. ``low_v`` is nothing when there is no PWM.
    ``current_a`` is what a car may draw by ``table``, ``rc_duty`` by how much the capacitance moves the duty at the
    threshold. ``way`` says how it was measured, ``notes`` what the reader must know.
    """

    state: str
    pwm: bool
    high_v: Reading
    low_v: Reading
    duty_pct: Reading
    source_duty_pct: Reading
    frequency_hz: Reading
    rise_s: Reading
    fall_s: Reading
    current_a: Reading
    table: str
    threshold_v: float
    tau_s: Reading
    jitter_s: float
    noise_v: float
    cycles: int
    begin_s: float
    way: str
    steady: bool
    notes: tuple[str, ...] = ()
    short_pulses: int = 0

    @property
    def rc_duty_pct(self) -> float:
        """Points by which the duty at the threshold exceeds that of the source."""
        return self.duty_pct.value - self.source_duty_pct.value


def measure(
    record: Waveform, mode: Mode = "careful", *, table: str = "iec2017", threshold_v: float | None = None
) -> Pilot:
    """Measure a record [V] of a pilot that does not change within it.

    Raises ``InputError`` for samples that are no numbers (of those that the fast mode looks at), another unit than V,
    and an unknown table.
    """
    rules = duty_table(table)
    looked = look(record)
    _check(record, looked if mode == "fast" else record.values)
    low_v, high_v = rough_levels(record.values)
    edges = find(record, (low_v + high_v) / 2.0, max(HYSTERESIS_SHARE * (high_v - low_v), LEAST_SWING_V / 4.0), looked)
    wave = regular(edges)
    if not wave:
        edges = without_short(edges, record.dt_s)
        wave = regular(edges)
    if not wave or high_v - low_v < LEAST_SWING_V:
        return _still(record, edges, (low_v, high_v), rules)
    rough = (low_v, high_v)
    quick = fast(record, edges, rough, threshold_v) if mode == "fast" else None
    pulses = unseen(record, edges)  # after the quick look: it takes the whole record through the processor's cache
    clean = without(record, edges, pulses) if len(pulses) else record
    if len(pulses) and mode == "fast":
        quick = fast(clean, edges, rough, threshold_v)
    found = quick or careful(clean, edges, rough, threshold_v)
    shown = _pulses(record, *found, rules) if found else _still(record, edges, rough, rules)
    return _noted(shown, len(pulses))


def _noted(shown: Pilot, pulses: int) -> Pilot:
    """With a note of what is too short to be a pulse of the wave, or stands out of a still level."""
    note = f"{pulses} pulses too short for a wave, which duty and levels leave out"
    return replace(shown, short_pulses=pulses, notes=(*shown.notes, note)) if pulses else shown


def _check(record: Waveform, looked: NDArray[np.floating]) -> None:
    where = record.source or "record"
    if record.unit != "V":
        raise InputError(where, f"is in {record.unit!r}; a pilot is measured in V")
    # one sum sees any NaN or infinity; a second look tells it from an overflow of finite values
    if not np.isfinite(np.sum(looked, dtype=np.float64)):
        bad = np.flatnonzero(~np.isfinite(record.values))
        what = f"{len(bad)} samples are no numbers, the first is sample {bad[0]}" if len(bad) else "volts beyond reason"
        raise InputError(where, what)


def _pulses(record: Waveform, resting: Levels, timing: Timing, rules: DutyTable) -> Pilot:
    steady = resting.unsteady_v <= UNSTEADY_V and timing.jitter_s <= UNSTEADY_S
    period = timing.period_s
    frequency_u = combined(period.u / period.value**2, record.accuracy.clock / period.value)
    high, low = (_level(record, level) for level in (resting.high, resting.low))
    duty = _expanded(timing.duty_pct)
    letter = state_of(high.value)
    return Pilot(
        state=letter if letter in "EF" else f"{letter}2",
        pwm=True,
        high_v=high,
        low_v=low,
        duty_pct=duty,
        source_duty_pct=_expanded(timing.source_duty_pct),
        frequency_hz=Reading(1.0 / period.value, COVERAGE * frequency_u),
        rise_s=_expanded(timing.rise_s, record.accuracy.clock),
        fall_s=_expanded(timing.fall_s, record.accuracy.clock),
        current_a=offer(duty, rules),
        table=rules.name,
        threshold_v=timing.threshold_v,
        tau_s=_expanded(timing.tau_s, record.accuracy.clock),
        jitter_s=timing.jitter_s,
        noise_v=resting.noise_v,
        cycles=timing.cycles,
        begin_s=record.t0_s + timing.begin_s,
        way=timing.way,
        steady=steady,
        notes=tuple(_notes(letter, high, steady, timing)),
    )


def _notes(letter: str, high: Reading, steady: bool, timing: Timing) -> list[str]:
    notes = []
    if not steady:
        notes.append("the record is not steady: look at it as a stream")
    if not STATE_WINDOWS["corners"][letter].holds(high.value):
        notes.append(f"{high.value:.2f} V is outside the window of every state; {letter} is the nearest")
    if timing.misfit > 1.5:
        notes.append(f"the edges differ from those of an RC circuit by {timing.misfit:.1f} times the noise")
    return notes


def _still(record: Waveform, edges: Edges, rough: tuple[float, float], rules: DutyTable) -> Pilot:
    """A record without enough edges: a level, or one that changes too seldom to be measured."""
    values = record.values.astype(np.float64)
    steady = rough[1] - rough[0] < LEAST_SWING_V or not len(edges.at)
    level = Level(float(values.mean()), float(values.std()), len(values)) if steady else Level(rough[1], 0.0, 1)
    level = resolved(level, values, step_v(record)) if steady else level
    high = _level(record, level)
    letter = state_of(level.volts)
    too_few = "no wave of three whole edges or more: nothing can be said about duty and frequency"
    still = Pilot(
        state=letter if letter in "EF" else f"{letter}1",
        pwm=False,
        high_v=high,
        low_v=NOTHING,
        duty_pct=NOTHING,
        source_duty_pct=NOTHING,
        frequency_hz=NOTHING,
        rise_s=NOTHING,
        fall_s=NOTHING,
        current_a=Reading(0.0, 0.0) if steady else NOTHING,
        table=rules.name,
        threshold_v=math.nan,
        tau_s=NOTHING,
        jitter_s=math.nan,
        noise_v=level.noise_v,
        cycles=0,
        begin_s=record.t0_s,
        way="level",
        steady=steady,
        notes=() if steady else (too_few,),
    )
    return _noted(still, _standing_out(record, level) if steady else 0)


def _standing_out(record: Waveform, level: Level) -> int:
    """How many pulses leave a level without wave, in the direction of the other side of the source."""
    some = record.values[:: max(len(record.values) // 3000, 1)].astype(np.float64)
    if median(np.abs(some - median(some))) > STANDS_OUT_V / 9.0:  # noise of a third of it would do so by itself
        return 0
    border_v = level.volts - math.copysign(STANDS_OUT_V, level.volts)
    return len(unseen(record, Edges(border_v, np.empty(0), True)))


def _level(record: Waveform, level: Level) -> Reading:
    """A level with noise, steps of the converter, gain and offset."""
    known = record.accuracy
    u = combined(level.statistical_v, known.gain * level.volts, known.offset)
    return Reading(level.volts, COVERAGE * u)


def _expanded(figure: Sure, clock: float = 0.0) -> Reading:
    return Reading(figure.value, COVERAGE * combined(figure.u, clock * figure.value))


def offer(duty: Reading, rules: DutyTable) -> Reading:
    """Current [A] that a car may draw; its uncertainty covers every band that the duty may lie in."""
    middle = rules.current_a(duty.value)
    reach = (duty.value - duty.uncertainty, duty.value + duty.uncertainty)
    edges = [end for band in rules.bands for end in (band.low_pct, band.high_pct) if reach[0] < end < reach[1]]
    tried = [rules.current_a(at + shift) for at in (*reach, *edges) for shift in (-1e-9, 0.0, 1e-9)]
    return Reading(middle, max(abs(one - middle) for one in tried))
