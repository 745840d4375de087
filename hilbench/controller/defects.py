"""Controllers with one deliberate mistake each, taken from public reports, to prove that the bench catches it.

A defect changes the core, the settings or the central system of the reference controller in one place and nothing
else. ``caught_by`` is the procedure that must fail it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from hilbench.controller.allocate import Array
from hilbench.controller.core import Core, Look
from hilbench.controller.mistakes_belief import (
    ClampsOverload,
    CountsKilowatts,
    CountsNothingOffline,
    CountsOneLine,
    DistributesBeforeKnown,
    HoldsStale,
    IgnoresFeederLoad,
    IgnoresMeter,
    IgnoresRotation,
    NoCrossCheck,
    StaleAsZero,
    SumsTheLines,
    TrustsAcceptance,
    TrustsFrozen,
)
from hilbench.controller.mistakes_bounds import (
    EndsSessions,
    GivesAllToOne,
    HalvesLimits,
    Hunts,
    IgnoresLastLine,
    NeverLiftsLimits,
    NeverResumes,
    UsesRating,
)
from hilbench.controller.mistakes_law import (
    ActsEveryTick,
    BelowSix,
    FirstComeFirstServed,
    IgnoresUnbalance,
    LongLeases,
    NeverRotates,
    RampsDown,
    ReservesForFullCar,
    RestartsAtMaximum,
    RoundRobin,
    StacksAdmissions,
    StopsInstead,
)
from hilbench.controller.mistakes_settings import ROWS, SOURCE
from hilbench.controller.settings import ControllerSettings
from hilbench.errors import InputError
from hilbench.site import Site

MakeCore = Callable[[Site, ControllerSettings, float], Core]


@dataclass(frozen=True)
class Defect:
    """One mistake: what it is, who reported it, which procedures must catch it (the first one is asked).

    ``rig`` is the shipped rig on which it shows, where not every rig does. A mistake in what stations are told is in
    ``hilbench.controller.mistakes_port`` by its id, and has ``port``.
    """

    id: str
    title: str
    source: str
    caught_by: tuple[str, ...]
    core: MakeCore = Core
    with_fallback: bool = True
    port: bool = False
    rig: str = ""
    changes: dict[str, float] = field(default_factory=dict)

    def settings(self, settings: ControllerSettings) -> ControllerSettings:
        """The settings with the defect's changes."""
        return settings.model_copy(update=self.changes)


class IgnoresExportLimit(Core):
    """Lets cars give what was needed a minute ago, wherever it goes."""

    def __init__(self, site: Site, settings: ControllerSettings, t: float) -> None:
        super().__init__(site, settings, t)
        self.power.export_w = math.inf
        self._gave, self._gave_t, self._now_t = np.zeros(len(site.branches)), -math.inf, t

    def _targets(self, t: float) -> dict[str, float]:
        self._now_t = t
        return super()._targets(t)

    def _given(self, look: Look) -> Array:
        given = super()._given(look)
        if given.any() and given.sum() >= self._gave.sum():
            self._gave, self._gave_t = given, self._now_t
        return self._gave if self._now_t - self._gave_t < 60.0 else given


class IgnoresGridLimit(Core):
    """Knows its own budget and nothing of the grid."""

    def limit_import(self, limit_kw: float | None) -> None:
        """Leave it as it is."""


