"""3.2 A station accepts every limit and offers what it likes: the others must make room for it."""

from __future__ import annotations

from hilbench.bench import Bench
from hilbench.measuring import Measure
from hilbench.procedures import Procedure, charging_roles

FOUND_OUT_S = 30.0
"""After so long the station has reported what it draws and the others have followed (policy-default)."""


async def run(bench: Bench, measure: Measure) -> None:
    """Cars at all stations of the tightest feeder; one goes to its nameplate, then the building up.

    To its worst, or as far as there is room beside that station.
    """
    await bench.plug_in(bench.site.tightest())
    await bench.settled()
    role = charging_roles(bench)[0]
    await bench.align()
    deaf = bench.faults.deafen(role, bench.site.branch(role).max_a)
    await bench.run_for(120.0)
    rise = bench.base_load.step(bench.rise_beside_a(role))
    await bench.run_for(120.0)
    measure("time_above_budget", since=deaf, note=f"{role} deaf")
    measure("time_above_rating", since=deaf.t + FOUND_OUT_S, until=rise, note=f"{role} deaf and known to be")
    measure("time_above_rating", since=rise, note="building higher")
    measure("minimum_offer_a", since=deaf)
    bench.base_load.clear()
    healed = bench.faults.heal_station(role)
    await bench.run_for(180.0)
    measure("time_above_budget", since=healed, note=f"{role} obeys again")


PROCEDURE = Procedure(
    id="3.2",
    key="station-ignores-limit",
    title="station ignores its limit",
    purpose="A station that accepts a limit and does not keep to it is found out, and the others make room for it.",
    run=run,
    needs=frozenset({"controller.measures", "station.fault", "stations.several"}),
)
