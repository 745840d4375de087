"""How a DC station and its car take a new limit: the answer, the request, the output, the grid; and what breaks.

Windows begin where the limit of a station changes, or where its car falls silent.
"""

from __future__ import annotations

import math

import numpy as np

from hilbench.measuring.window import Extractor, Reading, Window
from hilbench.metrics import response
from hilbench.metrics.polyline import Polyline, aligned, total
from hilbench.signals import dc_current, dc_offered, dc_requested, dc_voltage, line_current, station_power

TOLERANCE_A, TOLERANCE = 2.5, 0.05
"""Accuracy of a DC output: 2.5 A up to 50 A, 5 % above (IEC 61851-23 Annex AA; recalled)."""
GRID_TOLERANCE_A = 1.0
"""On the grid side 1 A, or as much in proportion (policy-default)."""
SETTLED_S = 5.0
"""What is offered at the end of a window is the least of its last seconds."""
TAKES_A = 6.0
"""A car that takes so much charges again: the least of a LEAF (recorded); how much more it gets is its controller's.

Where a station has held more than that, as much above what it held as its output may be off."""
OFFER_STEP_A = 1.0
"""An offer that is lower by less has not fallen: CHAdeMO has whole amperes (read-code)."""
NOTHING_A = 1.0
"""A current below this is none: the lower end of what meters of chargers resolve (policy-default)."""


def _offer_a(window: Window, role: str) -> float:
    """What is offered at the end."""
    t, values = window.must(dc_offered(role))
    return float(values[t >= window.stop - SETTLED_S].min())


def _within_a(offer_a: float) -> float:
    return offer_a + max(TOLERANCE_A, TOLERANCE * offer_a)


def _context(window: Window, role: str, offer_a: float) -> dict[str, float]:
    before = float(window.must(dc_current(role))[1][0])
    return {"dc_step_a": max(before - offer_a, 0.0)}


def _told_s(window: Window, role: str, offer_a: float) -> float:
    """Seconds until a message offers no more than ``offer_a``; infinity where that is no less than before."""
    offered = window.must(dc_offered(role))
    if offer_a > float(offered[1][0]) - OFFER_STEP_A:
        return math.inf
    return response.clear_time(offered, offer_a + OFFER_STEP_A, window.start)


def _since(told_s: float, reached_s: float) -> float:
    """From a message until it is followed: 0 where that was so before, infinity where one of them never comes."""
    return math.inf if math.inf in (told_s, reached_s) else max(reached_s - told_s, 0.0)


def offer_time(window: Window) -> list[Reading]:
    """Time until the charger's message has the new limit."""
    found = []
    for role in window.roles:
        offer_a = _offer_a(window, role)
        seconds = _told_s(window, role, offer_a)
        found.append(Reading(seconds, window.time_u, f"{role}: {offer_a:.0f} A", (dc_offered(role),)))
    return found


def following(signal: str) -> Extractor:
    """Time from the message until the car's request, or the output, is within the offer and its tolerance."""

    def extract(window: Window) -> list[Reading]:
        found = []
        for role in window.roles:
            name = dc_requested(role) if signal == "request" else dc_current(role)
            offer_a = _offer_a(window, role)
            reached = response.clear_time(window.must(name), _within_a(offer_a), window.start)
            seconds = _since(_told_s(window, role, offer_a), reached)
            note = f"{role}: to {offer_a:.0f} A"
            found.append(Reading(seconds, window.time_u, note, (name,), _context(window, role, offer_a)))
        return found

    return extract


def zero_time(window: Window) -> list[Reading]:
    """Time from the message until nothing flows any more, or from the window's start where there is no message."""
    found = []
    for role in window.roles:
        output = window.must(dc_current(role))
        told = 0.0
        if window.parameters.get("told", True):
            told = response.clear_time(window.must(dc_offered(role)), NOTHING_A, window.start)
        seconds = _since(told, response.clear_time(output, NOTHING_A, window.start))
        note = f"{role}: from {output[1].max():.0f} A at most"
        context = {"dc_patience_s": float(window.parameters.get("patience_s", 0.0))}
        found.append(Reading(seconds, window.time_u, note, (dc_current(role),), context))
    return found


def grid_time(window: Window) -> list[Reading]:
    """Time until every line of a station is within the limit ``limit_a`` on the grid side and its tolerance."""
    limit_a = float(window.parameters["limit_a"])
    within = limit_a + max(GRID_TOLERANCE_A, TOLERANCE * limit_a)
    found = []
    for role in window.roles:
        context = _context(window, role, _offer_a(window, role))
        for line in window.bench.site.branch(role).lines:
            name = line_current(role, line)
            seconds = response.clear_time(window.must(name), within, window.start)
            found.append(Reading(seconds, window.time_u, f"{role} {line}: {limit_a:.1f} A", (name,), context))
    return found


