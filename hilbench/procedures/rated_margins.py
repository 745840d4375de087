"""2.1 What the controller may let the site take for hours, and what its overcurrent protection carries for hours."""

from __future__ import annotations

from hilbench.bench import Bench
from hilbench.measuring import Measure
from hilbench.procedures import Procedure


async def run(bench: Bench, measure: Measure) -> None:
    """Nothing runs: the budget of each node of the rig beside the rating of its OCPD."""
    measure("setting_ratio", since=bench.mark("documents", "site"))


PROCEDURE = Procedure(
    id="2.1",
    key="rated-margins",
    title="budgets and OCPD ratings",
    purpose="A budget that is held for hours leaves the overcurrent protection the margin that its rules ask for.",
    run=run,
)
