"""What stations say they can do, the ways in which they take limits, and what they say is in force."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilbench import clock
from hilbench.controller.abilities import (
    WAYS,
    Abilities,
    Supply,
    Unit,
    Way,
    from_configuration,
    from_variables,
    in_words,
    rate,
    variables_wanted,
    ways,
)
from hilbench.controller.core import Core
from hilbench.controller.installing import SEARCH_S, Installer, Limit, Profile
from hilbench.controller.readback import ENDS_S, Composite, composite_of, worth_reading
from hilbench.controller.settings import ControllerSettings
from tests.controller_toy import site

SUPPLY = Supply(230.0, 3)
RULES = ControllerSettings()
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)

# what stations say


def said16(**values: Any) -> list[dict[str, Any]]:
    """Entries of a GetConfiguration answer."""
    return [{"key": key, "readonly": True, "value": value} for key, value in values.items()]


@pytest.mark.parametrize(
    ("units", "found"),
    [
        ("Current", {"A"}),
        ("Power", {"W"}),
        ("Current,Power", {"A", "W"}),
        (" A , W", {"A", "W"}),
        ("Amperes", None),
        ("", None),
        (None, None),
    ],
)
def test_units_are_read_as_far_as_they_can_be(units: str | None, found: set[str] | None) -> None:
    """The words of OCPP 1.6, what some stations say instead, and nothing where no unit is named."""
    assert from_configuration(said16(ChargingScheduleAllowedChargingRateUnit=units)).units == found


def test_figures_that_cannot_be_are_not_known() -> None:
    """A stack level below 0, no period, a number in words: as if they had not been said."""
    answers = said16(
        ChargeProfileMaxStackLevel="-1",
        ChargingScheduleMaxPeriods="0",
        MaxChargingProfilesInstalled="many",
        NumberOfConnectors="2",
        SupportedFeatureProfiles="Core, SmartCharging",
    )
    assert from_configuration(answers) == Abilities(smart_charging=True, triggers=False, connectors=2)


def test_variables_of_2_x_are_read() -> None:
    """Accepted ones count, others are not known; Enabled or Available false is no smart charging."""
    values = {"Enabled": "true", "Available": "False", "RateUnit": "W", "PeriodsPerSchedule": "5", "Entries": "3"}
    results: list[dict[str, Any]] = [
        {"attribute_status": "Accepted", "attribute_value": value, "variable": {"name": name}}
        for name, value in values.items()
    ]
    results.append({"attribute_status": "UnknownVariable", "variable": {"name": "ProfileStackLevel"}})
    found = from_variables(results)
    assert found == Abilities(smart_charging=False, units=frozenset[Unit](("W",)), max_periods=5, max_profiles=3)
    assert in_words(found) == "smart_charging false, units W, max_periods 5, max_profiles 3"
    assert in_words(Abilities()) == "nothing"
    assert len(variables_wanted()) == 6


@given(JUNK)
def test_no_answer_makes_trouble(junk: Any) -> None:
    """Whatever comes is read as far as it makes sense, and all ways stay."""
    for found in (from_configuration(junk), from_variables(junk), from_configuration([junk]), from_variables([junk])):
        assert set(ways(found)) == set(WAYS)
    composite_of(junk, 60.0, SUPPLY)
    composite_of({"charging_rate_unit": "A", "charging_schedule_period": [junk]}, 60.0, SUPPLY)


# ways


def test_ways_that_fit_come_first_and_the_usual_one_before_all() -> None:
    """Watts only, one stack level, one profile: each brings its way to the front; nothing is left out."""
    assert (
        ways(Abilities())[0]
        == ways(Abilities(units=frozenset[Unit](("A", "W")), max_stack=8))[0]
        == Way("A", 0, 0, "lease")
    )
    assert ways(Abilities(units=frozenset[Unit](("W",))))[0] == Way("W", 0, 0, "lease")
    assert ways(Abilities(max_stack=0))[0] == Way("A", 0, 0, "periods")
    assert ways(Abilities(max_profiles=1))[0] == Way("A", 0, 0, "periods")
    assert ways(Abilities(max_periods=1))[-1].form == "periods"
    assert len(set(WAYS)) == 16


@given(st.floats(0.0, 80.0), st.sampled_from([Supply(240.0, 1), Supply(230.94, 3), Supply(230.0, 3)]))
def test_watts_are_the_amperes_of_every_phase(limit_a: float, supply: Supply) -> None:
    """Divided by voltage and phases they give the limit to the tenth, never less: a hair below 6 A is a pause."""
    found = rate(Way("W", 0, 0, "lease"), limit_a, supply)
    amps = found["limit"] / (supply.volts * found["number_phases"])
    assert round(limit_a, 1) - 1e-9 <= amps <= round(limit_a, 1) + 0.001


def put(
    installer: Installer, limit: Limit, takes: Callable[[Profile], bool], status: str = "Rejected"
) -> tuple[Any, list[Profile], int]:
    """The outcome at a station that ``takes`` some profiles and answers others with ``status``; what was sent."""
    sent: list[Profile] = []
    discoveries: list[int] = []

    async def send(profile: Profile) -> str:
        sent.append(profile)
        return "Accepted" if takes(profile) else status

    async def discover() -> None:
        discoveries.append(1)

    return asyncio.run(installer.put(limit, send, discover)), sent, len(discoveries)


@pytest.fixture(autouse=True)
def moment(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, as a list of one number, without a loop of the bench."""
    now = [0.0]
    monkeypatch.setattr(clock, "time", lambda: now[0])
    monkeypatch.setattr(clock, "now", lambda: clock.DEFAULT_EPOCH)
    return now


