"""RAPI as the driver of an OpenEVSE speaks it: commands into lines, lines into replies and notices. Pure.

``$`` text, optional `` :XX`` sequence id, ``^XX`` XOR of all before it, CR. Source: OpenEVSE ``rapi_proc.h`` 5.2.1
(read-code). Three of its examples, ``$SL 1^14`` and the like, are sums behind the sign of an XOR, and are wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

from hilbench.errors import InputError, Problem

LONGEST = 31
"""Bytes of a command before its CR that the 32 bytes of a board's buffer hold (read-code, ``ESRAPI_BUFLEN``)."""
_ARGUMENTS = 10
_LONGEST_LINE = 128
"""No line of a board is that long: more without an end is noise (policy-default)."""


@dataclass(frozen=True)
class Reply:
    """``$OK`` or ``$NK`` with its values; ``sequence`` is None where the board gave none."""

    ok: bool
    values: tuple[str, ...]
    sequence: int | None = None


@dataclass(frozen=True)
class Notice:
    """What the board says by itself: ``kind`` is ``AB``, ``AT``, ``AN``, ``WF`` or ``ST`` (firmware before 3)."""

    kind: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Noise:
    """Bytes that are no line of a board, such as the echo of a command."""

    data: bytes


Heard = Reply | Notice | Noise


def command(text: str, sequence: int | None = None) -> bytes:
    """The line of a command such as ``SC 16 V``; raises ``InputError`` for one that the board would drop."""
    if not text.isascii() or not text.isprintable() or any(sign in text for sign in "$^*:") or len(text) < 2:
        raise InputError("RAPI", Problem("command", f"{text!r} is none", "write it as GS or SC 16, without checksum"))
    line = f"${text}" if sequence is None else f"${text} :{sequence:02X}"
    line += f"^{_xor(line.encode()):02X}"
    if len(line) > LONGEST or len(line.split(" ")) > _ARGUMENTS:
        what = f"{text!r} is too long: with its frame at most {LONGEST} bytes and {_ARGUMENTS} words"
        raise InputError("RAPI", Problem("command", what, "the board would drop it without an answer"))
    return line.encode() + b"\r"


class Decoder:
    """Lines from bytes as they come, whatever comes."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    @property
    def pending(self) -> bytes:
        """Bytes that no end of a line has followed yet."""
        return bytes(self._buffer)

    def feed(self, data: bytes) -> list[Heard]:
        """What ``data`` completes."""
        self._buffer += data
        *lines, rest = self._buffer.split(b"\r")
        if len(rest) > _LONGEST_LINE:
            lines, rest = [*lines, rest], bytearray()
        self._buffer = bytearray(rest)
        heard: list[Heard] = []
        for line in lines:
            heard += _of_line(bytes(line))
        return heard


def _of_line(line: bytes) -> list[Heard]:
    """What a line says, from its last ``$`` on; what is before that is noise."""
    before, found, text = line.rpartition(b"$")
    noise: list[Heard] = [Noise(before)] if before.strip(b"\n") else []
    if not found:
        return [Noise(line)] if line.strip(b"\n") else []
    return [*noise, _understood(b"$" + text)]


def _understood(line: bytes) -> Heard:
    body, sign, checksum = line.rpartition(b"^")
    if not sign or len(checksum) != 2 or checksum.upper() != b"%02X" % _xor(body) or not body.isascii():
        return Noise(line)
    kind, *values = body[1:].decode().split(" ")
    if kind in ("OK", "NK"):
        return _reply(kind == "OK", values, line)
    is_notice = kind in ("AB", "AT", "AN", "WF") or (kind == "ST" and len(values) == 1)
    return Notice(kind, tuple(values)) if is_notice else Noise(line)


def _reply(ok: bool, values: list[str], line: bytes) -> Heard:
    if not values or not values[-1].startswith(":"):
        return Reply(ok, tuple(values))
    digits = values[-1][1:]
    if len(digits) != 2 or not set(digits) <= set("0123456789ABCDEFabcdef"):
        return Noise(line)
    return Reply(ok, tuple(values[:-1]), int(digits, 16))


def _xor(data: bytes) -> int:
    return reduce(lambda left, right: left ^ right, data, 0)
