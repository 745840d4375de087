"""7.2 The building's load goes away: the cars get the current back, soon and without overshoot."""

from __future__ import annotations

from hilbench.bench import Bench
from hilbench.measuring import Measure
from hilbench.procedures import Procedure


async def run(bench: Bench, measure: Measure) -> None:
    """Hold a step of a quarter of the service rating, remove it, and watch the recovery for five minutes."""
    bench.base_load.step(bench.step_a)
    await bench.plug_in()
    await bench.settled()
    await bench.align()
    step = bench.base_load.clear()
    await bench.run_for(300.0)
    measure("recovery_time", since=step)
    measure("recovery_overshoot", since=step)
    measure("time_above_rating", since=step)
    measure("reversals_per_hour", since=step.t + 120.0)


PROCEDURE = Procedure(
    id="7.2",
    key="base-load-step-down",
    title="base-load step down",
    purpose="Freed capacity is given back to the cars within the recovery time and without exceeding the budget.",
    run=run,
    needs=frozenset({"controller.measures"}),
)
