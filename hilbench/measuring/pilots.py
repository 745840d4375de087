"""What was seen on control pilots, held against what was commanded; and how fast cars and boards followed.

The duty cycles that currents need are worked out here from the table of the metrics, not by who encoded them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from hilbench.measuring.window import Reading, Window, clock_part, scope_part
from hilbench.metrics import pilot_watch
from hilbench.metrics.pilot import Pilot
from hilbench.metrics.pilot_facts import facts
from hilbench.metrics.pilot_table import LOW_LEVEL, NOMINAL_HZ, STATE_WINDOWS, duty_table
from hilbench.metrics.response import hold_time
from hilbench.probes import Seen
from hilbench.signals import line_current, pilot_duty
from hilbench.waveform import Snapshot

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
    value, u = _off(pilot, wanted)
    note = f"{look.of}: {_shown(pilot)} at {look.commanded_a:g} A"
    return Reading(value, u, note, (pilot_duty(look.of),), shots=_shots(look))


def _off(pilot: Pilot, wanted: float) -> tuple[float, float]:
    """Points between the duty cycle and the wanted one (``nan``: there must be no PWM), and their uncertainty."""
    if math.isnan(wanted) or not pilot.pwm:
        return math.inf if pilot.pwm or not math.isnan(wanted) else 0.0, 0.0
    duty = pilot.source_duty_pct
    return abs(duty.value - wanted), duty.uncertainty


def _shots(*looks: Look) -> tuple[Snapshot, ...]:
    """The records of looks that still have theirs, with what they showed."""
    return tuple(Snapshot(look.of, look.seen.record, _about(look)) for look in looks if look.seen.record is not None)


def _about(look: Look) -> dict[str, Any]:
    seen = look.seen
    told = look.commanded_a if math.isfinite(look.commanded_a) else None
    return {"t": seen.t, "uncertainty_s": seen.uncertainty_s, "commanded_a": told, **facts(seen.pilot)}


def _shown(pilot: Pilot) -> str:
    return f"{pilot.state}, {pilot.source_duty_pct.value:.3f} %" if pilot.pwm else f"{pilot.state}, no PWM"


def frequency_error(window: Window) -> list[Reading]:
    """Per cent between the frequency and 1 kHz, at each of ``looks`` with PWM."""
    return [
        Reading(
            abs(look.seen.pilot.frequency_hz.value / NOMINAL_HZ - 1.0) * 100.0,
            look.seen.pilot.frequency_hz.uncertainty / NOMINAL_HZ * 100.0,
            f"{look.of}: {look.seen.pilot.frequency_hz.value:.2f} Hz",
            shots=_shots(look),
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
            u, note = level.uncertainty if outside else 0.0, f"{look.of}: {level.value:.2f} V"
            found.append(Reading(outside, u, note, shots=_shots(look)))
    return found


def change_spacing(window: Window) -> list[Reading]:
    """Seconds from a change of the duty cycle to the next raise, in each watched row of ``watched`` (name to row)."""
    rows: dict[str, Sequence[Seen]] = window.parameters["watched"]
    found = []
    for of, seen in rows.items():
        closest = pilot_watch.closest_raise([(one.t, _duty(one.pilot)) for one in seen])
        u = max((b.t - a.t for a, b in pairwise(seen)), default=0.0) if closest else 0.0
        spacing = closest[1].t - closest[0].t if closest else math.inf
        moves = [move.t for move in closest or ()]
        shots = _shots(*(Look(of, math.nan, one) for one in seen if one.t in moves))
        found.append(Reading(spacing, u, of, (pilot_duty(of),), shots=shots))
    return found


def gaps(window: Window) -> list[Reading]:
    """How often the PWM was away between two looks that saw it, in each watched row."""
    rows: dict[str, Sequence[Seen]] = window.parameters["watched"]
    found = []
    for of, seen in rows.items():
        away = [seen[at] for at in pilot_watch.gaps([one.pilot.pwm for one in seen])]
        shots = _shots(*(Look(of, math.nan, one) for one in away[:1]))
        found.append(Reading(float(len(away)), 0.0, of, (pilot_duty(of),), shots=shots))
    return found


def _duty(pilot: Pilot) -> float:
    return pilot.source_duty_pct.value if pilot.pwm else math.nan


def reaction_time(window: Window) -> list[Reading]:
    """Seconds from the first look that saw the pilot offer ``offered_a`` [A] until the car of ``role`` drew no more.

    With 1 A of grace; ``seen_s`` is when it was seen, ``seen_u_s`` what that is uncertain by, ``look`` the look.
    """
    role, offered_a = window.parameters["role"], window.parameters["offered_a"]
    seen_s, u = window.parameters["seen_s"], window.parameters["seen_u_s"]
    look = window.parameters.get("look")
    found, shots = [], () if look is None else _shots(Look(role, offered_a, look))
    for line in window.bench.site.branch(role).lines:
        name = line_current(role, line)
        drawn = window.line(name)
        if drawn is not None:
            t, amps = drawn
            reached = hold_time((t, -amps), -(offered_a + 1.0), seen_s)
            note = f"{role} {line} down to {offered_a:.1f} A"
            parts = (scope_part(u), clock_part(window.time_u))
            found.append(Reading(reached, u + window.time_u, note, (name,), shots=shots, parts=parts))
    return found


def given(window: Window) -> list[Reading]:
    """``value`` with ``uncertainty``, as the procedure read it off a device."""
    parameters = window.parameters
    return [Reading(parameters["value"], parameters.get("uncertainty", 0.0), parameters.get("how", ""))]


def _looks(window: Window) -> Sequence[Look]:
    looks: Sequence[Look] = window.parameters["looks"]
    return looks
