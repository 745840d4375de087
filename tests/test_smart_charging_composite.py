"""Composite schedules, and one maximum for several outlets."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from hilbench_emulators.smart_charging import (
    Composite,
    Evaluator,
    Facts,
    Gap,
    Kind,
    Outlet,
    Period,
    ProfileStore,
    Purpose,
    Rate,
    StationComposite,
    Unit,
    Version,
    composite,
    share,
)
from hilbench_emulators.smart_charging.rates import floored
from tests.charging_samples import DAY, T0, TWO, begin, daily, profile, station, tx

V = Version.V201


def shape(
    store: ProfileStore, duration_s: float = 100, evse: int = 1, unit: Unit | None = None, t: float = T0
) -> list[tuple[float, float]]:
    """(start, limit) of the composite schedule."""
    made = made_of(store, duration_s, evse, unit, t)
    return [(period.start_s, period.limit.l1) for period in made.periods if period.limit is not None]


def made_of(
    store: ProfileStore, duration_s: float = 100, evse: int = 1, unit: Unit | None = None, t: float = T0
) -> Composite:
    """The composite schedule, which must exist."""
    found = composite(Evaluator(store), evse, t, duration_s, unit)
    assert found is not None
    return found


def test_purposes_and_levels_add_up_to_one_schedule() -> None:
    """As in TC_066: maximum 10 A, default 16 A, then the transaction's 6, 8, 12 A until it expires."""
    s = station(V, (0, profile([(0, 10)], purpose=Purpose.MAX, duration=80)), (1, profile([(0, 16)], id=2)))
    begin(s, 1)
    s.install(tx([(0, 6), (20, 8), (40, 12)], id=3, duration=60), 1, T0)
    assert shape(s, 90) == [(0, 6), (20, 8), (40, 10), (80, 16)]


def test_equal_neighbours_are_one_period() -> None:
    """Also over the wrap of a day and over instants at which nothing changes."""
    s = station(V, (1, daily([(0, 16), (100, 16), (200, 8), (300, 16)])))
    assert shape(s, DAY + 50) == [(0, 16), (200, 8), (300, 16)]


def test_a_year_of_a_daily_profile_has_all_its_days() -> None:
    """Two periods each, to the second."""
    s = station(V, (1, daily([(0, 16), (3600, 8)])))
    found = shape(s, 365 * DAY)
    assert len(found) == 730
    assert found[-1] == (364 * DAY + 3600, 8)


def test_it_ends_with_the_duration_and_begins_when_asked() -> None:
    """Starts of periods count from then."""
    s = station(V, (1, profile([(0, 16), (30, 8), (60, 4)])))
    made = made_of(s, 40, t=T0 + 20)
    assert (made.start, made.duration_s, made.evse, made.unit) == (T0 + 20, 40, 1, Unit.A)
    assert [p.start_s for p in made.periods] == [0, 10]


@pytest.mark.parametrize(("step", "expected"), [(0.1, 15.9), (1, 15), (0, 10999.9 / 690)])
def test_limits_are_rounded_down(step: float, expected: float) -> None:
    """To a tenth by default, or not at all; what is a tenth already stays."""
    s = station(V, (1, profile([(0, 10999.9)], unit=Unit.W)), rounding=step)
    assert shape(s) == [(0, expected)]
    assert floored(16.1, 0.1) == 16.1
    assert floored(16.19, 0.1) == 16.1
    assert floored(-1.05, 0.1) == -1.1
    assert floored(math.inf, 0.1) == math.inf


@pytest.mark.parametrize(
    ("unit", "phases", "expected"),
    [(Unit.A, 3, 10), (Unit.A, 1, 10), (Unit.W, 3, 6900), (Unit.W, 2, 4600), (Unit.W, 1, 2300)],
)
def test_either_unit_can_be_asked_for(unit: Unit, phases: int, expected: float) -> None:
    """10 A per phase times 230 V times the phases of the period."""
    s = station(V, (1, profile([(0, 10)], phases=phases)))
    assert shape(s, unit=unit) == [(0, expected)]
    assert made_of(s, unit=unit).periods[0].number_phases == phases


def test_phases_are_no_more_than_the_outlet_has() -> None:
    """Three by default on a single-phase outlet are one: 10 A are 2300 W."""
    s = station(V, (1, profile([(0, 10)])), facts=Facts({1: Outlet(phases=1)}))
    assert shape(s, unit=Unit.W) == [(0, 2300)]
    assert made_of(s).periods[0].number_phases == 1


