"""A tap in the OCPP connection of a real station: the station dials the bench, which dials the controller for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack

from websockets.asyncio.connection import Connection
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from hilbench import ocppj
from hilbench.commanded import Sender
from hilbench.errors import DeviceError
from hilbench.ocppj import CallFailed, security
from hilbench.rig_values import Address

_TRY_AGAIN_LATER = 1013
"""Close code of RFC 6455's registry for a server that cannot serve now."""


class OcppTap:
    """Passes every frame of the station ``identity`` on, both ways; ``on_frame(sender, text)`` sees each.

    ``url`` gives the controller's URL without the identity; ``problem`` is why there is no way to it, empty while
    there is one.
    """

    def __init__(
        self,
        at: Address,
        identity: str,
        version: str,
        url: Callable[[], str],
        on_frame: Callable[[Sender, str], None],
    ) -> None:
        self.problem = "it has not dialled the bench"
        self._at, self._identity, self._version, self._url = at, identity, version, url
        self._on_frame = on_frame
        self._serving = AsyncExitStack()

    async def start(self) -> None:
        """Listen; raises ``DeviceError`` where that is not possible."""
        host, port = self._at
        listening = ocppj.listen(
            host, port, self._relay, versions=(self._version,), known=lambda identity: identity == self._identity
        )
        try:
            await self._serving.enter_async_context(listening)
        except OSError as error:
            raise DeviceError(f"station {self._identity}: the bench cannot listen at {host}:{port}: {error}") from None

    async def stop(self) -> None:
        """Close everything; may be called twice."""
        await self._serving.aclose()

    async def _relay(self, station: ServerConnection, identity: str) -> None:
        header = None if station.request is None else station.request.headers.get("Authorization")
        try:
            controller = await ocppj.dial(
                self._url(), identity, version=self._version, auth=security.credentials(header)
            )
        except CallFailed as error:
            self.problem = f"the controller does not take it: {error}"
            await station.close(_TRY_AGAIN_LATER)
            return
        self.problem = ""
        async with asyncio.TaskGroup() as both:
            both.create_task(self._pass_on(station, controller, "station"))
            both.create_task(self._pass_on(controller, station, "controller"))
        self.problem = "its connection has ended"

    async def _pass_on(self, source: Connection, target: Connection, sender: Sender) -> None:
        """Until one of them closes: then the other is closed too."""
        try:
            async for message in source:
                text = message if isinstance(message, str) else message.decode(errors="replace")
                self._on_frame(sender, text)
                await target.send(message)
        except ConnectionClosed:
            pass
        finally:
            await target.close()
