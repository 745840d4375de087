"""Whether stations fell back when they had to, to what, and for how long."""

from __future__ import annotations

import math
from collections.abc import Iterator

from hilbench.measuring.window import Reading, Window, offers
from hilbench.metrics import fallback
from hilbench.signals import line_current, offered_current


def _fallbacks(window: Window) -> Iterator[tuple[str, float, fallback.Fallback]]:
    for role in window.roles:
        branch = window.bench.site.branch(role)
        for line in branch.lines:
            found = window.line(line_current(role, line))
            if found is not None:
                held = fallback.fallback(found, window.start, window.stop, branch.fallback_a, 1.0)
                yield f"{role} {line}", branch.fallback_a, held


def fallback_entry(window: Window) -> list[Reading]:
    """Time until each line of each station is at its fallback for good."""
    return [Reading(held.entry_s, window.time_u, where) for where, _level, held in _fallbacks(window)]


def fallback_level(window: Window) -> list[Reading]:
    """Largest current of each line of each station once it fell back."""
    return [
        Reading(held.level_a, 0.0, where, context={"fallback_a": level}) for where, level, held in _fallbacks(window)
    ]


def fallback_exit(window: Window) -> list[Reading]:
    """Earliest exit of any station; one that never leaves its fallback within the window says nothing."""
    found = []
    for role in window.roles:
        branch = window.bench.site.branch(role)
        current = window.line(line_current(role, branch.lines[0]))
        if current is not None:
            found.append(
                Reading(fallback.exit_time(current, window.start, branch.fallback_a, 1.0), window.time_u, role)
            )
    left = [reading for reading in found if math.isfinite(reading.value)]
    return left or [Reading(window.stop - window.start, window.time_u, "not left within the window")]


def boot_peak(window: Window) -> list[Reading]:
    """Largest current that each station offered."""
    return [
        Reading(float(line[1].max()), 0.0, role, (offered_current(role),), {"fallback_a": _fallback_of(window, role)})
        for role, line in offers(window).items()
    ]


def _fallback_of(window: Window, role: str) -> float:
    return window.bench.site.branch(role).fallback_a
