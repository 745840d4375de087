"""What a car asks a DC charger for: within every limit, with its ramps, to the end of its battery and not beyond."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilbench_emulators.dc.cars import Car, Discharge, car_names, load_car
from hilbench_emulators.dc.charging import TICK_S, Charging, advance, begin, look
from hilbench_emulators.dc.request import (
    LONGEST_LOOP_S,
    Offer,
    Request,
    given_a,
    minimum_a,
    next_request,
    offered_a,
    own_limit_a,
)

LEAF, ID_3, IONIQ = (load_car(name) for name in ("leaf-40", "id-3-58", "ioniq-5"))
CARS = st.sampled_from(car_names()).map(load_car)
ALL = Offer(math.inf)
OFFERS = st.builds(
    Offer, st.floats(0.0, 500.0), st.floats(0.0, 300_000.0), st.one_of(st.just(math.inf), st.floats(0.0, 1000.0))
)


def minutes(car: Car, offer: Offer, start: float = 0.1, end: float = 0.8) -> float:
    """Time [min] from one state of charge to another, beginning with no current."""
    charging, passed = begin(start), 0.0
    while charging.cells.soc < end:
        charging, passed = advance(car, charging, offer, TICK_S), passed + TICK_S
    return passed / 60.0


def settled(car: Car, soc: float, offer: Offer) -> Request:
    """The request once its ramp has ended, the state of charge held still."""
    request = Request()
    for _ in range(4):
        request = next_request(car, request, soc, offer, 60.0)
    return request


@pytest.mark.parametrize(
    ("name", "offer", "ours", "table"),
    [
        ("leaf-40", ALL, 41.47, 41.7),
        ("id-3-58", ALL, 34.57, 34.6),
        ("ioniq-5", ALL, 20.33, 20.4),
        ("leaf-40", Offer(math.inf, 50_000.0), 41.47, 41.7),
        ("id-3-58", Offer(math.inf, 50_000.0), 49.50, 50.0),
        ("ioniq-5", Offer(math.inf, 50_000.0), 61.17, 61.8),
    ],
)
def test_a_charge_from_10_to_80_percent_takes_its_time(name: str, offer: Offer, ours: float, table: float) -> None:
    """Within 1.1 % of another run of the same equations with other cell voltages."""
    found = minutes(load_car(name), offer)
    assert found == pytest.approx(ours, abs=0.02)
    assert found == pytest.approx(table, rel=0.011)


@given(CARS, st.floats(0.0, 1.0), OFFERS)
def test_a_request_is_within_every_limit(car: Car, soc: float, offer: Offer) -> None:
    """Neither the car's current, curve and voltage nor the charger's current, power and voltage are passed."""
    amps = settled(car, soc, offer).current_a
    volts = car.battery.voltage_v(soc, amps)
    assert 0.0 <= amps <= min(car.max_a, offer.max_a)
    assert amps * volts <= min(car.curve_w.at(soc), offer.max_w) * (1.0 + 1e-9)
    assert amps == 0.0 or volts <= min(car.max_v, offer.max_v) + 1e-9


def test_the_greatest_voltage_of_a_car_holds_at_its_terminals() -> None:
    """What the resistance adds counts: near its greatest voltage a car takes only what keeps it."""
    car = replace(ID_3, max_v=ID_3.battery.open_v(0.6) + 4.0)
    assert settled(car, 0.6, ALL).current_a == pytest.approx(50.0)
    assert settled(car, 0.6, replace(ALL, max_v=car.max_v - 2.0)).current_a == pytest.approx(25.0)


@given(CARS, st.floats(0.05, 0.95), OFFERS)
def test_a_request_is_the_most_that_is_allowed(car: Car, soc: float, offer: Offer) -> None:
    """What a car does not take is forbidden by some limit, or less than its minimum."""
    amps, most = settled(car, soc, offer).current_a, min(own_limit_a(car, soc), offered_a(car, soc, offer))
    assert amps == (most if most >= minimum_a(car, soc) else 0.0)


@pytest.mark.parametrize("bad", [-1.0, -1e9, -math.inf])
def test_a_negative_limit_is_a_limit_of_nothing(bad: float) -> None:
    """A limit below 0 asks for nothing: neither for everything nor for power back."""
    assert settled(LEAF, 0.5, Offer(bad)).current_a == 0.0
    assert settled(LEAF, 0.5, Offer(100.0, bad)).current_a == 0.0
    assert settled(LEAF, 0.5, Offer(100.0, max_v=bad)).current_a == 0.0


def test_the_ramps_are_those_of_the_car() -> None:
    """A Leaf asks for 2 A more in every 100 ms, as in its log, and leaves 12 A within one."""
    first = next_request(LEAF, Request(), 0.5, ALL, 0.1)
    assert first.current_a == pytest.approx(2.0)
    assert next_request(LEAF, first, 0.5, ALL, 0.1).current_a == pytest.approx(4.0)
    assert next_request(LEAF, Request(12.0), 0.5, Offer(0.0), 0.1).current_a == 0.0
    assert next_request(IONIQ, Request(), 0.5, ALL, 0.2).current_a == pytest.approx(2.0)


@given(CARS, st.floats(0.05, 0.98), OFFERS, st.floats(0.0, 300.0), st.floats(0.0, 100.0))
@settings(max_examples=40, deadline=None)
def test_looking_at_a_charge_changes_nothing(
    car: Car, soc: float, offer: Offer, first_s: float, second_s: float
) -> None:
    """At one offer, advancing in two steps is advancing in one, wherever between the ticks the look falls."""
    once = advance(car, begin(soc), offer, first_s + second_s)
    twice = advance(car, advance(car, begin(soc), offer, first_s), offer, second_s)
    (asked, cells), (asked_2, cells_2) = look(car, once), look(car, twice)
    assert asked_2.current_a == pytest.approx(asked.current_a, abs=1e-9)
    assert cells_2.soc == pytest.approx(cells.soc, abs=1e-12)
    assert cells_2.taken_j == pytest.approx(cells.taken_j, rel=1e-9, abs=1e-3)


@given(CARS, st.lists(st.tuples(OFFERS, st.floats(0.01, 20.0)), min_size=1, max_size=6))
@settings(max_examples=40, deadline=None)
def test_a_charge_keeps_energy_and_ramps_whatever_is_offered(car: Car, offers: list[tuple[Offer, float]]) -> None:
    """What was taken is stored or lost; between two looks the current moves no faster than the car's ramps."""
    charging, before_a = begin(0.4), 0.0
    for offer, dt_s in offers:
        charging = advance(car, charging, offer, dt_s)
        request, cells = look(car, charging)
        stored = car.battery.stored_j(cells.soc) - car.battery.stored_j(0.4)
        assert cells.taken_j == pytest.approx(stored + cells.lost_j, abs=1e-3)
        moved = request.current_a - before_a
        assert -car.down_a_per_s * dt_s - 1e-9 <= moved <= car.up_a_per_s * dt_s + 1e-9
        before_a = request.current_a


