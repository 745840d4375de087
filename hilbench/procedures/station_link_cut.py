"""4.2 A station loses its link: it falls back alone, and the others are budgeted around it."""

from __future__ import annotations

from hilbench.bench import Bench
from hilbench.devices import LinkFault
from hilbench.measuring import Measure
from hilbench.procedures import Procedure, charging_roles


async def run(bench: Bench, measure: Measure) -> None:
    """Cut one station's link by reset, heal it, then let another's traffic vanish (half-open), and heal that."""
    await bench.plug_in(bench.equal_roles(each_a=12.0))
    await bench.settled()
    charging = charging_roles(bench)
    await _cut(bench, measure, charging[0], "reset")
    await _cut(bench, measure, charging[-1], "half-open")


async def _cut(bench: Bench, measure: Measure, role: str, how: LinkFault) -> None:
    await bench.align()
    cut = bench.faults.cut_link(role, how)
    await bench.run_for(5.0)
    step = bench.base_load.step(bench.worst_base_headroom_a)
    await bench.run_for(bench.fallback_timeout_s + 30.0)
    measure("fallback_entry_time", since=cut, roles=(role,), note=how)
    measure("fallback_level", since=cut, roles=(role,), note=how)
    measure("time_above_budget", since=step, note=f"{how}, building at its worst")
    measure("time_above_rating", since=cut, note=how)
    healed = bench.faults.restore_link(role)
    bench.base_load.clear()
    await bench.run_for(240.0)
    measure("time_above_budget", since=healed, note=f"{how} healed")
    measure("resume_time", since=healed, lost=cut, note=how)


PROCEDURE = Procedure(
    id="4.2",
    key="station-link-cut",
    title="station link cut",
    purpose="A station without its link falls to its fallback current and the rest of the site makes room for it.",
    run=run,
    needs=frozenset({"link"}),
)
