"""4.7 A charging station loses power and boots: it must not come back with full current."""

from __future__ import annotations

from hilbench.bench import Bench
from hilbench.measuring import Measure
from hilbench.procedures import Procedure, charging_roles


async def run(bench: Bench, measure: Measure) -> None:
    """Power-cycle a charging station: briefly; until its limit has run out, with its link cut; and so that it forgets.

    The station that has forgotten all limits then loses its link.
    """
    await bench.plug_in(bench.equal_roles(each_a=12.0))
    await bench.settled()
    role = charging_roles(bench)[0]
    await bench.align()
    off = await bench.faults.power_cycle(role, off_s=10.0)
    await bench.run_for(120.0)
    measure("time_above_budget", since=off)
    measure("time_above_rating", since=off)
    await bench.settled()
    cut = bench.faults.cut_link(role, "reset")
    again = await bench.faults.power_cycle(role, off_s=bench.fallback_timeout_s + 5.0)
    await bench.run_for(60.0)
    measure("boot_peak", since=again.t + 0.5, roles=(role,), note="boot without link")
    measure("time_above_budget", since=cut, note="boot without link")
    bench.faults.restore_link(role)
    await bench.run_for(120.0)
    measure("time_above_budget", since=again, note="link healed")
    await _forget(bench, measure, role)


async def _forget(bench: Bench, measure: Measure, role: str) -> None:
    await bench.settled()
    forgot = await bench.faults.power_cycle(role, off_s=10.0, forgets=True)
    await bench.run_for(60.0)
    measure("time_above_budget", since=forgot, note="boot without memory")
    cut = bench.faults.cut_link(role)
    await bench.run_for(bench.fallback_timeout_s + 30.0)
    measure("fallback_entry_time", since=cut, roles=(role,), note="after a boot without memory")
    measure("fallback_level", since=cut, roles=(role,), note="after a boot without memory")
    bench.faults.restore_link(role)
    await bench.run_for(60.0)


PROCEDURE = Procedure(
    id="4.7",
    key="station-power-cycle",
    title="station power-cycle",
    purpose="A station that boots, with or without its link, never exceeds what it was given to fall back to.",
    run=run,
    needs=frozenset({"link", "station.fault"}),
)
