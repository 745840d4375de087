"""Messages to bytes and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hilbench.ccs.exi.bits import Reader, Writer
from hilbench.ccs.exi.errors import ExiError
from hilbench.ccs.exi.schema import ENVELOPE, HEADER, Root, Schema
from hilbench.ccs.exi.values import UNDECLARED, Read

LONGEST = 1 << 18
"""Bytes of a message at most. The longest that the tables allow with real contents are certificate chains of some
20 kB; this is far above and keeps the time for anything else bounded."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message by its name; ``body`` has the standard's element names, the header under ``Header``.

    Values are int, str (text, and the words of enumerations), bytes, bool, dict for what has parts, and list for what
    may come more than once. An attribute is under its own name; text that has attributes is under ``value``.
    """

    name: str
    body: dict[str, Any]


def encode(schema: Schema, name: str, body: Mapping[str, Any]) -> bytes:
    """A message as EXI; raises ExiError where the schema does not allow it."""
    roots = schema.documents
    if schema.wrapped:
        return _encode(roots[ENVELOPE], len(roots), _enveloped(schema, name, body)).finished()
    if name not in roots:
        raise ExiError(f"{schema.title} has no message {name}")
    return _encode(roots[name], len(roots), body).finished()


def _enveloped(schema: Schema, name: str, body: Mapping[str, Any]) -> dict[str, Any]:
    if name not in schema.messages:
        raise ExiError(f"{schema.title} has no message {name}")
    rest = dict(body)
    header = {"Header": rest.pop("Header")} if "Header" in rest else {}
    return {**header, "Body": {name: rest}}


def _encode(root: Root, last: int, body: Any) -> Writer:
    """The header, the event code of an element (``last`` is the highest code in its place) and the element."""
    writer = Writer()
    writer.bits(8, HEADER)
    try:
        root.codec.write(writer, last.bit_length(), root.code, body)
    except ExiError as error:
        error.inside(root.name)
        raise
    return writer


def decode(schema: Schema, data: bytes) -> Message:
    """The message in EXI bytes; raises ExiError for anything that the schema does not allow.

    Whatever the bytes are, time and memory are within a fixed multiple of their number.
    """
    if len(data) > LONGEST:
        raise ExiError(f"{len(data)} bytes where at most {LONGEST} are taken")
    reader = Reader(data)
    header = reader.bits(8)
    if header != HEADER:
        raise ExiError(f"the first byte is {header:#04x}, not {HEADER:#04x}: not EXI, or EXI with options")
    name, read = _root(reader, schema)
    try:
        body = read(reader)
    except ExiError as error:
        error.inside(name)
        raise
    _check_end(reader)
    message = _unwrapped(body, reader) if schema.wrapped else Message(name, body)
    if message.name not in schema.messages:
        raise ExiError(f"{message.name} is no message of {schema.title}", reader.position)
    return message


def _root(reader: Reader, schema: Schema) -> tuple[str, Read]:
    width = len(schema.documents).bit_length()
    root = schema.by_code.get(reader.bits(width))
    if root is None:
        raise ExiError(f"{UNDECLARED} at the beginning", reader.position - width)
    if schema.wrapped and root.name != ENVELOPE:
        raise ExiError(f"the message begins with {root.name}, not with {ENVELOPE}", reader.position - width)
    return root.name, root.codec.read


def _check_end(reader: Reader) -> None:
    """Fewer than eight bits, all zero, fill up the last byte."""
    left = reader.remaining
    if left >= 8 or reader.bits(left):
        raise ExiError(f"{left} bits follow the end of the message", reader.position)


def _unwrapped(body: dict[str, Any], reader: Reader) -> Message:
    message = body["Body"]
    if not message:
        raise ExiError("the body is empty: there is no message in it", reader.position, f"{ENVELOPE}.Body")
    name, content = next(iter(message.items()))
    return Message(name, {"Header": body["Header"], **content})
