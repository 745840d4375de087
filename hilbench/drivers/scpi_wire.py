"""The wires to an instrument: PyVISA in a thread of its own, and streams of the event loop.

Streams (``tcp://host:port``) run in virtual time too, where they stay in memory; VISA resources need real time. Both
send all lines of one exchange in a single write: two small writes in a row wait for Nagle and delayed ACK, 44 to 48 ms
each, and pyvisa-py cannot set TCP_NODELAY on a SOCKET resource (measured).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

from hilbench.drivers.scpi_reply import LINE, LONGEST_LINE, Bytes, Reply, drive, drive_async, from_memory
from hilbench.errors import InputError, Problem
from hilbench.visa_address import visa_socket

T = TypeVar("T")
CHUNK = 65_536
"""Bytes of a block that must come within one time-out."""
LONGEST_HEADER = 9
"""Bytes: more of them at once are the data of a block."""
LONGEST_MESSAGE = 1 << 30
"""Bytes of a message on a bus that marks the end [chosen]."""
_TCP = re.compile(r"tcp://(\[[0-9a-fA-F:]+\]|[^\s:/\[\]]+):(\d{1,5})$")
_VISA = re.compile(r"(TCPIP|USB|GPIB|ASRL|PXI|VXI|VICP|PRLGX)[^\s:]*::\S+$", re.IGNORECASE)


class Wire(Protocol):
    """A way to one instrument.

    Every method but ``close`` may raise ``TimeoutError`` (no complete answer in time), ``OSError`` (no connection) and
    what a reply raises.
    """

    address: str

    async def open(self) -> None:
        """Connect; some ways tell only at the first answer that nobody is there."""

    async def exchange(self, lines: Sequence[str], reply: Reply[T]) -> T:
        """Send ``lines`` and read the answer of the last one."""
        ...

    async def recover(self) -> None:
        """Get rid of what is still to come: device clear, or a new connection."""

    async def close(self) -> None:
        """Let go; may be called twice."""


def wire(address: str, timeout_s: float = 2.0, backend: str = "") -> Wire:
    """The wire to ``address``: ``tcp://host:port``, or a VISA resource name through the VISA library ``backend``.

    ``timeout_s`` is how long a line of text, and each started 64 KiB of a block, may take. Raises ``InputError`` for
    an address that is none.
    """
    tcp = _TCP.match(address)
    place = (tcp[1].strip("[]"), int(tcp[2])) if tcp else visa_socket(address)
    if not (place or _VISA.match(address)) or (place and not 0 < place[1] < 65_536):
        remedy = "such as TCPIP::192.168.1.20::5555::SOCKET, USB0::0x1AB1::0x04CE::DS1ZA1::INSTR or tcp://host:5555"
        raise InputError(f"instrument {address}", Problem("address", "neither VISA resource nor tcp://", remedy))
    if tcp and place:
        return StreamWire(*place, timeout_s)
    return VisaWire(address, timeout_s, backend)


class StreamWire:
    """A TCP stream of the event loop; in virtual time it stays in memory."""

    def __init__(self, host: str, port: int, timeout_s: float) -> None:
        self.address = f"tcp://{host}:{port}"
        self._host, self._port, self._timeout_s = host, port, timeout_s
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def open(self) -> None:
        """Connect."""
        async with asyncio.timeout(self._timeout_s):
            self._streams = await asyncio.open_connection(self._host, self._port, limit=LONGEST_LINE)

    async def exchange(self, lines: Sequence[str], reply: Reply[T]) -> T:
        """See :class:`Wire`."""
        if self._streams is None:
            await self.open()
        assert self._streams is not None
        reader, writer = self._streams
        writer.write(("\n".join(lines) + "\n").encode())
        try:
            async with asyncio.timeout(self._timeout_s) as limit:
                return await drive_async(reply, lambda need: self._read(reader, need, limit))
        except asyncio.IncompleteReadError:
            raise ConnectionResetError("the connection was closed before the answer was complete") from None

    async def _read(self, reader: asyncio.StreamReader, need: int, limit: asyncio.Timeout) -> Bytes:
        if need == LINE:
            return await _line(reader)
        if need <= LONGEST_HEADER:
            return await reader.readexactly(need)
        data, now = bytearray(), asyncio.get_running_loop().time
        while len(data) < need:
            data += await reader.readexactly(min(CHUNK, need - len(data)))
            limit.reschedule(now() + self._timeout_s)
        return data

    async def recover(self) -> None:
        """Connect anew."""
        await self.close()
        await self.open()

    async def close(self) -> None:
        """Disconnect."""
        if self._streams is not None:
            (_, writer), self._streams = self._streams, None
            writer.close()
            try:
                async with asyncio.timeout(self._timeout_s):
                    await writer.wait_closed()
            except (OSError, TimeoutError):
                return  # it is gone either way


async def _line(reader: asyncio.StreamReader) -> Bytes:
    try:
        return await reader.readuntil(b"\n")
    except asyncio.LimitOverrunError:
        return await reader.readexactly(LONGEST_LINE)


class VisaWire:
    """A VISA resource: every call runs in one thread of its own, one after the other."""

    def __init__(self, resource: str, timeout_s: float, backend: str = "") -> None:
        self.address = resource
        self._timeout_s, self._backend = timeout_s, backend
        self._is_socket = visa_socket(resource) is not None
        self._pool: ThreadPoolExecutor | None = None
        self._resource: Any = None

    async def open(self) -> None:
        """Open the resource; at a SOCKET nobody may be there all the same (pyvisa-py, measured)."""
        await self._in_thread(self._open)

    async def exchange(self, lines: Sequence[str], reply: Reply[T]) -> T:
        """See :class:`Wire`."""
        loop = asyncio.get_running_loop()
        return await self._in_thread(lambda: self._exchange(lines, reply, loop.time))

    async def recover(self) -> None:
        """Device clear where the bus has one; a socket has none and is opened anew."""
        await self._in_thread(self._recover)

    async def close(self) -> None:
        """Close the resource; the VISA library stays open for others."""
        if self._pool is not None:
            await self._in_thread(self._close)
            self._pool.shutdown(wait=False)
            self._pool = None

    async def _in_thread(self, call: Callable[[], T]) -> T:
        self._pool = self._pool or ThreadPoolExecutor(1, thread_name_prefix="visa")
        return await asyncio.get_running_loop().run_in_executor(self._pool, lambda: _as_os_errors(call))

    def _open(self) -> None:
        import pyvisa

        milliseconds = max(1, round(self._timeout_s * 1000))
        options: dict[str, Any] = {"timeout": milliseconds, "write_termination": "\n"}
        try:
            manager = pyvisa.ResourceManager(self._backend)
            self._resource = manager.open_resource(self.address, open_timeout=milliseconds, **options)
        except Exception as error:  # pyvisa-py raises plain Exception for a host without address
            raise OSError(str(error).replace("\n", " ")) from None
        session: Any = getattr(self._resource.visalib, "sessions", {}).get(self._resource.session)
        if hasattr(session, "max_recv_size"):
            session.max_recv_size = CHUNK  # pyvisa-py takes 4 KiB at a time from a socket: half the speed (measured)

    def _recover(self) -> None:
        if self._resource is not None and not self._is_socket:
            self._resource.clear()
            return
        self._close()
        self._open()

    def _close(self) -> None:
        resource, self._resource = self._resource, None
        if resource is not None:
            resource.close()

    def _exchange(self, lines: Sequence[str], reply: Reply[T], now: Callable[[], float]) -> T:
        if self._resource is None:
            self._open()
        resource: Any = self._resource
        if not self._is_socket:
            return drive(reply, from_memory(b"".join(self._messages(lines))))
        resource.write("\n".join(lines))
        deadline = now() + self._timeout_s

        def read(need: int) -> Bytes:
            nonlocal deadline
            if now() > deadline:
                raise TimeoutError
            data = self._read(need)
            if need > LONGEST_HEADER:
                deadline = now() + self._timeout_s
            return data

        return drive(reply, read)

    def _read(self, need: int) -> bytes:
        """From a socket: up to a line feed, or so many bytes."""
        termination = "\n" if need == LINE else None
        if self._resource.read_termination != termination:
            self._resource.read_termination = termination
        count, chunk = (LONGEST_LINE, LONGEST_LINE) if need == LINE else (need, CHUNK)
        data: bytes = self._resource.read_bytes(count, chunk_size=chunk, break_on_termchar=need == LINE)
        return data

    def _messages(self, lines: Sequence[str]) -> Iterator[bytes]:
        """The answers on a bus that marks the end of a message (USB, GPIB, VXI-11); tried on no such bus yet."""
        for line in lines:
            self._resource.write(line)
            if "?" in line:
                data = self._resource.read_bytes(LONGEST_MESSAGE, chunk_size=CHUNK, break_on_termchar=True)
                yield data if data.endswith(b"\n") else data + b"\n"


def _as_os_errors(call: Callable[[], T]) -> T:
    """``call()``, with what VISA libraries raise as ``TimeoutError`` or ``OSError``."""
    from pyvisa.constants import StatusCode
    from pyvisa.errors import Error, VisaIOError

    try:
        return call()
    except VisaIOError as error:
        if error.error_code == StatusCode.error_timeout:
            raise TimeoutError from None
        raise OSError(error.abbreviation) from None
    except Error as error:  # a session that is closed
        raise OSError(str(error)) from None
