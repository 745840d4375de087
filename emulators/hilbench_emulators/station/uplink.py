"""The link of a station to its controller: connect, work, and all of it again when it breaks."""

from __future__ import annotations

import asyncio
import ssl
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from websockets.asyncio.client import ClientConnection

from hilbench import ocppj
from hilbench.ocppj import CallFailed

if TYPE_CHECKING:
    from hilbench_emulators.station.base import AcStation

LINK_LOST = ("Timeout", "ConnectionLost")
"""Codes of ``CallFailed`` after which nothing more can be said on this connection."""


class Uplink(ABC):
    """``connected`` while the controller has accepted the station; ``link`` is the connection, if there is one.

    ``refusal`` says why the last attempt did not come so far; empty before the first and after one that did.
    """

    version = "1.6"

    def __init__(self, station: AcStation, url: str | Callable[[], str], rng: np.random.Generator) -> None:
        self.connected = False
        self.refusal = ""
        self.link: Any = None
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
            fixed = settings.personality.reporting.reconnect_s
            await asyncio.sleep(fixed or wait * (1 + 0.25 * float(self._rng.random())))
            wait = min(2 * wait, settings.backoff_max_s)

    async def _dial(self) -> ClientConnection | None:
        url = self._url if isinstance(self._url, str) else self._url()
        ping = self._settings.ping_interval_s or None
        try:
            return await ocppj.dial(
                url,
                self._station.identity,
                version=self.version,
                auth=self._auth(),
                ssl=self._ssl(url),
                ping_interval_s=ping,
                ping_timeout_s=self._settings.ping_timeout_s,
            )
        except CallFailed as error:
            self.refusal = error.description
            return None

    def _auth(self) -> tuple[str, str] | None:
        """User and password, in the security profiles that have them."""
        settings = self._settings
        wanted = settings.security_profile in (1, 2) and settings.password
        return (self._station.identity, settings.password) if wanted else None

    def _ssl(self, url: str) -> ssl.SSLContext | None:
        """TLS where profile or URL want it; raises ``CallFailed`` for files that cannot be used."""
        settings = self._settings
        if settings.security_profile < 2 and not url.startswith("wss:"):
            return None
        own = settings.security_profile == 3
        certificate, key = (settings.certificate, settings.key) if own else (None, None)
        try:
            return ocppj.client_context(settings.ca_file, certificate, key)
        except OSError as error:
            raise CallFailed("connect", "SecurityError", f"certificate files: {error}") from error

    async def _serve(self, connection: ClientConnection) -> bool:
        """One connection from its start to its end; True when the controller had accepted the station."""
        link = self.link = self.handlers(connection)
        self.refusal = ""
        tasks = [asyncio.ensure_future(link.start()), asyncio.ensure_future(self.work(link))]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            accepted, self.connected, self.link = self.connected, False, None
            if accepted:
                self._station.went_offline()
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

    def abort(self) -> None:
        """Break the connection, if there is one, without a farewell."""
        if self.link is not None:
            self.link._connection.transport.abort()

    @abstractmethod
    def handlers(self, connection: ClientConnection) -> Any:
        """The station's end of a connection."""

    @abstractmethod
    async def work(self, link: Any) -> None:
        """Register, report, send what is queued; returns or raises when nothing more can be said."""
