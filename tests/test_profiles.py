"""The profile evaluator: stacks, purposes, kinds, units."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilbench_emulators.station.profiles import ProfileStore, parse

T0 = 1_717_516_800.0  # 2024-06-04T16:00:00Z


def raw(
    limits: list[tuple[int, float]],
    *,
    profile_id: int = 1,
    stack: int = 0,
    purpose: str = "TxDefaultProfile",
    kind: str = "Absolute",
    start: str | None = "2024-06-04T16:00:00Z",
    duration: int | None = None,
    unit: str = "A",
    phases: int | None = None,
    **more: Any,
) -> dict[str, Any]:
    """A profile as a handler gets it."""
    extra = {} if phases is None else {"number_phases": phases}
    schedule: dict[str, Any] = {
        "charging_rate_unit": unit,
        "charging_schedule_period": [{"start_period": s, "limit": v, **extra} for s, v in limits],
    }
    if start is not None:
        schedule["start_schedule"] = start
    if duration is not None:
        schedule["duration"] = duration
    return {
        "charging_profile_id": profile_id,
        "stack_level": stack,
        "charging_profile_purpose": purpose,
        "charging_profile_kind": kind,
        "charging_schedule": schedule,
        **more,
    }


def store(*profiles: tuple[int, dict[str, Any]], voltage_v: float = 230.0, phases: int = 3) -> ProfileStore:
    """A store with (connector, profile) installed in turn."""
    found = ProfileStore(voltage_v, phases)
    for connector, profile in profiles:
        found.install(parse(connector, profile, voltage_v))
    return found


def test_nothing_installed_limits_nothing() -> None:
    """No profile, no limit, no change."""
    assert store().limit_at(T0) is None
    assert store().next_change(T0) == math.inf


@pytest.mark.parametrize("connector", [0, 1])
def test_a_lease_that_runs_out_uncovers_the_fallback(connector: int) -> None:
    """Stack 1 holds for its duration, end exclusive; then stack 0 is in force, on either connector."""
    s = store((0, raw([(0, 8)], start=None)), (connector, raw([(0, 24)], profile_id=2, stack=1, duration=30)))
    assert [s.limit_at(T0 + dt) for dt in (-1, 0, 29.999, 30)] == [8, 24, 24, 8]
    assert s.next_change(T0) == T0 + 30


def test_the_outlets_default_stands_before_the_stations() -> None:
    """A TxDefaultProfile of connector 1 wins over one of connector 0 at the same level."""
    s = store((1, raw([(0, 10)])), (0, raw([(0, 20)], profile_id=2)))
    assert s.limit_at(T0) == 10


def test_maximum_and_transaction_profiles_combine_by_minimum() -> None:
    """TxProfile overrules TxDefaultProfile, the maximum bounds both, the end of the transaction drops it."""
    s = store(
        (0, raw([(0, 20)], purpose="ChargePointMaxProfile")),
        (0, raw([(0, 10)], profile_id=2)),
        (1, raw([(0, 32)], profile_id=3, purpose="TxProfile")),
    )
    assert s.limit_at(T0) == 20
    s.end_transaction()
    assert s.limit_at(T0) == 10


def test_same_id_or_same_slot_replaces() -> None:
    """By id wherever it is; by stack level, purpose and connector otherwise."""
    s = store((0, raw([(0, 1)])), (0, raw([(0, 2)], stack=5)), (0, raw([(0, 3)], stack=5, profile_id=9)))
    assert [p.id for p in s.profiles] == [9]


def test_validity_is_half_open() -> None:
    """From validFrom (inclusive) to validTo (exclusive)."""
    p = raw([(0, 9)], valid_from="2024-06-04T16:00:10Z", valid_to="2024-06-04T16:00:20Z")
    s = store((0, p))
    assert [s.limit_at(T0 + dt) for dt in (9.9, 10, 19.9, 20)] == [None, 9, 9, None]
    assert s.next_change(T0) == T0 + 10


@pytest.mark.parametrize(("recurrence", "period_s"), [("Daily", 86400), ("Weekly", 604800)])
def test_recurring_schedules_repeat(recurrence: str, period_s: int) -> None:
    """Every period anew, nothing before the first and nothing between duration and the next."""
    p = raw([(0, 9), (60, 12)], kind="Recurring", duration=120, recurrency_kind=recurrence)
    s = store((0, p))
    for n in (0, 3):
        at = T0 + n * period_s
        assert [s.limit_at(at + dt) for dt in (-1, 0, 60, 120)] == [None, 9, 12, None]
        assert s.next_change(at + 130) == at + period_s


def test_relative_schedules_start_with_charging() -> None:
    """Periods count from the transaction's start."""
    s = store((0, raw([(0, 9), (60, 12)], kind="Relative", start=None)))
    assert s.limit_at(T0) == 9
    s.charging_since = T0
    assert (s.limit_at(T0 + 59), s.limit_at(T0 + 60), s.next_change(T0 + 1)) == (9, 12, T0 + 60)


