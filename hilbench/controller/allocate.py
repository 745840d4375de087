"""Max-min fair shares over the tree: nobody gets more until all others have as much or cannot take it.

A constraint is one line conductor of one node: the magnitude of the phasor sum of the stations below it may not exceed
its room. All stations draw at unity power factor here; what they really draw is the meter's to say. For the loads of
:meth:`Site.unit_currents` the angle between two stations in one line is at most 60 degrees, so less current of one
never makes a sum larger: an allocation that is drawn in part is as safe as when drawn in full.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hilbench.site import Branch, Site

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]
Mask = NDArray[np.bool_]
Index = NDArray[np.intp]
_TINY = 1e-9
_FIT = 1e-6
"""What the sums of many rounded phasors may be off [A]."""


class Tree:
    """The constraints of ``site`` as a sparse matrix of phasors per ampere: constraint by station.

    ``keys`` are (node, line) and ``limits`` [A] theirs. Each entry is one station in one constraint: ``rows``,
    ``columns``, ``units``; entries of a station stand together, and those of one constraint and direction (all are
    multiples of 30 degrees) share one of ``kinds``.
    """

    def __init__(self, site: Site) -> None:
        self.roles = [branch.role for branch in site.branches]
        self.keys = [(node.id, line) for node in site.nodes for line in site.lines]
        self.limits: Array = np.array([node.limit_a for node in site.nodes for _line in site.lines])
        index = {key: row for row, key in enumerate(self.keys)}
        paths = {node.id: tuple(site.path(node.id)) for node in site.nodes}
        flat = [
            (index[node, line], column, unit)
            for column, branch in enumerate(site.branches)
            for line, unit in site.unit_currents(branch).items()
            for node in paths[branch.feeder]
        ]
        self.rows: Index = np.array([row for row, _column, _unit in flat], dtype=np.intp)
        self.columns: Index = np.array([column for _row, column, _unit in flat], dtype=np.intp)
        self.units: Complex = np.array([unit for _row, _column, unit in flat], dtype=np.complex128)
        self.kinds: Index = self.rows * 12 + np.round(np.angle(self.units) * 6.0 / np.pi).astype(np.intp) % 12
        self._lines = site.lines
        self.begins = self._find_begins()

    def _find_begins(self) -> Index:
        begins: Index = np.searchsorted(self.columns, np.arange(len(self.roles) + 1))
        return begins

    def rows_of(self, column: int) -> Index:
        """The constraints that station ``column`` loads."""
        return self.rows[self.begins[column] : self.begins[column + 1]]

    def entries_of(self, columns: Index) -> Index:
        """The entries of stations ``columns``, one station after the other."""
        begins, counts = self.begins[columns], self.begins[columns + 1] - self.begins[columns]
        ends = np.cumsum(counts)
        found: Index = np.repeat(begins - ends + counts, counts) + np.arange(counts.sum())
        return found

    def narrowed(self, takes: Mask) -> Tree:
        """This tree with stations on those lines only that their cars use: ``takes`` [station, line]."""
        keep = takes[self.columns, self.rows % len(self._lines)]
        tree = copy.copy(self)
        tree.rows, tree.columns = self.rows[keep], self.columns[keep]
        tree.units, tree.kinds = self.units[keep], self.kinds[keep]
        tree.begins = tree._find_begins()
        return tree

    def weighted(self, weights: Array) -> Tree:
        """This tree per unit of weight [station] instead of per ampere."""
        tree = copy.copy(self)
        tree.units = self.units * weights[self.columns]
        return tree

    def load(self, amps: Array) -> Complex:
        """Phasor sums [constraint] of ``amps`` [station]."""
        return _sums(self.rows, self.units * amps[self.columns], len(self.keys))

    def behind(self, constraints: Mask) -> Mask:
        """Stations [station] that load at least one of ``constraints`` [constraint]."""
        found = np.zeros(len(self.roles), dtype=bool)
        found[self.columns[constraints[self.rows]]] = True
        return found


def _sums(rows: Index, drawn: Complex, count: int) -> Complex:
    """Phasor sums [constraint] of ``drawn`` [entry]."""
    total = np.empty(count, dtype=np.complex128)
    total.real = np.bincount(rows, drawn.real, count)
    total.imag = np.bincount(rows, drawn.imag, count)
    return total


def admit(tree: Tree, room: Array, order: Sequence[int] | Index, amps: float) -> Mask:
    """Who can have ``amps`` when served in ``order`` [station indices]; one that does not fit is passed over."""
    served: Index = np.asarray(order, dtype=np.intp)
    inside: Mask = np.zeros(len(tree.roles), dtype=bool)
    inside[served] = True
    tight = np.abs(tree.load(np.where(inside, amps, 0.0))) > room + _FIT
    if tight.any():
        _pass_over(tree, room, served, amps, inside, tight)
    return inside


def _pass_over(tree: Tree, room: Array, order: Index, amps: float, inside: Mask, tight: Mask) -> None:
    """Take out of ``inside`` who does not fit into the ``tight`` constraints, as if served one after the other.

    In few rounds: all that are still in are added up in their order. The first in a constraint that does not fit, with
    nobody in doubt before it, is out, and so are later ones of the same direction, since sums only grow.
    """
    count = len(tree.roles)
    place = np.full(count, count)
    place[order] = np.arange(len(order))
    entries = _in_turn(tree, tree.entries_of(order[inside[order]]), tight)
    while len(entries):
        rows, columns, kind = tree.rows[entries], tree.columns[entries], tree.kinds[entries]
        first = np.searchsorted(rows, np.arange(len(tree.keys)))[rows]
        over = np.abs(_running(tree.units[entries] * amps, first)) > room[rows] + _FIT
        doubt = np.zeros(count, dtype=np.intp)
        doubt[columns[over]] = 1
        certain = over & (_running(doubt[columns], first) == 1)
        out = np.full(12 * len(tree.keys), count)
        np.minimum.at(out, kind[certain], place[columns[certain]])
        inside[columns[place[columns] >= out[kind]]] = False
        full = np.zeros(len(tree.keys), dtype=bool)
        full[rows[over]] = True
        entries = entries[full[rows] & inside[columns]]  # what is not too full now will not be


def _in_turn(tree: Tree, entries: Index, tight: Mask) -> Index:
    """Those of ``entries`` in ``tight`` constraints, constraint by constraint, each in the order given."""
    entries = entries[tight[tree.rows[entries]]]
    narrow = np.uint16 if len(tree.keys) < 2**16 else np.intp  # 16 bits are sorted in one pass
    found: Index = entries[np.argsort(tree.rows[entries].astype(narrow), kind="stable")]
    return found


def _running(values: NDArray[Any], first: Index) -> NDArray[Any]:
    """Sums up to and with each entry, from the ``first`` entry of its constraint on."""
    total: NDArray[Any] = np.cumsum(values)
    within: NDArray[Any] = total - (total - values)[first]
    return within


def fill(tree: Tree, room: Array, start: Array, caps: Array) -> Array:
    """Raise all stations whose cap is above ``start``, together, until each is at its cap or behind a full constraint.

    Those that rise start from one level. A constraint's level is final when none of its stations is held lower by
    another constraint; many are final in one round.
    """
    amps = start.copy()
    rising: Mask = caps > start + _TINY
    begins = tree.begins[:-1]
    while rising.any():
        level = _levels(tree, room, np.where(rising, caps, amps), rising, float(start[rising].min()))
        held = np.minimum.reduceat(level[tree.rows], begins)
        short = (rising & (caps > held + _TINY))[tree.columns]
        lowest = np.full(len(level), np.inf)
        np.minimum.at(lowest, tree.rows[short], held[tree.columns[short]])
        final = tree.behind(np.isfinite(level) & (lowest >= level - _TINY))
        done = rising & (final | (caps <= held + _TINY))
        amps = np.where(done, np.minimum(held, caps), amps)
        rising &= ~done
    return amps


def _levels(tree: Tree, room: Array, caps: Array, rising: Mask, start: float) -> Array:
    """Level [constraint] at which each would be full if all ``rising`` stations rose; infinity for never.

    The others stand at ``caps``. Newton's method from below: a sum grows more slowly with every station that reaches
    its cap, so no step goes too far, and the last one has no cap in it.
    """
    count = len(tree.keys)
    total = tree.load(caps)
    goes = (rising[tree.columns]) & (np.abs(total) > room)[tree.rows]
    rows, units, bound = tree.rows[goes], tree.units[goes], caps[tree.columns[goes]]
    level = np.where(np.bincount(rows, minlength=count) > 0, start, np.inf)
    while True:
        slope, gone = _sums(rows, units, count), _sums(rows, units * bound, count)
        level = np.maximum(_reach(total - gone, slope, room), level)
        moving = bound > level[rows]
        if moving.all():
            return level
        rows, units, bound = rows[moving], units[moving], bound[moving]


def _reach(fixed: Complex, slope: Complex, room: Array) -> Array:
    """Largest level x with |fixed + slope x| <= room, for every constraint; infinity where slope is 0."""
    a = slope.real**2 + slope.imag**2
    b = fixed.real * slope.real + fixed.imag * slope.imag
    c = fixed.real**2 + fixed.imag**2 - np.maximum(room, 0.0) ** 2
    inside = b * b - a * c
    level = np.divide(-b + np.sqrt(np.maximum(inside, 0.0)), a, out=np.full_like(a, np.inf), where=a > _TINY)
    return np.where((a > _TINY) & (inside < 0), 0.0, level)


@dataclass(frozen=True)
class Ranks:
    """What tells stations apart [station]: ``classes``, ``weights`` within a class, and what is ``guaranteed`` [A]."""

    classes: Array
    weights: Array
    guaranteed: Array

    @classmethod
    def of(cls, branches: Sequence[Branch]) -> Ranks:
        """As the site says."""
        columns = [(float(one.priority), one.weight, one.guaranteed_a) for one in branches]
        return cls(*np.array(columns, dtype=float).reshape(-1, 3).T.copy())


def allocate(tree: Tree, room: Array, caps: Array, order: Sequence[int], ranks: Ranks, minimum_a: float) -> Array:
    """Shares [station] in amperes: 0, or from ``minimum_a`` to the cap.

    Caps below ``minimum_a`` leave a station out. ``order`` is who comes first when not all can have the minimum, and
    then what is guaranteed to them; among those that can, higher classes are filled before lower ones.
    """
    wanted = np.array(order, dtype=np.intp)
    wanted = wanted[caps[wanted] >= minimum_a - _TINY]
    admitted = admit(tree, room, wanted, minimum_a)
    amps = _guaranteed(tree, room, np.where(admitted, minimum_a, 0.0), np.minimum(ranks.guaranteed, caps), wanted)
    classes = np.unique(ranks.classes[admitted])[::-1]
    for rank in classes:
        inside = admitted & (ranks.classes == rank)
        if not inside.any():
            continue
        amps = _weighted(tree, room, amps, np.where(inside, caps, amps), ranks.weights)
        if rank != classes[-1]:
            full = np.abs(tree.load(amps)) >= room - _FIT
            admitted &= ~tree.behind(full)
    return amps


def _guaranteed(tree: Tree, room: Array, amps: Array, wanted: Array, order: Index) -> Array:
    """Raise those towards what they are guaranteed as far as it fits, one after the other."""
    for column in order[(wanted[order] > amps[order]) & (amps[order] > 0.0)].tolist():
        rows = tree.rows_of(column)
        for part in (1.0, 0.75, 0.5, 0.25):
            trial = amps.copy()
            trial[column] += part * (wanted[column] - amps[column])
            if (np.abs(tree.load(trial))[rows] <= room[rows] + _FIT).all():
                amps = trial
                break
    return amps


def _weighted(tree: Tree, room: Array, start: Array, caps: Array, weights: Array) -> Array:
    """As ``fill``, with amperes in proportion to ``weights`` as far as nobody falls below its ``start``.

    Per unit of weight all rise together; one whose start is higher joins when the others have come up to it.
    """
    amps = start.copy()
    rising = caps > start + _TINY
    if not rising.any():
        return amps
    if (start[rising] == start[rising][0]).all() and (weights[rising] == weights[rising][0]).all():
        return fill(tree, room, start, caps)
    scaled = tree.weighted(weights)
    level, most = start / weights, caps / weights
    steps = np.unique(level[rising])
    for low, high in zip(steps, [*steps[1:], np.inf], strict=True):
        joined = rising & (level <= low + _TINY) & (amps / weights >= low - _TINY)
        amps = weights * fill(scaled, room, amps / weights, np.where(joined, np.minimum(most, high), amps / weights))
    return np.where(rising, np.clip(amps, start, caps), start)
