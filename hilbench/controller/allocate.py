"""Max-min fair shares over the tree: nobody gets more until all others have as much or cannot take it.

A constraint is one line conductor of one node: the magnitude of the phasor sum of the stations below it may not exceed
its room. All stations draw at unity power factor here; what they really draw is the meter's to say. For the loads of
:meth:`Site.unit_currents` the angle between two stations in one line is at most 60 degrees, so less current of one
never makes a sum larger: an allocation that is drawn in part is as safe as when drawn in full.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from hilbench.site import Site

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]
Mask = NDArray[np.bool_]
_TINY = 1e-9


class Tree:
    """The constraints of ``site`` as a sparse matrix of phasors per ampere: constraint by station.

    ``keys`` are (node, line) and ``limits`` [A] theirs; ``used`` narrows a station to the lines that its car uses.
    """

    def __init__(self, site: Site, used: Mapping[str, Sequence[str]] | None = None) -> None:
        self.roles = [branch.role for branch in site.branches]
        self.keys = [(node.id, line) for node in site.nodes for line in site.lines]
        self.limits: Array = np.array([node.limit_a for node in site.nodes for _line in site.lines])
        index = {key: row for row, key in enumerate(self.keys)}
        paths = {node.id: tuple(site.path(node.id)) for node in site.nodes}
        self.entries: list[list[tuple[int, complex]]] = []
        for branch in site.branches:
            units = site.unit_currents(branch)
            lines = (used or {}).get(branch.role, tuple(units))
            self.entries.append([(index[node, line], units[line]) for line in lines for node in paths[branch.feeder]])
        flat = [(row, column, unit) for column, own in enumerate(self.entries) for row, unit in own]
        self._rows = np.array([row for row, _column, _unit in flat], dtype=np.intp)
        self._columns = np.array([column for _row, column, _unit in flat], dtype=np.intp)
        units_flat: Complex = np.array([unit for _row, _column, unit in flat], dtype=np.complex128)
        self._real, self._imag = units_flat.real.copy(), units_flat.imag.copy()

    def load(self, amps: Array) -> Complex:
        """Phasor sums [constraint] of ``amps`` [station]."""
        drawn = amps[self._columns]
        count = len(self.keys)
        real = np.bincount(self._rows, self._real * drawn, count)
        imag = np.bincount(self._rows, self._imag * drawn, count)
        total: Complex = real + 1j * imag
        return total

    def behind(self, constraints: Mask) -> Mask:
        """Stations [station] that load at least one of ``constraints`` [constraint]."""
        found = np.zeros(len(self.roles), dtype=bool)
        found[self._columns[constraints[self._rows]]] = True
        return found


def admit(tree: Tree, room: Array, order: Iterable[int], amps: float) -> Mask:
    """Who can have ``amps`` when served in ``order`` [station indices]; one that does not fit is passed over."""
    admitted = np.zeros(len(tree.roles), dtype=bool)
    load = [0j] * len(tree.keys)
    bound = [value + _TINY for value in room.tolist()]
    for column in order:
        new = [(row, load[row] + unit * amps) for row, unit in tree.entries[column]]
        if all(abs(value) <= bound[row] for row, value in new):
            admitted[column] = True
            for row, value in new:
                load[row] = value
    return admitted


def fill(tree: Tree, room: Array, floor: Array, caps: Array) -> Array:
    """Raise all stations together from ``floor`` until each is at its cap or behind a full constraint; amperes."""
    amps = floor.copy()
    rising = caps > floor + _TINY
    while rising.any():
        now = float(amps[rising].min())
        lowest = rising & (amps <= now + _TINY)
        waiting = amps[rising & ~lowest]
        ceiling = min(float(caps[lowest].min()), float(waiting.min()) if len(waiting) else np.inf)
        reach = _reach(tree.load(np.where(lowest, 0.0, amps)), tree.load(lowest.astype(np.float64)), room)
        level = max(min(ceiling, float(reach.min())), now)
        amps[lowest] = level
        stuck = tree.behind(reach <= level + _TINY) | (amps >= caps - _TINY)
        rising &= ~(lowest & stuck)
    return amps


def _reach(fixed: Complex, slope: Complex, room: Array) -> Array:
    """Largest level x with |fixed + slope x| <= room, for every constraint; infinity where slope is 0."""
    a = slope.real**2 + slope.imag**2
    b = fixed.real * slope.real + fixed.imag * slope.imag
    c = fixed.real**2 + fixed.imag**2 - np.maximum(room, 0.0) ** 2
    inside = b * b - a * c
    level = np.divide(-b + np.sqrt(np.maximum(inside, 0.0)), a, out=np.full_like(a, np.inf), where=a > _TINY)
    return np.where((a > _TINY) & (inside < 0), 0.0, level)


def allocate(tree: Tree, room: Array, caps: Array, order: Sequence[int], classes: Array, minimum_a: float) -> Array:
    """Shares [station] in amperes: 0, or from ``minimum_a`` to the cap.

    Caps below ``minimum_a`` leave a station out. ``order`` is who comes first when not all can have the minimum;
    among those that can, higher ``classes`` are filled before lower ones.
    """
    wanted = [column for column in order if caps[column] >= minimum_a - _TINY]
    admitted = admit(tree, room, wanted, minimum_a)
    amps = np.where(admitted, minimum_a, 0.0)
    for rank in np.unique(classes[admitted])[::-1]:
        amps = fill(tree, room, amps, np.where(admitted & (classes == rank), caps, amps))
    return amps
