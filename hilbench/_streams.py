"""TCP streams in memory, for a loop that has no real sockets: unmodified asyncio protocols and TLS run on them.

Bytes written are delivered in a later callback of the same instant; a listener that is not there refuses; ``close``
sends what was written and then end-of-file; ``abort`` resets the peer. A peer that does not read fills its buffer
and pauses the writer, as a kernel would.
"""

from __future__ import annotations

import asyncio
import contextvars
import socket
from asyncio import sslproto
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

_HIGH_WATER = 64 * 1024
_EPHEMERAL = 49152  # IANA, RFC 6335 section 6
_LOCAL = {"localhost", "127.0.0.1", "::1", "0.0.0.0", "::", ""}

Address = tuple[str, int]
ProtocolFactory = Callable[[], asyncio.BaseProtocol]


def _host(host: object) -> str:
    if isinstance(host, list | tuple):
        host = host[0] if host else ""
    name = str(host) if host is not None else ""
    return "127.0.0.1" if name in _LOCAL else name


class MemorySocket:
    """What libraries look at in a transport's or server's socket: family and addresses."""

    family = socket.AF_INET
    type = socket.SOCK_STREAM

    def __init__(self, local: Address, peer: Address | None = None) -> None:
        self._local, self._peer = local, peer

    def getsockname(self) -> Address:
        return self._local

    def getpeername(self) -> Address | None:
        return self._peer

    def setsockopt(self, *_args: object) -> None:
        """Options have no meaning in memory."""


