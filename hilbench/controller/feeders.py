"""What feeders carry beside their stations: as their meters show, or as the site declares it. Pure.

A feeder counts here when the site says that it feeds more than stations. Where it has a meter that is trusted, its load
is estimated as that of the building is; without one, or until it is trusted again, the declared worst is kept free.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from hilbench.controller.allocate import Array
from hilbench.controller.building import BuildingEstimate
from hilbench.controller.power import signed_currents
from hilbench.controller.settings import ControllerSettings
from hilbench.controller.watch import MeterSample, MeterWatch
from hilbench.site import Node, Site

Drawn = tuple[Sequence[float], Sequence[float]]
"""The least and the most that stations draw in each line [A]."""


class FeederLoad:
    """The load of one feeder beside its stations; ``rows`` are its constraints, line by line."""

    def __init__(self, site: Site, node: Node, rows: Sequence[int], settings: ControllerSettings) -> None:
        self.rows = list(rows)
        self.watch = MeterWatch(settings, node.rating_a)
        self._lines, self._rating_a, self._exports = site.lines, node.rating_a, settings.exports
        self._worst: Array = np.full(len(site.lines), site.base_a(node.id))
        self._estimate = BuildingEstimate(len(site.lines), settings.hold)
        self._trusted, self._urgent = False, False

    def see(self, sample: MeterSample, drawn: Drawn) -> None:
        """A new answer of the feeder's meter, and what the stations below it draw."""
        if self.watch.see(sample, dict(zip(self._lines, drawn[0], strict=True))):
            measured = signed_currents(sample, self._lines, self._exports)
            self._urgent = max(measured) > self._rating_a
            self._estimate.update(sample.t, measured, drawn)

    def check(self, t: float) -> None:
        """Work out whether the meter is to be believed at ``t``."""
        self._trusted = self.watch.trusted(t)

    @property
    def metered(self) -> bool:
        """True while the load is what a meter shows, not what is declared."""
        return self._trusted

    def confirmed(self) -> Array:
        """The load [line] as two samples agree on."""
        return self._estimate.confirmed(self._urgent) if self._trusted else self._worst

    def highest(self) -> Array:
        """The most [line] that headroom must be there beside."""
        return self._estimate.highest() if self._trusted else self._worst


class FeederLoads:
    """All feeders that feed more than stations, by their node; ``keys`` are the constraints (node, line)."""

    def __init__(self, site: Site, settings: ControllerSettings, keys: Sequence[tuple[str, str]]) -> None:
        self._count = len(keys)
        self.loads: Mapping[str, FeederLoad] = {
            node.id: FeederLoad(site, node, [row for row, (at, _line) in enumerate(keys) if at == node.id], settings)
            for node in site.nodes[1:]
            if site.base_a(node.id) > 0.0
        }

    def check(self, t: float) -> None:
        """Work out which meters are to be believed at ``t``."""
        for load in self.loads.values():
            load.check(t)

    def confirmed(self) -> Array | None:
        """What two samples agree on [constraint]; None where no feeder feeds more than stations."""
        return self._by_constraint({node: load.confirmed() for node, load in self.loads.items()})

    def highest(self) -> Array | None:
        """The most that headroom must be there beside [constraint]; None as above."""
        return self._by_constraint({node: load.highest() for node, load in self.loads.items()})

    def most_a(self, node: str) -> float:
        """The most [A] in any line of a node that headroom must be there beside."""
        return float(self.loads[node].highest().max()) if node in self.loads else 0.0

    def doubts(self) -> dict[str, str]:
        """Why the meter of a feeder is not believed, by node; those that have none, or a good one, are left out."""
        return {
            node: load.watch.reason or "it recovers"
            for node, load in self.loads.items()
            if not load.metered and load.watch.answered
        }

    def _by_constraint(self, found: Mapping[str, Array]) -> Array | None:
        if not found:
            return None
        whole = np.zeros(self._count)
        for node, amps in found.items():
            whole[self.loads[node].rows] = amps
        return whole
