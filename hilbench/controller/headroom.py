"""What raises may still take, so that all of one decision together fit beside what may be drawn meanwhile."""

from __future__ import annotations

import math

from hilbench.controller.allocate import Array, Tree


class Headroom:
    """``free`` beside what all may draw now [constraint], ``spare`` [A] in flight, and ``spare_w`` of power.

    ``watts`` is the power per ampere of each station.
    """

    def __init__(self, tree: Tree, free: Array, spare: float, spare_w: float, watts: Array) -> None:
        self._tree, self._free, self._spare = tree, free, spare
        self._spare_w, self._watts = spare_w, watts

    def raised(self, column: int, held: float, wish: float, least: float) -> float:
        """Where station ``column`` may go from ``held`` towards ``wish``: at least to ``least``, or not at all."""
        rows, watts = self._tree.rows_of(column), float(self._watts[column])
        room = min(self._spare, float(self._free[rows].min()), self._spare_w / watts)
        granted = min(wish, math.floor((held + room) * 10.0 + 1e-6) / 10.0)
        if granted < min(least, wish) - 1e-9:
            return held
        self._free[rows] -= granted - held
        self._spare -= granted - held
        self._spare_w -= (granted - held) * watts
        return granted
