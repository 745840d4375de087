"""Which period counts when: kinds, validity, recurrence, local time, offline; and the instants at which it changes."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from hilbench_emulators.smart_charging import Evaluator, Kind, ProfileStore, Recurrency, Version, Zone, zone_of
from hilbench_emulators.smart_charging.selection import Situation, schedule_of
from hilbench_emulators.smart_charging.times import grid, instant, timestamp
from tests.charging_samples import DAY, T0, WEEK, amps, begin, course, daily, profile, schedule, station, weekly


def changes(store: ProfileStore, t: float, count: int, evse: int = 1) -> list[float]:
    """The next instants of change after ``t``, as seconds after T0."""
    found, at = [], t
    for _ in range(count):
        at = Evaluator(store).next_change(evse, at)
        found.append(at - T0)
    return found


def test_a_period_holds_until_the_next() -> None:
    """16 A from 0 s, 8 A from 10 s, and without duration the last one for ever."""
    s = station(Version.V201, (1, profile([(0, 16), (10, 8)])))
    assert course(s, [-1, 0, 9.999, 10, 1e9]) == [None, 16, 16, 8, 8]
    assert changes(s, T0 - 5, 3) == [0, 10, math.inf]


def test_a_period_beyond_the_duration_is_not_executed() -> None:
    """The schedule ends after 10 s, exclusive, before its second period."""
    s = station(Version.V201, (1, profile([(0, 16), (10, 8)], duration=10)))
    assert course(s, [9.999, 10, 11]) == [16, None, None]


def test_valid_from_is_inclusive_and_valid_to_exclusive() -> None:
    """Within the validity the schedule counts from its own start."""
    s = station(Version.V201, (1, profile([(0, 16), (10, 8)], valid_from=T0 + 5, valid_to=T0 + 20)))
    assert course(s, [4.999, 5, 10, 19.999, 20]) == [None, 16, 8, 8, None]
    assert changes(s, T0, 4) == [5, 10, 20, math.inf]


def test_without_validity_it_is_valid_for_ever() -> None:
    """Also before it came."""
    assert course(station(Version.V201, (1, profile(start=0.0))), [-1e9, 1e9]) == [16, 16]


def test_the_highest_level_that_has_a_period_counts() -> None:
    """Level 1 counts while it lasts; before and after it level 0 does."""
    low, high = profile([(0, 8)], start=T0 - 100), profile([(0, 24)], id=2, stack=1, duration=30)
    s = station(Version.V201, (1, low), (1, high))
    assert course(s, [-1, 0, 29.999, 30]) == [8, 24, 24, 8]


def test_a_higher_level_without_duration_never_yields() -> None:
    """Errata 3.7 of 1.6: its last period holds for ever."""
    s = station(Version.V16, (1, profile([(0, 8)])), (1, profile([(0, 24), (5, 20)], id=2, stack=1)))
    assert amps(s, T0 + 1e9) == 20


def test_a_higher_level_that_is_not_valid_yields() -> None:
    """Levels compare among valid ones only."""
    s = station(Version.V201, (1, profile([(0, 8)])), (1, profile([(0, 24)], id=2, stack=1, valid_to=T0 + 5)))
    assert course(s, [0, 5]) == [24, 8]


def test_a_start_in_the_future_limits_nothing_before_it() -> None:
    """Neither for absolute nor for recurring schedules."""
    for given in (profile(start=T0 + 9), daily(start=T0 + 9)):
        s = station(Version.V201, (1, given))
        assert course(s, [8.999, 9]) == [None, 16]
        assert changes(s, T0, 1) == [9]


def test_recurrence_can_reach_back_before_its_start() -> None:
    """As EVerest does, by option: yesterday's run is there."""
    s = station(Version.V201, (1, daily([(0, 16), (100, 8)], start=T0 + 9)), backwards=True)
    assert course(s, [8, 9, 109 - DAY]) == [8, 16, 8]
    assert changes(s, T0, 1) == [9]


