"""What a pilot showed over time as a picture: a row of states, the duty cycle below, and what had been commanded."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from hilbench.evidence.frames import Frame, draw_time_axis, mark_lines, mark_rows, place, value_axis, wrap
from hilbench.evidence.markup import esc
from hilbench.evidence.pilot_plot import lines_below
from hilbench.evidence.scales import label, time_axis
from hilbench.metrics.pilot_table import state_of
from hilbench.metrics.pilot_watch import CHANGED_PCT
from hilbench.signals import Signal
from hilbench.verdict import Plot

MOST_PARTS = 1500
"""Parts of a strip that are drawn; a pilot that changes more often is drawn until there (policy-default)."""
LEGEND = "state above, pale without PWM; line: duty cycle of the source"
_COLOUR = {"A": 7, "B": 0, "C": 2, "D": 3, "E": 1, "F": 4}
_ROW, _LEAST = 16, 5.0
"""Height of the row of states, and width of what was seen only once."""


class Part(NamedTuple):
    """From and to [s]: one state and one duty cycle [%], ``nan`` without PWM."""

    begin_s: float
    end_s: float
    state: str
    duty_pct: float


Command = Sequence[tuple[float, float]]
"""Times [s] of commands, each with the duty cycle [%] that it means, ``nan`` for none."""


def parts_of(duty: Signal | None, high: Signal) -> list[Part]:
    """What a row of looks showed, from the signals of a probe."""
    times, volts = high.rows()
    seen = dict(zip(*(rows.tolist() for rows in duty.rows()), strict=True)) if duty else {}
    looks = [(t, level, seen.get(t, math.nan)) for t, level in zip(times.tolist(), volts.tolist(), strict=True)]
    return joined([(t, *_shown(level, shown)) for t, level, shown in looks])


def _shown(level_v: float, duty_pct: float) -> tuple[str, float]:
    """State and duty cycle of a look: the signal says 100 without PWM and 0 in state F."""
    letter = "F" if math.isnan(level_v) else state_of(level_v)
    pwm = 0.0 < duty_pct < 100.0
    return letter if letter in "EF" else f"{letter}{2 if pwm else 1}", duty_pct if pwm else math.nan


def joined(looks: Sequence[tuple[float, str, float]]) -> list[Part]:
    """Looks (time [s], state, duty [%]) as parts, each from the first to the last look alike: between two that differ
    nobody knows when the pilot changed.
    """
    found: list[Part] = []
    for look in looks:
        grow(found, *look)
    return found


def grow(parts: list[Part], t: float, state: str, duty_pct: float) -> None:
    """Add a look to the parts so far."""
    if parts and _alike(parts[-1], state, duty_pct):
        parts[-1] = parts[-1]._replace(end_s=t)
    else:
        parts.append(Part(t, t, state, duty_pct))


def _alike(part: Part, state: str, duty_pct: float) -> bool:
    both_still = math.isnan(part.duty_pct) and math.isnan(duty_pct)
    return part.state == state and (both_still or abs(part.duty_pct - duty_pct) <= CHANGED_PCT)


def strip_svg(
    title: str,
    parts: Sequence[Part],
    command: Command = (),
    said: Sequence[str] = (),
    *,
    marks: Sequence[tuple[float, str]] = (),
    legend: str = LEGEND,
    standalone: bool = True,
    width: int = 760,
    height: int = 150,
) -> str:
    """The parts as one ``<svg>``, with marks in time (t, text); without any part the picture says so."""
    shown = list(parts[:MOST_PARTS])
    start, stop = (shown[0].begin_s, shown[-1].end_s) if shown else (0.0, 1.0)
    stop = max(stop, start + 1e-3)
    top = place(mark_rows(marks, start, stop, width)) + _ROW + 2
    frame = Frame(start, stop, 0.0, 100.0, top, height, width)
    value_axis(frame)
    draw_time_axis(frame, time_axis(frame.start, frame.stop, wanted=8 if width >= 600 else 4))
    for state, run in groupby(shown, lambda part: part.state):
        _state(frame, state, list(run))
    frame.add(f'<path class="s c0 seen" d="{"".join(_level(frame, part) for part in shown)}"/>')
    if command:
        frame.add(f'<path class="told" d="{_told(frame, command)}"/>')
    mark_lines(frame, marks)
    text, bottom = lines_below(frame, [legend + _more(bool(command), len(parts)), *said])
    words = "; ".join([*(_words(part) for part in shown[:12]), *said]) or "nothing was seen"
    return wrap(Plot(title, "%", ()), words, "".join(frame.parts) + text, width, bottom, standalone)


def _state(frame: Frame, state: str, run: Sequence[Part]) -> None:
    """One bar for parts of one state in a row."""
    left = frame.x(run[0].begin_s)
    wide = max(frame.x(run[-1].end_s) - left, _LEAST)
    still = "still" if math.isnan(run[0].duty_pct) else "on"
    place = f'x="{left:.1f}" y="20" width="{wide:.1f}" height="{_ROW}"'
    tip = "<title>" + esc("; ".join(map(_words, run[:8]))) + "</title>"
    frame.add(f'<rect class="{still} f{_COLOUR.get(state[:1], 7)}" {place}>{tip}</rect>')
    if wide >= 18:
        frame.add(f'<text class="st" x="{left + 3:.1f}" y="{20 + _ROW - 4}">{esc(state)}</text>')


def _level(frame: Frame, part: Part) -> str:
    if math.isnan(part.duty_pct):
        return ""
    left, right = frame.x(part.begin_s) - _LEAST / 2, frame.x(part.end_s) + _LEAST / 2
    return f"M{left:.1f} {frame.y(part.duty_pct):.1f}H{right:.1f}"


def _told(frame: Frame, command: Command) -> str:
    """The commands as steps within the frame."""
    found = ""
    for k, (t, duty_pct) in enumerate(command):
        ends = command[k + 1][0] if k + 1 < len(command) else frame.stop
        left, right = max(t, frame.start), min(ends, frame.stop)
        if left < right and not math.isnan(duty_pct):
            found += f"M{frame.x(left):.1f} {frame.y(duty_pct):.1f}H{frame.x(right):.1f}"
    return found


def _more(command: bool, count: int) -> str:
    told = "; dashed: the duty cycle of what was commanded" if command else ""
    rest = f"; the first {MOST_PARTS} of {count} parts" if count > MOST_PARTS else ""
    return told + rest


def _words(part: Part) -> str:
    duty = "no PWM" if math.isnan(part.duty_pct) else f"{part.duty_pct:.3f} %"
    return f"{label(round(part.begin_s, 3))} s to {label(round(part.end_s, 3))} s: {part.state}, {duty}"
