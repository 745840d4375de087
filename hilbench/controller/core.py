"""The decision: from meter samples and station states to limits. Pure: time comes in, setpoints come out.

How it thinks. Each station's draw is known only as an interval: what it settled at, or anything between before and
after a change of its limit until it has settled. The building's load per line is therefore an interval as well, and
the estimate moves only when a sample proves it wrong, and then just as far as it must. So nothing is acted on twice, a
car that has been told to go down is not told again, and current that was granted and not yet drawn stays reserved.

Reductions use what two samples agree on (one, above the rating) and go out at once; raises use the largest estimate
of the last ``raise_hold_s``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from hilbench.controller.allocate import Array, Ranks, Tree, allocate
from hilbench.controller.building import BuildingEstimate
from hilbench.controller.dimming import Delays, dimmed
from hilbench.controller.feeding import discharged
from hilbench.controller.filtering import MovingMean, Seen
from hilbench.controller.headroom import Headroom
from hilbench.controller.obedience import OVERDRAW_A, Obedience, heard, rests_at_a, usable
from hilbench.controller.planning.coordinator import Orders
from hilbench.controller.power import PowerLimits, signed_currents
from hilbench.controller.readback import Composite, compare
from hilbench.controller.settings import ControllerSettings
from hilbench.controller.stations import (
    ACTIVE,
    FIRST,
    NOISE_A,
    PLUGGED,
    WELCOME_A,
    WELCOME_S,
    StationState,
    caught_up,
    known_draw,
    least_drawn,
    most_drawn,
    settled,
)
from hilbench.controller.unbalance import balanced
from hilbench.controller.watch import MeterSample, MeterWatch
from hilbench.site import CONTINUOUS, Site

IDLE_S = 5.0
"""A decision is taken again after so long even when nothing new was heard: holds and turns run out by themselves."""
RAISE_LEAST_A = 1.0
"""Raises smaller than this wait until they are worth a message, unless they reach the station's cap."""
PATIENCE_S = 60.0
"""So long: a rest that small is still some per cent of the budget when every station leaves it."""


class Setpoint(NamedTuple):
    """A limit [A] that a station shall have from now on."""

    role: str
    limit_a: float


class Base(NamedTuple):
    """What the building draws: current [line], and power [W] (negative where it feeds in)."""

    amps: Array
    power_w: float


