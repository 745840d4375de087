"""7.5 Everybody arrives at once: no car may count on current that another was promised."""

from __future__ import annotations

from hilbench.bench import Bench
from hilbench.measuring import Measure
from hilbench.procedures import Procedure


async def run(bench: Bench, measure: Measure) -> None:
    """Plug all cars in within a few seconds on a building at its worst declared load, and wait ten minutes."""
    bench.base_load.step(bench.worst_base_headroom_a)
    await bench.run_for(30.0)
    await bench.align()
    burst = bench.mark("stimulus.burst", "stations")
    await bench.plug_in(spread_s=5.0)
    await bench.run_for(600.0)
    for metric in ("time_above_budget", "time_above_rating", "peak_ratio", "minimum_offer_a"):
        measure(metric, since=burst)
    measure("breaker_fraction", since=burst)


PROCEDURE = Procedure(
    id="7.5",
    key="plug-in-burst",
    title="plug-in burst",
    purpose="Admissions are reserved before they are drawn: a burst of arrivals never adds up above the budget.",
    run=run,
)
