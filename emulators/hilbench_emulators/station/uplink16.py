"""The link of an OCPP 1.6 station to its controller: connect, register, deliver, and all of it again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from websockets.asyncio.client import ClientConnection

from hilbench import ocppj
from hilbench.ocppj import CallFailed, call
from hilbench_emulators.station.handlers16 import Handlers16

if TYPE_CHECKING:
    from hilbench_emulators.station.ocpp16 import AcStation16

LINK_LOST = ("Timeout", "ConnectionLost")
"""Codes of ``CallFailed`` after which nothing more can be said on this connection."""


class Uplink16:
    """``connected`` while the controller has accepted the station; ``link`` is the connection, if there is one.

    ``refusal`` says why the last attempt did not come so far; empty before the first and after one that did.
    """

    def __init__(self, station: AcStation16, url: str | Callable[[], str], rng: np.random.Generator) -> None:
        self.connected = False
        self.refusal = ""
        self.link: Handlers16 | None = None
        self.heartbeat_s = float(station.settings.heartbeat_s)
        self._booted = False
        self._station = station
        self._settings = station.settings
        self._url = url
        self._rng = rng

    async def run(self) -> None:
        """Connect, serve, connect again; waits between attempts double from 1 s to 30 s, plus up to a quarter."""
        settings = self._settings
        await asyncio.sleep(settings.boot_s)
        wait = settings.backoff_min_s
        while True:
            connection = await self._dial()
            if connection is not None and await self._serve(connection):
                wait = settings.backoff_min_s
            await asyncio.sleep(wait * (1 + 0.25 * float(self._rng.random())))
            wait = min(2 * wait, settings.backoff_max_s)

    async def _dial(self) -> ClientConnection | None:
        url = self._url if isinstance(self._url, str) else self._url()
        ping = self._settings.ping_interval_s or None
        try:
            return await ocppj.dial(
                url, self._station.identity, ping_interval_s=ping, ping_timeout_s=self._settings.ping_timeout_s
            )
        except CallFailed as error:
            reason = error.__cause__ or error.description
            self.refusal = str(reason) or type(reason).__name__
            return None

    async def _serve(self, connection: ClientConnection) -> bool:
        """One connection from its start to its end; True when the controller had accepted the station."""
        link = self.link = Handlers16(self._station, connection)
        self.refusal = ""
        tasks = [asyncio.ensure_future(link.start()), asyncio.ensure_future(self._work(link))]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            accepted, self.connected, self.link = self.connected, False, None
            if accepted:
                self._station.event("station.offline")
            for task in tasks:
                task.cancel()
            self._station.next_id = link.next_id
            if not accepted and not self.refusal:
                self.refusal = "the connection ended before BootNotification was answered"
            connection.transport.abort()
            results = await asyncio.gather(*tasks, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception) and not isinstance(result, CallFailed):
                raise result
        return accepted

    async def _work(self, link: Handlers16) -> None:
        """Register, report, then heartbeats and transaction messages until a call fails."""
        await self._register(link)
        self.connected, self.refusal = True, ""
        self._station.event("station.online")
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