@pytest.mark.parametrize(("make", "period_s"), [(daily, DAY), (weekly, WEEK)])
def test_recurring_begins_again_at_the_same_time(make: object, period_s: float) -> None:
    """Every day or every week, each time from the first period; a shorter duration leaves a gap."""
    s = station(Version.V201, (1, make([(0, 16), (10, 8)], duration=20)))  # type: ignore[operator]
    assert course(s, [0, 10, 20]) == [16, 8, None]
    assert course(s, [period_s - 1, period_s, period_s + 10, 3 * period_s]) == [None, 16, 8, 16]
    assert changes(s, T0, 5) == [10, 20, period_s, period_s + 10, period_s + 20]


def test_a_longer_duration_than_the_period_is_cut() -> None:
    """Errata 3.44 of 1.6: what exceeds the day is not executed."""
    s = station(Version.V16, (1, daily([(0, 16), (DAY + 5, 8)], duration=2 * DAY)))
    assert course(s, [DAY, DAY + 5, 2 * DAY + 5]) == [16, 16, 16]


def test_a_weekly_profile_keeps_its_weekday() -> None:
    """Two days later it says nothing if it lasts one day."""
    s = station(Version.V16, (1, weekly(duration=DAY)))
    assert course(s, [DAY - 1, 2 * DAY, 7 * DAY]) == [16, None, 16]


def test_relative_counts_from_the_closed_power_path() -> None:
    """Not from the transaction, not from its installation."""
    s = station(Version.V201, (1, profile([(0, 16), (10, 8)], kind=Kind.RELATIVE)))
    s.begin_transaction(1, "tx", T0)
    s.power_path(1, T0 + 50)
    assert course(s, [49, 50, 59, 60]) == [None, 16, 16, 8]
    assert changes(s, T0, 2) == [50, 60]
    s.power_path(1, None)
    assert course(s, [60]) == [16]


def test_without_a_car_relative_counts_as_if_charging_began_now() -> None:
    """So it shows its first period and never changes of itself."""
    s = station(Version.V201, (1, profile([(0, 16), (10, 8)], kind=Kind.RELATIVE)))
    assert course(s, [0, 100]) == [16, 16]
    assert changes(s, T0, 1) == [math.inf]
    assert Evaluator(s).decide(1, T0 + 10, assumed=T0).limit_a == (8, 8, 8)


def test_a_profile_of_another_outlet_changes_nothing_here() -> None:
    """Its instants are not ours, but they are the station's."""
    s = station(Version.V201, (2, profile([(0, 16), (10, 8)])))
    assert changes(s, T0, 1, evse=1) == [math.inf]
    assert changes(s, T0, 1, evse=0) == [10]


def berlin(t: float) -> float:
    """Offset of Berlin."""
    offset = datetime.fromtimestamp(t, ZoneInfo("Europe/Berlin")).utcoffset()
    assert offset is not None
    return offset.total_seconds()


SPRING = datetime(2024, 3, 31, 1, tzinfo=UTC).timestamp()
AUTUMN = datetime(2024, 10, 27, 1, tzinfo=UTC).timestamp()
BERLIN = zone_of(berlin, SPRING - 100 * DAY, AUTUMN + 50 * DAY)


def test_a_zone_knows_its_shifts_to_the_second() -> None:
    """Berlin in 2024."""
    assert Zone(3600, ((SPRING, 7200), (AUTUMN, 3600))) == BERLIN
    assert [BERLIN.offset(t) for t in (SPRING - 1, SPRING, AUTUMN - 1, AUTUMN)] == [3600, 7200, 7200, 3600]
    assert [BERLIN.next_shift(t) for t in (0, SPRING, AUTUMN)] == [SPRING, AUTUMN, math.inf]


