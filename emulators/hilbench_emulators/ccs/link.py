"""The machines on a network: V2GTP over TCP or TLS, and SDP, on any loop; a virtual loop carries TCP and TLS in memory.

SDP is for real loops, since a virtual one has no datagrams; on a loopback the station is asked at its address instead
of by multicast.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from ipaddress import IPv6Address
from types import TracebackType
from typing import Any, cast

from hilbench.ccs import sdp, v2gtp
from hilbench.errors import DeviceError
from hilbench_emulators.ccs import events as ev
from hilbench_emulators.ccs import timeouts
from hilbench_emulators.ccs.evcc import Evcc
from hilbench_emulators.ccs.secc import Secc
from hilbench_emulators.ccs.wire import Listener, heard, pack

Watch = Callable[[float, ev.Output], None]
"""Is told every output of a machine with its time [s]: messages, set points, contactors."""
TRIES = 50
"""How often a car asks by SDP (ISO 15118-2, V2G2-161, through hupe1980/iso15118 timers.rs; secondary)."""


def _unwatched(_t_s: float, _output: ev.Output) -> None:
    """Nobody looks."""


class End(asyncio.Protocol):
    """A machine at its end of a connection; ``ended`` becomes its reason ("" after a regular end)."""

    def __init__(self, machine: Secc | Evcc, watch: Watch = _unwatched) -> None:
        self._loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[str] = self._loop.create_future()
        self._machine, self._watch = machine, watch
        self._listener = Listener()
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The session begins."""
        self._transport = cast("asyncio.Transport", transport)
        self.tell(ev.Begin())

    def data_received(self, data: bytes) -> None:
        """Bytes of the other side."""
        for found in self._listener.feed(data):
            self.tell(heard(found, self._generation))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - why does not matter to a session
        """The other side is gone."""
        self.tell(ev.Closed())
        self._transport = None

    def tell(self, event: ev.Event) -> None:
        """Something happens at this side."""
        now_s = self._loop.time()
        for output in self._machine.advance(now_s, event):
            self._watch(now_s, output)
            self._put(output)
        self._set_timer()

    def abort(self) -> None:
        """Break the connection without a word."""
        if self._transport is not None:
            self._transport.abort()

    @property
    def _generation(self) -> timeouts.Generation | None:
        machine = self._machine
        return machine.progress.generation if isinstance(machine, Secc) else machine.generation

    def _put(self, output: ev.Output) -> None:
        if isinstance(output, ev.Send) and self._transport is not None:
            self._transport.write(pack(output))
        elif isinstance(output, ev.Close):
            if self._transport is not None:
                self._transport.close()
            if not self.ended.done():
                self.ended.set_result(output.reason)

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due_s = self._machine.due_s
        if self._machine.closed is None and due_s < float("inf"):
            self._timer = self._loop.call_at(due_s, self.tell, ev.Timer())


class SeccServer:
    """A station that listens at ``host``; ``make`` gives the machine of each session. ``port`` 0: any.

    It has one plug: while one car is connected, others are turned away. With ``tls`` it takes nothing else.
    """

    def __init__(
        self,
        make: Callable[[], Secc],
        host: str = "::1",
        port: int = 0,
        *,
        tls: ssl.SSLContext | None = None,
        watch: Watch = _unwatched,
    ) -> None:
        self.host, self.port = host, port
        self.session: End | None = None
        self.turned_away = 0
        self.tls = tls
        self._make, self._watch = make, watch
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> SeccServer:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen; raises ``DeviceError`` when the port cannot be had."""
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(lambda: _Door(self), self.host, self.port, ssl=self.tls)
        except OSError as error:
            raise DeviceError(f"station at [{self.host}]:{self.port}: cannot listen: {error}") from error
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """End what is going on, and listen no more."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
            if self.session is not None:
                self.session.abort()
            await server.wait_closed()

    def tell(self, event: ev.Event) -> None:
        """Something happens at the station: it reaches the session that is going on, if there is one."""
        if self.session is not None:
            self.session.tell(event)

    def admit(self) -> End | None:
        """A session for a car that has come, None while another is at the plug."""
        if self.session is not None and not self.session.ended.done():
            self.turned_away += 1
            return None
        self.session = End(self._make(), self._watch)
        return self.session


