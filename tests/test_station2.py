"""The OCPP 2.x station over in-memory sockets: transactions as TransactionEvents, and answers to its controller."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from hilbench import devices, ocppj
from tests.station_bench import BRANCH, TOKEN, Bench, stamp

both = pytest.mark.parametrize("version", ["2.0.1", "2.1"])
CHARGING = ("Updated", "ChargingStateChanged")


def profile(limit: float, number: int = 1, stack: int = 0, purpose: str = "TxDefaultProfile", **more: Any) -> Any:
    """An absolute profile in amperes that holds from now on."""
    schedule = {
        "id": 1,
        "charging_rate_unit": "A",
        "charging_schedule_period": [{"start_period": 0, "limit": limit}],
        "start_schedule": stamp(),
    }
    return {
        "id": number,
        "stack_level": stack,
        "charging_profile_purpose": purpose,
        "charging_profile_kind": "Absolute",
        "charging_schedule": [schedule],
    } | more


def variable(component: str, name: str, **more: Any) -> dict[str, Any]:
    """An entry of GetVariables or SetVariables."""
    return {"component": {"name": component}, "variable": {"name": name}, **more}


async def write(b: Bench, component: str, name: str, value: str) -> str:
    """Set one variable; the status."""
    answer = await b.ask("SetVariables", set_variable_data=[variable(component, name, attribute_value=value)])
    return str(answer.set_variable_result[0]["attribute_status"])


async def charge(b: Bench) -> None:
    """A car that draws all it may."""
    await b.station.plug_in(object())
    await asyncio.sleep(10)


@both
def test_a_session_is_one_row_of_events(version: str) -> None:
    """Started by authorisation, charging, sampled twice, ended by the car: no gap in seqNo, energy at both ends."""
    bench = Bench(version)

    async def body(b: Bench) -> None:
        assert isinstance(b.station, devices.Station)
        await charge(b)
        await asyncio.sleep(115)
        assert b.plant.current_a == pytest.approx(32)
        await b.station.unplug()
        await asyncio.sleep(5)

    bench.run(body)
    events = bench.sent("TransactionEvent")
    assert bench.events()[0] == ("Started", "Authorized")
    assert bench.events()[-1] == ("Ended", "EVCommunicationLost")
    assert bench.events().count(("Updated", "MeterValuePeriodic")) == 2
    assert [event["seq_no"] for event in events] == list(range(len(events)))
    assert events[0]["id_token"] == TOKEN
    assert events[0]["evse"] == {"id": 1, "connector_id": 1}
    assert events[-1]["transaction_info"]["stopped_reason"] == "EVDisconnected"
    assert [data["connector_status"] for data in bench.sent("StatusNotification")] == [
        *("Available", "Occupied", "Available")
    ]
    states = [event["transaction_info"]["charging_state"] for event in events]
    assert states[-2:] == ["Charging", "Charging"]


def test_the_cable_begins_where_the_start_point_says_so() -> None:
    """TxStartPoint and TxStopPoint EVConnected: cable, driver, remote stop, departure are four events of one."""
    bench = Bench("2.0.1")

    async def body(b: Bench) -> None:
        for name in ("TxStartPoint", "TxStopPoint"):
            assert await write(b, "TxCtrlr", name, "EVConnected") == "Accepted"
        assert await write(b, "TxCtrlr", "TxStartPoint", "EVConnected,PowerPathClosed") == "Rejected"
        await charge(b)
        assert b.plant.current_a == pytest.approx(32)
        answer = await b.ask("RequestStopTransaction", transaction_id=b.station.transaction_id)
        assert answer.status == "Accepted"
        await asyncio.sleep(10)
        assert b.plant.current_a == 0
        assert b.station.transaction_id is not None
        await b.station.unplug()
        await asyncio.sleep(1)

    bench.run(body)
    told = [event for event in bench.events() if event != CHARGING]
    assert told == [
        ("Started", "CablePluggedIn"),
        ("Updated", "Authorized"),
        ("Updated", "RemoteStop"),
        ("Ended", "EVCommunicationLost"),
    ]
    events = bench.sent("TransactionEvent")
    assert "id_token" not in events[0]
    assert events[0]["transaction_info"]["charging_state"] == "EVConnected"
    assert events[-1]["transaction_info"]["stopped_reason"] == "Remote"


@both
def test_events_of_a_lost_link_arrive_later_and_say_so(version: str) -> None:
    """Cut off: updates and the end wait, marked offline, in order and without a gap; one boot in all."""
    bench = Bench(version)

    async def body(b: Bench) -> None:
        await charge(b)
        b.link.cut("reset")
        await asyncio.sleep(130)
        running = b.station.transaction_id
        await b.station.unplug()
        await asyncio.sleep(5)
        b.link.restore()
        await asyncio.sleep(60)
        status = await b.ask("GetTransactionStatus", transaction_id=running)
        assert (status.ongoing_indicator, status.messages_in_queue) == (False, False)

    bench.run(body)
    events = bench.sent("TransactionEvent")
    assert [event["seq_no"] for event in events] == list(range(len(events)))
    assert events[-1]["event_type"] == "Ended"
    late = [event.get("offline", False) for event in events]
    assert late == sorted(late)
    assert late.count(True) >= 3
    assert len(bench.sent("BootNotification")) == 1


@pytest.mark.parametrize(
    ("kind", "waits", "boot", "reason"),
    [("Immediate", False, "RemoteReset", "ImmediateReset"), ("OnIdle", True, "ScheduledReset", "EVDisconnected")],
)
def test_reset_now_or_when_idle(kind: str, waits: bool, boot: str, reason: str) -> None:
    """Immediate ends the transaction by ResetCommand; OnIdle is scheduled until the car has left."""
    bench = Bench("2.0.1")

    async def body(b: Bench) -> None:
        await charge(b)
        assert (await b.ask("Reset", type=kind)).status == ("Scheduled" if waits else "Accepted")
        await asyncio.sleep(10)
        if waits:
            assert len(b.sent("BootNotification")) == 1
            await b.station.unplug()
        await asyncio.sleep(20)

    bench.run(body)
    assert [data["reason"] for data in bench.sent("BootNotification")] == ["PowerUp", boot]
    ended = next(event for event in bench.sent("TransactionEvent") if event["event_type"] == "Ended")
    assert ended["transaction_info"]["stopped_reason"] == reason
    assert ended["trigger_reason"] == ("EVCommunicationLost" if waits else "ResetCommand")
    assert [data["type"] for data in bench.sent("SecurityEventNotification")] == ["StartupOfTheDevice"] * 2


def test_a_power_cycle_ends_with_power_loss_and_begins_again() -> None:
    """The end is told after the supply has come back; the car that stayed starts a new transaction."""
    bench = Bench("2.1")

    async def body(b: Bench) -> None:
        await charge(b)
        await b.station.power_cycle(10)
        await asyncio.sleep(30)

    bench.run(body)
    ended = [event for event in bench.sent("TransactionEvent") if event["event_type"] == "Ended"]
    assert [event["transaction_info"]["stopped_reason"] for event in ended] == ["PowerLoss"]
    assert bench.events().count(("Started", "Authorized")) == 2


@pytest.mark.parametrize("stops", ["true", "false"])
def test_a_driver_who_turns_out_to_be_refused_is_stopped(stops: str) -> None:
    """An answer that does not accept the token ends the transaction with DeAuthorized, if StopTxOnInvalidId."""
    bench = Bench("2.0.1")
    bench.answers["TransactionEvent"] = {"id_token_info": {"status": "Invalid"}}

    async def body(b: Bench) -> None:
        assert await write(b, "TxCtrlr", "StopTxOnInvalidId", stops) == "Accepted"
        await charge(b)
        assert (b.station.transaction_id is None) is (stops == "true")

    bench.run(body)
    ended = [e for e in bench.sent("TransactionEvent") if e["trigger_reason"] == "Deauthorized"]
    assert [e["transaction_info"]["stopped_reason"] for e in ended] == ["DeAuthorized"] * (stops == "true")


@both
def test_remote_start_with_a_profile_and_remote_stop(version: str) -> None:
    """Refused tag: nothing; remote start with TxProfile charges at it and names the request; remote stop ends it."""
    bench = Bench(version)
    bench.answers["Authorize"] = {"id_token_info": {"status": "Blocked"}}

    async def body(b: Bench) -> None:
        start: dict[str, Any] = {"id_token": TOKEN, "remote_start_id": 7, "evse_id": 1}
        await charge(b)
        assert b.plant.current_a == 0
        bad = profile(12, purpose="TxProfile", transaction_id="x")
        assert (await b.ask("RequestStartTransaction", **start, charging_profile=bad)).status == "Rejected"
        assert (await b.ask("RequestStartTransaction", **start | {"evse_id": 2})).status == "Rejected"
        good = profile(12, purpose="TxProfile")
        answer = await b.ask("RequestStartTransaction", **start, charging_profile=good)
        assert (answer.status, answer.transaction_id) == ("Accepted", b.station.transaction_id)
        await asyncio.sleep(10)
        assert b.plant.current_a == pytest.approx(12)
        assert max(duty or 0 for _, what, duty in b.plant.log if what == "pilot") == pytest.approx(20)
        running = b.station.transaction_id
        status = await b.ask("GetTransactionStatus", transaction_id=running)
        assert (status.ongoing_indicator, status.messages_in_queue) == (True, False)
        assert (await b.ask("GetTransactionStatus")).ongoing_indicator is None
        assert (await b.ask("UnlockConnector", evse_id=1, connector_id=1)).status == "OngoingAuthorizedTransaction"
        assert (await b.ask("RequestStopTransaction", transaction_id="x")).status == "Rejected"
        assert (await b.ask("RequestStopTransaction", transaction_id=running)).status == "Accepted"
        await asyncio.sleep(10)
        assert b.plant.current_a == 0
        assert (await b.ask("UnlockConnector", evse_id=1, connector_id=1)).status == "Unlocked"
        assert (await b.ask("UnlockConnector", evse_id=1, connector_id=2)).status == "UnknownConnector"

    bench.run(body)
    events = bench.sent("TransactionEvent")
    assert events[0]["trigger_reason"] == "RemoteStart"
    assert events[0]["transaction_info"]["remote_start_id"] == 7
    assert bench.events()[-1] == ("Ended", "RemoteStop")
    assert events[-1]["transaction_info"]["stopped_reason"] == "Remote"


@both
def test_profiles_are_set_reported_added_up_and_cleared(version: str) -> None:
    """SetChargingProfile reaches the pilot; reports come by source and outlet; clearing frees the outlet."""
    bench = Bench(version)

    async def body(b: Bench) -> None:
        assert (await b.ask("GetChargingProfiles", request_id=1, charging_profile={})).status == "NoProfiles"
        await charge(b)
        assert (await b.ask("SetChargingProfile", evse_id=0, charging_profile=profile(16))).status == "Accepted"
        second = profile(10, number=2, stack=1)
        assert (await b.ask("SetChargingProfile", evse_id=1, charging_profile=second)).status == "Accepted"
        assert b.station.offered_a == 10
        refused = await b.ask("SetChargingProfile", evse_id=1, charging_profile=profile(8, 3, stack=99))
        assert refused.status == "Rejected"
        assert refused.status_info["reason_code"]
        assert (await b.ask("GetChargingProfiles", request_id=5, charging_profile={})).status == "Accepted"
        await asyncio.sleep(1)
        answer = await b.ask("GetCompositeSchedule", duration=60, evse_id=1)
        assert answer.schedule["charging_schedule_period"][0]["limit"] == 10
        assert (await b.ask("GetCompositeSchedule", duration=60, evse_id=4)).status == "Rejected"
        assert (await b.ask("GetCompositeSchedule", duration=0, evse_id=1)).status == "Rejected"
        assert (await b.ask("ClearChargingProfile", charging_profile_id=9)).status == "Unknown"
        criteria = {"charging_profile_purpose": "TxDefaultProfile", "stack_level": 1}
        assert (await b.ask("ClearChargingProfile", charging_profile_criteria=criteria)).status == "Accepted"
        assert (await b.ask("ClearChargingProfile", charging_profile_id=1)).status == "Accepted"
        await asyncio.sleep(10)
        assert b.station.offered_a == 32

    bench.run(body)
    reports = bench.sent("ReportChargingProfiles")
    assert [(one["request_id"], one["evse_id"], one["charging_limit_source"]) for one in reports] == [
        (5, 0, "CSO"),
        (5, 1, "CSO"),
    ]
    assert [one.get("tbc", False) for one in reports] == [True, False]
    assert [one["charging_profile"][0]["id"] for one in reports] == [1, 2]


def test_variables_are_read_and_set_one_by_one() -> None:
    """Every status of GetVariables and SetVariables that a load manager meets."""
    bench = Bench("2.0.1")

    async def body(b: Bench) -> None:
        asked = [
            variable("SmartChargingCtrlr", "ProfileStackLevel"),
            variable("SmartChargingCtrlr", "nothing"),
            variable("nothing", "x"),
            variable("SmartChargingCtrlr", "Enabled", attribute_type="Target"),
            variable("SmartChargingCtrlr", "Entries", attribute_type="MaxSet"),
        ]
        results = (await b.ask("GetVariables", get_variable_data=asked)).get_variable_result
        assert [one["attribute_status"] for one in results] == [
            *("Accepted", "UnknownVariable", "UnknownComponent", "NotSupportedAttributeType", "Accepted")
        ]
        assert [one.get("attribute_value") for one in results] == ["10", None, None, None, "20"]
        assert await write(b, "SampledDataCtrlr", "TxUpdatedInterval", "10") == "Accepted"
        assert await write(b, "SampledDataCtrlr", "TxUpdatedInterval", "-1") == "Rejected"
        assert await write(b, "SampledDataCtrlr", "TxUpdatedMeasurands", "Frequency") == "Rejected"
        assert await write(b, "SmartChargingCtrlr", "Enabled", "false") == "Rejected"
        assert await write(b, "OCPPCommCtrlr", "RetryBackOffRepeatTimes", "17") == "Rejected"
        await charge(b)
        await asyncio.sleep(15)

    bench.run(body)
    assert bench.events().count(("Updated", "MeterValuePeriodic")) == 2


def test_measurands_without_a_value_leave_no_empty_reading() -> None:
    """SoC alone, of a car that does not tell: the event comes, without meter values."""
    bench = Bench("2.0.1")

    async def body(b: Bench) -> None:
        assert await write(b, "SampledDataCtrlr", "TxUpdatedMeasurands", "SoC") == "Accepted"
        await charge(b)
        await asyncio.sleep(60)

    bench.run(body)
    sampled = next(e for e in bench.sent("TransactionEvent") if e["trigger_reason"] == "MeterValuePeriodic")
    assert "meter_value" not in sampled


@both
def test_the_device_model_is_reported_in_parts(version: str) -> None:
    """GetBaseReport: parts of ten in order, the last one ends; a summary is not supported."""
    bench = Bench(version)

    async def body(b: Bench) -> None:
        answer = await b.ask("GetBaseReport", request_id=3, report_base="FullInventory")
        assert answer.status == "Accepted"
        answer = await b.ask("GetBaseReport", request_id=4, report_base="SummaryInventory")
        assert answer.status == "NotSupported"
        await asyncio.sleep(5)

    bench.run(body)
    parts = bench.sent("NotifyReport")
    assert [part["seq_no"] for part in parts] == list(range(len(parts)))
    assert [part["tbc"] for part in parts] == [True] * (len(parts) - 1) + [False]
    assert all(part["request_id"] == 3 and len(part["report_data"]) <= 10 for part in parts)


def test_a_report_by_components_and_criteria() -> None:
    """GetReport: what is named; nothing that has a problem; EmptyResultSet for what is not there."""
    bench = Bench("2.0.1")

    async def body(b: Bench) -> None:
        whole = {"component": {"name": "AlignedDataCtrlr"}}
        one = variable("SmartChargingCtrlr", "RateUnit")
        assert (await b.ask("GetReport", request_id=1, component_variable=[whole, one])).status == "Accepted"
        for asked in ({"component_variable": [variable("x", "y")]}, {"component_criteria": ["Problem"]}):
            assert (await b.ask("GetReport", request_id=2, **asked)).status == "EmptyResultSet"
        criteria = {"component_variable": [one], "component_criteria": ["Available"]}
        assert (await b.ask("GetReport", request_id=3, **criteria)).status == "Accepted"
        await asyncio.sleep(1)

    bench.run(body)
    told = {
        (part["request_id"], item["component"]["name"], item["variable"]["name"])
        for part in bench.sent("NotifyReport")
        for item in part["report_data"]
    }
    names = ("Available", "Enabled", "Interval", "Measurands", "SendDuringIdle", "TxEndedInterval", "TxEndedMeasurands")
    aligned = {(1, "AlignedDataCtrlr", name) for name in names}
    rate = {(number, "SmartChargingCtrlr", "RateUnit") for number in (1, 3)}
    assert told == aligned | rate


@both
def test_messages_are_triggered(version: str) -> None:
    """Each known message comes; BootNotification not once accepted; TransactionEvent only in a transaction."""
    bench = Bench(version)

    async def trigger(b: Bench, message: str, **more: Any) -> str:
        return str((await b.ask("TriggerMessage", requested_message=message, **more)).status)

    async def body(b: Bench) -> None:
        assert await trigger(b, "TransactionEvent") == "Rejected"
        assert await trigger(b, "BootNotification") == "Rejected"
        assert await trigger(b, "SignV2GCertificate") == "NotImplemented"
        assert await trigger(b, "MeterValues", evse={"id": 2}) == "Rejected"
        await charge(b)
        b.log.clear()
        wanted = ("Heartbeat", "MeterValues", "StatusNotification", "TransactionEvent")
        for message in (*wanted, "FirmwareStatusNotification", "LogStatusNotification"):
            assert await trigger(b, message) == "Accepted"
            await asyncio.sleep(1)
            assert b.actions()[-1] == message
        assert b.events()[-1] == ("Updated", "Trigger")

    bench.run(body)


def test_availability_waits_for_the_transaction() -> None:
    """Inoperative while charging is scheduled and acts at the end; Operative brings the outlet back."""
    bench = Bench("2.0.1")

    async def body(b: Bench) -> None:
        await charge(b)
        outlet = {"id": 1}
        assert (
            await b.ask("ChangeAvailability", operational_status="Inoperative", evse={"id": 3})
        ).status == "Rejected"
        answer = await b.ask("ChangeAvailability", operational_status="Inoperative", evse=outlet)
        assert answer.status == "Scheduled"
        assert b.plant.current_a == pytest.approx(32)
        await b.station.unplug()
        await asyncio.sleep(1)
        assert (await b.ask("ChangeAvailability", operational_status="Operative")).status == "Accepted"
        await asyncio.sleep(1)

    bench.run(body)
    statuses = [data["connector_status"] for data in bench.sent("StatusNotification")]
    assert statuses == ["Available", "Occupied", "Unavailable", "Available"]


def test_what_is_not_known_is_refused() -> None:
    """An action without a handler is NotSupported."""
    bench = Bench("2.0.1")

    async def body(b: Bench) -> None:
        with pytest.raises(ocppj.CallFailed, match="NotSupported"):
            await b.ask("ClearDisplayMessage", id=1)

    bench.run(body)


@both
def test_an_external_limit_caps_and_is_told(version: str) -> None:
    """Cap at once, NotifyChargingLimit, ChargingRateChanged; within LimitChangeSignificance nothing; cleared: told."""
    bench = Bench(version)

    async def body(b: Bench) -> None:
        await charge(b)
        await write(b, "SmartChargingCtrlr", "LimitChangeSignificance", "10")
        b.station.external_limit(10.0)
        assert b.station.offered_a == 10
        b.station.external_limit(9.5)
        await asyncio.sleep(10)
        assert b.station.offered_a == 9.5
        report = await b.ask("GetChargingProfiles", request_id=1, charging_profile={"charging_limit_source": ["EMS"]})
        assert report.status == "Accepted"
        assert (await b.ask("ClearChargingProfile", charging_profile_id=-1)).status == "Unknown"
        b.station.external_limit(None)
        b.station.external_limit(None)
        await asyncio.sleep(10)
        assert b.station.offered_a == 32
        assert await write(b, "SmartChargingCtrlr", "NotifyChargingLimitWithSchedules", "true") == "Accepted"
        b.station.external_limit(8.0, "SO")
        await asyncio.sleep(1)

    bench.run(body)
    told = bench.sent("NotifyChargingLimit")
    assert [one["charging_limit"]["charging_limit_source"] for one in told] == ["EMS", "SO"]
    assert "charging_schedule" not in told[0]
    assert told[1]["charging_schedule"][0]["charging_schedule_period"][0]["limit"] == 8
    assert bench.sent("ClearedChargingLimit") == [{"charging_limit_source": "EMS"}]
    assert bench.events().count(("Updated", "ChargingRateChanged")) == 3
    assert bench.sent("ReportChargingProfiles")[0]["charging_limit_source"] == "EMS"


def test_an_external_limit_without_a_car_is_no_event() -> None:
    """Only NotifyChargingLimit comes while nobody charges."""
    bench = Bench("2.0.1")

    async def body(b: Bench) -> None:
        b.station.external_limit(10.0)
        await asyncio.sleep(1)

    bench.run(body)
    assert len(bench.sent("NotifyChargingLimit")) == 1
    assert not bench.sent("TransactionEvent")


def test_a_dynamic_profile_is_pulled_and_pushed() -> None:
    """Every dynUpdateInterval the station asks for figures and follows them; UpdateDynamicSchedule acts at once."""
    bench = Bench("2.1")
    figures = iter([12.0, 14.0, 14.0])
    bench.answers["PullDynamicScheduleUpdate"] = lambda _data: {"schedule_update": {"limit": next(figures)}}

    async def body(b: Bench) -> list[float]:
        await charge(b)
        period = {"start_period": 0, "limit": 10}
        schedule = {"id": 1, "charging_rate_unit": "A", "charging_schedule_period": [period]}
        dynamic = profile(10, charging_profile_kind="Dynamic", dyn_update_interval=20)
        dynamic |= {"charging_schedule": [schedule], "dyn_update_time": stamp()}
        assert (await b.ask("SetChargingProfile", evse_id=1, charging_profile=dynamic)).status == "Accepted"
        seen = [b.station.limit_a]
        await asyncio.sleep(21)
        seen.append(b.station.limit_a)
        await asyncio.sleep(20)
        seen.append(b.station.limit_a)
        update = {"charging_profile_id": 1, "schedule_update": {"limit": 9.0}}
        assert (await b.ask("UpdateDynamicSchedule", **update)).status == "Accepted"
        seen.append(b.station.limit_a)
        assert (await b.ask("UpdateDynamicSchedule", **update | {"charging_profile_id": 8})).status == "Rejected"
        assert (await b.ask("ClearChargingProfile", charging_profile_id=1)).status == "Accepted"
        await asyncio.sleep(60)
        return seen

    assert bench.run(body) == [10, 12, 14, 9]
    assert bench.sent("PullDynamicScheduleUpdate") == [{"charging_profile_id": 1}] * 2


def test_priority_charging_from_both_sides() -> None:
    """Without a profile NoProfile; the controller's wish and the driver's; only the latter is notified."""
    bench = Bench("2.1")

    async def body(b: Bench) -> None:
        assert not b.station.choose_priority(True)
        await charge(b)
        running = b.station.transaction_id
        answer = await b.ask("UsePriorityCharging", transaction_id=running, activate=True)
        assert answer.status == "NoProfile"
        await b.ask("SetChargingProfile", evse_id=0, charging_profile=profile(10))
        fast = profile(20, number=2, purpose="PriorityCharging")
        assert (await b.ask("SetChargingProfile", evse_id=1, charging_profile=fast)).status == "Accepted"
        assert b.station.limit_a == 10
        answer = await b.ask("UsePriorityCharging", transaction_id=running, activate=True)
        assert (answer.status, b.station.limit_a) == ("Accepted", 20)
        assert (await b.ask("UsePriorityCharging", transaction_id="x", activate=True)).status == "Rejected"
        assert b.station.choose_priority(False)
        assert b.station.limit_a == 10
        await asyncio.sleep(1)
        assert b.sent("NotifyPriorityCharging") == [{"transaction_id": running, "activated": False}]

    bench.run(body)


def test_a_profile_ends_with_its_longest_offline_time() -> None:
    """maxOfflineDuration: cut off longer than that, the profile does not count; back online it does again."""
    bench = Bench("2.1")

    async def body(b: Bench) -> list[float]:
        await charge(b)
        await b.ask("SetChargingProfile", evse_id=0, charging_profile=profile(8))
        lease = profile(20, number=2, stack=1, max_offline_duration=30)
        assert (await b.ask("SetChargingProfile", evse_id=0, charging_profile=lease)).status == "Accepted"
        seen = [b.station.limit_a]
        b.link.cut("reset")
        await asyncio.sleep(29)
        seen.append(b.station.limit_a)
        await asyncio.sleep(2)
        seen.append(b.station.limit_a)
        b.link.restore()
        await asyncio.sleep(60)
        return [*seen, b.station.limit_a]

    assert bench.run(body) == [20, 20, 8, 20]


def test_a_signal_to_reserves_is_answered() -> None:
    """AFRRSignal: Rejected, as no operation mode here follows it."""
    bench = Bench("2.1")

    async def body(b: Bench) -> str:
        return str((await b.ask("AFRRSignal", timestamp=stamp(), signal=5)).status)

    assert bench.run(body) == "Rejected"


def test_one_figure_for_all_phases_is_the_lowest() -> None:
    """The pilot says one current: the least of limit, limit_L2 and limit_L3 (OCPP 2.1 K01.FR.147, standard-text)."""
    bench = Bench("2.1", BRANCH.model_copy(update={"connection": "L1-L2-L3-N"}))

    async def body(b: Bench) -> None:
        await charge(b)
        single = profile(16, purpose="TxProfile", transaction_id=b.station.transaction_id)
        single["charging_schedule"][0]["charging_schedule_period"][0] |= {"limit_l2": 12, "limit_l3": 14}
        assert (await b.ask("SetChargingProfile", evse_id=1, charging_profile=single)).status == "Accepted"
        assert b.station.offered_a == 12

    bench.run(body)


@both
def test_without_smart_charging_the_profile_of_a_start_is_ignored(version: str) -> None:
    """The transaction starts as if there were none (OCPP 2.0.1 K05.FR.04 and TC_K_38, standard-text)."""
    bench = Bench(version)
    bench.answers["Authorize"] = {"id_token_info": {"status": "Blocked"}}

    async def body(b: Bench) -> None:
        await charge(b)
        store = b.station.charging.store
        store.options = replace(store.options, smart_charging=False)
        start: dict[str, Any] = {"id_token": TOKEN, "remote_start_id": 7, "evse_id": 1}
        given = profile(12, purpose="TxProfile")
        assert (await b.ask("RequestStartTransaction", **start, charging_profile=given)).status == "Accepted"
        assert store.profiles == ()

    bench.run(body)