def test_the_station_has_a_unit_of_its_own_choice() -> None:
    """Where none is asked for."""
    assert shape(station(V, (1, profile([(0, 10)])), default_unit=Unit.W)) == [(0, 6900)]


GAPPY = (profile([(0, 16)], start=T0 + 10, duration=20), profile([(0, 8)], id=2, stack=1, start=T0 + 50, duration=5))


@pytest.mark.parametrize(
    ("options", "unit", "expected"),
    [
        ({}, Unit.A, [(0, 32), (10, 16), (30, 32), (50, 8), (55, 32)]),
        ({}, Unit.W, [(0, 22080), (10, 11040), (30, 22080), (50, 5520), (55, 22080)]),
        ({"gap": Gap.FILL}, Unit.A, [(0, 48), (10, 16), (30, 48), (50, 8), (55, 48)]),
        ({"gap": Gap.FILL}, Unit.W, [(0, 33120), (10, 11040), (30, 33120), (50, 5520), (55, 33120)]),
        ({"gap": Gap.MINUS_ONE}, Unit.A, [(0, -1), (10, 16), (30, -1), (50, 8), (55, -1)]),
        ({"gap": Gap.MINUS_ONE}, Unit.W, [(0, -1), (10, 11040), (30, -1), (50, 5520), (55, -1)]),
        ({"gap": Gap.SHORTEN}, Unit.A, [(0, 16)]),
    ],
)
def test_gaps_are_shown_as_the_station_does(
    options: dict[str, Any], unit: Unit, expected: list[tuple[float, float]]
) -> None:
    """Hardware limit, a fixed figure, -1, or only the first stretch without gaps."""
    s = station(V, *((1, given) for given in GAPPY), **options)
    assert shape(s, unit=unit) == expected


def test_a_shortened_schedule_moves_its_start() -> None:
    """From the first limit to the first gap after it; all gap is no schedule."""
    s = station(V, *((1, given) for given in GAPPY), gap=Gap.SHORTEN)
    made = made_of(s)
    assert (made.start, made.duration_s) == (T0 + 10, 20)
    assert composite(Evaluator(s), 1, T0, 10) is None


def test_a_gap_can_refuse_the_whole() -> None:
    """Without one there is a schedule."""
    s = station(V, *((1, given) for given in GAPPY), gap=Gap.REJECT)
    assert composite(Evaluator(s), 1, T0, 100) is None
    assert composite(Evaluator(s), 1, T0 + 10, 20) is not None


@pytest.mark.parametrize(("empty", "there"), [(True, True), (False, False)])
def test_with_nothing_installed(empty: bool, there: bool) -> None:
    """TC_K_39 wants a schedule, some stations refuse; another outlet's profile is nothing here, but is for evse 0."""
    s = station(V, empty_composite=empty)
    assert (composite(Evaluator(s), 1, T0, 100) is not None) is there
    s.install(profile(), 2, T0)
    assert (composite(Evaluator(s), 1, T0, 100) is not None) is there
    assert composite(Evaluator(s), 0, T0, 100) is not None
    s.install(profile(id=2, stack=1), 0, T0)
    assert composite(Evaluator(s), 1, T0, 100) is not None


def test_unknown_outlets_and_empty_times_are_refused() -> None:
    """No schedule."""
    e = Evaluator(station(V))
    assert [composite(e, evse, T0, 60) for evse in (-1, 3)] == [None, None]
    assert composite(e, 1, T0, 0) is None
    assert composite(e, 1, T0, 1) is not None


def test_without_a_transaction_it_is_as_if_one_began_now() -> None:
    """A relative default shows its whole course."""
    s = station(V, (1, profile([(0, 16), (10, 8)], kind=Kind.RELATIVE)))
    assert shape(s, t=T0 + 77) == [(0, 16), (10, 8)]
    assert shape(s, evse=0, t=T0 + 77) == [(0, 48), (10, 40)]


def test_what_the_hardware_carries_caps_it() -> None:
    """Of the outlet and of the station, unless the option says otherwise."""
    given = profile([(0, 50)])
    assert shape(station(V, (1, given))) == [(0, 32)]
    assert shape(station(V, (1, given), facts=Facts({1: Outlet()}, max_a=20))) == [(0, 20)]
    assert shape(station(V, (1, given), cap_by_hardware=False)) == [(0, 50)]