def excess(window: Window) -> list[Reading]:
    """Largest current of a line above the limit ``limit_a`` [A]."""
    limit_a, hold_a = float(window.parameters["limit_a"]), float(window.parameters.get("hold_a", 0.0))
    return [
        Reading(
            float(window.must(line_current(role, line))[1].max()) - limit_a,
            0.0,
            f"{role} {line}",
            (line_current(role, line),),
            {"dc_hold_a": hold_a},
        )
        for role in window.roles
        for line in window.bench.site.branch(role).lines
    ]


def sessions_lost(window: Window) -> list[Reading]:
    """How many sessions ended, for whatever reason."""
    ended = [
        event
        for event in window.bench.record.events_of("dc.end")
        if event.subject in window.roles and window.start <= event.t <= window.stop
    ]
    note = "; ".join(f"{event.subject}: {event.data.get('reason', '')}" for event in ended) or "none"
    return [Reading(float(len(ended)), 0.0, note, (), {"dc_ends": float(window.parameters.get("ends", 0.0))})]


def _charges_a(window: Window, role: str, before_a: float) -> float:
    """The output [A] at which a car charges again: more than what it was held at when the window began."""
    held_a = float(window.must(dc_current(role))[1][0])
    above_a = min(held_a + TOLERANCE_A, 0.9 * before_a) if held_a > NOTHING_A else 0.0
    return max(min(0.5 * before_a, TAKES_A), above_a)


def resume_time(window: Window) -> list[Reading]:
    """Time until the output is back at :data:`TAKES_A`, or at half of ``before_a`` [A] of its role if that is less."""
    before: dict[str, float] = window.parameters["before_a"]
    context = {"dc_ends": float(window.parameters.get("ends", 0.0))}
    return [
        Reading(
            response.reach_time(window.must(dc_current(role)), _charges_a(window, role, before[role]), window.start),
            window.time_u,
            f"{role}: {before[role]:.0f} A before",
            (dc_current(role),),
            context,
        )
        for role in window.roles
    ]


def cabinet_share(window: Window) -> list[Reading]:
    """Mean power of each outlet as a share of what it is entitled to: ``entitled_w`` [W on the grid side]."""
    entitled: dict[str, float] = window.parameters["entitled_w"]
    found = []
    for role in window.roles:
        t, watts = window.must(station_power(role))
        mean = float(np.trapezoid(watts, t) / (t[-1] - t[0]))
        note = f"{role}: {mean / 1000.0:.1f} of {entitled[role] / 1000.0:.1f} kW"
        found.append(Reading(mean / entitled[role], 0.0, note, (station_power(role),)))
    return found


def _output_w(window: Window, role: str) -> Polyline:
    t, (volts, amps) = aligned(window.must(dc_voltage(role)), window.must(dc_current(role)))
    return t, volts * amps


def cabinet_load(window: Window) -> list[Reading]:
    """Largest power of all outlets of a cabinet together, as a share of ``rated_w`` [W DC] of its modules."""
    rated_w = float(window.parameters["rated_w"])
    most_w = float(total(*(_output_w(window, role) for role in window.roles))[1].max())
    note = f"{' and '.join(window.roles)}: {most_w / 1000.0:.1f} of {rated_w / 1000.0:.1f} kW"
    return [Reading(most_w / rated_w, 0.0, note, tuple(map(dc_current, window.roles)))]


def give_time(window: Window) -> list[Reading]:
    """Time until a station gives 90 % of ``given_w`` [W] for good; never where it gives nothing, or takes."""
    given_w = float(window.parameters["given_w"])
    return [
        Reading(
            response.clear_time(window.must(station_power(role)), -0.9 * given_w, window.start),
            window.time_u,
            f"{role}: {given_w / 1000.0:.2f} kW",
            (station_power(role),),
        )
        for role in window.roles
    ]


def give_excess(window: Window) -> list[Reading]:
    """How much more than ``given_w`` [W] a station gives, as a share of it."""
    given_w = float(window.parameters["given_w"])
    found = []
    for role in window.roles:
        most_w = -float(window.must(station_power(role))[1].min())
        found.append(Reading(max(most_w / given_w - 1.0, 0.0), 0.0, role, (station_power(role),)))
    return found


def fed(window: Window) -> list[Reading]:
    """Most power [W] that a station feeds into the grid; 0 where it only takes."""
    return [
        Reading(max(-float(window.must(station_power(role))[1].min()), 0.0), 0.0, role, (station_power(role),))
        for role in window.roles
    ]
