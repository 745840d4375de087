"""What charging cost by the rig's tariff, against the same energy taken on arrival."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from hilbench import clock
from hilbench.bench import PlayedSession
from hilbench.measuring.shares import lines_used
from hilbench.measuring.window import Reading, Window
from hilbench.metrics.arrival import Stay, on_arrival
from hilbench.metrics.bill import bill
from hilbench.metrics.polyline import between, step_means
from hilbench.signals import Array, demanded_current, node_power, station_power
from hilbench.tariff import read_tariff

STEP_S = 60.0
"""It divides the demand windows of all tariffs that the bench knows."""


def cost_ratio(window: Window) -> list[Reading]:
    """Bill of the site with its cars beyond that of the building alone, both ways; nothing without tariff or cars.

    Demand counts as if the window held the highest demand of its month.
    """
    rig = window.bench.rig
    path, stays = rig.site.tariff, _stays(window)
    if path is None or not stays:
        return []
    tariff, begins = read_tariff(path), clock.current().epoch + timedelta(seconds=window.start)
    building, cars = _building(window), _cars(window)
    early = on_arrival(stays, _room_kw(window, building), window.start, STEP_S)
    alone, planned, arrived = (
        bill(tariff, begins, STEP_S, load, rig.zone).total for load in (building, building + cars, building + early)
    )
    if arrived <= alone:
        return []
    note = f"{planned - alone:.2f} against {arrived - alone:.2f} for {cars.sum() * STEP_S / 3600.0:.0f} kWh"
    return [Reading((planned - alone) / (arrived - alone), 0.0, note, (node_power("service"),))]


def _means(window: Window, name: str) -> Array:
    """Means over steps [kW]; nothing where it was never recorded."""
    count = int((window.stop - window.start) // STEP_S)
    line = window.line(name)
    return np.zeros(count) if line is None else step_means(line, window.start, STEP_S, count) / 1000.0


def _cars(window: Window) -> Array:
    total: Array = np.sum([_means(window, station_power(role)) for role in window.bench.stations], axis=0)
    return total


def _building(window: Window) -> Array:
    alone: Array = _means(window, node_power("service")) - _cars(window)
    return alone


def _room_kw(window: Window, building: Array) -> Array:
    """What budget and contract leave to the cars."""
    site = window.bench.site
    budget_kw = site.all_lines_kw(site.nodes[0].limit_a)
    most_kw = budget_kw if site.contract_kw is None else min(budget_kw, site.contract_kw)
    room: Array = np.maximum(most_kw - building, 0.0)
    return room


def _stays(window: Window) -> list[Stay]:
    return [stay for played in window.bench.sessions if (stay := _stay(window, played)) is not None]


def _stay(window: Window, played: PlayedSession) -> Stay | None:
    """A session that took place; what it can take is the most that its car would have drawn at any moment."""
    if played.role is None or played.started is None:
        return None
    stop = window.stop if played.ended is None else played.ended
    line = window.line(demanded_current(played.role))
    energy_kwh = window.bench.delivered_kwh(played)
    if line is None or stop <= played.started or energy_kwh <= 0.0:
        return None
    branch, site = window.bench.site.branch(played.role), window.bench.site
    phases = 1 if branch.line_to_line else len(lines_used(window, played.role))
    amps = min(float(between(line, played.started, stop)[1].max()), branch.max_a)
    return Stay(played.started, stop, amps * phases * site.voltage_v(branch) / 1000.0, energy_kwh)
