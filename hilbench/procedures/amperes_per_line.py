"""3.3 Amperes per line: cars whose power says little about their current, and cars that use one line of three."""

from __future__ import annotations

from hilbench.bench import Bench
from hilbench.measuring import Measure
from hilbench.procedures import Procedure
from hilbench.signals import Event

REACTIVE, SINGLE_PHASE = "zoe-r240", "leaf-40"
"""The first draws 6.05 to 6.09 A at 6 A at a power factor of 0.39 to 0.40 (measured: Tinkerforge/warp-charger)."""


async def run(bench: Bench, measure: Measure) -> None:
    """Full house of cars with a power factor of 0.4 at 6 A, then of single-phase cars.

    The building leaves 75 % of what all stations need at 6 A.
    """
    await _full_house(bench, measure, REACTIVE)
    await bench.unplug()
    bench.base_load.clear()
    start = await _full_house(bench, measure, SINGLE_PHASE)
    measure("utilisation", since=start, note=SINGLE_PHASE)


async def _full_house(bench: Bench, measure: Measure, vehicle: str) -> Event:
    bench.base_load.step(bench.crowding_a(share=0.75))
    await bench.plug_in(vehicle=vehicle)
    await bench.settled()
    start = bench.mark("stimulus.none", "site")
    await bench.run_for(300.0)
    for metric in ("time_above_budget", "time_above_rating", "breaker_fraction", "minimum_offer_a"):
        measure(metric, since=start, note=vehicle)
    return start


PROCEDURE = Procedure(
    id="3.3",
    key="amperes-per-line",
    title="amperes per line",
    purpose="The current of every line is what counts, whatever the power is and whichever lines a car uses.",
    run=run,
    needs=frozenset({"controller.measures", "stations.several"}),
)
