"""4.1 The controller hangs, as under SIGSTOP: the stations fall back by themselves."""

from __future__ import annotations

from hilbench.bench import Bench
from hilbench.measuring import Measure
from hilbench.procedures import Procedure


async def run(bench: Bench, measure: Measure) -> None:
    """Stop the controller while cars charge at 12 A, raise the building to its worst, continue it, watch."""
    await bench.plug_in(bench.equal_roles(each_a=12.0))
    await bench.settled()
    await bench.align()
    stop = await bench.faults.suspend_controller()
    await bench.run_for(bench.fallback_timeout_s + 30.0)
    measure("fallback_entry_time", since=stop)
    measure("fallback_level", since=stop)
    rise = bench.base_load.step(bench.worst_base_headroom_a)
    await bench.run_for(30.0)
    measure("time_above_budget", since=rise, note="worst building load, no controller")
    bench.base_load.clear()
    resumed = await bench.faults.resume_controller()
    await bench.run_for(240.0)
    measure("time_above_budget", since=resumed, note="after the controller continues")
    measure("time_above_rating", since=stop)
    measure("resume_time", since=resumed, lost=stop)


PROCEDURE = Procedure(
    id="4.1",
    key="controller-stops",
    title="controller stops",
    purpose="Without a controller every station falls to its fallback current, and the site stays within the budget.",
    run=run,
    needs=frozenset({"controller.suspend"}),
)
