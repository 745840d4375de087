"""The rules of OCPP 2.0.1 block K that 1.6 has not, or not so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hilbench_emulators.smart_charging import (
    Decision,
    Evaluator,
    Facts,
    Kind,
    Outlet,
    Profile,
    ProfileStore,
    Purpose,
    Rate,
    Report,
    SameSlot,
    Unit,
    Version,
    composite,
)
from tests.charging_samples import T0, TWO, amps, begin, course, daily, periods, profile, schedule, station, tx

V = Version.V201


def refusal(store: ProfileStore, given: Profile, evse: int = 1) -> str:
    """Reason code of the status Rejected, or nothing when accepted."""
    answer = store.install(given, evse, T0)
    assert answer.status == ("Rejected" if answer.reason_code else "Accepted")
    assert answer.call_error == ""
    return answer.reason_code


def test_a_known_id_replaces() -> None:
    """Also on another outlet, with another purpose."""
    s = station(V, (1, profile()), (0, profile(purpose=Purpose.MAX)))
    assert [(p.evse, p.purpose) for p in s.profiles] == [(0, Purpose.MAX)]


def test_the_id_of_an_external_constraint_cannot_be_taken() -> None:
    """It is refused, and the constraint stays."""
    s = station(V)
    s.set_external(profile([(0, 9)], id=5), 1)
    assert refusal(s, profile(id=5)) == "InvalidProfileId"
    assert amps(s, T0) == 9


def test_the_same_slot_with_overlapping_validity_is_a_duplicate() -> None:
    """One valid later, or with another level, outlet or id, is none."""
    s = station(V, (1, profile(id=1, valid_from=T0, valid_to=T0 + 10)))
    assert refusal(s, profile(id=2, valid_from=T0 + 9)) == "DuplicateProfile"
    assert refusal(s, profile(id=2, valid_to=T0 + 1)) == "DuplicateProfile"
    assert refusal(s, profile(id=2, valid_from=T0 + 10)) == ""
    assert refusal(s, profile(id=3, valid_to=T0)) == ""
    assert refusal(s, profile(id=4, stack=1)) == ""
    assert refusal(s, profile(id=5), 2) == ""
    assert refusal(s, profile(id=1)) == "DuplicateProfile"
    assert [p.id for p in s.profiles] == [1, 2, 3, 4, 5]


def test_two_profiles_of_one_transaction_and_level_are_duplicates() -> None:
    """Whatever their validity."""
    s = station(V, (1, replace(tx(id=1), valid_to=T0 + 5)))
    assert refusal(s, replace(tx(id=2), valid_from=T0 + 5)) == "DuplicateProfile"
    assert refusal(s, replace(tx(id=2, stack=1), valid_from=T0 + 5)) == ""


def test_the_slot_can_be_replaced_by_option() -> None:
    """As stations did before."""
    s = station(V, (1, profile(id=1)), same_slot=SameSlot.REPLACE)
    assert refusal(s, profile(id=2)) == ""
    assert [p.id for p in s.profiles] == [2]


def test_a_default_of_evse_0_is_applied_but_not_copied() -> None:
    """It counts on all outlets and is reported once."""
    s = station(V, (0, profile([(0, 9)])))
    assert [amps(s, T0, 1), amps(s, T0, 2)] == [9, 9]
    assert s.select() == [Report("CSO", 0, s.profiles)]


def test_a_default_of_an_evse_is_its_own() -> None:
    """The other outlet does not know it."""
    s = station(V, (1, profile([(0, 9)])))
    assert [amps(s, T0, 1), amps(s, T0, 2)] == [9, None]


def test_a_running_transaction_follows_a_new_default() -> None:
    """At once."""
    s = station(V, (0, profile([(0, 9)])))
    begin(s, 1)
    s.install(profile([(0, 7)]), 0, T0)
    assert amps(s, T0) == 7


@pytest.mark.parametrize(("first", "second"), [(0, 1), (1, 0)])
def test_defaults_of_evse_0_and_another_cannot_share_a_level(first: int, second: int) -> None:
    """Refused even if never valid at once and slots may be replaced; the same id is fine, and another level."""
    s = station(V, (first, profile(id=1, valid_to=T0)), same_slot=SameSlot.REPLACE)
    assert refusal(s, profile(id=2, valid_from=T0), second) == "DuplicateProfile"
    assert refusal(s, profile(id=3, stack=1), second) == ""
    assert refusal(s, profile(id=1), second) == ""


def test_a_tx_profile_needs_a_transaction_on_that_evse() -> None:
    """Not on evse 0, not without a transaction, not with another's id, not without id."""
    s = station(V)
    assert refusal(s, tx()) == "TxNotFound"
    begin(s, 1)
    assert refusal(s, tx(), 0) == "InvalidProfile"
    assert refusal(s, tx(), 2) == "TxNotFound"
    assert refusal(s, replace(tx(), transaction_id="other")) == "TxNotFound"
    assert refusal(s, replace(tx(), transaction_id=None)) == "MissingParam"
    assert refusal(s, tx()) == ""


