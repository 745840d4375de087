"""9.4 A day of cars that say what they need and when they leave, under a tariff: cheaper, and nobody leaves short."""

from __future__ import annotations

from hilbench.bench import Bench
from hilbench.measuring import Measure
from hilbench.procedures import Procedure

DAY_S = 86_400.0


async def run(bench: Bench, measure: Measure) -> None:
    """Play the sessions of the day against the building of the day, and reckon what charging cost."""
    start = await bench.play_day(DAY_S)
    for metric in ("energy_at_departure", "energy_satisfaction", "cost_ratio", "peak_import_kw"):
        measure(metric, since=start)
    for metric in ("time_above_budget", "time_above_rating", "minimum_offer_a", "reversals_per_hour"):
        measure(metric, since=start)
    measure("breaker_fraction")
    bench.tabulate_sessions()
    bench.tabulate_peaks()


PROCEDURE = Procedure(
    id="9.4",
    key="coordinated-day",
    title="24 h day under a tariff",
    purpose="Cars that tell their departure are charged when it is cheap, below the contract, and leave as asked.",
    run=run,
    needs=frozenset({"tariff", "controller.measures"}),
    base="building",
    short=False,
)
