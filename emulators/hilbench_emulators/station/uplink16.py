"""What an OCPP 1.6 station does on a connection: register, deliver, and send heartbeats."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from websockets.asyncio.client import ClientConnection

from hilbench.ocppj import CallFailed, call
from hilbench_emulators.station.handlers16 import Handlers16
from hilbench_emulators.station.uplink import LINK_LOST, Uplink

if TYPE_CHECKING:
    from hilbench_emulators.station.ocpp16 import AcStation16


class Uplink16(Uplink):
    """See :class:`Uplink`."""

    _station: AcStation16

    def __init__(self, station: AcStation16, url: str | Callable[[], str], rng: np.random.Generator) -> None:
        super().__init__(station, url, rng)
        self.heartbeat_s = float(station.settings.heartbeat_s)
        self._booted = False

    def handlers(self, connection: ClientConnection) -> Handlers16:
        """See :class:`Uplink`."""
        return Handlers16(self._station, connection)

    async def work(self, link: Handlers16) -> None:
        """Register, report, then heartbeats and transaction messages until a call fails."""
        await self._register(link)
        self.connected, self.refusal = True, ""
        self._station.came_online()
        await link.call(self._station.status_message())
        sender = asyncio.ensure_future(self._send_queue(link))
        try:
            await self._heartbeats(link, sender)
        finally:
            sender.cancel()

    async def _register(self, link: Handlers16) -> None:
        while not self._booted or self._settings.boot_on_reconnect:
            answer = await link.call(self._station.boot_message())
            self._station.set_clock(answer.current_time)
            self.heartbeat_s = float(answer.interval if answer.interval > 0 else self._settings.heartbeat_s)
            self._booted = answer.status == "Accepted"
            if self._booted:
                return
            self.refusal = f"BootNotification was answered with {answer.status}"
            await asyncio.sleep(self.heartbeat_s)

    async def _heartbeats(self, link: Handlers16, sender: asyncio.Future[None]) -> None:
        while True:
            done, _ = await asyncio.wait({sender}, timeout=self.heartbeat_s)
            if done:
                return
            answer = await link.call(call.Heartbeat())
            self._station.set_clock(answer.current_time)

    async def _send_queue(self, link: Handlers16) -> None:
        """Deliver transaction messages in order; returns when the link is lost."""
        attempt = 0
        while True:
            await self._station.queued.wait()
            if not self._station.queue.entries:
                self._station.queued.clear()
                continue
            entry = self._station.queue.entries[0]
            try:
                answer = await link.call(getattr(call, entry["action"])(**self._station.queue.payload(entry)))
            except CallFailed as error:
                if error.code in LINK_LOST:
                    return
                attempt += 1
                if attempt < self._settings.transaction_attempts:
                    await asyncio.sleep(self._settings.transaction_retry_s * attempt)
                    continue
            else:
                self._station.delivered(entry, answer)
            attempt = 0
            if self._station.queue.entries and self._station.queue.entries[0] is entry:
                del self._station.queue.entries[0]
