"""What a rig's own figures say before anything runs: margins of overcurrent protection, fallbacks and nameplates."""

from __future__ import annotations

from hilbench.measuring.window import Reading, Window

CONTINUOUS_FACTOR = 1.25
"""What runs for three hours counts as so much of itself at 60 Hz (NEC 210.20(A), 215.3; recalled)."""


def _counts(window: Window) -> float:
    """How much a load that lasts counts: at 50 Hz an OCPD carries its rating (IEC 60364-4-43 433.1; recalled)."""
    return CONTINUOUS_FACTOR if window.bench.site.service.frequency_hz > 55.0 else 1.0


def setting_ratio(window: Window) -> list[Reading]:
    """Of each node: its budget, which the controller holds for hours, as a share of its OCPD.

    Nodes whose assembly is listed for 100 % of its rating count as they are; a transformer alone is no OCPD.
    """
    loads, site = window.bench.rig.loads, window.bench.site
    found = []
    bare = {feeder.id for feeder in site.feeders if feeder.rating_a is None}
    for node in (one for one in site.nodes if one.id not in bare):
        share = 1.0 if loads is not None and node.id in loads.full_rated else _counts(window)
        note = f"{node.id}: {share:g} x {node.limit_a:g} A on {node.rating_a:g} A"
        found.append(Reading(share * node.limit_a / node.rating_a, note=note))
    return found


def fallback_ratio(window: Window) -> list[Reading]:
    """Of each node: all fallbacks beside the worst building, as a share of its budget.

    Where the building alone is above the budget, as a share of the building: then every fallback must be 0.
    """
    site = window.bench.site
    found = []
    for node in site.nodes:
        base_a, stations_a = site.base_a(node.id), site.fallback_sum_a(node.id)
        note = f"{node.id}: {base_a:.4g} A beside {stations_a:.4g} A of fallbacks on {node.limit_a:g} A"
        found.append(Reading((base_a + stations_a) / max(node.limit_a, base_a), note=note))
    return found


def branch_ratio(window: Window) -> list[Reading]:
    """Of each station: what it may take for hours, as a share of what its branch circuit carries for hours."""
    site = window.bench.site
    share = _counts(window)
    return [
        Reading(
            share * branch.max_a / branch.branch_a,
            note=f"{branch.role}: {share:g} x {branch.max_a:g} A on a branch of {branch.branch_a:g} A",
        )
        for branch in site.branches
    ]
