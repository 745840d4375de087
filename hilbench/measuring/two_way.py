"""What flows through the service in either direction, and what cars that can discharge are left with."""

from __future__ import annotations

import numpy as np

from hilbench.measuring.shares import lines_used
from hilbench.measuring.window import Reading, Window
from hilbench.metrics.polyline import aligned, between, highest_mean, runs_above, total
from hilbench.signals import (
    Event,
    Signal,
    demanded_current,
    node_power,
    state_of_charge,
    station_energy,
    station_power,
)

DEMAND_S = 900.0
"""Window of a demand charge [s]: 15 min in most tariffs (secondary)."""
EXPORT_S = 10.0
"""Window over which an export counts [s]: set points come in steps, and cars follow within seconds (policy-default)."""
EXPORT_SLACK_W = 100.0
"""An export within so much of its limit keeps it (policy-default)."""
DISCHARGING_W = 100.0
"""A car that gives less than this does not discharge."""


def peak_import(window: Window) -> list[Reading]:
    """Largest mean import of the service [kW]."""
    name = node_power("service")
    t, watts = window.must(name)
    peak_w = highest_mean((t, watts), DEMAND_S)
    return [Reading(peak_w / 1000.0, abs(peak_w) / 1000.0 * window.average_u, "mean over 15 min", (name,))]


def export_excess(window: Window) -> list[Reading]:
    """Largest mean export of the service above the rig's limit [kW]; nothing where there is no limit."""
    limit_kw, name = window.bench.rig.site.export_limit_kw, node_power("service")
    if limit_kw is None:
        return []
    t, watts = window.must(name)
    export_kw = highest_mean((t, -watts), EXPORT_S) / 1000.0
    note = f"{max(export_kw, 0.0):.2f} kW of {limit_kw:g} kW"
    return [Reading(max(export_kw - limit_kw, 0.0), 0.0, note, (name,))]


def export_excess_time(window: Window) -> list[Reading]:
    """Longest time [s] for which the service gives more than the rig's limit; nothing where there is no limit."""
    limit_kw, name = window.bench.rig.site.export_limit_kw, node_power("service")
    if limit_kw is None:
        return []
    t, watts = window.must(name)
    level_w = 1000.0 * limit_kw + EXPORT_SLACK_W
    longest_s = max((stop - start for start, stop in runs_above((t, -watts), level_w)), default=0.0)
    note = f"at most {max(float(-watts.min()), 0.0) / 1000.0:.2f} kW of {limit_kw:g} kW"
    return [Reading(longest_s, 0.0, note, (name,))]


def given(window: Window) -> list[Reading]:
    """Largest mean power [kW] that all cars of the window together give."""
    lines = [line for role in window.roles if (line := window.line(station_power(role))) is not None]
    if not lines:
        return [Reading(0.0, 0.0, "no station says its power")]
    t, watts = total(*lines)
    signals = tuple(station_power(role) for role in window.roles)
    return [Reading(max(highest_mean((t, -watts), EXPORT_S), 0.0) / 1000.0, 0.0, "mean over 10 s", signals)]


def least_soc(window: Window) -> list[Reading]:
    """Lowest state of charge of each car while it discharges."""
    found = [Reading(1.0, 0.0, "no car discharges")]
    for role in window.roles:
        soc, power = window.line(state_of_charge(role)), window.line(station_power(role))
        if soc is not None and power is not None:
            _t, (charge, watts) = aligned(soc, power)
            given = charge[watts < -DISCHARGING_W]
            found += [Reading(float(given.min()), 0.0, role, (state_of_charge(role),))] if len(given) else []
    return found


def energy_at_departure(window: Window) -> list[Reading]:
    """Of each car that has left as it meant to: what it has gained of what its driver asked for."""
    events = (event for event in window.bench.record.events_of("session.needs") if event.subject in window.roles)
    return [reading for event in events if (reading := _gained(window, event)) is not None]


def _gained(window: Window, event: Event) -> Reading | None:
    departure = event.data["departure_t"]
    if departure is None or not window.start <= departure <= window.stop:
        return None
    signal = window.bench.record.signals.get(state_of_charge(event.subject))
    return _charged(window, event, departure) if signal is None else _held(signal, event, departure)


def _held(signal: Signal, event: Event, departure: float) -> Reading:
    """By the state of charge, where it is recorded: that of a car that can discharge."""
    arrival, target, soc = event.data["arrival_soc"], event.data["target_soc"], signal.value_at(departure)
    share = 1.0 if target <= arrival else float(np.clip((soc - arrival) / (target - arrival), 0.0, 1.0))
    note = f"{event.subject}: {100 * soc:.0f} % of {100 * target:.0f} %, came with {100 * arrival:.0f} %"
    return Reading(share, 0.0, note, (signal.name,))


def _charged(window: Window, event: Event, departure: float) -> Reading | None:
    """By the station's meter: what it counted until departure, of what was asked for and fits into the stay."""
    role, site = event.subject, window.bench.site
    counter, wanted = window.bench.record.signals.get(station_energy(role)), window.line(demanded_current(role))
    asked_wh = float(event.data["energy_wh"])
    if counter is None or wanted is None or departure <= event.t or asked_wh <= 0.0:
        return None
    branch = site.branch(role)
    phases = 1 if branch.line_to_line else len(lines_used(window, role))
    most_a = min(float(between(wanted, event.t, departure)[1].max()), branch.max_a)
    possible_wh = most_a * phases * site.voltage_v(branch) * (departure - event.t) / 3600.0
    got_wh = counter.value_at(departure) - counter.value_at(event.t)
    goal_wh = max(min(asked_wh, possible_wh), 1.0)
    note = f"{role}: {got_wh / 1000.0:.2f} of {goal_wh / 1000.0:.2f} kWh"
    return Reading(min(got_wh / goal_wh, 1.0), 0.0, note, (counter.name,))
