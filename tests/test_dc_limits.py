"""Limits for DC stations: in which unit, how much is a pause, and a small site with all of it over the wire."""

from __future__ import annotations

import asyncio
import math
from dataclasses import astuple
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilbench import clock
from hilbench.bench import Bench
from hilbench.controller.abilities import Abilities, Supply, Unit, Way, rate, variants, ways
from hilbench.controller.csms2 import Session2
from hilbench.controller.installing import Installer, Limit, Profile
from hilbench.controller.planning.needs import need_of
from hilbench.controller.readback import composite_of
from hilbench.controller.settings import ControllerSettings
from hilbench.rig import Rig, load_rig
from hilbench.signals import base_current, line_current

DC, AC = Supply(230.0, 3, 4.0, True), Supply(230.0, 3)
WATTS, AMPS = Way("W", 0, 0, "lease"), Way("A", 0, 0, "lease")


# units


def test_a_dc_station_is_told_watts_where_it_takes_both() -> None:
    """Also where it said nothing; one that takes amperes only gets those, and nothing is left out."""
    both, amps = Abilities(units=frozenset[Unit](("A", "W"))), Abilities(units=frozenset[Unit](("A",)))
    assert ways(Abilities(), dc=True)[0] == ways(both, dc=True)[0] == WATTS
    assert ways(amps, dc=True)[0] == AMPS
    assert ways(Abilities(), dc=True)[:3] == (WATTS, Way("W", 1, 0, "lease"), Way("W", 0, 1, "lease"))
    assert set(ways(both, dc=True)) == set(ways(both))


@given(st.floats(0.0, 300.0))
def test_watts_are_those_of_all_lines_of_the_grid(limit_a: float) -> None:
    """A x 3 x 230 V, never less, and of no phases, as OCPP wants it for DC; they are read back the same way."""
    period = rate(WATTS, limit_a, DC)
    assert period.keys() == {"limit"}
    assert round(limit_a, 1) - 1e-9 <= period["limit"] / 690.0 <= round(limit_a, 1) + 0.001
    schedule = {"charging_rate_unit": "W", "charging_schedule_period": [{"start_period": 0, **period}]}
    said = composite_of(schedule, 60.0, DC)
    assert said is not None
    assert said.limit_a(0.0) == pytest.approx(round(limit_a, 1), abs=0.001)


def test_phases_that_a_dc_station_says_mean_nothing() -> None:
    """One DC output is no single phase of the grid."""
    period = {"start_period": 0, "limit": 6900.0, "number_phases": 1}
    schedule = {"charging_rate_unit": "W", "charging_schedule_period": [period]}
    found = [composite_of(schedule, 60.0, supply) for supply in (DC, AC)]
    assert [said.limit_a(0.0) for said in found if said] == [10.0, 30.0]


def test_what_is_tried_in_place_of_a_limit_that_is_refused() -> None:
    """Of the least a little more; for no power at all half of the least, as 5 A is a limit like others there."""
    assert [list(variants(amps, DC)) for amps in (4.0, 0.0, 5.0)] == [[4.0, 4.1], [0.0, 2.0], [5.0]]
    assert [list(variants(amps, AC)) for amps in (6.0, 0.0, 4.0)] == [[6.0, 6.1], [0.0, 5.0], [4.0]]


def test_a_station_that_refuses_watts_is_told_amperes() -> None:
    """The other unit is found as every other way is."""
    installer, sent = Installer(DC), list[Profile]()

    async def send(profile: Profile) -> str:
        sent.append(profile)
        return "Accepted" if profile.schedule["charging_rate_unit"] == "A" else "Rejected"

    async def discover() -> None:
        """It says nothing."""

    async def main() -> Any:
        return await installer.put(Limit(40.0, 30.0, 0.0), send, discover)

    assert clock.run(main()).accepted_a == 40.0
    assert sent[0].schedule["charging_schedule_period"] == [{"start_period": 0, "limit": 27_600.0}]
    assert sent[-1].schedule["charging_schedule_period"] == [{"start_period": 0, "limit": 40.0}]
    assert installer.way["lease"].unit == "A"