@given(CARS, st.floats(0.01, 0.9), st.floats(2_000.0, 200_000.0), st.floats(0.0, 50_000.0))
@settings(max_examples=25, deadline=None)
def test_a_greater_limit_never_charges_less(car: Car, soc: float, limit_w: float, more_w: float) -> None:
    """Energy after a minute rises with the power that is offered."""
    taken = [
        look(car, advance(car, begin(soc), Offer(math.inf, watts), 60.0))[1].taken_j
        for watts in (limit_w, limit_w + more_w)
    ]
    assert taken[0] <= taken[1] + 1e-3


@pytest.mark.parametrize("name", car_names())
@pytest.mark.parametrize("loop_s", [0.1, 0.25, LONGEST_LOOP_S])
def test_a_battery_is_filled_and_not_beyond(name: str, loop_s: float) -> None:
    """Whatever the loop, the charge ends by itself within a thousandth of full, and never above."""
    car = load_car(name)
    battery, request, charging = car.battery, Request(), begin(0.995)
    cells = charging.cells
    for _ in range(int(1200.0 / loop_s)):
        later = next_request(car, request, cells.soc, ALL, loop_s)
        mean = (request.current_a + later.current_a) / 2.0
        cells = replace(cells, soc=cells.soc + mean * loop_s / battery.capacity_c)
        request = later
    assert 0.999 <= cells.soc <= 1.0
    assert request.current_a == 0.0
    assert request.ended == ("" if car.discharge else "full")


