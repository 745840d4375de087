"""Controllers with one deliberate mistake each, taken from public reports, to prove that the bench catches it.

A defect changes the core or the settings of the reference controller in one place and nothing else. ``caught_by`` is
the procedure that must fail it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from hilbench.controller.allocate import Array, Tree, admit
from hilbench.controller.core import Core, Setpoint
from hilbench.controller.settings import ControllerSettings
from hilbench.controller.stations import StationState
from hilbench.controller.watch import MeterSample, MeterWatch
from hilbench.errors import InputError
from hilbench.site import Site

MakeCore = Callable[[Site, ControllerSettings, float], Core]


@dataclass(frozen=True)
class Defect:
    """One mistake: what it is, who reported it, which procedures must catch it (the first one is asked)."""

    id: str
    title: str
    source: str
    caught_by: tuple[str, ...]
    core: MakeCore = Core
    with_fallback: bool = True
    changes: dict[str, float] = field(default_factory=dict)

    def settings(self, settings: ControllerSettings) -> ControllerSettings:
        """The settings with the defect's changes."""
        return settings.model_copy(update=self.changes)


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
        return greedy(self.tree, room, caps, order)


def greedy(tree: Tree, room: Array, caps: Array, order: Sequence[int]) -> Array:
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


class TrustsFrozen(Core):
    """Does not notice that the meter repeats itself."""

    def __init__(self, site: Site, settings: ControllerSettings, t: float) -> None:
        super().__init__(site, settings.model_copy(update={"frozen_s": 1e9}), t)


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

    def _resumed(self, station: StationState, t: float) -> float:
        return station.target_a


DEFECTS = {
    defect.id: defect
    for defect in (
        Defect("ignores-meter", "shares the budget as if the building drew nothing", "SmartEVSE-3.5#224, evcc#21310",
               ("7.1",), IgnoresMeter),
        Defect("counts-one-line", "takes L1 for every line", "evcc#27781, evcc#18522", ("7.1",), CountsOneLine),
        Defect("clamps-overload", "cuts the measured load off at the limit", "OpenEVSE#762", ("7.1",), ClampsOverload),
        Defect("slow-round-robin", "adjusts one station every 30 s", "evcc core/site.go (read-code)", ("7.1",),
               RoundRobin),
        Defect("slow-ramp-down", "reduces by 0.2 A/s, also in an overload",
               "LeoAlioth/Dynamic_OCPP_EVSE (read-code)", ("7.1",), RampsDown),
        Defect("stops-instead-of-throttles", "pauses cars that should only get less", "evcc#13750, evcc#18263",
               ("7.1",), StopsInstead),
        Defect("below-six", "offers less than 6 A instead of pausing some cars", "evcc#15493, hass-evse-lb PR#89",
               ("7.1",), BelowSix),
        Defect("raises-every-15-min", "gives back only a quarter of an hour later what it took",
               "dirkgroenen/hass-evse-load-balancer (read-code: 15 min between increases)", ("7.2",),
               changes={"raise_hold_s": 900.0, "quick_hold_s": 900.0}),
        Defect("stacks-admissions", "promises the same headroom to every arrival", "evcc#19166, evcc#26380", ("7.5",),
               StacksAdmissions),
        Defect("acts-every-tick", "corrects again before the cars have followed", "SmartEVSE-3#123, OpenEVSE PR#920",
               ("7.3",), ActsEveryTick),
        Defect("first-come-first-served", "never takes current back for a later car", "evcc#30340, evcc#20113",
               ("2.5",), FirstComeFirstServed),
        Defect("fails-open-on-link-loss", "leaves stations without a limit when the link is gone",
               "lbbrhzn/ocpp#492, OCPP 1.6 3.13.6", ("4.2",), with_fallback=False),
        Defect("never-expires", "gives limits that do not run out", "evcc#14248, libocpp#781", ("4.1",),
               changes={"lease_s": 86_400.0}),
        Defect("holds-stale-meter", "goes on with the last meter value", "evcc#14248, EVerest#2673", ("4.4",),
               HoldsStale),
        Defect("stale-as-zero", "reads a silent meter as zero", "serkri/SmartEVSE-3#71", ("4.4",), StaleAsZero),
        Defect("trusts-frozen-meter", "does not notice repeated values", "EVerest#2673, AstraMeter#320", ("4.4b",),
               TrustsFrozen),
        Defect("restarts-at-maximum", "starts with everything for everybody", "evcc#3745, esp32-firmware#263",
               ("4.6",), RestartsAtMaximum),
    )
}  # fmt: skip


def defect_named(name: str | None) -> Defect:
    """The defect called ``name``, or the good controller for None; raises ``InputError`` listing them."""
    if name is None:
        return Defect("", "none", "", ())
    if name not in DEFECTS:
        raise InputError("controller", f"no defect {name!r}; there are {', '.join(DEFECTS)}")
    return DEFECTS[name]
