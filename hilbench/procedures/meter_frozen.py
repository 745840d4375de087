"""4.4b The meter answers, but its values stand still: the controller must notice."""

from __future__ import annotations

from hilbench.bench import Bench
from hilbench.measuring import Measure
from hilbench.procedures import Procedure


async def run(bench: Bench, measure: Measure) -> None:
    """Freeze every register while cars charge at 12 A, raise the building to its worst, heal."""
    await bench.plug_in(bench.equal_roles(each_a=12.0))
    await bench.settled()
    await bench.align()
    frozen = bench.faults.meter("frozen")
    await bench.run_for(bench.frozen_timeout_s + 20.0)
    measure("fallback_entry_time", since=frozen, timeout_s=bench.frozen_timeout_s)
    measure("fallback_level", since=frozen)
    step = bench.base_load.step(bench.worst_base_headroom_a)
    await bench.run_for(60.0)
    measure("time_above_budget", since=step, note="building at its worst")
    measure("time_above_rating", since=frozen)
    healed = bench.faults.heal_meter()
    bench.base_load.clear()
    await bench.run_for(240.0)
    measure("fallback_exit_time", since=healed)
    measure("time_above_budget", since=healed, note="healed")


PROCEDURE = Procedure(
    id="4.4b",
    key="meter-frozen",
    title="meter frozen",
    purpose="A meter that repeats its last values is found out and treated as lost.",
    run=run,
    needs=frozenset({"meter.fault", "controller.measures"}),
)