def test_a_shift_between_two_looks_is_found_at_the_end_too() -> None:
    """The last stretch of a zone may be shorter than a day."""
    assert zone_of(berlin, SPRING - 3600.5, SPRING + 1.5).shifts == ((SPRING, 7200),)
    assert zone_of(berlin, SPRING - 3600, SPRING - 1).shifts == ()


def local(limits: list[tuple[float, float]], start: str, **more: object) -> object:
    """A daily profile in local time."""
    made = schedule(limits, start=instant(start, local=True), use_local_time=True, **more)  # type: ignore[arg-type]
    return profile(schedules=(made,), kind=Kind.RECURRING, recurrency=Recurrency.DAILY)


def test_local_time_keeps_the_hour_on_the_clock_over_the_year() -> None:
    """17:00 is 16:00Z in winter and 15:00Z in summer; the zone of the text is disregarded."""
    s = station(Version.V21, (1, local([(0, 9)], "2024-01-01T17:00:00Z", duration=60)), zone=BERLIN)  # type: ignore[arg-type]
    for day, hour in ((datetime(2024, 2, 1, tzinfo=UTC), 16), (datetime(2024, 7, 1, tzinfo=UTC), 15)):
        at = day.timestamp() + hour * 3600
        assert [amps(s, at - 1), amps(s, at), amps(s, at + 60)] == [None, 9, None]


def test_the_skipped_hour_of_spring_is_skipped() -> None:
    """From 02:00 local the clock shows 03:00: the period of 02:30 is over before it began, that of 03:00 counts."""
    limits = [(0.0, 10.0), (9000.0, 11.0), (10800.0, 12.0)]
    s = station(Version.V21, (1, local(limits, "2024-01-01T00:00:00")), zone=BERLIN)  # type: ignore[arg-type]
    assert [amps(s, SPRING - 1), amps(s, SPRING)] == [10, 12]
    assert Evaluator(s).next_change(1, SPRING - 100) == SPRING


def test_the_repeated_hour_of_autumn_is_repeated() -> None:
    """02:30 comes twice, and 02:00 between."""
    limits = [(0.0, 10.0), (9000.0, 11.0)]
    s = station(Version.V21, (1, local(limits, "2024-01-01T00:00:00")), zone=BERLIN)  # type: ignore[arg-type]
    assert [amps(s, AUTUMN + dt) for dt in (-1801, -1800, -1, 0, 1799, 1800)] == [10, 11, 11, 10, 10, 11]
    assert [Evaluator(s).next_change(1, AUTUMN + dt) - AUTUMN for dt in (-3600, -1800, 0)] == [-1800, 0, 1800]


def test_times_on_the_wire() -> None:
    """No zone is UTC, offsets count, fractions are kept to 1/1024 s and written as milliseconds."""
    assert instant("2024-06-04T16:00:00Z") == instant("2024-06-04T16:00:00") == T0
    assert instant("2024-06-04T18:00:00+02:00") == T0
    assert instant("2024-06-04T18:00:00+02:00", local=True) == T0 + 7200
    assert instant("2024-06-04T16:00:00.5Z") == T0 + 0.5
    assert [timestamp(T0), timestamp(T0 + 0.25)] == ["2024-06-04T16:00:00Z", "2024-06-04T16:00:00.250Z"]
    assert grid(1.0001) == 1.0
    assert grid(1 / 1024) == 1 / 1024
    assert grid(-math.inf) == -math.inf


def test_a_boundary_falls_on_the_very_instant_of_next_change() -> None:
    """Fractions of seconds in starts and periods too: the change is there at it and not before."""
    s = station(Version.V201, (1, daily([(0, 16), (grid(0.3), 8)], start=grid(T0 + 0.1), duration=grid(1.7))))
    at = T0 + 123 * DAY
    for _ in range(7):
        before, at = at, Evaluator(s).next_change(1, at)
        assert at > before
        assert amps(s, at) != amps(s, math.nextafter(at, 0))


