"""The currents of all cars as arrays, in closed form between events: no time steps, one evaluation for any time.

Each car's current is a straight ramp from ``i0`` at ``t0`` to ``target`` with ``rate``, or, once its battery limits
it, an exponential decline with ``tau``; a negative current is one that the car gives. Line currents are phasor sums:
per-car phasors per ampere (``units``) turned by the power factor, summed per feeder and then up the tree.
"""

from __future__ import annotations

import math
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
        self._still_from: float | None = None
        self._still: tuple[Array, Array, Complex] | None = None

    def set_units(self, row: int, units: dict[int, complex], capacitive: bool) -> None:
        """Line phasors per ampere of the car at ``row`` (keys are line indices)."""
        self._moved()
        self.units[row] = 0.0
        for line, unit in units.items():
            self.units[row, line] = unit
        self.sign[row] = 1.0 if capacitive else -1.0

    def ramp(self, row: int, t: float, target_a: float, rate: float, pf: tuple[float, float]) -> None:
        """From now on ramp ``row`` to ``target_a`` with ``rate`` [A/s]; ``pf`` at the start and at the target."""
        self._moved()
        self.i0[row] = self.current(row, t)
        self.t0[row], self.target[row], self.rate[row] = t, target_a, rate
        self.tau[row] = np.inf
        self.pf0[row], self.pf1[row] = pf

    def decline(self, row: int, t: float, tau_s: float) -> None:
        """From now on let the current of ``row`` decline exponentially with ``tau_s``."""
        self._moved()
        now = self.current(row, t)
        self.pf0[row] = self.pf1[row]
        self.i0[row] = self.target[row] = now
        self.t0[row], self.tau[row] = t, tau_s

    def current(self, row: int, t: float) -> float:
        """Current [A per phase] of one car."""
        return self.draw(row, t)[0]

    def draw(self, row: int, t: float) -> tuple[float, float]:
        """Current [A per phase] and power factor of one car."""
        start, end, dt = float(self.i0[row]), float(self.target[row]), t - float(self.t0[row])
        size = abs(end - start)
        done = min(dt * float(self.rate[row]), size)
        amps = (start + math.copysign(done, end - start)) * math.exp(-dt / float(self.tau[row]))
        share = done / size if size > 0 else 1.0
        first = float(self.pf0[row])
        return amps, first + (float(self.pf1[row]) - first) * share

    def ramp_end(self, row: int) -> float:
        """Time at which the ramp of ``row`` ends."""
        return float(self.t0[row] + abs(self.target[row] - self.i0[row]) / self.rate[row])

    def zero_crossing(self, row: int) -> float:
        """Time at which the ramp of ``row`` passes through 0 A, where it does."""
        return float(self.t0[row] + abs(self.i0[row]) / self.rate[row])

    def interrupt(self, row: int, t: float) -> None:
        """The current of ``row`` is 0 from now on, at once."""
        self.ramp(row, t, 0.0, 1e9, (1.0, 1.0))
        self.i0[row] = 0.0

    def at(self, t: float, base: Complex | None = None) -> Snapshot:
        """Everything at ``t``; ``base`` is what flows beside the cars in the first nodes [node, line]."""
        if t < self._still_since():
            amps, factor = self._draws(t)
            nodes = self._sums(amps, factor)
        else:
            if self._still is None:
                amps, factor = self._draws(t)
                self._still = amps, factor, self._sums(amps, factor)
            amps, factor, nodes = self._still
        if base is not None:
            nodes = nodes.copy()
            nodes[: len(base)] += base
        return Snapshot(t, amps, factor, nodes)

    def _moved(self) -> None:
        self._still_from = self._still = None

    def watts(self, start: float, stop: float, scale: Array) -> Array:
        """Mean power [W] of every car between two times; ``scale`` [station] is the voltage of a car's phases in all.

        Simpson's rule: exact for ramps, 1e-8 for a tenth of a taper's time constant.
        """
        if start >= self._still_since():
            amps, factor = self._draws(stop)
            return amps * factor * scale
        parts = [amps * factor for amps, factor in map(self._draws, (start, (start + stop) / 2.0, stop))]
        mean: Array = (parts[0] + 4.0 * parts[1] + parts[2]) / 6.0 * scale
        return mean

    def _still_since(self) -> float:
        """Time from which no car changes its current, so that one evaluation serves for all; infinity in a taper."""
        if self._still_from is None:
            ends = self.t0 + np.abs(self.target - self.i0) / self.rate
            self._still_from = float(ends.max()) if np.isinf(self.tau).all() else math.inf
        return self._still_from

    def _draws(self, t: float) -> tuple[Array, Array]:
        """Currents [A per phase] and power factors of all cars."""
        dt = t - self.t0
        step = self.target - self.i0
        size = np.abs(step)
        done = np.minimum(dt * self.rate, size)
        amps = (self.i0 + np.copysign(done, step)) * np.exp(-dt / self.tau)
        share = np.divide(done, size, out=np.ones(len(size)), where=size > 0)
        return amps, self.pf0 + (self.pf1 - self.pf0) * share

    def _sums(self, amps: Array, factor: Array) -> Complex:
        """Phasor sums of the cars [node, line]."""
        turned = amps * (factor + 1j * self.sign * np.sqrt(np.maximum(1.0 - factor * factor, 0.0)))
        lines = turned[:, np.newaxis] * self.units
        sums: Complex = self._tree @ np.add.reduceat(lines[self._order], self._starts, axis=0)
        return sums


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
