"""Malformed frames to the reference controller: it refuses them and serves this station and the others as before."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from hilbench import clock
from hilbench.ocppj import messages
from hilbench.reference import reference_controller
from hilbench.rig import load_rig
from tests.bad_frames import BEYOND, DEEP, TO_EVERYBODY, Answer, Frame, matches, said, sent

STAMP = "2024-06-04T16:00:00Z"


def metered(value: Any, **changes: Any) -> Frame:
    """MeterValues with one sample."""
    sample = {"value": value, "measurand": "Current.Import", "unit": "A", "phase": "L1", **changes}
    return sent("MeterValues", connectorId=1, meterValue=[{"timestamp": STAMP, "sampledValue": [sample]}])


def status(**changes: Any) -> Frame:
    """StatusNotification."""
    return sent("StatusNotification", **{"connectorId": 1, "errorCode": "NoError", "status": "Charging", **changes})


TO_CONTROLLER: dict[str, tuple[Frame, Answer]] = {
    "missing key": (sent("BootNotification", chargePointVendor="v"), '4 ProtocolError "chargePointModel"'),
    "text too long": (sent("BootNotification", chargePointVendor="v" * 21, chargePointModel="m"), "4 TypeConstraint"),
    "unknown key": (sent("Heartbeat", x=1), "4 FormationViolation Additional properties"),
    "unknown status": (status(status="Flying"), '4 FormationViolation "Flying" is not one of'),
    "connector is text": (status(connectorId="1"), "4 TypeConstraintViolation"),
    "connector from nowhere": (status(connectorId=10**20), "4 TypeConstraintViolation"),
    "connector negative": (status(connectorId=-1), "3 "),
    "status of yesterday": (status(timestamp="yesterday"), '4 FormationViolation "yesterday" is not a "date-time"'),
    "value is a number": (metered(16), "4 TypeConstraintViolation"),
    "value is NaN": (metered("NaN"), "3 "),
    "value is infinite": (metered("1e999"), "3 "),
    "value is text": (metered("a lot"), "3 "),
    "value with a comma": (metered("16,5"), "3 "),
    "value is empty": (metered(""), "3 "),
    "unknown unit": (metered("16", unit="mA"), '4 FormationViolation "mA" is not one of'),
    "unknown phase": (metered("16", phase="L9"), '4 FormationViolation "L9" is not one of'),
    "neutral": (metered("16", phase="N"), "3 "),
    "no value": (sent("MeterValues", connectorId=1, meterValue=[]), "4 OccurenceConstraintViolation less than"),
    "no values": (sent("MeterValues", connectorId=1), '4 ProtocolError "meterValue" is a required'),
    "tag too long": (
        sent("StartTransaction", connectorId=1, idTag="t" * 21, meterStart=0, timestamp=STAMP),
        "4 TypeConstraintViolation",
    ),
    "stop of what never began": (
        sent("StopTransaction", transactionId=10**20, meterStop=0, timestamp=STAMP),
        "4 TypeConst",
    ),
    "stop of yesterday": (sent("StopTransaction", transactionId=1, meterStop=0, timestamp="yesterday"), "4 Formation"),
    "another's action": (sent("RemoteStartTransaction", idTag="t"), "4 NotSupported no handler for Remote"),
}
ANSWERS = {
    "wrong type": '[3,"1",{"status":5}]',
    "no choice": '[3,"1",{"status":"Perhaps"}]',
    "nothing": '[3,"1",{}]',
    "null": '[3,"1",null]',
    "a list": '[3,"1",[]]',
    "error of one word": '[4,"1","InternalError"]',
    "error of no words": '[4,"1",{},[]]',
    "error that nobody knows": '[4,"1","Nonsense","x",{}]',
}
"""Answers to the first call of the controller, which installs the fallback."""


class Dialled:
    """The raw connections of two stations to a controller; ``heard`` is what came back on the first."""

    def __init__(self, first: ClientConnection, second: ClientConnection) -> None:
        self.heard: list[str] = []
        self.others: list[str] = []
        self.first, self.second = first, second
        pairs = ((first, self.heard), (second, self.others))
        self.tasks = [asyncio.create_task(_listen(connection, heard)) for connection, heard in pairs]


async def _listen(connection: ClientConnection, heard: list[str]) -> None:
    with suppress(ConnectionClosed):
        while True:
            heard.append(str(await connection.recv()))


async def with_controller(body: Callable[[Dialled], Any]) -> Any:
    """Run ``body`` beside a reference controller that two raw stations have dialled."""
    running = asyncio.create_task(reference_controller(load_rig("workplace-10")).run())
    await asyncio.sleep(0.1)
    where = "ws://127.0.0.1:9000/ocpp"
    options: dict[str, Any] = {"subprotocols": [messages("1.6").subprotocol], "proxy": None, "ping_interval": None}
    async with connect(f"{where}/A", **options) as first, connect(f"{where}/B", **options) as second:
        dialled = Dialled(first, second)
        await asyncio.sleep(1)
        result = await body(dialled)
        assert not running.done()
        for task in [*dialled.tasks, running]:
            task.cancel()
        await asyncio.gather(*dialled.tasks, running, return_exceptions=True)
        return result


def answers_of(frame: Frame) -> list[str]:
    """What a controller sends in return; both its connections must still answer a heartbeat afterwards."""

    async def body(d: Dialled) -> list[str]:
        asked = len(d.heard)
        await d.first.send(frame)
        await asyncio.sleep(1)
        returned = d.heard[asked:]
        for connection in (d.first, d.second):
            await connection.send('[2,"alive","Heartbeat",{}]')
        await asyncio.sleep(1)
        assert any('"alive"' in text for text in d.heard)
        assert any('"alive"' in text for text in d.others)
        return returned

    found: list[str] = clock.run(with_controller(body))
    return found


@pytest.mark.parametrize(
    ("frame", "expected"), [*(TO_EVERYBODY | TO_CONTROLLER).values()], ids=[*(TO_EVERYBODY | TO_CONTROLLER)]
)
def test_the_controller_refuses_a_bad_frame_and_goes_on(
    frame: Frame, expected: Answer, caplog: pytest.LogCaptureFixture
) -> None:
    """The answer names the mistake, and this station and the next one are served as before."""
    answer = said(answers_of(frame))
    assert matches(answer, expected), answer
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize(
    "frame",
    [*ANSWERS.values(), pytest.param(f'[3,"1",{DEEP}]')],
    ids=[*ANSWERS, "nested too deeply"],
)
def test_a_bad_answer_does_not_hold_up_the_controllers_next_call(frame: Frame) -> None:
    """A station that answers nonsense to its fallback is still asked for reports."""
    (asked,) = answers_of(frame)
    assert json.loads(asked)[:3] == [2, "2", "ChangeConfiguration"]


@pytest.mark.parametrize("frame", BEYOND.values(), ids=BEYOND.keys())
def test_the_controller_refuses_what_cannot_be_validated(frame: Frame) -> None:
    """This station and the next one are served as before."""
    assert matches(said(answers_of(frame)), "4 FormationViolation")


def test_a_station_that_boots_without_end_is_installed_once_more_not_a_thousand_times() -> None:
    """A thousand boots while the first installation waits are all answered, and lead to one more installation."""

    async def body(d: Dialled) -> list[str]:
        d.heard.clear()
        for _ in range(1000):
            await d.first.send(sent("BootNotification", chargePointVendor="v", chargePointModel="m"))
        await asyncio.sleep(120)
        return list(d.heard)

    heard: list[str] = clock.run(with_controller(body))
    assert sum(text.startswith('[3,"x"') for text in heard) == 1000
    assert 1 <= sum('"SetChargingProfile"' in text for text in heard) <= 2
