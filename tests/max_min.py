"""Max-min fair shares by linear programs, one per level: slow, and right by definition."""

from __future__ import annotations

from typing import Any

import highspy
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def linear_program(cost: Array, entries: tuple[NDArray[Any], ...], most: Array, upper: Array) -> Array:
    """The x from 0 to ``upper`` with the least ``cost`` x and A x <= ``most``; ``entries``: row, column, value of A."""
    rows, columns, values = (part[np.argsort(entries[0], kind="stable")] for part in entries)
    solver: Any = highspy.Highs()  # type: ignore[no-untyped-call]  # the package has no types
    solver.setOptionValue("output_flag", False)
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = len(cost), len(most)
    model.col_cost_, model.col_lower_, model.col_upper_ = cost, np.zeros(len(cost)), upper
    model.row_lower_, model.row_upper_ = np.full(len(most), -highspy.kHighsInf), most
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = np.searchsorted(rows, np.arange(len(most) + 1)).astype(np.int32)
    model.a_matrix_.index_, model.a_matrix_.value_ = columns.astype(np.int32), values
    solver.passModel(model)
    solver.run()
    assert solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
    return np.array(solver.getSolution().col_value)


def max_min(matrix: Array, room: Array, caps: Array) -> Array:
    """Shares [station] under ``matrix`` x <= ``room`` [constraint] and caps: no share can rise but from a smaller one.

    The level of all that still rise is made as high as it can be; who cannot go above it then is done.
    """
    shares, rising = np.zeros(len(caps)), caps > 0
    while rising.any():
        level = _level(matrix, room, caps, shares, rising)
        shares[rising] = level
        free = room - matrix @ shares
        blocked = (matrix[free <= 1e-7] > 0).any(axis=0)
        rising &= ~blocked & (caps > level + 1e-7)
    return shares


def _level(matrix: Array, room: Array, caps: Array, shares: Array, rising: NDArray[np.bool_]) -> float:
    """The highest level that every share that rises can have at once, with the others as they are."""
    there = np.flatnonzero(rising)
    rows, columns = np.nonzero(matrix[:, there])
    each = np.arange(len(there))
    entries = (
        np.concatenate([rows, len(room) + each, len(room) + each]),
        np.concatenate([columns, each, np.full(len(there), len(there))]),
        np.concatenate([matrix[:, there][rows, columns], np.full(len(there), -1.0), np.ones(len(there))]),
    )
    fixed = matrix @ np.where(rising, 0.0, shares)
    most = np.concatenate([np.maximum(room - fixed, 0.0), np.zeros(len(there))])
    cost, upper = np.append(np.zeros(len(there)), -1.0), np.append(caps[there], caps.max())
    return float(linear_program(cost, entries, most, upper)[-1])
