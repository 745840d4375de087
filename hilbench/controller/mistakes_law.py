"""Mistakes in how a controller shares and when it acts. Each differs from the good core in one place."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from hilbench.controller.allocate import Array, Index, Tree, admit
from hilbench.controller.core import Core
from hilbench.controller.settings import ControllerSettings
from hilbench.controller.stations import PLUGGED, StationState
from hilbench.controller.watch import MeterSample
from hilbench.site import Site


class StacksAdmissions(Core):
    """Gives everybody the headroom that is measured, whoever else was given it a moment ago."""

    def _targets(self, t: float) -> dict[str, float]:
        measured = self.building.base + np.abs(self.tree.load(self._reported()))[self._root]
        room = float(np.min(self.tree.limits[self._root] - measured))
        targets = {}
        for role, station in self.stations.items():
            if station.online and station.wants:
                own = min(station.reported_a or 0.0, station.cap_a) + room
                targets[role] = math.floor(min(max(own, 0.0), station.cap_a) * 10.0) / 10.0
        return {role: amps if amps >= 6.0 else 0.0 for role, amps in targets.items()}

    def _reported(self) -> Array:
        return np.array([station.reported_a or 0.0 for station in self.stations.values()])


class ActsEveryTick(Core):
    """Corrects by the full error at every tick, without waiting for the cars to follow."""

    def _targets(self, t: float) -> dict[str, float]:
        error = float(np.min(self.tree.limits[self._root] - self._measured))
        wanting = [station for station in self.stations.values() if station.online and station.wants]
        targets = {}
        for station in wanting:
            aim = station.target_a + error / max(len(wanting), 1)
            targets[station.branch.role] = math.floor(min(max(aim, 6.0), station.cap_a) * 10.0) / 10.0
        return targets

    def _estimate(self, sample: MeterSample) -> None:
        super()._estimate(sample)
        self._measured = np.array([sample.currents[line] for line in self.site.lines])

    _measured: Array = np.zeros(1)


class RoundRobin(Core):
    """Visits one station every 30 s, however urgent it is."""

    def _targets(self, t: float) -> dict[str, float]:
        roles = list(self.stations)
        turn = roles[int(t // 30.0) % len(roles)]
        return {role: amps for role, amps in super()._targets(t).items() if role == turn}


class RampsDown(Core):
    """Reduces by 0.2 A per second at most, also in an overload."""

    def _targets(self, t: float) -> dict[str, float]:
        targets = super()._targets(t)
        return {
            role: max(amps, math.floor((self.stations[role].target_a - 0.2) * 10.0) / 10.0)
            for role, amps in targets.items()
        }


class StopsInstead(Core):
    """Pauses a car where it should be throttled."""

    def _targets(self, t: float) -> dict[str, float]:
        targets = super()._targets(t)
        return {role: 0.0 if amps < self.stations[role].granted_a - 0.3 else amps for role, amps in targets.items()}


class FirstComeFirstServed(Core):
    """Gives each car all that is left, in the order of arrival, and never takes any back for another."""

    def allotted(self, room: Array, caps: Array, order: Sequence[int]) -> Array:
        """The most to the first, what is left to the next."""
        return _greedy(self.tree, room, caps, order)


def _greedy(tree: Tree, room: Array, caps: Array, order: Sequence[int]) -> Array:
    """Shares [station] when each in ``order`` takes the most that still fits."""
    amps = np.zeros(len(caps))
    for column in order:
        for share in np.arange(caps[column], 5.9, -0.5):
            trial = amps.copy()
            trial[column] = share
            if (np.abs(tree.load(trial)) <= room).all():
                amps = trial
                break
    return amps


class RestartsAtMaximum(Core):
    """Lets everybody have everything until it knows better."""

    def _safe(self) -> dict[str, float]:
        return {role: station.cap_a for role, station in self.stations.items() if station.online}


class BelowSix(Core):
    """Divides what there is by all, also into parts that no pilot can offer."""

    def allotted(self, room: Array, caps: Array, order: Sequence[int]) -> Array:
        """The same to all, however little."""
        amps = np.zeros(len(caps))
        everybody = admit(self.tree, room, order, 1.0)
        for share in np.arange(1.0, 33.0, 0.1):
            trial = np.where(everybody, np.minimum(share, caps), 0.0)
            if (np.abs(self.tree.load(trial)) > room).any():
                break
            amps = trial
        return amps

    def _resumed(self, columns: Index, t: float) -> Array:
        return np.array([self._by_column[column].target_a for column in columns])


class NeverRotates(Core):
    """Lets those charge who came first, for as long as they like."""

    def order(self, t: float) -> list[int]:
        """Who has, has."""
        waiting = super().order(t)
        return sorted(waiting, key=lambda column: (self._by_column[column].granted_a < 6.0, column))


class ReservesForFullCar(Core):
    """Keeps the share of a car that has ended charging for as long as it is plugged in."""

    def _want(self, station: StationState, t: float) -> None:
        super()._want(station, t)
        station.wants = station.online and station.status in PLUGGED

    def _learn_use(self, station: StationState) -> None:
        station.useful_a = math.inf


class LongLeases(Core):
    """Takes a limit to last until it is renewed, however late that is."""

    def _expire(self, station: StationState, t: float) -> None:
        """It never runs out."""


class IgnoresUnbalance(Core):
    """Knows each line by itself, and no rule about what they may differ by."""

    def __init__(self, site: Site, settings: ControllerSettings, t: float) -> None:
        super().__init__(site.model_copy(update={"unbalance_a": None, "neutral_a": None}), settings, t)
