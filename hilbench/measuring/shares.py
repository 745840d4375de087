"""How current and energy were shared, and whether room was left unused."""

from __future__ import annotations

import math

import numpy as np

from hilbench.measuring.window import Reading, Window
from hilbench.metrics import allocation, response
from hilbench.metrics.polyline import Level, Polyline, aligned, mean, minus
from hilbench.signals import base_current, demanded_current, line_current
from hilbench.site import Node

RECOVERED = 0.85
"""Share of what they may that counts as recovered: real cars take up to 15 % less than they are offered (Tinkerforge/
warp-charger current_ramp logs), so a share nearer to 1 would test the cars."""
STARVES = 5.0 / 6.0
"""Share of the least current below which a car has nothing: offered 6 A, cars draw up to 0.5 A less (measured)."""
FLOWS_A = 0.5
"""A line that never carries more is none that the car uses."""


def utilisation(window: Window) -> list[Reading]:
    """For each car on ``lines``, how much it had of what it wanted or something above it could carry, on average."""
    about = set(window.parameters.get("lines") or window.bench.site.lines)
    return [
        Reading(mean(share), window.average_u, role, (line_current(role, lines_used(window, role)[0]),))
        for role, share in _served(window, beside_base=False).items()
        if about & set(lines_used(window, role))
    ]


def recovery_time(window: Window) -> list[Reading]:
    """Time until each car has 85 % of what it wants, or something above it carries 85 % of what it may for cars."""
    return [
        Reading(response.reach_time(share, RECOVERED, window.start), window.time_u, f"{role}: 85 % of what it may")
        for role, share in _served(window, beside_base=True).items()
    ]


def _served(window: Window, beside_base: bool) -> dict[str, Polyline]:
    """Served share of each car that was there; ``beside_base`` looks at what is left beside the building."""
    site, found = window.bench.site, dict[str, Polyline]()
    known = {
        (node.id, line): _load(window, node, line, beside_base)
        for node in site.nodes
        for line in site.lines
        if window.line(line_current(node.id, line)) is not None
    }
    for role in window.roles:
        wanted, branch = window.line(demanded_current(role)), site.branch(role)
        if wanted is not None and (wanted[1] >= branch.minimum_a).any():
            lines, path = lines_used(window, role), [*site.path(branch.feeder)]
            above = [known[node_id, line] for node_id in path for line in lines if (node_id, line) in known]
            above += _balance(window, lines)
            drawn = window.must(line_current(role, lines[0]))
            found[role] = allocation.served_share(drawn, wanted, above, branch.minimum_a)
    return found


def _balance(window: Window, used: list[str]) -> list[tuple[Polyline, Level]]:
    """Lines of the service that a car makes fuller than the others, and how full the emptiest one lets them be."""
    site = window.bench.site
    if math.isinf(site.spread_a) or len(used) == len(site.lines):
        return []
    t, carried = aligned(*(window.must(line_current("service", line)) for line in site.lines))
    limit = (t, carried.min(axis=0) + site.spread_a)
    return [(window.must(line_current("service", line)), limit) for line in used]


def lines_used(window: Window, role: str) -> list[str]:
    """Lines that the car at a station uses; all of the station's while it has used none."""
    lines = window.bench.site.branch(role).lines
    drawn = {line: window.must(line_current(role, line)) for line in lines}
    return [line for line in lines if float(drawn[line][1].max()) > FLOWS_A] or list(lines)


def _metered(window: Window, node: Node) -> bool:
    """Whether anybody can know what the node carries beside stations: else what is declared has to be kept free."""
    return any(meter.node == node.id for meter in window.bench.rig.meters.values())


def _load(window: Window, node: Node, line: str, beside_base: bool) -> tuple[Polyline, Level]:
    current = window.must(line_current(node.id, line))
    base = window.line(base_current(line, node.id))
    if base is not None and not _metered(window, node):
        return minus(current, base), node.limit_a - window.bench.site.base_a(node.id)
    if base is None or not beside_base:
        return current, node.limit_a
    return minus(current, base), (base[0], node.limit_a - base[1])


def jain(window: Window) -> list[Reading]:
    """Jain's index of the mean currents of the stations."""
    shares = [max(_mean_current(window, role), 0.0) for role in window.roles]
    spread = f"{min(shares):.1f} to {max(shares):.1f} A over {len(shares)} cars"
    return [Reading(allocation.jain_index(shares), window.average_u, spread)]


def _mean_current(window: Window, role: str) -> float:
    found = window.line(line_current(role, window.bench.site.branch(role).lines[0]))
    return mean(found) if found is not None else 0.0


def energy_satisfaction(window: Window) -> list[Reading]:
    """Energy that the played sessions received of what they could have."""
    played = [session for session in window.bench.sessions if session.role is not None]
    wanted = [window.bench.feasible_kwh(session) for session in played]
    got = [window.bench.delivered_kwh(session) for session in played]
    note = f"{sum(got):.1f} of {sum(wanted):.1f} kWh in {len(played)} sessions"
    return [Reading(allocation.energy_satisfaction(got, wanted), 0.0, note)]


def starvation(window: Window) -> list[Reading]:
    """Longest time that a car which could charge had nothing, per station."""
    found = [Reading(0.0)]
    for role in window.roles:
        branch = window.bench.site.branch(role)
        line, least_a = branch.lines[0], branch.minimum_a
        current, wanted = window.line(line_current(role, line)), window.line(demanded_current(role))
        if current is not None and wanted is not None:
            # a car whose battery takes less than the least current starves of nothing
            able = (wanted[0], np.where(wanted[1] >= least_a, wanted[1], 0.0))
            starved_s = allocation.starvation_time(current, able, STARVES * least_a)
            found.append(Reading(starved_s, window.time_u, role))
    return found
