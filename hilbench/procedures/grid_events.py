"""9.1b Limits of the grid that overlap, begin at random, or are taken back."""

from __future__ import annotations

from hilbench.bench import Bench
from hilbench.measuring import Measure
from hilbench.procedures import Procedure
from hilbench.procedures.grid_limit import AFTER_S, judge_end, judge_kept

LONG_S, MIDDLE_S, SPREAD_S = 5400.0, 2400.0, 300.0
LOW_SHARE, LOWER_SHARE = 0.7, 0.5
RISEN_S = 1200.0
"""A limit that rises is taken up slowly, so that it is used only after so long (policy-default)."""


async def run(bench: Bench, measure: Measure) -> None:
    """Overlap three limits of which the highest priority allows most, draw a start at random, take a limit back."""
    await bench.plug_in()
    await bench.settled()
    await bench.run_for(AFTER_S)
    await _overlap(bench, measure)
    await _at_random(bench, measure)
    await _taken_back(bench, measure)
    measure("time_above_budget")
    measure("time_above_rating")


async def _overlap(bench: Bench, measure: Measure) -> None:
    """The first holds, then the one of higher priority although it allows more, then the first again."""
    await bench.align()
    high_kw = bench.grid_limit_kw
    first = bench.grid.limit(LOW_SHARE * high_kw, LONG_S, in_s=60.0, priority=5)
    urgent = bench.grid.limit(high_kw, MIDDLE_S, in_s=1260.0, priority=1)
    bench.grid.limit(LOWER_SHARE * high_kw, LONG_S - 600.0, in_s=660.0, priority=9)
    await bench.run_until(first.end)
    measure("limit_entry_time", since=first.start, until=urgent.start, limit=first, note="the first")
    measure("time_above_limit", since=first.start, until=urgent.start, limit=first, note="the first")
    measure(
        "limit_use",
        since=urgent.start - 300.0,
        until=urgent.start,
        limit=first,
        note="before a lower one that counts less",
    )
    measure("time_above_limit", since=urgent.start, until=urgent.end, limit=urgent, note="the urgent one")
    measure("limit_use", since=urgent.start + RISEN_S, until=urgent.end, limit=urgent, note="the urgent one")
    measure("limit_entry_time", since=urgent.end, until=first.end, limit=first, note="the first again")
    measure("time_above_limit", since=urgent.end, until=first.end, limit=first, note="the first again")
    await bench.run_for(AFTER_S)


async def _at_random(bench: Bench, measure: Measure) -> None:
    await bench.align()
    limit = bench.grid.limit(bench.grid_limit_kw, 1800.0, in_s=120.0, spread_s=SPREAD_S)
    await bench.run_until(limit.latest_end + AFTER_S)
    judge_kept(measure, limit, "start drawn at random")


async def _taken_back(bench: Bench, measure: Measure) -> None:
    await bench.align()
    limit = bench.grid.limit(bench.grid_limit_kw, 7200.0)
    await bench.run_for(1200.0)
    ended = bench.grid.cancel(limit)
    measure("limit_entry_time", since=limit.start, limit=limit, note="at once")
    measure("time_above_limit", since=limit.start, limit=limit, note="at once")
    await bench.run_for(AFTER_S)
    judge_end(measure, limit, ended.t, "taken back")


PROCEDURE = Procedure(
    id="9.1b",
    key="grid-events",
    title="overlap, chance, cancellation",
    purpose="Of limits that overlap the one of highest priority holds, and one that is taken back ends.",
    run=run,
    needs=frozenset({"grid.vtn", "controller.measures"}),
    short=False,
)
