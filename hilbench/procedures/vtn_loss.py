"""9.2 The VTN is lost in the middle of a limit, and so is the controller: what was ordered holds, and ends."""

from __future__ import annotations

from hilbench.bench import Bench
from hilbench.measuring import Measure
from hilbench.procedures import Procedure
from hilbench.procedures.grid_limit import AFTER_S, judge_end, judge_kept

EVENT_S, BEFORE_S, DEAD_S = 1800.0, 600.0, 15.0


async def run(bench: Bench, measure: Measure) -> None:
    """Lose the VTN while a limit holds, until long after its end; then kill the controller while another one holds."""
    await bench.plug_in()
    await bench.settled()
    await bench.run_for(AFTER_S)
    await bench.align()
    limit = bench.grid.limit(bench.grid_limit_kw, EVENT_S, in_s=120.0)
    await bench.run_until(limit.start + BEFORE_S)
    await bench.faults.vtn_outage()
    await bench.run_until(limit.end + AFTER_S)
    judge_kept(measure, limit, "VTN away")
    judge_end(measure, limit, note="VTN away")
    await bench.faults.heal_vtn()
    await bench.run_for(300.0)
    await _restart(bench, measure)
    measure("time_above_budget", since=limit.published)
    measure("time_above_rating", since=limit.published)


async def _restart(bench: Bench, measure: Measure) -> None:
    """A controller that is back in half a lease still has all its stations at what they had."""
    await bench.align()
    limit = bench.grid.limit(max(bench.grid_limit_kw, bench.fallback_import_kw), EVENT_S, in_s=120.0)
    await bench.run_until(limit.start + BEFORE_S)
    killed = await bench.faults.kill_controller()
    await bench.run_for(DEAD_S)
    await bench.faults.restart_controller()
    await bench.run_until(limit.end)
    measure("time_above_limit", since=killed, until=limit.end, limit=limit, note="controller restarted")
    measure("limit_use", since=killed.t + 600.0, until=limit.end, limit=limit, note="controller restarted")


PROCEDURE = Procedure(
    id="9.2",
    key="vtn-loss",
    title="loss of the VTN or the controller",
    purpose="A limit that is known runs to its end without its VTN, and outlives a restart of the controller.",
    run=run,
    needs=frozenset({"grid.vtn", "controller.measures", "controller.kill", "controller.restart"}),
    short=False,
)
