"""12.5 EV reaction: how long a car takes to draw no more than a lower pilot says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hilbench.bench import Bench
from hilbench.errors import DeviceError
from hilbench.measuring import Measure
from hilbench.nature import probed_cars
from hilbench.probes import PilotProbe, Seen
from hilbench.procedures import Procedure

WATCH_S = 45.0
"""Longer than a controller with a slow meter takes to answer."""
FOLLOW_S = 20.0
"""And the car is watched for so long after that."""


async def run(bench: Bench, measure: Measure) -> None:
    """The building leaves the car half of what it is offered; the pilot is watched while it goes down, then the car.

    The controller may take several steps: the first one that is seen counts, and what it offers.
    """
    for role in probed_cars(bench.rig):
        probe = bench.pilots.probes[role]
        await bench.plug_in(role)
        await bench.settled(quiet_s=30.0)
        before = await probe.look(mode="fast")
        await bench.align()
        start = bench.base_load.step(bench.room_a - (before.pilot.current_a.value + 6.0) / 2.0)
        lower = _reduction(probe, [before, *await probe.watch(WATCH_S)])
        await bench.run_for(FOLLOW_S)
        seen: dict[str, Any] = {
            "offered_a": _offer_a(lower),
            "seen_s": lower.t,
            "seen_u_s": lower.uncertainty_s,
            "look": lower,
        }
        measure("ev_reaction_time", since=start, role=role, **seen)
        bench.base_load.clear()
        await bench.unplug(role)


def _reduction(probe: PilotProbe, seen: Sequence[Seen]) -> Seen:
    """The first look that saw the pilot lower by 1 A; raises ``DeviceError`` when none did."""
    was_a = _offer_a(seen[0])
    for one in seen[1:]:
        if _offer_a(one) < was_a - 1.0:
            return one
    raise DeviceError(f"pilot of {probe.of}: did not go below {was_a:.1f} A within {WATCH_S:g} s of a load step")


def _offer_a(seen: Seen) -> float:
    return seen.pilot.current_a.value if seen.pilot.pwm else 0.0


PROCEDURE = Procedure(
    id="12.5",
    key="ev-reaction",
    title="EV reaction to a lower pilot",
    purpose="A car follows a lower pilot within 5 s.",
    run=run,
    needs=frozenset({"pilot.car", "controller.measures"}),
)
