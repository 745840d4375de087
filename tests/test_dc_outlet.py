"""A limit on the grid side reaches the car, is kept there, and small limits are treated by policy."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilbench_emulators import dc
from hilbench_emulators.dc.outlet_law import Below, limited_dc_w
from hilbench_emulators.dc.request import given_a

MODULE = dc.load_module("generic-30")
MODULES = dc.Bank(MODULE, 2)
ID_3 = dc.load_car("id-3-58")
STANDBY = dc.Policy()
VOLTS = 400.0
LOOP_S = 0.25
LIMITS = st.lists(st.tuples(st.floats(5e3, 7e4), st.floats(2.0, 20.0)), min_size=1, max_size=5)


def offered(limit: dc.Limit, policy: dc.Policy = STANDBY) -> dc.Offer:
    """The first offer under a limit."""
    return dc.next_offer(MODULES, VOLTS, limit, policy, dc.Outlet(), LOOP_S)[0]


@given(st.floats(150.0, 1000.0), st.one_of(st.none(), st.floats(0.0, 8e4)), st.one_of(st.none(), st.floats(0.0, 120.0)))
def test_an_offer_keeps_the_limit_on_the_grid_side(volts: float, watts: float | None, amps: float | None) -> None:
    """Whatever a car takes of an offer, power and current of each phase on the grid side stay within the limit."""
    offer, _outlet = dc.next_offer(MODULES, volts, dc.Limit(watts, amps), STANDBY, dc.Outlet(), LOOP_S)
    taken_w = min(offer.max_a * volts, offer.max_w)
    if taken_w > 0.0:
        assert watts is None or MODULES.ac_w(taken_w) <= watts
        assert amps is None or MODULES.ac_a(taken_w) <= amps
    assert offer.max_a <= MODULES.most_a(volts)


@given(st.floats(0.0, 8e4), st.floats(0.0, 8e4))
def test_a_greater_limit_never_offers_less(limit_w: float, more_w: float) -> None:
    """Offers rise with the budget."""
    assert offered(dc.Limit(limit_w)).max_w <= offered(dc.Limit(limit_w + more_w)).max_w + 1e-6


def test_no_limit_is_everything_and_0_is_nothing() -> None:
    """None offers what the modules can; 0, a negative limit and what is no number offer and ask for nothing."""
    assert offered(dc.Limit()) == dc.Offer(150.0, 60_000.0, 1000.0)
    for limit in (0.0, -1.0, -1e6, -math.inf, math.nan):
        for one in (dc.Limit(w=limit), dc.Limit(a=limit), dc.Limit(1e6, limit)):
            assert limited_dc_w(MODULES, one) == 0.0
            assert offered(one) == dc.Offer(0.0, 0.0, 1000.0)


def test_a_limit_in_amperes_counts_in_each_phase() -> None:
    """32 A in each of three phases of 230 V leave about 20 kW."""
    assert offered(dc.Limit(a=32.0)).max_w == pytest.approx(32.0 * 690.0 * 0.984 * 0.953, rel=0.01)


@pytest.mark.parametrize(("below", "watts"), [("hold", 1000.0), ("standby", 0.0), ("end", 0.0)])
def test_a_limit_below_the_least_power_is_treated_by_policy(below: Below, watts: float) -> None:
    """Half a kilowatt: hold offers the least power beyond the limit, the others offer nothing."""
    policy = dc.Policy(below)
    assert offered(dc.Limit(500.0), policy).max_w == watts
    assert offered(dc.Limit(5_000.0), policy).max_w > 4_000.0


@pytest.mark.parametrize(("below", "ends"), [("hold", False), ("standby", False), ("end", True)])
def test_only_the_policy_end_ends_a_session(below: Below, ends: bool) -> None:
    """After 5 s and not before; once ended it stays so, with whatever limit."""
    policy, outlet = dc.Policy(below), dc.Outlet()
    for step in range(1, 25):
        _offer, outlet = dc.next_offer(MODULES, VOLTS, dc.Limit(0.0), policy, outlet, LOOP_S)
        assert outlet.ended == (ends and step * LOOP_S >= 5.0)
    offer, outlet = dc.next_offer(MODULES, VOLTS, dc.Limit(), policy, outlet, LOOP_S)
    assert outlet.ended == ends
    assert offer.max_w == (0.0 if ends else 60_000.0)


def setpoints(limits: list[float], asked_a: float, policy: dc.Policy = STANDBY) -> list[float]:
    """What the modules head for, exchange by exchange, when a car asks for the same whatever is offered."""
    outlet, found = dc.Outlet(), []
    for limit in limits:
        offer, outlet = dc.next_offer(MODULES, VOLTS, dc.Limit(limit), policy, outlet, LOOP_S)
        setpoint_a, outlet = dc.next_setpoint(MODULES, VOLTS, offer, policy, outlet, asked_a, LOOP_S)
        found.append(setpoint_a)
    return found


def test_a_car_that_ignores_a_lowered_limit_is_held_to_it_after_5_s() -> None:
    """Until then it keeps what it had; the offer is in the very next answer."""
    found = setpoints([60e3] * 4 + [20e3] * 24, 100.0)
    lowered_a = offered(dc.Limit(20e3)).max_a
    assert lowered_a < 50.0
    assert found[:4] == [100.0] * 4
    assert found[4:23] == [100.0] * 19
    assert found[23:] == [lowered_a] * 5


def test_a_car_that_asks_for_more_than_it_had_is_held_at_once() -> None:
    """Patience is for a car that has not followed yet, not for one that grows; nor for one beyond the first offer."""
    outlet = dc.Outlet()
    offer, outlet = dc.next_offer(MODULES, VOLTS, dc.Limit(60e3), STANDBY, outlet, LOOP_S)
    _had, outlet = dc.next_setpoint(MODULES, VOLTS, offer, STANDBY, outlet, 80.0, LOOP_S)
    low, outlet = dc.next_offer(MODULES, VOLTS, dc.Limit(20e3), STANDBY, outlet, LOOP_S)
    kept, outlet = dc.next_setpoint(MODULES, VOLTS, low, STANDBY, outlet, 80.0, LOOP_S)
    grown, _outlet = dc.next_setpoint(MODULES, VOLTS, low, STANDBY, outlet, 140.0, LOOP_S)
    assert kept == grown == 80.0
    assert setpoints([20e3], 140.0) == [offered(dc.Limit(20e3)).max_a]


def test_a_car_on_its_way_down_is_followed() -> None:
    """Patience falls with the request and never lets it rise again."""
    outlet, found = dc.Outlet(), []
    for limit, asked in ((60e3, 100.0), (20e3, 90.0), (20e3, 70.0), (20e3, 90.0), (20e3, 40.0), (20e3, 90.0)):
        offer, outlet = dc.next_offer(MODULES, VOLTS, dc.Limit(limit), STANDBY, outlet, LOOP_S)
        amps, outlet = dc.next_setpoint(MODULES, VOLTS, offer, STANDBY, outlet, asked, LOOP_S)
        found.append(amps)
    assert found == [100.0, 90.0, 70.0, 70.0, 40.0, offered(dc.Limit(20e3)).max_a]


@pytest.mark.parametrize(("excess_a", "held_at_once"), [(2.4, True), (2.6, False)])
def test_a_small_excess_is_cut_at_once(excess_a: float, held_at_once: bool) -> None:
    """Up to max(2.5 A, 5 %) beyond the offer a car counts as following: it gets the offer, and no patience."""
    lowered_a = offered(dc.Limit(20e3)).max_a
    found = setpoints([60e3, 20e3], lowered_a + excess_a)
    assert (found[1] == lowered_a) == held_at_once


def test_an_ended_session_and_a_lost_module_have_no_patience() -> None:
    """What the modules cannot give they do not give, and after the end nothing flows."""
    outlet = dc.Outlet(allowed_a=150.0)
    offer, _ = dc.next_offer(dc.Bank(MODULE, 1), VOLTS, dc.Limit(), STANDBY, outlet, LOOP_S)
    assert dc.next_setpoint(dc.Bank(MODULE, 1), VOLTS, offer, STANDBY, outlet, 150.0, LOOP_S)[0] == 75.0
    ended = dc.Outlet(ended=True, allowed_a=150.0)
    offer, ended = dc.next_offer(MODULES, VOLTS, dc.Limit(), STANDBY, ended, LOOP_S)
    assert dc.next_setpoint(MODULES, VOLTS, offer, STANDBY, ended, 150.0, LOOP_S)[0] == 0.0


@pytest.mark.parametrize("asked_a", [-5.0, math.nan, math.inf, -math.inf])
def test_a_request_that_is_none_gets_nothing(asked_a: float) -> None:
    """A negative request at the start, as of a Skoda Enyaq, and what is no number give no current."""
    assert setpoints([60e3], asked_a) == [0.0]


@given(st.floats(-50e3, -100.0), st.floats(0.3, 0.9))
def test_giving_feeds_at_most_what_was_ordered(ac_w: float, soc: float) -> None:
    """What a car gives reaches the grid as no more than was ordered; an order of 0 or more asks for nothing."""
    leaf = dc.load_car("leaf-40")
    volts = leaf.battery.open_v(soc)
    offer = dc.giving_offer(MODULES, volts, ac_w)
    amps = given_a(leaf, soc, offer)
    assert MODULES.ac_w(-amps * leaf.battery.voltage_v(soc, -amps)) >= ac_w - 1e-6
    assert dc.giving_offer(MODULES, volts, 0.0).give_a == dc.giving_offer(MODULES, volts, 1e4).give_a == 0.0


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.tuples(st.floats(5e3, 7e4), st.floats(2.0, 20.0)), min_size=1, max_size=5), st.sampled_from([0.1, 0.25])
)
def test_a_whole_loop_keeps_its_budget(limits: list[tuple[float, float]], loop_s: float) -> None:
    """Car, offer, modules and battery together: within a second and the ramp of a lower limit, the grid sees less."""
    cells, request, outlet, amps, volts = dc.Cells(0.3), dc.Request(), dc.Outlet(), 0.0, 0.0
    for limit_w, seconds in limits:
        slack_s = 1.0 + amps / MODULE.down_a_per_s
        for step in range(int(seconds / loop_s)):
            volts = ID_3.battery.voltage_v(cells.soc, amps)
            offer, outlet = dc.next_offer(MODULES, volts, dc.Limit(limit_w), STANDBY, outlet, loop_s)
            request = dc.next_request(ID_3, request, cells.soc, offer, loop_s)
            aim, outlet = dc.next_setpoint(MODULES, volts, offer, STANDBY, outlet, request.current_a, loop_s)
            later = dc.ramped(amps, aim, MODULE.up_a_per_s, MODULE.down_a_per_s, loop_s)
            cells, amps = dc.advance(ID_3.battery, cells, amps, later, loop_s), later
            if step * loop_s >= slack_s:
                assert MODULES.ac_w(amps * ID_3.battery.voltage_v(cells.soc, amps)) <= limit_w * 1.001
    stored = ID_3.battery.stored_j(cells.soc) - ID_3.battery.stored_j(0.3)
    assert cells.taken_j == pytest.approx(stored + cells.lost_j, abs=1e-3)
