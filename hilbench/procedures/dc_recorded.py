"""13.9 The limit change of a recorded session: 15 A to 0 and back."""

from __future__ import annotations

from hilbench.bench import Bench
from hilbench.measuring import Measure
from hilbench.nature import recorded_roles
from hilbench.procedures import Procedure
from hilbench.procedures.dc_cars import SOC, output_a

PAUSE_S = 4.699
"""From the offer of 0 to that of 15 A in the log (19.564 to 24.263 s; measured)."""


async def run(bench: Bench, measure: Measure) -> None:
    """The charger's available current goes from 15 A to 0 and back, as in the log of the session."""
    for role in recorded_roles(bench.rig):
        await bench.plug_in(role, soc=SOC)
        await bench.run_for(60.0)
        before_a = output_a(bench, role)
        zero = bench.faults.deafen(role, 0.0)
        await bench.run_for(PAUSE_S)
        measure("dc_request_time", since=zero, roles=[role])
        measure("dc_zero_time", since=zero, roles=[role])
        back = bench.faults.heal_station(role)
        await bench.run_for(10.0)
        measure("dc_resume_time", since=back, roles=[role], before_a={role: before_a})
        measure("dc_sessions_lost", since=zero, roles=[role])


PROCEDURE = Procedure(
    id="13.9",
    key="dc-recorded-step",
    title="limit change of a recorded session",
    purpose="A live change of the available current, 15 to 0 to 15 A, is answered as in the recorded session.",
    run=run,
    needs=frozenset({"dc.recorded", "station.fault"}),
)
