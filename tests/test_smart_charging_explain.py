"""Why a limit is what it is: what is read from a file, who decides, and why the others do not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hilbench.errors import InputError
from hilbench_emulators.smart_charging import Purpose, Version, Zone, purpose_name
from hilbench_emulators.smart_charging.explain import (
    Asked,
    Explanation,
    Order,
    Refused,
    Row,
    Step,
    explain,
)
from hilbench_emulators.smart_charging.intake import Entry, take_in

T0 = 1_772_388_000.0
"""2026-03-01T18:00:00Z."""
AT = "2026-03-01T18:00:00Z"


def raw(number: int, purpose: str, *limits: tuple[int, float], stack: int = 0, **more: Any) -> dict[str, Any]:
    """A profile of 2.x in snake_case; ``schedule`` adds to its schedule."""
    periods = [{"start_period": start, "limit": limit} for start, limit in limits]
    schedule = {"id": 1, "charging_rate_unit": "A", "charging_schedule_period": periods, "start_schedule": AT}
    return {
        "id": number,
        "stack_level": stack,
        "charging_profile_purpose": purpose,
        "charging_profile_kind": "Absolute",
        "charging_schedule": [schedule | more.pop("schedule", {})],
        **more,
    }


def step(evse: int, profile: dict[str, Any], order: Order = Order.SET, at: float | None = None) -> Step:
    """A request of that profile."""
    return Step("here", order, evse, profile, at)


def said(*steps: Step, version: Version = Version.V21, **asked: Any) -> Explanation:
    """What follows from the steps, for an hour from T0 on."""
    return explain(version, steps, Asked(T0, 3600.0, **asked))


def why(found: Explanation, row: int = 0) -> dict[int, str]:
    """Why profiles do not decide."""
    return dict(found.rows[row].others)


def deciders(row: Row) -> list[int]:
    """Ids of the profiles that decide."""
    return [cause.profile_id for cause in row.deciders]


MAX, DEFAULT = "ChargingStationMaxProfile", "TxDefaultProfile"


def test_without_profiles_the_hardware_decides() -> None:
    """All of it, on the phases that there are."""
    row = said(phases=1, max_a=20.0, voltage_v=100.0).rows[0]
    assert (row.limit_a, row.limit_w, row.hardware, row.deciders) == ((20.0,), 2000.0, True, ())
    assert (row.start, row.end) == (T0, T0 + 3600)
    assert said(max_a=20.0).rows[0].limit_a == (20.0, 20.0, 20.0)


def test_a_profile_that_allows_more_than_the_hardware_does_not_decide() -> None:
    """One that allows just as much does; the reason names both figures."""
    found = said(step(0, raw(1, DEFAULT, (0, 40.0))))
    assert (found.rows[0].hardware, found.rows[0].limit_a[0]) == (True, 32)
    assert why(found) == {1: "allows 40 A, more than the 32 A of the hardware"}
    assert not said(step(0, raw(1, DEFAULT, (0, 32.0)))).rows[0].hardware


def test_a_single_phase_counts_alone() -> None:
    """What a profile says of other phases is not shown, and the power is that of one phase."""
    found = said(step(0, raw(1, DEFAULT, (0, 10.0))), phases=1)
    assert (found.rows[0].limit_a, found.rows[0].limit_w) == ((10.0,), 2300.0)
    assert said(step(0, raw(1, DEFAULT, (0, 10.0)))).rows[0].limit_w == 6900.0
    one = raw(1, DEFAULT, (0, 10.0))
    one["charging_schedule"][0]["charging_schedule_period"][0]["number_phases"] = 1
    assert said(step(0, one)).rows[0].limit_w == 2300.0


def test_each_phase_has_its_own_figure_and_decider() -> None:
    """A TxProfile of 8, 20 and 12 A below a maximum of 16 A: both decide, each on its phases."""
    single = raw(2, "TxProfile", (0, 8.0), transaction_id="7")
    single["charging_schedule"][0]["charging_schedule_period"][0] |= {"limit_l2": 20.0, "limit_l3": 12.0}
    found = said(step(0, raw(1, MAX, (0, 16.0))), step(1, single))
    assert found.rows[0].limit_a == (8, 16, 12)
    assert sorted(deciders(found.rows[0])) == [1, 2]
    assert found.rows[0].limit_w == 36 * 230
    assert found.transaction_id == "7"


@pytest.mark.parametrize(
    ("steps", "asked", "reason"),
    [
        ([step(2, raw(1, DEFAULT, (0, 6.0)))], {}, "acts on outlet 2 only"),
        ([step(0, raw(1, "PriorityCharging", (0, 6.0)))], {}, "priority charging is not on"),
        ([step(0, raw(1, DEFAULT, (0, 6.0), valid_to="2026-03-01T18:00:00Z"))], {}, "expired (validTo 2026-03-01T18"),
        ([step(0, raw(1, DEFAULT, (0, 6.0), valid_from="2026-03-01T19:00:00Z"))], {}, "not valid yet (validFrom 2026"),
        (
            [step(0, raw(1, DEFAULT, (0, 6.0), schedule={"start_schedule": "2026-03-02T00:00:00Z"}))],
            {},
            "begins at 2026-",
        ),
        (
            [step(0, raw(1, DEFAULT, (0, 6.0), schedule={"start_schedule": "2026-03-01T17:00:00Z", "duration": 60}))],
            {},
            "no period then: its schedule of 60 s is over",
        ),
        (
            [step(0, raw(1, "LocalGeneration", (0, 6.0))), step(0, raw(2, DEFAULT, (0, 9.0)))],
            {},
            "adds what is generated",
        ),
        (
            [step(0, raw(1, DEFAULT, (0, 9.0))), step(0, raw(2, DEFAULT, (0, 6.0), stack=3))],
            {},
            "stack level 0 is lower than 3 of profile 2",
        ),
        (
            [step(0, raw(1, MAX, (0, 9.0))), step(0, raw(2, DEFAULT, (0, 6.0)))],
            {},
            "allows 9 A, more than TxDefaultProfile 2",
        ),
        (
            [step(0, raw(1, DEFAULT, (0, 9.0))), step(0, raw(2, MAX, (0, 6.0)))],
            {},
            "allows 9 A, capped by ChargingStationMax",
        ),
    ],
)
def test_why_a_profile_does_not_decide(steps: list[Step], asked: dict[str, Any], reason: str) -> None:
    """Its place, its purpose, its times, its level, or its figure."""
    assert reason in why(said(*steps, **asked))[1]


def test_a_profile_of_1_6_for_the_outlet_stands_before_that_of_all() -> None:
    """At the same stack level, which only 1.6 has."""

    def old(number: int, limit: float) -> dict[str, Any]:
        made = raw(number, DEFAULT, (0, limit))
        return made | {"charging_profile_id": number, "charging_schedule": made["charging_schedule"][0]}

    found = said(step(0, old(1, 6.0)), step(1, old(2, 9.0)), version=Version.V16)
    assert (deciders(found.rows[0]), why(found)) == ([2], {1: "profile 2 of the outlet itself stands before it"})
    assert found.transaction_id == 1


def test_a_profile_without_limit_says_so() -> None:
    """It has a period, of a set point alone."""
    only = raw(1, DEFAULT, (0, 6.0))
    only["charging_schedule"][0]["charging_schedule_period"] = [{"start_period": 0, "setpoint": 5.0}]
    assert why(said(step(0, only))) == {1: "its period has no limit"}


def test_without_a_transaction_a_tx_profile_is_silent() -> None:
    """It is refused on arrival, and the outlet has none."""
    found = said(step(1, raw(1, "TxProfile", (0, 6.0), transaction_id="7")), transaction=False)
    assert (found.transaction_id, found.installed) == (None, ())
    assert [(r.where, r.id, r.reason) for r in found.refused] == [("here", 1, "TxNotFound: no transaction on outlet 1")]


def test_what_cannot_be_read_is_refused_with_its_field() -> None:
    """And the rest counts."""
    found = said(step(0, raw(5, DEFAULT)), step(0, raw(6, DEFAULT, (0, 7.0))))
    assert [(r.id, r.reason) for r in found.refused] == [
        (5, "startPeriod of the first chargingSchedulePeriod is not 0")
    ]
    assert found.rows[0].limit_a[0] == 7


def test_rows_that_say_the_same_are_one() -> None:
    """Two periods of the same limit; another limit, or another decider, begins a row."""
    found = said(
        step(0, raw(1, MAX, (0, 9.0))), step(0, raw(2, DEFAULT, (0, 20.0), (60, 20.0), (120, 6.0), (180, 20.0)))
    )
    assert [(row.start - T0, row.end - T0) for row in found.rows] == [(0, 120), (120, 180), (180, 3600)]
    assert [deciders(row) for row in found.rows] == [[1], [2], [1]]


def test_transactions_take_the_ids_that_profiles_name() -> None:
    """Each outlet its own; one that is asked for stands before it, on its outlet alone."""
    one, two = (raw(n, "TxProfile", (0, 6.0 + n), transaction_id=f"t{n}") for n in (1, 2))
    assert [p.id for p in said(step(1, one), step(2, two)).installed] == [1, 2]
    asked = said(step(1, one), step(2, two), transaction_id="x")
    assert ([p.id for p in asked.installed], asked.transaction_id) == ([2], "x")
    assert said().transaction_id == "1"


def test_a_relative_schedule_counts_from_since() -> None:
    """Or from the time that is asked about."""
    relative = raw(1, DEFAULT, (0, 6.0), (600, 9.0), charging_profile_kind="Relative")
    del relative["charging_schedule"][0]["start_schedule"]
    assert [row.start - T0 for row in said(step(0, relative)).rows] == [0, 600]
    assert [row.start - T0 for row in said(step(0, relative), since=T0 - 100).rows] == [0, 500]


def test_a_start_brings_its_profile_to_the_running_transaction() -> None:
    """Also where it names none, and never where there is no such outlet."""
    found = said(step(1, raw(1, "TxProfile", (0, 6.0)), Order.START))
    assert (deciders(found.rows[0]), found.refused) == ([1], ())


@pytest.mark.parametrize(
    ("criteria", "left"),
    [
        ({"id": 1}, [2, 3]),
        ({"id": None, "stack_level": 1}, [1, 2]),
        ({"id": None, "charging_profile_purpose": DEFAULT}, [2]),
        ({"id": None}, []),
    ],
)
def test_a_clear_removes_what_it_names(criteria: dict[str, Any], left: list[int]) -> None:
    """By id, by level, by purpose, or all."""
    steps = [
        step(0, raw(n, purpose, (0, 6.0), stack=int(n == 3))) for n, purpose in ((1, DEFAULT), (2, MAX), (3, DEFAULT))
    ]
    found = said(*steps, Step("here", Order.CLEAR, None, criteria))
    assert [p.id for p in found.installed] == left


def test_the_maximum_of_1_6_has_its_old_name() -> None:
    """There only."""
    assert purpose_name(Version.V16, Purpose.MAX) == "ChargePointMaxProfile"
    assert purpose_name(Version.V201, Purpose.MAX) == "ChargingStationMaxProfile"
    assert purpose_name(Version.V16, Purpose.TX) == "TxProfile"


# -- times of requests, local time, and the whole station


def test_what_has_a_time_is_done_then_and_the_future_not_at_all() -> None:
    """A dynamic profile counts from when it came; one that comes later has not come."""
    dynamic = raw(1, DEFAULT, (0, 6.0), charging_profile_kind="Dynamic", schedule={"duration": 900})
    del dynamic["charging_schedule"][0]["start_schedule"]
    found = said(step(0, dynamic, at=T0 - 600), step(0, raw(2, MAX, (0, 5.0)), at=T0 + 1))
    assert [(row.end - T0, deciders(row)) for row in found.rows] == [(300, [1]), (3600, [])]
    assert [p.id for p in said(step(0, raw(2, MAX, (0, 5.0)), at=T0)).installed] == [2]


def test_schedules_of_local_time_follow_the_zone() -> None:
    """19:10 in a zone an hour ahead is 18:10 in UTC."""
    local = raw(1, DEFAULT, (0, 6.0), schedule={"use_local_time": True, "start_schedule": "2026-03-01T19:10:00"})
    assert [row.start - T0 for row in said(step(0, local), zone=Zone(3600.0)).rows] == [0, 600]
    assert why(said(step(0, local))) == {1: "no period then"}


def test_the_whole_station_is_the_sum_of_its_outlets() -> None:
    """One of 6 A and one of the hardware; then its own maximum decides."""
    default, most = step(1, raw(1, DEFAULT, (0, 6.0))), step(0, raw(3, MAX, (0, 60.0), (600, 20.0)))
    found = said(default, step(2, raw(2, DEFAULT, (0, 40.0))), most, evse=0)
    assert [(row.start - T0, row.limit_a[0]) for row in found.rows] == [(0, 38), (600, 20)]
    assert (found.most_a, [row.hardware for row in found.rows]) == (64, [False, False])
    assert [deciders(row) for row in found.rows] == [[], [3]]
    assert why(found)[3] == "allows the station more than its outlets may draw"
    assert why(found)[1] == "acts on outlet 1, as --evse 1 explains"
    assert found.rows[1].limit_w == 20 * 3 * 230
    assert said(evse=0).rows[0].hardware


# -- what is in a file

OLD = {
    "chargingProfileId": 1,
    "stackLevel": 0,
    "chargingProfilePurpose": "TxDefaultProfile",
    "chargingProfileKind": "Absolute",
    "chargingSchedule": {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6}]},
}
FRAME = [2, "1", "SetChargingProfile", {"connectorId": 0, "csChargingProfiles": OLD}]


@pytest.mark.parametrize(
    ("before", "at"),
    [
        ("2026-03-01T18:00:00Z csms ", T0),
        ("2026-03-01 19:00:00.250+01:00 ", T0 + 0.25),
        ("2026-03-01 18:00:00,500 INFO ", T0 + 0.5),
        ("at 2026-03-01T18:00:00Z ", None),
        ("2026-99-01T18:00:00Z ", None),
        ("", None),
    ],
)
def test_a_line_of_a_log_has_the_time_that_it_begins_with(before: str, at: float | None) -> None:
    """UTC when it names no zone; else none, and it counts when one asks."""
    _, entries = take_in("f", "x\n" + before + json.dumps(FRAME, separators=(",", ":")))
    assert [(entry.where, entry.at, entry.step().at) for entry in entries] == [("line 2", at, at)]


def test_a_line_of_ours_has_its_time_and_station() -> None:
    """Of one line or of several; a clear has its time too."""
    clear = {"time": "2026-03-01T18:00:05Z", "station": "A", "frame": [2, "2", "ClearChargingProfile", {"id": 1}]}
    lines = [{"time": AT, "station": "A", "frame": FRAME}, clear]
    _, entries = take_in("f", "\n".join(map(json.dumps, lines)))
    assert [(e.station, e.at, e.step().at, e.step().order) for e in entries] == [
        ("A", T0, T0, Order.SET),
        ("A", T0 + 5, T0 + 5, Order.CLEAR),
    ]
    _, alone = take_in("f", json.dumps(lines[0]))
    assert [(e.where, e.at) for e in alone] == [("line 1", T0)]


def test_bare_profiles_have_a_place() -> None:
    """A TxProfile outlet 1, the others the station."""
    _, entries = take_in("f", json.dumps([OLD, OLD | {"chargingProfilePurpose": "TxProfile"}]))
    assert [(entry.where, entry.step().evse) for entry in entries] == [("entry 0", 0), ("entry 1", 1)]


def test_frames_of_other_actions_and_answers_are_passed_over() -> None:
    """In a log; CALLRESULTs, short frames and starts without profile too."""
    lines = [[3, "1", {}, {}], [2, "1", 5, {}], [2, "1", "RemoteStartTransaction", {"idTag": "x"}], [2, "x"], FRAME]
    _, entries = take_in("f", "\n".join(map(json.dumps, lines)))
    assert [entry.where for entry in entries] == ["line 5"]
    with pytest.raises(InputError, match="not JSON"):
        take_in("f", "[3,1,{}]\n[2,1]")


def test_long_messages_are_cut() -> None:
    """At 200 characters, and an object shows five keys."""
    with pytest.raises(InputError) as caught:
        take_in("f", json.dumps([dict.fromkeys("abcdefg", 1)]))
    assert "is an object with a, b, c, d, e (" in str(caught.value)
    with pytest.raises(InputError) as caught:
        take_in("f", json.dumps([OLD | {"chargingProfilePurpose": "x" * 400}]))
    assert "x" * 150 in str(caught.value)
    assert "x" * 250 not in str(caught.value)


@pytest.mark.parametrize("kind", [Asked, Refused, Row, Explanation, Step, Entry])
def test_values_do_not_change(kind: Any) -> None:
    """They are frozen."""
    assert kind.__dataclass_params__.frozen


def test_a_reason_names_the_phase_that_allows_least() -> None:
    """Of a TxProfile of 8, 20 and 12 A below a maximum of 6 A; and one such phase is no matter of the hardware."""
    single = raw(2, "TxProfile", (0, 8.0), transaction_id="7")
    single["charging_schedule"][0]["charging_schedule_period"][0] |= {"limit_l2": 20.0, "limit_l3": 40.0}
    assert why(said(step(0, raw(1, MAX, (0, 6.0))), step(1, single)))[2] == "allows 8 A, capped by " + MAX + " 1"
    found = said(step(1, single))
    assert (found.rows[0].hardware, found.rows[0].limit_a) == (False, (8, 20, 32))
    station = said(step(1, single), evse=0, max_a=20.0)
    assert (station.rows[0].hardware, station.rows[0].limit_a) == (False, (8, 20, 20))
    assert station.rows[0].limit_w == 48 * 230


def test_a_schedule_without_duration_is_over_at_its_start() -> None:
    """Its start is not said to come; and a profile is valid at its very validFrom."""
    found = said(step(0, raw(1, DEFAULT, (0, 6.0), schedule={"duration": 0})))
    assert why(found) == {1: "no period then: its schedule of 0 s is over"}
    lower = raw(1, DEFAULT, (0, 6.0), valid_from=AT)
    assert "stack level" in why(said(step(0, lower), step(0, raw(2, DEFAULT, (0, 9.0), stack=1))))[1]


def test_a_request_without_outlet_has_a_place() -> None:
    """A profile the station, a start outlet 1."""
    assert said(Step("here", Order.SET, None, raw(1, DEFAULT, (0, 6.0)))).installed[0].evse == 0
    start = {"idTag": "x", "chargingProfile": OLD | {"chargingProfilePurpose": "TxProfile"}}
    _, entries = take_in("f", json.dumps([FRAME, [2, "2", "RemoteStartTransaction", start]]))
    assert [entry.step().evse for entry in entries] == [0, 1]


def test_a_message_has_200_characters_at_most() -> None:
    """Exactly so many where it is longer."""
    with pytest.raises(InputError) as caught:
        take_in("f", json.dumps([OLD | {"chargingProfilePurpose": "x" * 400}]))
    message = next(part for part in str(caught.value).split(": ") if "x" * 9 in part)
    assert len(message.rstrip()) == 200


def test_words_around_a_frame_are_passed_over() -> None:
    """Behind it too."""
    _, entries = take_in("f", "x\n" + json.dumps(FRAME, separators=(",", ":")) + " sent")
    assert [entry.where for entry in entries] == ["line 2"]


@pytest.mark.parametrize("alone", [OLD, FRAME, FRAME[3]])
def test_a_file_may_hold_a_single_thing(alone: Any) -> None:
    """A profile, a frame or a request, in no list."""
    _, entries = take_in("f", json.dumps(alone))
    assert [(entry.where, entry.payload) for entry in entries] == [("entry 0", FRAME[3])]