@pytest.mark.parametrize("loop_s", [0.1, 0.25, LONGEST_LOOP_S])
@pytest.mark.parametrize("max_a", [15.0, 200.0])
def test_a_discharge_ends_at_the_reserve_and_not_below(loop_s: float, max_a: float) -> None:
    """Asked for all it can give, a car goes down to its reserve and stays there."""
    car = replace(LEAF, discharge=Discharge(max_a, 250.0, 0.1))
    request, soc, least = Request(), 0.105, 0.105
    for _ in range(int(600.0 / loop_s)):
        later = next_request(car, request, soc, Offer(0.0, give_a=500.0), loop_s)
        soc += (request.current_a + later.current_a) / 2.0 * loop_s / car.battery.capacity_c
        request, least = later, min(least, soc)
    assert least >= 0.1
    assert soc == pytest.approx(0.1, abs=1e-4)


@given(st.floats(0.0, 1.0), st.floats(0.0, 500.0), st.floats(0.0, 100_000.0))
def test_what_a_car_gives_is_within_its_limits(soc: float, give_a: float, give_w: float) -> None:
    """Neither current, power and reserve nor the least voltage are passed; a car that cannot give gives nothing."""
    offer = Offer(0.0, give_a=give_a, give_w=give_w)
    amps = given_a(LEAF, soc, offer)
    volts = LEAF.battery.voltage_v(soc, -amps)
    assert 0.0 <= amps <= min(give_a, 15.0)
    assert amps * volts <= give_w * (1.0 + 1e-9) + 1e-9
    assert amps == 0.0 or (soc > 0.1 and volts >= 250.0)
    assert given_a(ID_3, soc, offer) == 0.0


def test_a_low_voltage_ends_a_discharge() -> None:
    """The least voltage holds at the terminals: what the resistance takes off counts."""
    car = replace(LEAF, discharge=Discharge(200.0, 340.0, 0.0))
    soc = car.battery.ocv_v.inverse(345.0 / 96)
    amps = given_a(car, soc, Offer(0.0, give_a=500.0))
    assert car.battery.voltage_v(soc, -amps) == pytest.approx(340.0)


def test_below_its_least_current_a_chademo_car_waits() -> None:
    """A Leaf takes 6 A and not 5.9 A, and charges again after any pause."""
    assert settled(LEAF, 0.5, Offer(6.0)).current_a == 6.0
    paused = settled(LEAF, 0.5, Offer(5.9))
    assert paused == Request()
    assert settled(LEAF, 0.5, Offer(20.0)).current_a == 20.0


@pytest.mark.parametrize(("paused_s", "resumes"), [(4.75, True), (5.25, False)])
def test_nothing_offered_is_no_pause_for_every_car(paused_s: float, resumes: bool) -> None:
    """An ID.3 that is given 0 W for 5 s ends its session and cannot be resumed."""
    charging = advance(ID_3, begin(0.5), Offer(100.0), 30.0)
    charging = advance(ID_3, charging, Offer(0.0, 0.0), paused_s)
    charging = advance(ID_3, charging, Offer(100.0), 30.0)
    request, _cells = look(ID_3, charging)
    assert request.ended == ("" if resumes else "starved")
    assert request.current_a == pytest.approx(100.0 if resumes else 0.0)


def test_short_pauses_do_not_add_up() -> None:
    """Five pauses of four seconds each do not end the session."""
    charging = begin(0.5)
    for _ in range(5):
        charging = advance(ID_3, charging, Offer(0.0), 4.0)
        charging = advance(ID_3, charging, Offer(100.0), 4.0)
    assert look(ID_3, charging)[0].ended == ""


def test_a_pause_seen_between_ticks_goes_on_counting() -> None:
    """An offer that changes from little to nothing does not begin the wait anew."""
    charging = begin(0.5)
    for step in range(30):
        charging = advance(ID_3, charging, Offer(0.1 * (step % 2)), 0.2)
    assert look(ID_3, charging)[0].ended == "starved"


def test_a_car_may_take_its_minimum_whatever_is_offered() -> None:
    """One that does not go lower draws its minimum even at an offer of nothing."""
    car = replace(ID_3, below_minimum="takes-minimum", gives_up_s=math.inf)
    assert settled(car, 0.5, Offer(0.0)).current_a == minimum_a(car, 0.5)
    assert minimum_a(car, 0.5) * car.battery.voltage_v(0.5, minimum_a(car, 0.5)) == pytest.approx(1000.0)


def test_a_quiet_day_costs_nothing() -> None:
    """A waiting car is advanced a day, not tick by tick, and says the same as after ten minutes."""
    charging = advance(LEAF, begin(0.5), Offer(0.0), 600.0)
    day = advance(LEAF, charging, Offer(0.0), 1e9)
    assert isinstance(day, Charging)
    assert look(LEAF, day) == look(LEAF, charging)
