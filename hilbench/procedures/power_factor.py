"""3.3 Cars whose current is far more than their power says: a limit in amperes is kept in amperes."""

from __future__ import annotations

from hilbench.bench import Bench
from hilbench.measuring import Measure
from hilbench.procedures import Procedure

VEHICLE = "zoe-r240"
"""Draws 6.05 to 6.09 A at 6 A with a power factor of 0.39 to 0.40 (measured: Tinkerforge/warp-charger logs)."""


async def run(bench: Bench, measure: Measure) -> None:
    """Full house of cars with a power factor of 0.4 at 6 A, for five minutes after settling."""
    await bench.plug_in(vehicle=VEHICLE)
    await bench.settled()
    start = bench.mark("stimulus.none", "site")
    await bench.run_for(300.0)
    for metric in ("time_above_budget", "time_above_rating", "breaker_fraction", "minimum_offer_a"):
        measure(metric, since=start)


PROCEDURE = Procedure(
    id="3.3",
    key="power-factor",
    title="amperes, not watts",
    purpose="With cars of a low power factor the current of every line stays within the budget, whatever the power is.",
    run=run,
)
