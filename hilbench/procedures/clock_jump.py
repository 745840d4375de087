"""4.9 The clock of a station jumps by an hour, or goes back to 1970: no limit may hang on a date."""

from __future__ import annotations

from hilbench import clock
from hilbench.bench import Bench
from hilbench.measuring import Measure
from hilbench.procedures import Procedure, charging_roles

HOUR_S = 3600.0


async def run(bench: Bench, measure: Measure) -> None:
    """Set the clock of a charging station an hour ahead, an hour back and to 1970, and cut its link soon after."""
    await bench.plug_in(bench.equal_roles(each_a=12.0))
    await bench.settled()
    role = charging_roles(bench)[0]
    for note, ahead_s in (("an hour ahead", HOUR_S), ("an hour back", -HOUR_S), ("1970", -clock.now().timestamp())):
        await _jump(bench, measure, role, ahead_s, note)


async def _jump(bench: Bench, measure: Measure, role: str, ahead_s: float, note: str) -> None:
    await bench.align()
    jumped = bench.faults.set_clock(role, ahead_s)
    await bench.run_for(5.0)
    cut = bench.faults.cut_link(role)
    step = bench.base_load.step(bench.worst_base_headroom_a)
    await bench.run_for(bench.fallback_timeout_s + 60.0)
    measure("fallback_entry_time", since=cut, roles=(role,), note=note)
    measure("fallback_level", since=cut, roles=(role,), note=note)
    measure("time_above_budget", since=step, note=f"{note}, building at its worst")
    measure("time_above_rating", since=jumped, note=note)
    healed = bench.faults.restore_link(role)
    bench.base_load.clear()
    await bench.run_for(240.0)
    measure("time_above_budget", since=healed, note=f"{note}, link healed")


PROCEDURE = Procedure(
    id="4.9",
    key="clock-jump",
    title="clock of a station jumps",
    purpose="A station whose clock is wrong charges no more than its limit, and at its fallback without a controller.",
    run=run,
    needs=frozenset({"station.fault", "link"}),
)
