"""Profiles from the payload dicts of OCPP 1.6, 2.0.1 and 2.1 and back; keys are snake_case."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from typing import Any

from hilbench_emulators.smart_charging.fields import (
    Raw,
    choice,
    integer,
    moment,
    number,
    objects,
    rate,
    required,
    seconds,
)
from hilbench_emulators.smart_charging.model import (
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
)
from hilbench_emulators.smart_charging.times import timestamp

_MAX16 = "ChargePointMaxProfile"
_RATES = {"limit": "limit", "setpoint": "setpoint", "discharge_limit": "discharge"}
_PERIOD = {"start_period", "number_phases", "phase_to_use", "operation_mode", "evse_sleep"} | {
    key + phase for key in _RATES for phase in ("", "_l2", "_l3")
}
_SCHEDULE = {
    *("id", "charging_rate_unit", "charging_schedule_period", "start_schedule", "duration", "min_charging_rate"),
    *("use_local_time", "randomized_delay", "limit_at_soc"),
}
_PROFILE = {
    *("id", "charging_profile_id", "stack_level", "charging_profile_purpose", "charging_profile_kind"),
    *("recurrency_kind", "valid_from", "valid_to", "transaction_id", "charging_schedule", "max_offline_duration"),
    *("invalid_after_offline_duration", "dyn_update_interval", "dyn_update_time"),
}


def _more(raw: Raw, known: set[str]) -> dict[str, Any]:
    return {key: value for key, value in raw.items() if key not in known and value is not None}


def read(version: Version, raw: Raw, evse: int = 0) -> Profile:
    """A profile from ``cs_charging_profiles`` (1.6) or ``charging_profile`` (2.x).

    Raises ``ValueError`` that names the field when something is missing, beyond use or contradicts itself.
    """
    old = version is Version.V16
    listed = {"charging_schedule": [required(raw, "charging_schedule")]} if old else raw
    profile = Profile(
        id=_required_integer(raw, "charging_profile_id" if old else "id"),
        stack=_required_integer(raw, "stack_level"),
        purpose=_purpose(raw, old),
        kind=choice(Kind, raw, "charging_profile_kind"),
        schedules=tuple(_schedule(schedule, version) for schedule in objects(listed, "charging_schedule")),
        evse=evse,
        recurrency=None if raw.get("recurrency_kind") is None else choice(Recurrency, raw, "recurrency_kind"),
        transaction_id=raw.get("transaction_id"),
        max_offline_s=seconds(raw, "max_offline_duration"),
        invalid_after_offline=bool(raw.get("invalid_after_offline_duration")),
        dyn_update_time=moment(raw, "dyn_update_time"),
        dyn_update_interval_s=seconds(raw, "dyn_update_interval"),
        more=_more(raw, _PROFILE),
    )
    return _sound(_with_validity(profile, raw))


def _required_integer(raw: Raw, key: str) -> int:
    required(raw, key)
    return integer(raw, key) or 0


def _purpose(raw: Raw, old: bool) -> Purpose:
    if old and raw.get("charging_profile_purpose") == _MAX16:
        return Purpose.MAX
    purpose = choice(Purpose, raw, "charging_profile_purpose")
    if old and purpose not in (Purpose.TX_DEFAULT, Purpose.TX):
        raise ValueError(f"chargingProfilePurpose cannot be {purpose.value!r}")
    return purpose


def _with_validity(profile: Profile, raw: Raw) -> Profile:
    since, until = moment(raw, "valid_from"), moment(raw, "valid_to")
    return replace(
        profile,
        valid_from=-math.inf if since is None else since,
        valid_to=math.inf if until is None else until,
    )


def _sound(profile: Profile) -> Profile:
    if profile.stack < 0:
        raise ValueError("stackLevel is negative")
    if profile.valid_from >= profile.valid_to:
        raise ValueError("validFrom is not before validTo")
    if profile.kind is Kind.RECURRING and profile.recurrency is None:
        raise ValueError("recurrencyKind is missing")
    if profile.kind is Kind.RECURRING and any(schedule.start is None for schedule in profile.schedules):
        raise ValueError("startSchedule is missing")
    if not 1 <= len(profile.schedules) <= 3:
        raise ValueError("chargingSchedule has not 1 to 3 entries")
    return profile


def _schedule(raw: Raw, version: Version) -> Schedule:
    local = bool(raw.get("use_local_time"))
    duration_s = seconds(raw, "duration")
    return Schedule(
        unit=choice(Unit, raw, "charging_rate_unit"),
        periods=_periods(objects(raw, "charging_schedule_period"), version),
        start=moment(raw, "start_schedule", local=local),
        duration_s=math.inf if duration_s is None else duration_s,
        id=integer(raw, "id"),
        min_rate=number(raw, "min_charging_rate"),
        use_local_time=local,
        randomized_delay_s=seconds(raw, "randomized_delay") or 0.0,
        soc_limit=_soc_limit(raw.get("limit_at_soc")),
        more=_more(raw, _SCHEDULE),
    )


def _soc_limit(raw: Raw | None) -> SocLimit | None:
    if raw is None:
        return None
    required(raw, "soc")
    required(raw, "limit")
    return SocLimit(number(raw, "soc") or 0.0, number(raw, "limit") or 0.0)


def _periods(raw: list[Raw], version: Version) -> tuple[Period, ...]:
    if version is not Version.V21:
        for entry in raw:
            required(entry, "limit")
    periods = tuple(map(_period, raw))
    if not periods or periods[0].start_s != 0:
        raise ValueError("startPeriod of the first chargingSchedulePeriod is not 0")
    if any(late.start_s <= early.start_s for early, late in pairwise(periods)):
        raise ValueError("startPeriod does not rise")
    return periods


def _period(raw: Raw) -> Period:
    phases, use = integer(raw, "number_phases"), integer(raw, "phase_to_use")
    if phases not in (None, 1, 2, 3):
        raise ValueError("numberPhases is not 1, 2 or 3")
    if use not in (None, 1, 2, 3):
        raise ValueError("phaseToUse is not 1, 2 or 3")
    required(raw, "start_period")
    return Period(
        start_s=seconds(raw, "start_period") or 0.0,
        limit=rate(raw, "limit", lowest=0),
        setpoint=rate(raw, "setpoint"),
        discharge=rate(raw, "discharge_limit", highest=0),
        number_phases=phases,
        phase_to_use=use,
        operation_mode=raw.get("operation_mode"),
        evse_sleep=bool(raw.get("evse_sleep")),
        more=_more(raw, _PERIOD),
    )


def purpose_name(version: Version, purpose: Purpose) -> str:
    """What a version calls a purpose."""
    return _MAX16 if version is Version.V16 and purpose is Purpose.MAX else purpose.value


def write(version: Version, profile: Profile) -> dict[str, Any]:
    """The payload of a profile, for reports and for storage; what is absent or default is left out."""
    old = version is Version.V16
    schedules = [_write_schedule(schedule) for schedule in profile.schedules]
    return {
        "charging_profile_id" if old else "id": profile.id,
        "stack_level": profile.stack,
        "charging_profile_purpose": purpose_name(version, profile.purpose),
        "charging_profile_kind": profile.kind.value,
        "charging_schedule": schedules[0] if old else schedules,
        **_present(
            recurrency_kind=profile.recurrency,
            valid_from=_time(profile.valid_from),
            valid_to=_time(profile.valid_to),
            transaction_id=profile.transaction_id,
            max_offline_duration=whole(profile.max_offline_s),
            invalid_after_offline_duration=profile.invalid_after_offline or None,
            dyn_update_time=_time(profile.dyn_update_time),
            dyn_update_interval=whole(profile.dyn_update_interval_s),
        ),
        **profile.more,
    }


def _present(**values: Any) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def _time(t: float | None) -> str | None:
    return None if t is None or math.isinf(t) else timestamp(t)


def whole(value: float | None) -> float | None:
    """An int where that says the same: the wire wants integers; None where there is no finite number."""
    if value is None or not math.isfinite(value):
        return None
    return int(value) if value == int(value) else value


def _write_schedule(schedule: Schedule) -> dict[str, Any]:
    soc = schedule.soc_limit
    return {
        "charging_rate_unit": schedule.unit.value,
        "charging_schedule_period": [write_period(period) for period in schedule.periods],
        **_present(
            id=schedule.id,
            start_schedule=_time(schedule.start),
            duration=whole(schedule.duration_s),
            min_charging_rate=schedule.min_rate,
            use_local_time=schedule.use_local_time or None,
            randomized_delay=whole(schedule.randomized_delay_s or None),
            limit_at_soc=None if soc is None else {"soc": whole(soc.soc_pct), "limit": soc.limit},
        ),
        **schedule.more,
    }


def write_period(period: Period) -> dict[str, Any]:
    """The payload of one period."""
    rates = {key: getattr(period, name) for key, name in _RATES.items()}
    return {
        "start_period": whole(period.start_s),
        **{key: value for name, rate in rates.items() for key, value in _write_rate(name, rate).items()},
        **_present(
            number_phases=period.number_phases,
            phase_to_use=period.phase_to_use,
            operation_mode=period.operation_mode,
            evse_sleep=period.evse_sleep or None,
        ),
        **period.more,
    }


def _write_rate(name: str, value: Rate | None) -> dict[str, Any]:
    if value is None:
        return {}
    return _present(**{name: value.l1, f"{name}_l2": value.l2, f"{name}_l3": value.l3})
