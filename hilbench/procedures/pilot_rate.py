"""3.6 Pilot rate: many limits in a row, and a pilot that takes its time to rise and never goes away."""

from __future__ import annotations

from hilbench.bench import Bench
from hilbench.measuring import Measure
from hilbench.nature import probed_stations
from hilbench.procedures import Procedure

CHANGES, HOLD_S = 10, 12.0
"""So many times the building goes up and down again, and how long it stays there."""
EVERY_S = 0.2
"""Between two looks: short beside the 5 s that are looked for."""


async def run(bench: Bench, measure: Measure) -> None:
    """A car at the first station with a probe; the building steps up and down ten times while the pilot is watched."""
    role = probed_stations(bench.rig)[0]
    await bench.plug_in(role)
    await bench.settled(quiet_s=20.0)
    step_a = min(bench.step_a, max((bench.site.branch(role).max_a - 6.0) * 0.6, 1.0))
    bench.base_load.step(max(bench.room_a - bench.site.branch(role).max_a, 0.0))
    start = bench.mark("stimulus.none", "site")
    seen = []
    for number in range(2 * CHANGES):
        if number % 2:
            bench.base_load.step(-step_a)
        else:
            bench.base_load.step(step_a)
        seen += await bench.pilots.probes[role].watch(HOLD_S * (1 + 2 * (number % 2)), EVERY_S)
    measure("pilot_change_spacing", since=start, watched={role: seen})
    measure("pilot_gaps", since=start, watched={role: seen})


PROCEDURE = Procedure(
    id="3.6",
    key="pilot-rate",
    title="pilot rate",
    purpose="The pilot is not raised sooner than 5 s after its last change, and no change interrupts the PWM.",
    run=run,
    needs=frozenset({"pilot.station", "controller.measures"}),
)
