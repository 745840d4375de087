"""Remote start before the car is plugged in: the outlet waits, with a time-out."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.station_bench import TOKEN, Bench

every = pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
PROFILE = {
    "stack_level": 0,
    "charging_profile_purpose": "TxProfile",
    "charging_profile_kind": "Relative",
}
PERIODS = {"charging_rate_unit": "A", "charging_schedule_period": [{"start_period": 0, "limit": 12}]}


async def start(b: Bench, *, profile: bool = False) -> Any:
    """A remote start for a car that may not be there, with 12 A."""
    if b.version == "1.6":
        own = {"charging_profile": PROFILE | {"charging_profile_id": 1, "charging_schedule": PERIODS}}
        return await b.ask("RemoteStartTransaction", id_tag="R", connector_id=1, **(own if profile else {}))
    own = {"charging_profile": PROFILE | {"id": 1, "charging_schedule": [{"id": 1} | PERIODS]}}
    more = own if profile else {}
    return await b.ask("RequestStartTransaction", id_token=TOKEN, remote_start_id=7, evse_id=1, **more)


async def set_timeout(b: Bench, seconds: int) -> None:
    """ConnectionTimeOut or EVConnectionTimeOut."""
    if b.version == "1.6":
        await b.ask("ChangeConfiguration", key="ConnectionTimeOut", value=str(seconds))
    else:
        await write(b, "EVConnectionTimeOut", str(seconds))


async def write(b: Bench, name: str, value: str) -> None:
    """Set a variable of TxCtrlr."""
    item = {"component": {"name": "TxCtrlr"}, "variable": {"name": name}, "attribute_value": value}
    answer = await b.ask("SetVariables", set_variable_data=[item])
    assert answer.set_variable_result[0]["attribute_status"] == "Accepted"


def starts(b: Bench) -> list[dict[str, Any]]:
    """What was told of a beginning."""
    if b.version == "1.6":
        return b.sent("StartTransaction")
    return [data for data in b.sent("TransactionEvent") if data["event_type"] == "Started"]


@every
def test_the_car_that_comes_in_time_charges_with_the_profile_of_the_request(version: str) -> None:
    """Accepted without a car; plugged in later, it charges at 12 A for the driver of the request, unasked."""
    bench = Bench(version)

    async def body(b: Bench) -> None:
        assert (await start(b, profile=True)).status == "Accepted"
        assert (await start(b)).status == "Rejected"
        await asyncio.sleep(20)
        assert not starts(b)
        await b.station.plug_in(object())
        await asyncio.sleep(60)
        assert b.plant.current_a == pytest.approx(12)

    bench.run(body)
    assert not bench.sent("Authorize")
    assert len(starts(bench)) == 1
    if version == "1.6":
        assert starts(bench)[0]["id_tag"] == "R"
        shown = [data["status"] for data in bench.sent("StatusNotification")]
        assert shown[:3] == ["Available", "Preparing", "SuspendedEV"]
    else:
        assert starts(bench)[0]["trigger_reason"] == "CablePluggedIn"
        assert starts(bench)[0]["transaction_info"]["remote_start_id"] == 7


@every
def test_a_car_that_does_not_come_in_time_is_no_longer_expected(version: str) -> None:
    """After the time-out the outlet is free, nothing began, and who plugs in then shows his own tag."""
    bench = Bench(version)

    async def body(b: Bench) -> None:
        await set_timeout(b, 40)
        assert (await start(b)).status == "Accepted"
        await asyncio.sleep(39)
        assert b.station.expected is not None
        await asyncio.sleep(2)
        assert b.station.status == "Available"
        assert b.station.expected is None
        await b.station.plug_in(object())
        await asyncio.sleep(10)
        assert b.plant.current_a == pytest.approx(32)

    bench.run(body)
    assert len(bench.sent("Authorize")) == len(starts(bench)) == 1
    if version == "1.6":
        shown = [data["status"] for data in bench.sent("StatusNotification")]
        assert shown[:3] == ["Available", "Preparing", "Available"]


@every
def test_a_time_out_of_0_waits_without_end(version: str) -> None:
    """An hour later the car is still expected; making the outlet inoperative ends that."""
    bench = Bench(version)

    async def body(b: Bench) -> None:
        await set_timeout(b, 0)
        await start(b)
        await asyncio.sleep(3600)
        assert b.station.expected is not None
        kind = {"connector_id": 0, "type": "Inoperative"} if version == "1.6" else {"operational_status": "Inoperative"}
        assert (await b.ask("ChangeAvailability", **kind)).status == "Accepted"
        assert b.station.expected is None
        assert (await start(b)).status == "Rejected"

    bench.run(body)


def test_a_transaction_that_starts_with_the_driver_ends_by_the_time_out() -> None:
    """TxStartPoint Authorized: Started by RemoteStart while Idle, Ended by EVConnectTimeout; no session happened."""
    bench = Bench("2.0.1")

    async def body(b: Bench) -> None:
        await write(b, "TxStartPoint", "Authorized")
        await set_timeout(b, 40)
        answer = await start(b)
        assert answer.transaction_id == b.station.transaction_id
        await asyncio.sleep(45)
        assert b.station.transaction_id is None

    bench.run(body)
    events = bench.sent("TransactionEvent")
    assert bench.events() == [("Started", "RemoteStart"), ("Ended", "EVConnectTimeout")]
    assert events[0]["transaction_info"]["charging_state"] == "Idle"
    assert events[-1]["transaction_info"]["stopped_reason"] == "Timeout"
    assert not list(bench.record.events_of("session.start"))
    assert not list(bench.record.events_of("session.stop"))


def test_a_transaction_that_starts_with_the_driver_goes_on_with_the_car() -> None:
    """TxStartPoint Authorized: the cable is an update, its profile holds; a remote stop before the car ends it."""
    bench = Bench("2.1")

    async def body(b: Bench) -> None:
        await write(b, "TxStartPoint", "Authorized")
        running = (await start(b)).transaction_id
        assert (await b.ask("RequestStopTransaction", transaction_id=running)).status == "Accepted"
        await asyncio.sleep(1)
        assert b.station.expected is None
        running = (await start(b, profile=True)).transaction_id
        await b.station.plug_in(object())
        await asyncio.sleep(30)
        assert b.station.transaction_id == running
        assert b.plant.current_a == pytest.approx(12)
        await asyncio.sleep(60)
        assert b.station.transaction_id == running

    bench.run(body)
    told = [event for event in bench.events() if event[1] not in ("ChargingStateChanged", "MeterValuePeriodic")]
    assert told[:4] == [
        *(("Started", "RemoteStart"), ("Ended", "RemoteStop")),
        *(("Started", "RemoteStart"), ("Updated", "CablePluggedIn")),
    ]


def test_the_cable_of_an_expected_driver_begins_one_transaction() -> None:
    """TxStartPoint EVConnected: the cable starts with token and request at once."""
    bench = Bench("2.0.1")

    async def body(b: Bench) -> None:
        await write(b, "TxStartPoint", "EVConnected")
        assert (await start(b)).transaction_id is None
        await b.station.plug_in(object())
        await asyncio.sleep(10)

    bench.run(body)
    assert len(starts(bench)) == 1
    assert starts(bench)[0]["id_token"] == TOKEN


@every
def test_a_reset_forgets_who_was_expected(version: str) -> None:
    """After the boot the outlet is Available and the next car shows its own tag."""
    bench = Bench(version)

    async def body(b: Bench) -> None:
        await start(b)
        await b.ask("Reset", type="Soft" if version == "1.6" else "Immediate")
        await asyncio.sleep(30)
        assert b.station.expected is None
        assert b.station.status == "Available"
        await asyncio.sleep(60)

    bench.run(body)
    assert not list(bench.record.events_of("session.timeout"))