def limits(profile: Profile) -> list[tuple[int, float]]:
    """Its periods."""
    return [(one["start_period"], one["limit"]) for one in profile.schedule["charging_schedule_period"]]


def anything(_profile: Profile) -> bool:
    """A station that takes all."""
    return True


def nothing(_profile: Profile) -> bool:
    """A station that takes none."""
    return False


FALLBACK, LEASE = Limit(6.0, None, 6.0), Limit(12.0, 30.0, 6.0)
TAKERS: dict[str, tuple[Callable[[Profile], bool], Way]] = {
    "standard": (anything, Way("A", 0, 0, "lease")),
    "one outlet (eveys)": (lambda p: p.outlet == 1, Way("A", 1, 0, "lease")),
    "watts (MicroOcpp)": (lambda p: p.schedule["charging_rate_unit"] == "W", Way("W", 0, 0, "lease")),
    "no level 0 (EVBox)": (lambda p: p.stack > 0, Way("A", 0, 1, "lease")),
    "watts at an outlet": (
        lambda p: p.schedule["charging_rate_unit"] == "W" and p.outlet == 1,
        Way("W", 1, 0, "lease"),
    ),
    "no duration": (lambda p: "duration" not in p.schedule, Way("A", 0, 0, "periods")),
    "level 0 only": (lambda p: p.stack == 0, Way("A", 0, 0, "periods")),
}


@pytest.mark.parametrize(("takes", "way"), TAKERS.values(), ids=TAKERS)
def test_the_way_that_a_station_takes_is_found_and_kept(takes: Callable[[Profile], bool], way: Way) -> None:
    """Fallback and lease get in, the second lease at the first try."""
    installer = Installer(SUPPLY)
    assert put(installer, FALLBACK, takes)[0].accepted_a is not None
    assert put(installer, LEASE, takes)[0].accepted_a == 12.0
    outcome, sent, discoveries = put(installer, LEASE, takes)
    assert (outcome.accepted_a, len(sent), discoveries, installer.way["lease"]) == (12.0, 1, 0, way)
    ends = sent[0].schedule.get("duration") or limits(sent[0])[1][0]
    assert ends == 35
    if way.form == "periods":
        assert limits(sent[0])[1][1] == 6.0


def test_a_fallback_hangs_on_no_date() -> None:
    """It counts from the start of the transaction, without a start; a lease has its dates and its end."""
    installer = Installer(SUPPLY)
    (fallback,) = put(installer, FALLBACK, anything)[1]
    (lease,) = put(installer, LEASE, anything)[1]
    assert (fallback.kind, "start_schedule" in fallback.schedule) == ("Relative", False)
    assert (lease.kind, "start_schedule" in lease.schedule, lease.schedule["duration"]) == ("Absolute", True, 35)


def test_a_station_that_refuses_that_gets_a_date_from_then_on() -> None:
    """The second attempt has a date; the next installation begins with it."""
    installer = Installer(SUPPLY)

    def absolute(profile: Profile) -> bool:
        return profile.kind == "Absolute"

    assert [profile.kind for profile in put(installer, FALLBACK, absolute)[1]] == ["Relative", "Absolute"]
    assert [profile.kind for profile in put(installer, FALLBACK, absolute)[1]] == ["Absolute"]


def test_what_is_refused_at_six_amperes_or_none_is_said_otherwise() -> None:
    """A station that takes neither 6 nor 0 A gets 6.1 A, and 5 A for a pause (ABB 1.8.0); a set point stays."""
    installer = Installer(SUPPLY)

    def picky(profile: Profile) -> bool:
        return limits(profile)[0][1] not in (0.0, 6.0)

    assert put(installer, FALLBACK, picky)[0].accepted_a == 6.1
    assert put(installer, Limit(0.0, 30.0, 6.0), picky)[0].accepted_a == 5.0
    assert put(installer, Limit(-3.0, 30.0, 6.0), nothing)[0].accepted_a is None


def test_a_station_that_takes_nothing_is_left_in_peace(moment: list[float]) -> None:
    """Every way is tried once, and again after five minutes or a boot; discovery is asked for each time."""
    installer = Installer(SUPPLY)
    outcome, sent, discoveries = put(installer, LEASE, nothing)
    assert (outcome, len(sent), discoveries) == ((None, True), 16, 1)
    assert put(installer, LEASE, nothing)[1] == []
    moment[0] = SEARCH_S
    assert len(put(installer, LEASE, nothing)[1]) == 16
    installer.begin_again()
    assert put(installer, LEASE, anything)[0].accepted_a == 12.0


