"""Why a station has the limit that it has: what binds it, who shares that, and by how many amperes. Pure.

Asked at any time, the answer is worked out with the very functions that decide, from the state as it is, which stays as
it was.
"""

from __future__ import annotations

import copy
import math
from typing import Any, NamedTuple

import numpy as np

from hilbench.controller.allocate import Array
from hilbench.controller.core import RAISE_LEAST_A, Core
from hilbench.controller.knowledge import Base
from hilbench.controller.obedience import FLAWS
from hilbench.controller.stations import StationState, most_drawn

TENTH_A = 0.05
"""Half of what messages carry (0.1 A): limits nearer to each other are the same."""

KINDS = {
    "link-lost": "its link is lost: it keeps its last limit until the lease ends, then stands on its fallback",
    "stopped": "its session was ended as the last resort: it did not do as it was told; plug in again to go on",
    "no-car": "no car there wants current: it stands on its fallback",
    "astray": "it does not do what it is told and stands on its fallback, as far as it obeys that",
    "meter-lost": "the meter is not trusted: it stands on its fallback",
    "starting": "the controller has just started and does not know every station yet: it stands on its fallback",
    "cap": "it has all that the station can give or may give",
    "use": "its car takes no more",
    "plan": "by plan it has no more now: it will be ready in time",
    "delay": "its start waits for a random delay, which a boost skips",
    "full": "a line has no more to give",
    "dimmed": "all stations together may draw no more: a limit of power",
    "unbalance": "the lines of the service may not differ by more",
    "rotation": "not all cars can have the least current: it waits for its turn",
    "hold-raise": "there is more, but not for long enough yet",
    "hold-resume": "it was paused a moment ago and stays so for a while",
    "hold-answer": "it was raised a moment ago and has not yet shown what it draws",
    "hold-flight": "other stations were raised and may not have followed yet",
    "hold-reserve": "what others may still draw is kept free",
    "rising": "it is on its way up",
}
"""What can bind a limit, in words."""


class Share(NamedTuple):
    """What a station may draw now in a line [A], and what it reported as the most of its phases [A]."""

    role: str
    amps: float
    reported_a: float | None


class Constraint(NamedTuple):
    """One line of one node: its limit, and what is left of that to the stations that are steered (``room_a``).

    ``shared_a`` is what the decision gives away of it; ``building_a`` is none at a feeder that feeds stations only.
    """

    node: str
    line: str
    limit_a: float
    margin_a: float
    building_a: float | None
    room_a: float
    shared_a: float
    by: tuple[Share, ...]


class Why(NamedTuple):
    """The limit of a station [A] and the one thing that binds it: one of ``KINDS``, and how long a hold lasts [s]."""

    role: str
    limit_a: float
    granted_a: float
    reported_a: float | None
    cap_a: float
    kind: str
    detail: str = ""
    constraint: Constraint | None = None
    wait_s: float | None = None


class _Room(NamedTuple):
    """What the decision reckons with: the building [line], what is left [constraint], and the shares [station]."""

    base: Base
    room: Array
    shares: Array


def why(core: Core, role: str, t: float) -> Why:
    """What binds station ``role`` at core time ``t``; raises ``KeyError`` for a role that there is not."""
    station = core.stations[role]
    return _apart(core, station, t) or _Steered(core, station, t).why()


def _answer(station: StationState, kind: str, detail: str = "", **more: Any) -> Why:
    about = (station.branch.role, station.target_a, station.granted_a, station.reported_a, station.cap_a)
    return Why(*about, kind, detail, **more)


