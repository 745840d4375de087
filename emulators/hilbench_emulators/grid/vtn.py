"""An emulated OpenADR 3 VTN: events to order, and the ways in which a VTN fails."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from ssl import SSLContext
from typing import Any

from hilbench import clock
from hilbench.errors import DeviceError
from hilbench_emulators.grid.http import Answer, Request, serve
from hilbench_emulators.grid.vtn_core import Store, Version, answer


class Vtn:
    """A VTN at ``host``:``port`` (0: any) that answers what :func:`.vtn_core.answer` says.

    ``delay_s`` is how late every answer comes. ``garbage``, when not None, is the body of every answer to a GET, with
    status 200. With ``tls`` it answers https. ``asked`` has bench time [s], method and target of every request.
    """

    def __init__(
        self, host: str = "127.0.0.1", port: int = 0, *, version: Version = "3.1", tls: SSLContext | None = None
    ) -> None:
        self.host, self.port, self._tls = host, port, tls
        self.store = Store(version)
        self.delay_s = 0.0
        self.garbage: bytes | None = None
        self.asked: list[tuple[float, str, str]] = []
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.StreamWriter, None] = {}

    @property
    def url(self) -> str:
        """Base of all paths."""
        return f"{'http' if self._tls is None else 'https'}://{self.host}:{self.port}"

    async def start(self) -> None:
        """As :meth:`up`; raises ``DeviceError`` when the port cannot be had."""
        await self.up()

    async def stop(self) -> None:
        """As :meth:`down`."""
        await self.down()

    async def up(self) -> None:
        """Listen; does nothing when it does. Raises ``DeviceError`` when the port cannot be had."""
        if self._server is not None:
            return
        try:
            self._server = await asyncio.start_server(self._connected, self.host, self.port, ssl=self._tls)
        except OSError as error:
            raise DeviceError(f"VTN {self.host}:{self.port}: cannot listen: {error}") from error
        self.port = int(next(iter(self._server.sockets)).getsockname()[1])

    async def down(self) -> None:
        """Reset every connection and refuse new ones until :meth:`up`; events and tokens stay."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
            for writer in list(self._connections):
                writer.transport.abort()
            await server.wait_closed()

    def program(self, name: str) -> str:
        """Add a program called ``name``; returns its id."""
        key = self.store.new_id("program")
        self.store.programs[key] = {"id": key, "objectType": "PROGRAM", "programName": name}
        return key

    def publish(self, event: Mapping[str, Any]) -> str:
        """Add an event, right or wrong; returns its id."""
        return self.store.publish(event, clock.now())

    def change(self, name: str, **fields: Any) -> None:
        """Update an event: give it other ``fields``."""
        self.store.change(name, fields, clock.now())

    def cancel(self, name: str) -> None:
        """Delete an event."""
        del self.store.events[name]

    def forget_tokens(self) -> None:
        """Accept none of the tokens that are out, as after a restart."""
        self.store.tokens.clear()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections[writer] = None
        try:
            await serve(reader, writer, self._answer)
        finally:
            del self._connections[writer]

    async def _answer(self, request: Request) -> Answer:
        self.asked.append((clock.time(), request.method, request.target))
        await asyncio.sleep(self.delay_s)
        if self.garbage is not None and request.method == "GET":
            return Answer(200, self.garbage)
        return answer(self.store, request, clock.time(), clock.now())


__all__ = ["Vtn"]
