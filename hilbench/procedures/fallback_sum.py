"""2.2 All stations in fallback beside the building at its worst."""

from __future__ import annotations

from hilbench.bench import Bench
from hilbench.measuring import Measure
from hilbench.procedures import Procedure

SILENT_S = 30.0


async def run(bench: Bench, measure: Measure) -> None:
    """Reckon each node with the figures of the rig, then stop the controller, let cars draw, and compare what flows."""
    measure("fallback_ratio", since=bench.mark("documents", "site"))
    await bench.plug_in()
    await bench.settled()
    bench.base_load.step(bench.worst_base_headroom_a)
    await bench.settled()
    await bench.align()
    stopped = await bench.faults.suspend_controller()
    await bench.run_for(bench.fallback_timeout_s + SILENT_S)
    measure("time_above_budget", since=stopped.t + bench.fallback_timeout_s + 10.0, note="all in fallback")
    measure("time_above_rating", since=stopped)
    await bench.faults.resume_controller()


PROCEDURE = Procedure(
    id="2.2",
    key="fallback-sum",
    title="sum of fallbacks",
    purpose="All stations at their fallback beside the worst building keep every budget: reckoned, and tried.",
    run=run,
    needs=frozenset({"controller.suspend"}),
)