def test_evse_0_is_what_all_outlets_may_draw() -> None:
    """TC_K_22: the limit of a default of evse 0 times the outlets."""
    s = station(V, (0, profile([(0, 10), (10, 6)])))
    assert shape(s, evse=0) == [(0, 20), (10, 12)]
    assert shape(s, evse=0, unit=Unit.W) == [(0, 13800), (10, 8280)]
    assert made_of(s, evse=0).periods[0].number_phases == 3


def test_evse_0_is_capped_by_the_maximum_and_by_the_hardware() -> None:
    """An outlet without limit counts with what it carries."""
    s = station(V, (1, profile([(0, 10)])), (0, profile([(0, 30)], id=2, purpose=Purpose.MAX, start=T0 + 10)))
    assert shape(s, evse=0) == [(0, 42), (10, 30)]
    assert shape(station(V, facts=Facts(TWO.outlets, max_a=25)), evse=0) == [(0, 25)]
    assert shape(station(V, (1, profile([(0, 99)]))), evse=0) == [(0, 64)]


def test_evse_0_counts_each_outlet_with_its_phases() -> None:
    """One of one, one of two and one of three phases, 10 A each: 30, 20 and 10 A, 13800 W."""
    facts = Facts({1: Outlet(1), 2: Outlet(2), 3: Outlet(3)})
    s = station(V, (0, profile([(0, 10)])), facts=facts)
    decision = Evaluator(s).decide(0, T0)
    assert (decision.limit_a, decision.limit_w, decision.number_phases) == ((30, 20, 10), 13800, 3)
    assert shape(s, evse=0, unit=Unit.W) == [(0, 13800)]
    singles = station(V, (0, profile([(0, 10)])), facts=Facts({1: Outlet(1), 2: Outlet(1)}))
    assert made_of(singles, evse=0).periods[0].number_phases == 1


def test_evse_0_shows_single_phases_where_an_outlet_has_them() -> None:
    """As K08.FR.09 of 2.1 has it."""
    s = station(Version.V21)
    begin(s, 1)
    s.install(tx([(0, 10)]), 1, T0)
    assert made_of(s, evse=0).periods[0].limit == Rate(42)
    s.set_external(profile(schedules=(tx().schedules[0],), id=-1), 2)
    own = tx()
    period = Period(0.0, Rate(10, 8, 6))
    s.install(replace(own, schedules=(replace(own.schedules[0], periods=(period,)),)), 1, T0)
    assert made_of(s, evse=0).periods[0].limit == Rate(26, 24, 22)


def test_evse_0_can_be_the_stations_own_profiles_or_refused() -> None:
    """As some stations do; where it says nothing the hardware does, whatever gaps look like elsewhere."""
    options: dict[str, Any] = {"gap": Gap.MINUS_ONE, "station_composite": StationComposite.OWN}
    s = station(V, (1, profile([(0, 10)])), (0, profile([(0, 30)], id=2, purpose=Purpose.MAX, duration=5)), **options)
    assert shape(s, evse=0) == [(0, 30), (5, 64)]
    assert shape(s) == [(0, 10)]
    refuses = station(V, station_composite=StationComposite.REJECT)
    assert composite(Evaluator(refuses), 0, T0, 10) is None
    assert composite(Evaluator(refuses), 1, T0, 10) is not None


def test_the_answer_of_1_6_has_no_start_unless_wanted() -> None:
    """Errata 3.57; limits and phases as in a profile."""
    made = made_of(station(Version.V16, (1, profile([(0, 10), (30, 6.05)]))))
    expected = {
        "duration": 100,
        "charging_rate_unit": "A",
        "charging_schedule_period": [
            {"start_period": 0, "limit": 10, "number_phases": 3},
            {"start_period": 30, "limit": 6.0, "number_phases": 3},
        ],
    }
    assert made.wire(Version.V16) == expected
    assert made.wire(Version.V16, with_start=True) == expected | {"start_schedule": "2024-06-04T16:00:00Z"}


def test_the_answer_of_2_x_names_its_evse_and_start() -> None:
    """evseId and scheduleStart are part of the schedule."""
    wire = made_of(station(V)).wire(V, with_start=True)
    assert set(wire) == {"duration", "charging_rate_unit", "charging_schedule_period", "evse_id", "schedule_start"}
    assert (wire["evse_id"], wire["schedule_start"]) == (1, "2024-06-04T16:00:00Z")


