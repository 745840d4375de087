"""Piecewise-linear functions of one number, in plain Python: a charging loop asks them for one value at a time."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate, pairwise


class Piecewise:
    """A function given by its corners ``(x, y)``, straight in between; beyond its ends it is as at its ends.

    Raises ``ValueError`` when there are fewer than two corners, when x does not rise, or for a number that is not
    finite.
    """

    __slots__ = ("_areas", "corners", "x", "y")

    def __init__(self, corners: Iterable[tuple[float, float]]) -> None:
        self.corners = tuple((float(x), float(y)) for x, y in corners)
        self.x = tuple(x for x, _y in self.corners)
        self.y = tuple(y for _x, y in self.corners)
        if len(self.x) < 2 or not all(map(math.isfinite, self.x + self.y)):
            raise ValueError("a curve needs at least two corners, and only finite numbers")
        if any(b <= a for a, b in pairwise(self.x)):
            raise ValueError("the corners of a curve must be in rising order")
        pieces = ((b[0] - a[0]) * (a[1] + b[1]) / 2.0 for a, b in pairwise(self.corners))
        self._areas = tuple(accumulate(pieces, initial=0.0))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Piecewise) and self.corners == other.corners

    def __hash__(self) -> int:
        return hash(self.corners)

    def __repr__(self) -> str:
        return f"Piecewise({self.corners!r})"

    def at(self, x: float) -> float:
        """Value at ``x``."""
        if x <= self.x[0]:
            return self.y[0]
        if x >= self.x[-1]:
            return self.y[-1]
        i = bisect_right(self.x, x) - 1
        return self.y[i] + (self.y[i + 1] - self.y[i]) * (x - self.x[i]) / (self.x[i + 1] - self.x[i])

    def area(self, x: float) -> float:
        """Integral from the first corner to ``x``; negative before it."""
        i = min(max(bisect_right(self.x, x) - 1, 0), len(self.x) - 1)
        return self._areas[i] + (x - self.x[i]) * (self.y[i] + self.at(x)) / 2.0

    def inverse(self, y: float) -> float:
        """Where a rising curve has the value ``y``; beyond its values, its ends."""
        if y <= self.y[0]:
            return self.x[0]
        if y >= self.y[-1]:
            return self.x[-1]
        i = bisect_right(self.y, y) - 1
        return self.x[i] + (self.x[i + 1] - self.x[i]) * (y - self.y[i]) / (self.y[i + 1] - self.y[i])


def ramped(present: float, target: float, grow_per_s: float, shrink_per_s: float, dt_s: float) -> float:
    """Where ``present`` has come ``dt_s`` later on its way to ``target``.

    Its size grows and shrinks with rates of their own; on the way through zero it shrinks first and then grows.
    """
    if present * target < 0.0 or abs(target) < abs(present):
        floor = target if present * target > 0.0 else 0.0
        reach_s = abs(present - floor) / shrink_per_s
        if dt_s < reach_s:
            return present - math.copysign(shrink_per_s * dt_s, present)
        if floor == target:
            return target
        present, dt_s = 0.0, dt_s - reach_s
    way = target - present
    return target if abs(way) <= grow_per_s * dt_s else present + math.copysign(grow_per_s * dt_s, way)
