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
_BITS: Index = np.array([1, 2, 4])
_TINY = 1e-9
_FIT = 1e-6
"""What the sums of many rounded phasors may be off [A]."""


@dataclass(frozen=True)
class Bundles:
    """Stations that load the same constraints alike: ``of`` [station] is the bundle of each.

    Each entry is one station of a bundle in one constraint: ``rows`` (constraint), ``columns`` (bundle) and ``units``
    (phasor per ampere); entries of bundle ``k`` stand from ``begins[k]`` to ``begins[k + 1]``.
    """

    of: Index
    rows: Index
    columns: Index
    units: Complex
    begins: Index

    def sums(self, amps: Array, count: int) -> Complex:
        """Phasor sums in ``count`` constraints of ``amps`` [bundle]."""
        return _sums(self.rows, self.units * amps[self.columns], count)

    def behind(self, constraints: Mask) -> Mask:
        """Bundles [bundle] that load at least one of ``constraints`` [constraint]."""
        found = np.zeros(len(self.begins) - 1, dtype=bool)
        found[self.columns[constraints[self.rows]]] = True
        return found


class Tree:
    """The constraints of ``site`` as a sparse matrix of phasors per ampere: constraint by station.

    ``keys`` are (node, line) and ``limits`` [A] theirs. Each entry is one station in one constraint: ``rows``,
    ``columns``, ``units``; entries of a station stand together, and those of one constraint and direction (all are
    multiples of 30 degrees) share one of ``kinds``. Sums go by ``bundles``, of which there are far fewer than stations.
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
        self.begins = _begins(self.columns, len(self.roles))
        self._top = np.flatnonzero(self.rows < len(site.lines))  # the service is the first node
        alike = {(branch.feeder, branch.lines): k for k, branch in enumerate(site.branches)}
        keys = [alike[branch.feeder, branch.lines] for branch in site.branches]
        self.bundles = self._bundled(np.array(keys, dtype=np.intp))

    def _bundled(self, keys: Index) -> Bundles:
        """Bundles of the stations whose ``keys`` [station] are the same."""
        one = np.full(keys.max(initial=-1) + 1, -1)
        one[keys] = np.arange(len(keys))
        of = (np.cumsum(one >= 0) - 1)[keys]
        entries = self.entries_of(one[one >= 0])
        columns = of[self.columns[entries]]
        return Bundles(of, self.rows[entries], columns, self.units[entries], _begins(columns, int((one >= 0).sum())))

    def rows_of(self, column: int) -> Index:
        """The constraints that station ``column`` loads."""
        return self.rows[self.begins[column] : self.begins[column + 1]]

    def entries_of(self, columns: Index) -> Index:
        """The entries of stations ``columns``, one station after the other."""
        return _entries(self.begins, columns)

    def narrowed(self, takes: Mask) -> Tree:
        """This tree with stations on those lines only that their cars use: ``takes`` [station, line]."""
        keep = takes[self.columns, self.rows % len(self._lines)]
        tree = copy.copy(self)
        tree.rows, tree.columns = self.rows[keep], self.columns[keep]
        tree.units, tree.kinds = self.units[keep], self.kinds[keep]
        tree.begins, tree._top = _begins(tree.columns, len(self.roles)), np.flatnonzero(tree.rows < len(self._lines))
        tree.bundles = tree._bundled(self.bundles.of * 2 ** len(self._lines) + takes @ _BITS[: len(self._lines)])
        return tree

    def weighted(self, weights: Array) -> Tree:
        """This tree per unit of weight [station] instead of per ampere."""
        tree = copy.copy(self)
        tree.units = self.units * weights[self.columns]
        tree.bundles = tree._bundled(np.arange(len(self.roles)))
        return tree

    def load(self, amps: Array) -> Complex:
        """Phasor sums [constraint] of ``amps`` [station], each added up in the order of stations."""
        return _sums(self.rows, self.units * amps[self.columns], len(self.keys))

    def service_load(self, amps: Array) -> Complex:
        """As ``load``, in the lines [line] of the service only."""
        top = self._top
        return _sums(self.rows[top], self.units[top] * amps[self.columns[top]], len(self._lines))

    def sums(self, amps: Array) -> Complex:
        """As ``load`` and much faster, for what does not mind the last digits."""
        drawn: Array = np.bincount(self.bundles.of, amps, len(self.bundles.begins) - 1).astype(np.float64, copy=False)
        return self.bundles.sums(drawn, len(self.keys))

    def behind(self, constraints: Mask) -> Mask:
        """Stations [station] that load at least one of ``constraints`` [constraint]."""
        return self.bundles.behind(constraints)[self.bundles.of]


def _begins(columns: Index, count: int) -> Index:
    """Where the entries of each of ``count`` columns begin, and at last where all end."""
    begins: Index = np.searchsorted(columns, np.arange(count + 1))
    return begins


def _entries(begins: Index, columns: Index) -> Index:
    """Places of all entries of ``columns``, one column after the other."""
    counts = begins[columns + 1] - begins[columns]
    ends = np.cumsum(counts)
    found: Index = np.repeat(begins[columns] - ends + counts, counts) + np.arange(counts.sum())
    return found


def _sums(rows: Index, drawn: Complex, count: int) -> Complex:
    """Phasor sums [constraint] of ``drawn`` [entry]."""
    total = np.empty(count, dtype=np.complex128)
    total.real = np.bincount(rows, drawn.real, count)
    total.imag = np.bincount(rows, drawn.imag, count)
    return total


def admit(tree: Tree, room: Array, order: Sequence[int] | Index, amps: float | Array) -> Mask:
    """Who can have ``amps`` [for all, or station] when served in ``order`` [station indices].

    One that does not fit is passed over.
    """
    each: Array = np.broadcast_to(np.asarray(amps, dtype=float), len(tree.roles))
    served: Index = np.asarray(order, dtype=np.intp)
    inside: Mask = np.zeros(len(tree.roles), dtype=bool)
    inside[served] = True
    tight = np.abs(tree.sums(np.where(inside, each, 0.0))) > room + _FIT
    if tight.any():
        _pass_over(tree, room, served, each, inside, tight)
    return inside


def _pass_over(tree: Tree, room: Array, order: Index, amps: Array, inside: Mask, tight: Mask) -> None:
    """Take out of ``inside`` who does not fit into the ``tight`` constraints, as if served one after the other.

    In few rounds: all that are still in are added up in their order. The first in a constraint that does not fit, with
    nobody in doubt before it, is out, and so are later ones of the same direction and size, since sums only grow.
    """
    count, directions = len(tree.roles), 12 * len(tree.keys)
    sizes, size = np.unique(amps, return_inverse=True)
    place = np.full(count, count)
    place[order] = np.arange(len(order))
    entries = _in_turn(tree, tree.entries_of(order[inside[order]]), tight)
    while len(entries):
        rows, columns = tree.rows[entries], tree.columns[entries]
        kind = tree.kinds[entries] + directions * size[columns]
        first = np.searchsorted(rows, np.arange(len(tree.keys)))[rows]
        over = np.abs(_running(tree.units[entries] * amps[columns], first)) > room[rows] + _FIT
        doubt = np.zeros(count, dtype=np.intp)
        doubt[columns[over]] = 1
        certain = over & (_running(doubt[columns], first) == 1)
        out = np.full(directions * len(sizes), count)
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
    rising = np.flatnonzero(caps > start + _TINY)
    if len(rising):
        amps[rising] = 0.0
        crowd, tops = _crowd(tree.bundles, rising, caps[rising])
        amps[rising] = _risen(crowd, tree.sums(amps), room, tops, float(start[rising].min()))[crowd.of]
    return amps


def _crowd(bundles: Bundles, rising: Index, caps: Array) -> tuple[Bundles, Array]:
    """The ``rising`` stations: those of a bundle with the same of ``caps`` [rising] as one; and the caps of these."""
    home = bundles.of[rising]
    rank = np.lexsort((caps, home))
    home, caps = home[rank], caps[rank]
    new = np.ones(len(rank) + 1, dtype=bool)
    new[1:-1] = (home[1:] != home[:-1]) | (caps[1:] != caps[:-1])
    of = np.empty(len(rank), dtype=np.intp)
    of[rank] = np.cumsum(new[:-1]) - 1
    first = np.flatnonzero(new)
    many, home, caps = first[1:] - first[:-1], home[first[:-1]], caps[first[:-1]]
    entries, counts = _entries(bundles.begins, home), bundles.begins[home + 1] - bundles.begins[home]
    units = bundles.units[entries] * np.repeat(many, counts)
    columns = np.repeat(np.arange(len(home)), counts)
    return Bundles(of, bundles.rows[entries], columns, units, np.concatenate([[0], np.cumsum(counts)])), caps


def _risen(crowd: Bundles, fixed: Complex, room: Array, caps: Array, start: float) -> Array:
    """Where ``crowd`` ends when it rises from ``start`` beside what is ``fixed`` [constraint]."""
    amps = caps.copy()
    rising = np.ones(len(caps), dtype=bool)
    while rising.any():
        level = _levels(crowd, fixed + crowd.sums(amps, len(room)), room, caps, rising, start)
        held = np.minimum.reduceat(level[crowd.rows], crowd.begins[:-1])
        short = (rising & (caps > held + _TINY))[crowd.columns]
        lowest = np.full(len(level), np.inf)
        np.minimum.at(lowest, crowd.rows[short], held[crowd.columns[short]])
        final = crowd.behind(np.isfinite(level) & (lowest >= level - _TINY))
        done = rising & (final | (caps <= held + _TINY))
        amps = np.where(done, np.minimum(held, caps), amps)
        rising &= ~done
    return amps


def _levels(crowd: Bundles, total: Complex, room: Array, caps: Array, rising: Mask, start: float) -> Array:
    """Level [constraint] at which each would be full if all of the ``crowd`` rose that is ``rising``; infinity: never.

    ``total`` is with these at their caps. Newton's method from below: a sum grows more slowly with every station that
    reaches its cap, so no step goes too far, and the last one has no cap in it.
    """
    count = len(room)
    goes = rising[crowd.columns] & (np.abs(total) > room)[crowd.rows]
    rows, units, bound = crowd.rows[goes], crowd.units[goes], caps[crowd.columns[goes]]
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


def allocate(
    tree: Tree, room: Array, caps: Array, order: Sequence[int], ranks: Ranks, minimum_a: float | Array
) -> Array:
    """Shares [station] in amperes: 0, or from ``minimum_a`` [for all, or station] to the cap.

    Caps below ``minimum_a`` leave a station out. ``order`` is who comes first when not all can have the minimum, and
    then what is guaranteed to them; among those that can, higher classes are filled before lower ones.
    """
    wanted = np.array(order, dtype=np.intp)
    least: Array = np.broadcast_to(np.asarray(minimum_a, dtype=float), len(caps))
    wanted = wanted[caps[wanted] >= least[wanted] - _TINY]
    admitted = admit(tree, room, wanted, least)
    amps = _guaranteed(tree, room, np.where(admitted, least, 0.0), np.minimum(ranks.guaranteed, caps), wanted)
    classes = np.unique(ranks.classes[admitted])[::-1]
    for rank in classes:
        inside = admitted & (ranks.classes == rank)
        if not inside.any():
            continue
        amps = _weighted(tree, room, amps, np.where(inside, caps, amps), ranks.weights)
        if rank != classes[-1]:
            full = np.abs(tree.sums(amps)) >= room - _FIT
            admitted &= ~tree.behind(full)
    return amps


def _guaranteed(tree: Tree, room: Array, amps: Array, wanted: Array, order: Index) -> Array:
    """Raise those towards what they are guaranteed as far as it fits, one after the other."""
    for column in order[(wanted[order] > amps[order]) & (amps[order] > 0.0)].tolist():
        rows = tree.rows_of(column)
        for part in (1.0, 0.75, 0.5, 0.25):
            trial = amps.copy()
            trial[column] += part * (wanted[column] - amps[column])
            if (np.abs(tree.sums(trial))[rows] <= room[rows] + _FIT).all():
                amps = trial
                break
    return amps


def raised(tree: Tree, room: Array, start: Array, caps: Array) -> Array:
    """As ``fill``, from starts that differ: those that are lower rise first."""
    return _weighted(tree, room, start, caps, np.ones(len(start)))


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
