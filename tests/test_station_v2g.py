"""A station of OCPP 2.x with a link to the car, in the real plant: needs told, set points followed, power given."""

from __future__ import annotations

import asyncio
import gc
from datetime import timedelta
from typing import Any

import pytest

from hilbench import clock
from hilbench.signals import exported_energy, offered_current, station_power
from hilbench.site import Branch, Service, Site
from hilbench_emulators.vehicles import load_vehicle
from tests.station_bench import Bench, stamp

BRANCH = Branch(role="A1", branch_a=40, max_a=32, connection="L1-L2-L3", fallback_a=8)
SITE = Site(
    name="eu",
    service=Service(rating_a=100, voltage_v=400, wiring="three-phase"),
    branches=(BRANCH,),
)
BOTH = ["AC_three_phase", "AC_BPT"]
CAR = "generic-v2g"
PER_A = 3 * 400 / 3**0.5
"""Watts of an ampere on all three phases."""


def linked(version: str = "2.1", *, allowed: bool = True, **settings: Any) -> Bench:
    """A station with a link in a real plant; ``allowed``: the central system lets every car discharge."""
    bench = Bench(version, BRANCH, **{"iso15118": True, **settings})
    bench.site = SITE
    if allowed and version == "2.1":
        bench.answers["Authorize"] = {"allowed_energy_transfer": BOTH}
    return bench


def profile(*periods: dict[str, Any], number: int = 1, **more: Any) -> dict[str, Any]:
    """A default profile in amperes from now on: periods of a minute each."""
    made = [{"start_period": 60 * index, **period} for index, period in enumerate(periods)]
    schedule = {"id": 1, "charging_rate_unit": "A", "charging_schedule_period": made, "start_schedule": stamp()}
    return {
        "id": number,
        "stack_level": number,
        "charging_profile_purpose": "TxDefaultProfile",
        "charging_profile_kind": "Absolute",
        "charging_schedule": [schedule | more.pop("schedule", {})],
    } | more


def point(setpoint: float, **more: Any) -> dict[str, Any]:
    """A period with a set point."""
    return {"operation_mode": "CentralSetpoint", "setpoint": setpoint, **more}


async def order(b: Bench, *periods: dict[str, Any], **more: Any) -> str:
    """Install a profile; the status."""
    answer = await b.ask("SetChargingProfile", evse_id=1, charging_profile=profile(*periods, **more))
    return str(answer.status)


async def plugged(b: Bench, vehicle: str = CAR, soc: float = 0.5, **wishes: Any) -> None:
    """A car comes, and says what it needs."""
    await b.station.plug_in(load_vehicle(vehicle), soc=soc, **wishes)
    await asyncio.sleep(20)


def power_a(b: Bench) -> float:
    """Power at the station as amperes of all three phases, negative while it discharges."""
    return float(b.real.station_reading("A1").power_w) / PER_A


# -- needs


def test_a_two_way_car_says_what_it_needs() -> None:
    """Energies from the state of charge that it has, powers of all phases, its departure, and AC_BPT as allowed."""
    bench = linked()

    async def body(b: Bench) -> None:
        await plugged(b, soc=0.5, energy_kwh=18.0, departure=clock.now() + timedelta(hours=3))

    bench.run(body)
    (told,) = bench.sent("NotifyEVChargingNeeds")
    needs = told["charging_needs"]
    assert (needs["requested_energy_transfer"], needs["available_energy_transfer"]) == ("AC_BPT", BOTH)
    assert (needs["control_mode"], needs["departure_time"]) == ("DynamicControl", "2024-06-04T19:00:10Z")
    two_way = needs["v2x_charging_parameters"]
    assert two_way["ev_target_energy_request"] == 18_000
    assert two_way["ev_max_energy_request"] == two_way["ev_max_v2x_energy_request"] == 30_000
    assert two_way["ev_min_v2x_energy_request"] == -18_000
    assert two_way["max_discharge_power"] == two_way["max_charge_power"] == round(16 * PER_A)
    assert two_way["min_charge_power"] == round(6 * PER_A)
    started = bench.sent("TransactionEvent")[0]
    assert started["id_token"]["additional_info"] == [{"additional_id_token": "EV-cp-1", "type": "EVCCID"}]
    assert started["transaction_info"]["operation_mode"] == "ChargingOnly"
    (event,) = bench.record.events_of("session.needs")
    assert event.data["target_soc"] == pytest.approx(0.8)


