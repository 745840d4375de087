"""The rules of OCPP 1.6 edition 2 with errata sheet 2025-04."""

from __future__ import annotations

import math
from dataclasses import FrozenInstanceError, replace

import pytest

from hilbench_emulators.smart_charging import (
    Answer,
    Decision,
    Facts,
    Kind,
    Options,
    Outlet,
    Profile,
    ProfileStore,
    Purpose,
    Rate,
    Refusal,
    RelativeFrom,
    SameSlot,
    Unit,
    Version,
    Zone,
    composite,
    options_for,
    read,
)
from hilbench_emulators.smart_charging.evaluate import Evaluator
from tests.charging_samples import T0, TWO, amps, begin, course, daily, profile, schedule, station, tx

V = Version.V16


def maximum(amperes: float, **more: object) -> Profile:
    """A ChargePointMaxProfile."""
    return profile([(0, amperes)], id=90, purpose=Purpose.MAX, **more)  # type: ignore[arg-type]


def test_the_maximum_is_of_connector_0_only() -> None:
    """On connector 1 it is refused, on 0 it caps every outlet."""
    s = station(V)
    assert s.install(maximum(10), 1, T0).status == "Rejected"
    assert s.install(maximum(10), 0, T0).accepted
    assert [amps(s, T0, 1), amps(s, T0, 2)] == [10, 10]


@pytest.mark.parametrize(("allowed", "status"), [(True, "Accepted"), (False, "Rejected")])
def test_a_relative_maximum_is_a_knob(allowed: bool, status: str) -> None:
    """1.6 does not forbid it; stations differ."""
    s = station(V, relative_max=allowed)
    assert s.install(maximum(10, kind=Kind.RELATIVE), 0, T0).status == status


def test_a_default_of_connector_0_is_of_all_and_one_of_a_connector_stands_before_it() -> None:
    """Same stack level: on outlet 1 its own counts, on outlet 2 the station's."""
    s = station(V, (0, profile([(0, 20)], id=1)), (1, profile([(0, 10)], id=2)))
    assert [amps(s, T0, 1), amps(s, T0, 2)] == [10, 20]


def test_a_new_default_applies_to_a_running_transaction_and_its_removal_leaves_it_free() -> None:
    """Errata 3.8: at once, both ways."""
    s = station(V)
    begin(s, 1)
    s.install(profile([(0, 9)]), 0, T0)
    assert amps(s, T0) == 9
    s.clear(profile_id=1)
    assert amps(s, T0) is None
    assert s.outlets[1].transaction_id == "tx"


@pytest.mark.parametrize("form", list(Refusal))
def test_a_tx_profile_needs_a_transaction(form: Refusal) -> None:
    """Without one it is refused, in the form of the option, and not kept."""
    s = station(V, tx_without_transaction=form)
    answer = s.install(tx(), 1, T0)
    if form is Refusal.REJECTED:
        assert (answer.status, answer.reason_code, answer.call_error) == ("Rejected", "TxNotFound", "")
    else:
        assert (answer.status, answer.call_error) == ("", "PropertyConstraintViolation")
    assert not answer.accepted
    assert answer.description == "no transaction on outlet 1"
    assert s.profiles == ()


def test_a_tx_profile_is_of_one_connector() -> None:
    """On connector 0 it is refused although a transaction runs."""
    s = station(V)
    begin(s, 1)
    answer = s.install(tx(), 0, T0)
    assert (answer.status, answer.reason_code) == ("Rejected", "InvalidProfile")


def test_transaction_id_may_be_left_out_but_must_match() -> None:
    """Without an id it is taken; with another one it is refused."""
    s = station(V)
    begin(s, 1)
    assert s.install(replace(tx(), transaction_id="other"), 1, T0).reason_code == "TxNotFound"
    assert s.install(replace(tx(), transaction_id=None), 1, T0).accepted


def test_a_tx_profile_overrules_the_default_but_not_the_maximum() -> None:
    """20 A of the transaction instead of 10 A of the default, until the maximum says 12 A."""
    s = station(V, (1, profile([(0, 10)])), (1, tx([(0, 20)], id=2)))
    assert amps(s, T0) == 20
    s.install(maximum(12), 0, T0)
    assert amps(s, T0) == 12


def test_tx_profiles_end_with_their_transaction() -> None:
    """The default counts again, other outlets keep theirs, and an option keeps all."""
    s = station(V, (1, profile([(0, 10)])), (1, tx([(0, 20)], id=2)), (2, tx(id=3)))
    s.end_transaction(1)
    assert [p.id for p in s.profiles] == [1, 3]
    assert amps(s, T0) == 10
    keeps = station(V, (1, tx()), keep_unused=True)
    keeps.end_transaction(1)
    assert len(keeps.profiles) == 1
    assert amps(keeps, T0) is None
    begin(keeps, 1, "another")
    assert amps(keeps, T0) is None
    keeps.end_transaction(1)
    begin(keeps, 1, "tx")
    assert amps(keeps, T0) == 16


