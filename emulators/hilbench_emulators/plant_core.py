"""The currents of all cars as arrays, in closed form between events: no time steps, one evaluation for any time.

Each car's current is a straight ramp from ``i0`` at ``t0`` to ``target`` with ``rate``, or, once its battery limits
it, an exponential decline with ``tau``. Line currents are phasor sums: per-car phasors per ampere (``units``) turned by
the power factor, summed per feeder and then up the tree.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hilbench.site import Site

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]


@dataclass(frozen=True)
class Snapshot:
    """All currents at one time: ``amps`` [stations] per phase, ``factor`` (power factor), ``nodes`` [node, line]."""

    t: float
    amps: Array
    factor: Array
    nodes: Complex


class PlantCore:
    """Currents of the cars of ``site``: a row per station as in ``site.branches``, nodes as in ``site.nodes``."""

    def __init__(self, site: Site) -> None:
        count, lines = len(site.branches), len(site.lines)
        self.t0 = np.zeros(count)
        self.i0 = np.zeros(count)
        self.target = np.zeros(count)
        self.rate = np.ones(count)
        self.tau = np.full(count, np.inf)
        self.pf0 = np.ones(count)
        self.pf1 = np.ones(count)
        self.sign = np.zeros(count)
        self.units: Complex = np.zeros((count, lines), dtype=np.complex128)
        self._order, self._starts, self._tree = _tree(site)

    def set_units(self, row: int, units: dict[int, complex], capacitive: bool) -> None:
        """Line phasors per ampere of the car at ``row`` (keys are line indices)."""
        self.units[row] = 0.0
        for line, unit in units.items():
            self.units[row, line] = unit
        self.sign[row] = 1.0 if capacitive else -1.0

    def ramp(self, row: int, t: float, target_a: float, rate: float, pf: tuple[float, float]) -> None:
        """From now on ramp ``row`` to ``target_a`` with ``rate`` [A/s]; ``pf`` at the start and at the target."""
        self.i0[row] = self.current(row, t)
        self.t0[row], self.target[row], self.rate[row] = t, target_a, rate
        self.tau[row] = np.inf
        self.pf0[row], self.pf1[row] = pf

    def decline(self, row: int, t: float, tau_s: float) -> None:
        """From now on let the current of ``row`` decline exponentially with ``tau_s``."""
        now = self.current(row, t)
        self.pf0[row] = self.pf1[row]
        self.i0[row] = self.target[row] = now
        self.t0[row], self.tau[row] = t, tau_s

    def current(self, row: int, t: float) -> float:
        """Current [A per phase] of one car."""
        dt = t - self.t0[row]
        step = self.target[row] - self.i0[row]
        done = min(dt * self.rate[row], abs(step))
        return float((self.i0[row] + np.copysign(done, step)) * np.exp(-dt / self.tau[row]))

    def ramp_end(self, row: int) -> float:
        """Time at which the ramp of ``row`` ends."""
        return float(self.t0[row] + abs(self.target[row] - self.i0[row]) / self.rate[row])

    def at(self, t: float, base: Complex | None = None) -> Snapshot:
        """Everything at ``t``; ``base`` is the building's line phasors at the service."""
        dt = t - self.t0
        step = self.target - self.i0
        size = np.abs(step)
        done = np.minimum(dt * self.rate, size)
        amps = (self.i0 + np.copysign(done, step)) * np.exp(-dt / self.tau)
        share = np.divide(done, size, out=np.ones_like(size), where=size > 0)
        factor = self.pf0 + (self.pf1 - self.pf0) * share
        turned = amps * (factor + 1j * self.sign * np.sqrt(np.maximum(1.0 - factor * factor, 0.0)))
        lines = turned[:, np.newaxis] * self.units
        nodes: Complex = self._tree @ np.add.reduceat(lines[self._order], self._starts, axis=0)
        if base is not None:
            nodes[0] += base
        return Snapshot(t, amps, factor, nodes)


def _tree(site: Site) -> tuple[NDArray[np.intp], NDArray[np.intp], Complex]:
    """Station rows sorted by feeder, the first row of each feeder, and which feeder counts in which node."""
    ids = [node.id for node in site.nodes]
    feeder = np.array([ids.index(branch.feeder) for branch in site.branches])
    order = np.argsort(feeder, kind="stable")
    used, starts = np.unique(feeder[order], return_index=True)
    below = np.zeros((len(ids), len(used)), dtype=np.complex128)
    for column, index in enumerate(used):
        for node in site.path(ids[index]):
            below[ids.index(node), column] = 1.0
    return order, starts, below
