"""OCPP-J layer: schemas, CALLERRORs, ids, a receive loop that nothing ends."""
# ruff: noqa: D102, ARG002 - handlers of a fake are what their decorators say

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from types import MethodType
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection

from hilbench import clock, ocppj
from hilbench.ocppj import call, call_result, on


class Central(ocppj.ChargePoint16):
    """A central system with two handlers, one of which calls back."""

    @on("Heartbeat")
    def on_heartbeat(self) -> Any:
        return call_result.Heartbeat(current_time="2024-06-04T16:00:00Z")

    @on("DataTransfer")
    async def on_data_transfer(self, vendor_id: str, **_: Any) -> Any:
        if vendor_id == "bad":
            raise ValueError("no")
        if vendor_id == "slow":
            await asyncio.sleep(100)
        answer = await self.call(call.GetConfiguration())
        return call_result.DataTransfer(status="Accepted", data=str(len(answer.configuration_key)))


class Station(ocppj.ChargePoint16):
    """A station that answers GetConfiguration and one profile."""

    limit: object = None

    @on("GetConfiguration")
    def on_get(self) -> Any:
        return call_result.GetConfiguration(configuration_key=[{"key": "a", "readonly": True}])

    @on("SetChargingProfile")
    def on_set(self, connector_id: int, cs_charging_profiles: dict[str, Any]) -> Any:
        self.limit = cs_charging_profiles["charging_schedule"]["charging_schedule_period"][0]["limit"]
        return call_result.SetChargingProfile(status="Accepted")


def run(body: Callable[[Station, Central], Awaitable[Any]]) -> Any:
    """A station and a central system on a virtual loop."""

    async def main() -> Any:
        ends: asyncio.Future[Central] = asyncio.get_running_loop().create_future()

        async def handler(connection: ServerConnection, identity: str) -> None:
            central = Central(identity, connection)
            ends.set_result(central)
            await central.start()

        async with ocppj.listen("127.0.0.1", 0, handler) as port:
            connection = await ocppj.dial(f"ws://127.0.0.1:{port}/ocpp", "cp-1")
            station = Station("cp-1", connection)
            task = asyncio.create_task(station.start())
            try:
                return await body(station, await ends)
            finally:
                await connection.close()
                await task

    return clock.run(main())


def test_a_call_is_answered_and_ids_count_up() -> None:
    """Two calls carry ids 1 and 2 and the identity of the path reaches the handler."""

    async def body(station: Station, central: Central) -> tuple[str, str, int]:
        answer = await station.call(call.Heartbeat())
        await station.call(call.Heartbeat())
        return answer.current_time, central.id, station.next_id

    assert run(body) == ("2024-06-04T16:00:00Z", "cp-1", 3)


def test_a_handler_may_call_the_peer() -> None:
    """A coroutine handler calls back while its caller waits."""

    async def body(station: Station, _central: Central) -> Any:
        return await station.call(call.DataTransfer(vendor_id="x"))

    assert run(body).data == "1"


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("{", "FormationViolation"),
        ("[]", "FormationViolation"),
        ("[2]", "FormationViolation"),
        ('[2,5,"Heartbeat",{}]', "FormationViolation"),
        ('[2,"7","Heartbeat",null]', "FormationViolation"),
        ('[2,"7","Nonsense",{}]', "NotImplemented"),
        ('[2,"7","BootNotification",{}]', "NotSupported"),
        ('[2,"7","Heartbeat",{"x":1}]', "FormationViolation"),
        ('[2,"7","DataTransfer",{}]', "ProtocolError"),
        ('[2,"7","DataTransfer",{"vendorId":1}]', "TypeConstraintViolation"),
        ('[2,"7","DataTransfer",{"vendorId":"bad"}]', "InternalError"),
    ],
)
def test_a_bad_frame_gets_a_callerror_and_the_link_lives(frame: str, code: str) -> None:
    """What cannot be used is refused by the right code, and the next call is answered."""

    async def body(station: Station, _central: Central) -> list[str]:
        seen: list[str] = []
        station._on_frame = lambda way, text: seen.append(text) if way == "in" else None
        await station._connection.send(frame)
        await station.call(call.Heartbeat())
        return seen

    answers = [json.loads(text) for text in run(body)]
    assert [a[2] for a in answers if a[0] == 4] == [code]


