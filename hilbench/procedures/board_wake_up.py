"""12.4b Wake-up by a board: as 12.4, with an EV simulator that stays in state B at an EVSE board."""

from __future__ import annotations

from hilbench.bench import Bench
from hilbench.measuring import Measure
from hilbench.pilot_seats import board_seats
from hilbench.procedures import Procedure
from hilbench.procedures.wake_up import woken


async def run(bench: Bench, measure: Measure) -> None:
    """Each board is put to sleep and enabled again, while the simulator stays in state B."""
    for seat in board_seats(bench):
        await woken(seat, measure)


PROCEDURE = Procedure(
    id="12.4b",
    key="board-wake-up",
    title="a sleeping car is woken by a board",
    purpose="An EVSE board that offers something again wakes a car that has gone to sleep in the pause.",
    run=run,
    needs=frozenset({"pilot.ev"}),
)
