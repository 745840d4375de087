"""One HTTP/1.1 request and its answer on asyncio streams, so on any loop: h11 speaks the protocol."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import h11

LARGEST = 8 * 1024 * 1024
"""Bytes of a body that is still read (policy-default): a page of 50 events with days of 5-minute intervals fits."""
_CHUNK = 64 * 1024


class ExchangeError(Exception):
    """No whole answer came: not connected, too late, too large or not HTTP; the message says which."""


@dataclass(frozen=True)
class Answer:
    """Status and body of an answer."""

    status: int
    body: bytes


async def exchange(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes = b"",
    timeout_s: float = 10.0,
    tls: ssl.SSLContext | None = None,
) -> Answer:
    """Send one request to ``url`` (http or https) and read the whole answer; raises :class:`ExchangeError`.

    ``tls`` is for https; without it the server is checked against the CAs of the machine.
    """
    try:
        async with asyncio.timeout(timeout_s):
            return await _exchange(method, url, headers, body, tls)
    except TimeoutError:
        raise ExchangeError(f"no answer within {timeout_s:g} s") from None
    except (OSError, h11.ProtocolError) as error:
        raise ExchangeError(str(error) or type(error).__name__) from error


async def _exchange(
    method: str, url: str, headers: Mapping[str, str], body: bytes, tls: ssl.SSLContext | None
) -> Answer:
    parts = urlsplit(url)
    secure = (tls or ssl.create_default_context()) if parts.scheme == "https" else None
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port or (443 if secure else 80), ssl=secure)
    try:
        connection = h11.Connection(h11.CLIENT)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        fields = {"Host": parts.netloc.rpartition("@")[2], "Connection": "close", **headers}
        request = h11.Request(
            method=method, target=target, headers=list({**fields, "Content-Length": str(len(body))}.items())
        )
        for event in (request, h11.Data(data=body), h11.EndOfMessage()):
            writer.write(connection.send(event) or b"")
        return await _answer(connection, reader)
    finally:
        writer.transport.abort()  # nothing more is expected, and a dead peer must not hold the port back


async def _answer(connection: h11.Connection, reader: asyncio.StreamReader) -> Answer:
    status, body = 0, bytearray()
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(_CHUNK))
        elif isinstance(event, h11.Response):
            status = event.status_code
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > LARGEST:
                raise ExchangeError(f"the answer is larger than {LARGEST} bytes")
        elif isinstance(event, h11.EndOfMessage):
            return Answer(status, bytes(body))
        elif not isinstance(event, h11.InformationalResponse):
            raise ExchangeError("the connection ended before an answer")


__all__ = ["Answer", "ExchangeError", "exchange"]
