"""The lines of a service may differ by so much only: the rule of the grid operator, or a neutral that bears no more.

In a split-phase service the neutral carries just the difference of its lines; in a three-phase one it carries at most
the difference of the greatest and the least, so that one limit keeps both.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hilbench.controller.allocate import Array, Mask, Tree

_TINY = 1e-6
_HALVINGS = 24


def balanced(
    tree: Tree, shares: Array, base_a: Array, most_a: float, order: Sequence[int], minimum_a: float | Array
) -> Array:
    """Shares [station] with which the lines of the service differ by no more than ``most_a``, where shares can do it.

    ``base_a`` [line] is the building. Stations in the fullest line that are not in the emptiest one are cut at one
    level; at ``minimum_a`` [for all, or station] the last one in ``order`` goes without. What the building does alone
    is left to it.
    """
    root = _service(tree)
    least: Array = np.broadcast_to(np.asarray(minimum_a, dtype=float), len(shares))
    found = shares.copy()
    for _ in range(len(shares) + len(root) ** 2):
        lines = _lines(tree, found, base_a, root)
        full, empty = int(lines.argmax()), int(lines.argmin())
        inside = _only_in(tree, int(root[full]), int(root[empty])) & (found > 0.0)
        if lines[full] - lines[empty] <= most_a + _TINY or not inside.any():
            return found
        cut = _cut(tree, found, inside, base_a, root, (full, empty), most_a, least)
        if cut is None:
            last = next(column for column in reversed(order) if inside[column])
            found[last] = 0.0
        else:
            found = cut
    return found


def paced(tree: Tree, held: Array, wished: Array, sure: Array, base_a: Array, most_a: float, even: Mask) -> Array:
    """How much of its raise from ``held`` to ``wished`` each station may have now [station, 0 to 1].

    Shares that are balanced are not reached at once: a line whose cars wait would fall behind. None goes further than
    ``most_a`` beyond what the emptiest line surely carries with ``sure`` [station, A]. Cars that are known to use all
    lines, those of ``even``, raise them together.
    """
    root = _service(tree)
    bound = float((np.abs(tree.load(sure))[root] + base_a).min()) + most_a - base_a
    wished = np.where(even, held, wished)
    now, then = (np.abs(tree.load(amps))[root] for amps in (held, wished))
    # a magnitude is convex: part of a raise adds no more than that part of what all of it adds
    room = np.clip((bound - now) / np.maximum(then - now, _TINY), 0.0, 1.0)
    part = np.ones(len(tree.keys))
    part[root] = np.where(then <= bound + _TINY, 1.0, room)
    found: Array = np.minimum.reduceat(part[tree.rows], tree.begins[:-1])
    return np.where(even, 1.0, found)


def _service(tree: Tree) -> NDArray[np.intp]:
    """The constraints of the lines of the service."""
    return np.array([row for row, (node, _line) in enumerate(tree.keys) if node == "service"])


def _lines(tree: Tree, shares: Array, base_a: Array, root: NDArray[np.intp]) -> Array:
    lines: Array = np.abs(tree.load(shares))[root] + base_a
    return lines


def _only_in(tree: Tree, row: int, other: int) -> NDArray[np.bool_]:
    """Stations that load constraint ``row`` and not ``other``."""
    found = np.zeros(len(tree.roles), dtype=bool)
    found[tree.columns[tree.rows == row]] = True
    found[tree.columns[tree.rows == other]] = False
    return found


def _cut(
    tree: Tree,
    shares: Array,
    inside: NDArray[np.bool_],
    base_a: Array,
    root: NDArray[np.intp],
    pair: tuple[int, int],
    most_a: float,
    least_a: Array,
) -> Array | None:
    """The shares with those ``inside`` at the highest level that keeps the pair together; None when none does."""

    def at(level: float) -> tuple[Array, bool]:
        trial = np.where(inside, np.minimum(shares, np.maximum(level, least_a)), shares)
        lines = _lines(tree, trial, base_a, root)
        return trial, bool(lines[pair[0]] - lines[pair[1]] <= most_a + _TINY)

    low, high = float(least_a[inside].min()), float(shares[inside].max())
    if not at(low)[1]:
        return None
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        low, high = (middle, high) if at(middle)[1] else (low, middle)
    return at(low)[0]
