"""7.1b What a feeder carries beside its stations rises: these give way, whatever room the service has."""

from __future__ import annotations

from hilbench.bench import QUIET_SHARE, Bench
from hilbench.measuring import Measure
from hilbench.nature import loaded_feeders
from hilbench.procedures import Procedure


async def run(bench: Bench, measure: Measure) -> None:
    """With cars at its stations alone, step the load of each such feeder to its worst, one feeder after the other."""
    for node in loaded_feeders(bench.site):
        cars = [branch.role for branch in bench.site.below(node)]
        await bench.plug_in(cars)
        await bench.settled()
        await bench.align()
        step = bench.base_load.step((1.0 - QUIET_SHARE) * bench.site.own_base_a(node), node=node)
        await bench.run_for(60.0)
        for metric in ("time_above_budget", "time_above_rating", "ampere_seconds_above_rating", "minimum_offer_a"):
            measure(metric, since=step, note=f"load of {node}")
        bench.base_load.clear()
        await bench.unplug(cars)


PROCEDURE = Procedure(
    id="7.1b",
    key="feeder-load-step",
    title="step of a feeder's load",
    purpose="A load that a feeder has beside its stations is known, by its meter or as declared, and its budget kept.",
    run=run,
    needs=frozenset({"feeders.loaded"}),
)
