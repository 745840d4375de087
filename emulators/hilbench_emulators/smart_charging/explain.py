"""Why a limit is what it is: over time, the profile that decides, and in words why the others do not. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from hilbench_emulators.smart_charging.evaluate import Cause, Decision, Evaluator, Interval
from hilbench_emulators.smart_charging.facts import Facts, Outlet
from hilbench_emulators.smart_charging.model import Profile, Purpose, Version
from hilbench_emulators.smart_charging.options import options_for
from hilbench_emulators.smart_charging.rates import Phases, flat, watts
from hilbench_emulators.smart_charging.read import purpose_name, read
from hilbench_emulators.smart_charging.selection import Selector, Situation, schedule_of
from hilbench_emulators.smart_charging.store import ProfileStore
from hilbench_emulators.smart_charging.times import Zone, timestamp

_TRANSACTION = (Purpose.PRIORITY, Purpose.TX, Purpose.TX_DEFAULT)


@dataclass(frozen=True)
class Asked:
    """What is asked: an outlet from ``at`` on, with or without a transaction, and its hardware.

    ``evse`` 0 is the station as the grid sees it: the sum of its outlets, each with that hardware. ``zone`` is the
    local time of schedules that use it.
    """

    at: float
    duration_s: float
    evse: int = 1
    transaction: bool = True
    transaction_id: str | int | None = None
    """None takes the one that a TxProfile names."""
    since: float | None = None
    phases: int = 3
    max_a: float = 32.0
    voltage_v: float = 230.0
    zone: Zone = field(default_factory=Zone)


@dataclass(frozen=True)
class Refused:
    """A profile that the station would not take; ``where`` it stands in its file."""

    where: str
    id: int | None
    reason: str


@dataclass(frozen=True)
class Row:
    """A stretch of time with one limit [A per phase], its deciders, and why each of the others is none."""

    start: float
    end: float
    limit_a: tuple[float, ...]
    limit_w: float
    deciders: tuple[Cause, ...]
    others: tuple[tuple[int, str], ...]
    hardware: bool


@dataclass(frozen=True)
class Explanation:
    """All of it: rows without gaps, and what was refused."""

    version: Version
    asked: Asked
    transaction_id: str | int | None
    rows: tuple[Row, ...]
    refused: tuple[Refused, ...]
    installed: tuple[Profile, ...]
    most_a: float
    """What the hardware carries per phase."""


class Order(Enum):
    """What a request asks of a station."""

    SET = "set"
    START = "start"
    """A profile that comes with the request to start its transaction."""
    CLEAR = "clear"


@dataclass(frozen=True)
class Step:
    """A request: ``where`` it stands, the outlet, and the profile or the criteria in snake_case.

    ``at`` is when it was made, if that is known.
    """

    where: str
    order: Order
    evse: int | None
    raw: dict[str, Any]
    at: float | None = None


def explain(version: Version, given: Sequence[Step], asked: Asked) -> Explanation:
    """Do what is ``given`` one after the other and say what holds from ``asked.at`` on.

    What has a time of its own is done then; what comes after ``asked.at`` has not happened yet and is left out.
    """
    given = [step for step in given if step.at is None or step.at <= asked.at]
    numbers = sorted({1, asked.evse or 1, *_numbers(given)})
    outlets = {evse: Outlet(asked.phases, asked.max_a) for evse in numbers}
    options = replace(options_for(version), zone=asked.zone)
    store = ProfileStore(version, options, Facts(outlets, asked.max_a * len(outlets), asked.voltage_v))
    if asked.transaction:
        for evse in outlets:
            store.begin_transaction(evse, _transaction_id(version, given, asked, evse), _since(asked))
            store.power_path(evse, _since(asked))
    refused = tuple(_install(version, store, given, asked.at))
    found = Evaluator(store).explain(asked.evse, asked.at, asked.duration_s)
    words = _Words(store, asked) if asked.evse else _StationWords(store, asked)
    rows = tuple(_merged([words.row(interval) for interval in found]))
    running = store.outlets[asked.evse or 1].transaction_id
    most_a = asked.max_a if asked.evse else store.facts.max_a
    return Explanation(version, asked, running, rows, refused, store.profiles, most_a)


def _numbers(given: Sequence[Step]) -> Iterator[int]:
    return (step.evse for step in given if step.evse is not None and step.evse > 0)


def _since(asked: Asked) -> float:
    return asked.at if asked.since is None else asked.since


def _transaction_id(version: Version, given: Sequence[Step], asked: Asked, evse: int) -> str | int:
    if asked.transaction_id is not None and evse == asked.evse:
        return asked.transaction_id
    named = (step.raw.get("transaction_id") for step in given if step.evse == evse)
    fallback: str | int = 1 if version is Version.V16 else "1"
    return next((found for found in named if found is not None), fallback)


def _install(version: Version, store: ProfileStore, given: Sequence[Step], t: float) -> Iterator[Refused]:
    for step in given:
        if step.order is Order.CLEAR:
            _clear(store, step)
            continue
        number = step.raw.get("charging_profile_id", step.raw.get("id"))
        evse = step.evse or 0
        try:
            profile = read(version, step.raw, evse)
        except ValueError as error:
            yield Refused(step.where, number, str(error))
            continue
        if step.order is Order.START and evse in store.outlets:
            profile = replace(profile, transaction_id=store.outlets[evse].transaction_id)
        answer = store.install(profile, evse, t if step.at is None else step.at)
        if not answer.accepted:
            code = answer.reason_code or answer.call_error
            yield Refused(step.where, number, f"{code}: {answer.description}" if code else answer.description)


def _clear(store: ProfileStore, step: Step) -> None:
    named = step.raw.get("charging_profile_purpose")
    purpose = Purpose.MAX if named == purpose_name(Version.V16, Purpose.MAX) else named and Purpose(named)
    store.clear(step.raw["id"], step.evse, purpose, step.raw.get("stack_level"))


def _merged(rows: list[Row]) -> Iterator[Row]:
    """Rows, those that say the same as one."""
    held: Row | None = None
    for row in rows:
        if held is not None and replace(row, start=held.start) == replace(held, end=row.end):
            held = replace(held, end=row.end)
            continue
        if held is not None:
            yield held
        held = row
    if held is not None:
        yield held


class _Words:
    """Puts decisions into words."""

    def __init__(self, store: ProfileStore, asked: Asked) -> None:
        self._store = store
        self._asked = asked
        self._select = Selector(store.options)
        self._at = store.situation(asked.evse, asked.at)

    def row(self, interval: Interval) -> Row:
        decision = interval.decision
        limit, hardware = self._limited(decision.limit_a)
        deciders = () if hardware else tuple(cause for cause in decision.because if cause.decided)
        known = {(cause.profile_id, cause.evse) for cause in deciders}
        others = tuple(
            (profile.id, self._why_not(profile, decision, interval.start))
            for profile in self._store.profiles
            if (profile.id, profile.evse) not in known
        )
        phases = min(self._asked.phases, decision.number_phases or self._asked.phases)
        total = watts((*limit, *limit, *limit), phases, self._asked.voltage_v)  # type: ignore[arg-type]
        return Row(interval.start, interval.end, limit, total, deciders, others, hardware)

    def _named(self, cause: Cause) -> str:
        return f"{purpose_name(self._store.version, cause.purpose)} {cause.profile_id}"

    def _limited(self, limit: Phases | None) -> tuple[tuple[float, ...], bool]:
        """Amperes of the outlet's phases, and whether its own maximum is what decides."""
        most = self._asked.max_a
        if limit is None:
            return (most,) * self._asked.phases, True
        own = limit[: self._asked.phases]
        return tuple(min(most, value) for value in own), min(own) > most

    def _why_not(self, profile: Profile, decision: Decision, t: float) -> str:
        if profile.evse not in (0, self._asked.evse):
            return f"acts on outlet {profile.evse} only"
        if profile.purpose is Purpose.PRIORITY and not self._store.outlets[self._asked.evse].priority:
            return "priority charging is not on"
        if profile.purpose is Purpose.TX and self._at.transaction_id is None:
            return "no transaction runs"
        silent = self._silence(profile, t)
        return silent if silent is not None else self._overruled(profile, decision)

    def _silence(self, profile: Profile, t: float) -> str | None:
        """Why the profile has no period at ``t``; None when it has one."""
        if t < profile.valid_from:
            return f"not valid yet (validFrom {timestamp(profile.valid_from)})"
        if t >= profile.valid_to:
            return f"expired (validTo {timestamp(profile.valid_to)})"
        if self._select.period_index(profile, self._at, t) is not None:
            return None
        return _no_period(profile, self._at, t)

    def _overruled(self, profile: Profile, decision: Decision) -> str:
        own = next((cause for cause in decision.because if _is_of(cause, profile)), None)
        if own is not None:
            return self._not_least(profile, own, decision)
        lead = next((cause for cause in decision.because if cause.purpose is profile.purpose), None)
        if lead is not None and lead.stack > profile.stack:
            return f"stack level {profile.stack} is lower than {lead.stack} of profile {lead.profile_id}"
        if lead is not None:
            return f"profile {lead.profile_id} of the outlet itself stands before it"
        speaking = next((cause for cause in decision.because if cause.purpose in _TRANSACTION), None)
        if speaking is not None and profile.purpose in _TRANSACTION:
            return f"overruled by {self._named(speaking)}"
        return "has no say without a transaction"

    def _not_least(self, profile: Profile, own: Cause, decision: Decision) -> str:
        if profile.purpose is Purpose.LOCAL_GENERATION:
            return "adds what is generated locally to the limit"
        if own.limit_a is None:
            return "its period has no limit"
        allows = f"allows {min(own.limit_a[: self._asked.phases]):g} A"
        if own.decided:
            return f"{allows}, more than the {self._asked.max_a:g} A of the hardware"
        least = next(cause for cause in decision.because if cause.decided)
        verb = "capped by" if least.purpose in (Purpose.MAX, Purpose.EXTERNAL) else "more than"
        return f"{allows}, {verb} {self._named(least)}"


