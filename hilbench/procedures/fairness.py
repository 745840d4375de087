"""2.5 Equal cars get equal shares, and the budget is used."""

from __future__ import annotations

from hilbench.bench import Bench
from hilbench.measuring import Measure
from hilbench.procedures import Procedure


async def run(bench: Bench, measure: Measure) -> None:
    """As many identical cars as the budget feeds at 8 A or more share it for twenty minutes.

    Where they had to take turns, twenty minutes would be too short to be fair in: 2.3 is about turns.
    """
    roles = bench.equal_roles(each_a=8.0, room_a=bench.known_room_a, alike=True)
    await bench.plug_in(roles, vehicle=bench.reference_vehicle)
    await bench.settled()
    start = bench.mark("stimulus.none", "site")
    await bench.run_for(1200.0)
    measure("jain_index", since=start, roles=roles)
    if bench.measures:
        measure("utilisation", since=start)
    measure("time_above_budget", since=start)
    measure("reversals_per_hour", since=start)


PROCEDURE = Procedure(
    id="2.5",
    key="fairness",
    title="fairness and utilisation",
    purpose="Equal cars receive equal current, and what the budget allows is used rather than wasted.",
    run=run,
)
