"""Which period of a profile counts at an instant, and when that may change."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from hilbench_emulators.smart_charging.model import Kind, Profile, Schedule
from hilbench_emulators.smart_charging.options import Options
from hilbench_emulators.smart_charging.times import grid


@dataclass(frozen=True)
class Situation:
    """What the outlet is in the middle of, as far as profiles depend on it.

    ``began`` is when relative schedules start; ``choice`` the schedule of a profile with several that the car has taken
    (OCPP 2.1 K15.FR.22, standard-text); ``lapsed`` the profiles that an offline time has ended for good.
    """

    evse: int
    began: float
    transaction_id: str | int | None = None
    soc_pct: float | None = None
    choice: int = 0
    offline_since: float | None = None
    lapsed: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Selector:
    """The rules of time, with the knobs of ``options``."""

    options: Options

    def period_index(self, profile: Profile, at: Situation, t: float) -> int | None:
        """Index of the period that counts at ``t``; None where the profile says nothing.

        Of each profile the schedule of the car's choice counts, the first where it has none of that number.
        """
        if not self.valid(profile, at, t):
            return None
        schedule = schedule_of(profile, at)
        elapsed_s = self._elapsed(profile, schedule, at, t)
        if elapsed_s is None or elapsed_s >= schedule.duration_s:
            return None
        started = [index for index, start_s in self._starts(profile, schedule, at) if start_s <= elapsed_s]
        return started[-1] if started else None

    def valid(self, profile: Profile, at: Situation, t: float) -> bool:
        """From validFrom until before validTo (OCPP 2.0.1 K01.FR.36 and FR.37), and not offline for too long.

        Offline for exactly the longest time already counts as too long (2.1 K01.FR.101 says "more than": the same
        except in that one instant, and the change then has a first instant).
        """
        if not profile.valid_from <= t < profile.valid_to or profile.id in at.lapsed:
            return False
        return t < offline_end(profile, at)

    def edges(self, profile: Profile, at: Situation, t: float) -> Iterator[float]:
        """Instants after ``t`` among which is the first at which the profile may say something else."""
        if t < profile.valid_from:
            yield profile.valid_from
        elif self.valid(profile, at, t):
            yield profile.valid_to
            yield offline_end(profile, at)
            schedule = schedule_of(profile, at)
            if schedule.use_local_time:
                yield self.options.zone.next_shift(t)
            yield from (edge for edge in self._schedule_edges(profile, schedule, at, t) if edge > t)

    def _ahead_s(self, schedule: Schedule, t: float) -> float:
        """What local time is ahead of UTC, if that counts."""
        return self.options.zone.offset(t) if schedule.use_local_time else 0.0

    def _origin(self, profile: Profile, schedule: Schedule, at: Situation, t: float) -> float:
        """UTC of the start that the periods in force at ``t`` count from."""
        if profile.kind is Kind.DYNAMIC:
            return -math.inf if profile.dyn_update_time is None else profile.dyn_update_time
        if schedule.start is None:
            return at.began
        start = schedule.start - self._ahead_s(schedule, t)
        if profile.recurrency is None or profile.kind is not Kind.RECURRING:
            return start
        if t < start and not self.options.backwards:
            return start
        return start + (t - start) // profile.recurrency.period_s * profile.recurrency.period_s

    def _elapsed(self, profile: Profile, schedule: Schedule, at: Situation, t: float) -> float | None:
        """Seconds since the start of the schedule; None before it."""
        elapsed_s = t - self._origin(profile, schedule, at, t)
        if profile.kind is Kind.DYNAMIC:
            # An update that the clock has not reached yet is as good as one of now.
            return self._dynamic_elapsed(schedule, elapsed_s, t)
        return None if elapsed_s < 0 else elapsed_s

    def _dynamic_elapsed(self, schedule: Schedule, elapsed_s: float, t: float) -> float | None:
        if schedule.start is not None and t < schedule.start - self._ahead_s(schedule, t):
            return None
        return 0.0 if math.isinf(elapsed_s) else max(0.0, elapsed_s)

    def _starts(self, profile: Profile, schedule: Schedule, at: Situation) -> Iterator[tuple[int, float]]:
        """Index and start of each period, put off at random except the first (OCPP 2.1 K01.FR.92, standard-text)."""
        for index, period in enumerate(schedule.periods):
            most_s = schedule.randomized_delay_s
            delayed = index > 0 and most_s > 0
            delay_s = self.options.delay(at.transaction_id, profile.id, index, most_s) if delayed else 0.0
            yield index, period.start_s + grid(delay_s)

    def _schedule_edges(self, profile: Profile, schedule: Schedule, at: Situation, t: float) -> Iterator[float]:
        origin = self._origin(profile, schedule, at, t)
        yield origin + schedule.duration_s
        yield from (origin + start_s for _, start_s in self._starts(profile, schedule, at))
        if profile.kind is Kind.DYNAMIC and schedule.start is not None:
            yield schedule.start - self._ahead_s(schedule, t)
        if profile.kind is Kind.RECURRING and profile.recurrency is not None:
            yield origin + profile.recurrency.period_s


def schedule_of(profile: Profile, at: Situation) -> Schedule:
    """The schedule of the car's choice, or the first."""
    return profile.schedules[at.choice if at.choice < len(profile.schedules) else 0]


def offline_end(profile: Profile, at: Situation) -> float:
    """When the profile ceases to be valid if the station stays offline (OCPP 2.1 K01.FR.101, standard-text)."""
    if at.offline_since is None or profile.max_offline_s is None:
        return math.inf
    return at.offline_since + profile.max_offline_s