def test_an_order_to_discharge_is_a_set_point_of_all_lines() -> None:
    """-10 A per line are -6.9 kW, and name no limit."""
    assert rate(WATTS, -10.0, DC) == {"operation_mode": "CentralSetpoint", "setpoint": -6900.0}


# what cars need

TWO_WAY = {
    "max_charge_power": 45_000,
    "max_discharge_power": 9_000,
    "ev_target_energy_request": 10_000,
    "ev_max_energy_request": 20_000,
    "ev_min_v2x_energy_request": -8_000,
}


@pytest.mark.parametrize("sign", [1, -1])
def test_a_two_way_dc_car_tells_powers_of_its_own_side(sign: int) -> None:
    """At the grid they are more while it takes and less while it gives; some cars count what they give downwards."""
    told = TWO_WAY | {"max_discharge_power": sign * 9_000}
    both = need_of({"requested_energy_transfer": "DC_BPT", "v2x_charging_parameters": told})
    assert both is not None
    assert astuple(both) == pytest.approx((10.0, math.inf, 50.0, 8.1, 8.0, 20.0))
    one = need_of({"requested_energy_transfer": "DC", "v2x_charging_parameters": told})
    assert one is not None
    assert one.discharge_kw == one.spare_kwh == 0.0


def test_a_dc_car_tells_an_energy_or_its_state_of_charge() -> None:
    """30 % of 60 kWh up to 80 % are 30 kWh, with 42 kWh of space; an energy that is named comes first."""
    told = {"ev_max_current": 250, "ev_max_voltage": 400, "state_of_charge": 30, "ev_energy_capacity": 60_000}
    by_soc = need_of({"requested_energy_transfer": "DC", "dc_charging_parameters": told | {"full_soc": 80}})
    assert by_soc is not None
    assert astuple(by_soc) == pytest.approx((30.0, math.inf, 100 / 0.9, 0.0, 0.0, 42.0))
    named = told | {"energy_amount": 12_000, "ev_max_power": 45_000}
    by_energy = need_of({"requested_energy_transfer": "DC", "dc_charging_parameters": named})
    assert by_energy is not None
    assert (by_energy.energy_kwh, by_energy.most_kw) == (12.0, 50.0)
    assert need_of({"dc_charging_parameters": {"ev_max_current": 250, "ev_max_voltage": 400}}) is None


@pytest.mark.parametrize(
    ("dc", "known"), [(True, ["DC", "DC_BPT"]), (False, ["AC_single_phase", "AC_three_phase", "AC_BPT"])]
)
def test_a_car_may_do_what_its_station_can(dc: bool, known: list[str]) -> None:
    """With V2G both directions of DC at a DC station, of AC at an AC one."""
    session: Any = object.__new__(type("Session", (Session2,), {"version": "2.1"}))
    csms = SimpleNamespace(settings=ControllerSettings(policy="v2g"))
    session._conversation = SimpleNamespace(dc=dc, csms=csms)
    session._results = SimpleNamespace(Authorize=lambda **fields: fields)
    assert session.on_authorize() == {"id_token_info": {"status": "Accepted"}, "allowed_energy_transfer": known}


# over the wire

