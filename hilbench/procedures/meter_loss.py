"""4.4 The meter dies, or reports no number, or zero: no news is not good news."""

from __future__ import annotations

from hilbench.bench import Bench
from hilbench.devices import MeterFault
from hilbench.measuring import Measure
from hilbench.procedures import Procedure

KINDS: tuple[MeterFault, ...] = ("dead", "nan", "zero")


async def run(bench: Bench, measure: Measure) -> None:
    """For each kind of loss: lose the meter, raise the building to its worst, heal, recover."""
    await bench.plug_in(bench.equal_roles(each_a=12.0))
    for kind in KINDS:
        await _lose(bench, measure, kind)


async def _lose(bench: Bench, measure: Measure, kind: MeterFault) -> None:
    await bench.settled()
    await bench.align()
    lost = bench.faults.meter(kind)
    await bench.run_for(bench.stale_timeout_s + 20.0)
    measure("fallback_entry_time", since=lost, timeout_s=bench.stale_timeout_s, note=kind)
    measure("fallback_level", since=lost, note=kind)
    step = bench.base_load.step(bench.worst_base_headroom_a)
    await bench.run_for(60.0)
    measure("time_above_budget", since=step, note=f"{kind}, building at its worst")
    measure("time_above_rating", since=lost, note=kind)
    healed = bench.faults.heal_meter()
    bench.base_load.clear()
    await bench.run_for(240.0)
    measure("fallback_exit_time", since=healed, note=kind)
    measure("time_above_budget", since=healed, note=f"{kind} healed")
    measure("resume_time", since=healed, lost=lost, note=kind)


PROCEDURE = Procedure(
    id="4.4",
    key="meter-loss",
    title="meter loss",
    purpose="When the meter is dead, or sends NaN or zeros, the stations go to their safe current in time.",
    run=run,
    needs=frozenset({"meter.fault", "controller.measures"}),
)
