"""7.3 A ramp, a swinging load and a motor start: follow the first two, do not panic at the third."""

from __future__ import annotations

from hilbench.bench import Bench
from hilbench.measuring import Measure
from hilbench.procedures import Procedure


async def run(bench: Bench, measure: Measure) -> None:
    """Ramp over a minute, swing with a period of two minutes, then a motor of 3 % of the rating starts and stops."""
    await bench.plug_in()
    await bench.settled()
    await bench.align()
    ramp = bench.base_load.ramp(bench.step_a, over_s=60.0)
    await bench.run_for(90.0)
    measure("time_above_budget", since=ramp, note="ramp")
    measure("time_above_rating", since=ramp, note="ramp")
    measure("breaker_fraction", since=ramp, note="ramp")
    bench.base_load.clear()
    sine = bench.base_load.sine(bench.step_a / 4.0, period_s=120.0)
    await bench.run_for(480.0)
    measure("time_above_budget", since=sine.t + 10.0, note="swing")
    measure("time_above_rating", since=sine, note="swing")
    measure("breaker_fraction", since=sine, note="swing")
    bench.base_load.clear()
    await bench.settled()
    await bench.align()
    inrush = bench.base_load.inrush(bench.site.service.rating_a * 0.03, run_s=0.4)
    await bench.run_for(60.0)
    measure("false_shed", since=inrush)
    measure("time_above_budget", since=inrush, note="inrush")
    measure("breaker_fraction", since=inrush, note="inrush")


PROCEDURE = Procedure(
    id="7.3",
    key="ramp-and-inrush",
    title="ramp, swing and motor inrush",
    purpose="Slow and periodic load is followed without hunting; a motor start neither trips nor upsets anything.",
    run=run,
    needs=frozenset({"controller.measures"}),
)
