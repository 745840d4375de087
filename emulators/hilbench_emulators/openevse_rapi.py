"""The device's end of RAPI: bytes into commands, and answers into lines. It shares nothing with the driver's end.

A command is ``$`` text CR, with an optional checksum ``^XX`` (XOR) or ``*XX`` (sum), and before it an optional id
`` :XX``; what is broken is refused, what is too long is dropped without a word. Source: ``rapi_proc.cpp`` (read-code).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

from hilbench_emulators.openevse_settings import LINE_MOST, TOKENS_MOST

_CR = 0x0D


@dataclass(frozen=True)
class Heard:
    """One line: its tokens, or none when checksum or number of tokens is wrong, and its sequence id (0: none)."""

    tokens: tuple[str, ...]
    sequence: int = 0


class Receiver:
    """Puts lines together from bytes as they come; ``most`` is the size of its buffer with the closing CR."""

    def __init__(self, most: int = LINE_MOST) -> None:
        self._most = most
        self._line: bytearray | None = None

    def feed(self, data: bytes) -> list[Heard]:
        """The lines that ``data`` completes."""
        heard = []
        for byte in data:
            if byte == ord("$"):
                self._line = bytearray(b"$")
            elif self._line is not None:
                if len(self._line) >= self._most:
                    self._line = None
                elif byte == _CR:
                    heard.append(understood(bytes(self._line)))
                    self._line = None
                else:
                    self._line.append(byte)
        return heard


def understood(line: bytes) -> Heard:
    """A line without its CR."""
    end = next((at for at in range(2, len(line)) if line[at] in b"^*"), len(line))
    if end < len(line) and _hex(line[end + 1 :]) != (
        xor(line[:end]) if line[end] == ord("^") else sum(line[:end]) % 256
    ):
        return Heard(())
    tokens = line[1:end].decode("latin-1").split(" ")
    if len(tokens) > TOKENS_MOST:
        return Heard(())
    if len(tokens) > 1 and tokens[-1].startswith(":"):
        return Heard(tuple(tokens[:-1]), _hex(tokens[-1][1:].encode("latin-1")))
    return Heard(tuple(tokens))


def framed(text: str, sequence: int = 0) -> bytes:
    """A line of the board, with its checksum and, in an answer to a command that had one, the sequence id."""
    line = f"${text} :{sequence:02X}" if sequence else f"${text}"
    return f"{line}^{xor(line.encode('latin-1')):02X}\r".encode("latin-1")


def xor(data: bytes) -> int:
    """XOR of all bytes."""
    return reduce(lambda left, right: left ^ right, data, 0)


def number(text: str) -> int:
    """The firmware's decimal number: anything that is no digit counts by its code, and 32 bits wrap."""
    digits = text.removeprefix("-")
    value = reduce(lambda total, letter: total * 10 + ord(letter) - 48, digits, 0)
    value = (-value if digits != text else value) & 0xFFFFFFFF
    return value - 0x100000000 if value >= 0x80000000 else value


def _hex(text: bytes) -> int:
    """The firmware's two hexadecimal digits: one may be missing, and anything else is 0."""
    digits = text[:2].decode("latin-1")
    return int(digits, 16) if digits and all(letter in "0123456789abcdefABCDEF" for letter in digits) else 0