SITE = """
[site]
name = "small-dc"
service = { rating_a = 125, voltage_v = 400, wiring = "three-phase", frequency_hz = 50 }
budget_a = 100
worst_base_a = 60
export_limit_kw = 10
requirements = ["generic-v0"]

[station_defaults]
connection = "L1-L2-L3"

[[station]]
role = "AC"
branch_a = 40
max_a = 32
fallback_a = 6
device = "emulated:ac"
ocpp = "1.6"
vehicle = "model-3"

[[station]]
role = "CCS"
device = "emulated:dc"
ocpp = "1.6"
branch_a = 160
max_a = 100
fallback_a = 12
vehicle = "id-3-58"
dc = { connector = "ccs", protocol = "iso2", modules = 2 }

[[station]]
role = "V2H"
device = "emulated:dc"
ocpp = "2.1"
iso15118 = true
branch_a = 100
max_a = 80
fallback_a = 12
least_a = 5
vehicle = "leaf-40"
dc = { connector = "chademo", modules = 1 }

[controller]
kind = "reference"
ocpp = "ws://127.0.0.1:9000/ocpp"
policy = "POLICY"

[meter.service]
device = "emulated:ct"
node = "service"
address = "tcp://127.0.0.1:5020"
class = "1"
interval_s = 1.0

[building]
model = "workplace"
peak_a = 60

[run]
epoch = 2024-06-04T16:00:00Z
"""


def small(folder: Path, policy: str) -> Rig:
    """One AC station, one CCS and one that a car can give back at."""
    path = folder / "small-dc.toml"
    path.write_text(SITE.replace("POLICY", policy), "utf-8")
    return load_rig(str(path))


def drawn_a(bench: Bench, role: str) -> float:
    """The size of the current that flows now in the first line of a station, or of the service."""
    return bench.record.signals[line_current(role, "L1")].last() or 0.0


def leave_a(bench: Bench, amps: float) -> None:
    """Let the building leave ``amps`` of the budget, less the controller's margin."""
    base_a = bench.record.signals[base_current("L1")].last() or 0.0
    bench.base_load.step(100.0 - ControllerSettings().margin_a - base_a - amps)


def test_dc_sessions_outlast_a_building_that_leaves_little(tmp_path: Path) -> None:
    """With 12 A left both sessions go on at their least and the AC car waits; in 40 A more all three charge again."""
    rig = small(tmp_path, "dynamic")

    async def main() -> None:
        async with Bench(rig) as bench:
            await bench.plug_in(soc=0.3)
            await bench.run_for(200.0)
            assert sum(drawn_a(bench, role) for role in bench.stations) > 60.0
            leave_a(bench, 12.0)
            await bench.run_for(60.0)
            assert drawn_a(bench, "AC") < 1.0
            assert 3.0 < drawn_a(bench, "CCS") < 7.5
            assert 4.0 < drawn_a(bench, "V2H") < 7.5
            assert drawn_a(bench, "service") < 100.0
            bench.base_load.step(-40.0)
            await bench.run_for(300.0)
            assert all(drawn_a(bench, role) > 8.0 for role in bench.stations)
            assert drawn_a(bench, "service") < 100.0
            told = [event for event in bench.record.events_of("command.profile") if event.subject == "CCS"]
            assert min(event.data["limit_a"] for event in told) >= 4.0

    clock.run(main(), epoch=rig.run.epoch)


def test_a_dc_car_gives_back_what_the_building_lacks(tmp_path: Path) -> None:
    """At 5 A above the budget a DC_BPT car is ordered to discharge, and brings the service back to it."""
    rig = small(tmp_path, "v2g")

    async def main() -> None:
        async with Bench(rig) as bench:
            departure = clock.now() + timedelta(hours=4)
            await bench.plug_in("V2H", soc=0.7, energy_kwh=2.0, departure=departure)
            await bench.run_for(150.0)
            leave_a(bench, -3.0)
            await asyncio.sleep(60.0)
            assert (drawn_a(bench, "V2H"), drawn_a(bench, "service")) == pytest.approx((5.0, 96.0), abs=2.5)
            events = [event for event in bench.record.events if event.subject == "V2H"]
            orders = [event.data["setpoint_a"] for event in events if event.data.get("setpoint_a") is not None]
            assert orders
            assert -8.0 < orders[-1] < -2.0

    clock.run(main(), epoch=rig.run.epoch)
