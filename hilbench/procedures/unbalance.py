"""6.3 Cars of one phase crowd on one line: the lines of the service may differ by so much only."""

from __future__ import annotations

from hilbench.bench import Bench
from hilbench.measuring import Measure
from hilbench.nature import crowded_roles
from hilbench.procedures import Procedure, charging_roles

ONE_PHASE = "leaf-40"
"""A car that uses the first line of its station alone."""
PART = 0.5
"""What the building then draws more in that line, as a share of what lines may differ (policy-default)."""


async def run(bench: Bench, measure: Measure) -> None:
    """Plug cars of one phase in where they load the same line, let the building draw there too, then fill the site."""
    line, crowd = crowded_roles(bench.site)
    await bench.align()
    start = bench.mark("stimulus.crowd", line)
    await bench.plug_in(crowd, vehicle=ONE_PHASE)
    await bench.settled()
    charging_roles(bench)
    measure("unbalance_kva", since=start, note=f"cars on {line} alone")
    await bench.align()
    step = bench.base_load.step(_rise_a(bench), lines=(line,))
    await bench.run_for(150.0)
    measure("unbalance_kva", since=step, note=f"and the building on {line}")
    bench.base_load.clear()
    full = bench.mark("stimulus.crowd", "stations")
    await bench.plug_in(role for role in bench.stations if role not in crowd)
    await bench.settled()
    measure("unbalance_kva", since=full, note="full house")
    for metric in ("time_above_budget", "time_above_rating", "minimum_offer_a"):
        measure(metric, since=start)


def _rise_a(bench: Bench) -> float:
    """What the building adds in one line: within its worst, and within what lines may differ by."""
    return min(PART * bench.site.spread_a, bench.worst_base_headroom_a)


PROCEDURE = Procedure(
    id="6.3",
    key="unbalance",
    title="unbalance of the lines",
    purpose="Cars of one phase and a building beside them keep the lines of the service as close as its rule asks.",
    run=run,
    needs=frozenset({"controller.measures", "lines.unbalanced"}),
)
