"""12.2 States: how fast an EVSE board closes and opens its contactor, as the car asks or when it must."""

from __future__ import annotations

import asyncio

from hilbench.bench import Bench
from hilbench.measuring import Measure
from hilbench.pilot_seats import REST_S, board_seats
from hilbench.procedures import Procedure

TOGGLES = 3


async def run(bench: Bench, measure: Measure) -> None:
    """The EV simulator goes to C and back to B three times, then stays in C while the PWM ends."""
    for seat in board_seats(bench):
        await seat.ready()
        for _toggle in range(TOGGLES):
            measure.took("contactor_close_time", await seat.ask(True), seat.name)
            await asyncio.sleep(REST_S)
            measure.took("contactor_open_time", await seat.ask(False), seat.name)
            await asyncio.sleep(REST_S)
        await seat.ev.set_state("C")
        await asyncio.sleep(REST_S)
        forced = await seat.until(False, seat.board.sleep())
        measure.took("contactor_forced_time", forced, f"{seat.name}, car stays in C")
        await seat.leave()


PROCEDURE = Procedure(
    id="12.2",
    key="board-states",
    title="contactor and pilot states",
    purpose="An EVSE board closes its contactor when the car asks, and opens it when the car has enough or ignores it.",
    run=run,
    needs=frozenset({"pilot.ev"}),
)
