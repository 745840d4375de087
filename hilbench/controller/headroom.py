"""What raises may still take, so that all of one decision together fit beside what may be drawn meanwhile."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from hilbench.controller.allocate import Array, Mask, Tree

SLACK_A = 1e-3
"""More than all the rounding of one decision may come to [A]."""


class Headroom:
    """``free`` beside what all may draw now [constraint], ``spare`` [A] in flight, and ``spare_w`` of power.

    ``watts`` is the power per ampere of each station.
    """

    def __init__(self, tree: Tree, free: Array, spare: float, spare_w: float, watts: Array) -> None:
        self._tree, self._spare, self._spare_w = tree, spare, spare_w
        self._free, self._watts = free, watts

    def may_suffice(self, columns: Sequence[int], held: Array, worth: Array) -> Mask:
        """False for stations ``columns`` that surely get no more than ``held``, whoever else is raised before."""
        tree = self._tree
        lines: Array = np.minimum.reduceat(self._free[tree.rows], tree.begins[:-1])[columns]
        room = np.minimum(np.minimum(lines, self._spare), self._spare_w / self._watts[columns])
        found: Mask = held + room >= worth - SLACK_A
        return found

    def raised(self, column: int, held: float, wish: float, worth: float) -> float:
        """Where station ``column`` may go from ``held`` towards ``wish``: at least to ``worth``, or not at all."""
        watts = float(self._watts[column])
        room = min(self._spare, self._spare_w / watts)
        if _whole_tenths(held + room) < worth - 1e-9:  # most are turned down here, without a look at their lines
            return held
        rows = self._tree.rows_of(column)
        granted = min(wish, _whole_tenths(held + min(room, float(self._free[rows].min()))))
        if granted < worth - 1e-9:
            return held
        self._free[rows] -= granted - held
        self._spare -= granted - held
        self._spare_w -= (granted - held) * watts
        return granted


def _whole_tenths(amps: float) -> float:
    return math.floor(amps * 10.0 + 1e-6) / 10.0
