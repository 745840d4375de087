"""4.2 A station loses its link: it falls back alone, and the others are budgeted around it."""

from __future__ import annotations

from collections.abc import Sequence

from hilbench.bench import Bench
from hilbench.devices import LinkFault
from hilbench.measuring import Measure
from hilbench.procedures import Procedure, charging_roles
from hilbench.signals import Event


async def run(bench: Bench, measure: Measure) -> None:
    """Cut one station's link by reset, heal it, let another's traffic vanish, heal that; then cut every second one.

    With one link cut the building goes to its worst.
    """
    await bench.plug_in(bench.equal_roles(each_a=12.0))
    await bench.settled()
    charging = charging_roles(bench)
    await _cut(bench, measure, charging[0], "reset")
    await _cut(bench, measure, charging[-1], "half-open")
    if len(charging) > 1:
        await _cut_half(bench, measure, charging[::2])


async def _cut(bench: Bench, measure: Measure, role: str, how: LinkFault) -> None:
    await bench.align()
    cut = bench.faults.cut_link(role, how)
    await bench.run_for(5.0)
    step = bench.base_load.step(bench.worst_base_headroom_a)
    await bench.run_for(bench.fallback_timeout_s + 30.0)
    _judge(measure, cut, [role], how)
    measure("time_above_budget", since=step, note=f"{how}, building at its worst")
    healed = bench.faults.restore_link(role)
    bench.base_load.clear()
    await bench.run_for(240.0)
    measure("time_above_budget", since=healed, note=f"{how} healed")
    measure("resume_time", since=healed, lost=cut, note=how)


async def _cut_half(bench: Bench, measure: Measure, roles: Sequence[str]) -> None:
    await bench.align()
    cut = bench.mark("fault.links", "stations", stations=len(roles))
    for role in roles:
        bench.faults.cut_link(role)
    await bench.run_for(bench.fallback_timeout_s + 60.0)
    _judge(measure, cut, roles, "every second station")
    measure("time_above_budget", since=cut, note="every second station")
    for role in roles:
        bench.faults.restore_link(role)
    await bench.run_for(120.0)
    measure("time_above_budget", since=cut, note="every second station, healed")


def _judge(measure: Measure, cut: Event, roles: Sequence[str], note: str) -> None:
    measure("fallback_entry_time", since=cut, roles=roles, note=note)
    measure("fallback_level", since=cut, roles=roles, note=note)
    measure("time_above_rating", since=cut, note=note)


PROCEDURE = Procedure(
    id="4.2",
    key="station-link-cut",
    title="station link cut",
    purpose="A station without its link falls to its fallback current and the rest of the site makes room for it.",
    run=run,
    needs=frozenset({"link"}),
)