def test_a_car_of_an_older_version_says_what_it_needs() -> None:
    """OCPP 2.0.1 knows amperes, an energy and a departure; discharging it does not know."""
    bench = linked("2.0.1")

    async def body(b: Bench) -> None:
        await plugged(b, soc=0.5, departure=clock.now() + timedelta(hours=3))
        assert power_a(b) == pytest.approx(16.0, rel=2e-3)

    bench.run(body)
    (told,) = bench.sent("NotifyEVChargingNeeds")
    needs = told["charging_needs"]
    assert needs["ac_charging_parameters"] == {
        "energy_amount": 30_000,
        "ev_min_current": 6,
        "ev_max_current": 16,
        "ev_max_voltage": 231,
    }
    assert needs["requested_energy_transfer"] == "AC_three_phase"
    assert "additional_info" not in bench.sent("TransactionEvent")[0]["id_token"]


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
def test_a_station_without_a_link_says_nothing_of_the_car(version: str) -> None:
    """No needs, no operation mode, no export; set points are refused, and so is leave to discharge."""
    bench = linked(version, iso15118=False)

    async def body(b: Bench) -> None:
        await plugged(b)
        if version == "2.1":
            assert await order(b, point(-10.0), number=2) == "Rejected"
            running = b.station.transaction_id
            answer = await b.ask("NotifyAllowedEnergyTransfer", transaction_id=running, allowed_energy_transfer=BOTH)
            assert answer.status == "Rejected"
        assert power_a(b) == pytest.approx(16.0, rel=2e-3)

    bench.run(body)
    assert bench.sent("NotifyEVChargingNeeds") == []
    assert "operation_mode" not in bench.sent("TransactionEvent")[0]["transaction_info"]
    assert list(bench.record.events_of("session.needs")) == []


def test_leave_to_discharge_may_come_later() -> None:
    """Without it the car asks only to charge, and a set point to discharge gives nothing; with it it asks anew."""
    bench = linked(allowed=False)

    async def body(b: Bench) -> None:
        await plugged(b)
        assert await order(b, point(-10.0), number=2) == "Accepted"
        await asyncio.sleep(30)
        assert power_a(b) == 0.0
        running = b.station.transaction_id
        for transaction, status in (("other", "Rejected"), (running, "Accepted")):
            answer = await b.ask(
                "NotifyAllowedEnergyTransfer", transaction_id=transaction, allowed_energy_transfer=BOTH
            )
            assert answer.status == status
        await asyncio.sleep(30)
        assert power_a(b) == pytest.approx(-10.0, rel=1e-3)
        await b.ask("NotifyAllowedEnergyTransfer", transaction_id=running, allowed_energy_transfer=BOTH[:1])
        await asyncio.sleep(2.5)  # a dead time of 1 s and a ramp of 1 s: before anything is negotiated anew
        assert power_a(b) == 0.0
        await asyncio.sleep(30)
        assert power_a(b) == 0.0

    bench.run(body)
    asked = [told["charging_needs"]["requested_energy_transfer"] for told in bench.sent("NotifyEVChargingNeeds")]
    assert asked == ["AC_three_phase", "AC_BPT", "AC_three_phase"]


def test_a_refused_transfer_is_negotiated_once_more() -> None:
    """AC_BPT refused: only to charge is asked for; that refused too: no schedule comes, and the car charges."""
    bench = linked()
    bench.answers["NotifyEVChargingNeeds"] = {"status": "Rejected"}

    async def body(b: Bench) -> None:
        await plugged(b)
        assert power_a(b) == pytest.approx(16.0, rel=5e-3)
        await order(b, point(-10.0))
        await asyncio.sleep(30)
        assert power_a(b) == 0.0

    bench.run(body)
    asked = [told["charging_needs"]["requested_energy_transfer"] for told in bench.sent("NotifyEVChargingNeeds")]
    assert asked == ["AC_BPT", "AC_three_phase"]