def test_an_unknown_evse_is_refused() -> None:
    """By status, not by error as in 1.6."""
    assert refusal(station(V), profile(), 3) == "UnknownEvse"
    assert refusal(station(V), profile(), -1) == "UnknownEvse"


def test_a_unit_that_is_not_configured_is_refused() -> None:
    """In profiles and for composite schedules."""
    s = station(V, units=frozenset({Unit.W}))
    assert refusal(s, profile()) == "UnsupportedRateUnit"
    assert refusal(s, profile(unit=Unit.W)) == ""
    assert composite(Evaluator(s), 1, T0, 60, Unit.A) is None


def test_external_constraints_are_neither_set_nor_cleared_by_the_csms() -> None:
    """Clear says Unknown if nothing else matched."""
    s = station(V, (1, profile([(0, 20)])))
    assert refusal(s, profile(purpose=Purpose.EXTERNAL, id=2)) == "InvalidProfile"
    s.set_external(profile([(0, 9)], id=-1), 0)
    assert s.clear(purpose=Purpose.EXTERNAL).status == "Unknown"
    assert s.clear(profile_id=-1).status == "Unknown"
    assert s.clear().status == "Accepted"
    assert [p.id for p in s.profiles] == [-1]
    assert amps(s, T0) == 9


def test_external_constraints_come_and_go() -> None:
    """The same id replaces, one or all can be cleared, another purpose is not touched."""
    s = station(V, (1, profile(id=7)))
    for number, evse in ((-1, 1), (-1, 0), (-2, 2)):
        s.set_external(profile(purpose=Purpose.TX, id=number), evse)
    assert [(p.id, p.evse, p.purpose.name) for p in s.profiles[1:]] == [(-1, 0, "EXTERNAL"), (-2, 2, "EXTERNAL")]
    assert not s.clear_external(7)
    assert s.clear_external(-1)
    assert s.clear_external()
    assert [p.id for p in s.profiles] == [7]


def test_all_that_the_csms_has_set_survives_a_reboot() -> None:
    """Also TxProfiles."""
    s = station(V, (0, profile(purpose=Purpose.MAX)), (1, daily(id=2)), (1, tx(id=3)))
    s.set_external(profile(id=-1), 0)
    again = ProfileStore(V, facts=TWO)
    again.from_json(s.to_json())
    assert again.profiles == s.profiles[:3]


def test_no_smart_charging_is_an_error() -> None:
    """CALLERROR NotSupported."""
    answer = station(V, smart_charging=False).install(profile(), 1, T0)
    assert (answer.status, answer.call_error, answer.accepted) == ("", "NotSupported", False)


def test_the_maximum_is_of_the_station_and_not_relative() -> None:
    """Whatever the option for 1.6 says."""
    s = station(V, relative_max=True)
    assert refusal(s, profile(purpose=Purpose.MAX), 1) == "InvalidProfile"
    assert refusal(s, profile(purpose=Purpose.MAX, kind=Kind.RELATIVE), 0) == "InvalidProfile"
    assert refusal(s, profile(purpose=Purpose.MAX), 0) == ""


def test_absolute_and_recurring_need_a_start() -> None:
    """Each of several schedules does."""
    s = station(V, absolute_without_start=True)
    both = (schedule([(0, 1)]), schedule([(0, 1)], start=None))
    assert refusal(s, profile(start=None)) == "InvalidSchedule"
    assert refusal(s, daily(schedules=both)) == "InvalidSchedule"


