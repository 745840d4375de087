"""13.6 A car at a DC station is told to give."""

from __future__ import annotations

from hilbench.bench import Bench
from hilbench.measuring import Measure
from hilbench.nature import given_a, two_way_roles
from hilbench.procedures import Procedure
from hilbench.procedures.dc_cars import charging

SHARE = 0.6
"""Of what the car can give."""


async def run(bench: Bench, measure: Measure) -> None:
    """Each DC station whose car may discharge goes to a set point below zero for a minute, and back."""
    roles = [role for role in two_way_roles(bench.rig) if bench.site.branch(role).kind == "dc"]
    for role in await charging(bench, roles):
        branch = bench.site.branch(role)
        await bench.align()
        wanted_a = SHARE * given_a(bench.rig.station(role))
        given_w = wanted_a * bench.site.voltage_v(branch) * len(branch.lines)
        ordered = bench.faults.deafen(role, -wanted_a)
        await bench.run_for(60.0)
        measure("dc_give_time", since=ordered, roles=[role], given_w=given_w)
        measure("dc_give_excess", since=ordered, roles=[role], given_w=given_w)
        measure("dc_sessions_lost", since=ordered, roles=[role])
        bench.faults.heal_station(role)
        await bench.run_for(60.0)


PROCEDURE = Procedure(
    id="13.6",
    key="dc-set-point",
    title="set point below zero",
    purpose="A car that is told to give does so, in the right direction and no more, within the time of an inverter.",
    run=run,
    needs=frozenset({"dc.v2g", "controller.gives", "station.fault"}),
)
