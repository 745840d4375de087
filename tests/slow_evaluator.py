"""A second evaluator for the tests: it is asked second by second and as plain as can be.

Whole seconds only. It shares the data classes with the one under test and nothing else: no breakpoints, no modulo, no
sorting by keys.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from hilbench_emulators.smart_charging import Kind, Period, Profile, Purpose, Schedule, Unit


class SlowStation:
    """Profiles, and for each outlet since when a transaction charges (None: no transaction)."""

    def __init__(
        self,
        profiles: Iterable[Profile],
        charging: dict[int, int | None],
        priority: dict[int, bool],
        offline_since: int | None,
        voltage_v: float,
        most_a: dict[int, float],
    ) -> None:
        self.profiles = list(profiles)
        self.charging = charging
        self.priority = priority
        self.offline_since = offline_since
        self.voltage_v = voltage_v
        self.most_a = most_a

    def limit(self, evse: int, t: int, began: int) -> float | None:
        """Amperes per phase of an outlet; without a transaction relative schedules count from ``began``."""
        least: float | None = None
        for purpose in (Purpose.MAX, Purpose.EXTERNAL):
            least = lesser(least, self.spoken(purpose, evse, t, began))
        least = lesser(least, self.for_transaction(evse, t, began))
        extra = self.spoken(Purpose.LOCAL_GENERATION, evse, t, began)
        return least if least is None or extra is None else least + extra

    def for_transaction(self, evse: int, t: int, began: int) -> float | None:
        """Priority charging, the TxProfile, or the default."""
        if self.priority[evse]:
            found = self.spoken(Purpose.PRIORITY, evse, t, began)
            if found is not None:
                return found
        if self.charging[evse] is not None:
            found = self.spoken(Purpose.TX, evse, t, began)
            if found is not None:
                return found
        return self.spoken(Purpose.TX_DEFAULT, evse, t, began)

    def station(self, t: int, began: int) -> float:
        """Amperes per phase of all outlets together, which all have three phases."""
        total = 0.0
        for evse, most_a in self.most_a.items():
            limit = self.limit(evse, t, began)
            total += most_a if limit is None else min(limit, most_a)
        cap: float | None = None
        for purpose in (Purpose.MAX, Purpose.EXTERNAL):
            cap = lesser(cap, self.spoken(purpose, 0, t, began))
        if cap is not None:
            total = min(total, cap + (self.spoken(Purpose.LOCAL_GENERATION, 0, t, began) or 0.0))
        return total

    def spoken(self, purpose: Purpose, evse: int, t: int, began: int) -> float | None:
        """What the highest level says that says something; of two equal ones that of the outlet."""
        best: Profile | None = None
        for profile in self.profiles:
            if profile.purpose is not purpose or profile.evse not in (0, evse):
                continue
            if self.period(profile, evse, t, began) is None:
                continue
            if best is None or profile.stack > best.stack or (profile.stack == best.stack and profile.evse > best.evse):
                best = profile
        if best is None:
            return None
        period = self.period(best, evse, t, began)
        assert period is not None
        assert period.limit is not None
        if best.schedules[0].unit is Unit.A:
            return period.limit.l1
        phases = 3 if period.number_phases is None else period.number_phases
        return period.limit.l1 / (self.voltage_v * phases)

    def period(self, profile: Profile, evse: int, t: int, began: int) -> Period | None:
        """The period of a profile that counts at ``t``, found by going through them in order."""
        if t < profile.valid_from or t >= profile.valid_to:
            return None
        longest = profile.max_offline_s
        if self.offline_since is not None and longest is not None and t - self.offline_since >= longest:
            return None
        schedule = profile.schedules[0]
        start = self.start(profile, schedule, evse, t, began)
        if start is None or start > t:
            return None
        if t - start >= schedule.duration_s:
            return None
        current: Period | None = None
        for period in schedule.periods:
            if period.start_s <= t - start:
                current = period
        return current

    def start(self, profile: Profile, schedule: Schedule, evse: int, t: int, began: int) -> int | None:
        """When the schedule that is in force at ``t`` has begun."""
        if profile.kind is Kind.RELATIVE:
            since = self.charging.get(evse)
            return began if since is None else since
        if profile.kind is Kind.DYNAMIC:
            assert profile.dyn_update_time is not None
            return min(t, int(profile.dyn_update_time))
        assert schedule.start is not None
        start = int(schedule.start)
        if profile.recurrency is not None:
            while start + profile.recurrency.period_s <= t:
                start += int(profile.recurrency.period_s)
        return start


def lesser(a: float | None, b: float | None) -> float | None:
    """The lesser of those that there are."""
    given = [value for value in (a, b) if value is not None]
    return min(given) if given else None


def floor_tenth(value: float) -> float:
    """Down to a tenth; what is one but for the last bit stays."""
    return math.floor(value * 10 + 1e-6) / 10
