"""How fast the plant alone is: EVSE-steps per CPU second, against the limit and against a loop over cars.

One step is one station evaluated at one new time, with power factor, phasors and the sums of every node.
"""

from __future__ import annotations

import cmath
import math
import time

from hilbench.site import Branch, Feeder, Service, Site
from hilbench_emulators.plant_core import PlantCore

LIMIT_PER_S = 5e6
STATIONS = 1000


def site(count: int) -> Site:
    """A three-phase site of ``count`` stations on twenty feeders."""
    return Site(
        name="bench",
        service=Service(rating_a=8000, voltage_v=400, wiring="three-phase"),
        feeders=tuple(Feeder(id=f"f{k}", rating_a=400) for k in range(20)),
        branches=tuple(
            Branch(role=f"s{k}", feeder=f"f{k % 20}", branch_a=40, max_a=32, connection="L1-L2-L3")
            for k in range(count)
        ),
    )


def loaded(count: int) -> PlantCore:
    """A plant with a car in every station, all on slow ramps."""
    core = PlantCore(site(count))
    units = {line: cmath.rect(1.0, -2.0 * math.pi * line / 3.0) for line in range(3)}
    for row in range(count):
        core.set_units(row, units, capacitive=False)
        core.ramp(row, 0.0, 6.0 + row % 26, 0.01, (0.95, 0.999))
    return core


def vectorised(core: PlantCore, rounds: int) -> float:
    """CPU seconds per EVSE-step of the plant."""
    start = time.process_time()
    for k in range(rounds):
        core.at(k * 0.5)
    return (time.process_time() - start) / rounds / STATIONS


def one_by_one(core: PlantCore, rounds: int) -> float:
    """CPU seconds per EVSE-step of a loop over cars that only sums currents."""
    start = time.process_time()
    for k in range(rounds):
        sum(core.current(row, k * 0.5) for row in range(STATIONS))
    return (time.process_time() - start) / rounds / STATIONS


def main() -> None:
    """Print the figures."""
    core = loaded(STATIONS)
    vectorised(core, 200)
    plant, peer = vectorised(core, 5000), one_by_one(core, 50)
    print(f"plant, N = {STATIONS}: {1 / plant / 1e6:.1f} million EVSE-steps per CPU second")
    print(f"ratio to the limit of {LIMIT_PER_S / 1e6:.0f} million: {1 / plant / LIMIT_PER_S:.2f} (>= 1 wanted)")
    print(f"ratio to a loop over cars: {peer / plant:.1f} times as fast")


if __name__ == "__main__":
    main()
