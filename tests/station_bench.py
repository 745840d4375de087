"""A station of any version, a faulty wire and a central system that accepts everything and remembers it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from websockets.asyncio.server import ServerConnection

from hilbench import clock, ocppj
from hilbench.ocppj import messages, on, security
from hilbench.signals import Record
from hilbench.site import Branch, Site
from hilbench_emulators.link import FaultLink
from hilbench_emulators.plant import Plant
from hilbench_emulators.station.ocpp2 import AcStation21, AcStation201
from hilbench_emulators.station.ocpp16 import AcStation16
from hilbench_emulators.station.settings import StationSettings
from tests.fake_plant import FakePlant

BRANCH = Branch(role="A1", branch_a=40, max_a=32, connection="L1-N", fallback_a=8)
_CENTRALS = {"1.6": ocppj.ChargePoint16, "2.0.1": ocppj.ChargePoint201, "2.1": ocppj.ChargePoint21}
_STATIONS: dict[str, Any] = {"1.6": AcStation16, "2.0.1": AcStation201, "2.1": AcStation21}
TOKEN = {"id_token": "TAG-A1", "type": "ISO14443"}


def stamp(after_s: float = 0.0) -> str:
    """Bench time ``after_s`` from now, as OCPP writes it."""
    return (clock.now() + timedelta(seconds=after_s)).isoformat().replace("+00:00", "Z")


def _default(version: str, action: str, bench: Bench) -> dict[str, Any]:
    accepted = {"status": "Accepted"}
    answers: dict[str, dict[str, Any]] = {
        "BootNotification": {"current_time": stamp(), "interval": 300, "status": "Accepted"},
        "Heartbeat": {"current_time": stamp()},
        "Authorize": {"id_tag_info" if version == "1.6" else "id_token_info": accepted},
        "StartTransaction": {"transaction_id": bench.transactions, "id_tag_info": accepted},
        "DataTransfer": accepted,
        "PullDynamicScheduleUpdate": accepted,
        "NotifyEVChargingNeeds": accepted,
    }
    return answers.get(action, {})


def _handler(action: str) -> Any:
    def handle(self: Any, **data: Any) -> Any:
        return self.bench.answer(action, data)

    handle.__name__ = f"on_{action}"  # the package finds handlers by their names
    return on(action)(handle)


def _central(version: str) -> Any:
    """A class that answers every action that has a request in that version."""
    requests = messages(version).call
    actions = [name for name in vars(requests) if name[0].isupper() and hasattr(messages(version).call_result, name)]
    return type("Central", (_CENTRALS[version],), {f"on_{name}": _handler(name) for name in actions})


class Bench:
    """``answers[action]``: what to answer instead, a dict or a function of the payload that gives one.

    With a ``site`` of the station's branch the plant is a real one, ``real``.
    """

    def __init__(self, version: str, branch: Branch = BRANCH, **settings: Any) -> None:
        self.version = version
        self.branch = branch
        self.identity = "cp-1"
        self.log: list[tuple[float, str, dict[str, Any]]] = []
        self.answers: dict[str, Any] = {}
        self.transactions = 0
        self.record = Record()
        self.plant = FakePlant()
        self.site: Site | None = None
        self.real: Plant
        self.settings = StationSettings(**settings)
        self.store: dict[str, Any] = {}
        self.calls: Any = messages(version).call
        self.dials: list[float] = []
        self.on_frame: Callable[[str, str], None] | None = None
        self.credentials: list[tuple[str, str] | None] = []
        self.central: Any = None
        self.station: Any = None
        self.link: FaultLink

    def answer(self, action: str, data: dict[str, Any]) -> Any:
        """Note a request; its answer."""
        self.log.append((clock.time(), action, data))
        self.transactions += action == "StartTransaction"
        told = self.answers.get(action, {})
        told = told(data) if callable(told) else told
        payload = _default(self.version, action, self) | told
        return getattr(messages(self.version).call_result, action)(**payload)

    async def handler(self, connection: ServerConnection, identity: str) -> None:
        """One connection."""
        self.dials.append(clock.time())
        assert connection.request is not None
        self.credentials.append(security.credentials(connection.request.headers.get("Authorization")))
        self.central = _central(self.version)(identity, connection)
        self.central.bench = self
        await self.central.start()

    def run(self, body: Callable[[Bench], Awaitable[Any]], settle_s: float = 10) -> Any:
        """The body's result, after ``settle_s`` seconds to come up."""

        async def main() -> Any:
            async with ocppj.listen("127.0.0.1", 0, self.handler, versions=(self.version,)) as port:
                plant: Any = self.plant
                if self.site is not None:
                    plant = self.real = Plant(self.site, self.record, two_way=True)
                self.link = FaultLink("127.0.0.1", 0, "127.0.0.1", port)
                await self.link.start()
                self.station = _STATIONS[self.version](
                    self.branch,
                    plant,
                    url=f"ws://127.0.0.1:{self.link.port}/ocpp",
                    identity=self.identity,
                    record=self.record,
                    settings=self.settings,
                    store=self.store,
                )
                self.station.on_frame = self.on_frame
                await self.station.start()
                await asyncio.sleep(settle_s)
                try:
                    return await body(self)
                finally:
                    await self.station.stop()
                    await self.link.stop()
                    assert not list(self.record.events_of("station.failed"))

        return clock.run(main())

    async def ask(self, action: str, **payload: Any) -> Any:
        """The station's answer to a request of the central system."""
        return await self.central.call(getattr(self.calls, action)(**payload))

    def sent(self, action: str) -> list[dict[str, Any]]:
        """Payloads of one action that the station has sent."""
        return [data for _, kind, data in self.log if kind == action]

    def actions(self) -> list[str]:
        """What the station has sent, in order."""
        return [kind for _, kind, _ in self.log]

    def events(self) -> list[tuple[str, str]]:
        """Type and trigger of every TransactionEvent."""
        return [(data["event_type"], data["trigger_reason"]) for data in self.sent("TransactionEvent")]
