"""12.3b Faults of the pilot at a station: as 12.3, with an emulated car at an emulated station."""

from __future__ import annotations

from hilbench import clock
from hilbench.bench import Bench
from hilbench.measuring import Measure
from hilbench.pilot_seats import car_seats
from hilbench.procedures import Procedure
from hilbench_emulators.pilot import Cable, Circuit, Ev

FAULTS = {
    "short to earth": Circuit(cable=Cable(short_ohm=0.1)),
    "no diode": Circuit(ev=Ev(diode="shorted")),
    "broken pilot": Circuit(cable=Cable(broken=True)),
}


async def run(bench: Bench, measure: Measure) -> None:
    """In one charge after the other the pilot is shorted to earth, the car's diode is bridged, the wire is torn off."""
    for seat in car_seats(bench):
        for fault, circuit in FAULTS.items():
            await seat.arrive()
            begun = clock.time()
            bench.plant.set_circuit(seat.name, circuit)
            measure.took("fault_open_time", await seat.moved(False, begun), f"{seat.name}, {fault}")
            bench.plant.set_circuit(seat.name, Circuit())
            await seat.leave()


PROCEDURE = Procedure(
    id="12.3b",
    key="station-pilot-faults",
    title="faults of the pilot at a station",
    purpose="A short of the pilot to earth, a missing diode or a broken pilot opens the contactor of a station.",
    run=run,
    needs=frozenset({"pilot.car"}),
)
