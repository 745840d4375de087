"""13.1 The limit of a DC station is halved while its car charges."""

from __future__ import annotations

from hilbench.bench import Bench
from hilbench.measuring import Measure
from hilbench.procedures import Procedure
from hilbench.procedures.dc_cars import charging


async def run(bench: Bench, measure: Measure) -> None:
    """Each DC station in turn goes to half of what it draws, or to its least: answer, request, output, grid."""
    for role, drawn_a in (await charging(bench)).items():
        await bench.align()
        limit_a = max(drawn_a / 2.0, bench.site.branch(role).minimum_a)
        lowered = bench.faults.deafen(role, limit_a)
        await bench.run_for(20.0)
        for metric in ("dc_offer_time", "dc_request_time", "dc_output_time"):
            measure(metric, since=lowered, roles=[role])
        measure("dc_grid_time", since=lowered, roles=[role], limit_a=limit_a)
        measure("dc_sessions_lost", since=lowered, roles=[role])
        bench.faults.heal_station(role)
        await bench.run_for(30.0)


PROCEDURE = Procedure(
    id="13.1",
    key="dc-limit-step",
    title="limit step at a DC station",
    purpose="A lower limit is in the next answer of the charging loop, the car follows, and one that does not is held.",
    run=run,
    needs=frozenset({"dc", "station.fault"}),
)