@pytest.mark.parametrize(("phases", "amperes"), [(None, 16), (3, 16), (1, 48)])
def test_watts_are_total_and_amperes_per_phase(phases: int | None, amperes: float) -> None:
    """I = P / (V n), three phases unless it says otherwise."""
    assert store((0, raw([(0, 11040)], unit="W", phases=phases))).limit_at(T0) == pytest.approx(amperes)


def test_clear_matches_all_criteria() -> None:
    """An id alone decides; the others are ANDed; nothing given clears everything."""
    s = store((0, raw([(0, 1)])), (1, raw([(0, 2)], profile_id=2)), (0, raw([(0, 3)], profile_id=3, stack=2)))
    assert s.clear(profile_id=2, connector=0) == 1
    assert s.clear(connector=0, stack=7) == 0
    assert s.clear(connector=0, purpose="TxDefaultProfile", stack=2) == 1
    assert s.clear() == 1


@pytest.mark.parametrize(
    "bad",
    [
        raw([(1, 9)]),
        raw([(0, 9), (0, 8)]),
        raw([(0, -1)]),
        raw([(0, 9)], stack=-1),
        raw([(0, 9)], kind="Recurring"),
        raw([(0, 9)], kind="Recurring", start=None, recurrency_kind="Daily"),
    ],
)
def test_contradictions_are_refused(bad: dict[str, Any]) -> None:
    """What cannot be evaluated raises."""
    with pytest.raises(ValueError, match=r"\w"):
        parse(0, bad, 230.0)


def test_composite_lists_changes_and_rounds_down() -> None:
    """Merged periods from now on, default where nothing limits, one decimal."""
    s = store((0, raw([(0, 16.1), (60, 16.1), (90, 8)], duration=120)))
    found = s.composite(T0 + 10, 300, "A", 32.0)
    assert [(p["start_period"], p["limit"]) for p in found["charging_schedule_period"]] == [
        (0, 16.1),
        (80, 8),
        (110, 32),
    ]
    watts = s.composite(T0 + 10, 10, "W", 32.0)["charging_schedule_period"]
    assert watts[0]["limit"] == 11109.0


times = st.integers(-100, 400)
profiles = st.lists(
    st.builds(
        lambda pid, stack, purpose, periods, start, duration, kind: raw(
            [(i * 30, v) for i, v in enumerate(periods)],
            profile_id=pid,
            stack=stack,
            purpose=purpose,
            start=f"2024-06-04T16:0{start}:00Z",
            duration=duration,
            kind=kind,
            recurrency_kind="Daily",
        ),
        st.integers(1, 5),
        st.integers(0, 2),
        st.sampled_from(["TxDefaultProfile", "TxProfile", "ChargePointMaxProfile"]),
        st.lists(st.integers(0, 40), min_size=1, max_size=4),
        st.integers(0, 4),
        st.none() | st.integers(0, 200),
        st.sampled_from(["Absolute", "Relative", "Recurring"]),
    ),
    max_size=5,
)


@given(profiles, times, st.booleans())
def test_the_limit_is_constant_up_to_the_next_change(found: list[dict[str, Any]], dt: int, charging: bool) -> None:
    """Whatever is installed, nothing changes before next_change; and the store survives a round trip."""
    s = store(*((1, p) for p in found))
    s.charging_since = T0 if charging else None
    edge = min(s.next_change(T0 + dt), T0 + dt + 1000)
    assert edge > T0 + dt
    for share in (0.001, 0.5, 0.999):
        assert s.limit_at(T0 + dt + share * (edge - T0 - dt)) == s.limit_at(T0 + dt)
    again = store()
    again.from_json(s.to_json())
    again.charging_since = s.charging_since
    assert again.limit_at(T0 + dt) == s.limit_at(T0 + dt)