def test_no_answer_ends_a_search() -> None:
    """Nobody knows what stands in the station: it is not bombarded, and that is said."""
    outcome, sent, discoveries = put(Installer(SUPPLY), LEASE, nothing, status="")
    assert (outcome, len(sent), discoveries) == ((None, False), 1, 0)


# what they say is in force


def period(start: float, limit: float, **more: Any) -> dict[str, Any]:
    """A period of a schedule."""
    return {"start_period": start, "limit": limit, **more}


def test_a_schedule_is_read_in_amperes_per_phase() -> None:
    """Watts over the phases that it names or the station has; -1 is no limit; nothing is known beyond its end."""
    schedule = {
        "charging_rate_unit": "W",
        "duration": 50,
        "charging_schedule_period": [period(30, 2300, number_phases=1), period(0, 6900), period(40, -1)],
    }
    found = composite_of(schedule, 60.0, SUPPLY)
    assert found is not None
    assert [found.limit_a(at) for at in (0, 29.9, 30, 45, 50, -1)] == [10.0, 10.0, 10.0, math.inf, None, None]


def charging(reported_a: float | None = None) -> Core:
    """A core whose station has 10 A leased until 130 s, over a fallback of 6 A; it is 100 s."""
    core = Core(site(1, fallback_a=6.0), RULES, 0.0)
    core.confirmed("s0", 1.0, 6.0, math.inf)
    core.online("s0", 1.0)
    core.status("s0", 1.0, "Charging")
    core.confirmed("s0", 50.0, 10.0, 30.0)
    if reported_a is not None:
        core.report("s0", 70.0, {"L1": reported_a})
    core.confirmed("s0", 100.0, 10.0, 30.0)
    return core


GOOD = Composite(((0.0, 10.0), (30.0, 6.0)), 60.0)
FREE = Composite(((0.0, 32.0),), 60.0)
ENDLESS = Composite(((0.0, 10.0),), 60.0)


@pytest.mark.parametrize(
    ("said", "flaw", "lapsed"),
    [
        (GOOD, "", 0),
        (Composite(((0.0, 8.0), (30.0, 3.0)), 60.0), "", 0),
        (Composite(((0.0, 10.0),), 30.0 + ENDS_S), "", 0),
        (ENDLESS, "", 1),
        (FREE, "contradicts", 1),
        (None, "", 0),
    ],
    ids=["as set", "less than set", "says nothing of later", "lease without end", "no limit", "nothing"],
)
def test_what_a_station_says_is_held_against_what_it_accepted(said: Composite | None, flaw: str, lapsed: int) -> None:
    """More than was set now, or after the lease, is a contradiction; less, or nothing, is none."""
    core = charging()
    core.said("s0", 100.0, said)
    trust = core.stations["s0"].trust
    assert (trust.flaw, trust.lapsed, trust.strays_alone) == (flaw, lapsed, False)


def test_what_was_measured_counts_more_than_what_is_said() -> None:
    """A car that was seen at its limit is held there, whatever the schedule says of now."""
    core = charging(reported_a=10.0)
    core.said("s0", 100.0, FREE)
    assert core.stations["s0"].trust.flaw == ""


def test_a_fallback_that_is_missing_twice_in_a_row_is_not_there() -> None:
    """Once it may have been forgotten; installed again and still missing, the station counts as without one."""
    core = charging()
    trust = core.stations["s0"].trust
    for said in (ENDLESS, GOOD, ENDLESS):
        core.said("s0", 100.0, said)
    assert (trust.lapsed, trust.strays_alone) == (1, False)
    core.said("s0", 100.0, ENDLESS)
    assert trust.strays_alone
    core.offline("s0", 101.0)
    core.decide(200.0)
    assert core.stations["s0"].granted_a == 32.0


def test_a_station_is_asked_now_and_then_and_not_for_ever_in_vain() -> None:
    """While a car charges with a lease, every readback_s; sooner once a fallback was missing; not after 3 refusals."""
    core = charging()
    station = core.stations["s0"]
    assert worth_reading(station, RULES, 105.0)
    station.trust.read_t = 105.0
    assert not worth_reading(station, RULES, 120.0)
    station.trust.lapsed = 1
    station.lease_until = 500.0
    assert [worth_reading(station, RULES, t) for t in (134.0, 135.0)] == [False, True]
    station.trust.lapsed = 0
    assert [worth_reading(station, RULES, t) for t in (404.0, 405.0)] == [False, True]
    assert not worth_reading(station, ControllerSettings(readback_s=0.0), 405.0)
    for _ in range(3):
        core.said("s0", 405.0, None)
    assert not worth_reading(station, RULES, 499.0)
