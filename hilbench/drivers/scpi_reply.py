"""What an instrument answers, read piece by piece without any I/O of its own.

A reply is a generator: it yields how many bytes it needs (``LINE``: up to and with the next line feed), is sent them,
and returns what they mean. Whoever owns the wire drives it: blocking, awaiting, or from memory. A block of binary data
is read by its length, never by looking for a terminator: every byte of it may be a line feed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Awaitable, Callable, Generator
from typing import TypeVar

T = TypeVar("T")
Bytes = bytes | bytearray
Reply = Generator[int, Bytes, T]

LINE = 0
"""Need: bytes up to and with a line feed, at most ``LONGEST_LINE``."""
LONGEST_LINE = 65_536
"""Bytes [chosen]: a preamble has 200, a Tektronix event list some thousands."""
LONGEST_PREFIX = 64
"""Bytes before the ``#`` of a block [chosen]: ``C1:WF DAT2,`` of Siglent has 11, ``:CURVE `` of Tektronix 7."""
_SHOWN = 60
_NUMBER = re.compile(
    r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*([GMkKmuµn]?)(?:Sa/s|Sa|[Pp]ts|[VvSsAa]|Hz|HZ|%)?$",
    re.ASCII,
)
_PREFIX = {"": 1.0, "G": 1e9, "M": 1e6, "k": 1e3, "K": 1e3, "m": 1e-3, "u": 1e-6, "µ": 1e-6, "n": 1e-9}
_NOT_A_NUMBER = 9.9e37
"""SCPI 1999 volume 1, 7.2.1: 9.9E37 is infinity, 9.91E37 not a number (recalled)."""


class ReplyError(Exception):
    """The bytes are no answer to what was asked; the text says why."""


def drive(reply: Reply[T], read: Callable[[int], Bytes]) -> T:
    """Feed ``reply`` from a blocking ``read`` and return what it means."""
    try:
        need = next(reply)
        while True:
            need = reply.send(read(need))
    except StopIteration as done:
        value: T = done.value
        return value


async def drive_async(reply: Reply[T], read: Callable[[int], Awaitable[Bytes]]) -> T:
    """Feed ``reply`` from an awaitable ``read`` and return what it means."""
    try:
        need = next(reply)
        while True:
            need = reply.send(await read(need))
    except StopIteration as done:
        value: T = done.value
        return value


def from_memory(data: Bytes) -> Callable[[int], Bytes]:
    """A ``read`` for :func:`drive` that takes from ``data``; raises ``TimeoutError`` where there is no more."""
    start = 0

    def read(need: int) -> Bytes:
        nonlocal start
        end = data.find(b"\n", start) + 1 if need == LINE else start + need
        end = min(end, start + LONGEST_LINE) if need == LINE else end
        if not start < end <= len(data):
            raise TimeoutError
        taken, start = data[start:end], end
        return taken

    return read


def text() -> Reply[str]:
    """One line of printable text without its end; raises ``ReplyError`` for anything else. Empty lines are skipped."""
    for _ in range(3):  # Siglent ends a block with two line feeds, and the second one comes before the next answer
        line = yield LINE
        if not line.endswith(b"\n"):
            raise ReplyError(f"{len(line)} bytes without the end of a line")
        stripped = bytes(line).strip()
        if stripped:
            return _printable(stripped)
    raise ReplyError("nothing but empty lines")


def _printable(line: bytes) -> str:
    try:
        found = line.decode("utf-8")
    except UnicodeDecodeError:
        raise ReplyError(f"not text: {shown(line)}") from None
    if not found.isprintable():
        raise ReplyError(f"not text: {shown(line)}")
    return found


def until(marker: str, times: int = 1) -> Reply[None]:
    """Everything up to and with the ``times``-th line that ends with ``marker``."""
    wanted, tail = marker.encode(), b""
    while times:
        tail = (tail + bytes((yield LINE)))[-2 * LONGEST_LINE :]
        if tail.rstrip().endswith(wanted) and tail.endswith(b"\n"):
            times, tail = times - 1, b""


def block(expected: int) -> Reply[Bytes]:
    """The ``expected`` bytes of an IEEE 488.2 block ``#<d><n...n><data>`` and its line feed, whatever stands before it.

    Raises ``ReplyError`` for another length, for ``#0`` (a block whose end no socket can tell), and for no block.
    """
    yield from _to_the_mark()
    digits = yield 1
    if not b"1" <= digits <= b"9":
        raise ReplyError(f"a block with {shown(digits)} for the digits of its length")
    length = yield int(digits)
    if not length.isdigit():
        raise ReplyError(f"a block with the length {shown(length)}")
    if int(length) != expected:
        yield from _skipped(int(length))
        raise ReplyError(f"a block of {int(length)} bytes, {expected} asked for")
    data = yield expected
    end = yield 1
    if end == b"\r":
        end = yield 1
    if end != b"\n":
        raise ReplyError(f"a block that goes on with {shown(end)} after its {expected} bytes")
    return data


def _to_the_mark() -> Generator[int, Bytes, None]:
    passed = b""
    while True:
        byte = yield 1
        if byte == b"#":
            return
        passed += byte
        if len(passed) > LONGEST_PREFIX or (byte == b"\n" and passed.strip()):
            raise ReplyError(f"no block but {shown(passed)}")


def _skipped(length: int) -> Generator[int, Bytes, None]:
    """Read on where that is cheap, so that the next answer is in step."""
    if length <= LONGEST_LINE:
        if length:
            yield length
        yield 1


def number(said: str) -> float:
    """A finite number with or without header, SI prefix and unit: ``C1:VDIV 5.00E+00V``, ``500.0KSa/s``, ``7Mpts``.

    Raises ``ReplyError`` for anything else.
    """
    found = _NUMBER.match(said.rsplit(None, 1)[-1] if said.strip() else "")
    value = float(found[1]) * _PREFIX[found[2]] if found else math.nan
    if not math.isfinite(value) or abs(value) >= _NOT_A_NUMBER:
        raise ReplyError(f"no number: {said[:_SHOWN]!r}")
    return value


def whole(said: str) -> int:
    """A whole number, as :func:`number` reads it; raises ``ReplyError`` where it has a fraction."""
    value = number(said)
    if not value.is_integer():
        raise ReplyError(f"no whole number: {said[:_SHOWN]!r}")
    return int(value)


def word(said: str) -> str:
    """The last word of an answer, in capitals, without header and quotes."""
    return said.rsplit(None, 1)[-1].strip("\"'").upper() if said.strip() else ""


def shown(data: Bytes) -> str:
    """The first bytes as they may stand in a message."""
    head = repr(bytes(data[:_SHOWN]))[1:]
    return head + (f" and {len(data) - _SHOWN} more bytes" if len(data) > _SHOWN else "")
