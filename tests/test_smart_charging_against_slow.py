"""The evaluator against one that walks second by second."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilbench_emulators.smart_charging import (
    Evaluator,
    Kind,
    Period,
    Profile,
    ProfileStore,
    Purpose,
    Rate,
    Recurrency,
    Schedule,
    Unit,
    Version,
    composite,
)
from tests.charging_samples import T0, TWO, knobs
from tests.slow_evaluator import SlowStation, floor_tenth

BASE = int(T0)
HORIZON = 40
_FEW = settings(max_examples=80, deadline=None, derandomize=True)
seconds = st.integers(0, HORIZON)


@st.composite
def schedules(draw: st.DrawFn, kind: Kind) -> Schedule:
    """A schedule of whole seconds whose events fall around BASE."""
    starts = [0] if kind is Kind.DYNAMIC else [0, *sorted(draw(st.sets(st.integers(1, 30), max_size=3)))]
    unit = draw(st.sampled_from(Unit))
    limits = [draw(st.integers(0, 40)) * (230 if unit is Unit.W else 1) for _ in starts]
    phases = draw(st.sampled_from([None, 1, 3]))
    made = tuple(Period(float(s), Rate(v), number_phases=phases) for s, v in zip(starts, limits, strict=True))
    start = float(BASE + draw(st.integers(-20, HORIZON))) if kind in (Kind.ABSOLUTE, Kind.RECURRING) else None
    return Schedule(unit, made, start, float(draw(st.one_of(st.just(math.inf), st.integers(0, 40)))))


@st.composite
def profiles(draw: st.DrawFn, number: int) -> Profile:
    """Any profile that the stations of these tests may hold."""
    purpose = draw(st.sampled_from(Purpose))
    kinds = [kind for kind in Kind if purpose is not Purpose.MAX or kind is not Kind.RELATIVE]
    kind = draw(st.sampled_from(kinds))
    schedule = draw(schedules(kind))
    if kind is Kind.RECURRING and schedule.start is not None:
        schedule = replace(schedule, start=schedule.start - draw(st.sampled_from([0, 86_400, 604_800])))
    since = draw(st.one_of(st.none(), seconds))
    until = draw(st.one_of(st.none(), st.integers(1, HORIZON)))
    return Profile(
        id=number,
        stack=draw(st.integers(0, 2)),
        purpose=purpose,
        kind=kind,
        schedules=(schedule,),
        evse=draw(st.sampled_from({Purpose.MAX: [0], Purpose.TX: [1, 2]}.get(purpose, [0, 1, 2]))),
        recurrency=draw(st.sampled_from(Recurrency)) if kind is Kind.RECURRING else None,
        valid_from=-math.inf if since is None else float(BASE + since),
        valid_to=math.inf if until is None else float(BASE + (since or 0) + until),
        max_offline_s=draw(st.one_of(st.none(), st.integers(0, HORIZON).map(float))),
        dyn_update_time=float(BASE + draw(st.integers(-10, HORIZON))) if kind is Kind.DYNAMIC else None,
    )


@st.composite
def stations(draw: st.DrawFn) -> tuple[ProfileStore, SlowStation]:
    """The same station twice; no two profiles share purpose, level and place."""
    found = {
        (profile.purpose, profile.stack, profile.evse): profile
        for number in range(draw(st.integers(0, 7)))
        for profile in [draw(profiles(number))]
    }
    charging = {evse: draw(st.one_of(st.none(), st.integers(-5, 20))) for evse in TWO.outlets}
    priority = {evse: since is not None and draw(st.booleans()) for evse, since in charging.items()}
    offline = draw(st.one_of(st.none(), st.integers(-5, 20)))
    store = ProfileStore(Version.V21, knobs(Version.V21), TWO)
    for evse, since in charging.items():
        if since is not None:
            store.begin_transaction(evse, "tx", BASE + since)
            store.power_path(evse, BASE + since)
        store.outlets[evse].priority = priority[evse]
    store.profiles = tuple(found.values())
    if offline is not None:
        store.went_offline(BASE + offline)
    slow = SlowStation(
        found.values(),
        {evse: None if since is None else BASE + since for evse, since in charging.items()},
        priority,
        None if offline is None else BASE + offline,
        TWO.voltage_v,
        {evse: outlet.max_a for evse, outlet in TWO.outlets.items()},
    )
    return store, slow


def near(value: float | None) -> object:
    """Equal but for rounding."""
    return None if value is None else pytest.approx(value, abs=1e-9)


@_FEW
@given(stations())
def test_limits_are_those_of_the_slow_evaluator(pair: tuple[ProfileStore, SlowStation]) -> None:
    """Each second, each outlet, and the station as a whole."""
    store, slow = pair
    fast = Evaluator(store)
    for t in range(BASE - 2, BASE + HORIZON, 3):
        for evse in TWO.outlets:
            limit = fast.decide(evse, t).limit_a
            assert (None if limit is None else limit[0]) == near(slow.limit(evse, t, t))
        whole = fast.decide(0, t).limit_a
        assert whole is not None
        assert whole[0] == near(slow.station(t, t))


@_FEW
@given(stations(), seconds)
def test_nothing_changes_before_the_next_change(pair: tuple[ProfileStore, SlowStation], at: int) -> None:
    """Neither by the second nor just before it, and the next change lies ahead."""
    store, slow = pair
    fast, t = Evaluator(store), BASE + at
    change = fast.next_change(1, t)
    assert change > t
    now = slow.limit(1, t, t)
    for later in range(t + 1, BASE + HORIZON + 40):
        if later < change:
            assert slow.limit(1, later, later) == now
    if math.isfinite(change):
        before = math.nextafter(change, 0)
        assert fast.decide(1, before, before) == fast.decide(1, t)


@_FEW
@given(stations(), seconds, st.integers(1, HORIZON), st.sampled_from([0, 1, 2]), st.sampled_from(Unit))
def test_composite_schedules_are_those_of_the_slow_evaluator(
    pair: tuple[ProfileStore, SlowStation], at: int, duration: int, evse: int, unit: Unit
) -> None:
    """Second by second, rounded down, without equal neighbours; in amperes or watts."""
    store, slow = pair
    t = BASE + at
    made = composite(Evaluator(store), evse, t, duration, unit)
    assert made is not None
    assert made.periods[0].start_s == 0
    for early, late in zip(made.periods, made.periods[1:], strict=False):
        assert early.start_s < late.start_s < duration
        assert replace(early, start_s=0) != replace(late, start_s=0)
    for second in range(duration):
        period = [p for p in made.periods if p.start_s <= second][-1]
        limit = slow.station(t + second, t) if evse == 0 else slow.limit(evse, t + second, t)
        amperes = min(math.inf if limit is None else limit, 64.0 if evse == 0 else 32.0)
        phases = period.number_phases or 3
        assert period.limit == Rate(floor_tenth(amperes if unit is Unit.A else amperes * 230 * phases))
