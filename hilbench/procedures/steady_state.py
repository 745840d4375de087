"""2.4 Full house, nothing happens: the site stays at its budget and does not hunt."""

from __future__ import annotations

from hilbench.bench import Bench
from hilbench.measuring import Measure
from hilbench.procedures import Procedure


async def run(bench: Bench, measure: Measure) -> None:
    """All cars charging on a quiet building for ten minutes after settling."""
    await bench.plug_in()
    await bench.settled()
    start = bench.mark("stimulus.none", "site")
    await bench.run_for(600.0)
    for metric in ("time_above_budget", "share_above_budget", "reversals_per_hour", "minimum_offer_a"):
        measure(metric, since=start)


PROCEDURE = Procedure(
    id="2.4",
    key="steady-state",
    title="steady-state compliance",
    purpose="With every car asking for more than there is, the site current stays within the budget, calmly.",
    run=run,
)
