"""3.5 Pilot duty: what an oscilloscope sees on the wire is the limit that was commanded."""

from __future__ import annotations

from hilbench.bench import Bench
from hilbench.measuring import Measure
from hilbench.measuring.pilots import Look
from hilbench.nature import probed_stations
from hilbench.procedures import Procedure
from hilbench.signals import profile_limit

LEVELS = 6
"""Limits between the least and the most of a station that the building is made to leave."""
SETTLE_S = 15.0
"""From a change of the limit on: the controller, the link, and a pilot that holds for up to 5 s."""


async def run(bench: Bench, measure: Measure) -> None:
    """One car after the other at the stations with a probe; the building leaves less and less, then nothing.

    What the station accepted as its limit is compared with the pilot at each step.
    """
    for role in probed_stations(bench.rig):
        looks = await _levels(bench, role)
        for metric in ("pilot_duty_error", "pilot_frequency_error", "pilot_level_error"):
            measure(metric, looks=looks, note=role)
        await bench.unplug(role)


async def _levels(bench: Bench, role: str) -> list[Look]:
    branch, probe = bench.site.branch(role), bench.pilots.probes[role]
    await bench.plug_in(role)
    await bench.settled(quiet_s=20.0)
    looks = []
    for part in range(LEVELS + 1):
        left_a = branch.max_a - (branch.max_a - 6.0) * part / (LEVELS - 1)
        bench.base_load.clear()
        if part:
            bench.base_load.step(max(bench.room_a - left_a, 0.0))
        await bench.settled(quiet_s=SETTLE_S)
        seen = await probe.look()
        looks.append(Look(role, bench.record.signals[profile_limit(role)].value_at(seen.t), seen))
    bench.base_load.clear()
    return looks


PROCEDURE = Procedure(
    id="3.5",
    key="pilot-duty",
    title="pilot duty",
    purpose="The duty cycle, frequency and levels of the control pilot are those of the limit that was commanded.",
    run=run,
    needs=frozenset({"pilot.station", "controller.measures"}),
)
