"""1.3 Nameplates of stations, and the branch circuits that feed them."""

from __future__ import annotations

from hilbench.bench import Bench
from hilbench.measuring import Measure
from hilbench.procedures import Procedure


async def run(bench: Bench, measure: Measure) -> None:
    """Nothing runs: what each station of the rig may take beside its branch circuit."""
    measure("branch_ratio", since=bench.mark("documents", "site"))


PROCEDURE = Procedure(
    id="1.3",
    key="nameplates",
    title="nameplates and branch circuits",
    purpose="No station may take more for hours than its branch circuit carries for hours.",
    run=run,
)
