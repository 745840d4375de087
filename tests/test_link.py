"""The faulty wire: forwards, breaks, swallows, delays."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from hilbench import clock
from hilbench.devices import Link
from hilbench_emulators.link import FaultLink


def run(body: Callable[[FaultLink], Awaitable[Any]], mode: str) -> Any:
    """An echo server behind a link."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(1000):
                writer.write(data)
            writer.close()
        except ConnectionResetError:
            writer.close()

    async def main() -> Any:
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        link = FaultLink("127.0.0.1", 0, "127.0.0.1", server.sockets[0].getsockname()[1])
        await link.start()
        assert isinstance(link, Link)
        try:
            return await body(link)
        finally:
            await link.stop()
            await link.stop()
            server.close()

    return clock.run(main(), mode)


both = pytest.mark.parametrize("mode", ["virtual", "x10"])


async def connect(link: FaultLink) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A client."""
    return await asyncio.open_connection("127.0.0.1", link.port)


@both
def test_bytes_and_end_of_file_pass(mode: str) -> None:
    """What is sent comes back, then the end."""

    async def body(link: FaultLink) -> bytes:
        reader, writer = await connect(link)
        writer.write(b"hello")
        found = await reader.readexactly(5)
        writer.write_eof()
        assert await reader.read() == b""
        writer.close()
        return found

    assert run(body, mode) == b"hello"


@both
def test_a_cut_resets_old_and_new_connections_until_restored(mode: str) -> None:
    """Reset breaks what stands and what comes; restored, a new connection works."""

    async def body(link: FaultLink) -> bytes:
        reader, writer = await connect(link)
        writer.write(b"a")
        await reader.readexactly(1)
        link.cut()
        with pytest.raises(ConnectionResetError):
            await reader.readexactly(1)
        writer.close()
        late_reader, late_writer = await connect(link)
        late_writer.write(b"x")
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await late_reader.readexactly(1)
        late_writer.close()
        link.restore()
        reader, writer = await connect(link)
        writer.write(b"b")
        found = await reader.readexactly(1)
        writer.close()
        return found

    assert run(body, mode) == b"b"


@both
def test_half_open_swallows_everything(mode: str) -> None:
    """Neither end hears anything, and nothing arrives late."""

    async def body(link: FaultLink) -> None:
        reader, writer = await connect(link)
        writer.write(b"a")
        await reader.readexactly(1)
        link.cut("half-open")
        writer.write(b"b")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.readexactly(1), 2)
        link.restore()
        with pytest.raises(ConnectionResetError):
            await reader.readexactly(1)
        writer.close()

    run(body, mode)


def test_latency_delays_each_direction_in_order() -> None:
    """A round trip takes twice the latency, and bytes stay in order."""

    async def body(link: FaultLink) -> tuple[bytes, float]:
        reader, writer = await connect(link)
        link.set_latency(0.25)
        start = clock.time()
        for byte in b"abc":
            writer.write(bytes([byte]))
            await asyncio.sleep(0.01)
        found = await reader.readexactly(3)
        writer.close()
        return found, clock.time() - start

    found, took = run(body, "virtual")
    assert found == b"abc"
    assert took == pytest.approx(0.52)