def test_a_profile_of_remote_start_waits_for_its_transaction() -> None:
    """It has no transactionId, is a TxProfile, and counts when the transaction begins."""
    s = station(V)
    given = replace(tx([(0, 7)]), transaction_id=None)
    assert s.install(given, 1, T0, starting=True).accepted
    assert amps(s, T0) is None
    s.begin_transaction(1, 5, T0)
    assert amps(s, T0) == 7
    assert [p.transaction_id for p in s.profiles] == [5]


@pytest.mark.parametrize("bad", [profile(), tx()])
def test_remote_start_takes_no_other_profile(bad: Profile) -> None:
    """Another purpose (TC_060) or a transactionId is refused."""
    answer = station(V).install(bad, 1, T0, starting=True)
    assert (answer.status, answer.reason_code) == ("Rejected", "InvalidProfile")


def test_a_later_profile_of_the_same_level_replaces_that_of_remote_start() -> None:
    """Errata 3.42: same stackLevel replaces, another one stacks."""
    s = station(V)
    s.install(replace(tx([(0, 7)]), transaction_id=None), 1, T0, starting=True)
    begin(s, 1)
    s.install(tx([(0, 8)], id=2), 1, T0)
    s.install(tx([(0, 9)], id=3, stack=1), 1, T0)
    assert [p.id for p in s.profiles] == [2, 3]


def test_the_same_id_replaces_wherever_it_is() -> None:
    """Also with another purpose, level and connector."""
    s = station(V, (1, profile()), (0, profile(stack=3)))
    assert [(p.evse, p.stack) for p in s.profiles] == [(0, 3)]


def test_the_same_level_and_purpose_replaces_per_connector() -> None:
    """A default of connector 0 stays beside one of connector 1; a second one of connector 1 takes the first's place."""
    s = station(V, (0, profile(id=1)), (1, profile(id=2)), (1, profile(id=3)), (1, profile(id=4, stack=1)))
    assert [p.id for p in s.profiles] == [1, 3, 4]


def test_the_text_read_by_the_letter_replaces_in_the_whole_charge_point() -> None:
    """By option the place does not count; purpose and level still do."""
    s = station(V, (0, profile(id=1)), (1, profile(id=2)), (0, maximum(9)), replace_per_connector=False)
    assert [p.id for p in s.profiles] == [2, 90]


def test_a_replaced_profile_is_gone_before_its_successor_is_valid() -> None:
    """The new one is valid from 100 s on: until then nothing limits."""
    s = station(V, (1, profile([(0, 8)])), (1, profile([(0, 6)], id=2, valid_from=T0 + 100)))
    assert course(s, [0, 99, 100]) == [None, None, 6]


def test_slots_can_be_refused_in_1_6_too() -> None:
    """With that option both stay, and the first of the same level counts."""
    s = station(V, (1, profile([(0, 8)])), same_slot=SameSlot.REJECT)
    assert s.install(profile([(0, 6)], id=2), 1, T0).accepted
    assert len(s.profiles) == 2


@pytest.mark.parametrize("form", list(Refusal))
def test_beyond_the_limits_of_the_station(form: Refusal) -> None:
    """Level, periods and number of profiles each have a last one that fits; the form of the refusal is a knob."""
    s = station(V, max_stack=2, max_periods=2, max_profiles=1, over_limit=form)
    bad = (profile(stack=3), profile([(0, 1), (1, 2), (2, 3)]))
    good = profile([(0, 1), (1, 2)], stack=2)
    answers = [s.install(p, 1, T0) for p in (*bad, good, profile(id=2))]
    assert [a.accepted for a in answers] == [False, False, True, False]
    refused = [a for a in answers if not a.accepted]
    if form is Refusal.REJECTED:
        assert [a.reason_code for a in refused] == ["InvalidStackLevel", "TooManyElements", "TooManyElements"]
    else:
        assert {a.call_error for a in refused} == {"PropertyConstraintViolation"}


@pytest.mark.parametrize(("after", "accepted"), [(True, True), (False, False)])
def test_a_full_station_takes_a_replacement(after: bool, accepted: bool) -> None:
    """Counted after replacement it fits; some stations count before."""
    s = station(V, (1, profile()), max_profiles=1, count_after_replacement=after)
    assert s.install(profile([(0, 6)]), 1, T0).accepted is accepted


def test_an_external_limit_takes_no_place() -> None:
    """It does not count among installed profiles."""
    s = station(V, max_profiles=1)
    s.set_external(profile(id=-1), 0)
    assert s.install(profile(), 1, T0).accepted


