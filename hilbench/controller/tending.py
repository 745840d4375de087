"""Looking after stations: asking for what shows whether they obey, and telling people when they do not."""

from __future__ import annotations

import logging

from hilbench.controller.core import Core
from hilbench.controller.csms import Csms
from hilbench.controller.obedience import FLAWS, rests_at_a, worth_asking
from hilbench.controller.readback import Composite, worth_reading
from hilbench.controller.stations import StationState, most_drawn
from hilbench.controller.stopping import LastResort, Stop

LOGGER = logging.getLogger(__name__)


class Tending:
    """Asks through ``csms`` what ``core`` would know, and logs each change of trust once."""

    def __init__(self, core: Core, csms: Csms) -> None:
        self._core, self._csms = core, csms
        self._told: dict[str, tuple[str, bool]] = {}
        self._resort = LastResort(core)
        self._stops: dict[str, Stop] = {}

    def look(self, t: float) -> None:
        """Ask for reports that are wanted, and let one station at a time say what is in force."""
        read = False
        for role, station in self._core.stations.items():
            if worth_asking(station, self._core.settings, t):
                station.trust.asked_t = t
                self._csms.ask(role)
            if not read and worth_reading(station, self._core.settings, t):
                station.trust.read_t, read = t, True
                self._csms.read_back(role)
            self._tell_of(station, t)
        self._stop(self._resort.look(t))

    def _stop(self, stop: Stop | None) -> None:
        if stop is None:
            return
        self._stops[stop.role] = stop
        about = {"station": stop.role, "flaw": self._core.stations[stop.role].trust.flaw, "drawn_a": stop.drawn_a}
        LOGGER.warning("station %s: last resort, its session is ended: it %s", stop.role, stop.reason, extra=about)
        self._csms.stop(stop.role)

    def stopped(self, role: str) -> None:
        """A station ends its session, as it was asked to: that is why its car gets nothing."""
        self._core.stations[role].trust.stopped = self._stops[role].reason

    def said(self, role: str, t: float, said: Composite | None) -> None:
        """Take in what a station says is in force; a fallback that is missing for the first time is restored."""
        trust = self._core.stations[role].trust
        before = trust.lapsed
        self._core.said(role, t, said)
        if trust.lapsed == 1 > before:
            LOGGER.warning("station %s: its fallback is gone; installed again", role, extra={"station": role})
            self._csms.restore(role)

    def _tell_of(self, station: StationState, t: float) -> None:
        role, trust = station.branch.role, station.trust
        was, now = self._told.get(role, ("", False)), (trust.flaw, trust.strays_alone)
        self._told[role] = now
        if trust.flaw != was[0]:
            counted_a = most_drawn(station, self._core.settings, t)
            said = f"{FLAWS[trust.flaw]}; counted with {counted_a:.1f} A" if trust.flaw else "does as it is told again"
            _warn(station, said, counted_a)
        if trust.flaw == "ignores" != was[0]:
            self._csms.insist(role)
        if trust.strays_alone and not was[1]:
            counted_a = rests_at_a(station, self._core.settings)
            said = f"without a lease it does not stay at its fallback; counted with {counted_a:.1f} A when it is away"
            _warn(station, said, counted_a)


def _warn(station: StationState, said: str, counted_a: float) -> None:
    about = {"station": station.branch.role, "flaw": station.trust.flaw, "counted_a": counted_a}
    LOGGER.warning("station %s: %s", station.branch.role, said, extra=about)
