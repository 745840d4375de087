"""How stations of every version register, and how they try again."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import pytest

from hilbench import ocppj
from tests.station_bench import TOKEN, Bench

VERSIONS = ("1.6", "2.0.1", "2.1")
every = pytest.mark.parametrize("version", VERSIONS)


async def start_by_remote(b: Bench) -> str:
    """Status of a remote start."""
    if b.version == "1.6":
        return str((await b.ask("RemoteStartTransaction", id_tag="R", connector_id=1)).status)
    return str((await b.ask("RequestStartTransaction", id_token=TOKEN, remote_start_id=1, evse_id=1)).status)


@every
def test_pending_sends_only_what_is_asked_for(version: str) -> None:
    """Pending: boots at the interval, answers, triggers work, no transaction by tag or remote; Accepted frees all."""
    bench = Bench(version)
    bench.answers["BootNotification"] = {"status": "Pending", "interval": 40}

    async def body(b: Bench) -> None:
        await b.station.plug_in(object())
        await asyncio.sleep(60)
        assert b.actions() == ["BootNotification"] * 2
        assert await start_by_remote(b) == "Rejected"
        assert (await b.ask("TriggerMessage", requested_message="StatusNotification")).status == "Accepted"
        await asyncio.sleep(1)
        assert b.actions() == ["BootNotification"] * 2 + ["StatusNotification"]
        assert not b.station.connected
        assert b.station.transaction_id is None
        assert "Pending" in b.station.refusal
        b.answers.clear()
        assert (await b.ask("TriggerMessage", requested_message="BootNotification")).status == "Accepted"
        await asyncio.sleep(10)
        assert b.station.connected
        assert b.station.transaction_id is not None
        assert b.plant.current_a == pytest.approx(32)

    bench.run(body)
    if version != "1.6":
        assert [data["reason"] for data in bench.sent("BootNotification")] == ["PowerUp", "PowerUp", "Triggered"]


@every
def test_pending_refuses_to_stop_a_transaction(version: str) -> None:
    """A transaction from before the reconnect goes on: RemoteStop is rejected while Pending."""
    bench = Bench(version, boot_on_reconnect=True)

    async def body(b: Bench) -> None:
        await b.station.plug_in(object())
        await asyncio.sleep(10)
        running = b.station.transaction_id
        b.answers["BootNotification"] = {"status": "Pending", "interval": 40}
        b.link.cut("reset")
        b.link.restore()
        await asyncio.sleep(10)
        stop = "RemoteStopTransaction" if version == "1.6" else "RequestStopTransaction"
        assert (await b.ask(stop, transaction_id=running)).status == "Rejected"
        assert b.station.transaction_id == running
        assert b.plant.current_a == pytest.approx(32)

    bench.run(body)


@every
def test_rejected_is_silent_until_the_interval(version: str) -> None:
    """Rejected: nothing but a BootNotification per interval; calls are refused with SecurityError."""
    bench = Bench(version)
    bench.answers["BootNotification"] = {"status": "Rejected", "interval": 100}

    async def body(b: Bench) -> None:
        await b.station.plug_in(object())
        with pytest.raises(ocppj.CallFailed, match="SecurityError"):
            await b.ask("TriggerMessage", requested_message="StatusNotification")
        await asyncio.sleep(220)

    bench.run(body)
    times = [t for t, _, _ in bench.log]
    assert bench.actions() == ["BootNotification"] * 3
    assert [b - a for a, b in pairwise(times)] == pytest.approx([100, 100], abs=0.1)


@every
def test_an_interval_of_0_leaves_it_to_the_station(version: str) -> None:
    """Accepted with 0: heartbeats at its own interval; Pending with 0: boots at its own."""
    bench = Bench(version, heartbeat_s=50, boot_retry_s=20)
    bench.answers["BootNotification"] = {"status": "Pending", "interval": 0}

    async def body(b: Bench) -> None:
        await asyncio.sleep(10)
        assert len(b.log) == 1
        b.answers["BootNotification"] = {"interval": 0}
        await asyncio.sleep(10)
        await asyncio.sleep(101)

    bench.run(body)
    assert bench.actions()[:3] == ["BootNotification"] * 2 + ["StatusNotification"]
    assert bench.actions().count("Heartbeat") == 2


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
def test_the_interval_of_the_answer_stays_when_something_else_is_set(version: str) -> None:
    """The controller's interval is the key's value, and setting another key leaves it alone."""
    bench = Bench(version)
    bench.answers["BootNotification"] = {"interval": 20}

    async def body(b: Bench) -> Any:
        if version == "1.6":
            await b.ask("ChangeConfiguration", key="MeterValueSampleInterval", value="10")
            told = (await b.ask("GetConfiguration", key=["HeartbeatInterval"])).configuration_key[0]["value"]
        else:
            item = {"component": {"name": "SampledDataCtrlr"}, "variable": {"name": "TxUpdatedInterval"}}
            await b.ask("SetVariables", set_variable_data=[item | {"attribute_value": "10"}])
            item = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}}
            found = await b.ask("GetVariables", get_variable_data=[item])
            told = found.get_variable_result[0]["attribute_value"]
        await asyncio.sleep(60)
        return told

    assert bench.run(body) == "20"
    assert bench.actions().count("Heartbeat") == 3


@pytest.mark.parametrize(("version", "waits"), [("2.0.1", [2, 4, 8, 8, 8]), ("1.6", [2, 4, 8, 9, 9])])
def test_back_off_doubles_and_stays(version: str, waits: list[float]) -> None:
    """Without random part: 2.x doubles RetryBackOffRepeatTimes times, 1.6 to its longest wait."""
    bench = Bench(version, backoff_min_s=2, backoff_range_s=0, backoff_repeats=2, backoff_max_s=9)

    async def body(b: Bench) -> list[float]:
        uplink = b.station._uplink
        return [uplink.wait_s(attempt, 0.0) for attempt in range(5)]

    assert bench.run(body) == waits


def test_back_off_of_2x_follows_its_variables() -> None:
    """Minimum, range and repeats may be set; the random part is added to each wait, and success starts afresh."""
    bench = Bench("2.0.1")

    async def body(b: Bench) -> None:
        for name, value in (("WaitMinimum", "10"), ("RandomRange", "4"), ("RepeatTimes", "1")):
            variable = {"name": f"RetryBackOff{name}"}
            item = {"component": {"name": "OCPPCommCtrlr"}, "variable": variable, "attribute_value": value}
            result = (await b.ask("SetVariables", set_variable_data=[item])).set_variable_result
            assert result[0]["attribute_status"] == "Accepted"
        uplink = b.station._uplink
        assert [uplink.wait_s(n, chance) for n, chance in ((0, 0.0), (1, 0.5), (5, 1.0))] == [10, 22, 24]
        for _ in range(2):
            dials = len(b.dials)
            b.link.cut("reset")
            b.link.restore()
            await asyncio.sleep(9.9)
            assert len(b.dials) == dials
            await asyncio.sleep(4.2)
            assert len(b.dials) == dials + 1

    bench.run(body)
    assert len(bench.sent("BootNotification")) == 1
