"""OCPP-J layer: vendor data, bounded work, handlers that fail, answers that cannot be used, messages without answer."""
# ruff: noqa: D102 - handlers of a fake are what their decorators say

from __future__ import annotations

import asyncio
import dataclasses
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from hilbench import clock
from hilbench.ocppj import (
    VERSIONS,
    CallFailed,
    ChargePoint16,
    ChargePoint21,
    ChargePoint201,
    after,
    check,
    dial,
    listen,
    messages,
    on,
)
from hilbench.ocppj.peer import MAX_UNFINISHED

KINDS: dict[str, Any] = {"1.6": ChargePoint16, "2.0.1": ChargePoint201, "2.1": ChargePoint21}
VENDOR = {
    "vendorId": "com.example",
    "evse_name": None,
    "URLOfThings": {"vendorId": "inner", "some_key": [{"camelCase": 1, "soc": 2}]},
}
LOOSE = {"vendor_id": "x", "camelCase": {"snake_case": [None, {"URL": "u"}]}, "customData": {"vendorId": 1}}
NEWER = [version for version in VERSIONS if version != "1.6"]
WHEN = "2024-06-04T16:00:00Z"


class Wire:
    """A connection that keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[Any] = []

    async def send(self, text: str) -> None:
        self.sent.append(json.loads(text))


def peer(version: str, wire: Any, *handlers: Any) -> Any:
    """One end with some handlers."""
    return type("Peer", (KINDS[version],), {one.__name__: one for one in handlers})("station", wire)


def hear(version: str, frames: list[Any], *handlers: Any) -> list[Any]:
    """What an end sends back to ``frames``, its handlers done."""
    wire = Wire()

    async def main() -> None:
        end = peer(version, wire, *handlers)
        for frame in frames:
            await end.route_message(json.dumps(frame))
        await asyncio.sleep(0.1)

    clock.run(main())
    return wire.sent


@pytest.mark.parametrize("version", NEWER)
def test_what_vendors_add_passes_as_it_is(version: str) -> None:
    """Keys below customData but vendorId, and a DataTransfer's data, are the same at the handler and on the wire."""
    heard: list[Any] = []

    def handle(_self: Any, **request: Any) -> Any:
        heard.append(request)
        return messages(version).call_result.DataTransfer(
            status="Accepted", data=request["data"], custom_data=request["custom_data"]
        )

    asked = {"vendorId": "v", "data": LOOSE, "customData": VENDOR}
    sent = hear(version, [[2, "1", "DataTransfer", asked]], on("DataTransfer")(handle))
    assert heard[0]["data"] == LOOSE
    rest = {key: value for key, value in VENDOR.items() if key != "vendorId"}
    assert heard[0]["custom_data"] == {"vendor_id": "com.example", **rest}
    assert sent == [[3, "1", {"status": "Accepted", "data": LOOSE, "customData": VENDOR}]]


@pytest.mark.parametrize("version", NEWER)
def test_what_vendors_add_is_sent_and_answered_as_it_is(version: str) -> None:
    """The same for the side that calls, in a request and in the answer that it gets."""
    wire, told = Wire(), messages(version)
    custom = {"vendor_id": "com.example", **{key: value for key, value in VENDOR.items() if key != "vendorId"}}

    async def main() -> Any:
        end = peer(version, wire)
        calling = asyncio.create_task(end.call(told.call.DataTransfer(vendor_id="v", data=LOOSE, custom_data=custom)))
        await asyncio.sleep(0.1)
        await end.route_message(json.dumps([3, "1", {"status": "Accepted", "data": LOOSE, "customData": VENDOR}]))
        return await calling

    answer = clock.run(main())
    assert wire.sent == [[2, "1", "DataTransfer", {"vendorId": "v", "data": LOOSE, "customData": VENDOR}]]
    assert (answer.data, answer.custom_data) == (LOOSE, custom)


@pytest.mark.parametrize("version", VERSIONS)
def test_calls_beyond_what_may_be_unfinished_are_refused(version: str) -> None:
    """The call after 256 slow ones gets InternalError with the reason; when they are done the next one is taken."""

    async def handle(_self: Any, **_request: Any) -> Any:
        await asyncio.sleep(10)
        return messages(version).call_result.DataTransfer(status="Accepted")

    wire = Wire()

    async def main() -> None:
        end = peer(version, wire, on("DataTransfer")(handle))
        for number in range(MAX_UNFINISHED + 1):
            await end.route_message(json.dumps([2, str(number), "DataTransfer", {"vendorId": "v"}]))
        assert [(one[0], one[1], one[2]) for one in wire.sent] == [(4, str(MAX_UNFINISHED), "InternalError")]
        assert wire.sent[0][4] == {"cause": f"{MAX_UNFINISHED} calls are unfinished"}
        await asyncio.sleep(11)
        await end.route_message(json.dumps([2, "again", "DataTransfer", {"vendorId": "v"}]))
        await asyncio.sleep(11)

    clock.run(main())
    assert [one[0] for one in wire.sent[1:]] == [3] * (MAX_UNFINISHED + 1)
    assert wire.sent[-1][1] == "again"


@pytest.mark.parametrize(
    ("payload", "old", "new"),
    [
        ({"connectorId": 1, "meterValue": []}, "OccurenceConstraintViolation", ""),
        ({"evseId": 1, "meterValue": []}, "", "OccurrenceConstraintViolation"),
        ({"connectorId": 1}, "ProtocolError", ""),
        ({"evseId": 1}, "", "OccurrenceConstraintViolation"),
    ],
)
@pytest.mark.parametrize("version", VERSIONS)
def test_too_few_items_and_missing_fields_have_the_code_of_their_version(
    version: str, payload: dict[str, Any], old: str, new: str
) -> None:
    """Occurrence constraints are named as such; only in 1.6 is an incomplete payload a ProtocolError."""
    code = old if version == "1.6" else new

    def handle(_self: Any, **_request: Any) -> Any:
        raise AssertionError

    if code:
        sent = hear(version, [[2, "1", "MeterValues", payload]], on("MeterValues")(handle))
        assert (len(sent), sent[0][2]) == (1, code)


