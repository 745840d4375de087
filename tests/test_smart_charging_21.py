"""What OCPP 2.1 edition 1 with errata 2025-09 adds to smart charging."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from hilbench_emulators.smart_charging import (
    Cause,
    Composite,
    Evaluator,
    Facts,
    Interval,
    Kind,
    Outlet,
    Period,
    Profile,
    ProfileStore,
    Purpose,
    Rate,
    Report,
    Schedule,
    SocLimit,
    Unit,
    Version,
    composite,
)
from hilbench_emulators.smart_charging.rules import Request
from hilbench_emulators.smart_charging.selection import Situation
from tests.charging_samples import T0, TWO, amps, begin, course, periods, profile, schedule, station, tx

V = Version.V21
PRIORITY, GENERATION = Purpose.PRIORITY, Purpose.LOCAL_GENERATION


def refusal(store: ProfileStore, given: Profile, evse: int = 1, t: float = T0) -> str:
    """Reason code of the status Rejected, or nothing when accepted."""
    answer = store.install(given, evse, t)
    assert answer.status == ("Rejected" if answer.reason_code else "Accepted")
    return answer.reason_code


def of_period(purpose: Purpose = Purpose.TX, unit: Unit = Unit.A, **fields: Any) -> Profile:
    """A profile of one period with these fields."""
    made = Schedule(unit, (Period(0.0, **fields),), T0)
    return profile(purpose=purpose, schedules=(made,), transaction_id="tx" if purpose is Purpose.TX else None)


def running(**options: Any) -> ProfileStore:
    """A station with a transaction on outlet 1."""
    s = station(V, **options)
    begin(s, 1)
    return s


@pytest.mark.parametrize(("more", "kept"), [((), [1, 2, 3]), ((Purpose.TX, Purpose.EXTERNAL), [1, 2, 3, 5, -1])])
def test_some_purposes_survive_a_reboot_others_by_option(more: tuple[Purpose, ...], kept: list[int]) -> None:
    """Maximum, default and priority must; an external constraint keeps its source."""
    s = station(V, persistent=frozenset(more))
    begin(s, 1)
    wanted = (Purpose.MAX, Purpose.TX_DEFAULT, PRIORITY, GENERATION)
    for number, purpose in enumerate(wanted, start=1):
        assert refusal(s, profile(purpose=purpose, id=number), 0) == ""
    assert refusal(s, tx(id=5)) == ""
    s.set_external(profile(id=-1), 0, "SO")
    again = ProfileStore(V, facts=TWO)
    again.from_json(s.to_json())
    assert [p.id for p in again.profiles] == kept
    assert again.profiles == tuple(p for p in s.profiles if p.id in kept)
    assert [again.source(p) for p in again.profiles if p.id == -1] == ["SO"] * (len(more) // 2)


def test_priority_charging_has_no_duration_and_charges_only() -> None:
    """InvalidSchedule for both."""
    s = station(V, operation_modes=frozenset({"Idle"}))
    endless, short = schedule([(0, 1)]), schedule([(0, 1)], duration=5)
    assert refusal(s, profile(purpose=PRIORITY, schedules=(endless, short))) == "InvalidSchedule"
    mixed = (Period(0.0), Period(5.0, operation_mode="Idle"))
    late = profile(purpose=PRIORITY, schedules=(Schedule(Unit.A, mixed, T0),))
    assert s.install(late, 1, T0).description == "priority charging is ChargingOnly"
    idle = of_period(PRIORITY, operation_mode="Idle")
    assert s.install(idle, 1, T0).description == "priority charging is ChargingOnly"
    assert refusal(s, profile(purpose=PRIORITY)) == ""


def test_priority_charging_replaces_default_and_transaction_while_it_is_used() -> None:
    """Maximum and external constraint still cap; it ends on request and with the transaction."""
    s = station(V, (1, profile([(0, 10)])), (1, tx([(0, 8)], id=2)), (0, profile([(0, 30)], id=3, purpose=PRIORITY)))
    s.install(profile([(0, 25)], id=4, purpose=Purpose.MAX), 0, T0)
    assert amps(s, T0) == 8
    assert s.use_priority(1, "tx", True).accepted
    assert amps(s, T0) == 25
    assert s.use_priority(1, "tx", False).accepted
    assert amps(s, T0) == 8
    s.use_priority(1, "tx", True)
    s.set_external(profile([(0, 20)], id=-1), 0)
    assert amps(s, T0) == 20
    s.end_transaction(1)
    begin(s, 1)
    assert amps(s, T0) == 10


def test_priority_charging_is_refused_for_an_unknown_transaction_or_without_profile() -> None:
    """Rejected or NoProfile; to end it no profile is needed."""
    s = station(V, (1, profile(purpose=PRIORITY)))
    assert s.use_priority(1, "tx", True).status == "Rejected"
    assert s.use_priority(9, "tx", True).reason_code == "TxNotFound"
    begin(s, 1)
    begin(s, 2)
    assert s.use_priority(1, "other", True).status == "Rejected"
    assert s.use_priority(2, "tx", True).status == "NoProfile"
    assert s.use_priority(2, "tx", False).status == "Accepted"
    assert s.outlets[2].priority is False


def test_priority_without_a_period_leaves_the_transaction_as_it_was() -> None:
    """Before its start the TxProfile counts."""
    s = station(V, (1, tx([(0, 8)], id=2)), (1, profile([(0, 30)], id=3, purpose=PRIORITY, start=T0 + 5)))
    s.use_priority(1, "tx", True)
    assert course(s, [4, 5]) == [8, 30]


def test_local_generation_comes_on_top() -> None:
    """Of the least of all others, and of nothing where nothing limits; watts add to watts."""
    s = station(V, (0, profile([(0, 4)], purpose=GENERATION)))
    assert amps(s, T0) is None
    assert [c.purpose for c in Evaluator(s).decide(1, T0).because] == [GENERATION]
    s.install(profile([(0, 10)], id=2), 1, T0)
    s.install(profile([(0, 12)], id=3, purpose=Purpose.MAX), 0, T0)
    decision = Evaluator(s).decide(1, T0)
    assert (decision.limit_a, decision.limit_w) == ((14, 14, 14), None)
    assert [(c.purpose.name, c.decided) for c in decision.because] == [
        ("MAX", False),
        ("TX_DEFAULT", True),
        ("LOCAL_GENERATION", False),
    ]


@pytest.mark.parametrize(("unit", "limit", "limit_w"), [(Unit.W, 690.0, 7590.0), (Unit.A, 1.0, 6900.0)])
def test_local_generation_in_watts_adds_to_watts(unit: Unit, limit: float, limit_w: float) -> None:
    """1 A or 690 W on three phases both are 1 A more; only watts raise the total in watts."""
    s = station(
        V, (1, profile([(0, 6900)], unit=Unit.W)), (1, profile([(0, limit)], id=2, purpose=GENERATION, unit=unit))
    )
    decision = Evaluator(s).decide(1, T0)
    assert (decision.limit_a, decision.limit_w) == ((11, 11, 11), limit_w)


def test_local_generation_without_a_limit_adds_nothing() -> None:
    """A period of operation mode ExternalLimits may have none."""
    s = station(V, (1, profile([(0, 10)])), operation_modes=frozenset({"ExternalLimits"}))
    assert refusal(s, replace(of_period(GENERATION, operation_mode="ExternalLimits"), id=2), 1) == ""
    assert amps(s, T0) == 10


def test_additional_purposes_must_be_supported() -> None:
    """UnsupportedPurpose for those that are not."""
    s = station(V, purposes=frozenset({PRIORITY}))
    assert refusal(s, profile(purpose=GENERATION)) == "UnsupportedPurpose"
    assert refusal(s, profile(purpose=PRIORITY)) == ""


def test_dynamic_profiles_must_be_supported() -> None:
    """UnsupportedKind."""
    assert refusal(station(V, dynamic=False), profile(kind=Kind.DYNAMIC)) == "UnsupportedKind"


def test_a_dynamic_profile_has_one_schedule_of_one_period() -> None:
    """InvalidSchedule else."""
    s = station(V)
    one = schedule([(0, 1)])
    assert refusal(s, profile([(0, 1), (5, 2)], kind=Kind.DYNAMIC)) == "InvalidSchedule"
    assert refusal(s, profile(schedules=(one, one), kind=Kind.DYNAMIC)) == "InvalidSchedule"
    assert refusal(s, profile(schedules=(one,), kind=Kind.DYNAMIC)) == ""


def test_fields_of_dynamic_profiles_are_of_no_other() -> None:
    """InvalidProfile for either."""
    s = station(V)
    assert refusal(s, profile(dyn_update_time=T0)) == "InvalidProfile"
    assert refusal(s, profile(dyn_update_interval_s=5.0)) == "InvalidProfile"


def test_an_update_changes_the_figures_that_it_names() -> None:
    """At once, with its time; the others stay, phases too."""
    s = running()
    given = of_period(limit=Rate(10, 11, 12), setpoint=Rate(9), discharge=Rate(-3))
    assert refusal(s, replace(given, kind=Kind.DYNAMIC)) == ""
    assert s.update_dynamic(1, T0 + 7, {"limit_l2": 8, "setpoint": 6, "setpoint_l3": 5}).accepted
    (now,) = s.profiles
    (period,) = now.schedules[0].periods
    assert (period.limit, period.setpoint, period.discharge) == (Rate(10, 8, 12), Rate(6, None, 5), Rate(-3))
    assert now.dyn_update_time == T0 + 7
    assert s.update_dynamic(1, T0 + 8, {"limit": 7, "discharge_limit": -2}).accepted
    (period,) = s.profiles[0].schedules[0].periods
    assert (period.limit, period.discharge) == (Rate(7, 8, 12), Rate(-2))


def test_an_update_leaves_other_profiles_alone() -> None:
    """And a first figure may come by update."""
    s = station(V, (1, profile()), operation_modes=frozenset({"ExternalLimits"}))
    other = of_period(Purpose.TX_DEFAULT, operation_mode="ExternalLimits")
    s.install(replace(other, kind=Kind.DYNAMIC, id=2, stack=1), 1, T0)
    s.update_dynamic(2, T0, {"limit": 3})
    assert [p.schedules[0].periods[0].limit for p in s.profiles] == [Rate(16), Rate(3)]


def test_only_dynamic_profiles_are_updated() -> None:
    """Others and unknown ones: Rejected; figures beyond use raise."""
    s = station(V, (1, profile(id=1)), (1, profile(kind=Kind.DYNAMIC, id=2, stack=1)))
    assert [s.update_dynamic(number, T0, {"limit": 5}).status for number in (1, 3)] == ["Rejected", "Rejected"]
    with pytest.raises(ValueError, match="limit is negative"):
        s.update_dynamic(2, T0, {"limit": -1})
    with pytest.raises(ValueError, match="dischargeLimit is positive"):
        s.update_dynamic(2, T0, {"discharge_limit": 1})
    with pytest.raises(ValueError, match="figures of single phases need that of the first"):
        s.update_dynamic(2, T0, {"setpoint_l2": 1})


def test_ids_of_external_constraints_are_reserved() -> None:
    """Up to MaxExternalConstraintsId, inclusive."""
    s = station(V, max_external_id=10)
    assert refusal(s, profile(id=10)) == "InvalidProfileId"
    assert refusal(s, profile(id=11)) == ""


def test_updates_of_a_stored_purpose_may_be_too_frequent() -> None:
    """Per purpose, and only for those that are stored."""
    s = running(update_rate_limit_s=60.0)
    assert refusal(s, profile()) == ""
    assert refusal(s, profile(), t=T0 + 59) == "RateLimitExceeded"
    assert refusal(s, profile(purpose=PRIORITY, id=2), t=T0 + 59) == ""
    assert refusal(s, profile(), t=T0 + 60) == ""
    assert refusal(s, tx(id=3)) == ""
    assert refusal(s, tx(id=3)) == ""
    stores = running(update_rate_limit_s=60.0, persistent=frozenset({Purpose.TX}))
    assert refusal(stores, tx()) == ""
    assert refusal(stores, tx()) == "RateLimitExceeded"


@pytest.mark.parametrize(
    ("option", "change"),
    [
        ("local_time", {"use_local_time": True}),
        ("randomized_delay", {"randomized_delay_s": 1.0}),
        ("limit_at_soc", {"soc_limit": SocLimit(80, 6)}),
    ],
)
def test_what_is_not_supported_is_refused(option: str, change: dict[str, Any]) -> None:
    """InvalidSchedule with the option off, accepted with it on; without the field it does not matter."""
    given = profile(schedules=(schedule([(0, 8)]), replace(schedule([(0, 9)]), **change)))
    off: dict[str, Any] = {option: False}
    assert refusal(station(V, **off), given) == "InvalidSchedule"
    assert refusal(station(V, **off), profile()) == ""
    assert refusal(station(V), given) == ""


@pytest.mark.parametrize(("can", "reason"), [(False, "InvalidSchedule"), (True, "")])
def test_sleep_must_be_supported(can: bool, reason: str) -> None:
    """SupportsEvseSleep."""
    made = Schedule(Unit.A, (Period(0.0), Period(5.0, evse_sleep=True)), T0)
    assert refusal(running(evse_sleep=can), tx(schedules=(made,))) == reason


def test_a_random_delay_is_of_tx_and_default_only() -> None:
    """InvalidSchedule for a maximum."""
    s = running()
    late = (replace(schedule([(0, 9)]), randomized_delay_s=5.0),)
    assert refusal(s, profile(schedules=late, purpose=Purpose.MAX), 0) == "InvalidSchedule"
    assert refusal(s, tx(schedules=late)) == ""


@pytest.mark.parametrize(
    ("purpose", "mode", "good"),
    [
        (Purpose.MAX, "ChargingOnly", True),
        (Purpose.MAX, "ExternalLimits", False),
        (GENERATION, "ExternalLimits", True),
        (GENERATION, "ExternalSetpoint", False),
        (GENERATION, None, True),
        (Purpose.TX_DEFAULT, "ExternalSetpoint", True),
        (Purpose.TX_DEFAULT, "CentralSetpoint", False),
        (PRIORITY, "ChargingOnly", True),
    ],
)
def test_operation_modes_by_purpose(purpose: Purpose, mode: str | None, good: bool) -> None:
    """Not every purpose has every mode, nor every station: here CentralSetpoint is unknown."""
    s = station(V, operation_modes=frozenset({"ExternalLimits", "ExternalSetpoint"}))
    reason = refusal(s, of_period(purpose, operation_mode=mode, limit=Rate(9)), 0)
    assert reason == ("" if good else "InvalidOperationMode")


def test_charging_only_is_supported_by_all() -> None:
    """Also where nothing is configured."""
    assert refusal(station(V, operation_modes=frozenset()), profile()) == ""


def test_the_operation_mode_of_the_transaction_is_told() -> None:
    """ChargingOnly where none is said."""
    s = station(V, (0, profile(purpose=Purpose.MAX)), (1, profile(id=2)), operation_modes=frozenset({"ExternalLimits"}))
    assert Evaluator(s).decide(1, T0).operation_mode == "ChargingOnly"
    s.install(replace(of_period(Purpose.TX_DEFAULT, operation_mode="ExternalLimits"), id=2), 1, T0)
    decision = Evaluator(s).decide(1, T0)
    assert (decision.operation_mode, decision.limit_a) == ("ExternalLimits", (16, 16, 16))


def test_set_points_keep_within_limits() -> None:
    """The least of all, not above the limit, not below the discharge limit; the strictest discharge limit counts."""
    s = running()
    s.install(profile([(0, 10)], id=2, purpose=Purpose.MAX), 0, T0)
    s.install(of_period(limit=Rate(14), setpoint=Rate(12), discharge=Rate(-5)), 1, T0)
    decision = Evaluator(s).decide(1, T0)
    assert (decision.setpoint_a, decision.discharge_a) == ((10, 10, 10), (-5, -5, -5))
    s.set_external(replace(of_period(setpoint=Rate(-7), discharge=Rate(-3)), id=-1), 0)
    decision = Evaluator(s).decide(1, T0)
    assert (decision.setpoint_a, decision.discharge_a) == ((-3, -3, -3), (-3, -3, -3))


@pytest.mark.parametrize(
    ("fields", "description"),
    [
        ({"limit": Rate(10), "setpoint": Rate(12)}, "setpoint is not between dischargeLimit and limit"),
        ({"setpoint": Rate(-7.5), "discharge": Rate(-5)}, "setpoint is not between dischargeLimit and limit"),
        ({"setpoint": Rate(-4, -4, -6), "discharge": Rate(-5)}, "setpoint is not between dischargeLimit and limit"),
        ({"limit": Rate(10)}, "CentralSetpoint needs a setpoint"),
        ({"setpoint": Rate(-5), "discharge": Rate(-5), "limit": Rate(0)}, ""),
        ({"setpoint": Rate(-5)}, ""),
    ],
)
def test_a_set_point_is_there_and_within_its_own_limits(fields: dict[str, Any], description: str) -> None:
    """Else the profile is refused with InvalidSchedule (V2X.05)."""
    s = running(operation_modes=frozenset({"CentralSetpoint"}))
    answer = s.install(of_period(operation_mode="CentralSetpoint", **fields), 1, T0)
    assert (answer.reason_code, answer.description) == ("InvalidSchedule" if description else "", description)


def test_limits_of_single_phases() -> None:
    """They are of a TxProfile, in watts of each phase; a phase without its own has that of the first."""
    s = running()
    assert refusal(s, of_period(limit=Rate(10, 8, 6))) == ""
    assert Evaluator(s).decide(1, T0).limit_a == (10, 8, 6)
    assert refusal(s, of_period(unit=Unit.W, limit=Rate(2300, 1150))) == ""
    decision = Evaluator(s).decide(1, T0)
    assert (decision.limit_a, decision.limit_w, decision.per_phase) == ((10, 5, 10), 5750, True)
    assert refusal(s, of_period(unit=Unit.W, limit=Rate(2300, None, 1150))) == ""
    assert Evaluator(s).decide(1, T0).limit_a == (10, 10, 5)
    s.set_external(profile([(0, 8)], id=-1), 1)
    decision = Evaluator(s).decide(1, T0)
    assert (decision.limit_a, decision.per_phase) == ((8, 8, 5), True)


def test_limits_of_single_phases_are_of_a_tx_profile_with_a_limit() -> None:
    """PhaseConflict else."""
    s = running()
    assert refusal(s, of_period(Purpose.TX_DEFAULT, limit=Rate(9, 8))) == "PhaseConflict"
    assert refusal(s, of_period(limit=Rate(math.nan, 8))) == "PhaseConflict"
    assert refusal(s, of_period(limit=Rate(9), setpoint=Rate(math.nan, 8))) == "PhaseConflict"
    assert refusal(s, of_period(limit=Rate(9), discharge=Rate(math.nan, 8))) == "PhaseConflict"
    with pytest.raises(ValueError, match="figures of single phases need that of the first"):
        s.set_external(of_period(limit=Rate(math.nan, 8)), 0)
    assert refusal(s, of_period(limit=None)) == ""


def test_two_profiles_cannot_ask_for_different_phases() -> None:
    """PhaseConflict on the same outlet while both are valid; the same id replaces."""
    s = station(V, choose_phase=True)

    def on(use: int, number: int, **more: Any) -> Profile:
        made = replace(schedule([]), periods=periods([(0, 9)], number_phases=1, phase_to_use=use))
        return profile(schedules=(made,), id=number, stack=number, **more)

    assert refusal(s, on(1, 1, valid_to=T0 + 5)) == ""
    assert refusal(s, on(2, 2)) == "PhaseConflict"
    assert refusal(s, on(2, 2), 0) == "PhaseConflict"
    assert refusal(s, on(2, 2), 2) == ""
    assert refusal(s, on(2, 3, valid_from=T0 + 5)) == ""
    assert refusal(s, on(1, 4, valid_to=T0)) == ""
    assert refusal(s, on(3, 1, valid_to=T0)) == "PhaseConflict"
    assert refusal(s, profile(id=5, stack=5)) == ""


@pytest.mark.parametrize(("can", "reason"), [(False, "NoPhaseForDC"), (True, "")])
def test_direct_current_has_no_phases_to_choose(can: bool, reason: str) -> None:
    """Neither number nor phase, unless the station can choose its input phases."""
    s = station(V, facts=Facts({1: Outlet(dc=True)}), dc_input_phases=can)
    assert refusal(s, profile(phases=3)) == reason
    used = of_period(Purpose.TX_DEFAULT, limit=Rate(9), phase_to_use=1, number_phases=1)
    assert refusal(s, replace(used, id=2, stack=1)) == reason
    assert refusal(s, profile(id=3, stack=2)) == ""


def test_number_of_phases_is_the_least() -> None:
    """Absent counts as three."""
    s = station(V, (0, profile(purpose=Purpose.MAX, phases=2)), (1, profile(id=2)))
    assert Evaluator(s).decide(1, T0).number_phases == 2
    s.install(profile(id=2, phases=1), 1, T0)
    assert Evaluator(s).decide(1, T0).number_phases == 1


@pytest.mark.parametrize(("soc", "expected"), [(None, 16), (79.9, 16), (80.0, 6), (100.0, 6)])
def test_above_a_state_of_charge_the_limit_is_capped(soc: float | None, expected: float) -> None:
    """From it on, inclusive; without a measurement nothing is capped."""
    s = station(V, (1, profile(schedules=(replace(schedule([(0, 16)]), soc_limit=SocLimit(80, 6)),))))
    s.begin_transaction(1, "tx", T0, soc=soc)
    assert amps(s, T0) == expected
    s.state_of_charge(1, 90)
    assert amps(s, T0) == 6


def test_the_cap_of_state_of_charge_is_of_set_points_and_phases_too() -> None:
    """A period without limit gets one; a lower one stays."""
    s = running()
    s.state_of_charge(1, 90)
    capped = SocLimit(80, 6)
    for period, limit, setpoint in (
        (Period(0.0, setpoint=Rate(9)), (6, 6, 6), (6, 6, 6)),
        (Period(0.0, limit=Rate(9, 5, 8)), (6, 5, 6), None),
        (Period(0.0, limit=Rate(4), setpoint=Rate(3)), (4, 4, 4), (3, 3, 3)),
    ):
        made = Schedule(Unit.A, (period,), T0, soc_limit=capped)
        assert refusal(s, tx(schedules=(made,))) == ""
        decision = Evaluator(s).decide(1, T0)
        assert (decision.limit_a, decision.setpoint_a) == (limit, setpoint)


def test_a_cap_in_watts_is_a_total() -> None:
    """limit_w is what is left of it."""
    made = replace(schedule([(0, 6900)], unit=Unit.W), soc_limit=SocLimit(80, 690))
    s = station(V, (1, profile(schedules=(made,))))
    s.begin_transaction(1, "tx", T0, soc=81)
    decision = Evaluator(s).decide(1, T0)
    assert (decision.limit_a, decision.limit_w) == ((1, 1, 1), 690)


def test_the_composite_schedule_carries_single_phases_and_set_points() -> None:
    """K08.FR.09, for as many phases as count."""
    s = running()
    s.install(of_period(limit=Rate(10, 8, 6), setpoint=Rate(9, 7, 5), discharge=Rate(-1)), 1, T0)
    made = composite(Evaluator(s), 1, T0, 60)
    assert made is not None
    assert made.wire(V)["charging_schedule_period"] == [
        {
            "start_period": 0,
            **{"limit": 10, "limit_l2": 8, "limit_l3": 6},
            **{"setpoint": 9, "setpoint_l2": 7, "setpoint_l3": 5},
            **{"discharge_limit": -1, "discharge_limit_l2": -1, "discharge_limit_l3": -1},
            "number_phases": 3,
        }
    ]
    two = of_period(limit=Rate(10, 8, 6), number_phases=2, unit=Unit.A)
    s.install(two, 1, T0)
    made = composite(Evaluator(s), 1, T0, 60, Unit.W)
    assert made is not None
    assert [p.limit for p in made.periods] == [Rate(2300, 1840)]


def test_discharge_limits_are_rounded_towards_zero() -> None:
    """So that a composite schedule allows no more than the profiles, in either direction."""
    s = running()
    s.install(of_period(limit=Rate(9), setpoint=Rate(-0.15), discharge=Rate(-1.05)), 1, T0)
    made = composite(Evaluator(s), 1, T0, 60)
    assert made is not None
    assert (made.periods[0].setpoint, made.periods[0].discharge) == (Rate(-0.2), Rate(-1.0))


def test_refusals_name_the_first_that_is_wrong() -> None:
    """Feature, operation mode or unit."""
    s = station(V, local_time=False, randomized_delay=False, operation_modes=frozenset())
    both = replace(schedule([(0, 9)]), use_local_time=True, randomized_delay_s=5.0)
    assert s.install(profile(schedules=(both,)), 1, T0).description == "useLocalTime is not supported"
    modes = (Period(0.0, operation_mode="Idle"), Period(1.0, operation_mode="CentralSetpoint"))
    answer = s.install(profile(schedules=(Schedule(Unit.A, modes, T0),)), 1, T0)
    assert answer.description == "operationMode Idle is not allowed"
    units = (schedule([(0, 1)]), schedule([(0, 1)], unit=Unit.W))
    answer = station(V, units=frozenset()).install(profile(schedules=units), 1, T0)
    assert answer.description == "A is not supported"


def test_a_set_point_below_the_state_of_charge_is_as_said() -> None:
    """Without a cap, without a measurement and below it; from it on it is capped."""
    s = running()
    made = Schedule(Unit.A, (Period(0.0, setpoint=Rate(9)),), T0, soc_limit=SocLimit(80, 6))
    s.install(tx(schedules=(made,)), 1, T0)
    seen = []
    for soc in (None, 79.0, 80.0):
        s.state_of_charge(1, soc)
        setpoint = Evaluator(s).decide(1, T0).setpoint_a
        seen.append(setpoint and setpoint[0])
    assert seen == [9, 9, 6]
    s.install(of_period(setpoint=Rate(7)), 1, T0)
    setpoint = Evaluator(s).decide(1, T0).setpoint_a
    assert setpoint == (7, 7, 7)


def test_generation_on_top_of_set_points_alone_is_no_limit() -> None:
    """Nothing limits, so there is nothing to add to."""
    s = running()
    s.install(of_period(setpoint=Rate(7)), 1, T0)
    s.install(profile([(0, 4)], id=2, purpose=GENERATION), 1, T0)
    assert Evaluator(s).decide(1, T0).limit_a is None


def test_a_discharge_limit_of_zero_may_be_set_by_update() -> None:
    """It is the last that is not positive."""
    s = station(V, (1, profile(kind=Kind.DYNAMIC)))
    assert s.update_dynamic(1, T0, {"discharge_limit": 0, "limit": 0}).accepted
    assert s.profiles[0].schedules[0].periods[0].discharge == Rate(0)


def test_outlets_share_the_least_loaded_phase() -> None:
    """A constraint of single phases gives what its lowest phase has."""
    s = station(V)
    s.set_external(replace(of_period(limit=Rate(30, 20, 16)), id=-1), 0)
    assert Evaluator(s).shared(T0, {1: 32.0, 2: 32.0}) == {1: 8, 2: 8}


def test_an_offline_time_ends_profiles_of_all_outlets() -> None:
    """Whatever outlet they are of."""
    s = station(V, (2, profile(max_offline_s=60.0, invalid_after_offline=True)))
    s.went_offline(T0)
    s.came_online(T0 + 60)
    assert amps(s, T0 + 60, 2) is None


def test_direct_current_may_choose_its_input_phases() -> None:
    """With DCInputPhaseControl the phases of a profile are what the station is told to use."""
    s = station(V, facts=Facts({1: Outlet(dc=True)}), dc_input_phases=True)
    assert refusal(s, of_period(Purpose.TX_DEFAULT, limit=Rate(9), number_phases=1, phase_to_use=2)) == ""
    decision = Evaluator(s).decide(1, T0)
    assert (decision.number_phases, decision.phase_to_use) == (1, 2)


def test_too_frequent_tells_when_to_try_again() -> None:
    """In whole seconds, after which it is accepted."""
    s = running(update_rate_limit_s=60.0)
    assert refusal(s, profile()) == ""
    assert s.install(profile(), 1, T0 + 17.5).description == "43 seconds before retry"
    assert refusal(s, profile(), t=T0 + 17.5 + 43) == ""


@pytest.mark.parametrize("mode", [None, "ChargingOnly", "ExternalLimits", "ExternalSetpoint"])
def test_an_external_constraint_has_modes_of_its_own(mode: str | None) -> None:
    """Those that leave the figures to an external system; no other."""
    s = station(V)
    s.set_external(replace(of_period(limit=Rate(9), operation_mode=mode), id=-1), 1)
    assert amps(s, T0) == 9
    with pytest.raises(ValueError, match="operationMode CentralSetpoint is not allowed"):
        s.set_external(replace(of_period(limit=Rate(6), operation_mode="CentralSetpoint"), id=-1), 1)
    assert amps(s, T0) == 9


def test_local_generation_is_not_cleared_by_the_csms() -> None:
    """By id or by fields: Unknown, and it is reported as before; a clear of all leaves it."""
    s = station(V, (0, profile(purpose=GENERATION, id=1)), (0, profile(purpose=Purpose.MAX, id=2)))
    assert s.clear(profile_id=1).status == "Unknown"
    assert s.clear(purpose=GENERATION).status == "Unknown"
    assert s.clear().accepted
    assert [profile.id for report in s.select() for profile in report.profiles] == [1]


@pytest.mark.parametrize("kind", [Cause, Interval, Composite, Request, Situation, Report])
def test_what_is_told_does_not_change(kind: Any) -> None:
    """Frozen, all of it."""
    assert kind.__dataclass_params__.frozen


def test_one_schedule_with_too_many_periods_is_enough() -> None:
    """Wherever it stands among the others."""
    long = profile(schedules=(schedule([(0, 8)]), schedule([(0, 8), (1, 9), (2, 8)])))
    assert refusal(station(V, max_periods=2), long) == "TooManyElements"


def test_the_first_strange_mode_is_named() -> None:
    """Not the last."""
    s, modes = station(V), ("CentralSetpoint", "CentralFrequency")
    made = Schedule(Unit.A, tuple(Period(float(n), Rate(9), operation_mode=mode) for n, mode in enumerate(modes)), T0)
    with pytest.raises(ValueError, match="CentralSetpoint"):
        s.set_external(profile(schedules=(made,), id=-1), 1)


def test_on_one_phase_a_composite_has_no_others() -> None:
    """Although the TxProfile has figures for all."""
    s = station(V, facts=Facts({1: Outlet(phases=1)}))
    begin(s, 1)
    assert refusal(s, of_period(limit=Rate(9, 8, 7))) == ""
    made = composite(Evaluator(s), 1, T0, 60)
    assert made is not None
    assert made.periods[0].limit == Rate(9)


def test_the_lowest_set_point_counts() -> None:
    """Of the station's and the transaction's."""
    s = station(V, operation_modes=frozenset({"CentralSetpoint"}))
    s.set_external(replace(of_period(setpoint=Rate(9), limit=Rate(20)), id=-1), 1)
    begin(s, 1)
    assert refusal(s, of_period(setpoint=Rate(12), limit=Rate(20))) == ""
    assert Evaluator(s).decide(1, T0).setpoint_a == (9, 9, 9)


def test_generation_alone_decides_nothing() -> None:
    """There is no limit that it could add to."""
    decision = Evaluator(station(V, (0, profile(purpose=GENERATION)))).decide(1, T0)
    assert [cause.decided for cause in decision.because] == [False]
