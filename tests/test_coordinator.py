"""Coordinated charging: from needs, prices, contract and forecast to orders that no limit is broken by."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilbench.controller.allocate import Tree
from hilbench.controller.feeding import discharged
from hilbench.controller.planning.coordinator import Coordinator, Orders, Present
from hilbench.controller.planning.history import History
from hilbench.controller.planning.memory import recall_into, text_of
from hilbench.controller.planning.needs import Need, battery_of, need_of
from hilbench.controller.planning.prices import demand_keys, prices
from hilbench.controller.planning.settings import PlanSettings
from hilbench.tariff import Tariff, Tier, read_tariff
from tests.controller_toy import site
from tests.tariffs import b19s

UTC_ZONE, BERLIN, PACIFIC = ZoneInfo("UTC"), ZoneInfo("Europe/Berlin"), ZoneInfo("America/Los_Angeles")
NOON = datetime(2024, 6, 4, 12, tzinfo=UTC).timestamp()
HOUR = 3600.0


def by_hour(rates: dict[int, float], **more: object) -> Tariff:
    """Energy that costs 0.30, or what ``rates`` say for an hour."""
    hours = tuple(1 if hour in rates else 0 for hour in range(24))
    periods = ((Tier(0.30),), (Tier(next(iter(rates.values()), 0.30)),))
    return Tariff("test", periods, (hours,) * 12, (hours,) * 12, **more)  # type: ignore[arg-type]  # of Tariff


def coordinator(tariff: Tariff | None = None, zone: ZoneInfo = UTC_ZONE, **options: object) -> Coordinator:
    """A site of 100 kW with a building of 10 kW, known for an hour."""
    made = Coordinator(PlanSettings(ready_s=0.0), zone, 100.0, tariff=tariff, **options)  # type: ignore[arg-type]
    for minute in range(61):
        made.metered(NOON - HOUR + 60.0 * minute, 10.0, 10.0)
    return made


def present(role: str = "A", soc: float | None = None, most_kw: float = 7.0) -> Present:
    """A car that draws nothing yet."""
    return Present(role, most_kw, 0.0, soc)


def orders(made: Coordinator, *cars: Present, limit_kw: float | None = None, t: float = NOON) -> Orders:
    """Orders for cars that are there."""
    return made.orders(t, cars or [present()], lambda _t: limit_kw, {})


# needs


def test_what_a_car_says_is_its_need() -> None:
    """Energy in Wh, current and voltage of all phases, and a departure with its offset."""
    told = {"energy_amount": 12_000, "ev_max_current": 16, "ev_max_voltage": 230}
    need = need_of(
        {
            "requested_energy_transfer": "AC_three_phase",
            "ac_charging_parameters": told,
            "departure_time": "2024-06-04T14:00:00+02:00",
        }
    )
    assert need == Need(12.0, NOON, 11.04)


@pytest.mark.parametrize(
    "needs",
    [
        {},
        {"ac_charging_parameters": {}},
        {"ac_charging_parameters": {"energy_amount": "much"}},
        {"ac_charging_parameters": {"energy_amount": -5}},
        {"v2x_charging_parameters": {"ev_target_energy_request": math.nan}},
        {"v2x_charging_parameters": []},
    ],
)
def test_needs_without_an_energy_are_none(needs: dict[str, object]) -> None:
    """What cannot be used is refused, and breaks nothing."""
    assert need_of(needs) is None


def test_a_two_way_car_tells_what_it_can_spare() -> None:
    """Energy down to its least, room up to full, and both powers; without BPT it gives nothing."""
    told = {
        "max_charge_power": 11_000,
        "max_discharge_power": 10_000,
        "ev_target_energy_request": 18_000,
        "ev_max_energy_request": 30_000,
        "ev_min_v2x_energy_request": -18_000,
    }
    both = need_of({"requested_energy_transfer": "AC_BPT", "v2x_charging_parameters": told})
    assert both == Need(18.0, math.inf, 11.0, 10.0, 18.0, 30.0)
    one = need_of({"requested_energy_transfer": "AC_three_phase", "v2x_charging_parameters": told})
    assert one is not None
    assert one.discharge_kw == one.spare_kwh == 0.0


def test_energy_that_flowed_is_taken_off() -> None:
    """5 kWh in are 5 less to need, 5 more to spare, and 5 less room; out is the other way."""
    need = Need(10.0, spare_kwh=8.0, space_kwh=20.0)
    assert need.after(5.0) == Need(5.0, spare_kwh=13.0, space_kwh=15.0)
    assert need.after(-5.0) == Need(15.0, spare_kwh=3.0, space_kwh=25.0)


def test_losses_are_seen_in_the_state_of_charge() -> None:
    """A car whose counted energy is whole again, but not its charge, still needs the difference."""
    need = Need(6.0, space_kwh=24.0)
    battery = battery_of(need, 0.6)
    assert battery is not None
    assert (battery.capacity_kwh, battery.target_soc) == pytest.approx((60.0, 0.7))
    assert need.after(6.0).at(0.69, battery).energy_kwh == pytest.approx(0.9)


# prices and history


def test_prices_follow_the_sites_own_clock(tmp_path: Path) -> None:
    """16 to 21 o'clock in Los Angeles is dear in summer, and counts for the demand of that time."""
    path = tmp_path / "b19s.json"
    path.write_text(json.dumps(b19s()))
    tariff = read_tariff(path)
    midnight = datetime(2024, 7, 1, tzinfo=PACIFIC)
    found = prices(tariff, PACIFIC, midnight.timestamp(), HOUR, 24)
    assert [hour for hour in range(24) if found.energy[hour] == pytest.approx(0.3634)] == [16, 17, 18, 19, 20]
    peak = next(one for one in found.demand if one.key[:2] == ("time of use", 3))
    assert np.flatnonzero(peak.counts).tolist() == [16, 17, 18, 19, 20]
    assert {key[0] for key in demand_keys(tariff, midnight)} == {"time of use", "flat"}