def beat(version: str, fail: str) -> list[Any]:
    """Handlers of Heartbeat: an answer, and something afterwards that raises, at once or in a coroutine."""

    def handle(_self: Any) -> Any:
        return messages(version).call_result.Heartbeat(current_time=WHEN)

    async def handle_later(_self: Any) -> Any:
        return messages(version).call_result.Heartbeat(current_time=WHEN)

    def follow(_self: Any) -> None:
        raise ValueError("afterwards")

    async def follow_later(_self: Any) -> None:
        raise ValueError("afterwards")

    handler = handle_later if fail.endswith("late answer") else handle
    return [on("Heartbeat")(handler), after("Heartbeat")(follow if fail.startswith("at once") else follow_later)]


@pytest.mark.parametrize("fail", ["at once", "in a coroutine", "at once, late answer", "in a coroutine, late answer"])
@pytest.mark.parametrize("version", VERSIONS)
def test_what_fails_after_the_answer_is_logged_and_ends_nothing(
    version: str, fail: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Each call has one answer, and the next one is answered too."""
    sent = hear(version, [[2, "1", "Heartbeat", {}], [2, "2", "Heartbeat", {}]], *beat(version, fail))
    assert sent == [[3, "1", {"currentTime": WHEN}], [3, "2", {"currentTime": WHEN}]]
    said = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert [record.name for record in said] == ["hilbench.ocppj.peer"] * 2
    assert "afterwards" in caplog.text


@pytest.mark.parametrize("version", VERSIONS)
def test_an_answer_that_cannot_be_used_is_refused_to_the_peer_of_2_1(version: str) -> None:
    """The caller gets CallFailed in every version; 2.1 sends CALLRESULTERROR with the id of the answer."""
    wire = Wire()

    async def main() -> None:
        end = peer(version, wire)
        calling = asyncio.create_task(end.call(messages(version).call.Heartbeat()))
        await asyncio.sleep(0.1)
        await end.route_message(json.dumps([3, "1", {"currentTime": 5}]))
        with pytest.raises(CallFailed, match="TypeConstraintViolation"):
            await calling

    clock.run(main())
    refusals = [frame for frame in wire.sent if frame[0] == 5]
    assert [frame[:3] for frame in refusals] == ([[5, "1", "TypeConstraintViolation"]] if version == "2.1" else [])
    assert all(len(frame) == 5 and "currentTime" not in frame[3] for frame in refusals)


def test_a_refused_answer_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """CALLRESULTERROR of a peer is said with its code and gets no reply."""
    assert hear("2.1", [[5, "77", "FormatViolation", "no", {"cause": "why"}], [5]]) == []
    assert "station: our answer is refused: 77 FormatViolation no" in caplog.text


def conversation(test: Callable[[Any, Any], Awaitable[Any]], station: Any, central: Any) -> Any:
    """Two ends of 2.1 over a WebSocket in memory."""

    async def main() -> Any:
        ends: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        async def serve(connection: Any, identity: str) -> None:
            end = central(identity, connection)
            ends.set_result(end)
            await end.start()

        async with listen("127.0.0.1", 0, serve, versions=("2.1",)) as port:
            end = station("A", await dial(f"ws://127.0.0.1:{port}", "A", version="2.1"))
            receiving = asyncio.create_task(end.start())
            try:
                return await test(end, await ends)
            finally:
                await end._connection.close()
                await receiving

    return clock.run(main())


STREAM = {"id": 1, "pending": 0, "basetime": WHEN, "data": [{"t": 0, "v": "1"}]}


@pytest.mark.parametrize("late", [False, True])
def test_messages_without_answer_go_both_ways(late: bool) -> None:
    """SEND of either end reaches the handler of the other, coroutine or not, and nothing comes back."""
    heard: list[tuple[str, Any]] = []
    frames: list[str] = []

    class End(ChargePoint21):
        """Hears of a stream."""

        @on("NotifyPeriodicEventStream")
        def on_stream(self, **event: Any) -> Any:
            async def later() -> None:
                heard.append((type(self).__name__, event))

            if late:
                return later()
            return heard.append((type(self).__name__, event))

    class Other(End):
        """The other one."""

    async def test(station: Any, central: Any) -> None:
        central._on_frame = station._on_frame = lambda direction, text: frames.append(f"{direction} {text}")
        event = dataclasses.make_dataclass("NotifyPeriodicEventStream", list(STREAM))(**STREAM)
        await station.send(event)
        await central.send(event)
        await asyncio.sleep(1)

    conversation(test, End, Other)
    assert sorted(heard, key=str) == [("End", STREAM), ("Other", STREAM)]
    assert [frame.split(",")[0] for frame in sorted(frames)] == ["in [6", "in [6", "out [6", "out [6"]


def test_a_message_without_answer_that_breaks_its_schema_is_dropped(caplog: pytest.LogCaptureFixture) -> None:
    """It reaches no handler, and the log says why."""

    def handle(_self: Any, **_event: Any) -> None:
        raise AssertionError

    frame = [6, "1", "NotifyPeriodicEventStream", {"id": 1}]
    assert hear("2.1", [frame], on("NotifyPeriodicEventStream")(handle)) == []
    assert "NotifyPeriodicEventStream is dropped" in caplog.text
    check(2, "NotifyPeriodicEventStream", STREAM, "2.1")
