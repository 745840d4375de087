"""2.6 Some cars are full: what was theirs goes to the others."""

from __future__ import annotations

from hilbench.bench import Bench
from hilbench.measuring import Measure
from hilbench.procedures import Procedure

FULL_KWH = 0.3
FULL_S = 900.0
"""So long a car needs at most for that, at the least current on one phase of 208 V: 6 A take 865 s."""


async def run(bench: Bench, measure: Measure) -> None:
    """Every second car is full within a quarter of an hour; two minutes later the others must have its share.

    The building leaves 10 % more than all stations need at 6 A.
    """
    bench.base_load.step(bench.crowding_a(share=1.1))
    roles = bench.equal_roles(each_a=0.0, alike=True)
    full, hungry = roles[::2], roles[1::2]
    await bench.plug_in(full, vehicle=bench.reference_vehicle, energy_kwh=FULL_KWH)
    await bench.plug_in(hungry, vehicle=bench.reference_vehicle)
    start = bench.mark("stimulus.none", "site")
    await bench.run_for(FULL_S)
    await bench.settled()
    await bench.run_for(120.0)
    watched = bench.mark("stimulus.none", "site")
    await bench.run_for(300.0)
    measure("utilisation", since=watched, roles=hungry, note="after the others are full")
    measure("time_above_budget", since=start)
    measure("minimum_offer_a", since=start)


PROCEDURE = Procedure(
    id="2.6",
    key="full-car",
    title="a full car gives its share back",
    purpose="A car that is full, and still plugged in, keeps no share of the budget that others could use.",
    run=run,
    needs=frozenset({"controller.measures", "stations.several"}),
)
