"""5.2 A CT is mounted the wrong way round: what it says of the direction must not be believed."""

from __future__ import annotations

from hilbench.bench import Bench
from hilbench.measuring import Measure
from hilbench.procedures import Procedure

UNREST_A = 0.5
"""The building is never quite still, so that nobody takes a meter that is mounted wrongly for one that is frozen."""


async def run(bench: Bench, measure: Measure) -> None:
    """Turn every CT round while cars charge at 12 A, raise the building to its worst, turn them back."""
    bench.base_load.sine(UNREST_A, period_s=10.0)
    await bench.plug_in(bench.equal_roles(each_a=12.0))
    await bench.settled()
    await bench.align()
    turned = bench.faults.meter("reversed")
    await bench.run_for(bench.stale_timeout_s + 20.0)
    step = bench.base_load.step(bench.worst_base_headroom_a)
    await bench.run_for(60.0)
    measure("fallback_entry_time", since=turned, timeout_s=bench.stale_timeout_s)
    measure("fallback_level", since=turned)
    measure("time_above_budget", since=turned)
    measure("time_above_rating", since=step, note="building at its worst")
    healed = bench.faults.heal_meter()
    bench.base_load.clear()
    await bench.run_for(240.0)
    measure("time_above_budget", since=healed, note="turned back")
    measure("resume_time", since=healed, lost=turned)


PROCEDURE = Procedure(
    id="5.2",
    key="ct-polarity",
    title="CT polarity",
    purpose="Export that nobody makes shows a CT that is mounted backwards: the stations go to their safe current.",
    run=run,
    needs=frozenset({"meter.fault", "controller.measures", "import.only"}),
)
