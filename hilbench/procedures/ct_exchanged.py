"""5.3 Two CTs are exchanged: the controller takes one line for the other."""

from __future__ import annotations

from hilbench.bench import Bench
from hilbench.measuring import Measure
from hilbench.procedures import Procedure
from hilbench.procedures.ct_polarity import UNREST_A


async def run(bench: Bench, measure: Measure) -> None:
    """Exchange the CTs of the first two lines with a full house, then load the first line alone."""
    bench.base_load.sine(UNREST_A, period_s=10.0)
    await bench.plug_in()
    await bench.settled()
    await bench.align()
    exchanged = bench.faults.meter("swapped")
    await bench.run_for(60.0)
    step = bench.base_load.step(bench.worst_base_headroom_a, lines=bench.site.lines[:1])
    await bench.run_for(120.0)
    measure("time_above_budget", since=exchanged, note=f"{bench.site.lines[0]} alone")
    measure("time_above_rating", since=step, note=f"{bench.site.lines[0]} alone")
    measure("breaker_fraction", since=step, note=f"{bench.site.lines[0]} alone")
    bench.base_load.clear()
    healed = bench.faults.heal_meter()
    await bench.run_for(180.0)
    measure("time_above_budget", since=healed, note="put right")


PROCEDURE = Procedure(
    id="5.3",
    key="ct-exchanged",
    title="CTs exchanged",
    purpose="With two CTs exchanged the budget is kept on the line that is really loaded, or the stations fall back.",
    run=run,
    needs=frozenset({"meter.fault", "controller.measures", "lines.several"}),
)
