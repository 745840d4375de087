"""What the grid pays for energy that is fed in: read from events, and what a plan makes of it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilbench import clock
from hilbench.controller.planning.linear import solve
from hilbench.controller.planning.model import Car, Problem
from hilbench.controller.planning.prices import Prices, signalled
from hilbench.controller.signals.events import EXPORT_PRICE, PRICE, Rules, price_at, read_events
from hilbench.controller.signals.settings import SignalSettings
from hilbench.controller.signals.ven import Ven
from hilbench_emulators.grid.vtn import Vtn
from tests.openadr_samples import EVENING, event

T0 = EVENING.timestamp()
LEVELS = (100.0, 75.0, 50.0, 0.0)
WEAR, EFFICIENCY, COST = 0.05, 0.95, 0.3
WORTH = COST / EFFICIENCY**2 + WEAR
"""What has to be paid for a kWh that is taken back at ``COST``, with the losses of both ways and the wear."""


def problem(paid: list[float] | None, *, base_kw: float = 0.0, export_kw: float = 50.0, cost: float = COST) -> Problem:
    """Hours with one car: it holds 10 kWh above its reserve, gives and takes 7 kW, and wants to leave as it came."""
    steps = 6
    car = Car("a", steps, 0.0, 7.0, discharge_kw=7.0, spare_kwh=10.0, space_kwh=10.0, efficiency=EFFICIENCY)
    base = np.full(steps, base_kw)
    export = None if paid is None else np.array(paid)
    return Problem(1.0, np.full(steps, cost), base, np.full(steps, 100.0), (car,), export_kw=export_kw,
                   wear_cost=WEAR, export_price=export)  # fmt: skip


def given_kw(one: Problem) -> np.ndarray:
    """What the car gives in each step."""
    found: np.ndarray = np.maximum(-solve(one, 5.0).power_kw[0], 0.0)
    return found


@given(st.floats(0.0, 1.0).filter(lambda paid: abs(paid - WORTH) > 0.01))
@settings(max_examples=40, deadline=None)
def test_a_car_gives_where_that_is_paid_more_than_energy_losses_and_wear_and_not_below(paid: float) -> None:
    """One hour pays; before and after it energy costs the same and feeding in pays nothing."""
    found = given_kw(problem([0.0, 0.0, paid, 0.0, 0.0, 0.0]))
    assert found[[0, 1, 3, 4, 5]] == pytest.approx(0.0, abs=1e-6)
    assert found[2] == pytest.approx(7.0 if paid > WORTH else 0.0, abs=1e-6)


@pytest.mark.parametrize("base_kw", [0.0, 3.0])
def test_cars_that_could_give_more_than_may_flow_out_give_what_may(base_kw: float) -> None:
    """Six cars of 7 kW, 10 kW of export: one hour that pays well has 10 kW flow out, and no car is charged in it."""
    one = problem([0.0, 0.0, 2.0, 0.0, 0.0, 0.0], base_kw=base_kw, export_kw=10.0)
    one = replace(one, cars=tuple(replace(one.cars[0], key=str(k)) for k in range(6)))
    assert solve(one, 5.0).total_kw[2] == pytest.approx(-10.0 - base_kw, abs=1e-6)


def test_cars_give_at_once_what_is_paid_now_and_are_charged_afterwards() -> None:
    """Two hours pay, four do not: 10 kW flow out in both, though charging costs the same at any time."""
    one = problem([2.0, 2.0, 0.0, 0.0, 0.0, 0.0], export_kw=10.0)
    one = replace(one, cars=tuple(replace(one.cars[0], key=str(k)) for k in range(6)))
    total = solve(one, 5.0).total_kw
    assert total[:2] == pytest.approx([-10.0, -10.0], abs=1e-6)
    assert total[2:].sum() == pytest.approx(20.0 / EFFICIENCY**2, abs=1e-6)


def test_what_only_meets_the_building_is_not_paid_as_fed_in() -> None:
    """10 kW of building take all that the car can give: nothing flows out, and it is worth what energy costs."""
    assert given_kw(problem([2.0] * 6, base_kw=10.0)) == pytest.approx(0.0, abs=1e-6)


def test_where_feeding_in_pays_little_a_dear_hour_of_the_building_is_still_worth_it() -> None:
    """An hour of 1 per kWh and 3 kW of building: the car gives 3 kW, and no more for 0.01."""
    one = problem([0.01] * 6, base_kw=3.0)
    one.price[2] = 1.0
    assert given_kw(one) == pytest.approx([0.0, 0.0, 3.0, 0.0, 0.0, 0.0], abs=1e-6)


def test_without_a_price_of_its_own_it_is_paid_as_it_costs() -> None:
    """As it was: an hour of 1 per kWh is worth all that the car can give."""
    one = problem(None, base_kw=3.0)
    one.price[2] = 1.0
    assert given_kw(one)[2] == pytest.approx(7.0, abs=1e-6)


@given(
    st.lists(st.floats(-0.5, 2.0), min_size=6, max_size=6),
    st.lists(st.floats(0.0, 1.0), min_size=6, max_size=6),
    st.floats(0.0, 12.0),
    st.floats(0.0, 10.0),
)
@settings(max_examples=60, deadline=None)
def test_no_price_breaks_the_reserve_or_the_export_limit(
    paid: list[float], cost: list[float], base_kw: float, export_kw: float
) -> None:
    """Whatever is paid; and the plan is never dearer than one that gives nothing."""
    one = problem(paid, base_kw=base_kw, export_kw=export_kw)
    one.price[:] = cost
    power = solve(one, 5.0).power_kw[0]
    held = 10.0 + np.cumsum(np.where(power > 0.0, power * EFFICIENCY, power / EFFICIENCY))
    both = np.isclose(power, 0.0)  # taking and giving in one step would only be told as their difference
    assert held.min() >= -1e-3 - 0.5 * both.sum()
    net = base_kw + power
    assert net.min() >= min(-export_kw, base_kw) - 1e-6
    assert _costs(one, power) <= _costs(one, np.zeros(6)) + 1e-3


@given(
    st.lists(st.floats(-60.0, 12.0), min_size=6, max_size=6),
    st.one_of(st.none(), st.lists(st.floats(-0.5, 2.0), min_size=6, max_size=6)),
    st.floats(0.0, 10.0),
    st.floats(0.0, 10.0),
)
@settings(max_examples=60, deadline=None)
def test_a_building_that_feeds_in_too_much_leaves_a_plan_in_which_cars_give_nothing(
    base: list[float], paid: list[float] | None, export_kw: float, energy_kwh: float
) -> None:
    """Whatever it feeds in, cars do not make more of it than may be, and have what they need."""
    one = problem(paid, export_kw=export_kw)
    one = replace(one, base_kw=np.array(base), cars=(replace(one.cars[0], energy_kwh=energy_kwh),))
    found = solve(one, 5.0)
    net = one.base_kw + found.total_kw
    assert (net >= np.minimum(-export_kw, one.base_kw) - 1e-6).all()
    assert found.short_kwh == pytest.approx([0.0], abs=1e-6)


def test_the_excess_of_a_building_is_used_where_feeding_in_pays_less() -> None:
    """20 kW flow out in one hour for nothing, 5 kW may: the car takes its 3 kWh then, and gives nothing."""
    one = problem([0.0] * 6, export_kw=5.0)
    one.base_kw[2] = -20.0
    one = replace(one, cars=(replace(one.cars[0], energy_kwh=3.0),))
    assert solve(one, 5.0).total_kw == pytest.approx([0.0, 0.0, 3.0 / EFFICIENCY, 0.0, 0.0, 0.0], abs=1e-6)


def _costs(one: Problem, power: np.ndarray) -> float:
    """What a plan costs with what really flows."""
    assert one.export_price is not None
    net = one.base_kw + power
    bought, sold = np.maximum(net, 0.0) @ one.price, np.maximum(-net, 0.0) @ one.export_price
    return float(bought - sold + WEAR * np.maximum(-power, 0.0).sum())


def test_export_prices_are_read_from_events_in_their_units() -> None:
    """80 per MWh are 0.08 per kWh; a price of energy beside it is another one."""
    units = {"payloadDescriptors": [{"payloadType": EXPORT_PRICE, "units": "MWH"}]}
    raw = (event(T0, 900, 80.0, kind=EXPORT_PRICE, id="a", **units), event(T0, 900, 0.3, kind=PRICE, id="b"))
    events, refusals = read_events(raw, Rules(LEVELS, prices=True))
    assert refusals == ()
    assert price_at(events, T0, EXPORT_PRICE) == pytest.approx(0.08)
    assert price_at(events, T0, PRICE) == 0.3
    (ignored,), _refusals = read_events(raw[:1], Rules(LEVELS))
    assert ignored.ignored == (EXPORT_PRICE,)


def test_a_plan_takes_them_where_they_are_said_and_else_what_energy_costs() -> None:
    """Nothing said at all: no price of its own."""
    tariff = Prices(np.array([0.2, 0.4]), ())

    def said(t: float, kind: str) -> float | None:
        return 0.9 if kind == EXPORT_PRICE and t < 3600.0 else None

    assert signalled(tariff, said, 0.0, 0.0, 3600.0).export == pytest.approx([0.9, 0.4])
    assert signalled(tariff, lambda _t, _kind: None, 0.0, 0.0, 3600.0).export is None


def test_the_emulated_vtn_gives_them_to_the_port() -> None:
    """Over HTTP, as any event."""

    async def main() -> float | None:
        vtn = Vtn()
        vtn.store.clients = {"ven": "sesame"}
        await vtn.up()
        vtn.publish(event(T0, 3600, 0.7, kind=EXPORT_PRICE))
        ven = Ven(vtn.url, "ven", "sesame", SignalSettings(full_kw=50.0), lambda _kw: None, prices=True)
        polling = asyncio.create_task(ven.run())
        await asyncio.sleep(5)
        polling.cancel()
        await asyncio.gather(polling, return_exceptions=True)
        await vtn.down()
        return price_at(ven.events, T0 + 10.0, EXPORT_PRICE)

    assert clock.run(main()) == 0.7