def test_without_start_schedule_it_is_relative_to_the_start_of_charging() -> None:
    """An absolute one too, unless the station wants a start."""
    s = station(V, (1, profile([(0, 16), (10, 8)], start=None)))
    begin(s, 1, t=T0 + 100)
    assert course(s, [100, 109, 110]) == [16, 16, 8]
    strict = station(V, absolute_without_start=False)
    assert strict.install(profile(start=None), 1, T0).reason_code == "InvalidSchedule"


def test_a_relative_profile_with_start_counts_from_it() -> None:
    """1.6 does not forbid startSchedule there."""
    s = station(V)
    given = replace(profile(kind=Kind.RELATIVE), schedules=profile([(0, 5)], start=T0 + 5).schedules)
    assert s.install(given, 1, T0).accepted
    assert course(s, [4, 5]) == [None, 5]


def test_relative_counts_from_the_transaction_where_no_power_path_is_known() -> None:
    """In 1.6 the transaction starts it; by option only the closed power path does."""
    given = profile([(0, 16), (10, 8)], kind=Kind.RELATIVE)
    s, strict = station(V, (1, given)), station(V, (1, given), relative_from=RelativeFrom.POWER_PATH)
    for store in (s, strict):
        store.begin_transaction(1, 1, T0)
    assert [amps(s, T0 + 10), amps(strict, T0 + 10)] == [8, 16]


def test_clear_by_id_ignores_the_other_fields() -> None:
    """An id decides alone, and only where it is known."""
    s = station(V, (1, profile(id=1)), (2, profile(id=2)))
    assert s.clear(profile_id=3, evse=1).status == "Unknown"
    assert s.clear(profile_id=1, evse=2, purpose=Purpose.MAX, stack=7).status == "Accepted"
    assert [p.id for p in s.profiles] == [2]


def test_clear_without_fields_is_all() -> None:
    """And a second time there is nothing left to clear."""
    s = station(V, (1, profile(id=1)), (0, maximum(9)))
    assert s.clear().accepted
    assert s.profiles == ()
    assert s.clear().status == "Unknown"


@pytest.mark.parametrize(
    ("fields", "left"),
    [
        ({"evse": 0}, [2, 3]),
        ({"evse": 1}, [1]),
        ({"purpose": Purpose.TX_DEFAULT}, []),
        ({"stack": 1}, [1, 2]),
        ({"stack": 0, "evse": 1}, [1, 3]),
        ({"stack": 1, "evse": 0}, [1, 2, 3]),
    ],
)
def test_clear_by_fields_needs_all_of_them(fields: dict[str, int], left: list[int]) -> None:
    """Criteria add up; connector 0 is the station's own profiles."""
    s = station(V, (0, profile(id=1)), (1, profile(id=2)), (1, profile(id=3, stack=1)))
    s.clear(**fields)  # type: ignore[arg-type]
    assert [p.id for p in s.profiles] == left


def test_a_bad_connector_is_an_error() -> None:
    """CALLERROR PropertyConstraintViolation for connectors that do not exist."""
    answers = [station(V).install(profile(), evse, T0) for evse in (-1, 3)]
    assert [(a.status, a.call_error) for a in answers] == [("", "PropertyConstraintViolation")] * 2


def test_a_station_without_smart_charging_says_so() -> None:
    """CALLERROR NotSupported, no composite schedule."""
    s = station(V, smart_charging=False)
    assert s.install(profile(), 1, T0).call_error == "NotSupported"
    assert s.clear().call_error == "NotSupported"
    assert composite(Evaluator(s), 1, T0, 60) is None


def test_profiles_survive_a_reboot() -> None:
    """Errata 3.37: all that the CSMS has set, with connector and transaction; an external limit does not."""
    s = station(V, (0, maximum(9)), (1, daily(id=2)), (1, tx(id=3)))
    s.set_external(profile(id=-1), 0)
    again = ProfileStore(V, facts=TWO)
    again.from_json(s.to_json())
    assert again.profiles == s.profiles[:3]


def test_offline_a_transaction_keeps_what_is_stored() -> None:
    """3.13.6: TxProfile and default count as before; with nothing stored nothing limits."""
    s = station(V, (1, profile([(0, 10)])), (1, tx([(0, 20)], id=2)))
    s.went_offline(T0)
    begin(s, 2)
    assert [amps(s, T0 + 1e6, 1), amps(s, T0 + 1e6, 2)] == [20, None]


def test_a_unit_that_the_station_does_not_take_is_refused() -> None:
    """ChargingScheduleAllowedChargingRateUnit."""
    s = station(V, units=frozenset({Unit.A}))
    assert s.install(profile(unit=Unit.W), 1, T0).reason_code == "UnsupportedRateUnit"
    assert s.install(profile(), 1, T0).accepted


