"""What DC stations report, on the grid's side and on the car's, and what the controller makes of it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilbench.controller.abilities import Supply
from hilbench.controller.core import Core
from hilbench.controller.csms2 import Conversation2, Session201
from hilbench.controller.csms16 import Conversation16, Session16
from hilbench.controller.dc_readings import DcReport, dc_report, grid_bounds_a
from hilbench.controller.readings import TWO_WAY_DC_MEASURANDS, Counted
from hilbench.controller.settings import ControllerSettings
from hilbench.controller.static import StaticCore
from hilbench.controller.stations import StationState, least_drawn, most_drawn
from hilbench.site import Branch, Service, Site
from hilbench_emulators.dc.power_module import Bank, load_module

Values = list[dict[str, Any]]
MODULE = load_module("generic-30")
BRANCH = Branch(role="D", branch_a=160, max_a=125, connection="L2-L3-L1", kind="dc")
SITE = Site(name="eu", service=Service(rating_a=400, voltage_v=400, wiring="three-phase"), branches=(BRANCH,))
PER_A = 3 * SITE.service.line_to_neutral_v


def one(measurand: str, value: float, place: str | None = None, phase: str = "") -> dict[str, Any]:
    """A sample; of no location where ``place`` is None."""
    found: dict[str, Any] = {"measurand": measurand, "value": value}
    return found | ({"location": place} if place else {}) | ({"phase": phase} if phase else {})


def entry(*samples: dict[str, Any]) -> Values:
    """One MeterValue."""
    return [{"timestamp": "2024-06-04T16:00:00Z", "sampled_value": list(samples)}]


OUTLET = (one("Current.Import", 200.0, "Outlet"), one("Voltage", 400.0, "Outlet"))
LINES = tuple(one("Current.Import", 121.0 + k, "Inlet", f"L{k}") for k in (1, 2, 3))


@pytest.mark.parametrize("order", [1, -1])
def test_the_lines_of_the_inlet_come_before_all(order: int) -> None:
    """200 A of DC are in no line of the site, in whatever order values come."""
    samples = (*LINES, *OUTLET, one("Power.Active.Import", 80_000.0), one("Power.Active.Import", 84_000.0, "Inlet"))
    assert dc_report(entry(*samples[::order])) == DcReport(currents={"L1": 122.0, "L2": 123.0, "L3": 124.0})


@pytest.mark.parametrize("place", ["Outlet", None, "Cable", "EV", "Body", "Upstream"])
def test_a_current_without_phase_is_never_that_of_a_line(place: str | None) -> None:
    """Nor is one of any other place than the inlet; where nothing else is said nothing is known."""
    assert dc_report(entry(one("Current.Import", 200.0, place))) == DcReport()


def test_a_current_with_a_phase_is_that_of_a_line_without_a_place_too() -> None:
    """The default place is the outlet, but DC has no phases."""
    samples = [one("Current.Import", 30.0 + k, None, f"L{k}-N") for k in (1, 2, 3)]
    assert dc_report(entry(*samples)) == DcReport(currents={"L1": 31.0, "L2": 32.0, "L3": 33.0})


def test_powers_follow_in_their_order() -> None:
    """Of the inlet, as total or by phase; then a current of the inlet; then the power of the outlet."""
    dc_w, ac_w = one("Power.Active.Import", 80_000.0, "Outlet"), one("Power.Active.Import", 84_000.0, "Inlet")
    each = [one("Power.Active.Import", 28_100.0, "Inlet", f"L{k}") for k in (1, 2, 3)]
    blurred = one("Current.Import", 122.0, "Inlet")
    assert dc_report(entry(dc_w, *each, ac_w, blurred)) == DcReport(inlet_w=84_000.0)
    assert dc_report(entry(dc_w, *each, blurred)) == DcReport(inlet_w=84_300.0)
    assert dc_report(entry(dc_w, blurred)) == DcReport(currents={"": 122.0})
    assert dc_report(entry(dc_w)) == dc_report(entry(one("Power.Active.Import", 80_000.0))) == DcReport(outlet_w=80_000)


def test_what_flows_out_of_the_car_is_negative() -> None:
    """Import says 0 then, before or after."""
    both = [one("Power.Active.Export", 9_000.0), one("Power.Active.Import", 0.0)]
    assert dc_report(entry(*both)) == dc_report(entry(*both[::-1])) == DcReport(outlet_w=-9_000.0)
    lines = [one("Current.Export", 13.0, "Inlet", "L1"), one("Current.Import", 0.0, "Inlet", "L1")]
    assert dc_report(entry(*lines)) == DcReport(currents={"L1": -13.0})


@given(st.lists(st.fixed_dictionaries({}, optional={
    "measurand": st.sampled_from(["Current.Import", "Power.Active.Import", "Power.Active.Export", "SoC"]),
    "value": st.one_of(st.floats(), st.text(max_size=4), st.none()),
    "location": st.one_of(st.none(), st.sampled_from(["Inlet", "Outlet", "EV"]), st.integers()),
    "phase": st.one_of(st.none(), st.sampled_from(["L1", "N", "L1-L2"]), st.integers()),
}), max_size=5))  # fmt: skip
def test_nothing_that_a_station_sends_breaks_it(samples: list[dict[str, Any]]) -> None:
    """Junk is left out, and powers are finite."""
    found = dc_report(entry(*samples))
    assert all(watts is None or abs(watts) < 1e10 for watts in (found.inlet_w, found.outlet_w))


@given(st.integers(1, 6), st.floats(0.0, 1.0), st.floats(0.95, 1.08))
def test_the_bounds_hold_for_the_shipped_modules(count: int, share: float, voltage: float) -> None:
    """At every load, up to 8 % above and 5 % below the nominal voltage, the true current lies between them."""
    bank = Bank(MODULE, count)
    dc_w, rated_a = share * count * MODULE.rated_w, bank.ac_a(count * MODULE.rated_w)
    least_a, most_a = grid_bounds_a(dc_w / (3 * 230.0), rated_a)
    assert least_a <= bank.ac_a(dc_w) / voltage <= most_a + 1e-9


def test_a_station_that_feeds_in_gives_the_site_less_than_the_car_gives() -> None:
    """9 kW of DC are some 8.1 to 9.9 kW at the inlet, and losses count to the safe side."""
    least_a, most_a = grid_bounds_a(-9_000.0 / PER_A, 80.0)
    assert least_a == pytest.approx(-9_900.0 / PER_A)
    assert most_a == pytest.approx(-8_100.0 / PER_A + 1.2)


# over the wire


@pytest.mark.parametrize("kind", [(Session16, Conversation16), (Session201, Conversation2)])
def test_both_versions_hand_on_what_a_dc_station_reports(kind: Any) -> None:
    """Text in 1.6, numbers with a unit in 2.x; energy is that of the outlet; an AC station is heard as ever."""
    told: list[Any] = []
    session, conversation = (object.__new__(one) for one in kind)
    v16 = kind[0] is Session16
    conversation.role, conversation.transaction = "D", None
    conversation._installer = SimpleNamespace(supply=Supply(230.0, 3, 4.0, True))
    conversation.csms = SimpleNamespace(
        meter_role=None, checks_clocks=False, settings=ControllerSettings(policy="coordinated")
    )
    conversation.listener = SimpleNamespace(
        on_dc_report=lambda _role, report: told.append(report),
        on_report=lambda _role, currents: told.append(currents),
        on_counted=lambda _role, counted: told.append(counted),
    )
    session._conversation, session._results = conversation, SimpleNamespace(MeterValues=lambda: None)
    energy = [one("Energy.Active.Import.Register", wh, place) for wh, place in ((5000, "Outlet"), (5300, "Inlet"))]
    samples = [*LINES, *OUTLET, *energy]
    samples = [{**s, "value": str(s["value"])} if v16 else {**s, "unit_of_measure": {"multiplier": 0}} for s in samples]
    place = {"connector_id" if v16 else "evse_id": 1}
    session.on_meter_values(meter_value=entry(*samples), **place)
    assert told == [DcReport(currents={"L1": 122.0, "L2": 123.0, "L3": 124.0}), Counted(5000.0, None)]
    conversation._installer.supply = Supply(230.0, 3)
    session.on_meter_values(meter_value=entry(*OUTLET), **place)
    assert told[2:] == [{"": 200.0}]
    conversation.csms.settings = ControllerSettings(policy="v2g")
    assert conversation.measurands != TWO_WAY_DC_MEASURANDS
    conversation._installer.supply = Supply(230.0, 3, 4.0, True)
    assert conversation.measurands == TWO_WAY_DC_MEASURANDS


# what the controller makes of it


def charging(granted_a: float = 100.0) -> tuple[Core, StationState]:
    """A DC station whose car has charged for a minute with a limit."""
    core = Core(SITE, ControllerSettings(), 0.0)
    core.online("D", 0.0)
    core.status("D", 0.0, "Charging")
    core.confirmed("D", 0.0, granted_a, 300.0)
    return core, core.stations["D"]


def bounds(core: Core, t: float) -> tuple[float, float]:
    """The least and the most that it may draw."""
    station = core.stations["D"]
    return least_drawn(station, core.settings), most_drawn(station, core.settings, t)


def test_power_of_the_inlet_is_current_in_all_lines() -> None:
    """At the nominal voltage, as exactly as if the lines had been told."""
    core, station = charging()
    core.report_dc("D", 60.0, DcReport(inlet_w=90.0 * PER_A))
    assert not station.blurred
    assert bounds(core, 60.0) == pytest.approx((90.0, 90.0))


def test_power_of_the_outlet_is_known_within_bounds() -> None:
    """82 A of DC by nominal voltage take 75 to 93 A of each line."""
    core, station = charging()
    core.report_dc("D", 60.0, DcReport(outlet_w=82.0 * PER_A))
    assert station.blurred
    assert bounds(core, 60.0) == pytest.approx((82.0 / 1.10, 82.0 / 0.90 + 1.875))


def test_a_station_at_its_limit_is_not_found_out_by_an_estimate() -> None:
    """At 95 A of DC for a limit of 100 A the upper bound is beyond it; the lower one proves nothing."""
    core, station = charging()
    for t in (60.0, 75.0, 90.0):
        core.report_dc("D", t, DcReport(outlet_w=95.0 * PER_A))
    assert not station.trust.flaw
    assert bounds(core, 90.0)[1] > 105.0


def test_a_station_that_surely_draws_more_is_found_out() -> None:
    """At 115 A of DC no voltage and no efficiency explain a limit of 100 A."""
    core, station = charging()
    for t in (60.0, 75.0):
        core.report_dc("D", t, DcReport(outlet_w=115.0 * PER_A))
    assert station.trust.flaw == "ignores"


def test_an_outlet_that_is_told_apart_from_the_lines_says_less() -> None:
    """A make that sends both in messages of their own is believed in its lines."""
    core, station = charging()
    core.report_dc("D", 60.0, DcReport(currents=dict.fromkeys(("L1", "L2", "L3"), 88.0)))
    core.report_dc("D", 61.0, DcReport(outlet_w=82.0 * PER_A))
    assert (station.blurred, station.reported_a) == (False, 88.0)
    core.report_dc("D", 200.0, DcReport(outlet_w=82.0 * PER_A))
    assert station.blurred


def test_a_power_that_cannot_be_says_nothing() -> None:
    """A gigawatt is garbage, and none at all is nothing: it may draw what it was given."""
    for junk in (DcReport(outlet_w=1e9), DcReport()):
        core, station = charging()
        core.report_dc("D", 60.0, junk)
        assert station.reported_a is None
        assert bounds(core, 60.0) == pytest.approx((0.0, 100.3))


def test_a_dc_station_always_loads_all_its_lines() -> None:
    """A make that reports next to nothing in one line is not taken to be without it."""
    core, station = charging()
    core.report_dc("D", 60.0, DcReport(currents={"L1": 90.0, "L2": 90.0, "L3": 0.0}))
    assert station.lines == ()
    assert core.watts_per_a(station) == pytest.approx(PER_A)


def test_static_sharing_does_not_listen() -> None:
    """It shares by its table, whatever is drawn."""
    core = StaticCore(SITE, ControllerSettings(policy="static"), 0.0)
    core.report_dc("D", 1.0, DcReport(outlet_w=50_000.0))
    assert core.stations["D"].reported_a is None
