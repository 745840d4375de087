"""12.5 EV reaction: how long a car takes to draw no more than a lower pilot says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hilbench.bench import Bench
from hilbench.errors import DeviceError
from hilbench.measuring import Measure
from hilbench.nature import probed_stations
from hilbench.probes import PilotProbe, Seen
from hilbench.procedures import Procedure

WATCH_S = 45.0
"""Longer than a controller with a slow meter takes to answer."""
FOLLOW_S = 20.0
"""And the car is watched for so long after that."""
SAME_A = 0.15
"""Two looks whose offers differ by less saw the same one."""


async def run(bench: Bench, measure: Measure) -> None:
    """The building leaves the car half of what it is offered; the pilot is watched down to its last step, then the car.

    The controller may take several steps: the time counts from the last one.
    """
    for role in probed_stations(bench.rig):
        probe = bench.pilots.probes[role]
        await bench.plug_in(role)
        await bench.settled(quiet_s=30.0)
        before = await probe.look(mode="fast")
        await bench.align()
        start = bench.base_load.step(bench.room_a - (before.pilot.current_a.value + 6.0) / 2.0)
        last = _last_reduction(probe, [before, *await probe.watch(WATCH_S)])
        await bench.run_for(FOLLOW_S)
        seen: dict[str, Any] = {
            "offered_a": last.pilot.current_a.value,
            "seen_s": last.t,
            "seen_u_s": last.uncertainty_s,
        }
        measure("ev_reaction_time", since=start, role=role, **seen)
        bench.base_load.clear()
        await bench.unplug(role)


def _last_reduction(probe: PilotProbe, seen: Sequence[Seen]) -> Seen:
    """The look that first saw the pilot at its lowest; raises ``DeviceError`` when it did not go down by 1 A."""
    offers = [one.pilot.current_a.value if one.pilot.pwm else 0.0 for one in seen]
    lowest = min(offers)
    if lowest > offers[0] - 1.0:
        raise DeviceError(
            f"pilot of {probe.of}: did not go below {offers[0]:.1f} A within {WATCH_S:g} s of a load step"
        )
    return next(one for one, offer in zip(seen, offers, strict=True) if offer <= lowest + SAME_A)


PROCEDURE = Procedure(
    id="12.5",
    key="ev-reaction",
    title="EV reaction to a lower pilot",
    purpose="A car follows a lower pilot within 5 s.",
    run=run,
    needs=frozenset({"pilot.station", "controller.measures"}),
)