def test_relative_has_no_start() -> None:
    """Not in any of several schedules."""
    s = station(V)
    both = (schedule([(0, 1)], start=None), schedule([(0, 1)]))
    assert refusal(s, profile(kind=Kind.RELATIVE, schedules=both)) == "InvalidSchedule"
    assert refusal(s, profile(kind=Kind.RELATIVE, schedules=both[:1])) == ""


def test_an_expired_tx_profile_gives_way_to_the_default() -> None:
    """Erratum to TC_K_41: for the transaction or until it expires."""
    s = station(V, (1, profile([(0, 8)])), (1, tx([(0, 16)], id=2, duration=260)))
    assert course(s, [259, 260, 300]) == [16, 8, 8]


def test_more_phases_than_there_are() -> None:
    """Accepted with the limit unchanged per phase, or refused."""
    facts = Facts({1: Outlet(phases=1)})
    s = station(V, (1, profile([(0, 10)], phases=3)), facts=facts)
    assert amps(s, T0) == 10
    strict = station(V, facts=facts, more_phases=False)
    assert refusal(strict, profile(phases=2)) == "InvalidSchedule"
    assert refusal(strict, profile(phases=1)) == ""


def test_fewer_phases_than_can_be_held() -> None:
    """A station that cannot switch to one phase refuses; no word of phases is fine."""
    s = station(V, fewer_phases=False)
    assert refusal(s, profile(phases=2)) == "InvalidSchedule"
    assert refusal(s, profile(phases=3)) == ""
    assert refusal(s, profile()) == ""


def test_only_the_outlets_that_are_meant_are_judged() -> None:
    """Evse 0 means all."""
    s = station(V, facts=Facts({1: Outlet(phases=1), 2: Outlet()}), more_phases=False)
    assert refusal(s, profile(phases=3), 2) == ""
    assert refusal(s, profile(phases=3, id=2, stack=1), 0) == "InvalidSchedule"


def phased(use: int, phases: int | None = 1) -> Profile:
    """A profile that chooses its phase."""
    return profile(
        schedules=(replace(schedule([]), periods=periods([(0, 9)], number_phases=phases, phase_to_use=use)),)
    )


def test_a_phase_to_use_needs_one_phase_and_a_station_that_can_choose() -> None:
    """Or that uses this phase anyway."""
    can = station(V, choose_phase=True)
    assert refusal(can, phased(2, phases=3)) == "InvalidSchedule"
    assert refusal(can, phased(2, phases=None)) == "InvalidSchedule"
    assert refusal(can, phased(2)) == ""
    assert Evaluator(can).decide(1, T0).phase_to_use == 2
    assert refusal(station(V), phased(1)) == "InvalidSchedule"
    single = station(V, facts=Facts({1: Outlet(phases=1)}))
    assert refusal(single, phased(2)) == "InvalidSchedule"
    assert refusal(single, phased(1)) == ""


def test_direct_current_ignores_phases() -> None:
    """2.0.1 lets it: no refusal for number or phase."""
    s = station(V, facts=Facts({1: Outlet(dc=True)}), fewer_phases=False)
    assert refusal(s, phased(2)) == ""


@pytest.mark.parametrize(("many", "reason"), [(True, ""), (False, "InvalidSchedule")])
def test_several_schedules_are_for_iso_15118(many: bool, reason: str) -> None:
    """One is always fine."""
    s = station(V, many_schedules=many)
    assert refusal(s, profile(schedules=(schedule([(0, 1)]), schedule([(0, 2)])))) == reason
    assert refusal(s, profile()) == ""


def test_kinds_and_purposes_of_2_1_are_unknown() -> None:
    """Whatever the options say."""
    s = station(V)
    assert refusal(s, profile(purpose=Purpose.PRIORITY)) == "UnsupportedPurpose"
    assert refusal(s, profile(purpose=Purpose.LOCAL_GENERATION)) == "UnsupportedPurpose"
    assert refusal(s, profile(kind=Kind.DYNAMIC)) == "UnsupportedKind"


def test_rules_of_2_1_do_not_bind() -> None:
    """An id that would be reserved, a rate of updates that would be too high."""
    s = station(V, max_external_id=10, update_rate_limit_s=100.0)
    assert [refusal(s, profile()), refusal(s, profile())] == ["", ""]


