"""A wire that can fail: a TCP proxy between two devices, on any loop."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import deque

from hilbench import clock
from hilbench.devices import LinkFault
from hilbench.errors import DeviceError

_RST_ON_CLOSE = struct.pack("ii", 1, 0)  # linger for 0 s: a close sends RST instead of FIN


class FaultLink:
    """A :class:`hilbench.devices.Link`: forwards connections to ``listen`` on to ``target``. ``port`` 0: any.

    ``reset`` breaks all connections with RST and resets new ones; ``half-open`` swallows every byte, open and
    close in both directions, so that only a time-out finds it. ``restore`` after half-open lets new connections
    through; those of the time of the cut stay dead and are reset, as a rebooted router's are.
    """

    def __init__(self, listen_host: str, listen_port: int, target_host: str, target_port: int) -> None:
        self.fault: LinkFault | None = None
        self.latency_s = 0.0
        self.port = listen_port
        self._listen_host = listen_host
        self._target = (target_host, target_port)
        self._server: asyncio.Server | None = None
        self._pairs: dict[_Pair, None] = {}  # in order of age: a set's order would differ from run to run

    async def start(self) -> None:
        """Listen; raises ``DeviceError`` when the port cannot be had."""
        try:
            self._server = await asyncio.get_running_loop().create_server(self._accept, self._listen_host, self.port)
        except OSError as error:
            raise DeviceError(f"link {self._listen_host}:{self.port}: cannot listen: {error}") from error
        self.port = int(next(iter(self._server.sockets)).getsockname()[1])

    async def stop(self) -> None:
        """Reset everything and stop listening."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
            self._reset_all()
            await server.wait_closed()

    def cut(self, how: LinkFault = "reset") -> None:
        """Break it now."""
        self.fault = how
        if how == "reset":
            self._reset_all()
        else:
            for pair in self._pairs:
                pair.dead = True

    def restore(self) -> None:
        """Heal it: new connections work; those that were cut half-open are reset."""
        self.fault = None
        for pair in [pair for pair in self._pairs if pair.dead]:
            pair.reset()

    def set_latency(self, seconds: float) -> None:
        """Delay every byte that comes from now on by ``seconds`` in each direction."""
        self.latency_s = seconds

    def _reset_all(self) -> None:
        for pair in list(self._pairs):
            pair.reset()

    def _accept(self) -> _End:
        pair = _Pair(self, self._target)
        pair.dead = self.fault == "half-open"
        self._pairs[pair] = None
        return pair.near

    def forget(self, pair: _Pair) -> None:
        """A pair is closed at both ends."""
        self._pairs.pop(pair, None)


class _Pair:
    """A connection through the link: ``near`` is the client's end, ``far`` the target's."""

    def __init__(self, link: FaultLink, target: tuple[str, int]) -> None:
        self.link = link
        self.dead = False
        self.near = _End(self)
        self.far = _End(self)
        self.near.other, self.far.other = self.far, self.near
        self._target = target
        self._dialling: asyncio.Task[None] | None = None

    def opened(self, end: _End) -> None:
        """The client is here: dial the target, unless the link is cut."""
        if end is self.near and self.link.fault == "reset":
            self.reset()
        elif end is self.near and not self.dead:
            self._dialling = asyncio.get_running_loop().create_task(self._dial())

    async def _dial(self) -> None:
        try:
            await asyncio.get_running_loop().create_connection(lambda: self.far, *self._target)
        except OSError:
            self.reset()

    def reset(self) -> None:
        """Break both ends."""
        if self._dialling is not None:
            self._dialling.cancel()
        for end in (self.near, self.far):
            end.abort()
        self.link.forget(self)


class _End(asyncio.Protocol):
    """One end; what it receives leaves at the other end after the latency, in order."""

    def __init__(self, pair: _Pair) -> None:
        self.pair = pair
        self.other: _End
        self._transport: asyncio.Transport | None = None
        self._outbox: deque[tuple[float, bytes | None]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Open: send what has come meanwhile."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self.pair.opened(self)
        self._flush()

    def data_received(self, data: bytes) -> None:
        """Pass on, or lose it."""
        self._pass(data)

    def eof_received(self) -> bool:
        """Pass the end-of-file on; keep this end open."""
        self._pass(None)
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Gone here: gone there, unless nobody can know."""
        self._transport = None
        if self.pair.dead:
            return
        if exc is not None:
            self.pair.reset()
        else:
            self._pass(None)

    def pause_writing(self) -> None:
        """The receiver is slow: stop reading from the sender."""
        if self.other._transport is not None:
            self.other._transport.pause_reading()

    def resume_writing(self) -> None:
        """The receiver has caught up."""
        if self.other._transport is not None:
            self.other._transport.resume_reading()

    def abort(self) -> None:
        """Reset this end and forget what was under way."""
        self._outbox.clear()
        if self._transport is not None:
            self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST_ON_CLOSE)
            self._transport.abort()

    def _pass(self, data: bytes | None) -> None:
        if not self.pair.dead:
            self.other._outbox.append((clock.time() + self.pair.link.latency_s, data))
            self.other._flush()

    def _flush(self) -> None:
        """Send what is due; None closes."""
        while self._outbox and self._transport is not None and not self.pair.dead:
            due, data = self._outbox[0]
            if due > clock.time():
                self._wait(due)
                return
            self._outbox.popleft()
            if data is None:
                self._transport.close()
                self.pair.link.forget(self.pair)
            else:
                self._transport.write(data)

    def _wait(self, due: float) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_at(due, self._waited)

    def _waited(self) -> None:
        self._timer = None
        self._flush()
