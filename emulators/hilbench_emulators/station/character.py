"""What a make of station does to profiles and limits on their way to the pilot; pure, times are UTC seconds."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import replace

from hilbench.site import MINIMUM_CURRENT_A
from hilbench_emulators.personality import Behaviour
from hilbench_emulators.smart_charging import Answer, Profile, ProfileStore, Purpose
from hilbench_emulators.smart_charging.model import Rate, Schedule
from hilbench_emulators.smart_charging.selection import Situation

_RAMP_STEP_S = 1.0


class Followed(ProfileStore):
    """Those profiles of another store that a station acts on: all but the purposes in ``without``."""

    def __init__(self, of: ProfileStore, without: frozenset[Purpose]) -> None:
        super().__init__(of.version, of.options, of.facts)
        self._of, self._without, self.outlets = of, without, of.outlets

    def candidates(self, purpose: Purpose, evse: int) -> list[Profile]:
        """See :class:`ProfileStore`."""
        return [] if purpose in self._without else self._of.candidates(purpose, evse)

    def situation(self, evse: int, idle: float) -> Situation:
        """See :class:`ProfileStore`."""
        return self._of.situation(evse, idle)


def refusal(behaviour: Behaviour, profile: Profile, evse: int) -> Answer | None:
    """Why this make does not take a profile that OCPP would let in; None when it does."""
    limits = {period.limit.l1 for s in profile.schedules for period in s.periods if period.limit is not None}
    if profile.stack in behaviour.refused_stack_levels:
        return Answer("Rejected", "InvalidStackLevel", f"stack level {profile.stack}")
    if evse == 0 and profile.purpose in behaviour.refused_for_station:
        return Answer("Rejected", "UnsupportedRequest", f"{profile.purpose} for the whole station")
    if limits & set(behaviour.refused_limits_a):
        return Answer("Rejected", "InvalidSchedule", "limit")
    return None


def misread(behaviour: Behaviour, profile: Profile) -> Profile:
    """The profile as this make understands it."""
    share = behaviour.station_share if profile.purpose is Purpose.MAX else 1.0
    if share == 1.0 and not behaviour.ignores_duration and not behaviour.last_period_only:
        return profile
    return replace(profile, schedules=tuple(_misread(behaviour, schedule, share) for schedule in profile.schedules))


def _misread(behaviour: Behaviour, schedule: Schedule, share: float) -> Schedule:
    periods = schedule.periods
    if behaviour.last_period_only:
        periods = (replace(periods[-1], start_s=0.0),)
    periods = tuple(replace(period, limit=_times(period.limit, share)) for period in periods)
    duration = math.inf if behaviour.ignores_duration else schedule.duration_s
    return replace(schedule, periods=periods, duration_s=duration)


def _times(rate: Rate | None, share: float) -> Rate | None:
    if rate is None or share == 1.0:
        return rate
    l1, l2, l3 = (None if one is None else one * share for one in (rate.l1, rate.l2, rate.l3))
    return Rate(l1 or 0.0, l2, l3)


class Shaper:
    """From the current that profiles allow to the one that the station offers; ``most_a`` is its nameplate.

    It is told of power-up, accepted profiles and, by :meth:`shape`, of transactions.
    """

    def __init__(self, behaviour: Behaviour, most_a: float, utc: float) -> None:
        self._is = behaviour
        self._most_a = most_a
        self._untold = behaviour.power_up_a is not None
        self._told_at = utc
        self._began = -math.inf
        self._able = self._paused = False
        self._ahead: deque[tuple[float, float]] = deque()
        self._target_a = self._aim_a = self._now_a = most_a
        self._moved_at = utc

    @property
    def acts_on_a(self) -> float:
        """The limit [A] that it goes by as of the last :meth:`shape`, whether or not a transaction may charge."""
        return self._now_a

    def clock_moved(self, by_s: float) -> None:
        """The clock was set: what began some time ago began as long ago by the new one."""
        self._told_at += by_s
        self._began += by_s
        self._moved_at += by_s
        self._ahead = deque((due + by_s, limit_a) for due, limit_a in self._ahead)

    def told(self, utc: float) -> None:
        """A profile was accepted."""
        self._untold = False
        self._told_at = utc

    def shape(self, utc: float, limit_a: float, able: bool) -> tuple[float, float]:
        """What is offered at ``utc``, and when to ask again; ``able`` while a transaction may charge."""
        if able and not self._able:
            self._began = utc
        began, self._able = able and not self._able, able
        wanted, again = self._wanted(utc, min(limit_a, self._most_a))
        if not able or began:
            self._settle(utc, wanted)
            return (wanted if able else 0.0), again
        offered, later = self._follow(utc, wanted)
        return offered, min(again, later)

    def resumes(self, offered_a: float) -> bool:
        """Whether the offer, in a transaction, comes back from a pause."""
        before, self._paused = self._paused, self._able and offered_a < MINIMUM_CURRENT_A
        return before and self._able and not self._paused

    def _wanted(self, utc: float, limit_a: float) -> tuple[float, float]:
        """The limit of this instant before it is slowed down, and when it changes by itself."""
        behaviour, again = self._is, math.inf
        if self._untold and behaviour.power_up_a is not None:
            limit_a = min(behaviour.power_up_a, self._most_a)
        if behaviour.failsafe_s is not None:
            due = self._told_at + behaviour.failsafe_s
            limit_a, again = (min(limit_a, behaviour.failsafe_a), again) if utc >= due else (limit_a, due)
        window_end = self._began + behaviour.start_window_s
        if utc < window_end:
            limit_a, again = self._most_a, min(again, window_end)
        highest = self._most_a if behaviour.clamp_max_a is None else behaviour.clamp_max_a
        return min(max(limit_a, behaviour.clamp_min_a), highest, self._most_a), again

    def _settle(self, utc: float, wanted_a: float) -> None:
        self._ahead.clear()
        self._target_a = self._aim_a = self._now_a = wanted_a
        self._moved_at = utc

    def _follow(self, utc: float, wanted_a: float) -> tuple[float, float]:
        """Take up each new limit after the delay, then move to it by the ramp."""
        if wanted_a != self._target_a:
            self._target_a = wanted_a
            self._ahead.append((utc + self._is.delay_s, wanted_a))
        self._move(utc)
        while self._ahead and self._ahead[0][0] <= utc:
            self._aim_a = self._ahead.popleft()[1]
        self._move(utc)
        again = self._ahead[0][0] if self._ahead else math.inf
        return self._now_a, again if self._now_a == self._aim_a else min(again, utc + _RAMP_STEP_S)

    def _move(self, utc: float) -> None:
        step = self._is.ramp_a_per_s * (utc - self._moved_at) if self._is.ramp_a_per_s else math.inf
        self._moved_at = utc
        if abs(self._aim_a - self._now_a) <= step:
            self._now_a = self._aim_a
        else:
            self._now_a += math.copysign(step, self._aim_a - self._now_a)
