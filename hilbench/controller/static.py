"""Static sharing: the budget less the building's worst load, divided evenly among the stations with a car.

Nothing is measured, so what a car does not take, or the building does not draw, is wasted. It is the simplest load
management that is sold, and what the dynamic one has to be better than.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from hilbench.controller.allocate import Array, Index, Tree, admit, raised
from hilbench.controller.core import Core
from hilbench.controller.dc_readings import DcReport
from hilbench.controller.settings import ControllerSettings
from hilbench.controller.stations import PLUGGED, StationState
from hilbench.controller.watch import MeterSample
from hilbench.site import Site


class StaticCore(Core):
    """The core without a meter: the building always draws its declared worst."""

    def __init__(self, site: Site, settings: ControllerSettings, t: float) -> None:
        super().__init__(site, settings, t)
        self.watch.reason = ""
        self.building.assume(t, np.full(len(site.lines), site.worst_base_a))

    def meter(self, sample: MeterSample) -> None:
        """Nobody asks it."""

    def report(self, role: str, t: float, currents: Mapping[str, float]) -> None:
        """Nobody looks at what cars draw."""

    def report_dc(self, role: str, t: float, report: DcReport) -> None:
        """Nor what DC stations take."""

    def _may_act(self, t: float) -> bool:
        return self.acquainted(t)

    def _want(self, station: StationState, t: float) -> None:
        """Every car counts, also one that is full."""
        super()._want(station, t)
        if station.online and station.status in PLUGGED and not station.wants:
            station.wants, station.waiting_t = True, min(station.waiting_t, t)

    def allotted(self, room: Array, caps: Array, order: Sequence[int]) -> Array:
        """The same to all whom their least current can be given, and nothing of what somebody leaves."""
        least = self._least
        wanted = np.array([column for column in order if caps[column] >= least[column]], dtype=np.intp)
        inside = admit(self.tree, room, wanted, least)
        even = equal_division(self.tree, room, inside.astype(float))
        if (even >= least)[inside].all():
            return np.where(inside, np.minimum(even, caps), 0.0)
        # an even part is too little for some: they have their least, and what is left is for the others
        start = np.where(inside, least, 0.0)
        return raised(self.tree, room, start, np.where(inside, np.clip(even, least, np.maximum(caps, least)), 0.0))

    def _claimed(self, station: StationState, t: float) -> float:
        """What it has, or had a moment ago: what cars take beyond their limit is within the margin.

        Nothing where no car stands, whatever limit is in force there: its share was given to the others.
        """
        if not station.wants:
            return super()._claimed(station, t)
        following = t - station.granted_t < self.settings.follow_s
        return max(station.granted_a, station.before_a[1]) if following else station.granted_a

    def _raised(self, columns: Index, held: Array, shares: Array, t: float) -> Array:
        rested = t - self._column("paused_t")[columns] >= self.settings.resume_hold_s
        return np.where(rested | (held >= self.settings.minimum_a), shares, held)


def equal_division(tree: Tree, room: Array, inside: Array) -> Array:
    """What each station [station] gets when every constraint is divided evenly among those ``inside`` behind it."""
    sums = np.abs(tree.load(inside))
    each = np.divide(room, sums, out=np.full(len(room), np.inf), where=sums > 0)
    found: Array = np.minimum.reduceat(each[tree.rows], tree.begins[:-1])
    return found