class Core:
    """State and law of the dynamic controller. Feed it with ``meter``, ``status`` and ``report``, then ``decide``."""

    def __init__(self, site: Site, settings: ControllerSettings, t: float) -> None:
        self.site = site
        self.settings = settings
        self.watch = MeterWatch(settings, site.service.rating_a)
        self._filter = MovingMean(settings.filter_s)
        self._parts: dict[str, MeterSample] = {}
        self._whole = Tree(site)
        self.tree = self._whole
        self.stations = {
            branch.role: StationState(
                branch,
                column,
                min(branch.max_a, branch.branch_a * CONTINUOUS),
                trust=Obedience(blind_until=t + settings.lease_s),
            )
            for column, branch in enumerate(site.branches)
        }
        self._by_column = list(self.stations.values())
        self._watts: Array = np.array([self.watts_per_a(station) for station in self._by_column])
        self._ranks = Ranks.of(site.branches)
        self.delays = Delays(len(site.branches), settings.random_delay_s, site.name)
        self._root = [row for row, (node, _line) in enumerate(self.tree.keys) if node == "service"]
        self.building = BuildingEstimate(len(site.lines), settings.hold)
        self._lower: Array = np.zeros(len(site.lines))
        self._started = t
        self._number = -1
        self._lines_changed = set(range(len(self._by_column)))  # some may be remembered
        self._urgent = False
        self._seen: tuple[Array, Array] | None = None
        self._news = True
        self._decided = -math.inf
        self._stray_w = 0.0
        self.power = PowerLimits(site, settings.hold)

    # inputs

    def dim(self, limit_kw: float | None) -> None:
        """What all stations together may draw, set from outside the site; None for no such limit."""
        self.power.stations_w = math.inf if limit_kw is None else limit_kw * 1000.0
        self._news = True

    def limit_import(self, limit_kw: float | None) -> None:
        """What the whole site may take from the grid, set from outside; None for no such limit."""
        self.power.import_w = math.inf if limit_kw is None else limit_kw * 1000.0
        self._news = True

    def online(self, role: str, t: float) -> None:
        """The station's link is up; its status is not known yet."""
        station = self.stations[role]
        station.trust.back(t, math.isinf(station.lease_until) or t > station.lease_until)
        station.online, self._news = True, True
        self._want(station, t)

    def offline(self, role: str, t: float) -> None:  # noqa: ARG002 - every input says when it came
        """The link is gone: the station keeps its lease until it runs out, then its fallback."""
        station = self.stations[role]
        station.online, station.status, station.wants, self._news = False, "", False, True
        station.reported_a = None

    def status(self, role: str, t: float, status: str) -> None:
        """The station said in which state its connector is."""
        station = self.stations[role]
        if status in PLUGGED and station.status not in PLUGGED:
            self._welcome(station, t)
        station.status, station.known, self._news = status, True, True
        if status == "Charging":
            self._begin(station)
        self._want(station, t)

    def _welcome(self, station: StationState, t: float) -> None:
        """The car has not begun: it may need more than the least current to do so."""
        station.begun, station.welcome_until, station.useful_a = False, t + WELCOME_S, WELCOME_A

    def _begin(self, station: StationState) -> None:
        """The car takes current: what it can use is learned from now on."""
        if not station.begun:
            station.begun, station.useful_a = True, math.inf

    def _end_welcome(self, station: StationState, t: float) -> None:
        """It has had its time: now what it draws says what it can use, or, where it waits itself, nothing is kept."""
        if station.status == "SuspendedEV":
            self._want(station, t)
            return
        self._begin(station)
        if known_draw(station, self.settings):
            self._learn_use(station)

    def _want(self, station: StationState, t: float) -> None:
        """Work out whether the car may take current, and begin or end its wait."""
        was = station.wants
        coming = station.status == "SuspendedEV" and not station.begun and t < station.welcome_until
        station.wants = station.online and (station.status in ACTIVE or coming)
        if station.wants and not was:
            if not station.remembered:
                station.waiting_t, station.paused_t = t, -math.inf
            station.waiting_t, station.reported_a = min(station.waiting_t, t), None
            station.trust.new_car()
        elif not station.wants and (was or (station.remembered and station.known)):
            station.waiting_t, station.turn_t = math.inf, -math.inf
            station.lines, station.reported_a, station.excess_a, station.useful_a = (), 0.0, NOISE_A, math.inf
            self._lines_changed.add(station.column)
            self._news = True
        station.remembered = station.remembered and not station.known

    def report(self, role: str, t: float, currents: Mapping[str, float]) -> None:
        """The station reported its current per terminal (``L1``..: in the order of its terminals) [A]."""
        station = self.stations[role]
        amperes = usable(station, currents)
        if not amperes:
            return
        station.reported_a, station.reported_t = max(amperes.values(), key=abs), t
        self._news |= heard(station, self.settings, t)
        if station.reported_a >= 3.0:
            self._begin(station)
        if known_draw(station, self.settings) and station.granted_a >= self.settings.minimum_a and station.begun:
            # what it draws beyond its limit (mostly less): a car does the same at the next limit
            station.excess_a = max(station.reported_a - station.granted_a, -1.0 - 0.1 * station.granted_a) + 0.1
            self._learn_use(station)
        if station.branch.line_to_line or station.reported_a < 3.0 or t - station.granted_t < self.settings.settle_s:
            return
        terminals = dict(zip(("L1", "L2", "L3"), station.branch.lines, strict=False))
        lines = tuple(line for name, line in terminals.items() if amperes.get(name, 0.0) > 1.0)
        if lines and lines != station.lines:
            station.lines = lines
            self._lines_changed.add(station.column)

    def confirmed(self, role: str, t: float, limit_a: float, lease_s: float) -> None:
        """The station accepted a limit that runs out after ``lease_s``; infinity: its fallback, below any lease."""
        station = self.stations[role]
        self._news |= station.trust.accepted(t, lease_s)
        if math.isinf(lease_s) and math.isfinite(station.lease_until) and t <= station.lease_until:
            return  # the lease stands above it
        if abs(limit_a - station.granted_a) > 0.05:
            station.before_a = (least_drawn(station, self.settings), most_drawn(station, self.settings, t))
            station.granted_t = t
            station.trust.ended(t, station.granted_a, limit_a)
            if limit_a > station.granted_a:
                station.raised_t = t
            self._news = True
        if station.granted_a < self.settings.minimum_a <= limit_a and station.status != "Charging":
            self._welcome(station, t)
            self._want(station, t)
        station.granted_a, station.lease_until = limit_a, t + lease_s

    def refused(self, role: str, fallback: bool) -> None:
        """The station takes its ``fallback`` in no way that is known, or no limit at all."""
        self.stations[role].trust.refused(fallback)
        self._news = True

    def unanswered(self, role: str, t: float, limit_a: float, lease_s: float) -> None:
        """No answer came to a limit: the station may have it, which matters where it is more than it had."""
        if self.stations[role].trust.told and limit_a > self.stations[role].granted_a:
            self.confirmed(role, t, limit_a, lease_s)

    def said(self, role: str, t: float, said: Composite | None) -> None:
        """What the station says is in force, when asked; None: nothing."""
        self._news |= compare(self.stations[role], said, self.settings, t)

    def set_budget(self, amps: float) -> None:
        """The budget of the service is ``amps`` from now on."""
        self._whole.limits[self._root] = amps  # narrowed trees have the same array
        self._news = True

    def plan(self, orders: Orders) -> None:
        """What stations shall do by plan from now on; those that are not named have no plan."""
        for role, station in self.stations.items():
            watts = self.watts_per_a(station)
            cap_a = orders.caps.get(role, math.inf) * 1000.0 / watts
            station.plan_a = cap_a if math.isinf(cap_a) else _possible_plan(cap_a, self.settings.minimum_a)
            station.give_a = orders.discharge.get(role, 0.0) * 1000.0 / watts
            station.able_a = min(orders.able.get(role, 0.0) * 1000.0 / watts, station.cap_a)
        self.power.plan_w, self._news = orders.demand_kw * 1000.0, True

    def charge_known(self, role: str, soc: float) -> None:
        """The car at a station is at ``soc`` (0 to 1): at its reserve it gives nothing more, plan or no plan."""
        station = self.stations[role]
        if soc <= self.settings.plan.reserve_soc and station.able_a > 0.0:
            station.able_a, station.give_a, self._news = 0.0, 0.0, True

    def boost(self, role: str, until_t: float) -> None:
        """Station ``role`` comes before all others, without delay or plan, until ``until_t``; -infinity: no longer."""
        station = self.stations[role]
        station.boost_until, self._news = until_t, True
        self.delays.skip(station.column)

    def set_cap(self, role: str, amps: float) -> None:
        """The most that station ``role`` may have is ``amps`` from now on."""
        self.stations[role].cap_a, self._news = amps, True

    def meter(self, sample: MeterSample) -> None:
        """A new answer of the meter; one that was seen before is ignored."""
        if sample.number == self._number:
            return
        self._number = sample.number
        self._lower = self._drawn(sample.t, lower=True)
        drawn = dict(zip(self.site.lines, self._lower.tolist(), strict=True))
        if self.watch.see(sample, drawn, self._shown_by_parts(sample.t)):
            self._estimate(sample)
            self.power.see(sample, (self._drawn_w(sample.t, lower=True), self._drawn_w(sample.t, lower=False)))

    def part(self, node: str, sample: MeterSample) -> None:
        """A new answer of the meter of a feeder: the service's meter cannot show less."""
        self._parts[node] = sample

    def _shown_by_parts(self, t: float) -> dict[str, float]:
        """The most that the meter of any feeder shows, by line [A]; what is old or no number says nothing."""
        fresh = [part for part in self._parts.values() if t - part.t < self.settings.stale_s / 2.0]
        shown: dict[str, float] = {}
        for part in fresh:
            usable = {line: abs(amps) for line, amps in part.currents.items() if math.isfinite(amps)}
            shown |= {line: max(amps, shown.get(line, 0.0)) for line, amps in usable.items()}
        return shown

    # what the stations draw

    def _expire(self, station: StationState, t: float) -> None:
        """A lease that ran out: the station has fallen back by itself."""
        rest = rests_at_a(station, self.settings)
        if station.granted_a != rest:
            station.before_a = (min(station.granted_a, 0.0), max(station.granted_a, rest))
            station.trust.ended(t, station.granted_a, rest)
            station.granted_t, station.granted_a, self._news = t, rest, True

    def _drawn(self, t: float, lower: bool) -> Array:
        """Least or greatest current [line] that all stations together may draw now."""
        amps = self._drawn_a(t, lower)
        if not any(amps):
            return np.zeros(len(self._root))
        flows = np.array(amps)
        into: Array = np.abs(self.tree.load(np.maximum(flows, 0.0)))[self._root]
        return into if (flows >= 0.0).all() else into - np.abs(self.tree.load(np.minimum(flows, 0.0)))[self._root]

    def _drawn_a(self, t: float, lower: bool) -> list[float]:
        return [
            least_drawn(station, self.settings) if lower else most_drawn(station, self.settings, t)
            for station in self._by_column
        ]

    def _drawn_w(self, t: float, lower: bool) -> float:
        return 0.0 if math.isinf(self.power.at_meter_w) else float(np.dot(self._drawn_a(t, lower), self._watts))

    def _strays_w(self, t: float) -> float:
        """Power that stations with a car may draw that do not do what they are told."""
        strays = [station for station in self._by_column if station.wants and station.trust.flaw]
        return math.fsum(most_drawn(one, self.settings, t) * self.watts_per_a(one) for one in strays)

    # the building

    def _estimate(self, sample: MeterSample) -> None:
        """Take a sample that can be used; above the rating of the service there is no time to ask twice."""
        measured = signed_currents(sample, self.site.lines, self.settings.exports)
        seen = Seen(measured, self._lower.tolist(), self._drawn(sample.t, lower=False).tolist())
        mean = self._filter.mean(sample.t, seen)
        self._urgent = max(measured) > self.site.service.rating_a
        acted = seen if self._urgent else mean
        self.building.update(sample.t, acted.measured, (acted.lower, acted.upper))

    def _confirmed_base(self) -> Base:
        return Base(self.building.confirmed(self._urgent), self.power.confirmed_w(self._urgent))

    def _highest_base(self) -> Base:
        return Base(self.building.highest(), self.power.highest_w())

    # the decision

    @property
    def idle(self) -> bool:
        """True when no car wants current and the meter is trusted: nothing has to be decided soon."""
        return not self.watch.reason and not any(station.wants for station in self._by_column)

    def decide(self, t: float) -> list[Setpoint]:
        """Limits that must change now; an empty list when all is well."""
        for station in self._by_column:
            if t > station.lease_until + 1.0:
                self._expire(station, t)
            if station.wants and not station.begun and t >= station.welcome_until:
                self._end_welcome(station, t)
        if self._lines_changed:
            for column in self._lines_changed:
                self._watts[column] = self.watts_per_a(self._by_column[column])
            self._lines_changed.clear()
            self.tree = self._whole.narrowed({s.column: s.lines for s in self._by_column if s.lines})
        self._start(t)
        self._stray_w = self._strays_w(t)
        acting = self._may_act(t)
        if acting and not self._worth_deciding(t):
            return []
        targets = self._targets(t) if acting else self._safe()
        changes = []
        for role, target in targets.items():
            station = self.stations[role]
            if abs(target - station.target_a) > 1e-6 or abs(target - station.granted_a) > 0.05:
                changes.append(Setpoint(role, target))
            self._note_turn(station, target, t)
            station.target_a = target
        return changes

    def _worth_deciding(self, t: float) -> bool:
        """True when something has happened since the last decision, or when timers may have run out meanwhile."""
        if not self._news and not any(station.wants for station in self.stations.values()):
            return False
        seen = (self._in_tenths(self._confirmed_base()), self._in_tenths(self._highest_base()))
        same = self._seen is not None and all(_alike(a, b) for a, b in zip(seen, self._seen, strict=True))
        if same and not self._news and t - self._decided < IDLE_S:
            return False
        self._seen, self._news, self._decided = seen, False, t
        return True

    def _in_tenths(self, base: Base) -> Array:
        """What a decision depends on, in amperes."""
        return np.append(base.amps, base.power_w / self.site.service.voltage_v)

    def _may_act(self, t: float) -> bool:
        """True when the meter is trusted, and every station is known or had time to fall back."""
        if not self.watch.trusted(t) or not self.building.known:
            return False
        return self.acquainted(t)

    def acquainted(self, t: float) -> bool:
        """True when every station has said what it does, or has had time to fall back."""
        everybody = all(station.known for station in self.stations.values())
        return everybody or t - self._started > self.settings.lease_s + self.settings.settle_s

    def _safe(self) -> dict[str, float]:
        amps = np.array([self._possible(station.branch.fallback_a) for station in self._by_column])
        safe: list[float] = self._dim(amps, range(len(amps)), self.power.worst_building_w).tolist()
        return {role: safe[station.column] for role, station in self.stations.items() if station.online}

    def _possible(self, amps: float) -> float:
        return amps if amps >= self.settings.minimum_a else 0.0

    def _targets(self, t: float) -> dict[str, float]:
        self._ranks.classes[:] = [station.rank(t) for station in self._by_column]
        order = self._order(t)
        caps, free = self._caps(t), self._free(t)
        now = _whole_tenths(self._shares(free, self._confirmed_base(), caps, order))
        later = _whole_tenths(self._shares(free, self._highest_base(), caps, order))
        headroom = self._headroom(t)
        given = self._given()
        targets: dict[str, float] = {}
        for column in [*order, *(s.column for s in self._by_column if s.online and not s.steered)]:
            station = self._by_column[column]
            role, held, share = station.branch.role, max(station.granted_a, 0.0), now[column]
            if not station.steered:
                targets[role] = self._possible(station.branch.fallback_a)
            elif given[column] > 0.0:
                targets[role] = -given[column]
            elif share < held - 1e-6:
                targets[role] = share
            else:
                wish = self._raised(station, held, min(share, later[column]), t)
                least = max(held + RAISE_LEAST_A, self.settings.minimum_a)
                targets[role] = headroom.raised(column, held, wish, least) if wish > held else wish
        return targets

    def _given(self) -> list[float]:
        """What stations shall give back now [A]: by plan, or more where the building alone takes too much."""
        able = np.array([station.able_a if station.steered else 0.0 for station in self._by_column])
        if not able.any():
            return [0.0] * len(self._by_column)
        wished = np.array([station.give_a for station in self._by_column])
        need_w, may_w = max(self.power.short_w(), self._short_w()), self.power.may_feed_w()
        return _whole_tenths(discharged(self.tree, wished, able, self._watts, (need_w, may_w)))

    def _short_w(self) -> float:
        """Power that would bring the fullest line of the service back to its limit, where the building is above."""
        over = float((self.building.highest() - self.tree.limits[self._root]).max()) + self.settings.margin_a
        return max(over, 0.0) * self.site.service.line_to_neutral_v * len(self._root)

    def _headroom(self, t: float) -> Headroom:
        spare_w = self.power.left_w(self.power.highest_w())
        if math.isfinite(spare_w):
            spare_w -= float(np.dot([self._claimed(station, t) for station in self._by_column], self._watts))
        return Headroom(self.tree, self._beside(t), self._raise_budget(t), spare_w, self._watts)

    def _beside(self, t: float) -> Array:
        """What each constraint leaves beside all that any station may draw now: reductions count when they are made."""
        amps = [self._claimed(station, t) for station in self._by_column]
        free: Array = self.tree.limits - self.settings.margin_a - np.abs(self.tree.load(np.array(amps)))
        free[self._root] -= self.building.highest()
        return free

    def _claimed(self, station: StationState, t: float) -> float:
        """What a station may draw now, or was given; one that gives may stop at any moment."""
        if not station.wants:
            return self._loose(station, t)
        return max(station.granted_a, most_drawn(station, self.settings, t), 0.0)

    def _raise_budget(self, t: float) -> float:
        """Amperes by which stations may be raised now, less what was raised and may not be drawn yet."""
        flying = math.fsum(
            max(station.granted_a - station.before_a[0], 0.0)
            for station in self.stations.values()
            if station.wants and station.raised_t == station.granted_t and not settled(station, self.settings, t)
        )
        budget = self.settings.raise_in_flight * float(self.tree.limits[self._root].min())
        return max(budget, self.settings.minimum_a) - flying

    def _raised(self, station: StationState, held: float, share: float, t: float) -> float:
        """Where to go from ``held`` when ``share`` would be possible: up slowly, or stay."""
        if share < held + RAISE_LEAST_A and share < station.cap_a:
            worth = share >= held + RAISE_LEAST_A / 2.0 and t - station.granted_t >= PATIENCE_S
            return share - 0.2 if worth and held >= self.settings.minimum_a else held
        if held < self.settings.minimum_a:
            return held if share < self.settings.minimum_a else self._resumed(station, t)
        if not self._answered(station, t):
            return held
        return min(share, held + self.settings.raise_step_a)

    def _answered(self, station: StationState, t: float) -> bool:
        """It has said what it draws since its last raise, or would have: what is not drawn could hide a load step."""
        if caught_up(station):
            return True
        settled = station.raised_t + self.settings.settle_s
        said = station.reported_a is not None and station.reported_t >= settled
        return t >= settled and (said or t >= settled + 2.0 * self.settings.sample_s)

    def _resumed(self, station: StationState, t: float) -> float:
        resumes = t - station.paused_t >= self.settings.resume_hold_s
        return self.settings.minimum_a if resumes else max(station.granted_a, 0.0)

    def _free(self, t: float) -> Array:
        """What each constraint leaves beside the stations that cannot be steered, with no building."""
        loose = np.array([self._loose(station, t) for station in self._by_column])
        room: Array = self.tree.limits - self.settings.margin_a - np.abs(self.tree.load(loose))
        return room

    def _room(self, free: Array, base: Array) -> Array:
        """What each constraint leaves to the stations that are steered."""
        room = free.copy()
        room[self._root] -= base
        return np.maximum(room, 0.0)

    def _loose(self, station: StationState, t: float) -> float:
        """Current of a station that cannot be steered: out of reach, not believed, or drawing more than it may.

        One that was seen to overdraw is taken to go on with it after a change of its limit, until it reports again.
        """
        if not station.steered:
            return most_drawn(station, self.settings, t)
        if known_draw(station, self.settings) or station.excess_a > OVERDRAW_A:
            return max((station.reported_a or 0.0) - max(station.granted_a, 0.0) - NOISE_A, 0.0)
        return 0.0

    def _caps(self, t: float) -> Array:
        return np.array([self._cap(station, t) for station in self._by_column])

    def _cap(self, station: StationState, t: float) -> float:
        """The most that a station can use or may have now, whatever there is."""
        if not station.steered or not self.delays.over(station.column, t):
            return 0.0
        unknown = self.site.spread_a if not station.lines and len(station.branch.lines) > 1 else math.inf
        plan_a = math.inf if station.boosted(t) else station.plan_a
        return min(station.useful_a, station.cap_a, unknown, plan_a)

    def _start(self, t: float) -> None:
        """Note who may begin: a session, or a plan after a pause, begins after a delay where the site wants one."""
        for station in self._by_column:
            may = station.status in PLUGGED and (station.plan_a >= self.settings.minimum_a or station.boosted(t))
            self.delays.want(station.column, t, may)

    def _learn_use(self, station: StationState) -> None:
        """What a car can use: all it can get while it draws near its limit, else a little more than it takes.

        The two thresholds lie apart (0.9 x - 0.8 and 1.15 x + 1.5), so that a car that tapers is not offered more
        and less in turn.
        """
        drawn = station.reported_a or 0.0
        limited = drawn > 0.9 * station.granted_a - 0.8
        station.useful_a = math.inf if limited else max(1.15 * drawn + 1.5, self.settings.minimum_a)

    def _shares(self, free: Array, base: Base, caps: Array, order: Sequence[int]) -> Array:
        """Shares [station] beside a building of ``base``, by everything that limits them."""
        shares = self._dim(self.allotted(self._room(free, base.amps), caps, order), order, base.power_w)
        most_a = self.site.spread_a
        if math.isinf(most_a):
            return shares
        return balanced(self.tree, shares, np.maximum(base.amps, 0.0), most_a, order, self.settings.minimum_a)

    def allotted(self, room: Array, caps: Array, order: Sequence[int]) -> Array:
        """Shares by the tree alone, whatever holds from outside."""
        return allocate(self.tree, room, caps, order, self._ranks, self.settings.minimum_a)

    def _dim(self, amps: Array, order: Sequence[int], building_w: float) -> Array:
        """No more than the stations may draw together, in the order of who comes first."""
        left_w = max(self.power.left_w(building_w) - self._stray_w, 0.0)
        return amps if math.isinf(left_w) else dimmed(amps, self._watts, order, left_w, self.settings.minimum_a)

    def watts_per_a(self, station: StationState) -> float:
        """Power per ampere of limit: on the lines that its car is known to use, else on all that it has."""
        branch = station.branch
        lines = 1 if branch.line_to_line else len(station.lines or branch.lines)
        return lines * self.site.voltage_v(branch)

    # turns

    def _order(self, t: float) -> list[int]:
        """Who comes first when not all can have the minimum: class, then turns of ``rotation_s``.

        Who has waited for ``most_wait_s`` comes before all classes, and has a turn.
        """

        def key(station: StationState) -> tuple[float, int, float, int]:
            charging = station.granted_a >= self.settings.minimum_a
            first = -station.rank(t)
            if charging and t - station.turn_t < self.settings.rotation_s:
                return (first if not station.overdue else -FIRST, 0, station.turn_t, station.column)
            if not charging:
                station.overdue = t - station.waiting_t >= self.settings.most_wait_s
                return (first if not station.overdue else -FIRST, 1, station.waiting_t, station.column)
            station.overdue = False
            return (first, 2, station.turn_t, station.column)

        return [station.column for station in sorted(self.stations.values(), key=key) if station.steered]

    def _note_turn(self, station: StationState, target: float, t: float) -> None:
        was, will = station.target_a >= self.settings.minimum_a, target >= self.settings.minimum_a
        if will and (not was or math.isinf(station.turn_t)):
            station.turn_t, station.waiting_t = t, math.inf
        elif was and not will:
            station.paused_t, station.waiting_t = t, t


def _possible_plan(cap_a: float, minimum_a: float) -> float:
    """A plan is a mean: below the least current it is that current or nothing, whichever is nearer."""
    if cap_a >= minimum_a:
        return cap_a
    return minimum_a if cap_a >= minimum_a / 2.0 else 0.0


def _alike(one: Array, other: Array) -> bool:
    """Too near to each other for a message to carry the difference: 0.1 A."""
    return all(abs(a - b) < 0.1 for a, b in zip(one.tolist(), other.tolist(), strict=True))


def _whole_tenths(amps: Array) -> list[float]:
    """Rounded down to what messages carry: 0.1 A."""
    tenths: list[float] = (np.floor(amps * 10.0 + 1e-6) / 10.0).tolist()
    return tenths