def _apart(core: Core, station: StationState, t: float) -> Why | None:
    """The answer for a station that the decision does not steer; None for one that it does."""
    if not station.online:
        left = station.lease_until - t
        return _answer(station, "link-lost", wait_s=left if 0.0 < left < math.inf else None)
    if not station.wants and station.trust.stopped:
        return _answer(station, "stopped", station.trust.stopped)
    if not station.wants:
        return _answer(station, "no-car", station.status or "state not known")
    if station.trust.flaw:
        counted = f"counted with {most_drawn(station, core.settings, t):.1f} A"
        return _answer(station, "astray", f"{FLAWS[station.trust.flaw]}; {counted}")
    watch = copy.copy(core.watch)  # asking it whether it trusts leaves traces
    if not watch.trusted(t) or not core.building.known:
        return _answer(station, "meter-lost", watch.reason or "it recovers")
    if not core.acquainted(t):
        return _answer(station, "starting", ", ".join(r for r, s in core.stations.items() if not s.known))
    return None


class _Steered:
    """The decision at ``t``, looked at from one station."""

    def __init__(self, core: Core, station: StationState, t: float) -> None:
        self._core, self._station, self._t = core, station, t
        self._order, self._look = core.order(t), core.look(t)
        self._free = core.free(self._look)
        self._now, self._later = self._shared(core.confirmed_base()), self._shared(core.highest_base())

    def _shared(self, base: Base) -> _Room:
        room = self._core.room(self._free, base)
        return _Room(base, room, self._core.shares(self._free, base, self._look.caps, self._order))

    def why(self) -> Why:
        """What binds it: the same questions as in the decision, in the same order."""
        core, station, t, settings = self._core, self._station, self._t, self._core.settings
        held, up = station.granted_a, min(self._tenths(self._now), self._tenths(self._later))
        if up <= held + TENTH_A or up < min(held + RAISE_LEAST_A, station.cap_a):
            return self._bound(held)
        if held < station.least_a:
            wait = station.paused_t + settings.resume_hold_s - t
            if wait > 0:
                return _answer(station, "hold-resume", wait_s=wait)
        elif not core.answered(station, t):
            longest = station.raised_t + settings.settle_s + 2.0 * settings.sample_s
            return _answer(station, "hold-answer", wait_s=longest - t)
        target = core._targets(t)[station.branch.role]
        return _answer(station, "rising", f"to {target:.1f} A") if target > held else self._withheld()

    def _tenths(self, room: _Room) -> float:
        return math.floor(float(room.shares[self._station.column]) * 10.0) / 10.0

    def _bound(self, held: float) -> Why:
        """Bound by what there is now; or, where that is more than it has, by what has not been there for long."""
        now, later = self._tenths(self._now), self._tenths(self._later)
        if now > max(later, held) + TENTH_A:
            return self._binding(self._later)._replace(kind="hold-raise")
        return self._binding(self._now)

    def _binding(self, at: _Room) -> Why:
        """Its own cap, or the constraint that is full in shares ``at``."""
        station, column, least = self._station, self._station.column, self._station.least_a
        share, cap = float(at.shares[column]), float(self._look.caps[column])
        if share >= cap - TENTH_A or cap < least:
            return self._capped(cap)
        tree = self._core.tree
        rows = tree.rows_of(column)
        if power := self._by_power(at, column, share):
            return power
        if share >= least:
            slack = (at.room - np.abs(tree.load(at.shares)))[rows]
            return _answer(station, "full", constraint=self._constraint(int(rows[slack.argmin()]), at))
        served = np.where(at.shares > 0.0, self._core._least, 0.0)
        served[column] = least
        row = int(rows[(np.abs(tree.load(served)) - at.room)[rows].argmax()])
        others = any(at.shares[c] > 0.0 for c in tree.columns[tree.rows == row])
        return _answer(station, "rotation" if others else "full", constraint=self._constraint(row, at))

    def _capped(self, cap: float) -> Why:
        """The answer for a station that has all that it can or may have, whatever there is."""
        station = self._station
        if not self._core.delays.over(station.column, self._t):
            return _answer(station, "delay")
        if station.plan_a <= cap and not station.boosted(self._t):
            less = station.plan_a < cap - TENTH_A
            return _answer(station, "plan", f"{station.plan_a:.1f} A{'; a DC session is not paused' if less else ''}")
        kind = "use" if station.useful_a <= cap and station.useful_a < station.cap_a else "cap"
        return _answer(station, kind, f"{cap:.1f} A")

    def _by_power(self, at: _Room, column: int, share: float) -> Why | None:
        """The answer where limits of power or of unbalance cut the share that the tree alone would give."""
        core = self._core
        by_tree = core.allotted(at.room, self._look.caps, self._order)
        if float(by_tree[column]) <= share + TENTH_A:
            return None
        if float(core.dim_shares(by_tree, self._order, at.base.power_w)[column]) > share + TENTH_A:
            return _answer(self._station, "unbalance", f"{core.site.spread_a:.1f} A")
        return _answer(self._station, "dimmed", core.power.reason(at.base.power_w))

    def _withheld(self) -> Why:
        """It could go up and is not let: too much is in flight, or a constraint is full of what all may draw."""
        core, station, t = self._core, self._station, self._t
        if station.branch.role in core.paced:
            return _answer(station, "unbalance", f"{core.site.spread_a:.1f} A, and cars on other lines come up first")
        targets, free, spare = core._targets(t), core.beside(self._look), core.raise_budget(self._look)
        for column in self._order[: self._order.index(station.column)]:
            other = core._by_column[column]
            up = max(targets[other.branch.role] - other.granted_a, 0.0)
            free[core.tree.rows_of(column)] -= up
            spare -= up
        rows = core.tree.rows_of(station.column)
        row = int(rows[free[rows].argmin()])
        if spare <= free[row]:
            return _answer(station, "hold-flight", f"{max(spare, 0.0):.1f} A left to raise by")
        return _answer(station, "hold-reserve", constraint=self._constraint(row, self._later))

    def _beside(self, row: int, base: Base) -> float | None:
        """What flows there beside the stations; None where nothing does."""
        core, node = self._core, self._core.tree.keys[row][0]
        if row in core._root:
            return float(base.amps[core._root.index(row)])
        return float(base.feeders[row]) if base.feeders is not None and node in core.feeders.loads else None

    def _constraint(self, row: int, at: _Room) -> Constraint:
        core, tree, claimed = self._core, self._core.tree, self._look.claimed.tolist()
        node, line = tree.keys[row]
        inside = tree.rows == row
        by = [
            Share(core._by_column[column].branch.role, abs(unit) * claimed[column], core._by_column[column].reported_a)
            for column, unit in zip(tree.columns[inside].tolist(), tree.units[inside].tolist(), strict=True)
            if claimed[column] > 0.0 or column == self._station.column
        ]
        building = self._beside(row, at.base)
        shared = float(np.abs(tree.load(at.shares))[row])
        limits = (float(tree.limits[row]), core.settings.margin_a, building, float(at.room[row]), shared)
        return Constraint(node, line, *limits, tuple(by))


def in_words(found: Why) -> list[str]:
    """The answer as lines of text for somebody who stands at the station."""
    drawn = "" if found.reported_a is None else f", draws {found.reported_a:.1f} A"
    detail = f" ({found.detail})" if found.detail else ""
    lines = [f"{found.role}: limit {found.limit_a:.1f} A{drawn}", f"because {KINDS[found.kind]}{detail}"]
    if found.wait_s is not None:
        lines.append(f"for {found.wait_s:.0f} s more at most")
    if found.constraint is not None:
        lines += _constraint_in_words(found.constraint)
    return lines


def _constraint_in_words(full: Constraint) -> list[str]:
    building = "" if full.building_a is None else f" - {full.building_a:.1f} A building"
    return [
        f"{full.node} {full.line}: {full.limit_a:.1f} A - {full.margin_a:.1f} A margin{building}; "
        f"leaves {full.room_a:.1f} A to stations, {full.shared_a:.1f} A given away",
        *(f"  {share.role:<8} may draw {share.amps:.1f} A there" for share in full.by),
    ]
