"""Does a station do what it accepts? Found out by what it reports, and what it may draw when it does not. Pure.

A station that reports more than any limit that was in force in the last ``reaction_s`` is asked again at once; a second
such report finds it out. From then on it is not steered but counted: with what it draws while two reports agree on
that, with its nameplate otherwise. Its limit goes to its fallback, so that one that begins to obey is safe and seen to,
and after ``believe_s`` of obedience it is believed again; after twice as long each time that it is found out again.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hilbench.controller.settings import ControllerSettings

if TYPE_CHECKING:
    from hilbench.controller.stations import StationState

FLAWS = {
    "refuses": "it refuses limits in every way",
    "ignores": "it draws more than its limit",
    "contradicts": "it says that another limit is in force than the one it accepted",
}
"""Why a station is not steered, in words."""
OVERDRAW_A = 1.0
"""A car that draws so much beyond its limit does not obey it."""
STEADY_A = 1.0
"""Two reports within so much of each other say what a station draws: it is not on its way somewhere (policy)."""
CONFIRM_S = 1.0
"""Two reports this far apart are not one that came twice, nor a queue that is emptied after a lost link (policy)."""
SHOWS = 0.5
"""A car that draws less than this share of its limit does not show whether the station would hold it there (policy)."""
IMPLAUSIBLE = 3.0
"""A phase current of more than so often the branch's rating is none: its OCPD opens within seconds (policy)."""
MOST_DOUBLINGS = 6
"""The wait to be believed again grows to 64 times ``believe_s``, some two hours (policy)."""
FRESH_SAMPLES = 3.0
"""So many of ``sample_s`` a report says what is drawn now (policy)."""


@dataclass(slots=True)
class Obedience:
    """What is known of a station's obedience.

    ``flaw`` is one of ``FLAWS``, or empty while it is believed. ``keeps_fallback``: its fallback stands in it, was
    refused, or, for None, was not tried since the start. ``told``: it has accepted a limit. ``over_t``: since when it
    has reported too much; ``good_t``: since when it has not. ``former``: limits that have ended, with when they did.
    ``garbled``: its last report had currents that cannot be. Until ``blind_until`` a limit may stand in it from before
    this controller began. ``back_t``: when it came back from so long alone that no lease was in force; what it then
    reports it did alone, and ``strays_alone`` says that this was more than its fallback, for good. ``sums``: a current
    that it reports of no phase is the sum of all. ``found`` counts how often it was found out, ``unread`` how often in
    a row it has not said what is in force, when asked at ``read_t``, and ``lapsed`` how often in a row it has said that
    no fallback follows its lease. ``stopped`` says why the session of the car that stands there
    was ended, where it was.
    """

    flaw: str = ""
    keeps_fallback: bool | None = None
    told: bool = False
    over_t: float = math.inf
    good_t: float = math.inf
    asked_t: float = -math.inf
    read_t: float = -math.inf
    unread: int = 0
    lapsed: int = 0
    reduced_a: float = 0.0
    last_a: float | None = None
    steady: bool = False
    garbled: bool = False
    blind_until: float = -math.inf
    back_t: float = -math.inf
    strays_alone: bool = False
    sums: bool = False
    found: int = 0
    stopped: str = ""
    former: deque[tuple[float, float]] = field(default_factory=deque)

    def ended(self, t: float, limit_a: float, now_a: float) -> None:
        """At ``t`` a limit was replaced by ``now_a``."""
        self.former.append((t, limit_a))
        self.reduced_a = limit_a - now_a

    def ceiling_a(self, t: float, now_a: float, reaction_s: float) -> float:
        """The highest limit in force in the last ``reaction_s``."""
        while self.former and self.former[0][0] <= t - reaction_s:
            self.former.popleft()
        return max([now_a, *(limit for _end, limit in self.former)])

    def blame(self, flaw: str) -> None:
        """It is found out."""
        self.found += not self.flaw
        self.flaw, self.good_t = self.flaw or flaw, math.inf

    def believe(self) -> None:
        """It has shown that it obeys."""
        self.flaw, self.over_t, self.good_t = "", math.inf, math.inf

    def accepted(self, t: float, lease_s: float) -> bool:
        """It accepted a limit for ``lease_s``, or its fallback (infinity), above which an older lease may stand.

        True when it had refused everything before.
        """
        fallback = math.isinf(lease_s)
        self.keeps_fallback = fallback or self.keeps_fallback
        if not self.told:
            self.told, self.blind_until = True, max(self.blind_until, t)
        if not fallback:
            self.blind_until = min(self.blind_until, t)
        if self.flaw != "refuses":
            return False
        self.believe()
        return True

    def back(self, t: float, alone: bool) -> None:
        """Its link is up again, after it was ``alone`` without a lease or not."""
        self.back_t = t if alone and self.told else -math.inf

    def refused(self, fallback: bool) -> None:
        """It refused every way to install its ``fallback``, or a limit; one that takes others keeps to those."""
        if fallback:
            self.keeps_fallback = False
        if not self.told:
            self.blame("refuses")

    def new_car(self) -> None:
        """What was reported is of another car."""
        self.last_a, self.steady, self.over_t = None, False, math.inf


