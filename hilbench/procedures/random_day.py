"""7.4 A day of arrivals, departures and building load: drawn from a seed, or the user's own."""

from __future__ import annotations

from hilbench.bench import Bench
from hilbench.measuring import Measure
from hilbench.procedures import Procedure

DAY_S = 86_400.0


async def run(bench: Bench, measure: Measure) -> None:
    """Play the sessions of the day against the building of the day, and judge all 24 hours."""
    start = await bench.play_day(DAY_S)
    for metric in ("time_above_budget", "share_above_budget", "time_above_rating", "peak_ratio"):
        measure(metric, since=start)
    if bench.sessions:  # on a day without cars nothing is offered
        measure("minimum_offer_a", since=start)
    for metric in ("reversals_per_hour", "starvation_time", "energy_satisfaction"):
        measure(metric, since=start)
    measure("breaker_fraction")
    if any(feeder.transformer_kva for feeder in bench.site.feeders):
        measure("transformer_hot_spot_c", since=start)
    bench.tabulate_sessions()
    bench.tabulate_peaks()


PROCEDURE = Procedure(
    id="7.4",
    key="random-day",
    title="24 h day",
    purpose="A whole day of sessions and building load stays within the budget and serves the cars.",
    run=run,
    base="building",
    short=False,
)
