"""Profiles from payloads and back."""

from __future__ import annotations

import math
from typing import Any

import pytest

from hilbench_emulators.smart_charging import (
    Kind,
    Period,
    Profile,
    Purpose,
    Rate,
    Recurrency,
    Schedule,
    SocLimit,
    Unit,
    Version,
    read,
    write,
)
from hilbench_emulators.smart_charging.fields import seconds
from tests.charging_samples import T0

OLD: dict[str, Any] = {
    "charging_profile_id": 4,
    "stack_level": 1,
    "charging_profile_purpose": "TxProfile",
    "charging_profile_kind": "Recurring",
    "charging_schedule": {
        "charging_rate_unit": "W",
        "charging_schedule_period": [
            {"start_period": 0, "limit": 11000.0, "number_phases": 3},
            {"start_period": 60, "limit": 16.1},
        ],
        "start_schedule": "2024-06-04T16:00:00Z",
        "duration": 3600,
        "min_charging_rate": 6.0,
    },
    "recurrency_kind": "Daily",
    "valid_from": "2024-06-04T16:00:00Z",
    "valid_to": "2024-06-05T16:00:00Z",
    "transaction_id": 17,
}
NEW: dict[str, Any] = {
    "id": -4,
    "stack_level": 0,
    "charging_profile_purpose": "ChargingStationMaxProfile",
    "charging_profile_kind": "Dynamic",
    "charging_schedule": [
        {
            "charging_rate_unit": "A",
            "charging_schedule_period": [
                {
                    "start_period": 0,
                    **{"limit": 16.0, "limit_l2": 15.0, "limit_l3": 14.0},
                    **{"setpoint": -1.0, "setpoint_l2": 2.0, "setpoint_l3": 3.0},
                    **{"discharge_limit": -5.0, "discharge_limit_l2": -4.0, "discharge_limit_l3": 0.0},
                    **{"number_phases": 1, "phase_to_use": 2, "operation_mode": "Idle", "evse_sleep": True},
                    "v2x_baseline": 5.0,
                }
            ],
            **{"id": 9, "use_local_time": True, "randomized_delay": 30, "limit_at_soc": {"soc": 80, "limit": 6.0}},
            **{"start_schedule": "2024-06-04T16:00:00Z", "sales_tariff": {"id": 1}},
        }
    ],
    **{"max_offline_duration": 60, "invalid_after_offline_duration": True},
    **{"dyn_update_time": "2024-06-04T16:00:00.500Z", "dyn_update_interval": 10},
    "price_schedule_signature": "x",
}


def test_what_1_6_says_is_read() -> None:
    """Every field."""
    periods = (Period(0.0, Rate(11000), number_phases=3), Period(60.0, Rate(16.1)))
    schedule = Schedule(Unit.W, periods, T0, 3600.0, min_rate=6.0)
    assert read(Version.V16, OLD, 2) == Profile(
        id=4,
        stack=1,
        purpose=Purpose.TX,
        kind=Kind.RECURRING,
        schedules=(schedule,),
        evse=2,
        recurrency=Recurrency.DAILY,
        valid_from=T0,
        valid_to=T0 + 86_400,
        transaction_id=17,
    )


def test_what_2_1_says_is_read() -> None:
    """Every field that counts; the others are kept for the way back."""
    period = Period(
        0.0,
        Rate(16, 15, 14),
        Rate(-1, 2, 3),
        Rate(-5, -4, 0),
        number_phases=1,
        phase_to_use=2,
        operation_mode="Idle",
        evse_sleep=True,
        more={"v2x_baseline": 5.0},
    )
    schedule = Schedule(
        Unit.A,
        (period,),
        T0,
        id=9,
        use_local_time=True,
        randomized_delay_s=30.0,
        soc_limit=SocLimit(80, 6),
        more={"sales_tariff": {"id": 1}},
    )
    assert read(Version.V21, NEW) == Profile(
        id=-4,
        stack=0,
        purpose=Purpose.MAX,
        kind=Kind.DYNAMIC,
        schedules=(schedule,),
        max_offline_s=60.0,
        invalid_after_offline=True,
        dyn_update_time=T0 + 0.5,
        dyn_update_interval_s=10.0,
        more={"price_schedule_signature": "x"},
    )