class _StationWords(_Words):
    """Puts decisions about the station as a whole into words."""

    def row(self, interval: Interval) -> Row:
        """One with the total of the outlets; its own profiles decide where they are what keeps it down."""
        most_a = self._store.facts.max_a
        limit_a = interval.decision.limit_a or flat(most_a)
        hardware = min(limit_a) >= most_a
        own = Evaluator(self._store).station(interval.start)
        deciders = tuple(cause for cause in own.because if cause.decided and own.limit_a == limit_a)
        known = {(cause.profile_id, cause.evse) for cause in deciders}
        others = tuple(
            (profile.id, self._role(profile, interval.start))
            for profile in self._store.profiles
            if (profile.id, profile.evse) not in known
        )
        shown = limit_a[: self._asked.phases]
        total_w = watts(limit_a, self._asked.phases, self._asked.voltage_v)
        return Row(interval.start, interval.end, shown, total_w, deciders, others, hardware)

    def _role(self, profile: Profile, t: float) -> str:
        silent = self._silence(profile, t)
        if silent is not None:
            return silent
        if profile.purpose in (Purpose.MAX, Purpose.EXTERNAL):
            return "allows the station more than its outlets may draw"
        where = f"outlet {profile.evse}" if profile.evse else "each outlet"
        return f"acts on {where}, as --evse 1 explains"


def _is_of(cause: Cause, profile: Profile) -> bool:
    return (cause.profile_id, cause.evse, cause.stack) == (profile.id, profile.evse, profile.stack)


def _no_period(profile: Profile, at: Situation, t: float) -> str:
    schedule = schedule_of(profile, at)
    start = at.began if schedule.start is None else schedule.start
    if not schedule.use_local_time and t < start:
        return f"no period then: its schedule begins at {timestamp(start)}"
    if math.isfinite(schedule.duration_s):
        return f"no period then: its schedule of {schedule.duration_s:g} s is over"
    return "no period then"
