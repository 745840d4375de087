"""9.1 The grid limits what the site takes for a while: kept in time, for all of it, and no peak after it."""

from __future__ import annotations

from hilbench.bench import Bench
from hilbench.grid import GridLimit
from hilbench.measuring import Measure
from hilbench.procedures import Procedure

NOTICE_S, EVENT_S, AFTER_S = 600.0, 3600.0, 1800.0


async def run(bench: Bench, measure: Measure) -> None:
    """Announce a limit ten minutes before it, raise the building in the middle of it, and watch what comes after."""
    await bench.plug_in()
    await bench.settled()
    await bench.run_for(AFTER_S - NOTICE_S)
    await bench.align()
    limit = bench.grid.limit(bench.grid_limit_kw, EVENT_S, in_s=NOTICE_S)
    await bench.run_until(limit.start + 0.5 * EVENT_S)
    bench.base_load.step(0.5 * bench.worst_base_headroom_a)
    await bench.run_until(limit.end)
    bench.base_load.clear()
    await bench.run_for(AFTER_S)
    judge_kept(measure, limit)
    judge_end(measure, limit)
    for metric in ("time_above_budget", "time_above_rating", "minimum_offer_a"):
        measure(metric, since=limit.published)
    bench.tabulate_peaks()


def judge_kept(measure: Measure, limit: GridLimit, note: str = "") -> None:
    """The limit is reached in time and kept from its latest start to its end."""
    for metric in ("limit_entry_time", "time_above_limit"):
        measure(metric, since=limit.latest_start, until=limit.end, limit=limit, note=note)


def judge_end(measure: Measure, limit: GridLimit, ended: float | None = None, note: str = "") -> None:
    """After its end (or when it was taken back) the cars come back, and make no peak."""
    over = limit.latest_end if ended is None else ended
    for metric in ("rebound_ratio", "rebound_ramp", "limit_recovery_time"):
        measure(metric, since=over, until=over + AFTER_S, limit=limit, note=note)


PROCEDURE = Procedure(
    id="9.1",
    key="grid-limit",
    title="limit of the grid",
    purpose="A limit from the grid is kept in time and for its whole duration, and its end makes no new peak.",
    run=run,
    needs=frozenset({"grid.vtn", "controller.measures"}),
    short=False,
)
