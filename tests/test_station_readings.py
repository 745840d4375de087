"""Meter values follow the settings of the controller, also those that change in between."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.station_bench import Bench

ENERGY = "Energy.Active.Import.Register"


async def set_up(b: Bench, key: str, value: str) -> str:
    """Set a key of 1.6, or a variable of 2.x named ``component.variable``; the status."""
    if b.version == "1.6":
        return str((await b.ask("ChangeConfiguration", key=key, value=value)).status)
    component, name = key.split(".")
    item = {"component": {"name": component}, "variable": {"name": name}, "attribute_value": value}
    answer = await b.ask("SetVariables", set_variable_data=[item])
    return str(answer.set_variable_result[0]["attribute_status"])


def periodic(b: Bench) -> list[float]:
    """Times of the periodic meter values."""
    if b.version == "1.6":
        return [t for t, action, _ in b.log if action == "MeterValues"]
    wanted = ("MeterValuePeriodic", "MeterValueClock")
    return [t for t, _, data in b.log if data.get("trigger_reason") in wanted]


def contexts(values: list[dict[str, Any]]) -> list[str]:
    """The context of each reading."""
    return [value["sampled_value"][0]["context"] for value in values]


def last_event(b: Bench) -> dict[str, Any]:
    """The Ended event."""
    return next(data for data in b.sent("TransactionEvent") if data["event_type"] == "Ended")


@pytest.mark.parametrize(
    ("version", "key", "other"),
    [
        ("1.6", "MeterValueSampleInterval", "ConnectionTimeOut"),
        ("2.0.1", "SampledDataCtrlr.TxUpdatedInterval", "TxCtrlr.EVConnectionTimeOut"),
    ],
)
def test_a_new_interval_counts_from_the_last_sample(version: str, key: str, other: str) -> None:
    """60 s become 20 s 30 s after the start: one at once, then every 20 s; another key moves nothing; 0 ends it."""
    bench = Bench(version)

    async def body(b: Bench) -> None:
        await b.station.plug_in(object())
        await asyncio.sleep(30)
        assert await set_up(b, key, "20") == "Accepted"
        await asyncio.sleep(15)
        assert await set_up(b, other, "50") == "Accepted"
        await asyncio.sleep(10)
        assert await set_up(b, key, "0") == "Accepted"
        await asyncio.sleep(100)

    bench.run(body)
    assert periodic(bench) == pytest.approx([40, 60], abs=0.1)


@pytest.mark.parametrize(
    ("version", "key"), [("1.6", "HeartbeatInterval"), ("2.0.1", "OCPPCommCtrlr.HeartbeatInterval")]
)
def test_a_new_heartbeat_interval_does_not_wait_for_the_old_one(version: str, key: str) -> None:
    """300 s become 20 s: the first heartbeat comes 20 s later."""
    bench = Bench(version)

    async def body(b: Bench) -> None:
        assert await set_up(b, key, "20") == "Accepted"
        await asyncio.sleep(45)

    bench.run(body)
    assert [t for t, action, _ in bench.log if action == "Heartbeat"] == pytest.approx([30, 50], abs=0.1)


def test_the_last_event_carries_what_was_sampled_for_it() -> None:
    """TxEndedInterval 20 s in both controllers: begin, samples, clock readings, end; the updates keep their own."""
    bench = Bench("2.0.1")

    async def body(b: Bench) -> None:
        for key in ("SampledDataCtrlr.TxEndedInterval", "AlignedDataCtrlr.TxEndedInterval"):
            assert await set_up(b, key, "20") == "Accepted"
        assert await set_up(b, "SampledDataCtrlr.TxEndedMeasurands", f"{ENERGY},Voltage") == "Accepted"
        await asyncio.sleep(5)
        await b.station.plug_in(object())
        await asyncio.sleep(47)
        await b.station.unplug()
        await asyncio.sleep(1)

    bench.run(body)
    told = last_event(bench)["meter_value"]
    assert contexts(told) == [
        *("Transaction.Begin", "Sample.Clock", "Sample.Periodic"),
        *("Sample.Clock", "Sample.Periodic", "Sample.Clock", "Transaction.End"),
    ]
    assert [len(value["sampled_value"]) for value in told] == [2, 1, 2, 1, 2, 1, 2]
    assert not periodic(bench)


def test_without_an_interval_the_last_event_carries_begin_and_end() -> None:
    """TxEndedInterval 0: the energy at both ends (OCPP 2.0.1 SampledDataTxEndedInterval)."""
    bench = Bench("2.1")

    async def body(b: Bench) -> None:
        await b.station.plug_in(object())
        await asyncio.sleep(130)
        await b.station.unplug()
        await asyncio.sleep(1)

    bench.run(body)
    assert contexts(last_event(bench)["meter_value"]) == ["Transaction.Begin", "Transaction.End"]


def test_of_too_many_readings_for_the_last_event_the_first_stays() -> None:
    """Room for three: the begin and the newest are kept, with the end."""
    bench = Bench("2.0.1", queue_length=3)

    async def body(b: Bench) -> None:
        await set_up(b, "SampledDataCtrlr.TxEndedInterval", "1")
        await b.station.plug_in(object())
        await asyncio.sleep(30.5)
        await b.station.unplug()
        await asyncio.sleep(1)

    bench.run(body)
    told = last_event(bench)["meter_value"]
    assert contexts(told) == ["Transaction.Begin", "Sample.Periodic", "Sample.Periodic", "Transaction.End"]


@pytest.mark.parametrize("controller", ["SampledDataCtrlr", "AlignedDataCtrlr"])
def test_a_disabled_controller_of_data_measures_nothing(controller: str) -> None:
    """Enabled false: its readings stay out of every event, those of the other remain."""
    bench = Bench("2.0.1")

    async def body(b: Bench) -> None:
        await set_up(b, "AlignedDataCtrlr.Interval", "30")
        await set_up(b, "AlignedDataCtrlr.TxEndedInterval", "30")
        assert await set_up(b, f"{controller}.Enabled", "false") == "Accepted"
        await b.station.plug_in(object())
        await asyncio.sleep(130)
        await b.station.unplug()
        await asyncio.sleep(1)

    bench.run(body)
    seen = {context for data in bench.sent("TransactionEvent") for context in contexts(data.get("meter_value", []))}
    aligned = {"Sample.Clock"}
    sampled = {"Transaction.Begin", "Sample.Periodic", "Transaction.End"}
    assert seen == (aligned if controller == "SampledDataCtrlr" else sampled)


def test_what_starts_a_transaction_carries_its_own_measurands() -> None:
    """TxStartedMeasurands: the voltage alone, or nothing at all."""
    bench = Bench("2.0.1")

    async def body(b: Bench) -> None:
        for names in ("Voltage", ""):
            assert await set_up(b, "SampledDataCtrlr.TxStartedMeasurands", names) == "Accepted"
            await b.station.plug_in(object())
            await asyncio.sleep(10)
            await b.station.unplug()
            await asyncio.sleep(1)

    bench.run(body)
    first, second = (data for data in bench.sent("TransactionEvent") if data["event_type"] == "Started")
    assert [sample["measurand"] for sample in first["meter_value"][0]["sampled_value"]] == ["Voltage"]
    assert "meter_value" not in second


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
def test_triggers_are_answered_by_what_there_is(version: str) -> None:
    """No transaction: TransactionEvent Rejected; MeterValues the aligned measurands, Rejected without any."""
    bench = Bench(version)
    more = {"vendor_id": "v"}

    async def ask(b: Bench, what: str, **evse: Any) -> str:
        own: dict[str, Any] = {"evse": evse | {"custom_data": more}} if evse else {}
        answer = await b.ask("TriggerMessage", requested_message=what, custom_data=more, **own)
        return str(answer.status)

    async def body(b: Bench) -> None:
        assert await ask(b, "TransactionEvent") == "Rejected"
        assert await ask(b, "TransactionEvent", id=1) == "Rejected"
        assert await ask(b, "MeterValues", id=1) == "Accepted"
        assert await ask(b, "MeterValues") == "Accepted"
        assert await ask(b, "StatusNotification", id=1, connector_id=2) == "Rejected"
        assert await ask(b, "StatusNotification", id=1, connector_id=1) == "Accepted"
        assert await set_up(b, "AlignedDataCtrlr.Measurands", "") == "Accepted"
        assert await ask(b, "MeterValues", id=1) == "Rejected"
        await b.station.plug_in(object())
        await asyncio.sleep(10)
        assert await ask(b, "TransactionEvent", id=1) == "Accepted"
        await asyncio.sleep(1)

    bench.run(body)
    values = [one["meter_value"][0]["sampled_value"] for one in bench.sent("MeterValues")]
    assert [[sample["measurand"] for sample in one] for one in values] == [[ENERGY], [ENERGY]]
    assert {sample["context"] for one in values for sample in one} == {"Trigger"}
    assert bench.events().count(("Updated", "Trigger")) == 1


def test_stop_transaction_carries_what_its_keys_say() -> None:
    """1.6: StopTxnSampledData and StopTxnAlignedData at their intervals, begin and end included."""
    bench = Bench("1.6")

    async def body(b: Bench) -> None:
        for key, value in (
            ("StopTxnSampledData", ENERGY),
            ("StopTxnAlignedData", "Voltage"),
            ("ClockAlignedDataInterval", "60"),
        ):
            assert await set_up(b, key, value) == "Accepted"
        await asyncio.sleep(5)
        await b.station.plug_in(object())
        await asyncio.sleep(70)
        await b.station.unplug()
        await asyncio.sleep(1)

    bench.run(body)
    told = bench.sent("StopTransaction")[0]["transaction_data"]
    assert contexts(told) == ["Transaction.Begin", "Sample.Clock", "Sample.Periodic", "Transaction.End"]
    assert [value["sampled_value"][0]["measurand"] for value in told] == [ENERGY, "Voltage", ENERGY, ENERGY]