@pytest.mark.parametrize(("version", "raw"), [(Version.V16, OLD), (Version.V21, NEW), (Version.V201, NEW)])
def test_the_way_back_gives_the_same_payload(version: Version, raw: dict[str, Any]) -> None:
    """Field by field, with whole numbers where the wire wants them."""
    back = write(version, read(version, raw))
    assert back == raw
    assert "'duration': 3600," in repr(back) or "'randomized_delay': 30," in repr(back)


def test_what_is_absent_stays_absent() -> None:
    """Defaults are not written, nor is None read as a value; 1.6 names its maximum in its own way."""
    raw = {
        "charging_profile_id": 1,
        "stack_level": 0,
        "charging_profile_purpose": "ChargePointMaxProfile",
        "charging_profile_kind": "Absolute",
        "charging_schedule": {
            "charging_rate_unit": "A",
            "charging_schedule_period": [{"start_period": 0, "limit": 0.0}],
        },
    }
    found = read(Version.V16, raw | {"valid_from": None, "custom": None})
    assert found == Profile(
        1, 0, Purpose.MAX, Kind.ABSOLUTE, (Schedule(Unit.A, (Period(0.0, Rate(0)),), None, math.inf),)
    )
    assert write(Version.V16, found) == raw


def test_fractions_of_seconds_are_kept() -> None:
    """As far as 1/1024 s goes."""
    made = read(Version.V21, NEW | {"max_offline_duration": 1.5})
    assert write(Version.V21, made)["max_offline_duration"] == 1.5


def changed(path: str, value: object) -> dict[str, Any]:
    """OLD with one field set, by its place: profile, schedule, or a period by index."""
    schedule = OLD["charging_schedule"]
    place, _, key = path.partition(".")
    if place == "profile":
        return OLD | {key: value}
    if place == "schedule":
        return OLD | {"charging_schedule": schedule | {key: value}}
    periods = [dict(period) for period in schedule["charging_schedule_period"]]
    periods[int(place)][key] = value
    return OLD | {"charging_schedule": schedule | {"charging_schedule_period": periods}}


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("profile.charging_profile_id", None, "chargingProfileId is missing"),
        ("profile.charging_profile_id", 1.5, "chargingProfileId is not a whole number"),
        ("profile.charging_profile_id", True, "chargingProfileId is not a whole number"),
        ("profile.stack_level", None, "stackLevel is missing"),
        ("profile.stack_level", -1, "stackLevel is negative"),
        ("profile.charging_profile_kind", "Never", "chargingProfileKind cannot be 'Never'"),
        ("profile.charging_profile_purpose", "LocalGeneration", "chargingProfilePurpose cannot be 'LocalGeneration'"),
        ("profile.charging_profile_purpose", None, "chargingProfilePurpose is missing"),
        ("profile.recurrency_kind", None, "recurrencyKind is missing"),
        ("profile.recurrency_kind", "Yearly", "recurrencyKind cannot be 'Yearly'"),
        ("profile.valid_from", "2024-06-05T16:00:00Z", "validFrom is not before validTo"),
        ("profile.valid_to", "soon", "validTo is not a time: 'soon'"),
        ("profile.valid_to", 5, "validTo is not a time: 5"),
        ("profile.charging_schedule", None, "chargingSchedule is missing"),
        ("profile.charging_schedule", 5, "chargingSchedule is not a list of objects"),
        ("schedule.charging_schedule_period", {"limit": 1}, "chargingSchedulePeriod is not a list of objects"),
        ("schedule.charging_schedule_period", [1], "chargingSchedulePeriod is not a list of objects"),
        ("1.limit", None, "limit is missing"),
        ("schedule.start_schedule", None, "startSchedule is missing"),
        ("schedule.charging_rate_unit", "VA", "chargingRateUnit cannot be 'VA'"),
        ("schedule.duration", -1, "duration is not between 0 and 1e\\+12 s"),
        ("schedule.duration", 10**13, "duration is not between 0 and 1e\\+12 s"),
        ("schedule.duration", 10**400, "duration is not a number of usable size"),
        ("schedule.duration", "60", "duration is not a number of usable size"),
        ("schedule.min_charging_rate", math.nan, "minChargingRate is not a number of usable size"),
        ("schedule.charging_schedule_period", [], "startPeriod of the first chargingSchedulePeriod is not 0"),
        ("schedule.limit_at_soc", {"soc": 5}, "limit is missing"),
        ("schedule.limit_at_soc", {"limit": 5}, "soc is missing"),
        ("0.start_period", 1, "startPeriod of the first chargingSchedulePeriod is not 0"),
        ("0.start_period", None, "startPeriod is missing"),
        ("1.start_period", 0, "startPeriod does not rise"),
        ("0.limit", -0.1, "limit is negative"),
        ("0.limit", math.inf, "limit is not a number of usable size"),
        ("0.limit", True, "limit is not a number of usable size"),
        ("0.limit", [5], "limit is not a number of usable size"),
        ("0.limit_l3", -1, "limit is negative"),
        ("0.discharge_limit", 0.1, "dischargeLimit is positive"),
        ("0.number_phases", 4, "numberPhases is not 1, 2 or 3"),
        ("0.number_phases", 0, "numberPhases is not 1, 2 or 3"),
        ("0.phase_to_use", 4, "phaseToUse is not 1, 2 or 3"),
        ("0.phase_to_use", 0, "phaseToUse is not 1, 2 or 3"),
    ],
)
def test_what_contradicts_itself_is_refused_by_name(path: str, value: object, message: str) -> None:
    """A ValueError that names the field as on the wire."""
    with pytest.raises(ValueError, match=f"^{message}$"):
        read(Version.V16, changed(path, value))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("schedule.duration", 0),
        ("schedule.duration", 10**12),
        ("0.limit", 0),
        ("0.discharge_limit", 0),
        ("0.phase_to_use", 1),
        ("0.phase_to_use", 2),
        ("0.phase_to_use", 3),
        ("0.number_phases", 1),
        ("0.number_phases", 2),
        ("profile.stack_level", 0),
        ("1.start_period", 0.5),
    ],
)
def test_the_last_good_value_is_taken(path: str, value: object) -> None:
    """Bounds are inclusive."""
    raw = changed(path, value)
    assert write(Version.V16, read(Version.V16, raw)) == raw


