"""What raises may still take, so that all of one decision together fit beside what may be drawn meanwhile."""

from __future__ import annotations

import math

from hilbench.controller.allocate import Array, Tree


class Headroom:
    """``free`` beside what all may draw now [constraint], ``spare`` [A] in flight, and ``spare_w`` of power.

    ``watts`` is the power per ampere of each station.
    """

    def __init__(self, tree: Tree, free: Array, spare: float, spare_w: float, watts: Array) -> None:
        self._tree, self._spare, self._spare_w = tree, spare, spare_w
        self._free: list[float] = free.tolist()
        self._watts: list[float] = watts.tolist()

    def raised(self, column: int, held: float, wish: float, least: float) -> float:
        """Where station ``column`` may go from ``held`` towards ``wish``: at least to ``least``, or not at all."""
        watts, worth = self._watts[column], min(least, wish) - 1e-9
        room = min(self._spare, self._spare_w / watts)
        if _whole_tenths(held + room) < worth:  # most are turned down here, without a look at their lines
            return held
        rows: list[int] = self._tree.rows_of(column).tolist()
        granted = min(wish, _whole_tenths(held + min(room, *[self._free[row] for row in rows])))
        if granted < worth:
            return held
        for row in rows:
            self._free[row] -= granted - held
        self._spare -= granted - held
        self._spare_w -= (granted - held) * watts
        return granted


def _whole_tenths(amps: float) -> float:
    return math.floor(amps * 10.0 + 1e-6) / 10.0
