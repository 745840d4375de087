"""The last resort: end the session of a station that does not do as it is told, where nothing else keeps the budget.

Limits come first. A station is stopped only when it is known not to obey, draws more than it may, and has made a line
too full for ``reaction_s`` that would be too full even if all others drew nothing. One that obeys is never stopped.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from hilbench.controller.allocate import Array
from hilbench.controller.core import Core
from hilbench.controller.obedience import FRESH_SAMPLES, OVERDRAW_A
from hilbench.controller.stations import StationState

OVER_A = 1.0
"""A line that carries so much more than its limit is too full (policy: the least tolerance around a budget)."""
DRAWS_A = 3.0
"""A station that draws less than this is none that a stop would help with (policy)."""


class Stop(NamedTuple):
    """Whose session is to be ended: what it draws, and which line of which node that makes too full [A]."""

    role: str
    drawn_a: float
    node: str
    line: str
    limit_a: float
    total_a: float

    @property
    def reason(self) -> str:
        """Why, in words."""
        full = f"{self.node} {self.line} has {self.total_a:.1f} A of {self.limit_a:.1f} A without the other stations"
        return f"draws {self.drawn_a:.1f} A against its limit, and {full}"


class LastResort:
    """Watches ``core`` for lines that only a stop can relieve."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._since: dict[int, float] = {}
        self._tried: dict[str, float] = {}

    def look(self, t: float) -> Stop | None:
        """The session that is to be ended now; one at a time, and each again after ``believe_s`` at the earliest."""
        strays = [one for one in self._core.stations.values() if _strays(one, self._core, t)]
        if not strays or not self._core.settings.stop_strays or self._core.watch.reason:
            self._since.clear()
            return None
        totals = self._seen(self._totals(strays))
        limits = self._core.tree.limits
        over = np.flatnonzero(totals > limits + OVER_A).tolist()
        self._since = {row: self._since.get(row, t) for row in over}
        found = self._chosen(strays, t)
        if found is None:
            return None
        station, row = found
        self._tried[station.branch.role] = t
        node, line = self._core.tree.keys[row]
        return Stop(station.branch.role, _drawn_a(station), node, line, float(limits[row]), float(totals[row]))

    def _totals(self, strays: Iterable[StationState]) -> Array:
        """What each constraint carries without the stations that obey [constraint, A]."""
        core = self._core
        drawn = np.zeros(len(core.stations))
        for station in strays:
            drawn[station.column] = _drawn_a(station)
        base, totals = core.confirmed_base(), np.abs(core.tree.load(drawn))
        totals[core._root] += np.maximum(base.amps, 0.0)
        return totals if base.feeders is None else totals + base.feeders

    def _seen(self, totals: Array) -> Array:
        """The same, at the service no more than its meter shows beside the others: what is only feared is no reason."""
        seen, core = totals.copy(), self._core
        seen[core._root] = np.minimum(seen[core._root], core.shown - core._lower)
        return seen

    def _chosen(self, strays: Iterable[StationState], t: float) -> tuple[StationState, int] | None:
        """Of the least class the one that draws most, and its line; what it draws was said after limits had time."""
        settings = self._core.settings
        if any(t - tried < settings.reaction_s for tried in self._tried.values()):
            return None  # the last stop may still take effect
        found = [
            (station.rank(t), -_drawn_a(station), station.column, row)
            for station in strays
            if t - self._tried.get(station.branch.role, -math.inf) >= settings.believe_s
            for row in self._core.tree.rows_of(station.column).tolist()
            if row in self._since and station.reported_t >= self._since[row] + settings.reaction_s
        ]
        if not found:
            return None
        _rank, _drawn, column, row = min(found)
        return next(one for one in strays if one.column == column), row


def _strays(station: StationState, core: Core, t: float) -> bool:
    """It is known not to obey, and has reported not long ago that it draws more than it may."""
    fresh = t - station.reported_t <= FRESH_SAMPLES * core.settings.sample_s
    if not (station.online and station.wants and station.trust.flaw and fresh and _drawn_a(station) >= DRAWS_A):
        return False
    return _drawn_a(station) > station.granted_a + OVERDRAW_A or station.trust.flaw == "refuses"


def _drawn_a(station: StationState) -> float:
    """What it has reported."""
    return station.reported_a or 0.0
