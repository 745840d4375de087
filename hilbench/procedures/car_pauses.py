"""12.6 The car pauses: it goes to state B and back to C by itself; the contactor follows, and the site is kept."""

from __future__ import annotations

from hilbench.bench import Bench
from hilbench.measuring import Measure
from hilbench.measuring.pilots import Look
from hilbench.pilot_seats import Seat, station_seats
from hilbench.procedures import Procedure
from hilbench.signals import profile_limit

TOGGLES = 3
SHARE = 1.6
"""The building leaves so much more than 6 A for each car: each ampere that one gives up is wanted by others."""


async def run(bench: Bench, measure: Measure) -> None:
    """All cars charge beside a high building; those at stations with a probe pause three times for a quarter of a
    minute and more, one after the other, while the others may take what they leave.
    """
    bench.base_load.step(max(bench.crowding_a(SHARE), 0.0))
    await bench.plug_in()
    await bench.settled()
    start = bench.mark("stimulus.none", "site")
    for seat in station_seats(bench):
        looks = []
        for _toggle in range(TOGGLES):
            measure.took("contactor_open_time", await seat.ask(False), seat.name)
            looks.append(await _look(bench, seat))
            measure.took("contactor_close_time", await seat.ask(True), seat.name)
            looks.append(await _look(bench, seat))
        measure("pilot_level_error", looks=looks, note=seat.name)
    measure("time_above_budget", since=start)
    measure("time_above_rating", since=start)


async def _look(bench: Bench, seat: Seat) -> Look:
    seen = await seat.probe.look()
    return Look(seat.name, bench.record.signals[profile_limit(seat.name)].value_at(seen.t), seen)


PROCEDURE = Procedure(
    id="12.6",
    key="car-pauses",
    title="the car pauses by itself",
    purpose="The contactor follows a car that goes from C to B and back, and what it leaves comes back to it in time.",
    run=run,
    needs=frozenset({"pilot.station", "controller.measures"}),
)
