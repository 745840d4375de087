"""13.9 The limit change of a recorded session: 15 A to 0 and back, while the output still rises."""

from __future__ import annotations

from hilbench.bench import Bench
from hilbench.errors import DeviceError
from hilbench.measuring import Measure
from hilbench.nature import recorded_roles
from hilbench.procedures import Procedure
from hilbench.procedures.dc_cars import BEGUN_S, SOC
from hilbench.signals import dc_requested

RISES_S = 0.51
"""From the car's first request to the offer of 0 in the log: the request was at 12 A, the output at 1 A (measured)."""
PAUSE_S = 4.699
"""From the offer of 0 to that of 15 A in the log (19.564 to 24.263 s; measured)."""
LOOK_S = 0.02
"""How often the request is looked at: a fifth of a period of CHAdeMO."""


async def run(bench: Bench, measure: Measure) -> None:
    """The charger's available current goes from 15 A to 0 and back, as in the log of the session."""
    for role in recorded_roles(bench.rig):
        await bench.plug_in(role, soc=SOC)
        await bench.run_until(await _requested_t(bench, role) + RISES_S)
        before_a = bench.record.signals[dc_requested(role)].last() or 0.0
        zero = bench.faults.deafen(role, 0.0)
        await bench.run_for(PAUSE_S)
        measure("dc_request_time", since=zero, roles=[role])
        measure("dc_zero_time", since=zero, roles=[role])
        back = bench.faults.heal_station(role)
        await bench.run_for(10.0)
        measure("dc_resume_time", since=back, roles=[role], before_a={role: before_a})
        measure("dc_sessions_lost", since=zero, roles=[role])


async def _requested_t(bench: Bench, role: str) -> float:
    """Bench time [s] of the car's first request; raises ``DeviceError`` when there is none in time."""
    for _look in range(round(BEGUN_S / LOOK_S)):
        times, amps = bench.record.signals[dc_requested(role)].rows()
        if len(amps) and amps[-1] > 0.0:
            return float(times[-1])
        await bench.run_for(LOOK_S)
    raise DeviceError(f"station {role}: its car requested nothing within {BEGUN_S:g} s")


PROCEDURE = Procedure(
    id="13.9",
    key="dc-recorded-step",
    title="limit change of a recorded session",
    purpose="A live change of the available current, 15 to 0 to 15 A, is answered as in the recorded session.",
    run=run,
    needs=frozenset({"dc.recorded", "station.fault"}),
)
