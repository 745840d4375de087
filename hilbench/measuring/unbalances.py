"""How far the lines of the service were apart."""

from __future__ import annotations

from hilbench.measuring.window import Reading, Window
from hilbench.metrics.unbalance import unbalance
from hilbench.signals import line_current

MEAN_S = 60.0
"""Window over which unbalance counts [s]: one minute, as of the values that VDE-AR-N 4100 goes by (recalled)."""


def unbalance_kva(window: Window) -> list[Reading]:
    """Largest mean difference of the apparent power of two lines of the service [kVA], at nominal voltage."""
    site = window.bench.site
    kva = site.service.line_to_neutral_v / 1000.0
    lines = {line: window.must(line_current("service", line)) for line in site.lines}
    amps, full, empty = unbalance(lines, MEAN_S)
    u = 0.0 if not window.time_u else kva * abs(amps) * window.time_u / MEAN_S
    names = tuple(line_current("service", line) for line in (full, empty) if line)
    note = f"{full} has {amps:.1f} A more than {empty}"
    return [Reading(kva * amps, u, note, names, {"unbalance_kva": kva * site.spread_a})]
