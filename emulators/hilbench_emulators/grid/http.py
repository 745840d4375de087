"""HTTP/1.1 for emulated servers, on asyncio streams and so on any loop: h11 speaks the protocol."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import h11

LARGEST = 1024 * 1024
"""Bytes of a request's body that are read; a larger one ends the connection (policy-default)."""
_CHUNK = 64 * 1024


@dataclass(frozen=True)
class Request:
    """A whole request; names of ``headers`` are in lower case, ``target`` is path and query as sent."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """What goes back; ``body`` is sent as it is, as JSON by name."""

    status: int
    body: bytes
    kind: str = "application/json"


Handler = Callable[[Request], Awaitable[Answer]]


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, handler: Handler) -> None:
    """Answer the requests of one connection until the peer ends it or breaks the protocol."""
    connection = h11.Connection(h11.SERVER)
    try:
        while (request := await _request(connection, reader)) is not None:
            _send(connection, writer, await handler(request))
            await writer.drain()
            if connection.our_state is not h11.DONE or connection.their_state is not h11.DONE:
                break
            connection.start_next_cycle()
    except (OSError, h11.ProtocolError):
        pass  # the peer is gone, or speaks something else
    finally:
        writer.close()


async def _request(connection: h11.Connection, reader: asyncio.StreamReader) -> Request | None:
    head: h11.Request | None = None
    body = bytearray()
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(_CHUNK))
        elif isinstance(event, h11.Request):
            head = event
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > LARGEST:
                return None
        elif isinstance(event, h11.EndOfMessage) and head is not None:
            headers = {name.decode("ascii"): value.decode("latin-1") for name, value in head.headers}
            return Request(head.method.decode("ascii"), head.target.decode("latin-1"), headers, bytes(body))
        else:
            return None


def _send(connection: h11.Connection, writer: asyncio.StreamWriter, answer: Answer) -> None:
    headers = [("Content-Type", answer.kind), ("Content-Length", str(len(answer.body)))]
    for event in (
        h11.Response(status_code=answer.status, headers=headers),
        h11.Data(data=answer.body),
        h11.EndOfMessage(),
    ):
        writer.write(connection.send(event) or b"")


__all__ = ["Answer", "Handler", "Request", "serve"]
