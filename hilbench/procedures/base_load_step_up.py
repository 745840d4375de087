"""7.1 The building draws more at once: the cars must give way before the breaker notices."""

from __future__ import annotations

from hilbench.bench import Bench
from hilbench.measuring import Measure
from hilbench.procedures import Procedure


async def run(bench: Bench, measure: Measure) -> None:
    """Step all lines by a quarter of the rating with cars at 12 A, then each line alone with a full house."""
    few = bench.equal_roles(each_a=12.0)
    await bench.plug_in(few)
    await bench.settled()
    await bench.align()
    step = bench.base_load.step(bench.step_a)
    await bench.run_for(60.0)
    for metric in ("time_above_budget", "time_above_rating", "ampere_seconds_above_rating", "peak_ratio", "t90"):
        measure(metric, since=step)
    for metric in ("dead_time", "settling_time", "overshoot_a", "minimum_offer_a"):
        measure(metric, since=step)
    for metric in ("ampere_seconds_above_budget", "breaker_fraction"):
        measure(metric, since=step)
    measure("utilisation", since=step.t + 30.0, note="what is left is used")
    bench.base_load.clear()
    await bench.plug_in(role for role in bench.stations if role not in few)
    for line in bench.site.lines:
        await _single_line_step(bench, measure, line)


async def _single_line_step(bench: Bench, measure: Measure, line: str) -> None:
    await bench.settled()
    await bench.align()
    step = bench.base_load.step(bench.step_a, lines=(line,))
    await bench.run_for(45.0)
    measure("time_above_budget", since=step, note=f"{line} alone, full house")
    measure("time_above_rating", since=step, note=f"{line} alone, full house")
    measure("breaker_fraction", since=step, note=f"{line} alone, full house")
    measure("utilisation", since=step.t + 30.0, lines=(line,), note=f"{line} alone, full house")
    bench.base_load.clear()


PROCEDURE = Procedure(
    id="7.1",
    key="base-load-step-up",
    title="base-load step up",
    purpose="A sudden load of the building is answered by shedding charging current in time, on every line.",
    run=run,
    needs=frozenset({"controller.measures"}),
)