class _Door(asyncio.Protocol):
    """Admits a car once its connection stands: one that fails the handshake of TLS does not take the plug."""

    def __init__(self, server: SeccServer) -> None:
        self._server = server
        self._end: End | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin a session, or close at once."""
        self._end = self._server.admit()
        if self._end is None:
            transport.close()
        else:
            self._end.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Pass them on."""
        if self._end is not None:
            self._end.data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Pass it on."""
        if self._end is not None:
            self._end.connection_lost(exc)


async def connect(
    evcc: Evcc,
    host: str,
    port: int,
    *,
    tls: ssl.SSLContext | None = None,
    name: str | None = None,
    watch: Watch = _unwatched,
) -> End:
    """Connect a car; ``name`` is that of the station's certificate. Raises ``DeviceError`` when nobody answers."""
    loop = asyncio.get_running_loop()
    options: dict[str, Any] = {"ssl": tls, "server_hostname": name or host} if tls else {}
    try:
        _transport, end = await loop.create_connection(lambda: End(evcc, watch), host, port, **options)
    except (OSError, ssl.SSLError) as error:
        raise DeviceError(f"car: no connection to [{host}]:{port}: {error}") from error
    return end


async def run_evcc(evcc: Evcc, host: str, port: int, *, tls: ssl.SSLContext | None = None) -> str:
    """A whole session; returns why it ended, "" for regularly. Raises ``DeviceError`` when nobody answers."""
    end = await connect(evcc, host, port, tls=tls)
    return await end.ended


class SdpResponder(asyncio.DatagramProtocol):
    """Tells cars where a station waits; requests for another security are left alone, as is whatever is no request."""

    def __init__(self, response: sdp.Response) -> None:
        self._response = response
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ready."""
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        """A request, or something else."""
        try:
            request = sdp.decode(data)
        except v2gtp.V2gtpError:
            return
        if isinstance(request, sdp.Request) and request.security == self._response.security and self._transport:
            self._transport.sendto(self._response.encode(), addr)


async def answer_sdp(server: SeccServer, port: int = sdp.PORT) -> tuple[asyncio.DatagramTransport, int]:
    """Answer SDP for a server at its own address; returns the transport, which the caller closes, and its port."""
    security = sdp.TLS if server.tls else sdp.NO_TLS
    response = sdp.Response(IPv6Address(server.host), server.port, security)
    loop = asyncio.get_running_loop()
    transport, _protocol = await loop.create_datagram_endpoint(
        lambda: SdpResponder(response), local_addr=(server.host, port)
    )
    return transport, int(transport.get_extra_info("sockname")[1])


class _Asking(asyncio.DatagramProtocol):
    """Waits for the first answer."""

    def __init__(self) -> None:
        self.found: asyncio.Future[sdp.Response] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:  # noqa: ARG002 - it is in the answer
        """An answer, or something else."""
        try:
            said = sdp.decode(data)
        except v2gtp.V2gtpError:
            return
        if isinstance(said, sdp.Response) and not self.found.done():
            self.found.set_result(said)


async def find_station(
    host: str, port: int = sdp.PORT, *, security: int = sdp.NO_TLS, tries: int = TRIES
) -> sdp.Response:
    """Ask by SDP until a station answers; raises ``DeviceError`` after ``tries`` times 250 ms."""
    loop = asyncio.get_running_loop()
    transport, asking = await loop.create_datagram_endpoint(_Asking, remote_addr=(host, port))
    wait_s = timeouts.seconds("SDP response", "iso2")
    try:
        for _ in range(tries):
            transport.sendto(sdp.Request(security).encode())
            done, _pending = await asyncio.wait([asking.found], timeout=wait_s)
            if done:
                return asking.found.result()
    finally:
        transport.close()
    raise DeviceError(f"car: no station answered SDP at [{host}]:{port} in {tries} tries of {wait_s} s")
