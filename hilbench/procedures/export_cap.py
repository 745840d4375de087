"""9.3 Cars give into a peak of the building, which then goes away: what they give must not go into the grid."""

from __future__ import annotations

from datetime import timedelta

from hilbench import clock
from hilbench.bench import Bench
from hilbench.measuring import Measure
from hilbench.nature import recorded_roles
from hilbench.procedures import Procedure

BEFORE_S, PEAK_S, AFTER_S = 300.0, 300.0, 120.0
STAY_S = 4.0 * 3600.0
ARRIVAL_SOC, WANTED_KWH = 0.6, 6.0
SHARE = 0.25
"""How far above the budget the peak goes at least: this share of what all cars together can give."""

RIPPLE_A, RIPPLE_S = 1.0, 20.0
"""What little is left of the building moves: a meter that shows the same for long is taken for frozen."""


async def run(bench: Bench, measure: Measure) -> None:
    """Let cars give what a peak of the building is above the budget, then let it fall to nothing."""
    recorded = recorded_roles(bench.rig)
    roles = [role for role in bench.two_way_roles() if role not in recorded]
    departure = clock.now() + timedelta(seconds=STAY_S)
    await bench.plug_in(roles, soc=ARRIVAL_SOC, energy_kwh=WANTED_KWH, departure=departure)
    await bench.run_for(BEFORE_S)
    peak = bench.base_load.step(bench.evening_peak_a(SHARE))
    await bench.run_for(PEAK_S)
    await bench.align()
    measure("given_kw", since=peak, roles=roles)
    bench.base_load.clear()
    bench.base_load.sine(RIPPLE_A, period_s=RIPPLE_S)
    gone = bench.base_load.step(-bench.quiet_a)
    await bench.run_for(AFTER_S)
    measure("export_excess_time", since=gone)
    measure("time_above_rating", since=peak)
    measure("dc_sessions_lost", since=peak, roles=[one for one in roles if bench.rig.station(one).kind == "dc"])


PROCEDURE = Procedure(
    id="9.3",
    key="export-cap",
    title="export cap of cars that give",
    purpose="What cars give stays within the export limit of the site when the load goes away that it was meant for.",
    run=run,
    needs=frozenset({"v2g.day", "controller.gives", "controller.measures", "export.limited"}),
)
