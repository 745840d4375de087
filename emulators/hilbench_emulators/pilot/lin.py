"""Frames of LIN: protected identifier, checksums, and the bits on the wire (ISO 17987-3, LIN 2.x; recalled)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from hilbench.errors import DeviceError, InputError, Problem

Checksum = Literal["classic", "enhanced"]
SYNC = 0x55
BREAK_BITS = 13
"""Dominant bits of a break, at least."""
_DIAGNOSTIC = 0x3C
"""Identifiers from here on take the classic checksum."""


def protected_id(frame_id: int) -> int:
    """Identifier (0 to 63) with its two parity bits; raises ``InputError`` for others."""
    if not 0 <= frame_id <= 0x3F:
        raise InputError("LIN", Problem("frame id", f"is {frame_id}", "give 0 to 63"))
    bits = [frame_id >> k & 1 for k in range(6)]
    even = bits[0] ^ bits[1] ^ bits[2] ^ bits[4]
    odd = 1 ^ bits[1] ^ bits[3] ^ bits[4] ^ bits[5]
    return frame_id | even << 6 | odd << 7


def frame_id_of(pid: int) -> int:
    """Identifier of a protected one; raises ``DeviceError`` for wrong parity."""
    frame_id = pid & 0x3F
    if pid != protected_id(frame_id):
        raise DeviceError(f"LIN: protected identifier {pid:#04x} has wrong parity")
    return frame_id


def checksum(data: bytes, pid: int | None = None) -> int:
    """Inverted sum with carry of the data, and of ``pid`` where the checksum is enhanced."""
    total = sum(data) + (pid or 0)
    while total > 0xFF:
        total = (total & 0xFF) + (total >> 8)
    return ~total & 0xFF


@dataclass(frozen=True)
class Frame:
    """One frame: an identifier (0 to 63) and one to eight bytes; raises ``InputError`` for others."""

    frame_id: int
    data: bytes

    def __post_init__(self) -> None:
        protected_id(self.frame_id)
        if not 1 <= len(self.data) <= 8:
            raise InputError("LIN", Problem("data", f"has {len(self.data)} bytes", "give 1 to 8"))

    @property
    def pid(self) -> int:
        """The identifier as sent."""
        return protected_id(self.frame_id)

    @property
    def kind(self) -> Checksum:
        """Which checksum it takes."""
        return "classic" if self.frame_id >= _DIAGNOSTIC else "enhanced"

    def encode(self) -> bytes:
        """The bytes after the break: sync, protected identifier, data, checksum."""
        check = checksum(self.data, None if self.kind == "classic" else self.pid)
        return bytes([SYNC, self.pid, *self.data, check])


def decode(raw: bytes) -> Frame:
    """The frame in the bytes after a break; raises ``DeviceError`` for what is none."""
    if not 4 <= len(raw) <= 11:
        raise DeviceError(f"LIN: a frame has 4 to 11 bytes after its break, not {len(raw)}")
    if raw[0] != SYNC:
        raise DeviceError(f"LIN: sync byte is {raw[0]:#04x}, not 0x55")
    frame = Frame(frame_id_of(raw[1]), raw[2:-1])
    expected = frame.encode()[-1]
    if raw[-1] != expected:
        raise DeviceError(f"LIN: frame {frame.frame_id} has the checksum {raw[-1]:#04x}, not {expected:#04x}")
    return frame


def bits(frame: Frame) -> Iterator[bool]:
    """The frame on the wire, bit by bit from its break on; True is recessive, the high level."""
    yield from [False] * BREAK_BITS
    yield True
    for byte in frame.encode():
        yield False
        yield from (bool(byte >> k & 1) for k in range(8))
        yield True
