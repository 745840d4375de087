"""12.4 Wake-up: after a pause a car sleeps in state B, and the station makes it look at the pilot again."""

from __future__ import annotations

import asyncio
import math

from hilbench import clock
from hilbench.bench import Bench
from hilbench.errors import DeviceError
from hilbench.measuring import Measure
from hilbench.metrics.pilot_watch import WakeUp, wake_up
from hilbench.pilot_seats import Seat, station_seats
from hilbench.probes import Seen
from hilbench.procedures import Procedure

PAUSE_S = 60.0
OFFER_S = 300.0
"""So long a controller may take to let a station offer something again."""
WATCH_S = 130.0
"""From the new PWM on: the slowest known station begins after 90 s, and 30 s of pulse (WARP, read-code)."""
EVERY_S = 0.5


async def run(bench: Bench, measure: Measure) -> None:
    """At each station with a probe the building leaves nothing for a while, then all; the car stays in state B.

    The pilot is watched for the pulse of state F, or of no pilot, that wakes it; then it goes to state C.
    """
    for seat in station_seats(bench):
        await woken(seat, measure)


async def woken(seat: Seat, measure: Measure) -> None:
    """One car that sleeps."""
    await seat.arrive()
    await seat.offer(False)
    await asyncio.sleep(PAUSE_S)
    await seat.doze()
    await asyncio.sleep(PAUSE_S)
    if (await seat.probe.look(mode="fast")).pilot.pwm:
        raise DeviceError(f"pilot of {seat.name}: still has PWM {2 * PAUSE_S:g} s after nothing was left for it")
    await seat.offer(True)
    since = clock.time()
    pulse = await _watched(seat)
    measure("wake_up_time", since=since, value=pulse.wait_s, uncertainty=pulse.uncertainty_s, note=seat.name)
    if math.isfinite(pulse.wait_s):
        measure("wake_up_pulse", since=since, value=pulse.pulse_s, uncertainty=pulse.uncertainty_s, note=seat.name)
        measure.took("contactor_close_time", await seat.ask(True), f"{seat.name}, woken")
    await seat.leave()


async def _watched(seat: Seat) -> WakeUp:
    """Look until a pulse is over, or none can be waited for any longer."""
    rows = [(one.t, _shows(one)) for one in await _until_pwm(seat)]
    until = clock.time() + WATCH_S
    while clock.time() < until:
        rows += [(one.t, _shows(one)) for one in await seat.probe.watch(1.0, EVERY_S)]
        found = wake_up(rows)
        if math.isfinite(found.pulse_s):
            return found
    return wake_up(rows)


async def _until_pwm(seat: Seat) -> list[Seen]:
    until, seen = clock.time() + OFFER_S, [await seat.probe.look(mode="fast")]
    while not seen[-1].pilot.pwm:
        if clock.time() > until:
            raise DeviceError(f"pilot of {seat.name}: no PWM within {OFFER_S:g} s of a room for it")
        seen = [seen[-1], *await seat.probe.watch(EVERY_S, EVERY_S)]
    return seen


def _shows(seen: Seen) -> str:
    """The state of the pilot as ``wake_up`` takes it."""
    return seen.pilot.state


PROCEDURE = Procedure(
    id="12.4",
    key="wake-up",
    title="a sleeping car is woken",
    purpose="A station that offers something again wakes a car that has gone to sleep in the pause.",
    run=run,
    needs=frozenset({"pilot.station", "controller.measures"}),
)
