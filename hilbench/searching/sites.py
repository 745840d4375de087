"""Small scarce sites out of a rig: some of its stations, with other makes and cars, behind services that just bear it.

The tree, its lines and the rotation of phases stay; ratings and budgets are scaled to the stations that are left, so
that everybody charging at once is far too much and everybody at its least is just possible.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from random import Random
from typing import Any

from hilbench.rig import Rig, StationEntry
from hilbench.searching import fair
from hilbench.site import CONTINUOUS, Feeder, Node, Site

MOST_STATIONS = 6
COUNTS = (2, 3, 4, 5, MOST_STATIONS)
COUNT_WEIGHTS = (30, 30, 25, 10, 5)
"""Small sites are quick, and two or three stations show what matters (policy)."""
VERSIONS = ("1.6", "2.0.1", "2.1")
STANDARD_SHARE = 0.6
"""Share of stations that are by the book (policy)."""
NO_FALLBACK_SHARE = {False: 0.2, True: 0.7}
"""Share of sites whose stations pause without a controller, other sites and those with a heavy building (policy)."""
BUILDING_SHARE = {False: (0.2, 0.85), True: (0.7, 0.9)}
"""The worst building as a share of the budget, likewise (policy)."""
SPARE_A = 8.0
"""What is left beside all that is drawn anyhow: one car can charge (policy)."""


def draw_rig(rig: Rig, rng: Random, cars: list[str], heavy: bool) -> tuple[Rig, dict[str, float]]:
    """A varied rig and the least current of each of its stations [A].

    ``heavy``: most of the budget is the building's, so that a controller that does not see it goes far beyond.
    """
    stations = _stations(rig, rng, cars, rng.random() < NO_FALLBACK_SHARE[heavy])
    least = {entry.role: fair.least_a(entry, entry.personality) for entry in stations}
    bare = _varied(rig, rig.site.model_dump(), rig.feeders, stations).electrical
    most = {branch.role: branch.max_a for branch in bare.branches}
    span = fair.line_sum_a(bare, "service", least), fair.line_sum_a(bare, "service", most)
    table, budget = _service(rig, rng, span, rng.uniform(*BUILDING_SHARE[heavy]))
    feeders = _feeders(rig, rng, bare, least, budget)
    return _varied(rig, table, feeders, stations), least


def _varied(rig: Rig, site: Mapping[str, Any], feeders: tuple[Feeder, ...], stations: tuple[StationEntry, ...]) -> Rig:
    tables = {"site": site, "feeder": feeders, "station": stations, "run": rig.run}
    tables |= {"controller": rig.controller, "meter": rig.meters}
    return Rig.model_validate(tables, context={"source": rig.source, "path": rig.path, "folder": rig.folder})


def _stations(rig: Rig, rng: Random, cars: list[str], pauses: bool) -> tuple[StationEntry, ...]:
    count = min(rng.choices(COUNTS, COUNT_WEIGHTS)[0], len(rig.stations))
    chosen = sorted(rng.sample(range(len(rig.stations)), count))
    unruly_left = count // 2
    found = []
    for index in chosen:
        make = _make(rng, unruly_left > 0)
        unruly_left -= fair.is_unruly(make)
        changes: dict[str, Any] = {"personality": make, "ocpp": rng.choice(VERSIONS), "vehicle": rng.choice(cars)}
        changes |= {"fallback_a": 0.0} if pauses else {}
        found.append(rig.stations[index].model_copy(update=changes))
    return tuple(found)


def _make(rng: Random, may_be_unruly: bool) -> str:
    """A make; among those that cannot be held at most half of the stations, else nothing would be scarce."""
    if rng.random() < STANDARD_SHARE:
        return "standard"
    return rng.choice([name for name in fair.manners() if may_be_unruly or not fair.is_unruly(name)])


def _service(rig: Rig, rng: Random, span: tuple[float, float], share: float) -> tuple[dict[str, Any], float]:
    """``[site]`` with service, budget and worst building load, and the budget [A]; mostly near what is just enough.

    ``span`` is what the stations draw at least and at most [A], ``share`` the building's part of the budget.
    """
    least, most = span
    slack = rng.random() ** 3
    budget = _up((least + slack * 0.8 * (most - least) + SPARE_A) / (1.0 - share))
    base = math.floor(share * budget * 10.0) / 10.0
    service = rig.site.service
    rating = _up(budget / _use(rig.electrical, rig.electrical.nodes[0], rng))
    scaled = service.model_copy(update={"rating_a": rating})
    table = rig.site.model_dump() | {"service": scaled, "budget_a": budget, "worst_base_a": base}
    return table, budget


def _use(site: Site, node: Node, rng: Random) -> float:
    """Budget as a share of the rating: the rig's, or up to what the code allows (1 by IEC 60364-4-43, 433.1)."""
    share = min(node.limit_a / node.rating_a, 1.0)
    return rng.uniform(share, 1.0) if site.service.frequency_hz < 55.0 else min(share, max(CONTINUOUS, share))


def _feeders(rig: Rig, rng: Random, bare: Site, least: Mapping[str, float], budget: float) -> tuple[Feeder, ...]:
    """The feeders that still feed somebody, each with a budget between the least of its stations and its parent's."""
    budgets, found = {"service": budget}, []
    most = {branch.role: branch.max_a for branch in bare.branches}
    for node in bare.nodes[1:]:
        if not bare.below(node.id):
            continue
        low, high = (fair.line_sum_a(bare, node.id, amps) for amps in (least, most))
        wanted = low + rng.random() ** 2 * 0.8 * (high - low) + 1.0
        budgets[node.id] = min(_up(wanted), budgets[node.parent or "service"])
        found.append(_feeder(rig, node, budgets[node.id], _use(bare, node, rng)))
    return tuple(found)


def _feeder(rig: Rig, node: Node, budget: float, use: float) -> Feeder:
    feeder = next(one for one in rig.feeders if one.id == node.id)
    rating = _up(budget / use)
    changes: dict[str, Any] = {"budget_a": budget, "rating_a": rating if feeder.rating_a else None, "worst_base_a": 0.0}
    if feeder.transformer_kva is not None:
        changes["transformer_kva"] = feeder.transformer_kva * rating / node.rating_a
    return feeder.model_copy(update=changes)


def _up(amps: float) -> float:
    """Rounded up to 0.1 A."""
    return math.ceil(amps * 10.0 - 1e-9) / 10.0
