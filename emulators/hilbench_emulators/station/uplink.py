"""The link of a station to its controller: connect, work, and all of it again when it breaks."""

from __future__ import annotations

import asyncio
import contextlib
from abc import ABC, abstractmethod
from asyncio import FIRST_COMPLETED
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from websockets.asyncio.client import ClientConnection

from hilbench.ocppj import CallFailed, messages
from hilbench_emulators.station.dialling import Dialler

if TYPE_CHECKING:
    from hilbench_emulators.station.base import AcStation

LINK_LOST = ("Timeout", "ConnectionLost")
"""Codes of ``CallFailed`` after which nothing more can be said on this connection."""
POLICY_VIOLATION, REASON_LENGTH = 1008, 123
"""Close code, and octets of the longest reason (RFC 6455 sections 7.4.1 and 5.5, standard-text)."""


class Uplink(Dialler, ABC):
    """``connected`` while the controller has accepted the station; ``link`` is the connection, if there is one.

    ``refusal`` says why the last attempt did not come so far; empty before the first and after one that did.
    ``registration`` is the controller's last answer to BootNotification; ``messages`` are the requests of the version.
    """

    def __init__(self, station: AcStation, url: str | Callable[[], str], rng: np.random.Generator) -> None:
        super().__init__(station, url)
        self.connected = False
        self.registration = ""
        self.heartbeat_s = float(station.settings.heartbeat_s)
        self.messages: Any = messages(self.version).call
        self._accepted = asyncio.Event()
        self._paced = asyncio.Event()
        self._rng = rng

    @property
    def talking(self) -> int:
        """How many exchanges are under way beside the queue and the heartbeats."""
        return 0 if self.link is None else int(self.link.busy)

    @property
    def held(self) -> bool:
        """The controller has answered Pending or Rejected: no transaction may begin (1.6 section 4.2, 2.x B02, B03)."""
        return self.registration in ("Pending", "Rejected")

    async def run(self) -> None:
        """Connect, serve, connect again, with waits that grow until the controller accepts the station."""
        await asyncio.sleep(self._settings.boot_s)
        self.take(self._station.ways())
        attempt = 0
        while True:
            await self._station.line.wait()
            connection = await self.dial()
            if connection is not None and not self._station.line.is_set():
                connection.transport.abort()
            elif connection is not None and await self._serve(connection):
                attempt = 0
            fixed = self._settings.personality.reporting.reconnect_s
            await asyncio.sleep(fixed or self.wait_s(attempt, float(self._rng.random())))
            attempt = min(attempt + 1, 30)

    def wait_s(self, attempt: int, chance: float) -> float:
        """Wait before the next attempt [s]: doubles up to ``backoff_max_s``, plus a quarter of it times ``chance``."""
        wait = min(self._settings.backoff_min_s * float(2**attempt), self._settings.backoff_max_s)
        return wait * (1 + 0.25 * chance)

    async def _serve(self, connection: ClientConnection) -> bool:
        """One connection from its start to its end; True when the controller had accepted the station."""
        link = self.link = self.handlers(connection)
        self.refusal = ""
        tasks = [asyncio.ensure_future(link.start()), asyncio.ensure_future(self.work(link))]
        try:
            await asyncio.wait(tasks, return_when=FIRST_COMPLETED)
        finally:
            accepted, self.connected, self.link = self.connected, False, None
            if accepted:
                self._station.went_offline()
            for task in tasks:
                task.cancel()
            self._station.next_id = link.next_id
            if not accepted and not self.refusal:
                self.refusal = "the connection ended before BootNotification was answered"
            await _farewell(connection, tasks[1])
            connection.transport.abort()
            results = await asyncio.gather(*tasks, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception) and not isinstance(result, CallFailed):
                raise result
        return accepted

    async def _try(self, link: Any, payload: Any) -> Any:
        """Call; None when the controller refuses, or answers nonsense: it is there, so the link stays."""
        try:
            return await link.call(payload)
        except CallFailed as error:
            if error.code in LINK_LOST:
                raise
            return None

    def abort(self) -> None:
        """Break the connection, if there is one, without a farewell."""
        if self.link is not None:
            self.link._connection.transport.abort()

    @abstractmethod
    def handlers(self, connection: ClientConnection) -> Any:
        """The station's end of a connection."""

    @abstractmethod
    def request(self, entry: Any) -> Any:
        """What to send for an entry of the queue."""

    @abstractmethod
    def delivered(self, entry: Any, answer: Any) -> None:
        """The controller has answered an entry of the queue."""

    async def send_queue(self, link: Any) -> None:
        """Deliver what waits, in order; returns when the link is lost."""
        attempt, station = 0, self._station
        while True:
            await station.queued.wait()
            if not station.waiting:
                station.queued.clear()
                continue
            entry = station.waiting[0]
            try:
                answer = await link.call(self.request(entry))
            except CallFailed as error:
                if error.code in LINK_LOST:
                    return
                attempt += 1
                if attempt < self._settings.transaction_attempts:
                    await asyncio.sleep(self._settings.transaction_retry_s * attempt)
                    continue
            else:
                self.delivered(entry, answer)
            attempt = 0
            if station.waiting and station.waiting[0] is entry:
                del station.waiting[0]

    def say(self, payload: Any) -> None:
        """Send a request beside everything else; its answer does not matter. Dropped while too much waits."""
        if self.link is not None and not self.link.is_full:
            self.link.spawn(self.link.call(payload))

    async def work(self, link: Any) -> None:
        """Register, report, then heartbeats and what waits until a call fails."""
        await self._register(link)
        self.connected, self.refusal = True, ""
        self._station.came_online()
        await self._try(link, self._station.status_message())
        sender = asyncio.ensure_future(self.send_queue(link))
        try:
            await self._heartbeats(link, sender)
        finally:
            sender.cancel()

    async def _register(self, link: Any) -> None:
        """Boot until accepted; with Pending or Rejected again after the interval that the controller names."""
        if self.registration == "Accepted" and not self._settings.boot_on_reconnect:
            return
        self._accepted.clear()
        while not self._accepted.is_set():
            interval = await self.boot(link)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(interval):
                    await self._accepted.wait()

    async def boot(self, link: Any, reason: str = "") -> float:
        """Send BootNotification and act on its answer; returns when to send the next [s].

        An interval of 0 leaves the choice to the station (1.6 section 4.2, 2.0.1 B01 to B03, standard-text).
        """
        answer = await link.call(self._station.boot_message(reason))
        self.registration = str(answer.status)
        self._station.set_clock(answer.current_time)
        if self.registration != "Accepted":
            self.refusal = f"BootNotification was answered with {answer.status}"
            return float(answer.interval if answer.interval > 0 else self._settings.boot_retry_s)
        self.heartbeat_s = float(answer.interval if answer.interval > 0 else self._settings.heartbeat_s)
        self._station.heartbeat_told(round(self.heartbeat_s))
        self._accepted.set()
        return self.heartbeat_s

    async def _heartbeats(self, link: Any, sender: asyncio.Future[None]) -> None:
        while not sender.done():
            if await self._before_heartbeat(sender):
                continue
            answer = await self._try(link, self.messages.Heartbeat())
            if answer is not None:
                self._station.set_clock(answer.current_time)

    async def _before_heartbeat(self, sender: asyncio.Future[None]) -> bool:
        """Wait for the interval; whether something came before its end: the end of ``sender`` or a new interval."""
        self._paced.clear()
        paced = asyncio.ensure_future(self._paced.wait())
        try:
            ends: set[asyncio.Future[Any]] = {sender, paced}
            done, _ = await asyncio.wait(ends, timeout=self.heartbeat_s, return_when=FIRST_COMPLETED)
        finally:
            paced.cancel()
        return bool(done)

    def pace(self, interval_s: float) -> None:
        """A new heartbeat interval counts from now on; 0 and the same again change nothing."""
        if interval_s not in (0.0, self.heartbeat_s):
            self.heartbeat_s = interval_s
            self._paced.set()


async def _farewell(connection: ClientConnection, work: asyncio.Future[None]) -> None:
    """Say why, where the controller is there but what it answered cannot be worked with."""
    error = work.exception() if work.done() and not work.cancelled() else None
    if isinstance(error, CallFailed) and error.code not in LINK_LOST:
        await connection.close(POLICY_VIOLATION, str(error).encode()[:REASON_LENGTH].decode(errors="ignore"))