@pytest.mark.parametrize(("day", "hours"), [(date(2024, 3, 31), 23), (date(2024, 10, 27), 25)])
def test_a_day_of_23_or_25_hours_is_priced_by_its_hours(day: date, hours: int) -> None:
    """Whatever the clock does at night, the dear hour of the evening is the dear one on the wall."""
    start = datetime.combine(day, datetime.min.time(), BERLIN)
    found = prices(by_hour({18: 0.9}), BERLIN, start.astimezone(UTC).timestamp(), HOUR, hours)
    dear = np.flatnonzero(found.energy > 0.5)
    assert len(dear) == 1
    moment = datetime.fromtimestamp(start.timestamp() + (dear[0] + 0.5) * HOUR, UTC).astimezone(BERLIN)
    assert (moment.date(), moment.hour) == (day, 18)


def test_a_history_keeps_means_and_no_holes() -> None:
    """A step is the mean of what held in it; one of which less than half was seen is not known."""
    seen = History(UTC_ZONE, 900.0)
    for minute in range(16):
        seen.see(NOON + 60.0 * minute, 10.0 if minute <= 5 else 40.0)
    seen.see(NOON + 1740.0, 99.0)  # most of the second quarter is missing
    seen.see(NOON + 1800.0, 99.0)
    rows, _kinds = seen.table(date(2024, 6, 4))
    assert rows[0][48] == pytest.approx(30.0)
    assert np.isnan(rows[0][49])


@given(st.lists(st.tuples(st.floats(-7200.0, 7200.0), st.floats(-100.0, 100.0)), max_size=30))
def test_a_clock_that_jumps_breaks_no_history(steps: list[tuple[float, float]]) -> None:
    """Whatever the wall clock does, means stay within what was measured."""
    seen, t = History(BERLIN, 900.0), datetime(2024, 10, 27, tzinfo=UTC).timestamp()
    for jump, kw in steps:
        t += jump
        seen.see(t, kw)
    for row in seen.days.values():
        known = row[np.isfinite(row)]
        assert ((known >= -100.0 - 1e-9) & (known <= 100.0 + 1e-9)).all()


# orders


def test_a_car_that_says_nothing_is_not_planned() -> None:
    """Without needs there is no cap, and nobody is discharged."""
    assert orders(coordinator(by_hour({20: 0.05}))) == Orders()


def test_a_car_waits_for_the_cheap_hour_it_has_time_for() -> None:
    """At noon it has nothing, at 20 o'clock all it can take."""
    made = coordinator(by_hour({20: 0.05}))
    made.need("A", Need(5.0, NOON + 10 * HOUR, 7.0))
    assert orders(made).caps["A"] == 0.0
    assert orders(made, t=NOON + 8 * HOUR).caps["A"] == pytest.approx(7.0)


def test_a_car_that_leaves_soon_does_not_wait() -> None:
    """With an hour left for all that it needs it charges now, whatever it costs."""
    made = coordinator(by_hour({20: 0.05}))
    made.need("A", Need(6.0, NOON + HOUR, 7.0))
    assert orders(made).caps["A"] > 6.0


def test_an_event_that_is_coming_is_charged_before() -> None:
    """Nothing may be taken from 13 o'clock on: 6 kWh until 16 o'clock begin now, though energy is cheaper later."""
    made = coordinator(by_hour({14: 0.05}))
    made.need("A", Need(6.0, NOON + 4 * HOUR, 7.0))
    found = made.orders(NOON, [present()], lambda t: 0.0 if t >= NOON + HOUR else None, {})
    assert found.caps["A"] > 6.0


