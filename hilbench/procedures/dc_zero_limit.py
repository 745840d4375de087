"""13.3 A DC station gets a limit of nothing."""

from __future__ import annotations

from hilbench.bench import Bench
from hilbench.measuring import Measure
from hilbench.nature import dc_roles
from hilbench.procedures import Procedure
from hilbench.procedures.dc_cars import small_limit


async def run(bench: Bench, measure: Measure) -> None:
    """Each DC station in turn goes to 0 A for a minute, and back."""
    await small_limit(bench, measure, dict.fromkeys(dc_roles(bench.rig), 0.0))


PROCEDURE = Procedure(
    id="13.3",
    key="dc-zero-limit",
    title="limit of zero at a DC station",
    purpose="Zero is a limit and no absence of one; a session that is kept goes on afterwards.",
    run=run,
    needs=frozenset({"dc", "station.fault"}),
)
