"""12.3 Faults of the pilot: a short to earth and a missing diode end the charge."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from hilbench.bench import Bench
from hilbench.drivers.ev_simulator import EvSimulatorDriver
from hilbench.measuring import Measure
from hilbench.pilot_seats import board_seats
from hilbench.procedures import Procedure

FAULTS: dict[str, Callable[[EvSimulatorDriver], Coroutine[Any, Any, object]]] = {
    "short to earth": lambda ev: ev.set_state("E"),
    "no diode": lambda ev: ev.set_diode(False),
}


async def run(bench: Bench, measure: Measure) -> None:
    """While charging, the pilot is shorted to earth; then, in another charge, the car's diode is bridged."""
    for seat in board_seats(bench):
        for fault, cause in FAULTS.items():
            await seat.arrive()
            measure.took("fault_open_time", await seat.until(False, cause(seat.ev)), f"{seat.name}, {fault}")
            await seat.leave()


PROCEDURE = Procedure(
    id="12.3",
    key="pilot-faults",
    title="faults of the pilot",
    purpose="A short of the pilot to earth or a missing diode opens the contactor.",
    run=run,
    needs=frozenset({"pilot.ev"}),
)