def test_a_demand_that_is_paid_is_used_and_not_raised() -> None:
    """With 15 kW paid two cars share 5 kW beside the building, and the site is held to 15 kW."""
    flat = by_hour({}, flat=((Tier(20.0),),))
    made = coordinator(flat)
    made.paid[("flat", 0, 2024, 6)] = 15.0
    for role in ("A", "B"):
        made.need(role, Need(10.0, NOON + 10 * HOUR, 7.0))
    found = orders(made, present("A"), present("B"))
    assert sum(found.caps.values()) * made.settings.derate == pytest.approx(5.0, abs=0.01)
    assert found.demand_kw == pytest.approx(15.0)


def test_the_month_pays_for_what_was_metered() -> None:
    """A quarter of an hour at 42 kW is a demand of 42 kW of its month."""
    made = coordinator(by_hour({}, flat=((Tier(20.0),),)))
    for minute in range(17):
        made.metered(NOON + 60.0 * minute, 10.0, 42.0)
    assert made.paid[("flat", 0, 2024, 6)] == pytest.approx(42.0)


def two_way(**changes: float) -> Need:
    """A car of 60 kWh at 60 %, which leaves at midnight with 70 %."""
    return Need(**{"energy_kwh": 6.0, "departure": NOON + 12 * HOUR, "most_kw": 11.0, "discharge_kw": 10.0,
                   "spare_kwh": 24.0, "space_kwh": 24.0, **changes})  # fmt: skip


def test_a_car_gives_what_a_signal_asks_for() -> None:
    """A building of 10 kW under a limit of 6 for an hour: the car gives 4, and is caught up with before it leaves."""
    made = coordinator(v2g=True)
    made.need("A", two_way())
    made.charge("A", 0.6)
    found = made.orders(NOON, [present(soc=0.6, most_kw=11.0)], lambda t: 6.0 if t < NOON + HOUR else None, {})
    assert found.discharge["A"] == pytest.approx(4.0, abs=0.01)
    assert found.able["A"] == pytest.approx(10.0)


def test_at_its_reserve_a_car_gives_nothing() -> None:
    """Below 30 % it is charged, whatever the contract says; nor does one whose charge nobody knows give anything."""
    made = coordinator(contract_kw=6.0, v2g=True)
    made.need("A", two_way(spare_kwh=3.0))
    assert orders(made, present(soc=0.29, most_kw=11.0)).able == {}
    assert orders(made, present(soc=None, most_kw=11.0)).able == {}


def test_without_v2g_nobody_is_discharged() -> None:
    """The coordinated policy charges two-way cars like others."""
    made = coordinator(contract_kw=6.0)
    made.need("A", two_way())
    found = orders(made, present(soc=0.6, most_kw=11.0))
    assert (found.discharge, found.able) == ({}, {})


@given(st.data())
def test_no_plan_passes_room_contract_or_reserve(data: st.DataObject) -> None:
    """Whatever cars need: the first step charges within what the site bears, and gives within what cars can spare."""
    made = coordinator(by_hour({20: 0.05}), v2g=True, contract_kw=40.0, export_kw=5.0)
    cars = []
    for index in range(data.draw(st.integers(1, 5))):
        soc = data.draw(st.floats(0.1, 0.95))
        need = two_way(
            energy_kwh=data.draw(st.floats(0.0, 30.0)),
            departure=NOON + HOUR * data.draw(st.floats(0.1, 20.0)),
            spare_kwh=max((soc - 0.2) * 60.0, 0.0),
            space_kwh=(1.0 - soc) * 60.0,
        )
        made.need(f"c{index}", need)
        made.charge(f"c{index}", soc)
        cars.append(present(f"c{index}", soc, 11.0))
    found = orders(made, *cars)
    derate = made.settings.derate
    assert sum(found.caps.values()) * derate - sum(found.discharge.values()) <= 90.0 + 1e-6
    assert sum(found.discharge.values()) - sum(found.caps.values()) * derate <= 15.0 + 1e-6
    assert all(cars[int(role[1:])].soc > 0.3 for role in found.able)  # type: ignore[operator]  # it is known here
    assert all(kw <= 10.0 + 1e-6 for kw in found.discharge.values())