@pytest.mark.parametrize(("refuse", "status"), [(False, "Accepted"), (True, "Rejected")])
def test_a_duration_of_0_is_without_effect_or_refused(refuse: bool, status: str) -> None:
    """It never holds."""
    s = station(V, refuse_zero_duration=refuse)
    assert s.install(profile(duration=0), 1, T0).status == status
    assert amps(s, T0) is None


def test_watts_are_split_over_three_phases_unless_said_otherwise() -> None:
    """Errata 3.34: 6900 W are 10 A on three phases of 230 V, 30 A on one, whatever the outlet has."""
    facts = Facts({1: Outlet(phases=1)})
    three = station(V, (1, profile([(0, 6900)], unit=Unit.W)), facts=facts)
    one = station(V, (1, profile([(0, 6900)], unit=Unit.W, phases=1)), facts=facts)
    assert [amps(three, T0), amps(one, T0)] == [10, 30]


def test_phases_are_not_judged_in_1_6() -> None:
    """numberPhases below the outlet's is taken even where it cannot be held."""
    assert station(V, fewer_phases=False).install(profile(phases=1), 1, T0).accepted


def test_names_and_shape_of_1_6() -> None:
    """ChargePointMaxProfile and chargingProfileId; purposes of 2.x are unknown."""
    raw = {
        "charging_profile_id": 4,
        "stack_level": 1,
        "charging_profile_purpose": "ChargePointMaxProfile",
        "charging_profile_kind": "Absolute",
        "charging_schedule": {
            "charging_rate_unit": "W",
            "charging_schedule_period": [{"start_period": 0, "limit": 1}],
        },
    }
    assert read(V, raw).purpose is Purpose.MAX
    with pytest.raises(ValueError, match="chargingProfilePurpose cannot be 'ChargingStationMaxProfile'"):
        read(V, raw | {"charging_profile_purpose": "ChargingStationMaxProfile"})


def test_without_a_transaction_the_default_may_be_left_out() -> None:
    """1.6 is silent; the option takes it out, a transaction brings it back."""
    s = station(V, (1, profile([(0, 9)])), idle_default=False)
    assert amps(s, T0) is None
    begin(s, 1)
    assert amps(s, T0) == 9


def test_a_start_schedule_may_be_too_far_away() -> None:
    """For stations with a window, either way; its ends are within."""
    s = station(V, start_window_s=60.0)
    for start, status in ((61, "Rejected"), (60, "Accepted"), (-60, "Accepted"), (-61, "Rejected")):
        assert s.install(profile(start=T0 + start), 1, T0).status == status
    assert s.install(profile(start=None), 1, T0).status == "Accepted"


def test_a_duration_of_0_of_one_schedule_is_enough_to_refuse() -> None:
    """Of several."""
    both = (schedule([(0, 1)]), schedule([(0, 1)], duration=0))
    s = station(Version.V201, refuse_zero_duration=True)
    assert s.install(profile(schedules=both), 1, T0).reason_code == "InvalidSchedule"


def test_defaults_are_as_documented() -> None:
    """Figures that a station has when nobody chooses."""
    assert (Options().max_stack, Options().max_periods, Options().max_profiles) == (10, 100, 100)
    assert (Options().minimum_a, Options().rounding, Options().gap_fill_a, Options().gap_fill_w) == (6, 0.1, 48, 33120)
    assert options_for(V) == Options(relative_from=RelativeFrom.TRANSACTION)
    assert options_for(Version.V201) == options_for(Version.V21) == Options(same_slot=SameSlot.REJECT)
    assert Facts() == Facts({1: Outlet(3, 32.0, dc=False)}, math.inf, 230.0)
    assert Zone().offset(T0) == 0
    plain = ProfileStore(V)
    assert (plain.options, plain.facts) == (options_for(V), Facts())


@pytest.mark.parametrize(
    "value",
    [Facts(), Outlet(), profile(), profile().schedules[0], Rate(1), Answer("x"), Options(), Zone(), Decision()],
)
def test_values_do_not_change(value: object) -> None:
    """They are frozen: whoever holds one may keep it."""
    name = next(iter(vars(value)))
    with pytest.raises(FrozenInstanceError):
        setattr(value, name, None)


def test_fewer_phases_are_told_to_the_station() -> None:
    """Whether it can switch from three to one is for it to say: the profile counts with one phase either way."""
    s = station(V, (1, profile([(0, 2300)], unit=Unit.W, phases=1)), fewer_phases=False)
    decision = Evaluator(s).decide(1, T0)
    assert (decision.number_phases, decision.limit_a) == (1, (10, 10, 10))
