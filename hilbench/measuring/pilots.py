"""What was seen on control pilots, held against what was commanded; and how fast cars and boards followed.

The duty cycles that currents need are worked out here from the table of the metrics, not by who encoded them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from hilbench.measuring.window import Reading, Window
from hilbench.metrics import pilot_watch
from hilbench.metrics.pilot import Pilot
from hilbench.metrics.pilot_table import LOW_LEVEL, STATE_WINDOWS, duty_table
from hilbench.metrics.response import hold_time
from hilbench.probes import Seen
from hilbench.signals import line_current, pilot_duty

NOMINAL_HZ = 1000.0
TABLE = "iec2017"


class Look(NamedTuple):
    """A look at the pilot of ``of`` while ``commanded_a`` was its limit [A]."""

    of: str
    commanded_a: float
    seen: Seen


def duty_error(window: Window) -> list[Reading]:
    """Points between what the station sends and the duty cycle of the commanded limit, at each of ``looks``."""
    return [_duty_error(look) for look in _looks(window)]


def _duty_error(look: Look) -> Reading:
    pilot, wanted = look.seen.pilot, duty_table(TABLE).duty_pct(look.commanded_a)
    note, signals = f"{look.of}: {_shown(pilot)} at {look.commanded_a:g} A", (pilot_duty(look.of),)
    if math.isnan(wanted):
        return Reading(math.inf if pilot.pwm else 0.0, 0.0, note, signals)
    if not pilot.pwm:
        return Reading(math.inf, 0.0, note, signals)
    duty = pilot.source_duty_pct
    return Reading(abs(duty.value - wanted), duty.uncertainty, note, signals)


def _shown(pilot: Pilot) -> str:
    return f"{pilot.state}, {pilot.source_duty_pct.value:.3f} %" if pilot.pwm else f"{pilot.state}, no PWM"


def frequency_error(window: Window) -> list[Reading]:
    """Per cent between the frequency and 1 kHz, at each of ``looks`` with PWM."""
    return [
        Reading(
            abs(look.seen.pilot.frequency_hz.value / NOMINAL_HZ - 1.0) * 100.0,
            look.seen.pilot.frequency_hz.uncertainty / NOMINAL_HZ * 100.0,
            f"{look.of}: {look.seen.pilot.frequency_hz.value:.2f} Hz",
        )
        for look in _looks(window)
        if look.seen.pilot.pwm
    ]


def level_error(window: Window) -> list[Reading]:
    """Volts by which a level is outside the window of its state, at each of ``looks``; 0 inside."""
    found = []
    for look in _looks(window):
        pilot = look.seen.pilot
        limits = STATE_WINDOWS["corners"][pilot.state[0]]
        pairs = [(pilot.high_v, limits)] + ([(pilot.low_v, LOW_LEVEL["corners"])] if pilot.pwm else [])
        for level, limit in pairs:
            outside = max(limit.low - level.value, level.value - limit.high, 0.0)
            found.append(Reading(outside, level.uncertainty if outside else 0.0, f"{look.of}: {level.value:.2f} V"))
    return found


def change_spacing(window: Window) -> list[Reading]:
    """Seconds from a change of the duty cycle to the next raise, in each watched row of ``watched`` (name to row)."""
    rows: dict[str, Sequence[Seen]] = window.parameters["watched"]
    found = []
    for of, seen in rows.items():
        spacing = pilot_watch.raise_spacing([(one.t, _duty(one.pilot)) for one in seen])
        u = max((b.t - a.t for a, b in pairwise(seen)), default=0.0)
        found.append(Reading(spacing, u if math.isfinite(spacing) else 0.0, of, (pilot_duty(of),)))
    return found


def gaps(window: Window) -> list[Reading]:
    """How often the PWM was away between two looks that saw it, in each watched row."""
    rows: dict[str, Sequence[Seen]] = window.parameters["watched"]
    return [
        Reading(float(pilot_watch.gaps([one.pilot.pwm for one in seen])), 0.0, of, (pilot_duty(of),))
        for of, seen in rows.items()
    ]


def _duty(pilot: Pilot) -> float:
    return pilot.source_duty_pct.value if pilot.pwm else math.nan


def reaction_time(window: Window) -> list[Reading]:
    """Seconds from the first look that saw the pilot offer ``offered_a`` [A] until the car of ``role`` drew no more.

    With 1 A of grace; ``seen_s`` is when it was seen, ``seen_u_s`` what that is uncertain by.
    """
    role, offered_a = window.parameters["role"], window.parameters["offered_a"]
    seen_s, u = window.parameters["seen_s"], window.parameters["seen_u_s"]
    found = []
    for line in window.bench.site.branch(role).lines:
        name = line_current(role, line)
        drawn = window.line(name)
        if drawn is not None:
            t, amps = drawn
            reached = hold_time((t, -amps), -(offered_a + 1.0), seen_s)
            found.append(Reading(reached, u + window.time_u, f"{role} {line} down to {offered_a:.1f} A", (name,)))
    return found


def given(window: Window) -> list[Reading]:
    """``value`` with ``uncertainty``, as the procedure read it off a device."""
    parameters = window.parameters
    return [Reading(parameters["value"], parameters.get("uncertainty", 0.0), parameters.get("how", ""))]


def _looks(window: Window) -> Sequence[Look]:
    looks: Sequence[Look] = window.parameters["looks"]
    return looks
