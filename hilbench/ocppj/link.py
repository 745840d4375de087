"""Connections that carry OCPP-J: dial a central system, or be one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI
from websockets.typing import Subprotocol

from hilbench.ocppj.errors import CallFailed
from hilbench.ocppj.versions import messages

PING_INTERVAL_S = 30.0
PING_TIMEOUT_S = 15.0
Handler = Callable[[ServerConnection, str], Awaitable[None]]


async def dial(
    url: str,
    identity: str,
    *,
    version: str = "1.6",
    ping_interval_s: float | None = PING_INTERVAL_S,
    ping_timeout_s: float | None = PING_TIMEOUT_S,
    close_timeout_s: float = 1.0,
    open_timeout_s: float = 10.0,
) -> ClientConnection:
    """Connect to ``<url>/<identity>`` in the subprotocol of ``version``; raises :class:`CallFailed`."""
    subprotocol = messages(version).subprotocol
    target = f"{url.rstrip('/')}/{identity}"
    try:
        connection = await connect(
            target,
            subprotocols=[subprotocol],
            compression=None,
            ping_interval=ping_interval_s,
            ping_timeout=ping_timeout_s,
            close_timeout=close_timeout_s,
            open_timeout=open_timeout_s,
            proxy=None,
        )
    except (OSError, TimeoutError, ConnectionClosed, InvalidHandshake, InvalidURI, EOFError) as error:
        raise CallFailed("connect", type(error).__name__, f"{target}: {error}") from error
    if connection.subprotocol != subprotocol:
        await connection.close(1002)
        raise CallFailed("connect", "ProtocolError", f"{target} does not speak {subprotocol}")
    return connection


@asynccontextmanager
async def listen(
    host: str,
    port: int,
    handler: Handler,
    *,
    versions: Sequence[str] = ("1.6",),
    ping_interval_s: float | None = PING_INTERVAL_S,
    ping_timeout_s: float | None = PING_TIMEOUT_S,
    close_timeout_s: float = 1.0,
    open_timeout_s: float = 10.0,
) -> AsyncIterator[int]:
    """Serve OCPP in ``versions``; ``handler(connection, identity)`` runs for each station, which asks for one.

    The agreed version is in ``connection.subprotocol``. Yields the port (``port`` 0: any).
    """
    known = [messages(version).subprotocol for version in versions]

    def select(_connection: ServerConnection, offered: Iterable[Subprotocol]) -> Subprotocol | None:
        """OCPP-J 1.6 section 3.2: without a common subprotocol, finish the handshake without one, then close."""
        return next((one for one in offered if one in known), None)

    async def accept(connection: ServerConnection) -> None:
        path = connection.request.path if connection.request is not None else ""
        if connection.subprotocol is None:
            await connection.close(1002, f"use subprotocol {' or '.join(known)}")
            return
        await handler(connection, path.split("?")[0].rstrip("/").rsplit("/", 1)[-1])

    async with serve(
        accept,
        host,
        port,
        subprotocols=known,
        select_subprotocol=select,
        compression=None,
        ping_interval=ping_interval_s,
        ping_timeout=ping_timeout_s,
        close_timeout=close_timeout_s,
        open_timeout=open_timeout_s,
    ) as server:
        yield int(next(iter(server.sockets)).getsockname()[1])
