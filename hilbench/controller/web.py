"""HTTP on the loopback address: one request per connection, bounded in size and time, and nothing that h11 can refuse.

h11 reads and writes the protocol; the streams are the running loop's own, so that it works in virtual time as well.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial
from typing import Any, NamedTuple

import h11
import orjson

from hilbench.errors import DeviceError

HOST = "127.0.0.1"
NAMES = ("127.0.0.1", "localhost")
"""What a request may call this host; a page of the web that a browser was lured to has another name (DNS rebinding)."""
LONGEST_HEAD, LONGEST_BODY = 8192, 4096
PATIENCE_S = 5.0
"""A client that takes longer over its request or over reading the answer is dropped."""
JSON = "application/json"


class Request(NamedTuple):
    """What was asked: path without query, headers with small names."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""


class Answer(NamedTuple):
    """What is said to that; ``allow`` are the methods that the path has, where it has not the one that was used."""

    status: int
    body: bytes
    content_type: str = JSON
    allow: str = ""


Handle = Callable[[Request], Answer]


def json(value: Any, status: int = 200) -> Answer:
    """``value`` as JSON; infinities and NaN are null."""
    return Answer(status, orjson.dumps(value) + b"\n")


def refusal(status: int, reason: str, allow: str = "") -> Answer:
    """Why not."""
    return json({"error": reason}, status)._replace(allow=allow)


async def serve(port: int, handle: Handle, stack: AsyncExitStack) -> None:
    """Answer with ``handle`` until ``stack`` is closed; raises ``DeviceError`` for a port that cannot be had."""
    try:
        server = await asyncio.start_server(partial(_talk, handle), HOST, port)
    except OSError as error:
        raise DeviceError(f"status_port {port}: {error}") from error
    stack.callback(server.close)


async def _talk(handle: Handle, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=LONGEST_HEAD)
    try:
        async with asyncio.timeout(PATIENCE_S):
            answer = await _answered(connection, reader, handle)
            if answer is not None:
                writer.write(_bytes_of(connection, answer))
                await writer.drain()
    except (TimeoutError, OSError):
        pass  # it is gone, or as good as that
    finally:
        writer.close()


async def _answered(connection: h11.Connection, reader: asyncio.StreamReader, handle: Handle) -> Answer | None:
    try:
        request = await _request(connection, reader)
    except h11.RemoteProtocolError as error:
        return refusal(error.error_status_hint, str(error))
    if request is None:
        return None
    if len(request.body) > LONGEST_BODY:
        return refusal(413, f"more than {LONGEST_BODY} bytes")
    if request.headers.get("host", "").partition(":")[0] not in NAMES:
        return refusal(403, f"this is {HOST}")
    answer = handle(request)
    return answer._replace(body=b"") if request.method == "HEAD" else answer


async def _request(connection: h11.Connection, reader: asyncio.StreamReader) -> Request | None:
    """The request, with as much of its body as may be looked at; None when the client left before it was whole."""
    head: h11.Request | None = None
    body = b""
    while len(body) <= LONGEST_BODY:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(LONGEST_HEAD))
        elif isinstance(event, h11.Request):
            head = event
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage):
            break
        else:
            return None
    assert head is not None, "h11 gives the head before anything of the body"
    headers = {name.decode("ascii"): value.decode("latin-1") for name, value in head.headers}
    return Request(head.method.decode("ascii"), head.target.decode("ascii").partition("?")[0], headers, body)


def _bytes_of(connection: h11.Connection, answer: Answer) -> bytes:
    headers = [
        ("Content-Type", answer.content_type),
        ("Content-Length", str(len(answer.body))),
        ("Cache-Control", "no-store"),
        ("Connection", "close"),
        *([("Allow", answer.allow)] if answer.allow else []),
    ]
    sent = [connection.send(h11.Response(status_code=answer.status, headers=headers))]
    sent += [connection.send(h11.Data(data=answer.body)), connection.send(h11.EndOfMessage())]
    return b"".join(part for part in sent if part)