def test_offline_for_long_a_profile_is_not_valid_until_online() -> None:
    """maxOfflineDuration 60 s: the lower level counts from 60 s on; back online the higher one does again."""
    s = station(Version.V21, (1, profile([(0, 8)])), (1, profile([(0, 24)], id=2, stack=1, max_offline_s=60.0)))
    s.went_offline(T0 + 100)
    s.went_offline(T0 + 150)
    assert course(s, [0, 159.999, 160]) == [24, 24, 8]
    assert changes(s, T0 + 100, 2) == [160, math.inf]
    s.came_online(T0 + 200)
    assert course(s, [201]) == [24]


@pytest.mark.parametrize(("online", "expected"), [(59.0, 24), (60.0, 8)])
def test_invalid_after_offline_duration_is_final(online: float, expected: float) -> None:
    """It stays out if it was out, until it is set again."""
    high = profile([(0, 24)], id=2, stack=1, max_offline_s=60.0, invalid_after_offline=True)
    s = station(Version.V21, (1, profile([(0, 8)])), (1, high))
    s.went_offline(T0)
    s.came_online(T0 + online)
    assert course(s, [online]) == [expected]
    s.install(high, 1, T0 + online)
    assert course(s, [online]) == [24]


def test_offline_without_a_longest_time_nothing_lapses() -> None:
    """K01.FR.103: absent means no limit of time, even with invalidAfterOfflineDuration."""
    s = station(Version.V21, (1, profile(invalid_after_offline=True)))
    s.went_offline(T0)
    assert course(s, [1e9]) == [16]
    s.came_online(T0 + 1e9)
    assert course(s, [1e9]) == [16]


def test_dynamic_profiles_count_from_their_last_update() -> None:
    """With a duration of 60 s as a dead man's switch, and valid again with the next update."""
    given = profile([(0, 24)], kind=Kind.DYNAMIC, start=None, duration=60, id=2, stack=1)
    s = station(Version.V21, (1, profile([(0, 8)])), (1, given))
    assert s.profiles[1].dyn_update_time == T0
    assert course(s, [0, 59.999, 60]) == [24, 24, 8]
    assert changes(s, T0, 1) == [60]
    assert s.update_dynamic(2, T0 + 100, {"limit": 20}).accepted
    assert course(s, [100, 159, 160]) == [20, 20, 8]


def test_dynamic_with_a_start_says_nothing_before_it() -> None:
    """And an update of the future is as good as one of now."""
    s = station(Version.V21, (1, profile(kind=Kind.DYNAMIC, start=T0 + 10, dyn_update_time=T0 + 50)))
    assert course(s, [9.999, 10, 49]) == [None, 16, 16]
    assert changes(s, T0, 1) == [10]


def test_dynamic_of_unknown_update_holds() -> None:
    """As when it was read from outside the store: an external limit need not tell."""
    s = station(Version.V21)
    s.set_external(profile([(0, 7)], kind=Kind.DYNAMIC, start=None, id=-1), 0)
    assert course(s, [0, 1e9]) == [7, 7]
    assert changes(s, T0, 1) == [math.inf]


def test_randomised_delay_puts_off_all_periods_but_the_first() -> None:
    """The start and the end of the schedule stay; the delay is that of the transaction, profile and period."""
    asked = []

    def delay(transaction: str | int | None, number: int, index: int, most_s: float) -> float:
        asked.append((transaction, number, index, most_s))
        return most_s / 2

    made = schedule([(0, 16), (10, 8), (20, 4)], duration=30, randomized_delay_s=6)
    s = station(Version.V21, (1, profile(schedules=(made,), id=7)), delay=delay)
    begin(s, 1)
    assert course(s, [0, 12.999, 13, 22.999, 23, 29.999, 30]) == [16, 16, 8, 8, 4, 4, None]
    assert changes(s, T0, 3) == [13, 23, 30]
    assert set(asked) == {("tx", 7, 1, 6), ("tx", 7, 2, 6)}
    asked.clear()
    s.install(profile([(0, 16), (10, 8)], id=7), 1, T0)
    assert course(s, [10]) == [8]
    assert asked == []
    s.install(profile(schedules=(schedule([(0, 16), (10, 8)], randomized_delay_s=1),), id=7), 1, T0)
    assert course(s, [10.499, 10.5]) == [16, 8]


