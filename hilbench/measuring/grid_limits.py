"""How a limit of the site's import was kept, and what happened when it ended."""

from __future__ import annotations

import math

from hilbench.grid import GridLimit
from hilbench.measuring.window import Reading, Window, managed
from hilbench.metrics.exposure import excursions
from hilbench.metrics.polyline import Polyline, between, mean
from hilbench.metrics.rebound import rebound, steepest_share
from hilbench.metrics.response import reach_time
from hilbench.signals import node_power

IMPORT = node_power("service")
PEAK_S = 60.0
"""Window of a peak after a limit [s]: shorter than any demand window, longer than a car's start (policy-default)."""
STEEP_S = 60.0
"""Window in which a rise counts as one (policy-default)."""
LEAST_RISE_KW = 1.0
"""What rises by less than one car that charges at 6 A makes no peak."""


def entry_time(window: Window) -> list[Reading]:
    """Time until the import is first at or below the limit plus tolerance."""
    limit = _limit(window)
    t, kw = _import(window)
    level = _accepted_kw(window, limit)
    reached = reach_time((t, -kw), -level, window.start)
    note = f"{limit.limit_kw:.1f} kW, from {kw[0]:.1f} kW"
    return [Reading(reached, window.time_u, note, (IMPORT,), {"notice_s": limit.notice_s})]


def time_above(window: Window) -> list[Reading]:
    """Longest stay above the limit plus tolerance once the import has been below it; all of the time if it never is."""
    limit = _limit(window)
    line, level = _import(window), _accepted_kw(window, limit)
    entered = window.start + reach_time((line[0], -line[1]), -level, window.start)
    if math.isinf(entered):
        return [Reading(window.stop - window.start, window.time_u, f"never at {limit.limit_kw:.1f} kW", (IMPORT,))]
    kept = between(line, entered, window.stop)
    stays = excursions(kept, limit.limit_kw, level - limit.limit_kw)
    note = f"{limit.limit_kw:.1f} kW, highest {kept[1].max():.1f} kW"
    return [Reading(max((one.duration_s for one in stays), default=0.0), window.time_u, note, (IMPORT,))]


def use(window: Window) -> list[Reading]:
    """Mean import as a share of the limit."""
    limit = _limit(window)
    kw = mean(_import(window))
    return [Reading(kw / limit.limit_kw, window.average_u, f"{kw:.1f} of {limit.limit_kw:.1f} kW", (IMPORT,))]


def rebound_ratio(window: Window) -> list[Reading]:
    """Highest import of the window against that of as long a time before the limit."""
    limit = _limit(window)
    start = max(limit.start - (window.stop - window.start), 0.0)
    before = Window(window.bench, window.requirements, start, limit.start)
    ratio = rebound(_import(before), _import(window), PEAK_S)
    return [Reading(ratio, window.average_u, f"means over {PEAK_S:.0f} s", (IMPORT,))]


def rebound_ramp(window: Window) -> list[Reading]:
    """The largest part of the whole rise that is gained within one minute."""
    line = _import(window)
    share = steepest_share(line, STEEP_S, LEAST_RISE_KW)
    return [Reading(share, 0.0, f"{line[1][0]:.1f} to {line[1].max():.1f} kW", (IMPORT,))]


def recovery_time(window: Window) -> list[Reading]:
    """Time until the cars draw 90 % of what they drew before the limit."""
    limit = _limit(window)
    found = []
    for line in window.bench.site.lines:
        before = Window(window.bench, window.requirements, max(limit.start - 60.0, 0.0), limit.start)
        then = mean(managed(before, line))
        reached = reach_time(managed(window, line), 0.9 * then, window.start)
        found.append(Reading(reached, window.time_u, f"{line}: 90 % of {then:.1f} A"))
    return found


def _limit(window: Window) -> GridLimit:
    limit: GridLimit = window.parameters["limit"]
    return limit


def _import(window: Window) -> Polyline:
    t, watts = window.must(IMPORT)
    return t, watts / 1000.0


def _accepted_kw(window: Window, limit: GridLimit) -> float:
    """The limit with the tolerance of the profile, which is one of currents."""
    site, rules = window.bench.site, window.requirements
    per_a = site.all_lines_kw(1.0)
    return limit.limit_kw + rules.tolerance_a(limit.limit_kw / per_a) * per_a
