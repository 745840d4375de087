"""Connections that carry OCPP-J: dial a central system, or be one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from ssl import SSLContext
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from hilbench.ocppj.errors import CallFailed
from hilbench.ocppj.security import Authenticate, Check, basic, gate, identity_of, why
from hilbench.ocppj.versions import VERSIONS, messages

PING_INTERVAL_S = 30.0
PING_TIMEOUT_S = 15.0
Handler = Callable[[ServerConnection, str], Awaitable[None]]


async def dial(
    url: str,
    identity: str,
    *,
    version: str = "1.6",
    auth: tuple[str, str] | None = None,
    ssl: SSLContext | None = None,
    compression: bool = False,
    ping_interval_s: float | None = PING_INTERVAL_S,
    ping_timeout_s: float | None = PING_TIMEOUT_S,
    close_timeout_s: float = 1.0,
    open_timeout_s: float = 10.0,
) -> ClientConnection:
    """Connect to ``<url>/<identity>`` in the subprotocol of ``version``; raises :class:`CallFailed`.

    ``auth`` is user and password of Basic authentication; ``ssl`` how to do TLS, for a ``wss`` URL only;
    ``compression`` asks for permessage-deflate (RFC 7692), which a central system may refuse.
    """
    subprotocol = messages(version).subprotocol
    target = f"{url.rstrip('/')}/{identity}"
    encrypted = target.startswith("wss:")
    if ssl is not None and not encrypted:
        raise CallFailed("connect", "SecurityError", f"{target} is not encrypted; TLS needs a wss:// URL")
    tls: dict[str, Any] = {} if ssl is None else {"ssl": ssl}
    try:
        connection = await connect(
            target,
            subprotocols=[subprotocol],
            additional_headers={} if auth is None else {"Authorization": basic(*auth)},
            compression="deflate" if compression else None,
            ping_interval=ping_interval_s,
            ping_timeout=ping_timeout_s,
            close_timeout=close_timeout_s,
            open_timeout=open_timeout_s,
            proxy=None,
            **tls,
        )
    except (OSError, TimeoutError, ConnectionClosed, InvalidHandshake, InvalidURI, EOFError) as error:
        raise CallFailed("connect", type(error).__name__, why(error, tls=encrypted)) from error
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
    known: Callable[[str], bool] | None = None,
    authenticate: Authenticate | None = None,
    ssl: SSLContext | None = None,
    compression: bool = False,
    ping_interval_s: float | None = PING_INTERVAL_S,
    ping_timeout_s: float | None = PING_TIMEOUT_S,
    close_timeout_s: float = 1.0,
    open_timeout_s: float = 10.0,
) -> AsyncIterator[int]:
    """Serve OCPP in ``versions``; ``handler(connection, identity)`` runs for each station, which asks for one.

    The agreed version is in ``connection.subprotocol``. Yields the port (``port`` 0: any).

    Before the handshake a station that is not ``known`` gets HTTP 404, one that may not ``authenticate`` 401, and one
    whose client certificate (see ``ssl``) is in another station's name 403. ``compression`` grants permessage-deflate
    (RFC 7692) to those that ask for it in OCPP 2.x, where a CSMS must have it (secondary).
    """
    offers = [messages(version).subprotocol for version in versions]

    def select(_connection: ServerConnection, offered: Iterable[Subprotocol]) -> Subprotocol | None:
        """OCPP-J 1.6 section 3.2: without a common subprotocol, finish the handshake without one, then close."""
        return next((one for one in offered if one in offers), None)

    async def accept(connection: ServerConnection) -> None:
        if connection.subprotocol is None:
            await connection.close(1002, f"use subprotocol {' or '.join(offers)}")
            return
        await handler(connection, identity_of(connection.request.path if connection.request is not None else ""))

    async with serve(
        accept,
        host,
        port,
        subprotocols=offers,
        select_subprotocol=select,
        process_request=_then_plain_for_16(gate(known, authenticate)),
        ssl=ssl,
        compression="deflate" if compression else None,
        ping_interval=ping_interval_s,
        ping_timeout=ping_timeout_s,
        close_timeout=close_timeout_s,
        open_timeout=open_timeout_s,
    ) as server:
        yield int(next(iter(server.sockets)).getsockname()[1])


def _then_plain_for_16(check: Check) -> Check:
    """The check, and no compression for a station that offers no version with it: 1.6 says nothing of it."""
    newer = {messages(version).subprotocol for version in VERSIONS if version != "1.6"}

    def check_and_choose(connection: ServerConnection, request: Request) -> Response | None:
        offered = ",".join(request.headers.get_all("Sec-WebSocket-Protocol"))
        if newer.isdisjoint(name.strip() for name in offered.split(",")):
            connection.protocol.available_extensions = None
        return check(connection, request)

    return check_and_choose