def test_reports_come_by_source_and_evse() -> None:
    """Each group once, in order; filters add up, ids decide but for the evse."""
    s = station(V, (1, profile(id=1)), (0, profile(id=2, stack=1)), (1, profile(id=3, stack=2)))
    s.set_external(profile(id=-1), 0, "SO")
    first, second, third, external = s.profiles
    assert s.select() == [
        Report("CSO", 0, (second,)),
        Report("CSO", 1, (first, third)),
        Report("SO", 0, (external,)),
    ]
    assert s.select(sources=("SO",)) == [Report("SO", 0, (external,))]
    assert s.select(purpose=Purpose.EXTERNAL, sources=("CSO",)) == []
    assert s.select(evse=1, stack=2) == [Report("CSO", 1, (third,))]
    assert s.select(ids=(1, 2), evse=1, stack=9, purpose=Purpose.TX) == [Report("CSO", 1, (first,))]
    assert s.select(evse=2) == []


def test_the_least_of_maximum_external_and_transaction_counts() -> None:
    """An external constraint of the outlet stands before that of the station."""
    s = station(V, (0, profile([(0, 15)], purpose=Purpose.MAX)), (1, profile([(0, 20)], id=2)))
    s.set_external(profile([(0, 18)], id=-1), 0)
    assert amps(s, T0) == 15
    s.set_external(profile([(0, 12)], id=-2), 1)
    assert [amps(s, T0, 1), amps(s, T0, 2)] == [12, 15]


def test_minimum_is_taken_phase_by_phase() -> None:
    """Units and phases of each profile count for itself: 3450 W on one phase are 15 A, 6900 W on three are 10 A."""
    s = station(V, (0, profile([(0, 3450)], purpose=Purpose.MAX, unit=Unit.W, phases=1)))
    s.install(profile([(0, 6900)], id=2, unit=Unit.W), 1, T0)
    decision = Evaluator(s).decide(1, T0)
    assert (decision.limit_a, decision.limit_w, decision.number_phases) == ((10, 10, 10), 3450, 1)


def test_min_charging_rate_only_advises() -> None:
    """A limit below it holds."""
    made = replace(schedule([(0, 5)]), min_rate=6.0)
    assert amps(station(V, (1, profile(schedules=(made,)))), T0) == 5


def test_why_is_told_purpose_by_purpose() -> None:
    """Which profile and period spoke, and whether its limit is the one that holds."""
    s = station(V, (0, profile([(0, 15)], purpose=Purpose.MAX, id=1, stack=2)))
    s.install(profile([(0, 20), (5, 15), (9, 8)], id=2), 1, T0)
    s.set_external(replace(profile(id=-1), schedules=(replace(schedule([]), periods=periods([(0, 99)])),)), 0)
    said = [
        [(c.purpose.name, c.profile_id, c.evse, c.stack, c.period, c.limit_a and c.limit_a[0], c.decided) for c in d]
        for d in (interval.decision.because for interval in Evaluator(s).explain(1, T0, 12))
    ]
    external = ("EXTERNAL", -1, 0, 0, 0, 99, False)
    assert said == [
        [("MAX", 1, 0, 2, 0, 15, True), external, ("TX_DEFAULT", 2, 1, 0, 0, 20, False)],
        [("MAX", 1, 0, 2, 0, 15, True), external, ("TX_DEFAULT", 2, 1, 0, 1, 15, True)],
        [("MAX", 1, 0, 2, 0, 15, False), external, ("TX_DEFAULT", 2, 1, 0, 2, 8, True)],
    ]


def test_explained_intervals_follow_each_other() -> None:
    """From the beginning to the end that was asked for."""
    found = Evaluator(station(V, (1, profile([(0, 20), (5, 15)])))).explain(1, T0 - 3, 20)
    assert [(i.start - T0, i.end - T0) for i in found] == [(-3, 0), (0, 5), (5, 17)]


def test_no_limit_and_nothing_installed_is_no_constraint() -> None:
    """Nothing is said of anything."""
    decision = Evaluator(station(V)).decide(1, T0)
    assert decision == Decision()
    assert Rate(1).per_phase is False


def test_without_a_phase_to_use_the_station_selects() -> None:
    """One phase is asked for, none of them is named."""
    s = station(V, (1, profile(phases=1)))
    decision = Evaluator(s).decide(1, T0)
    assert (decision.number_phases, decision.phase_to_use) == (1, None)
