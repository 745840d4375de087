"""13.2 A DC station gets a limit with which no car charges."""

from __future__ import annotations

from hilbench.bench import Bench
from hilbench.measuring import Measure
from hilbench.nature import dc_roles
from hilbench.procedures import Procedure
from hilbench.procedures.dc_cars import small_limit

SHARE = 0.25
"""Of the least current with which cars charge: above what modules draw in standby (policy-default)."""


async def run(bench: Bench, measure: Measure) -> None:
    """Each DC station in turn goes to a quarter of the least current of its cars for a minute, and back."""
    await small_limit(bench, measure, {role: SHARE * bench.site.branch(role).minimum_a for role in dc_roles(bench.rig)})


PROCEDURE = Procedure(
    id="13.2",
    key="dc-small-limit",
    title="limit below the car's least",
    purpose="With less than a car's least the station does as it says, never more, and the session goes on afterwards.",
    run=run,
    needs=frozenset({"dc", "station.fault"}),
)
