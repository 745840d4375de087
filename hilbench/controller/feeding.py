"""How much each car gives back now, within what the site may feed in and what its feeders bear."""

from __future__ import annotations

import numpy as np

from hilbench.controller.allocate import Array, Tree

LEAST_A = 0.5
"""Less than this is not worth an order (policy)."""


def discharged(tree: Tree, wished_a: Array, able_a: Array, watts_per_a: Array, bounds_w: tuple[float, float]) -> Array:
    """Currents out of cars [station, A]: as wished, more where it is needed and they are able, never above what may be.

    ``bounds_w`` are what the site needs of them and what it may take. What is needed beyond the wishes comes from all
    in proportion to what they have left. A feeder bears in this direction what it bears in the other.
    """
    needed_w, may_w = bounds_w
    given = np.minimum(wished_a, able_a)
    missing_w = needed_w - float(given @ watts_per_a)
    left_w = float((able_a - given) @ watts_per_a)
    if missing_w > 0.0 and left_w > 0.0:
        given = given + (able_a - given) * min(missing_w / left_w, 1.0)
    total_w = float(given @ watts_per_a)
    share = min(1.0, may_w / total_w) if total_w > 0.0 else 0.0
    given = given * min(share, _bearable(tree, given))
    return np.where(given >= LEAST_A, given, 0.0)


def _bearable(tree: Tree, given: Array) -> float:
    """The share of ``given`` that every line of every node bears."""
    load = np.abs(tree.load(given))
    shares = np.divide(tree.limits, load, out=np.ones(len(load)), where=load > tree.limits)
    return float(shares.min(initial=1.0))