class MemoryTransport(asyncio.Transport):
    """One end of a stream; ``peer`` is the other. Callbacks run in the context that made the end."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, local: Address, peer: Address, context: contextvars.Context
    ) -> None:
        super().__init__({"sockname": local, "peername": peer, "socket": MemorySocket(local, peer)})
        self._loop = loop
        self._context = context
        self._protocol: asyncio.BaseProtocol | None = None
        self.peer: MemoryTransport | None = None
        self._inbox: deque[bytes] = deque()
        self._inbox_size = 0
        self._eof_in = self._eof_out = False
        self._closing = self._lost = False
        self._reading = True
        self._scheduled = False
        self._writer_paused = False
        self._open = self._made = False

    def open(self) -> None:
        """Tell the protocol that the connection stands, then deliver what has come meanwhile."""
        assert self._protocol is not None
        if not self._lost:
            self._protocol.connection_made(self)
            self._made = True
        self._open = True
        self._schedule()

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        peer = self.peer
        if self._eof_out or self._closing or peer is None or not data:
            return
        if peer._lost:
            self._reset()
            return
        peer._inbox.append(bytes(data))
        peer._inbox_size += len(data)
        if not peer._scheduled:
            peer._schedule()
        if peer._inbox_size > _HIGH_WATER and not self._writer_paused and self._protocol is not None:
            self._writer_paused = True
            self._protocol.pause_writing()

    def write_eof(self) -> None:
        if not self._eof_out:
            self._eof_out = True
            if self.peer is not None:
                self.peer._eof_in = True
                self.peer._schedule()

    def can_write_eof(self) -> bool:
        return True

    def close(self) -> None:
        if not self._closing:
            self.write_eof()
            self._closing = True
            self._later(self._lose, None)

    @property
    def context(self) -> contextvars.Context:
        """The context in which this end's callbacks run."""
        return self._context

    def abort(self) -> None:
        self._closing = True
        self._later(self._lose, None)
        if self.peer is not None:
            self.peer._reset()

    def _force_close(self, _error: BaseException | None) -> None:
        """How asyncio's TLS layer gives up a connection."""
        self.abort()

    def _reset(self) -> None:
        """What a RST from the peer does to this end."""
        if not self._lost:
            self._closing = True
            self._later(self._lose, ConnectionResetError("connection reset by peer"))

    def is_closing(self) -> bool:
        return self._closing

    def is_reading(self) -> bool:
        return self._reading

    def pause_reading(self) -> None:
        self._reading = False

    def resume_reading(self) -> None:
        self._reading = True
        self._schedule()

    def get_write_buffer_size(self) -> int:
        return self.peer._inbox_size if self.peer is not None else 0

    def get_write_buffer_limits(self) -> tuple[int, int]:
        return (_HIGH_WATER // 4, _HIGH_WATER)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """The limits are fixed: a stream in memory needs no tuning."""

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = protocol
        receiver: Any = protocol
        # by what it has, not by its class: some libraries derive from BaseProtocol alone
        filled = hasattr(receiver, "get_buffer")
        self._feed: Callable[[bytes], None] = partial(_fill, receiver) if filled else receiver.data_received

    def get_protocol(self) -> asyncio.BaseProtocol:
        assert self._protocol is not None
        return self._protocol

    def _later(self, callback: Callable[..., object], *args: object) -> None:
        self._loop.call_soon(callback, *args, context=self._context)

    def _schedule(self) -> None:
        if self._scheduled or self._lost or not self._open or not (self._inbox or self._eof_in):
            return
        self._scheduled = True
        self._loop.call_soon(self._deliver, context=self._context)

    def _deliver(self) -> None:
        self._scheduled = False
        if self._lost or not self._reading:
            return
        if self._inbox:
            data = self._inbox[0] if len(self._inbox) == 1 else b"".join(self._inbox)
            self._inbox.clear()
            self._inbox_size = 0
            if self.peer is not None and self.peer._writer_paused:
                self._wake_writer(self.peer)
            if not self._closing:
                self._feed(data)
        if self._eof_in and not self._inbox and not self._closing and self._reading:
            self._eof_in = False
            eof_received = getattr(self._protocol, "eof_received", None)
            if eof_received is None or not eof_received():
                self.close()

    def _wake_writer(self, peer: MemoryTransport) -> None:
        peer._writer_paused = False
        if not peer._lost and peer._protocol is not None:
            peer._later(peer._protocol.resume_writing)

    def _lose(self, error: Exception | None) -> None:
        if self._lost:
            return
        self._lost = True
        if self._protocol is not None and self._made:  # what never stood is not lost
            self._protocol.connection_lost(error)
        if self.peer is not None and self.peer._writer_paused:  # it would wait for ever for us to read on
            self.peer._reset()


def _fill(protocol: Any, data: bytes) -> None:
    view = memoryview(data)
    while view:
        buffer = memoryview(protocol.get_buffer(len(view))).cast("B")
        count = min(len(buffer), len(view))
        buffer[:count] = view[:count]
        protocol.buffer_updated(count)
        view = view[count:]


class MemoryServer(asyncio.AbstractServer):
    """A listener of a :class:`MemoryStreams` loop."""

    def __init__(self, streams: MemoryStreams, address: Address, accept: Callable[[MemoryTransport], None]) -> None:
        self._streams = streams
        self.address = address
        self.accept = accept
        self.context = contextvars.copy_context()
        self._serving = False

    @property
    def sockets(self) -> tuple[MemorySocket, ...]:
        return (MemorySocket(self.address),) if self._serving else ()

    def get_loop(self) -> asyncio.AbstractEventLoop:
        assert isinstance(self._streams, asyncio.AbstractEventLoop)
        return self._streams

    def is_serving(self) -> bool:
        return self._serving

    async def start_serving(self) -> None:
        if not self._serving:
            self._streams._listen(self)
            self._serving = True

    async def serve_forever(self) -> None:
        await self.start_serving()
        await asyncio.get_running_loop().create_future()

    def close(self) -> None:
        if self._serving:
            self._serving = False
            self._streams._unlisten(self)

    async def wait_closed(self) -> None:
        """Connections close on their own; there is nothing to wait for."""

    def close_clients(self) -> None:
        """Close every connection that this server accepted."""
        for transport in self._streams._accepted(self):
            transport.close()

    def abort_clients(self) -> None:
        """Reset every connection that this server accepted."""
        for transport in self._streams._accepted(self):
            transport.abort()


class MemoryStreams:
    """Mixin for an event loop: ``create_connection`` and ``create_server`` without sockets."""

    _listeners: dict[Address, MemoryServer]
    _connections: dict[MemoryServer, list[MemoryTransport]]

    def _tables(self) -> dict[Address, MemoryServer]:
        if not hasattr(self, "_listeners"):
            self._listeners, self._connections = {}, {}
            self._ends: list[MemoryTransport] = []
            self._next_port = _EPHEMERAL
        return self._listeners

    def _port(self) -> int:
        listeners = self._tables()
        while True:
            port = self._next_port
            self._next_port = port + 1 if port < 65535 else _EPHEMERAL
            if ("127.0.0.1", port) not in listeners:
                return port

    def _listen(self, server: MemoryServer) -> None:
        if server.address in self._tables():
            raise OSError(98, f"address already in use: {server.address[0]}:{server.address[1]}")
        self._listeners[server.address] = server

    def _unlisten(self, server: MemoryServer) -> None:
        self._listeners.pop(server.address, None)

    def _accepted(self, server: MemoryServer) -> list[MemoryTransport]:
        return [t for t in self._connections.get(server, []) if not t.is_closing()]

    async def create_connection(
        self,
        protocol_factory: ProtocolFactory,
        host: Any = None,
        port: Any = None,
        *,
        ssl: Any = None,
        server_hostname: str | None = None,
        sock: Any = None,
        ssl_handshake_timeout: float | None = None,
        ssl_shutdown_timeout: float | None = None,
        **_options: Any,
    ) -> Any:
        """Connect in memory to a listener of this loop; refused where nobody listens."""
        if sock is not None:
            raise OSError("a virtual loop takes no ready-made sockets")
        address = (_host(host), int(port))
        server = self._tables().get(address)
        await asyncio.sleep(0)
        if server is None:
            raise ConnectionRefusedError(111, f"connection refused: nobody listens at {address[0]}:{address[1]}")
        near, far = self._pair(address, server)
        server.accept(far)
        waiter = asyncio.get_running_loop().create_future()
        name = server_hostname or (str(host) if ssl else None)
        protocol = protocol_factory()
        transport = self._attach(near, protocol, ssl, waiter, False, name, ssl_handshake_timeout, ssl_shutdown_timeout)
        await waiter
        return transport, protocol

    async def create_server(
        self,
        protocol_factory: ProtocolFactory,
        host: Any = None,
        port: Any = None,
        *,
        ssl: Any = None,
        start_serving: bool = True,
        ssl_handshake_timeout: float | None = None,
        ssl_shutdown_timeout: float | None = None,
        **_options: Any,
    ) -> Any:
        """Listen in memory; port 0 gets the next free one."""
        address = (_host(host), int(port) if port else self._port())

        def accept(transport: MemoryTransport) -> None:
            self._attach(
                transport, protocol_factory(), ssl, None, True, None, ssl_handshake_timeout, ssl_shutdown_timeout
            )

        server = MemoryServer(self, address, accept)
        if start_serving:
            await server.start_serving()
        return server

    def ends(self) -> list[MemoryTransport]:
        """Every open end of a connection on this loop, oldest first."""
        self._tables()
        self._ends = [end for end in self._ends if not end._lost]
        return list(self._ends)

    def _pair(self, address: Address, server: MemoryServer) -> tuple[MemoryTransport, MemoryTransport]:
        assert isinstance(self, asyncio.AbstractEventLoop)
        local = ("127.0.0.1", self._port())
        near = MemoryTransport(self, local, address, contextvars.copy_context())
        far = MemoryTransport(self, address, local, server.context.copy())
        near.peer, far.peer = far, near
        accepted = [t for t in self._connections.get(server, []) if not t._lost]
        self._connections[server] = [*accepted, far]
        self._ends = [*(end for end in self._ends if not end._lost), near, far]
        return near, far

    def _attach(
        self,
        transport: MemoryTransport,
        protocol: asyncio.BaseProtocol,
        ssl: Any,
        waiter: asyncio.Future[None] | None,
        server_side: bool,
        server_hostname: str | None,
        handshake_timeout: float | None,
        shutdown_timeout: float | None,
    ) -> asyncio.BaseTransport:
        assert isinstance(self, asyncio.AbstractEventLoop)
        visible: asyncio.BaseTransport = transport
        if ssl is None:
            transport.set_protocol(protocol)
            transport._later(transport.open)
            if waiter is not None:
                self.call_soon(_resolve, waiter)
        else:
            make_layer: Any = sslproto.SSLProtocol  # its stubs are narrower than the class
            layer = make_layer(
                self,
                protocol,
                ssl,
                waiter,
                server_side,
                server_hostname,
                ssl_handshake_timeout=handshake_timeout,
                ssl_shutdown_timeout=shutdown_timeout,
            )
            transport.set_protocol(layer)
            transport._later(transport.open)
            visible = layer._app_transport
        return visible


def _resolve(waiter: asyncio.Future[None]) -> None:
    if not waiter.cancelled():
        waiter.set_result(None)
