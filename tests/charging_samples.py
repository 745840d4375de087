"""Profiles, stations and requests that the tests of smart charging begin with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hilbench_emulators.smart_charging import (
    Evaluator,
    Facts,
    Kind,
    Options,
    Outlet,
    Period,
    Profile,
    ProfileStore,
    Purpose,
    Rate,
    Recurrency,
    Schedule,
    Unit,
    Version,
    options_for,
)

T0 = 1_717_516_800.0
"""2024-06-04T16:00:00Z, a Tuesday."""
DAY = 86_400.0
WEEK = 604_800.0


def periods(limits: Sequence[tuple[float, float]], **more: Any) -> tuple[Period, ...]:
    """Periods of (start, limit)."""
    return tuple(Period(start_s, Rate(limit), **more) for start_s, limit in limits)


def schedule(
    limits: Sequence[tuple[float, float]],
    *,
    start: float | None = T0,
    duration: float = math.inf,
    unit: Unit = Unit.A,
    phases: int | None = None,
    **more: Any,
) -> Schedule:
    """A schedule of (start, limit)."""
    return Schedule(unit, periods(limits, number_phases=phases), start, duration, **more)


def profile(
    limits: Sequence[tuple[float, float]] = ((0, 16),),
    *,
    id: int = 1,  # noqa: A002 - as in Profile
    stack: int = 0,
    purpose: Purpose = Purpose.TX_DEFAULT,
    kind: Kind = Kind.ABSOLUTE,
    start: float | None = T0,
    duration: float = math.inf,
    unit: Unit = Unit.A,
    phases: int | None = None,
    schedules: tuple[Schedule, ...] | None = None,
    **more: Any,
) -> Profile:
    """A profile with one schedule of (start, limit), or with ``schedules``."""
    if kind is Kind.RELATIVE:
        start = None
    made = (schedule(limits, start=start, duration=duration, unit=unit, phases=phases),)
    return Profile(id, stack, purpose, kind, made if schedules is None else schedules, **more)


def daily(limits: Sequence[tuple[float, float]] = ((0, 16),), **more: Any) -> Profile:
    """A profile that recurs every day."""
    return profile(limits, kind=Kind.RECURRING, recurrency=Recurrency.DAILY, **more)


def weekly(limits: Sequence[tuple[float, float]] = ((0, 16),), **more: Any) -> Profile:
    """A profile that recurs every week."""
    return profile(limits, kind=Kind.RECURRING, recurrency=Recurrency.WEEKLY, **more)


TWO = Facts({1: Outlet(), 2: Outlet()})
"""A station with two outlets of 32 A on three phases."""


def station(
    version: Version = Version.V201, *installed: tuple[int, Profile], facts: Facts = TWO, **options: Any
) -> ProfileStore:
    """A store with (evse, profile) installed at T0, whatever the rules say of transactions: one runs on each outlet."""
    store = ProfileStore(version, knobs(version, **options), facts)
    for evse, wanted in installed:
        if wanted.purpose is Purpose.TX:
            begin(store, evse)
        answer = store.install(wanted, evse, T0)
        assert answer.accepted, answer
    return store


def knobs(version: Version, **options: Any) -> Options:
    """Defaults of a version with some changed."""
    return replace(options_for(version), **options)


def begin(store: ProfileStore, evse: int, transaction_id: str = "tx", t: float = T0) -> None:
    """A transaction with energy flowing since ``t``, unless it runs already."""
    if store.outlets[evse].transaction_id is None:
        store.begin_transaction(evse, transaction_id, t)
        store.power_path(evse, t)


def tx(limits: Sequence[tuple[float, float]] = ((0, 16),), **more: Any) -> Profile:
    """A TxProfile of transaction ``tx``."""
    return profile(limits, purpose=Purpose.TX, transaction_id="tx", **more)


def amps(store: ProfileStore, t: float, evse: int = 1) -> float | None:
    """Amperes on L1 that ``evse`` may draw at ``t``."""
    limit = Evaluator(store).decide(evse, t).limit_a
    return None if limit is None else limit[0]


def course(store: ProfileStore, offsets: Sequence[float], evse: int = 1) -> list[float | None]:
    """Amperes on L1 at seconds after T0."""
    return [amps(store, T0 + offset, evse) for offset in offsets]
