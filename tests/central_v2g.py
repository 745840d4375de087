"""A central system for tests that lets cars discharge: what the building leaves of the budget, shared by all cars."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.server import ServerConnection

from hilbench import ocppj
from hilbench.bench import Bench
from hilbench.ocppj import after, messages, on
from hilbench.signals import base_current
from tests.station_bench import stamp

BOTH = ["AC_three_phase", "AC_BPT"]
_RESULTS: Any = messages("2.1").call_result
_CALLS: Any = messages("2.1").call
Answer = Callable[..., Any]


def _answers(name: str, action: str, **fields: Any) -> Answer:
    def handle(self: Any, **_data: Any) -> Any:
        now = {"current_time": stamp()} if action in ("BootNotification", "Heartbeat") else {}
        return getattr(_RESULTS, action)(**now, **fields)

    handle.__name__ = name  # the package finds handlers by their names
    return on(action)(handle)


class Session(ocppj.ChargePoint21):
    """One station; ``transaction`` is the one that runs there."""

    transaction: str | None = None
    on_boot = _answers("on_boot", "BootNotification", interval=300, status="Accepted")
    on_heartbeat = _answers("on_heartbeat", "Heartbeat")
    on_status = _answers("on_status", "StatusNotification")
    on_values = _answers("on_values", "MeterValues")
    on_security = _answers("on_security", "SecurityEventNotification")
    on_needs = _answers("on_needs", "NotifyEVChargingNeeds", status="Accepted")
    on_authorize = _answers(
        "on_authorize", "Authorize", id_token_info={"status": "Accepted"}, allowed_energy_transfer=BOTH
    )

    @on("TransactionEvent")
    def on_event(self, event_type: str, transaction_info: dict[str, Any], **_data: Any) -> Any:
        """Note which transaction runs."""
        self.transaction = None if event_type == "Ended" else transaction_info["transaction_id"]
        return _RESULTS.TransactionEvent()

    @after("BootNotification")
    async def after_boot(self, **_data: Any) -> None:
        """Nothing flows before it says so."""
        period = {"start_period": 0, "limit": 0.0}
        schedule = {"id": 1, "charging_rate_unit": "A", "charging_schedule_period": [period]}
        profile = {
            "id": 2,
            "stack_level": 0,
            "charging_profile_purpose": "TxDefaultProfile",
            "charging_profile_kind": "Absolute",
            "charging_schedule": [schedule | {"start_schedule": stamp()}],
        }
        await self.call(_CALLS.SetChargingProfile(evse_id=1, charging_profile=profile))

    async def order(self, setpoint_a: float) -> None:
        """Let the car take, or give, so much per phase."""
        period = {"start_period": 0, "operation_mode": "CentralSetpoint", "setpoint": round(setpoint_a, 1)}
        schedule = {"id": 1, "charging_rate_unit": "A", "duration": 120, "charging_schedule_period": [period]}
        profile = {
            "id": 1,
            "stack_level": 1,
            "charging_profile_purpose": "TxProfile",
            "charging_profile_kind": "Dynamic",
            "transaction_id": self.transaction,
            "charging_schedule": [schedule],
        }
        await self.call(_CALLS.SetChargingProfile(evse_id=1, charging_profile=profile))


class Central:
    """Every 30 s it reads the building and the cars from the bench itself: no meter stands between.

    Where there is not enough for all to charge, the emptiest come first.
    """

    def __init__(self, *, margin_a: float = 3.0, give: bool = True) -> None:
        self.sessions: dict[str, Session] = {}
        self.bench: Bench
        self._margin_a = margin_a
        self._give = give

    async def handler(self, connection: ServerConnection, identity: str) -> None:
        """One connection."""
        self.sessions[identity] = Session(identity, connection)
        await self.sessions[identity].start()

    async def steer(self) -> None:
        """Share what there is, for ever."""
        while True:
            await asyncio.sleep(30.0)
            self.bench.plant.touch()
            running = [name for name, one in self.sessions.items() if one.transaction is not None]
            running.sort(key=lambda name: self.bench.plant.station_reading(name).soc or 0.0)
            for name, share_a in zip(running, self._shares(len(running)), strict=True):
                await self.sessions[name].order(share_a)

    def _shares(self, cars: int) -> list[float]:
        site = self.bench.site
        base_a = max(self.bench.record.signals[base_current(line)].last() or 0.0 for line in site.lines)
        room_a = site.nodes[0].limit_a - self._margin_a - base_a
        if room_a < 0.0:
            return [room_a / cars if self._give else 0.0] * cars
        fed = min(cars, int(room_a / 6.0))
        return [room_a / fed if index < fed else 0.0 for index in range(cars)] if fed else [0.0] * cars


@asynccontextmanager
async def serving(central: Central, port: int) -> AsyncIterator[None]:
    """The central system listens on ``port`` and steers the bench that it is given later."""
    async with ocppj.listen("127.0.0.1", port, central.handler, versions=("2.1",)):
        yield


@asynccontextmanager
async def steered(central: Central, bench: Bench) -> AsyncIterator[None]:
    """It steers ``bench``, which runs."""
    central.bench = bench
    task = asyncio.create_task(central.steer())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error