def test_by_default_nothing_is_put_off() -> None:
    """randomizedDelay alone delays nothing: the station must bring its chance."""
    made = schedule([(0, 16), (10, 8)], randomized_delay_s=6)
    assert course(station(Version.V21, (1, profile(schedules=(made,)))), [9, 10]) == [16, 8]


@pytest.mark.parametrize(("choice", "expected"), [(0, 16), (1, 8), (2, 16)])
def test_the_car_chooses_among_schedules(choice: int, expected: float) -> None:
    """K15: the first counts where there is none of that number; an ended transaction forgets the choice."""
    given = profile(schedules=(schedule([(0, 16)]), schedule([(0, 8)])))
    s = station(Version.V201, (1, given))
    begin(s, 1)
    s.choose_schedule(1, choice)
    assert amps(s, T0) == expected
    s.end_transaction(1)
    assert amps(s, T0) == 16


@pytest.mark.parametrize("at", range(1, 40, 3))
def test_any_second_of_a_shift_is_found(at: int) -> None:
    """Wherever it falls between two looks."""
    assert zone_of(lambda t: 60.0 if t >= at else 0.0, 0.0, 40.0) == Zone(0.0, ((at, 60.0),))


def test_a_recurrency_of_another_kind_counts_for_nothing() -> None:
    """An absolute profile with one does not come again."""
    s = station(Version.V201, (1, profile(duration=10, recurrency=Recurrency.DAILY)))
    assert course(s, [9, 10, DAY]) == [16, None, None]
    assert changes(s, T0, 2) == [10, math.inf]


def test_dynamic_of_unknown_update_has_just_begun() -> None:
    """So that any duration is still ahead."""
    s = station(Version.V21)
    s.set_external(profile([(0, 7)], kind=Kind.DYNAMIC, start=None, duration=1, id=-1), 0)
    assert course(s, [0]) == [7]


def test_a_period_put_off_beyond_the_next_is_skipped() -> None:
    """The one before it holds until the next begins."""
    delays = {1: 753.0, 2: 123.0, 3: 87.0}
    made = schedule([(0, 10), (300, 11), (600, 12), (900, 13)], randomized_delay_s=900)
    s = station(Version.V21, (1, profile(schedules=(made,))), delay=lambda _tx, _id, index, _most: delays[index])
    assert course(s, [0, 722, 723, 986, 987, 1053]) == [10, 10, 12, 12, 13, 13]


def test_a_dynamic_start_in_local_time_is_local() -> None:
    """An hour ahead of UTC it comes an hour earlier, and that is where the limit changes."""
    made = schedule([(0, 16)], start=T0 + 7200, use_local_time=True)
    given = profile(kind=Kind.DYNAMIC, schedules=(made,), dyn_update_time=T0)
    s = station(Version.V21, (1, given), zone=Zone(3600.0))
    assert course(s, [3599, 3600]) == [None, 16]
    assert changes(s, T0, 1) == [3600]


def test_a_car_takes_the_first_schedule_unless_it_says() -> None:
    """So does an outlet that nobody has told anything."""
    given = profile(schedules=(schedule([(0, 16)]), schedule([(0, 8)])))
    at = Situation(1, T0)
    assert schedule_of(given, at) is given.schedules[0]


def test_no_delay_where_none_is_asked_for() -> None:
    """The station's chance is not asked, and a period begins to the second."""
    s = station(Version.V21, (1, profile([(0, 16), (10, 8)])), delay=lambda *_: 5.0)
    assert course(s, [9.999, 10]) == [16, 8]