@pytest.mark.parametrize("frame", ["[6,1]", "[3]", '[3,"9",{}]', "[4,{}]", "[9]"])
def test_stray_answers_and_unknown_types_are_ignored(frame: str) -> None:
    """Frames that answer nothing get no reply."""

    async def body(station: Station, _central: Central) -> Any:
        await station._connection.send(frame)
        return await station.call(call.Heartbeat())

    assert run(body).current_time


def test_what_fails_after_an_answer_sends_no_second_one() -> None:
    """The caller gets one answer; the error goes to the loop's handler."""
    told: list[str] = []

    def fail(**_: Any) -> None:
        raise ValueError("no")

    async def body(station: Station, central: Central) -> list[str]:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: told.append(context["message"]))
        central.route_map["Heartbeat"]["_after_action"] = MethodType(lambda _self, **_: fail(), central)
        seen: list[str] = []
        station._on_frame = lambda way, text: seen.append(text) if way == "in" else None
        await station.call(call.Heartbeat())
        await asyncio.sleep(1)
        return seen

    assert len(run(body)) == 1
    assert "ValueError: no" in told[0]


def test_limits_are_floats() -> None:
    """One decimal place passes the schema and arrives as a float; two are refused before sending."""

    async def body(station: Station, central: Central) -> object:
        def profile(limit: float) -> call.SetChargingProfile:
            schedule = {"charging_rate_unit": "A", "charging_schedule_period": [{"start_period": 0, "limit": limit}]}
            chosen = {
                "charging_profile_id": 1,
                "stack_level": 0,
                "charging_profile_purpose": "TxDefaultProfile",
                "charging_profile_kind": "Absolute",
                "charging_schedule": schedule,
            }
            return call.SetChargingProfile(connector_id=0, cs_charging_profiles=chosen)

        with pytest.raises(ocppj.CallFailed):
            await central.call(profile(16.15))
        await central.call(profile(16.1))
        return station.limit

    assert type(run(body)) is float


def test_a_call_without_answer_fails_after_the_timeout() -> None:
    """Time-out and CALLERROR are CallFailed with a code."""

    async def body(station: Station, _central: Central) -> tuple[str, str, float]:
        with pytest.raises(ocppj.CallFailed) as slow:
            await station.call(call.DataTransfer(vendor_id="slow"))
        waited = clock.time()
        with pytest.raises(ocppj.CallFailed) as refused:
            await station.call(call.DataTransfer(vendor_id="bad"))
        return slow.value.code, refused.value.code, waited

    slow, refused, waited = run(body)
    assert (slow, refused) == ("Timeout", "InternalError")
    assert waited == pytest.approx(30.0, abs=0.1)


def test_a_lost_link_fails_the_call() -> None:
    """A reset while waiting ends the call at once."""

    async def body(station: Station, central: Central) -> tuple[str, float]:
        asyncio.get_running_loop().call_later(3, central._connection.transport.abort)
        with pytest.raises(ocppj.CallFailed) as lost:
            await station.call(call.DataTransfer(vendor_id="slow"))
        return lost.value.code, clock.time()

    assert run(body) == ("ConnectionLost", pytest.approx(3.0, abs=0.1))


def test_nobody_there_is_a_failed_call() -> None:
    """A refused connection names the address."""
    with pytest.raises(ocppj.CallFailed, match=r"127\.0\.0\.1:9"):
        clock.run(ocppj.dial("ws://127.0.0.1:9/ocpp", "cp-1"))