def test_a_late_solver_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the program cannot be solved the heuristic plans, and cars are ready in time all the same."""
    made = coordinator(by_hour({20: 0.05}))
    made.need("A", Need(6.0, NOON + HOUR, 7.0))
    monkeypatch.setitem(__import__("sys").modules, "highspy", None)
    found = orders(made)
    assert found.how.startswith("heuristic")
    assert found.caps["A"] > 6.0


def test_the_night_between_two_days_is_forecast() -> None:
    """At 23 o'clock the steps after midnight are those of another day, of its own kind."""
    made = coordinator()
    evening = datetime(2024, 6, 7, 23, tzinfo=UTC).timestamp()  # a Friday
    for day in range(14):
        for quarter in range(97):
            t = evening - 23 * HOUR - 14 * 86_400.0 + day * 86_400.0 + 900.0 * quarter
            weekend = datetime.fromtimestamp(t - 1.0, UTC).weekday() >= 5
            made.metered(t, 5.0 if weekend else 50.0, 0.0)
    ahead, _margin = made.base_ahead(evening, 96)
    assert ahead[:4].mean() > 40.0
    assert ahead[10:80].mean() < 15.0


# what is fed in


@given(
    st.lists(st.tuples(st.floats(0.0, 16.0), st.floats(0.0, 16.0)), min_size=1, max_size=6),
    st.floats(0.0, 30_000.0),
    st.floats(0.0, 30_000.0),
)
def test_no_more_is_given_than_may_be(cars: list[tuple[float, float]], needed_w: float, may_w: float) -> None:
    """Never above what the site may feed in, what each is able to give, and what the service bears."""
    tree = Tree(site(len(cars), 60.0, wiring="three-phase"))
    wished, able = (np.array(column) for column in zip(*cars, strict=True))
    given_a = discharged(tree, wished, able, np.full(len(cars), 690.0), (needed_w, may_w))
    assert float(given_a.sum()) * 690.0 <= may_w + 1e-6
    assert (given_a <= able + 1e-9).all()
    assert (np.abs(tree.load(given_a)) <= tree.limits + 1e-6).all()
    least = min(needed_w, float(able.sum()) * 690.0, may_w, 60.0 * 690.0)
    assert float(given_a.sum()) * 690.0 >= least - 0.5 * 690.0 * len(cars)


# a restart


def test_what_is_known_survives_a_restart() -> None:
    """Needs, paid demands and the building's days are the same after it; a car whose time is over is forgotten."""
    made = coordinator(by_hour({}, flat=((Tier(20.0),),)))
    made.paid["flat", 0, 2024, 6] = 42.0
    made.need("A", Need(5.0, NOON + HOUR, 7.0))
    made.need("B", Need(5.0, NOON - HOUR))
    after = Coordinator(PlanSettings(), UTC_ZONE, 100.0)
    recall_into(after, text_of(made), NOON)
    assert after.needs == {"A": Need(5.0, NOON + HOUR, 7.0)}
    assert after.paid == made.paid
    (day,) = made.building.days
    assert np.array_equal(after.building.days[day], made.building.days[day], equal_nan=True)


JSON = st.recursive(st.none() | st.integers() | st.text(), st.lists)
TABLE = st.dictionaries(st.sampled_from(["needs", "paid", "days"]), JSON)


@given(st.text() | JSON.map(json.dumps) | TABLE.map(json.dumps))
def test_nonsense_from_a_file_is_left_out(text: str) -> None:
    """A state file that somebody wrote into stops nothing."""
    after = Coordinator(PlanSettings(), UTC_ZONE, 100.0)
    recall_into(after, text, NOON)
    assert orders(after) == Orders()


# cars that say little, and cars that are late


def test_a_car_that_may_leave_at_any_moment_charges_at_once() -> None:
    """Without a departure it has no plan, however dear energy is; one that can give back is planned all the same."""
    for v2g, planned in ((False, False), (True, True)):
        made = coordinator(by_hour({2: 0.10}), v2g=v2g)
        made.need("A", Need(10.0, math.inf, 7.0))
        assert ("A" in orders(made).caps) == planned


def test_a_demand_leaves_room_for_what_is_not_planned() -> None:
    """A car that says nothing counts with what it may take, not with what it draws while it is held back."""
    tariff = by_hour({}, flat=((Tier(10.0),),), flat_months=(0,) * 12)
    made = coordinator(tariff)
    made.need("A", Need(20.0, NOON + 10 * HOUR, 7.0))
    assert orders(made, present("A"), present("B", most_kw=7.0)).demand_kw >= 10.0 + 7.0


def test_a_late_car_is_not_held_back_by_a_demand() -> None:
    """In its last step, and when it will be short, the site may take its power more than was planned."""
    tariff = by_hour({}, flat=((Tier(10.0),),), flat_months=(0,) * 12)
    for need in (Need(1.0, NOON + 0.25 * HOUR, 7.0), Need(50.0, NOON + 2 * HOUR, 7.0)):
        made = coordinator(tariff)
        made.need("A", need)
        found = orders(made)
        planned_kw = found.caps["A"] * made.settings.derate
        assert found.demand_kw == pytest.approx(10.0 + 2.0 * planned_kw, abs=0.1)
