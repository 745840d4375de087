"""How far the lines of a service differ."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import permutations

from hilbench.metrics.polyline import Polyline, aligned, highest_mean


def unbalance(lines: Mapping[str, Polyline], window_s: float) -> tuple[float, str, str]:
    """The largest mean over ``window_s`` of what one line has more than another, and which two, the fuller one first.

    In the unit of ``lines``; 0 where there is one line only. A line that is fuller by turns with another counts by what
    is left of it over the window. Raises ``ValueError`` when the polylines have no duration.
    """
    t, values = aligned(*lines.values())
    found = [
        (highest_mean((t, values[one] - values[other]), window_s), names[0], names[1])
        for (one, other), names in zip(permutations(range(len(lines)), 2), permutations(lines, 2), strict=True)
    ]
    return max(found, default=(0.0, "", ""))


__all__ = ["unbalance"]