@pytest.mark.parametrize("count", [0, 4])
def test_a_profile_of_2_x_has_one_to_three_schedules(count: int) -> None:
    """Neither none nor four."""
    with pytest.raises(ValueError, match=r"^chargingSchedule has not 1 to 3 entries$"):
        read(Version.V21, NEW | {"charging_schedule": NEW["charging_schedule"] * count})
    assert len(read(Version.V21, NEW | {"charging_schedule": NEW["charging_schedule"] * 3}).schedules) == 3


def test_every_schedule_of_a_recurring_profile_needs_its_start() -> None:
    """The second as well as the first."""
    first = NEW["charging_schedule"][0]
    second = {key: value for key, value in first.items() if key != "start_schedule"}
    raw = NEW | {"charging_profile_kind": "Recurring", "recurrency_kind": "Weekly"}
    assert read(Version.V21, raw).recurrency is Recurrency.WEEKLY
    with pytest.raises(ValueError, match="startSchedule is missing"):
        read(Version.V21, raw | {"charging_schedule": [first, second]})


def test_limits_without_that_of_the_first_phase_are_marked() -> None:
    """NaN on the first phase, for the store to refuse by PhaseConflict."""
    raw = NEW | {
        "charging_schedule": [NEW["charging_schedule"][0] | {"charging_schedule_period": [{"start_period": 0}]}]
    }
    assert read(Version.V21, raw).schedules[0].periods[0].limit is None
    raw["charging_schedule"][0]["charging_schedule_period"] = [{"start_period": 0, "limit_l2": 5}]
    limit = read(Version.V21, raw).schedules[0].periods[0].limit
    assert limit is not None
    assert math.isnan(limit.l1)
    assert (limit.l2, limit.l3, limit.per_phase) == (5, None, True)


def test_before_2_1_every_period_has_a_limit() -> None:
    """In 2.0.1 as in 1.6."""
    schedule = NEW["charging_schedule"][0] | {"charging_schedule_period": [{"start_period": 0, "setpoint": 5}]}
    assert read(Version.V21, NEW | {"charging_schedule": [schedule]}).schedules[0].periods[0].limit is None
    with pytest.raises(ValueError, match="limit is missing"):
        read(Version.V201, NEW | {"charging_schedule": [schedule]})


def test_the_longest_duration_is_taken_and_no_longer_one() -> None:
    """1e12 s, beyond which sums of instants are not exact."""
    assert seconds({"duration": 1e12}, "duration") == 1e12
    with pytest.raises(ValueError, match="duration is not between 0 and 1e"):
        seconds({"duration": 1e12 + 0.5}, "duration")
