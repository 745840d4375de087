"""The decision: from meter samples and station states to limits. Pure: time comes in, setpoints come out.

What is known is known within bounds (see ``knowledge``), so nothing is acted on twice: a car that has been told to go
down is not told again, and current that was granted and not yet drawn stays reserved.

Reductions use what two samples agree on (one, above the rating) and go out at once; raises use the largest estimate
of the last ``raise_hold_s``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from hilbench.controller.allocate import Array, Index, Mask, allocate
from hilbench.controller.dimming import dimmed
from hilbench.controller.feeding import discharged
from hilbench.controller.headroom import Headroom
from hilbench.controller.knowledge import Base, Knowledge
from hilbench.controller.obedience import OVERDRAW_A
from hilbench.controller.sessions import must_go_on
from hilbench.controller.settings import ControllerSettings
from hilbench.controller.stations import (
    FIRST,
    NOISE_A,
    PLUGGED,
    StationState,
    caught_up,
    known_draw,
    least_drawn,
    most_drawn,
    settled,
)
from hilbench.controller.unbalance import balanced, paced
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


@dataclass(frozen=True)
class Look:
    """All stations [column] at one moment, which every part of a decision then goes by.

    ``held``: its limit; ``loose``: current that nothing steers; ``claimed``: what each may draw now, or was given;
    ``caps``: the most it can use or may have, whatever there is; ``flying_a``: what was given to stations that may not
    have followed yet.
    """

    steered: Mask
    held: Array
    loose: Array
    claimed: Array
    caps: Array
    flying_a: float


class Core(Knowledge):
    """The law of the dynamic controller. Feed it with ``meter``, ``status`` and ``report``, then ``decide``."""

    def __init__(self, site: Site, settings: ControllerSettings, t: float) -> None:
        super().__init__(site, settings, t)
        self._seen: tuple[Array, Array] | None = None
        self._decided = -math.inf
        self._stray_w = 0.0
        self._fallbacks = [_possible(station) for station in self._by_column]
        self.paced: set[str] = set()
        """Stations whose raise waits for cars on other lines."""

    # the decision

    @property
    def idle(self) -> bool:
        """True when no car wants current and the meter is trusted: nothing has to be decided soon."""
        return not self.watch.reason and not any(station.wants for station in self._by_column)

    def decide(self, t: float) -> list[Setpoint]:
        """Limits that must change now; an empty list when all is well."""
        self._run_out(t)
        if self._lines_changed:
            for column in self._lines_changed:
                self._watts[column] = self.watts_per_a(self._by_column[column])
                self._takes[column] = self._taken(self._by_column[column])
            self._lines_changed.clear()
            self.tree = self._whole.narrowed(self._takes)
        self._start(t)
        self._stray_w = self._strays_w(t)
        self.feeders.check(t)
        acting = self._may_act(t)
        if acting and not self._worth_deciding(t):
            return []
        targets = self._spared(self._targets(t), t) if acting else self._safe()
        changes: list[Setpoint] = []
        for role, target in targets.items():
            station = self.stations[role]
            was = station.target_a
            if abs(target - was) > 1e-6 or abs(target - station.granted_a) > 0.05:
                changes.append(Setpoint(role, target))
            if target != was or math.isinf(station.turn_t):
                self._note_turn(station, target, t)
                object.__setattr__(station, "target_a", target)  # no column is made of it
        return changes

    def _run_out(self, t: float) -> None:
        """Let leases and welcomes end."""
        for column in np.flatnonzero(t > self._column("lease_until") + 1.0).tolist():
            self._expire(self._by_column[column], t)
        waited = t >= np.minimum(self._column("welcome_until"), self._column("retry_t"))
        for column in np.flatnonzero(waited & (self._column("begun") == 0.0)).tolist():
            self._end_welcome(self._by_column[column], t)

    def _worth_deciding(self, t: float) -> bool:
        """True when something has happened since the last decision, or when timers may have run out meanwhile."""
        if not self._news and not any(station.wants for station in self.stations.values()):
            return False
        seen = (self._in_tenths(self.confirmed_base()), self._in_tenths(self.highest_base()))
        same = self._seen is not None and all(_alike(a, b) for a, b in zip(seen, self._seen, strict=True))
        if same and not self._news and t - self._decided < IDLE_S:
            return False
        self._seen, self._news, self._decided = seen, False, t
        return True

    def _in_tenths(self, base: Base) -> Array:
        """What a decision depends on, in amperes."""
        known = np.append(base.amps, base.power_w / self.site.service.voltage_v)
        return known if base.feeders is None else np.append(known, base.feeders)

    def _may_act(self, t: float) -> bool:
        """True when the meter is trusted, and every station is known or had time to fall back."""
        if not self.watch.trusted(t) or not self.building.known:
            return False
        return self.acquainted(t)

    def acquainted(self, t: float) -> bool:
        """True when every station has said what it does, or has had time to fall back."""
        if t - self._started > self.settings.lease_s + self.settings.settle_s:
            return True
        return all(station.known for station in self.stations.values())

    def _safe(self) -> dict[str, float]:
        amps = np.array(self._fallbacks)
        safe: list[float] = self.dim_shares(amps, range(len(amps)), self.power.worst_building_w).tolist()
        return {role: limit for (role, one), limit in zip(self.stations.items(), safe, strict=True) if one.online}

    def _targets(self, t: float) -> dict[str, float]:
        self._rank(t)
        order, look = self.order(t), self.look(t)
        free, given = self.free(look), self._given(look)
        now = _whole_tenths(self.shares(free, self.confirmed_base(), look.caps, order))
        settled = np.where(given > 0.0, -given, np.where(now < look.held - 1e-6, now, look.held)).tolist()
        upwards = look.steered & (given <= 0.0) & (now >= look.held - 1e-6)
        upwards &= (now >= look.held + RAISE_LEAST_A / 2.0) | (now >= self._column("cap_a"))
        if upwards.any():
            later = _whole_tenths(self.shares(free, self.highest_base(), look.caps, order))
            self._raise([column for column in order if upwards[column]], np.minimum(now, later), look, settled, t)
        roles = self.tree.roles
        targets = {roles[column]: settled[column] for column in order}
        self.paced.clear()
        if math.isfinite(self.site.spread_a):
            self._pace(targets, look, order, t)
        for column in np.flatnonzero(~look.steered).tolist():
            if self._by_column[column].online:
                targets[roles[column]] = self._fallbacks[column]
        return targets

    def _spared(self, targets: dict[str, float], t: float) -> dict[str, float]:
        """``targets`` with no session ended before it is sure that there is no room for it.

        What cars still draw that are slower than expected looks like the building, and so does what is not known of a
        draw until it is reported and the meter was read again.
        """
        kept = [self._by_column[column] for column in self._kept(t)]
        known = all(known_draw(one, self.settings) and self.building.agreed_since(one.reported_t) for one in kept)
        patience_s = self.settings.settle_s + (0.0 if known else 2.0 * self.settings.sample_s)
        for station in kept:
            short = targets[station.branch.role] < station.least_a
            station.short_t = min(station.short_t, t) if short else math.inf
            if short and t - station.short_t < patience_s:
                targets[station.branch.role] = station.least_a
        return targets

    def _raise(self, upwards: Sequence[int], shares: Array, look: Look, targets: list[float], t: float) -> None:
        """Set the ``targets`` of those that go ``upwards`` to their shares, if they may, as far as headroom lasts."""
        held = look.held[upwards]
        wishes = self._raised(np.array(upwards), held, shares[upwards], t)
        worth = np.minimum(np.maximum(held + RAISE_LEAST_A, self._least[upwards]), wishes)
        headroom = self._headroom(look)
        hopeful = (wishes > held) & headroom.may_suffice(upwards, held, worth)
        for column, wish in zip(upwards, np.minimum(wishes, held).tolist(), strict=True):
            targets[column] = wish
        for k in np.flatnonzero(hopeful).tolist():
            asked = (float(held[k]), float(wishes[k]), float(worth[k]))
            targets[upwards[k]] = headroom.raised(upwards[k], *asked)

    def _pace(self, targets: dict[str, float], look: Look, order: Sequence[int], t: float) -> None:
        """Raise no line further beyond the emptiest one than the lines may differ, whoever still has to come up.

        One car at a time begins all the same whose lines are not known: it may be the one that fills the emptiest.
        """
        stations, least_a = self._by_column, self._least.tolist()
        lines = [self._lines_of(station) for station in stations]
        wished = np.maximum(look.claimed, [targets.get(one.branch.role, 0.0) for one in stations])
        drawn = np.array([max(least_drawn(station, self.settings), 0.0) for station in stations])
        count = np.array([len(known) for known in lines])
        sure, even = np.where(count > 0, drawn, 0.0), count == len(self.site.lines)
        base = np.maximum(self.confirmed_base().amps, 0.0)
        parts = paced(self.tree, look.claimed, wished, sure, base, self.site.spread_a, even)
        unknown = [column for column in order if not lines[column]]
        if not any(look.held[column] >= least_a[column] and self._learning(stations[column], t) for column in unknown):
            parts[[column for column in unknown if look.held[column] < least_a[column] <= wished[column]][:1]] = 1.0
        for station, part in zip(stations, parts.tolist(), strict=True):
            role, now = station.branch.role, max(station.granted_a, 0.0)
            if part < 1.0 and targets.get(role, 0.0) > now:
                cut = math.floor((now + part * (targets[role] - now)) * 10.0) / 10.0
                targets[role] = cut if cut >= max(now + RAISE_LEAST_A, station.least_a) else now
                self.paced.add(role)

    def _learning(self, station: StationState, t: float) -> bool:
        """It was told so shortly ago that what it reports cannot have said yet which lines its car uses."""
        return t - station.granted_t < self.settings.settle_s + self.settings.sample_s

    def _lines_of(self, station: StationState) -> tuple[str, ...]:
        """Lines that its car is known to use; none while that is not known."""
        return station.branch.lines if station.certain else station.lines

    def _rank(self, t: float) -> None:
        """Who comes before others now; and what cars have first that do not begin at the least current."""
        ranks = self._ranks
        ranks.classes[:], ranks.guaranteed[:] = self._classes, self._guaranteed
        ranks.classes[t < self._column("boost_until")] = FIRST - 1.0
        begins = (self._column("begun") == 0.0) & (self._column("wants") != 0.0)
        begins &= self._column("granted_a") >= self._least
        begins[self._dc] = False  # a DC session takes longer to be set up, whatever it is offered
        hesitates = begins & (t - self._column("turn_t") >= HESITATES_S)
        ranks.guaranteed[hesitates] = np.maximum(START_A, self._guaranteed[hesitates])

    def _given(self, look: Look) -> Array:
        """What stations shall give back now [A]: by plan, or more where the building alone takes too much."""
        able = self._column("able_a") * look.steered
        if not able.any():
            return able
        wished = self._column("give_a")
        need_w, may_w = max(self.power.short_w(), self._short_w()), self.power.may_feed_w()
        return _whole_tenths(discharged(self.tree, wished, able, self._watts, (need_w, may_w)))

    def _short_w(self) -> float:
        """Power that would bring the fullest line of the service back to its limit, where the building is above."""
        over = float((self.building.highest() - self.tree.limits[self._root]).max()) + self.settings.margin_a
        return self.site.all_lines_kw(max(over, 0.0)) * 1000.0

    def _headroom(self, look: Look) -> Headroom:
        spare_w = self.power.left_w(self.power.highest_w())
        if math.isfinite(spare_w):
            spare_w -= float(look.claimed @ self._watts)
        return Headroom(self.tree, self.beside(look), self.raise_budget(look), spare_w, self._watts)

    def beside(self, look: Look) -> Array:
        """What each constraint leaves beside all that any station may draw now: reductions count when they are made."""
        free: Array = self.tree.limits - self.settings.margin_a - np.abs(self.tree.load(look.claimed))
        free[self._root] -= self.building.highest()
        below = self.feeders.highest()
        return free if below is None else free - below

    def look(self, t: float) -> Look:
        """All stations as they are now. Most draw what they have reported: only the others take thought."""
        stations = self._by_column
        steered = self._steered()
        held = np.maximum(self._column("granted_a"), 0.0)
        drawn, others = self._steady(steered)
        loose, claimed = np.maximum(drawn - held - NOISE_A, 0.0), np.maximum(held, drawn)
        flying = 0.0
        for column in others:
            station = stations[column]
            loose[column], claimed[column] = self._loose(station, t), self._claimed(station, t)
            flying += self._flying(station, t)
        return Look(steered, held, loose, claimed, self._caps(steered, t), flying)

    def _claimed(self, station: StationState, t: float) -> float:
        """What a station may draw now, or was given; one that gives may stop at any moment."""
        if not station.wants:
            return self._loose(station, t)
        return max(station.granted_a, most_drawn(station, self.settings, t), 0.0)

    def _flying(self, station: StationState, t: float) -> float:
        """Amperes that it was raised by and may not draw yet."""
        if not station.wants or station.raised_t != station.granted_t or settled(station, self.settings, t):
            return 0.0
        return max(station.granted_a - station.before_a[0], 0.0)

    def raise_budget(self, look: Look) -> float:
        """Amperes by which stations may be raised now, less what was raised and may not be drawn yet."""
        budget = self.settings.raise_in_flight * float(self.tree.limits[self._root].min())
        return max(budget, float(self._least.max(initial=0.0))) - look.flying_a

    def _raised(self, columns: Index, held: Array, shares: Array, t: float) -> Array:
        """Where stations ``columns`` go from ``held`` when ``shares`` would be possible: up slowly, or stay."""
        least = self._least[columns]
        small = (shares < held + RAISE_LEAST_A) & (shares < self._column("cap_a")[columns])
        patient = t - self._column("granted_t")[columns] >= PATIENCE_S
        worth = (shares >= held + RAISE_LEAST_A / 2.0) & patient & (held >= least)
        resumed = np.where(shares < least, held, self._resumed(columns, t))
        stepped = np.where(self._answered(columns, t), np.minimum(shares, held + self.settings.raise_step_a), held)
        return np.where(small, np.where(worth, shares - 0.2, held), np.where(held < least, resumed, stepped))

    def answered(self, station: StationState, t: float) -> bool:
        """It has said what it draws since its last raise, or would have: what is not drawn could hide a load step."""
        return bool(self._answered(np.array([station.column]), t)[0])

    def _answered(self, columns: Index, t: float) -> Mask:
        settled = self._column("raised_t")[columns] + self.settings.settle_s
        said = (self._column("reported_t")[columns] >= settled) & ~np.isnan(self._column("reported_a")[columns])
        found: Mask = (t >= settled) & (said | (t >= settled + 2.0 * self.settings.sample_s))
        for k in np.flatnonzero(~found).tolist():
            found[k] = caught_up(self._by_column[columns[k]])
        return found

    def _resumed(self, columns: Index, t: float) -> Array:
        rested = t - self._column("paused_t")[columns] >= self.settings.resume_hold_s
        return np.where(rested, self._least[columns], np.maximum(self._column("granted_a")[columns], 0.0))

    def free(self, look: Look) -> Array:
        """What each constraint leaves beside the stations that cannot be steered, with no building."""
        room: Array = self.tree.limits - self.settings.margin_a - np.abs(self.tree.load(look.loose))
        return room

    def room(self, free: Array, base: Base) -> Array:
        """What each constraint leaves to the stations that are steered."""
        room = free.copy() if base.feeders is None else free - base.feeders
        room[self._root] -= base.amps
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

    def _caps(self, steered: Mask, t: float) -> Array:
        """The most that each station can use or may have now, whatever there is."""
        stations = self._by_column
        caps: Array = np.minimum(np.minimum(self._column("useful_a"), self._column("cap_a")), self._planned(t))
        if math.isfinite(self.site.spread_a):
            unknown = [one.branch.kind == "ac" and not one.lines and len(one.branch.lines) > 1 for one in stations]
            caps = np.where(unknown, np.minimum(caps, self.site.spread_a), caps)
        if self.settings.random_delay_s:
            steered = steered & [self.delays.over(column, t) for column in range(len(stations))]
        return np.where(steered, caps, 0.0)

    def _planned(self, t: float) -> Array:
        """What plans leave to each station: no plan ends a session, and a boost knows none."""
        plan = np.where(t >= self._column("boost_until"), self._column("plan_a"), math.inf)
        kept = self._kept(t)
        plan[kept] = np.maximum(plan, self._least)[kept]
        return plan

    def _kept(self, t: float) -> list[int]:
        """Stations [column] with a session that a pause would end."""
        return [column for column in self._dc if must_go_on(self._by_column[column], t)]

    def _start(self, t: float) -> None:
        """Note who may begin: a session, or a plan after a pause, begins after a delay where the site wants one."""
        if not self.settings.random_delay_s:
            return
        for station, planned_a in zip(self._by_column, self._planned(t).tolist(), strict=True):
            self.delays.want(station.column, t, station.status in PLUGGED and planned_a >= station.least_a)

    def shares(self, free: Array, base: Base, caps: Array, order: Sequence[int]) -> Array:
        """Shares [station] beside a building of ``base``, by everything that limits them."""
        room, most_a = self.room(free, base), self.site.spread_a
        shares = self.dim_shares(self.allotted(room, caps, order), order, base.power_w)
        if math.isinf(most_a):
            return shares
        amps = np.maximum(base.amps, 0.0)
        found = balanced(self.tree, shares, amps, most_a, order, self._least)
        if (found == shares).all():
            return found
        # what was cut is there for those that load all lines alike
        shares = self.dim_shares(self.allotted(room, np.where(found < shares, found, caps), order), order, base.power_w)
        return balanced(self.tree, shares, amps, most_a, order, self._least)

    def allotted(self, room: Array, caps: Array, order: Sequence[int]) -> Array:
        """Shares by the tree alone, whatever holds from outside."""
        return allocate(self.tree, room, caps, order, self._ranks, self._least)

    def dim_shares(self, amps: Array, order: Sequence[int], building_w: float) -> Array:
        """No more than the stations may draw together, in the order of who comes first."""
        left_w = max(self.power.left_w(building_w) - self._stray_w, 0.0)
        return amps if math.isinf(left_w) else dimmed(amps, self._watts, order, left_w, self._least)

    # turns

    def order(self, t: float) -> list[int]:
        """Who comes first when not all can have the minimum: class, then turns of ``rotation_s``.

        Who gave up its place takes another's only when it has waited for its part. Who has waited for ``most_wait_s``
        comes before all classes, and has a turn; and before all comes a session that a pause would end (see
        ``sessions``).
        """
        settings, columns = self.settings, np.flatnonzero(self._steered())
        waiting_t, turn_t = self._column("waiting_t")[columns], self._column("turn_t")[columns]
        was = self._column("overdue")[columns] != 0.0
        charges = (self._column("granted_a")[columns] >= self._least[columns]) | self._told(columns, t)
        in_turn = charges & (t - turn_t < settings.rotation_s)
        overdue = np.where(charges, was & in_turn, t - waiting_t >= settings.most_wait_s)
        for k in np.flatnonzero(overdue != was).tolist():
            self._by_column[columns[k]].overdue = bool(overdue[k])
        first = -self._classes[columns]
        first[t < self._column("boost_until")[columns]] = 1.0 - FIRST
        first[overdue] = -FIRST
        kept = np.isin(columns, self._kept(t))
        first[kept] -= 2.0 * FIRST
        rests = t - self._column("paused_t")[columns] < self._part_s(columns, charges)
        turn = np.where(charges, np.where(in_turn | kept, 0, 2), np.where(rests, 3, 1))
        ranked: list[int] = columns[np.lexsort((np.where(charges, turn_t, waiting_t), turn, first))].tolist()
        return ranked

    def _told(self, columns: Index, t: float) -> Mask:
        """Who was given a place a moment ago and has not confirmed it: to take it back would cost the turn."""
        told: Mask = np.isinf(self._column("waiting_t")[columns])
        return told & (t - self._column("turn_t")[columns] < self.settings.settle_s)

    def _part_s(self, columns: Index, charges: Mask) -> float:
        """How long each waits when all wait alike: a turn of each that charges is shared by those without a place.

        Turns that began together would else end together too: each would take the place of the next at once, all be
        interrupted, and the last one wait for all of the next turn.
        """
        waiting = int((~charges & (self._column("plan_a")[columns] >= self._least[columns])).sum())
        part = min(waiting / max(int(charges.sum()), 1), 1.0)
        return max(part * self.settings.rotation_s, self.settings.resume_hold_s)

    def _note_turn(self, station: StationState, target: float, t: float) -> None:
        was, will = station.target_a >= station.least_a, target >= station.least_a
        if will and (not was or math.isinf(station.turn_t)):
            station.turn_t, station.waiting_t = t, math.inf
        elif was and not will:
            station.paused_t, station.waiting_t = t, t


def _possible(station: StationState) -> float:
    """Its fallback, where that is enough for a car; else nothing."""
    return station.branch.fallback_a if station.branch.fallback_a >= station.least_a else 0.0


def _alike(one: Array, other: Array) -> bool:
    """Too near to each other for a message to carry the difference: 0.1 A."""
    return all(abs(a - b) < 0.1 for a, b in zip(one.tolist(), other.tolist(), strict=True))


def _whole_tenths(amps: Array) -> Array:
    """Rounded down to what messages carry: 0.1 A."""
    tenths: Array = np.floor(amps * 10.0 + 1e-6) / 10.0
    return tenths
