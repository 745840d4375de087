"""4.6 The controller is killed under load and comes back: no excess while it learns what stands there."""

from __future__ import annotations

from hilbench.bench import Bench
from hilbench.measuring import Measure
from hilbench.procedures import Procedure, charging_roles


async def run(bench: Bench, measure: Measure) -> None:
    """Kill it with cars charging at 12 A, raise the building to its worst, start it again, wait for full use.

    Every second station finds it two minutes later only.
    """
    await bench.plug_in(bench.equal_roles(each_a=12.0))
    await bench.settled()
    late = charging_roles(bench)[1::2]
    await bench.align()
    killed = await bench.faults.kill_controller()
    await bench.run_for(bench.fallback_timeout_s + 15.0)
    measure("fallback_entry_time", since=killed)
    step = bench.base_load.step(bench.worst_base_headroom_a)
    await bench.run_for(15.0)
    for role in late:
        bench.faults.cut_link(role)
    started = await bench.faults.restart_controller()
    await bench.run_for(60.0)
    bench.base_load.clear()
    await bench.run_for(60.0)
    for role in late:
        bench.faults.restore_link(role)
    await bench.run_for(240.0)
    for metric in ("time_above_budget", "time_above_rating", "peak_ratio"):
        measure(metric, since=step)
    if bench.measures:
        measure("utilisation", since=started.t + 240.0, note="two minutes after the last station is back")


PROCEDURE = Procedure(
    id="4.6",
    key="controller-restart",
    title="controller restarts under load",
    purpose="A controller that comes back does not raise anything before it knows the site again.",
    run=run,
    needs=frozenset({"controller.kill", "controller.restart", "link"}),
)