def test_operation_modes_other_than_charging_are_told() -> None:
    """Charging goes without saying."""
    s = station(Version.V21, operation_modes=frozenset({"ExternalLimits"}))
    s.install(profile([(0, 9)]), 1, T0)
    assert made_of(s).periods[0].operation_mode is None
    own = profile()
    period = Period(0.0, Rate(9), operation_mode="ExternalLimits", number_phases=1, phase_to_use=None)
    s.install(replace(own, schedules=(replace(own.schedules[0], periods=(period,)),)), 1, T0)
    assert made_of(s).periods[0].operation_mode == "ExternalLimits"


def test_on_the_wire_starts_are_whole_seconds() -> None:
    """Asked for at a fraction, a change falls into the second before; of two in one second the last stands."""
    s = station(V, (1, profile([(0, 16), (10, 8), (10.5, 7), (20, 6)])))
    wire = made_of(s, t=T0 + 0.25).wire(V)["charging_schedule_period"]
    assert [(p["start_period"], p["limit"]) for p in wire] == [(0, 16), (9, 8), (10, 7), (19, 6)]
    wire = made_of(s).wire(V)["charging_schedule_period"]
    assert [(p["start_period"], p["limit"]) for p in wire] == [(0, 16), (10, 7), (20, 6)]


@pytest.mark.parametrize(
    ("cap", "wants", "expected"),
    [
        (32, {1: 16, 2: 16}, {1: 16, 2: 16}),
        (31, {1: 16, 2: 16}, {1: 15.5, 2: 15.5}),
        (32, {1: 8, 2: 32}, {1: 8, 2: 24}),
        (30, {1: 32, 2: 8, 3: 32}, {1: 11, 2: 8, 3: 11}),
        (12, {1: 16, 2: 16}, {1: 6, 2: 6}),
        (11.9, {1: 16, 2: 16}, {1: 11.9, 2: 0}),
        (11.9, {2: 16, 1: 16, 3: 16}, {1: 11.9, 2: 0, 3: 0}),
        (5.9, {1: 16}, {1: 0}),
        (6, {1: 6}, {1: 6}),
        (32, {1: 5.9, 2: 16}, {1: 0, 2: 16}),
        (16, {1: 6, 2: 16}, {1: 6, 2: 10}),
        (-5, {1: 16}, {1: 0}),
        (math.inf, {1: 16, 2: 20}, {1: 16, 2: 20}),
        (10, {}, {}),
    ],
)
def test_a_maximum_is_shared_fairly(cap: float, wants: dict[int, float], expected: dict[int, float]) -> None:
    """Below 6 A is nothing, and the highest number goes without first."""
    assert share(cap, wants) == expected


def test_without_a_minimum_every_ampere_is_shared() -> None:
    """Down to nothing at all."""
    assert share(3, {1: 16, 2: 1, 3: 9}, 0) == {1: 1, 2: 1, 3: 1}
    assert share(0, {1: 16, 2: 4}, 0) == {1: 0, 2: 0}
    assert share(-5, {1: 16, 2: 0}, 0) == {1: 0, 2: 0}
    assert share(-5, {1: 0}, 0) == {1: 0}
    assert share(9, {1: 16, 2: 1, 3: 9}, 0) == {1: 4, 2: 1, 3: 4}


def test_outlets_share_what_the_station_may_draw() -> None:
    """The maximum profile, an external limit of the station, its hardware, and generation on top."""
    s = station(Version.V21, (0, profile([(0, 20)], purpose=Purpose.MAX)), facts=Facts(TWO.outlets, max_a=50))
    wants = {1: 32.0, 2: 32.0}
    assert Evaluator(s).shared(T0, wants) == {1: 10, 2: 10}
    assert Evaluator(s).shared(T0 - 1, wants) == {1: 25, 2: 25}
    s.set_external(profile([(0, 16)], id=-1), 0)
    assert Evaluator(s).shared(T0, wants) == {1: 8, 2: 8}
    s.install(profile([(0, 4)], purpose=Purpose.LOCAL_GENERATION, id=3), 0, T0)
    assert Evaluator(s).shared(T0, wants) == {1: 10, 2: 10}
    low = station(V, (0, profile([(0, 8)], purpose=Purpose.MAX)), minimum_a=0)
    assert Evaluator(low).shared(T0, wants) == {1: 4, 2: 4}
