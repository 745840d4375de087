"""Every message of OCPP 1.6, 2.0.1 and 2.1 through this layer, beside the ``ocpp`` package where that is right."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import logging
from collections.abc import Iterator
from typing import Any

import ocpp.v16
import ocpp.v21
import ocpp.v201
import pytest
from ocpp.messages import MessageType

from hilbench import clock
from hilbench.ocppj import (
    VERSIONS,
    CallFailed,
    ChargePoint16,
    ChargePoint21,
    ChargePoint201,
    check,
    dial,
    listen,
    messages,
    on,
    to_camel,
    to_snake,
)
from hilbench.ocppj.versions import names
from tests.ocpp_samples import sample, schemas

OURS: dict[str, Any] = {"1.6": ChargePoint16, "2.0.1": ChargePoint201, "2.1": ChargePoint21}
STOCK: dict[str, Any] = {"1.6": ocpp.v16.ChargePoint, "2.0.1": ocpp.v201.ChargePoint, "2.1": ocpp.v21.ChargePoint}
KINDS = {"call": MessageType.Call, "call_result": MessageType.CallResult}
MESSAGES = [(version, action, kind) for version in VERSIONS for action, kind, _schema in schemas(version)]


class Wire:
    """A connection that keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[Any] = []

    async def send(self, text: str) -> None:
        """Keep the frame."""
        self.sent.append(json.loads(text))


def payload(version: str, action: str, kind: str) -> Any:
    """A full payload of a message."""
    return sample(next(found for one, what, found in schemas(version) if (one, what) == (action, kind)))


@pytest.mark.parametrize(("version", "action", "kind"), MESSAGES)
def test_every_name_of_every_message_survives(version: str, action: str, kind: str) -> None:
    """A payload with all properties is valid, and the same after it has been snake_case."""
    whole = payload(version, action, kind)
    check(KINDS[kind], action, whole, version)
    assert to_camel(to_snake(whole), names(KINDS[kind], action, version)) == whole


def answered(version: str, base: Any, action: str) -> Any:
    """What an end of class ``base`` answers to a full request, its handler giving a full answer back."""
    answer = to_snake(payload(version, action, "call_result"))

    def handle(_self: Any, **_request: Any) -> Any:
        return getattr(messages(version).call_result, action)(**answer)

    wire = Wire()
    peer = type("Peer", (base,), {"handle": on(action)(handle)})("station", wire)
    asyncio.run(peer.route_message(json.dumps([2, "7", action, payload(version, action, "call")])))
    return wire.sent[0] if wire.sent else None


def pairs() -> Iterator[tuple[str, str]]:
    """Messages that have a request and an answer."""
    for version in VERSIONS:
        kinds = [(action, kind) for action, kind, _schema in schemas(version)]
        yield from ((version, action) for action, kind in kinds if kind == "call" and (action, "call_result") in kinds)


@pytest.mark.parametrize(("version", "action"), list(pairs()))
def test_an_answer_is_frame_for_frame_that_of_the_package(
    version: str, action: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The same request and the same answer of a handler make the same frame, except where the package misspells."""
    caplog.set_level(logging.CRITICAL)
    own, stock = answered(version, OURS[version], action), answered(version, STOCK[version], action)
    assert own == [3, "7", payload(version, action, "call_result")]
    if version != "2.1" or stock == own:
        assert stock == own
    else:
        assert stock is None or stock[0] == MessageType.CallError


BAD = {
    "not JSON": ("{", "4 -1 FormationViolation", "4 -1 RpcFrameworkError"),
    "no message": ("[]", "4 -1 FormationViolation", "4 -1 RpcFrameworkError"),
    "id too long": (json.dumps([2, "x" * 37, "Heartbeat", {}]), "4 -1 FormationViolation", "4 -1 RpcFrameworkError"),
    "unknown type": ('[9, "1", "Heartbeat", {}]', "", "4 1 MessageTypeNotSupported"),
    "unknown action": ('[2, "1", "Teleport", {}]', "4 1 NotImplemented", "4 1 NotImplemented"),
    "no handler": ('[2, "1", "DataTransfer", {"vendorId": "x"}]', "4 1 NotSupported", "4 1 NotSupported"),
    "no payload": ('[2, "1", "Heartbeat"]', "4 1 FormationViolation", "4 1 RpcFrameworkError"),
    "unknown key": ('[2, "1", "Heartbeat", {"x": 1}]', "4 1 FormationViolation", "4 1 FormatViolation"),
    "answer to nothing": ('[3, "99", {}]', "", ""),
    "error to nothing": ('[4, "99", "GenericError", "", {}]', "", ""),
}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("case", BAD)
def test_a_bad_frame_gets_the_code_of_its_version(version: str, case: str) -> None:
    """Codes are spelt as the version spells them; 1.6 ignores unknown message types, 2.x answers them."""
    text, old, new = BAD[case]

    def handle(_self: Any, **_request: Any) -> Any:
        return messages(version).call_result.Heartbeat(current_time="2024-06-04T16:00:00.000Z")

    wire = Wire()
    peer = type("Peer", (OURS[version],), {"handle": on("Heartbeat")(handle)})("station", wire)
    asyncio.run(peer.route_message(text))
    said = " ".join(str(part) for part in wire.sent[0][:3]) if wire.sent else ""
    assert said == (old if version == "1.6" else new)


def test_a_message_without_answer_is_sent_and_taken() -> None:
    """SEND of 2.1 reaches its handler, and nothing goes back."""
    heard: list[Any] = []

    def handle(_self: Any, **request: Any) -> None:
        heard.append(request)

    event = payload("2.1", "NotifyPeriodicEventStream", "call")
    sender, receiver = Wire(), Wire()

    async def main() -> None:
        content = to_snake(event)
        told = dataclasses.make_dataclass("NotifyPeriodicEventStream", list(content))(**content)
        await OURS["2.1"]("station", sender).send(told)
        peer = type("Peer", (ChargePoint21,), {"handle": on("NotifyPeriodicEventStream")(handle)})("csms", receiver)
        await peer.route_message(json.dumps(sender.sent[0]))

    asyncio.run(main())
    assert sender.sent[0][0] == 6
    assert heard == [to_snake(event)]
    assert receiver.sent == []


@pytest.mark.parametrize("version", VERSIONS)
def test_both_ends_agree_on_the_version_that_the_station_asks_for(version: str) -> None:
    """A central system of three versions answers each in its own; one that lacks it is refused with a reason."""
    agreed: list[str] = []

    async def serve(connection: Any, _identity: str) -> None:
        agreed.append(str(connection.subprotocol))
        await connection.wait_closed()

    async def main() -> None:
        async with listen("127.0.0.1", 9000, serve, versions=VERSIONS):
            await (await dial("ws://127.0.0.1:9000", "A", version=version)).close()
        other = next(one for one in VERSIONS if one != version)
        async with listen("127.0.0.1", 9001, serve, versions=(other,)):
            with pytest.raises(CallFailed, match="does not speak"):
                await dial("ws://127.0.0.1:9001", "A", version=version)

    clock.run(main())
    assert agreed == [f"ocpp{version}"]