def test_needs_that_a_lost_link_has_kept_are_told_when_it_is_back() -> None:
    """A car that came while the controller could not be heard discharges after the reconnection."""
    bench = linked()

    async def body(b: Bench) -> None:
        b.link.cut("reset")
        await asyncio.sleep(5)
        await plugged(b)
        assert b.sent("NotifyEVChargingNeeds") == []
        b.link.restore()
        await asyncio.sleep(60)
        running = b.station.transaction_id
        await b.ask("NotifyAllowedEnergyTransfer", transaction_id=running, allowed_energy_transfer=BOTH)
        await asyncio.sleep(5)
        await order(b, point(-8.0))
        await asyncio.sleep(30)
        assert power_a(b) == pytest.approx(-8.0, rel=1e-3)

    bench.run(body)
    assert len(bench.sent("NotifyEVChargingNeeds")) == 2


@pytest.mark.parametrize("iso15118", [True, False])
def test_a_car_without_a_link_has_no_needs_after_a_reconnection_either(
    iso15118: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither at a station without a link nor for a car that says nothing over one does anything fail unseen."""
    bench = Bench("2.1", iso15118=iso15118)

    async def body(b: Bench) -> None:
        await b.station.plug_in(object())
        await asyncio.sleep(20)
        b.link.cut("reset")
        await asyncio.sleep(20)
        b.link.restore()
        await asyncio.sleep(60)

    bench.run(body)
    gc.collect()
    assert bench.sent("NotifyEVChargingNeeds") == []
    assert "never retrieved" not in caplog.text


# -- set points


def test_the_car_follows_set_points_of_either_sign() -> None:
    """Charge, discharge, idle, charging only: power, offer, contactor and what is told follow period by period."""
    bench = linked()

    async def body(b: Bench) -> None:
        await plugged(b)
        idle = {"operation_mode": "Idle"}
        assert await order(b, point(12.0), point(-16.0), idle, {"limit": 10.0}) == "Accepted"
        for expected, offered in ((12.0, 12.0), (-16.0, 0.0), (0.0, 0.0), (10.0, 10.0)):
            await asyncio.sleep(30)
            assert power_a(b) == pytest.approx(expected, rel=5e-3, abs=1e-9)
            assert b.station.offered_a == pytest.approx(offered)
            assert b.real.pilot_state("A1") == "C"
            await asyncio.sleep(30)
        await b.station.unplug()

    bench.run(body)
    modes = [
        event["transaction_info"]["operation_mode"]
        for event in bench.sent("TransactionEvent")
        if event["trigger_reason"] == "OperationModeChanged"
    ]
    assert modes == ["CentralSetpoint", "Idle", "ChargingOnly"]
    states = {
        event["transaction_info"]["operation_mode"]: event["transaction_info"]["charging_state"]
        for event in bench.sent("TransactionEvent")
    }
    assert states["Idle"] == "SuspendedEVSE"
    assert [event.data.get("setpoint_a") for event in bench.record.events_of("command.profile")] == [12.0]
    given = bench.record.signals[exported_energy("A1")].last() or 0.0
    assert given == pytest.approx(16 * PER_A / 60, rel=0.05)


@pytest.mark.parametrize(
    ("period", "expected_a"),
    [
        (point(-20.0), -16.0),
        (point(-12.0, discharge_limit=-12.0), -12.0),
        (point(5.0, limit=5.0), 0.0),
        (point(30.0), 16.0),
    ],
)
def test_a_set_point_is_followed_as_far_as_the_car_goes(period: dict[str, Any], expected_a: float) -> None:
    """16 A either way are the car's most, 6 A its least to charge."""
    bench = linked()

    async def body(b: Bench) -> None:
        await order(b, period)
        await plugged(b)
        assert power_a(b) == pytest.approx(expected_a, rel=5e-3, abs=1e-9)

    bench.run(body)


def test_no_order_goes_beyond_the_nameplate() -> None:
    """What the car is told over the link stays within what the station carries, either way."""
    bench = linked()
    bench.branch, bench.site = BRANCH.model_copy(update={"max_a": 10}), None

    async def body(b: Bench) -> None:
        await order(b, point(-16.0), point(16.0))
        await plugged(b)
        await asyncio.sleep(60)

    bench.run(body)
    assert [amps for _t, what, amps in bench.plant.log if what == "order"][:2] == [-10.0, 10.0]


def test_limits_of_other_profiles_cap_a_set_point() -> None:
    """The station's maximum holds for charging; watts count over the phases of the period."""
    bench = linked()

    async def body(b: Bench) -> None:
        most = profile({"limit": 9.0}, number=9, charging_profile_purpose="ChargingStationMaxProfile")
        await b.ask("SetChargingProfile", evse_id=0, charging_profile=most)
        await order(b, point(14.0), point(-6900.0), schedule={"charging_rate_unit": "A"}, number=2)
        await plugged(b)
        assert power_a(b) == pytest.approx(9.0, rel=5e-3)
        watts = {"charging_rate_unit": "W"}
        await order(b, point(-6900.0, discharge_limit=-8000.0), number=3, schedule=watts)
        await asyncio.sleep(30)
        assert power_a(b) * PER_A == pytest.approx(-6900.0, rel=5e-3)

    bench.run(body)


def test_a_dynamic_set_point_is_followed_and_its_duration_is_a_dead_man() -> None:
    """Updates move it at once; without one it lapses, and the profile below it charges (2.1 Q04)."""
    bench = linked()

    async def body(b: Bench) -> None:
        await order(b, {"limit": 8.0})
        await plugged(b)
        more = {"number": 2, "charging_profile_kind": "Dynamic", "schedule": {"start_schedule": None, "duration": 60}}
        assert await order(b, point(-6.0), **more) == "Accepted"
        await asyncio.sleep(30)
        assert power_a(b) == pytest.approx(-6.0, rel=1e-3)
        answer = await b.ask("UpdateDynamicSchedule", charging_profile_id=2, schedule_update={"setpoint": -11.0})
        assert answer.status == "Accepted"
        await asyncio.sleep(50)
        assert power_a(b) == pytest.approx(-11.0, rel=1e-3)
        await asyncio.sleep(30)
        assert power_a(b) == pytest.approx(8.0, rel=5e-3)

    bench.run(body)


def test_nothing_is_given_without_an_order_in_force() -> None:
    """Cut off, the set point lapses as its profile says; nothing below it: the car charges, and gives nothing."""
    bench = linked()

    async def body(b: Bench) -> None:
        await plugged(b)
        await order(b, point(-10.0), max_offline_duration=60)
        await asyncio.sleep(20)
        b.link.cut("half-open")
        b.link.cut("reset")
        await asyncio.sleep(50)
        assert power_a(b) == pytest.approx(-10.0, rel=1e-3)
        await asyncio.sleep(40)
        assert power_a(b) == pytest.approx(16.0, rel=5e-3)
        b.link.restore()
        await asyncio.sleep(60)
        assert power_a(b) == pytest.approx(-10.0, rel=1e-3)
        await b.ask("ClearChargingProfile", charging_profile_id=1)
        await asyncio.sleep(30)
        assert power_a(b) == pytest.approx(16.0, rel=5e-3)

    bench.run(body)


@pytest.mark.parametrize("ends", ["unplug", "stop", "safe", "disabled", "power"])
def test_discharging_ends_with_what_allows_it(ends: str) -> None:
    """The driver, the central system, the bench's safe state, V2X switched off and a lost supply each end it."""
    bench = linked()

    async def body(b: Bench) -> None:
        await plugged(b)
        await order(b, point(-10.0))
        await asyncio.sleep(20)
        assert power_a(b) == pytest.approx(-10.0, rel=1e-3)
        if ends == "unplug":
            await b.station.unplug()
        elif ends == "stop":
            await b.ask("RequestStopTransaction", transaction_id=b.station.transaction_id)
        elif ends == "safe":
            await b.station.make_safe()
        elif ends == "disabled":
            item = {"component": {"name": "V2XChargingCtrlr"}, "variable": {"name": "Enabled"}}
            await b.ask("SetVariables", set_variable_data=[item | {"attribute_value": "false"}])
        else:
            await b.station.power_cycle(5)
        await asyncio.sleep(10)
        assert power_a(b) >= 0.0
        assert b.station.is_safe() or ends == "disabled"

    bench.run(body)


def test_a_car_that_only_charges_takes_a_set_point_for_a_limit() -> None:
    """A positive one limits it, a negative one pauses it; nothing is ever given."""
    bench = linked()

    async def body(b: Bench) -> None:
        await order(b, point(9.0), point(-9.0), point(12.0))
        await plugged(b, "model-3")
        assert power_a(b) == pytest.approx(9.08, rel=0.02)
        await asyncio.sleep(60)
        assert power_a(b) == 0.0
        await asyncio.sleep(60)
        assert power_a(b) == pytest.approx(12.1, rel=0.02)

    bench.run(body)
    power = bench.record.signals[station_power("A1")]
    assert min(power.rows()[1]) >= 0.0


def test_a_reserve_ends_a_discharge_that_is_still_ordered() -> None:
    """The car stops at its least state of charge, and is charged again by the next order."""
    bench = linked()

    async def body(b: Bench) -> None:
        await plugged(b, soc=0.203)
        await order(b, point(-16.0))
        await asyncio.sleep(600)
        assert power_a(b) == 0.0
        assert b.real.station_reading("A1").soc == pytest.approx(0.2, abs=1e-6)
        await order(b, point(10.0), number=2)
        await asyncio.sleep(30)
        assert power_a(b) == pytest.approx(10.0, rel=5e-3)

    bench.run(body)


def test_a_profile_whose_set_point_breaks_its_own_limits_is_refused() -> None:
    """InvalidSchedule (V2X.05); an operation mode that the station has not is InvalidOperationMode."""
    bench = linked()

    async def body(b: Bench) -> None:
        wrong = profile(point(-10.0, discharge_limit=-5.0))
        answer = await b.ask("SetChargingProfile", evse_id=1, charging_profile=wrong)
        assert (answer.status, answer.status_info["reason_code"]) == ("Rejected", "InvalidSchedule")
        wrong = profile({"operation_mode": "LocalFrequency"})
        answer = await b.ask("SetChargingProfile", evse_id=1, charging_profile=wrong)
        assert (answer.status, answer.status_info["reason_code"]) == ("Rejected", "InvalidOperationMode")

    bench.run(body)


# -- what is told


def test_meter_values_tell_both_directions() -> None:
    """Export and import of current, power and energy apart, and the state of charge, in each sample."""
    bench = linked(sample_interval_s=30)

    async def body(b: Bench) -> None:
        await order(b, point(-10.0))
        await plugged(b)
        await asyncio.sleep(40)

    bench.run(body)
    last = [event for event in bench.sent("TransactionEvent") if event["event_type"] == "Updated"][-1]
    read = {(one["measurand"], one.get("phase", "")): one["value"] for one in last["meter_value"][0]["sampled_value"]}
    assert read["Power.Active.Export", ""] == pytest.approx(10 * PER_A, rel=1e-3)
    assert read["Power.Active.Import", ""] == 0
    assert [read["Current.Export", f"L{n}"] for n in (1, 2, 3)] == [10.0, 10.0, 10.0]
    assert [read["Current.Import", f"L{n}"] for n in (1, 2, 3)] == [0.0, 0.0, 0.0]
    assert read["Energy.Active.Export.Register", ""] > 40
    assert read["Current.Offered", ""] == 0.0
    assert read["SoC", ""] == 50
    assert bench.record.signals[offered_current("A1")].last() == 0.0


def test_the_device_model_says_what_a_station_with_a_link_can() -> None:
    """V2XChargingCtrlr with its modes and transfers, the car that is connected; none of them without a link."""
    wanted = [
        ("V2XChargingCtrlr", "SupportedOperationModes", "CentralFrequency,CentralSetpoint,ChargingOnly,Idle"),
        ("V2XChargingCtrlr", "SupportedEnergyTransferModes", "AC_three_phase,AC_BPT"),
        ("V2XChargingCtrlr", "Enabled", "true"),
        ("ISO15118Ctrlr", "Enabled", "true"),
        ("ConnectedEV", "Available", "true"),
        ("ConnectedEV", "VehicleId", "EV-cp-1"),
    ]
    items = [{"component": {"name": component}, "variable": {"name": name}} for component, name, _ in wanted]

    async def body(b: Bench) -> list[str | None]:
        await plugged(b)
        answer = await b.ask("GetVariables", get_variable_data=items)
        return [one.get("attribute_value") for one in answer.get_variable_result]

    assert linked().run(body) == [value for _component, _name, value in wanted]
    assert linked(iso15118=False).run(body) == [None] * len(wanted)
