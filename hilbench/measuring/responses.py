"""How fast the cars followed a stimulus, and how fast they came back."""

from __future__ import annotations

import math

from hilbench.measuring.window import Extractor, Reading, Window, managed, offers
from hilbench.metrics import allocation, exposure, response
from hilbench.metrics.polyline import aligned, between, mean
from hilbench.signals import Event, base_current, line_current, offered_current


def step(pick: str) -> Extractor:
    """Response of the cars' current to a stimulus at the window's start, towards its mean over the last 10 s."""

    def extract(window: Window) -> list[Reading]:
        found = []
        for line in window.parameters.get("lines") or window.bench.site.lines:
            cars = managed(window, line)
            y0, yf = float(cars[1][0]), mean(between(cars, max(window.start, window.stop - 10.0), window.stop))
            if abs(yf - y0) < 1.0:
                found.append(Reading(math.inf, 0.0, f"{line}: the cars did not respond"))
                continue
            result = response.step_response(cars, window.start, y0, yf, max(1.0, 0.05 * abs(yf - y0)))
            u = 0.0 if pick == "overshoot" else window.time_u
            found.append(Reading(getattr(result, pick), u, f"{line}: {y0:.1f} to {yf:.1f} A"))
        return found

    return extract


def resume_time(window: Window) -> list[Reading]:
    """Time until the cars draw 90 % of what they drew before the loss at ``lost`` (an event or a time)."""
    before = window.parameters["lost"]
    t0 = before.t if isinstance(before, Event) else float(before)
    found = []
    for line in window.bench.site.lines:
        name = line_current("service", line)
        then = window.bench.record.signals[name].value_at(t0) - window.bench.record.signals[
            base_current(line)
        ].value_at(t0)
        reached = response.reach_time(managed(window, line), 0.9 * then, window.start)
        found.append(Reading(reached, window.time_u, f"{line}: 90 % of {then:.1f} A"))
    return found


def reversals(window: Window) -> list[Reading]:
    """Changes of direction of what each station offers, per hour."""
    hysteresis = window.requirements.parameter("reversal_hysteresis_a")
    return [
        Reading(exposure.reversals_per_hour(line, hysteresis), 0.0, role, (offered_current(role),))
        for role, line in offers(window).items()
    ]


def false_shed(window: Window) -> list[Reading]:
    """What was taken from all offers together in the minute after the stimulus."""
    t, values = aligned(*offers(window).values())
    stop = min(window.start + 60.0, window.stop)
    return [Reading(exposure.largest_drop((t, values.sum(axis=0)), window.start, stop), 0.0, "sum of offers")]


def minimum_offer(window: Window) -> list[Reading]:
    """Least current that each station offered beside pauses; a DC station has no pilot that could say too little."""
    by_pilot = {role: line for role, line in offers(window).items() if window.bench.site.branch(role).kind == "ac"}
    least = {role: allocation.minimum_offer([line]) for role, line in by_pilot.items()}
    found = [
        Reading(value, 0.0, role, (offered_current(role),)) for role, value in least.items() if not math.isnan(value)
    ]
    if not found and len(by_pilot) < len(offers(window)):
        return [Reading(math.inf, 0.0, "only DC stations had cars, and they have no least offer", judged=False)]
    return found
