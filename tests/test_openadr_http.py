"""The OpenADR port's HTTP client against servers that say exactly what a test wants."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilbench import clock
from hilbench.controller.signals import http
from hilbench.controller.signals.http import Answer, ExchangeError, exchange


def answered(raw: bytes, end: Callable[[asyncio.StreamWriter], None] = asyncio.StreamWriter.close) -> Answer:
    """What the client makes of a server that sends ``raw`` and then does ``end``."""

    async def main() -> Answer:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(raw)
            await asyncio.sleep(1)
            end(writer)

        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            return await exchange("GET", f"http://127.0.0.1:{port}/events?x=1", {}, timeout_s=5.0)

    return clock.run(main())


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n[\r\n1\r\n]\r\n0\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]",
        b"HTTP/1.1 200 OK\r\n\r\n[]",
        b"HTTP/1.0 200 OK\r\n\r\n[]",
    ],
)
def test_every_way_to_frame_a_body_is_read(raw: bytes) -> None:
    """By length, in chunks, after an interim answer, and up to the end of the connection."""
    assert answered(raw) == Answer(200, b"[]")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"HTTP/1.1 200",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n[]",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n[\r\n",
        b"220 mail.example ESMTP\r\n",
    ],
)
def test_half_an_answer_is_none(raw: bytes) -> None:
    """What is cut short or speaks something else is an error of the exchange, not an empty list."""
    with pytest.raises(ExchangeError):
        answered(raw)


def test_a_reset_and_a_silence_are_no_answers() -> None:
    """The peer resets the connection, or says nothing for longer than the time-out."""
    with pytest.raises(ExchangeError):
        answered(b"HTTP/1.1 200 OK\r\n", lambda writer: writer.transport.abort())
    with pytest.raises(ExchangeError, match="no answer within 5 s"):
        answered(b"HTTP/1.1 200 OK\r\n", lambda _writer: None)


def test_an_answer_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """A VTN cannot fill the memory."""
    monkeypatch.setattr(http, "LARGEST", 10)
    with pytest.raises(ExchangeError, match="larger than 10 bytes"):
        answered(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 11)


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_break_the_client(raw: bytes) -> None:
    """Whatever comes is an answer or an error of the exchange."""
    for head in (b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"):
        with contextlib.suppress(ExchangeError):
            assert answered(head + raw).status >= 200
