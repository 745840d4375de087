"""The decision: from meter samples and station states to limits. Pure: time comes in, setpoints come out.

What is known is known within bounds (see ``knowledge``), so nothing is acted on twice: a car that has been told to go
down is not told again, and current that was granted and not yet drawn stays reserved.

Reductions use what two samples agree on (one, above the rating) and go out at once; raises use the largest estimate
of the last ``raise_hold_s``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from hilbench.controller.allocate import Array, allocate
from hilbench.controller.dimming import dimmed
from hilbench.controller.feeding import discharged
from hilbench.controller.headroom import Headroom
from hilbench.controller.knowledge import Base, Knowledge
from hilbench.controller.obedience import OVERDRAW_A
from hilbench.controller.settings import ControllerSettings
from hilbench.controller.stations import (
    FIRST,
    NOISE_A,
    PLUGGED,
    StationState,
    caught_up,
    known_draw,
    most_drawn,
    settled,
)
from hilbench.controller.unbalance import balanced
from hilbench.site import Site

IDLE_S = 5.0
"""A decision is taken again after so long even when nothing new was heard: holds and turns run out by themselves."""
RAISE_LEAST_A = 1.0
"""Raises smaller than this wait until they are worth a message, unless they reach the station's cap."""
HESITATES_S = 20.0
"""A car that has not begun by then is one that wants more: others begin within seconds (measured on real cars)."""
START_A = 10.0
"""At so much all cars begin that are known to want more than 6 A (7, 8 or 10 A: SmartEVSE-3.5#335, evcc#15710)."""
PATIENCE_S = 60.0
"""So long: a rest that small is still some per cent of the budget when every station leaves it."""


class Setpoint(NamedTuple):
    """A limit [A] that a station shall have from now on."""

    role: str
    limit_a: float


class Core(Knowledge):
    """The law of the dynamic controller. Feed it with ``meter``, ``status`` and ``report``, then ``decide``."""

    def __init__(self, site: Site, settings: ControllerSettings, t: float) -> None:
        super().__init__(site, settings, t)
        self._seen: tuple[Array, Array] | None = None
        self._decided = -math.inf
        self._stray_w = 0.0

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
            if not station.begun and t >= min(station.welcome_until, station.retry_t):
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
        self._rank(t)
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

    def _rank(self, t: float) -> None:
        """Who comes before others now; and what cars have first that do not begin at the least current."""
        ranks = self._ranks
        ranks.classes[:], ranks.guaranteed[:] = self._classes, self._guaranteed
        for station in self._by_column:
            if t < station.boost_until:
                ranks.classes[station.column] = station.rank(t)
            if not station.begun and station.wants and station.granted_a >= self.settings.minimum_a:
                hesitates = t - station.turn_t >= HESITATES_S
                ranks.guaranteed[station.column] = max(START_A * hesitates, station.branch.guaranteed_a)

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
        return self.site.all_lines_kw(max(over, 0.0)) * 1000.0

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
        if not self.settings.random_delay_s:
            return
        for station in self._by_column:
            may = station.status in PLUGGED and (station.plan_a >= self.settings.minimum_a or station.boosted(t))
            self.delays.want(station.column, t, may)

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


def _alike(one: Array, other: Array) -> bool:
    """Too near to each other for a message to carry the difference: 0.1 A."""
    return all(abs(a - b) < 0.1 for a, b in zip(one.tolist(), other.tolist(), strict=True))


def _whole_tenths(amps: Array) -> list[float]:
    """Rounded down to what messages carry: 0.1 A."""
    tenths: list[float] = (np.floor(amps * 10.0 + 1e-6) / 10.0).tolist()
    return tenths
