"""After the fuzz: an honest session at the station, and honest stations at the controller."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from benches.fuzz_attack import PATIENCE_S, Attack
from benches.fuzz_replies import now
from benches.fuzz_targets import Target
from hilbench import clock
from hilbench.fleet import Fleet, Plan

LIMIT_A = 10.0
FALLBACK_A = 6.0
"""Of the rig's stations, where they stand while the controller has no meter."""
RESETS = {"1.6": "Hard", "2.0.1": "Immediate", "2.1": "Immediate"}
STOPPED = {"1.6": "StopTransaction", "2.0.1": "Ended", "2.1": "Ended"}


class Honest:
    """The central system of one connection, which now means well; ``heard`` are the calls of the station."""

    def __init__(self, attack: Attack, link: ServerConnection) -> None:
        self._attack = attack
        self._link = link
        self.heard: list[str] = []
        self.answers: dict[str, Any] = {}
        self._number = 0
        self._task = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        try:
            while True:
                text = str(await self._link.recv())
                frame = json.loads(text)
                if frame[0] in (3, 4):
                    self.answers[frame[1]] = frame[2:]
                else:
                    action, data = await self._attack.heard(self._link, text)
                    self.heard.append(f"{action} {(data or {}).get('eventType', '')}")
        except ConnectionClosed:
            return

    async def ask(self, action: str, **payload: Any) -> Any:
        """The answer to a call: payload, or code and more of an error; raises ``TimeoutError``."""
        self._number += 1
        unique_id = f"ask{self._number}"
        await self._link.send(json.dumps([2, unique_id, action, payload]))
        await until(lambda: unique_id in self.answers)
        return self.answers[unique_id]

    async def close(self) -> None:
        """Listen no more."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


async def until(true: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
    """Wait for something; raises ``TimeoutError``."""
    end = clock.time() + patience_s
    while not true():
        if clock.time() > end:
            raise TimeoutError
        await asyncio.sleep(0.05)


def _limit(version: str) -> dict[str, Any]:
    schedule: dict[str, Any] = {
        "chargingRateUnit": "A",
        "startSchedule": now(),
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": LIMIT_A}],
    }
    old = version == "1.6"
    profile = {
        "chargingProfileId" if old else "id": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Absolute",
        "chargingSchedule": schedule if old else [schedule | {"id": 1}],
    }
    return {"connectorId": 0, "csChargingProfiles": profile} if old else {"evseId": 0, "chargingProfile": profile}


async def session(attack: Attack, links: asyncio.Queue[ServerConnection], target: Target) -> str:
    """Restart, plug in, limit, follow, unplug; what did not happen."""
    attack.replies.hostile = False
    step = "answers a Reset"
    try:
        await target.ask("unplug")
        link = await latest(links)
        first = Honest(attack, link)
        await first.ask("Reset", type=RESETS[attack.version])
        step = "comes back"
        await asyncio.wait_for(link.wait_closed(), PATIENCE_S)
        await first.close()
        honest = Honest(attack, await asyncio.wait_for(links.get(), PATIENCE_S))
        for step, perform in STEPS.items():  # noqa: B007 - the message of a failure names it
            await perform(honest, target, attack.version)
    except (TimeoutError, ConnectionClosed, AssertionError) as error:
        return f"{attack.version}: the station no longer {step}: {type(error).__name__} {error}"
    return ""


async def latest(links: asyncio.Queue[ServerConnection]) -> ServerConnection:
    """The next connection that still stands; raises ``TimeoutError``."""
    while True:
        link = await asyncio.wait_for(links.get(), PATIENCE_S)
        if link.close_code is None:
            return link


async def _boots(honest: Honest, _target: Target, version: str) -> None:
    await until(lambda: any(one.startswith("StatusNotification") for one in honest.heard))
    for level in range(11):
        extra = {"stackLevel": level} if version == "1.6" else {"chargingProfileCriteria": {"stackLevel": level}}
        await honest.ask("ClearChargingProfile", **extra)
    for number in (1, 7, -1, 2**63):
        await honest.ask("CancelReservation", reservationId=number)
    whole = {"connectorId": 0, "type": "Operative"} if version == "1.6" else {"operationalStatus": "Operative"}
    assert (await honest.ask("ChangeAvailability", **whole))[0]["status"] == "Accepted"


async def _charges(honest: Honest, target: Target, version: str) -> None:
    await target.ask("plug")
    started = "StartTransaction" if version == "1.6" else "TransactionEvent Started"
    await until(lambda: any(one.startswith(started) for one in honest.heard))
    answer = await honest.ask("SetChargingProfile", **_limit(version))
    assert answer[0].get("status") == "Accepted", answer
    end, state = clock.time() + PATIENCE_S, {"drawn_a": 0.0, "offered_a": 0.0}
    while abs(state["drawn_a"] - LIMIT_A) > 0.5 or abs(state["offered_a"] - LIMIT_A) > 0.1:
        assert clock.time() < end, state
        await asyncio.sleep(0.2)
        state = await target.ask("state")


async def _stops(honest: Honest, target: Target, version: str) -> None:
    await target.ask("unplug")
    await until(lambda: any(STOPPED[version] in one for one in honest.heard))
    await honest.close()


STEPS = {"boots": _boots, "charges at 10 A": _charges, "stops": _stops}


async def at_controller(port: int) -> list[str]:
    """Real stations of all versions, those that were fuzzed before and others: all charge at the fallback."""
    url = f"ws://127.0.0.1:{port}/ocpp"
    groups = [("1.6", ("A", "D")), ("2.0.1", ("B", "E")), ("2.1", ("C", "F"))]
    fleets = [Fleet(Plan(url, names, ocpp=version, boot_s=0.1)) for version, names in groups]
    faults: list[str] = []
    for fleet in fleets:
        await fleet.start()
    for fleet in fleets:
        await fleet.until_accepted(PATIENCE_S)
        for member in fleet.members.values():
            await member.plug("leaf-40")
    for fleet in fleets:
        for row, member in zip(fleet.rows(), fleet.members.values(), strict=True):
            try:
                await until(lambda one=member: one.row().limit_a == FALLBACK_A and one.row().drawn_a > 5)  # type: ignore[misc]
            except TimeoutError:
                faults.append(f"{fleet.plan.ocpp}: an honest station is not driven: {member.row()} was {row}")
    for fleet in fleets:
        await fleet.stop()
    return faults
