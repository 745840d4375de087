"""Charging profiles of an OCPP 1.6 station with one outlet: what is installed, and what it allows when.

Pure: times are UTC seconds since 1970, limits amperes per phase. Rules are those of OCPP 1.6 edition 2 sections 3.13,
5.16 and 7.8 to 7.14 with errata sheet 2025-04 (standard-text); where 1.6 is silent, 2.0.1 K01 (standard-text).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

MAXIMUM = "ChargePointMaxProfile"
TX_DEFAULT = "TxDefaultProfile"
TX = "TxProfile"
_PERIOD_S = {"Daily": 86_400.0, "Weekly": 604_800.0}
DEFAULT_PHASES = 3
"""Phases of a limit in watts that does not say them (OCPP 1.6 section 7.14, 2.0.1 K01.FR.49; standard-text)."""
_SLACK = 1e-6  # of a floor to one decimal: 16.1 is stored as 16.0999...


@dataclass(frozen=True)
class Period:
    """From ``start_s`` after the start of its schedule, ``limit_a`` per phase."""

    start_s: float
    limit_a: float


@dataclass(frozen=True)
class Profile:
    """One installed profile; ``raw`` is what came over the wire in snake_case."""

    id: int
    connector: int
    stack: int
    purpose: str
    kind: str
    recurrence_s: float | None
    valid_from: float
    valid_to: float
    start: float | None
    duration_s: float
    transaction_id: int | None
    periods: tuple[Period, ...]
    raw: dict[str, Any] = field(compare=False)

    def origin(self, t: float, charging_since: float | None) -> float | None:
        """Start of the schedule that counts at ``t``, or None before it.

        Without a transaction a relative schedule counts as if charging began now.
        """
        if self.kind == "Relative" or self.start is None:
            return t if charging_since is None else charging_since
        if t < self.start:
            return None
        if self.recurrence_s is None:
            return self.start
        return t - (t - self.start) % self.recurrence_s

    def limit_at(self, t: float, charging_since: float | None) -> float | None:
        """Amperes per phase at ``t``; None where the profile says nothing."""
        origin = self.origin(t, charging_since)
        if origin is None or not self.valid_from <= t < self.valid_to or t - origin >= self.duration_s:
            return None
        limit = None
        for period in self.periods:
            if period.start_s <= t - origin:
                limit = period.limit_a
        return limit

    def edges(self, t: float, charging_since: float | None) -> Iterator[float]:
        """Instants at which the profile may change what it says, the nearest after ``t`` among them."""
        yield from (self.valid_from, self.valid_to)
        if (self.kind == "Relative" or self.start is None) and charging_since is None:
            return
        origin = self.origin(t, charging_since)
        if origin is None:
            origin = self.start if self.start is not None else t
        for offset in (self.recurrence_s, self.duration_s, *(period.start_s for period in self.periods)):
            if offset is not None:
                yield origin + offset


def _utc(text: str | None, default: float) -> float:
    if text is None:
        return default
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _number(value: float) -> float:
    """A finite float; JSON knows larger numbers than that."""
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError("a number is too large")
    return number


def parse(connector: int, raw: dict[str, Any], voltage_v: float) -> Profile:
    """A profile from its snake_case payload; raises ``ValueError`` when it contradicts itself or counts beyond use.

    Watts become amperes per phase by the nominal ``voltage_v`` and the period's number of phases
    (OCPP 1.6 errata 3.34, 2.0.1 K01.FR.50; standard-text).
    """
    schedule = raw["charging_schedule"]
    kind = raw["charging_profile_kind"]
    start = schedule.get("start_schedule")
    if kind == "Recurring" and (raw.get("recurrency_kind") not in _PERIOD_S or start is None):
        raise ValueError("a recurring profile needs recurrencyKind and startSchedule")
    if raw["stack_level"] < 0:
        raise ValueError("stackLevel is negative")
    duration_s = math.inf if schedule.get("duration") is None else _number(schedule["duration"])
    if duration_s < 0:
        raise ValueError("a schedule cannot last less than 0 s")
    valid_from, valid_to = _utc(raw.get("valid_from"), -math.inf), _utc(raw.get("valid_to"), math.inf)
    if valid_from >= valid_to:
        raise ValueError("validFrom is not before validTo")
    return Profile(
        id=raw["charging_profile_id"],
        connector=connector,
        stack=raw["stack_level"],
        purpose=raw["charging_profile_purpose"],
        kind=kind,
        recurrence_s=_PERIOD_S[raw["recurrency_kind"]] if kind == "Recurring" else None,
        valid_from=valid_from,
        valid_to=valid_to,
        start=_utc(start, 0.0) if start is not None else None,
        duration_s=duration_s,
        transaction_id=raw.get("transaction_id"),
        periods=_periods(schedule, voltage_v),
        raw=raw,
    )


def _periods(schedule: dict[str, Any], voltage_v: float) -> tuple[Period, ...]:
    watts = schedule["charging_rate_unit"] == "W"
    periods = []
    for entry in schedule["charging_schedule_period"]:
        phases = entry.get("number_phases", DEFAULT_PHASES)
        if phases not in (1, 2, 3):
            raise ValueError("numberPhases is 1, 2 or 3")
        limit = _number(entry["limit"]) / (voltage_v * phases if watts else 1.0)
        periods.append(Period(_number(entry["start_period"]), limit))
    if not periods or periods[0].start_s != 0:
        raise ValueError("the first startPeriod must be 0")
    if any(late.start_s <= early.start_s for early, late in pairwise(periods)):
        raise ValueError("startPeriods must rise")
    if any(period.limit_a < 0 for period in periods):
        raise ValueError("a limit is negative")
    return tuple(periods)


class ProfileStore:
    """The installed profiles and the transaction that they apply to (``charging_since``: its start, or None)."""

    def __init__(self, voltage_v: float, phases: int = 1) -> None:
        self.voltage_v = voltage_v
        self.phases = phases
        self.charging_since: float | None = None
        self.profiles: list[Profile] = []

    def install(self, profile: Profile) -> None:
        """Add ``profile`` in place of those with its id or with its stack level, purpose and connector."""
        slot = (profile.stack, profile.purpose, profile.connector)
        self.profiles = [
            old for old in self.profiles if old.id != profile.id and (old.stack, old.purpose, old.connector) != slot
        ]
        self.profiles.append(profile)

    def count_with(self, profile: Profile) -> int:
        """How many profiles there would be after :meth:`install`."""
        trial = ProfileStore(self.voltage_v, self.phases)
        trial.profiles = list(self.profiles)
        trial.install(profile)
        return len(trial.profiles)

    def clear(
        self,
        profile_id: int | None = None,
        connector: int | None = None,
        purpose: str | None = None,
        stack: int | None = None,
    ) -> int:
        """Remove what matches all given criteria (an id alone decides) and return how many it was."""

        def matches(p: Profile) -> bool:
            if profile_id is not None:
                return p.id == profile_id
            return connector in (None, p.connector) and purpose in (None, p.purpose) and stack in (None, p.stack)

        kept = [p for p in self.profiles if not matches(p)]
        removed = len(self.profiles) - len(kept)
        self.profiles = kept
        return removed

    def end_transaction(self) -> None:
        """Forget the transaction and its TxProfiles."""
        self.charging_since = None
        self.clear(purpose=TX)

    def _of(self, purpose: str, t: float) -> float | None:
        """Limit of one purpose: the highest stack level that has a period at ``t``, the outlet's before the station's.

        A profile on connector 1 stands before one on connector 0 of the same level only, so that a lease on 1 that has
        run out uncovers a fallback on 0.
        """
        candidates = sorted((p for p in self.profiles if p.purpose == purpose), key=lambda p: (-p.stack, -p.connector))
        for profile in candidates:
            limit = profile.limit_at(t, self.charging_since)
            if limit is not None:
                return limit
        return None

    def limit_at(self, t: float) -> float | None:
        """Amperes per phase that the profiles allow at ``t``; None where none says anything."""
        transaction = self._of(TX, t)
        chosen = (self._of(MAXIMUM, t), self._of(TX_DEFAULT, t) if transaction is None else transaction)
        return min((limit for limit in chosen if limit is not None), default=None)

    def next_change(self, t: float) -> float:
        """The first instant after ``t`` at which the limit may differ; infinity when it never does."""
        edges = (edge for profile in self.profiles for edge in profile.edges(t, self.charging_since))
        return min((edge for edge in edges if edge > t), default=math.inf)

    def composite(self, t: float, duration_s: float, unit: str, default_a: float) -> dict[str, Any]:
        """The schedule from ``t`` on in snake_case, limits rounded down to 0.1; ``default_a`` where nothing limits."""
        periods: list[dict[str, Any]] = []
        at = t
        while at < t + duration_s:
            limit = self.limit_at(at)
            self._extend(periods, int(at - t), self._in(unit, min(default_a, math.inf if limit is None else limit)))
            at = self.next_change(at)
        return {"duration": int(duration_s), "charging_rate_unit": unit, "charging_schedule_period": periods}

    def _in(self, unit: str, limit_a: float) -> float:
        value = limit_a if unit == "A" else limit_a * self.voltage_v * self.phases
        return math.floor(value * 10 + _SLACK) / 10

    def _extend(self, periods: list[dict[str, Any]], start: int, limit: float) -> None:
        if periods and periods[-1]["start_period"] == start:
            periods.pop()
        if not periods or periods[-1]["limit"] != limit:
            periods.append({"start_period": start, "limit": limit} | {"number_phases": self.phases})

    def to_json(self) -> list[dict[str, Any]]:
        """What a station keeps over a reboot (OCPP 1.6 errata 3.37, standard-text)."""
        return [{"connector": profile.connector, "profile": profile.raw} for profile in self.profiles]

    def from_json(self, data: list[dict[str, Any]]) -> None:
        """Install what :meth:`to_json` gave."""
        self.profiles = [parse(entry["connector"], entry["profile"], self.voltage_v) for entry in data]
