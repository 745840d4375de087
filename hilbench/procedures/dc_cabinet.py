"""13.5 Two cars at the two outlets of one cabinet."""

from __future__ import annotations

from hilbench.bench import Bench
from hilbench.measuring import Measure
from hilbench.nature import cabinets
from hilbench.procedures import Procedure
from hilbench.procedures.dc_cars import BEGUN_S, SOC, charging
from hilbench.signals import profile_limit
from hilbench_emulators.dc.power_module import load_module

LOSSES = 0.94
"""Of the power from the grid that reaches a car, at the load of a shared cabinet (shipped modules; recalled)."""


async def run(bench: Bench, measure: Measure) -> None:
    """One car alone, then the second: each gets what its station's limit and its half of the modules let it have."""
    for first, second in cabinets(bench.rig):
        await charging(bench, [first])
        await bench.plug_in(second, soc=SOC)
        await bench.run_for(BEGUN_S)
        await bench.settled()
        begun = bench.mark("stimulus.shared", first)
        await bench.run_for(60.0)
        roles = [first, second]
        entitled = {role: _entitled_w(bench, role, roles) for role in roles}
        measure("dc_cabinet_share", since=begun, roles=roles, entitled_w=entitled)
        measure("dc_cabinet_load", since=begun, roles=roles, rated_w=_together_w(bench, roles))
        measure("time_above_budget", since=begun)
        measure("dc_sessions_lost", since=begun, roles=roles)
        await bench.unplug(roles)
        await bench.run_for(30.0)


def _entitled_w(bench: Bench, role: str, roles: list[str]) -> float:
    """Half of the modules, the station's limit, or what the car would take: the least of them [W on the grid side]."""
    watts_per_a = bench.site.voltage_v(bench.site.branch(role)) * len(bench.site.branch(role).lines)
    half_w = _together_w(bench, roles) / 2.0
    limit_a = bench.record.signals[profile_limit(role)].last() or 0.0
    grid_w = min(limit_a, bench.plant.demand_a(role)) * watts_per_a
    return min(half_w, LOSSES * grid_w)


def _together_w(bench: Bench, roles: list[str]) -> float:
    return sum(_rated_w(bench, role) for role in roles)


def _rated_w(bench: Bench, role: str) -> float:
    dc = bench.rig.station(role).dc
    return 0.0 if dc is None else dc.modules * load_module(dc.module).rated_w


PROCEDURE = Procedure(
    id="13.5",
    key="dc-cabinet",
    title="two cars at one cabinet",
    purpose="Two outlets of one cabinet share its modules: each car gets its part, both no more than all.",
    run=run,
    needs=frozenset({"dc.cabinet"}),
)
