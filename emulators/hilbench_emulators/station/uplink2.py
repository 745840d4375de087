"""What an OCPP 2.x station does on a connection: register, deliver its events, and send heartbeats."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from websockets.asyncio.client import ClientConnection

from hilbench.ocppj import CallFailed, messages
from hilbench_emulators.station.handlers2 import Handlers21, Handlers201
from hilbench_emulators.station.uplink import LINK_LOST, Uplink

if TYPE_CHECKING:
    from hilbench_emulators.station.ocpp2 import AcStation2


class Uplink2(Uplink):
    """See :class:`Uplink`; ``messages`` are the requests of its version."""

    _station: AcStation2

    def __init__(self, station: AcStation2, url: str | Callable[[], str], rng: np.random.Generator) -> None:
        super().__init__(station, url, rng)
        self.heartbeat_s = float(station.settings.heartbeat_s)
        self.version = station.version
        self.messages: Any = messages(station.version).call
        self._booted = False

    def handlers(self, connection: ClientConnection) -> Any:
        """See :class:`Uplink`."""
        return (Handlers201 if self.version == "2.0.1" else Handlers21)(self._station, connection)

    def say(self, payload: Any) -> None:
        """Send a request beside everything else; its answer does not matter."""
        if self.link is not None:
            self.link.spawn(self.link.call(payload))

    async def work(self, link: Any) -> None:
        """See :class:`Uplink`."""
        await self._register(link)
        self.connected, self.refusal = True, ""
        self._station.came_online()
        await link.call(self._station.status_message())
        sender = asyncio.ensure_future(self._send_queue(link))
        try:
            await self._heartbeats(link, sender)
        finally:
            sender.cancel()

    async def _register(self, link: Any) -> None:
        while not self._booted or self._settings.boot_on_reconnect:
            answer = await link.call(self._station.boot_message("PowerUp"))
            self._station.set_clock(answer.current_time)
            self.heartbeat_s = float(answer.interval if answer.interval > 0 else self._settings.heartbeat_s)
            self._booted = answer.status == "Accepted"
            if self._booted:
                return
            self.refusal = f"BootNotification was answered with {answer.status}"
            await asyncio.sleep(self.heartbeat_s)

    async def _heartbeats(self, link: Any, sender: asyncio.Future[None]) -> None:
        while True:
            done, _ = await asyncio.wait({sender}, timeout=self.heartbeat_s)
            if done:
                return
            answer = await link.call(self.messages.Heartbeat())
            self._station.set_clock(answer.current_time)

    async def _send_queue(self, link: Any) -> None:
        """Deliver events in order; returns when the link is lost."""
        attempt, queue = 0, self._station.queue
        while True:
            await self._station.queued.wait()
            if not queue.entries:
                self._station.queued.clear()
                continue
            entry = queue.entries[0]
            try:
                answer = await link.call(self.messages.TransactionEvent(**entry))
            except CallFailed as error:
                if error.code in LINK_LOST:
                    return
                attempt += 1
                if attempt < self._settings.transaction_attempts:
                    await asyncio.sleep(self._settings.transaction_retry_s * attempt)
                    continue
            else:
                self._delivered(entry, answer)
            attempt = 0
            if queue.entries and queue.entries[0] is entry:
                del queue.entries[0]

    def _delivered(self, entry: dict[str, Any], answer: Any) -> None:
        info = answer.id_token_info
        same = entry["transaction_info"]["transaction_id"] == self._station.transaction_id
        if info and info["status"] != "Accepted" and same:
            self._station.end("DeAuthorized")
