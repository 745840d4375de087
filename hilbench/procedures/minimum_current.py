"""2.3 More cars than there are 6 A for: some wait, nobody gets less than 6 A, and everybody has a turn."""

from __future__ import annotations

from hilbench.bench import Bench
from hilbench.measuring import Measure
from hilbench.procedures import Procedure

TURNS = 3.0
"""With room for half of the cars one turn is enough for all others; cars that come in later and odd lines take more
(policy-default)."""


async def run(bench: Bench, measure: Measure) -> None:
    """Raise the building until half of the cars can have 6 A, plug all in, and watch for three turns and a half.

    A controller that does not look at the building has it at the worst that it knows of, whoever can charge then.
    """
    bench.base_load.step(bench.crowding_a(share=0.5) if bench.measures else bench.worst_base_headroom_a)
    await bench.run_for(30.0)
    await bench.align()
    start = bench.mark("stimulus.crowd", "stations")
    await bench.plug_in(bench.equal_roles(each_a=0.0, alike=True), vehicle=bench.reference_vehicle, spread_s=5.0)
    bound_s = TURNS * bench.rotation_s
    await bench.run_for(bound_s + 0.5 * bench.rotation_s)
    measure("starvation_time", since=start, timeout_s=bound_s)
    for metric in ("time_above_budget", "time_above_rating", "minimum_offer_a"):
        measure(metric, since=start)


PROCEDURE = Procedure(
    id="2.3",
    key="minimum-current",
    title="minimum current x ports",
    purpose="When not all cars can have 6 A, some wait and take turns; nobody is offered less, nobody waits for ever.",
    run=run,
    needs=frozenset({"cars.pausable"}),
    short=False,
)
