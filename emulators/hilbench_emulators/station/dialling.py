"""How a station dials its controller: by ways, the next one where one fails too often."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from websockets.asyncio.client import ClientConnection

from hilbench import ocppj
from hilbench.ocppj import CallFailed
from hilbench_emulators.station.ways import Way

if TYPE_CHECKING:
    from hilbench_emulators.station.base import AcStation


class Dialler:
    """``ways`` are tried in order; ``refusal`` says why the last attempt failed; ``link`` is what it is talking on."""

    version = "1.6"

    def __init__(self, station: AcStation, url: str | Callable[[], str]) -> None:
        self.refusal = ""
        self.link: Any = None
        self._station = station
        self._settings = station.settings
        self._url = url
        self.take([Way(1, "", station.settings.security_profile)])

    async def dial(self) -> ClientConnection | None:
        """One attempt; None with the refusal where it fails."""
        way = self.way
        url = way.target(self._url if isinstance(self._url, str) else self._url(), self._settings)
        ping = self._station.ping_interval_s() or None
        try:
            connection = await ocppj.dial(
                url,
                self._station.identity,
                version=self.version,
                auth=way.auth(self._station.identity),
                ssl=self._ssl(way, url),
                compression=self._settings.compression,
                ping_interval_s=ping,
                ping_timeout_s=self._settings.ping_timeout_s,
            )
        except CallFailed as error:
            self.refusal = error.description
            self._failed()
            return None
        self._arrived(way)
        return connection

    @property
    def way(self) -> Way:
        """The way of the current or next attempt."""
        return self.ways[self._way]

    def redial(self, ways: list[Way]) -> None:
        """Leave the connection, if there is one, and dial by other ways."""
        self.take(ways)
        if self.link is not None:
            self.link.spawn(self.link._connection.close())

    def take(self, ways: list[Way]) -> None:
        """Dial by these from now on, from the first."""
        self.ways, self._way, self._failures = ways, 0, 0

    def _failed(self) -> None:
        self._failures += 1
        if self._failures >= self._station.connection_attempts():
            self._way, self._failures = (self._way + 1) % len(self.ways), 0

    def _arrived(self, way: Way) -> None:
        self.ways = self._station.arrived(way, self.ways)
        self._way, self._failures = self.ways.index(way), 0

    def _ssl(self, way: Way, url: str) -> ssl.SSLContext | None:
        """Raises ``CallFailed`` for certificates that cannot be used."""
        try:
            return way.tls(url, self._settings)
        except OSError as error:
            raise CallFailed("connect", "SecurityError", f"certificate files: {error}") from error