def heard(station: StationState, settings: ControllerSettings, t: float, drawn: float) -> bool:
    """Judge the report of ``drawn`` that ``station`` has just made; True when that changes whether it is believed."""
    trust = station.trust
    trust.steady = trust.last_a is not None and abs(drawn - trust.last_a) <= STEADY_A
    trust.last_a = drawn
    if t < trust.blind_until + settings.reaction_s:
        return False
    was, allowed = trust.flaw, allowed_a(station, settings, t)
    if drawn > allowed + OVERDRAW_A:
        _over(trust, t, settings)
    else:
        shows = station.wants and (allowed < station.least_a or drawn >= SHOWS * allowed)
        _within(trust, t, shows, settings.believe_s)
    return trust.flaw != was


def allowed_a(station: StationState, settings: ControllerSettings, t: float) -> float:
    """What it may report at ``t``: a limit below the least with which cars charge there is a pause.

    A DC station may hold its least all the same, so that the session outlives it (EVerest, evcc pull request 32023).
    """
    held = station.granted_a if station.trust.told else rests_at_a(station, settings)
    ceiling = station.trust.ceiling_a(t, held, settings.reaction_s)
    if ceiling >= station.least_a:
        return ceiling
    return station.least_a if station.branch.kind == "dc" else 0.0


def _over(trust: Obedience, t: float, settings: ControllerSettings) -> None:
    trust.good_t, trust.over_t = math.inf, min(trust.over_t, t)
    if t - trust.over_t >= CONFIRM_S:
        trust.strays_alone |= not trust.flaw and t - trust.back_t < settings.reaction_s
        trust.blame("ignores")


def _within(trust: Obedience, t: float, shows: bool, believe_s: float) -> None:
    trust.over_t = math.inf
    if shows:
        trust.good_t = min(trust.good_t, t)
    again = 2.0 ** min(trust.found - 1, MOST_DOUBLINGS)
    if trust.flaw and trust.flaw != "refuses" and t - trust.good_t >= believe_s * again:
        trust.believe()


def rests_at_a(station: StationState, settings: ControllerSettings) -> float:
    """What holds it without a lease: its fallback where that stands in it, else nothing but what it can."""
    trust = station.trust
    keeps = settings.unknown_a == "fallback" if trust.keeps_fallback is None else trust.keeps_fallback
    return station.branch.fallback_a if keeps and not trust.strays_alone else most_a(station)


def most_a(station: StationState) -> float:
    """What it can, with nothing to hold it."""
    return max(station.branch.max_a, station.branch.fallback_a)


def stray_a(station: StationState, settings: ControllerSettings, t: float) -> float:
    """The most that a station draws that is not believed: what two fresh reports agree on, else its nameplate."""
    fresh = t - station.reported_t <= FRESH_SAMPLES * settings.sample_s
    if fresh and station.trust.steady and station.reported_a is not None:
        return station.reported_a
    return max(most_a(station), station.reported_a or 0.0)


def worth_asking(station: StationState, settings: ControllerSettings, t: float) -> bool:
    """True when a report of ``station`` is wanted now; ``asked_t`` then says that it was asked for.

    Once for each car, for each reduction by ``verify_a`` or more, when it had ``reaction_s`` to follow and has not
    reported since, and once for each report of too much.
    """
    if not (settings.verify_a and station.online and station.wants):
        return False
    trust, due = station.trust, station.granted_t + settings.reaction_s
    suspect = not trust.flaw and trust.over_t + CONFIRM_S <= t and trust.asked_t <= trust.over_t
    unseen = station.reported_t < due <= t and trust.asked_t < due
    return suspect or (unseen and _in_doubt(station, settings))


def _in_doubt(station: StationState, settings: ControllerSettings) -> bool:
    """It has drawn more than its limit when last heard of, or its car charges and was never heard of.

    Or a session may have to end, and how much it draws decides that.
    """
    if station.short_t < math.inf:
        return True
    if station.reported_a is None:
        return station.status == "Charging"
    return station.trust.reduced_a >= settings.verify_a and station.reported_a > station.granted_a + OVERDRAW_A


def usable(station: StationState, currents: Mapping[str, float]) -> dict[str, float]:
    """Reported currents [A] that are finite and that a branch could bear; others are noted (evcc#22087: mA as A)."""
    most = IMPLAUSIBLE * station.branch.branch_a
    found = {name: amps for name, amps in currents.items() if math.isfinite(amps) and abs(amps) <= most}
    station.trust.garbled = len(found) < len(currents)
    return found


def by_terminal(station: StationState, amperes: Mapping[str, float]) -> dict[str, float]:
    """Currents of the terminals [A]; a current of no phase is known to be of one only where there is just one."""
    one = station.branch.line_to_line or len(station.branch.lines) == 1
    return {name or "L1": amps for name, amps in amperes.items() if name or one}


def is_sum(station: StationState, amps: float) -> bool:
    """True when a current of no phase [A] is the sum of several: it is, or once was, more than one could carry."""
    station.trust.sums |= amps > most_a(station) + OVERDRAW_A
    return station.trust.sums
