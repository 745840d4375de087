"""What a station says is in force, held against what it accepted. Pure.

A composite schedule is a word, and words may be wrong (EVerest#609, #819): it counts against a station only as long as
no report has shown that it holds its limits. What it says of the time after the lease nobody can measure, so that
counts by itself: the fallback is installed once more, and when it is then missing again, there is none. Less than was
set is no contradiction: something else may limit it too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from hilbench.controller.abilities import Supply
from hilbench.controller.settings import ControllerSettings

if TYPE_CHECKING:
    from hilbench.controller.stations import StationState

TOLERANCE_A = 0.5
"""Rounding, and watts at another voltage than the nominal one (policy)."""
MOST_REFUSALS = 3
"""A station that has refused so often is not asked any more (policy)."""
AGAIN_S = 30.0
"""So long after a fallback that was missing was installed once more, the station is asked again (policy)."""
ENDS_S = 10.0
"""So long after the end of a lease the fallback must hold: clocks differ, and profiles begin a little before."""


class Composite(NamedTuple):
    """Periods (start [s], limit [A per phase], infinite for none) from now on, and how far they reach [s]."""

    periods: tuple[tuple[float, float], ...]
    reach_s: float

    def limit_a(self, ahead_s: float) -> float | None:
        """The limit in ``ahead_s`` seconds; None where nothing is said of then."""
        if not 0.0 <= ahead_s < self.reach_s:
            return None
        return next((limit for start, limit in reversed(self.periods) if start <= ahead_s), None)


def composite_of(schedule: Any, asked_s: float, supply: Supply) -> Composite | None:
    """A schedule in snake_case as stations send it; None when it cannot be understood.

    A negative limit stands for none (MicroOcpp). Watts are divided by the phases that a period
    names, those of a DC station by all that it has.
    """
    try:
        watts = schedule["charging_rate_unit"] == "W"
        periods = [_period(one, watts, supply) for one in schedule["charging_schedule_period"]]
        reach_s = min(float(schedule.get("duration") or asked_s), asked_s)
    except (KeyError, TypeError, ValueError, AttributeError, ZeroDivisionError):
        return None
    good = all(math.isfinite(start) and not math.isnan(limit) for start, limit in periods)
    return Composite(tuple(sorted(periods)), reach_s) if periods and good else None


def _period(one: Mapping[str, Any], watts: bool, supply: Supply) -> tuple[float, float]:
    limit = float(one["limit"])
    if limit < 0.0:
        return float(one["start_period"]), math.inf
    phases = int((not supply.dc and one.get("number_phases")) or supply.phases)
    return float(one["start_period"]), limit / (supply.volts * phases) if watts else limit


def worth_reading(station: StationState, settings: ControllerSettings, t: float) -> bool:
    """True when what ``station`` says is wanted now: while its car charges at a limit that has stood for a while."""
    if not settings.readback_s or not station.online or station.status != "Charging":
        return False
    trust, leased = station.trust, station.lease_until - t
    wait_s = min(AGAIN_S, settings.readback_s) if trust.lapsed == 1 else settings.readback_s
    due = t - trust.read_t >= wait_s and trust.unread < MOST_REFUSALS
    return due and t - station.granted_t >= settings.reaction_s and 0.0 < leased < math.inf


def asked_s(settings: ControllerSettings) -> int:
    """How far ahead is asked: past the end of any lease."""
    return math.ceil(settings.lease_s + 3.0 * ENDS_S)


def compare(station: StationState, said: Composite | None, settings: ControllerSettings, t: float) -> bool:
    """Hold what ``station`` ``said`` against what it accepted; True when that changes whether it is believed."""
    trust = station.trust
    if said is None:
        trust.unread += 1
        return False
    trust.unread = 0
    then = said.limit_a(station.lease_until - t + ENDS_S) if math.isfinite(station.lease_until) else None
    if then is not None:
        trust.lapsed = trust.lapsed + 1 if then > station.branch.fallback_a + TOLERANCE_A else 0
        trust.strays_alone |= trust.lapsed > 1
    now = said.limit_a(0.0)
    ceiling = trust.ceiling_a(t, station.granted_a, settings.reaction_s)
    if now is None or now <= max(ceiling, 0.0) + TOLERANCE_A or math.isfinite(trust.good_t) or trust.flaw:
        return False
    trust.blame("contradicts")
    return True