class EndsLimitsAtOnce(Core):
    """Lets everybody have everything as soon as a limit of the grid rises."""

    def limit_import(self, limit_kw: float | None) -> None:
        """A limit that is higher than the one before is none."""
        asked = math.inf if limit_kw is None else limit_kw
        rises, self._asked_kw = asked > self._asked_kw, asked
        super().limit_import(None if rises else limit_kw)

    _asked_kw = math.inf


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
        Defect("trusts-acceptance", "takes a limit that was accepted for one that is kept",
               "evcc#31597, go-eCharger-API-v2#105", ("3.2",), TrustsAcceptance, rig="garage-54"),
        Defect("trusts-the-clock", "gives the fallback a date, and minds no station's clock",
               "verification 4.9 (clock jump, 1970); evcc core/ocpp (read-code: absolute TxDefaultProfile)", ("4.9",),
               port=True),
        Defect("never-rotates", "lets those charge who came first, the others never", "evcc#13207, evcc#30340",
               ("2.3",), NeverRotates),
        Defect("reserves-for-full-car", "keeps the share of a car that is full", "evcc#31684, evcc#32778", ("2.6",),
               ReservesForFullCar),
        Defect("believes-negative", "takes the current of a reversed CT for export", "evcc#30204",
               ("5.2",), changes={"allow_export": True}),
        Defect("no-cross-check", "does not compare the meter with what stations report",
               "EnergyMe-Home#174, SmartEVSE-3#197", ("5.3",), NoCrossCheck, rig="garage-54"),
        Defect("counts-kilowatts", "takes power for current", "Tinkerforge/warp-charger logs (power factor 0.4)",
               ("3.3",), CountsKilowatts, rig="europe-3ph"),
        Defect("sums-the-lines", "takes the mean of the lines for each", "evcc#21310: 37.6 A on a 25 A phase", ("7.1",),
               SumsTheLines),
        Defect("ignores-rotation", "takes L1-L2-L3 for the order of every station's lines", "evcc#18522, evcc#22543",
               ("3.3",), IgnoresRotation, rig="europe-3ph"),
        Defect("regulates-above-limit", "holds 29.5 A on a limit of 28 A, and so in proportion", "SmartEVSE-3#224",
               ("2.4",), changes={"margin_a": -4.3}),
        Defect("counts-nothing-offline", "takes an unreachable station to draw nothing", "lbbrhzn/ocpp#492", ("4.2",),
               CountsNothingOffline, rig="garage-54"),
        Defect("distributes-before-known", "shares before it has heard of all stations",
               "Tinkerforge/esp32-firmware#263", ("4.6",), DistributesBeforeKnown, rig="garage-54"),
        Defect("no-reinstall-after-boot", "does not install again in a station that has booted",
               "evcc#15671, evcc#3081", ("4.7",), port=True),
        Defect("tx-profile-only", "limits transactions only when they run", "bmw-wallbox-ha#15", ("7.5",), port=True,
               rig="home", changes={"stop_strays": False}),
        Defect("ignores-grid-limit", "knows no limits of the grid",
               "evcc, openWB, EVerest and six others: none knows OpenADR (read-code)", ("9.1",),
               IgnoresGridLimit, rig="tariff-10"),
        Defect("ignores-export-limit", "lets cars give what was needed a minute ago, wherever it goes",
               "PG&E rule on inadvertent export: a limiter must end it within 60 s (secondary)", ("9.3",),
               IgnoresExportLimit, rig="v2g-6"),
        Defect("ends-limits-at-once", "lets all cars back in the same minute when a limit of the grid ends",
               "rebound after demand response (recalled)", ("9.1",), EndsLimitsAtOnce, rig="tariff-10"),
        Defect("ignores-unbalance", "lets cars of one phase crowd on one line",
               "openWB packages/control (read-code: its limit of 18 A is off by default)",
               ("6.3",), IgnoresUnbalance, rig="court-7"),
        Defect("ignores-feeder-load", "takes a feeder to carry nothing but its stations",
               "evcc core/circuit (read-code: a circuit without a meter sums its loadpoints)", ("7.1b",),
               IgnoresFeederLoad, rig="court-7"),
        Defect("uses-the-rating", "takes the rating of the breaker for the budget", "hass-evse-lb#39",
               ("2.4",), UsesRating),
        Defect("ignores-last-line", "looks at all lines but the last", "evcc#27781, evcc#29532", ("7.1",),
               IgnoresLastLine, rig="europe-3ph"),
        Defect("gives-all-to-one", "fills one car before the next one gets anything", "evcc#30340: 16 + 16 + 3",
               ("2.5",), GivesAllToOne),
        Defect("never-resumes", "leaves a paused car paused", "EVerest#1690, SimpleEVSE-WiFi#35", ("2.3",),
               NeverResumes),
        Defect("ends-dc-sessions", "pauses a DC session as it would a car with a pilot", "EVerest#1690", ("7.1",),
               EndsSessions, rig="chademo-v2x"),
        Defect("keeps-grid-limits", "keeps a limit of the grid when it has ended", "verification 9.1 (end of an event)",
               ("9.1",), NeverLiftsLimits, rig="tariff-10"),
        Defect("limit-of-each-line", "takes a limit of the grid for one of each line", "evcc#18522: 16 + 16 + 16 as 48",
               ("9.1",), HalvesLimits, rig="tariff-10"),
        Defect("hunts", "gives and takes a third every 20 s", "SmartEVSE-3#123, OpenEVSE PR#920", ("2.5",), Hunts),
        *(Defect(name, title, SOURCE, (procedure,), changes=dict(changes)) for name, title, procedure, changes in ROWS),
        Defect("renews-too-late", "renews limits after they have run out", "evcc#8165, evcc#13953", ("2.5",),
               LongLeases, port=True),
    )
}  # fmt: skip


def defect_named(name: str | None) -> Defect:
    """The defect called ``name``, or the good controller for None; raises ``InputError`` listing them."""
    if name is None:
        return Defect("", "none", "", ())
    if name not in DEFECTS:
        raise InputError("controller", f"no defect {name!r}; there are {', '.join(DEFECTS)}")
    return DEFECTS[name]
