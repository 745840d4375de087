"""11.1 An evening peak of the building above the budget, which only cars that discharge can keep from the grid."""

from __future__ import annotations

from datetime import timedelta

from hilbench import clock
from hilbench.bench import Bench
from hilbench.measuring import Measure
from hilbench.nature import recorded_roles
from hilbench.procedures import Procedure

BEFORE_S, PEAK_S, AFTER_S = 3600.0, 7200.0, 18_000.0
RISE_S = 600.0
ARRIVAL_SOC, WANTED_KWH = 0.6, 6.0
SHARE = 0.125
"""How far above the budget the peak goes at least: this share of what all cars together can give."""


async def run(bench: Bench, measure: Measure) -> None:
    """Let cars come that say when they leave, raise the building above the budget, and see how they leave."""
    recorded = recorded_roles(bench.rig)
    roles = [role for role in bench.two_way_roles() if role not in recorded]
    stay_s = BEFORE_S + PEAK_S + AFTER_S
    departure = clock.now() + timedelta(seconds=stay_s)
    came = bench.mark("stimulus.arrivals", "site", stations=len(roles))
    await bench.plug_in(roles, soc=ARRIVAL_SOC, energy_kwh=WANTED_KWH, departure=departure)
    await bench.run_until(came.t + BEFORE_S)
    peak = bench.base_load.ramp(bench.evening_peak_a(SHARE), RISE_S)
    await bench.run_until(peak.t + PEAK_S)
    over = bench.base_load.clear()
    measure("time_above_budget", since=peak, until=over, note="the peak")
    measure("least_soc", since=peak, until=over, note="the peak")
    await bench.run_until(came.t + stay_s)
    await bench.unplug(roles)
    await bench.run_for(10.0)
    for metric in ("time_above_budget", "time_above_rating", "peak_import_kw", "least_soc", "energy_at_departure"):
        measure(metric, since=came)
    if bench.rig.site.export_limit_kw is not None:
        measure("export_excess_kw", since=came)
    measure("breaker_fraction")
    bench.tabulate_peaks()


PROCEDURE = Procedure(
    id="11.1",
    key="v2g-day",
    title="evening peak with V2G",
    purpose="Cars give what keeps an evening peak within the budget, and leave with what their drivers asked for.",
    run=run,
    needs=frozenset({"v2g.day", "controller.gives"}),
    short=False,
)
