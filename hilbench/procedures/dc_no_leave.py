"""13.7 A car that could give has no leave to."""

from __future__ import annotations

from hilbench.bench import Bench
from hilbench.measuring import Measure
from hilbench.nature import two_way_roles
from hilbench.procedures import Procedure
from hilbench.procedures.dc_cars import charging
from hilbench.rig_lint_v2g import given_a


async def run(bench: Bench, measure: Measure) -> None:
    """Each DC station whose car could discharge goes to 0 A, then to a set point below zero, without leave."""
    roles = [role for role in two_way_roles(bench.rig) if bench.site.branch(role).kind == "dc"]
    for role in await charging(bench, roles):
        await bench.align()
        zero = bench.faults.deafen(role, 0.0)
        await bench.run_for(30.0)
        bench.faults.deafen(role, -given_a(bench.rig.station(role)))
        await bench.run_for(60.0)
        measure("dc_unallowed_w", since=zero, roles=[role])
        bench.faults.heal_station(role)
        await bench.run_for(60.0)


PROCEDURE = Procedure(
    id="13.7",
    key="dc-no-leave",
    title="discharge without leave",
    purpose="A car that could give power back gives none where its controller has not allowed it, whatever its limit.",
    run=run,
    needs=frozenset({"dc.v2g", "controller.forbids", "station.fault"}),
)
