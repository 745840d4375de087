"""The line of an emulated board: a TCP port, and for a serial address a pseudo-terminal that leads to it.

One board is on one line: what anybody sends it hears, and what it says everybody hears. The line can be ruined: no
answer, noise, flipped bits, or bytes one by one.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from functools import partial

from hilbench import clock
from hilbench.errors import DeviceError, InputError, Problem
from hilbench.modbus_address import ModbusAddress
from hilbench_emulators.serial_line import SerialLine

_BITS = 10  # 8N1 on the wire: start, eight data, stop


def _flip(rng: random.Random, data: bytes) -> bytes:
    at = rng.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]


RUINS: dict[str, Callable[[random.Random, bytes], bytes]] = {
    "silent": lambda _rng, _data: b"",
    "noise": lambda rng, data: rng.randbytes(len(data)),
    "flipped": _flip,
    "half": lambda _rng, data: data[: len(data) // 2],
    "twice": lambda _rng, data: data + data,
}
"""What can be done to whatever a board says."""


class BoardServer:
    """The line of board ``name``; ``received`` gets the bytes that come.

    Port 0 takes a free one, ``port`` tells which after ``start``. With ``baudrate`` bytes take the time that they take
    on a wire, else none. ``seed`` is that of the noise.
    """

    def __init__(
        self,
        name: str,
        address: ModbusAddress | None,
        received: Callable[[bytes], None],
        *,
        baudrate: int | None = None,
        seed: int = 1,
    ) -> None:
        self.name, self.address = name, address or ModbusAddress("tcp", "127.0.0.1", 0)
        self.port = self.address.port
        self._received, self._baudrate = received, baudrate
        self._rng = random.Random(seed)
        self._ruin: Callable[[random.Random, bytes], bytes] | None = None
        self._free = [0.0, 0.0]
        self._server: asyncio.Server | None = None
        self._line: SerialLine | None = None
        self._plugs: set[asyncio.Transport] = set()

    async def start(self) -> None:
        """Listen, and lay the serial line; raises ``DeviceError`` when port or path are not free."""
        if self._server is not None:
            return
        host = self.address.host or "127.0.0.1"
        try:
            loop = asyncio.get_running_loop()
            self._server = await loop.create_server(lambda: _Plug(self._arrived, self._plugs), host, self.port)
        except OSError as error:
            what = f"cannot listen at {host}:{self.port}: {error.strerror or error}"
            raise DeviceError(f"board {self.name}: {what} (choose another port)") from None
        self.port = int(self._server.sockets[0].getsockname()[1])
        if self.address.kind == "serial":
            await self._lay()

    async def _lay(self) -> None:
        line = SerialLine(self.address.device, "127.0.0.1", self.port)
        try:
            await line.start()
        except DeviceError as error:
            await self.stop()
            raise DeviceError(f"board {self.name}: {error}") from None
        self._line = line

    async def stop(self) -> None:
        """Take the line away and close every connection."""
        if self._line is not None:
            line, self._line = self._line, None
            await line.stop()
        if self._server is not None:
            server, self._server = self._server, None
            server.close()
            self.hang_up()
            await server.wait_closed()

    def hang_up(self) -> None:
        """Close every connection, as when a USB adapter is pulled and put back."""
        for plug in list(self._plugs):
            plug.abort()

    def ruin(self, how: str | None) -> None:
        """Ruin what the board says in a way of ``RUINS``, or no longer; raises ``InputError`` for any other."""
        if how is not None and how not in RUINS:
            raise InputError(
                f"board {self.name}", Problem("line", f"no fault {how!r}", f"there are {', '.join(RUINS)}")
            )
        self._ruin = None if how is None else RUINS[how]

    def send(self, data: bytes) -> None:
        """Say something."""
        data = data if self._ruin is None or not data else self._ruin(self._rng, data)
        if data:
            self._after(1, len(data), partial(self._write, data))

    def _write(self, data: bytes) -> None:
        for plug in self._plugs:
            plug.write(data)

    def _arrived(self, data: bytes) -> None:
        self._after(0, len(data), partial(self._received, data))

    def _after(self, way: int, count: int, act: Callable[[], None]) -> None:
        """Do it when so many bytes have passed on the wire."""
        if self._baudrate is None:
            act()
            return
        self._free[way] = max(clock.time(), self._free[way]) + count * _BITS / self._baudrate
        asyncio.get_running_loop().call_at(self._free[way], act)


class _Plug(asyncio.Protocol):
    """One connection to the board."""

    def __init__(self, arrived: Callable[[bytes], None], plugs: set[asyncio.Transport]) -> None:
        self._arrived, self._plugs = arrived, plugs
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See ``asyncio.Protocol``."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._plugs.add(transport)

    def data_received(self, data: bytes) -> None:
        """See ``asyncio.Protocol``."""
        self._arrived(data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - a gone listener is like one that left
        """See ``asyncio.Protocol``."""
        if self._transport is not None:
            self._plugs.discard(self._transport)
