"""Mistakes in what a controller believes of meter and stations. Each differs from the good core in one place."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from hilbench.controller.core import Core, Setpoint
from hilbench.controller.settings import ControllerSettings
from hilbench.controller.stations import StationState
from hilbench.controller.watch import MeterSample, MeterWatch
from hilbench.site import Site


class TrustingWatch(MeterWatch):
    """Believes the last value for ever."""

    def trusted(self, t: float) -> bool:
        """True from the first value on."""
        self.reason = ""
        return not math.isinf(self._good_t)


class IgnoresMeter(Core):
    """Shares the whole budget among the cars, as if there were no building."""

    def meter(self, sample: MeterSample) -> None:
        """Only take note that there is a meter."""
        self.watch.see(sample, {})
        self.building.assume(sample.t, np.zeros(len(self.site.lines)))


class CountsOneLine(Core):
    """Takes the current of L1 for that of every line."""

    def _estimate(self, sample: MeterSample) -> None:
        first = sample.currents[self.site.lines[0]]
        super()._estimate(MeterSample(sample.t, sample.number, dict.fromkeys(self.site.lines, first), {}, {}))


class ClampsOverload(Core):
    """Cuts the measured current off at the limit, so that an overload looks like exactly full."""

    def _estimate(self, sample: MeterSample) -> None:
        limit = self.tree.limits[self._root[0]]
        clamped = {line: min(amps, limit) for line, amps in sample.currents.items()}
        super()._estimate(MeterSample(sample.t, sample.number, clamped, sample.voltages, sample.powers))


class HoldsStale(Core):
    """Goes on with the last meter value when the meter is gone."""

    def __init__(self, site: Site, settings: ControllerSettings, t: float) -> None:
        super().__init__(site, settings, t)
        self.watch = TrustingWatch(settings)


class StaleAsZero(Core):
    """Reads silence as zero amperes."""

    def decide(self, t: float) -> list[Setpoint]:
        """Pretend that the building draws nothing as soon as the meter is not trusted."""
        if not self.watch.trusted(t) and self.building.known:
            self.building.assume(t, np.zeros(len(self.site.lines)))
        return super().decide(t)

    def _may_act(self, t: float) -> bool:
        return self.building.known and all(station.known for station in self.stations.values())


class TrustsFrozen(Core):
    """Does not notice that the meter repeats itself."""

    def __init__(self, site: Site, settings: ControllerSettings, t: float) -> None:
        super().__init__(site, settings.model_copy(update={"frozen_s": 1e9}), t)


class TrustsAcceptance(Core):
    """Takes a limit that a station has accepted for all that it draws, whatever it reports."""

    def report(self, role: str, t: float, currents: Mapping[str, float]) -> None:
        """Cut off what is more than the limit."""
        held = self.stations[role].granted_a
        super().report(role, t, {name: min(amps, held) for name, amps in currents.items()})


class SumsTheLines(Core):
    """Knows only the sum of the lines, and takes a third (or half) of it for each."""

    def _estimate(self, sample: MeterSample) -> None:
        mean = sum(sample.currents.values()) / len(sample.currents)
        super()._estimate(replace(sample, currents=dict.fromkeys(sample.currents, mean)))


class CountsKilowatts(Core):
    """Takes power by nominal voltage for current, in the meter and in what stations report."""

    def _estimate(self, sample: MeterSample) -> None:
        volts = self.site.service.line_to_neutral_v
        currents = {line: abs(watts) / volts for line, watts in sample.powers.items()}
        super()._estimate(replace(sample, currents=currents))


class CountsNothingOffline(Core):
    """Takes a station that it cannot reach for one that draws nothing."""

    def _loose(self, station: StationState, t: float) -> float:
        return super()._loose(station, t) if station.online else 0.0

    def _claimed(self, station: StationState, t: float) -> float:
        return super()._claimed(station, t) if station.online else 0.0


class DistributesBeforeKnown(CountsNothingOffline):
    """Shares among the stations that it has seen since its start, as if there were no others."""

    def acquainted(self, t: float) -> bool:
        """As soon as there is one."""
        return any(station.known for station in self.stations.values())


class IgnoresRotation(Core):
    """Takes the terminals of every three-phase station for L1, L2, L3 in this order."""

    def __init__(self, site: Site, settings: ControllerSettings, t: float) -> None:
        straight = tuple(
            branch.model_copy(update={"connection": "L1-L2-L3"}) if len(branch.lines) == 3 else branch
            for branch in site.branches
        )
        super().__init__(site.model_copy(update={"branches": straight}), settings, t)


class CredulousWatch(MeterWatch):
    """Does not compare the meter with anything."""

    def _contradiction(self, sample: MeterSample, drawn: dict[str, float], parts: dict[str, float]) -> tuple[str, bool]:
        """There is never one."""
        return "", False


class NoCrossCheck(Core):
    """Believes a meter whatever the stations report."""

    def __init__(self, site: Site, settings: ControllerSettings, t: float) -> None:
        super().__init__(site, settings, t)
        self.watch = CredulousWatch(settings, site.service.rating_a)


class IgnoresFeederLoad(Core):
    """Takes a feeder to carry nothing but its stations."""

    def __init__(self, site: Site, settings: ControllerSettings, t: float) -> None:
        bare = tuple(feeder.model_copy(update={"worst_base_a": 0.0}) for feeder in site.feeders)
        super().__init__(site.model_copy(update={"feeders": bare}), settings, t)
