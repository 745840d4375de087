"""What the controller knows of a station, and within which bounds it knows what it draws."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from hilbench.controller.allocate import Array
from hilbench.controller.obedience import Obedience, most_a, rests_at_a, stray_a
from hilbench.controller.settings import ControllerSettings
from hilbench.site import MINIMUM_CURRENT_A, Branch

ACTIVE = frozenset({"Preparing", "Charging", "SuspendedEVSE"})
"""OCPP 1.6 connector states in which a car may want current."""
PLUGGED = ACTIVE | {"SuspendedEV", "Finishing"}
"""States in which a car is connected."""
WELCOME_S = 210.0
"""So long a car that has not begun is offered more: some start at 7 to 10 A only (SmartEVSE-3.5#335, evcc#15710); the
time is that of Tinkerforge's charge manager (read-code)."""
RETRY_S = 300.0
"""A car that did not begin is welcomed again after so long, then after twice as long, up to ``MOST_TRIES`` doublings,
80 minutes: it may be full, or have been offered too little (policy)."""
MOST_TRIES = 4
WELCOME_A = 16.0
"""And so much at most: enough for all of them, and little to keep free for a car that never begins (policy)."""
NOISE_A = 0.3
"""What a car draws beyond its limit without being at fault (measured on real cars: 0.1 to 0.5 A)."""
REPORT_AGE_S = 1.5
"""For so long a report says more than the time that has passed: stations that report every second (policy)."""
FIRST = 100.0
"""Before every class (0 to 9): a boost, or a turn that is overdue."""


@dataclass(slots=True)
class StationState:
    """What the controller knows of one station.

    ``least_a`` is the least with which a car charges there.
    ``granted_a`` is the limit in force as far as was confirmed, ``granted_t`` when it changed, ``before_a`` the least
    and the most that was drawn then. ``reported_a`` is the largest phase current that it reported at ``reported_t``.
    ``blurred``: it is the current of no phase, though there are several, or what power says of a DC station at most;
    every line then carries ``sure_a`` at least. ``plan_a`` is the most by plan, ``give_a``
    what it shall give back and ``able_a`` what it could, ``boost_until`` when a boost ends; ``overdue``: it has a turn
    as it waited so long.
    ``short_t``: since when there is no room for the least of its session.
    ``wants``: a car stands there that may take current; ``begun``: it has, since it came or was paused, and until
    ``welcome_until`` it may still. ``remembered``: its turns are from before a restart, and it has not spoken since.
    ``trust`` says whether it does what it accepts. ``columns`` are those of all stations of a site, by name of field:
    one goes when the field of any station is set.
    """

    columns: dict[str, Array] = field(default_factory=dict, kw_only=True, repr=False, compare=False)
    branch: Branch
    column: int
    cap_a: float
    least_a: float = MINIMUM_CURRENT_A
    online: bool = False
    known: bool = False
    status: str = ""
    wants: bool = False
    granted_a: float = 0.0
    before_a: tuple[float, float] = (0.0, 0.0)
    granted_t: float = -math.inf
    lease_until: float = -math.inf
    target_a: float = 0.0
    reported_a: float | None = None
    reported_t: float = -math.inf
    blurred: bool = False
    sure_a: float = 0.0
    excess_a: float = NOISE_A
    useful_a: float = math.inf
    turn_t: float = -math.inf
    waiting_t: float = math.inf
    paused_t: float = -math.inf
    raised_t: float = -math.inf
    begun: bool = False
    welcome_until: float = -math.inf
    retry_t: float = math.inf
    tries: int = 0
    lines: tuple[str, ...] = ()
    remembered: bool = False
    plan_a: float = math.inf
    give_a: float = 0.0
    able_a: float = 0.0
    boost_until: float = -math.inf
    overdue: bool = False
    short_t: float = math.inf
    trust: Obedience = field(default_factory=Obedience)

    def __setattr__(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)
        self.columns.pop(name, None)

    @property
    def steered(self) -> bool:
        """A car there may take current, and the station does what it is told."""
        return self.wants and not self.trust.flaw

    @property
    def certain(self) -> bool:
        """Which lines it loads does not depend on its car: a DC station loads all that it has alike."""
        return self.branch.kind == "dc" or self.branch.line_to_line or len(self.branch.lines) == 1

    def boosted(self, t: float) -> bool:
        """Somebody wants it to charge now, before others."""
        return t < self.boost_until

    def rank(self, t: float) -> float:
        """Its class now."""
        return FIRST - 1.0 if self.boosted(t) else float(self.branch.priority)


def settled(station: StationState, settings: ControllerSettings, t: float) -> bool:
    """True when it had time to follow its last limit, or was seen to."""
    return t - station.granted_t >= settings.settle_s or caught_up(station)


def most_drawn(station: StationState, settings: ControllerSettings, t: float) -> float:
    """The most that it may draw now; one that is away or has not said what it does may draw all it was given.

    One that has accepted nothing may draw what holds it without a limit, and one that does not obey what it likes.
    """
    if not station.status:
        return most_a(station) if station.trust.flaw else max(station.granted_a, rests_at_a(station, settings))
    if not station.wants:
        return station.reported_a or 0.0
    if station.trust.flaw:
        return stray_a(station, settings, t)
    if known_draw(station, settings):
        return station.reported_a or 0.0
    if not station.trust.told:
        return max(station.granted_a, rests_at_a(station, settings))
    allowed = station.granted_a + station.excess_a if station.granted_a >= station.least_a else 0.0
    return max(allowed, _not_yet_reduced(station, settings, t))


def _not_yet_reduced(station: StationState, settings: ControllerSettings, t: float) -> float:
    """What a car may draw still that follows a reduction: no more than it has reported since, it only goes down.

    Unless it was on its way up when it was told.
    """
    before = station.before_a[1]
    steady = station.granted_t - station.raised_t >= settings.settle_s
    if steady and station.reported_a is not None and station.reported_t > station.granted_t:
        before = min(before, station.reported_a)
        if t - station.reported_t <= REPORT_AGE_S:
            return before
    return before if t - station.granted_t < settings.follow_s else 0.0


def least_drawn(station: StationState, settings: ControllerSettings) -> float:
    """The least that it may draw now."""
    if not station.online or not station.steered or station.reported_a is None:
        return 0.0
    if station.blurred and station.branch.kind == "ac":
        return 0.0
    if known_draw(station, settings):
        return station.sure_a if station.blurred else station.reported_a
    if station.raised_t == station.granted_t:
        return station.before_a[0]  # nobody draws less for being offered more
    # cars draw up to 15 % and 1 A less than they are offered (measured on real cars)
    if station.granted_a < 0.0:
        return min(station.before_a[0], station.granted_a - NOISE_A)
    heading_for = max(station.granted_a * 0.85 - 1.0, 0.0) if station.granted_a >= station.least_a else 0.0
    return min(station.before_a[0], heading_for)


def known_draw(station: StationState, settings: ControllerSettings) -> bool:
    """True when it has reported its draw at its present limit, after it had time to settle there or when it had."""
    if station.reported_a is None:
        return False
    return station.reported_t >= station.granted_t + settings.settle_s or caught_up(station)


def caught_up(station: StationState) -> bool:
    """True when it was raised and has reported what only a car draws that has arrived at its new limit."""
    if station.reported_a is None or station.granted_t != station.raised_t or station.reported_t <= station.granted_t:
        return False
    arrived_a = station.granted_a + min(station.excess_a, 0.0) - NOISE_A
    return station.reported_a >= arrived_a and station.reported_a > station.before_a[1]
