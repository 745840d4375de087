"""Frames of a chargebyte safety controller, as the driver speaks them. Pure.

``A5``, a code, 64 bits big-endian, CRC-8 of SAE J1850 over both, ``03``. Source: chargebyte ``ra-utils`` ``cb_uart.c``,
``cb_protocol.h`` and ``cb_protocol.c`` (read-code).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

CONTROL, STATE, VERSION, INQUIRY = 0x06, 0x07, 0x0A, 0xFF
_FRAME = struct.Struct(">BBQBB")
_START, _END = 0xA5, 0x03
_PILOT = ("unknown", "A", "B", "C", "D", "E", "F", "invalid")
_PROXIMITY = ("no cable", "13 A", "20 A", "32 A", "63/70 A", "type 1 latched", "type 1 pressed", "invalid")
_CONTACTOR = ("undefined", "open", "closed", "unused")
REASONS = {
    0: "",
    1: "internal error",
    2: "no control frames",
    3: "temperature sensor 1",
    4: "temperature sensor 2",
    5: "temperature sensor 3",
    6: "temperature sensor 4",
    7: "over temperature 1",
    8: "over temperature 2",
    9: "over temperature 3",
    10: "over temperature 4",
    11: "proximity pilot malfunction",
    12: "control pilot malfunction",
    13: "control pilot short",
    14: "diode fault",
    15: "contactor malfunction",
    16: "emergency stop 1",
    17: "emergency stop 2",
    18: "emergency stop 3",
    20: "residual current monitor",
    21: "residual current self-test",
}


@dataclass(frozen=True)
class BoardState:
    """One report: what it drives, what it sees, its contactors, and why it stopped (empty: it did not)."""

    t: float
    pwm: bool
    duty_pct: float
    pilot_state: str
    short: bool
    diode_fault: bool
    proximity: str
    contactors: tuple[str, ...]
    stopped: str

    @property
    def any_closed(self) -> bool:
        """A contactor is closed."""
        return "closed" in self.contactors


def state_of(t: float, data: int) -> BoardState:
    """The 64 bits of a report."""

    def bits(at: int, count: int) -> int:
        return data >> at & (1 << count) - 1

    reason = bits(8, 8)
    named = REASONS.get(reason, f"reason {reason}")
    return BoardState(
        t=t,
        pwm=bool(bits(63, 1)),
        duty_pct=bits(48, 10) / 10.0,
        pilot_state=_PILOT[bits(40, 3)],
        short=bool(bits(43, 1)),
        diode_fault=bool(bits(44, 1)),
        proximity=_PROXIMITY[bits(32, 3)],
        contactors=tuple(_CONTACTOR[bits(24 + 2 * at, 2)] for at in range(3)),
        stopped=named if reason or bits(58, 2) != 1 else "safe state",
    )


def control(pwm: bool, duty_pct: float, contactors: tuple[bool, ...]) -> int:
    """The 64 bits of a command; the duty cycle has steps of 0.1 %."""
    closed = sum(1 << at for at, wanted in enumerate(contactors) if wanted)
    return int(pwm) << 63 | round(duty_pct * 10) << 48 | closed << 40


def frame(com: int, data: int) -> bytes:
    """A whole frame."""
    return _FRAME.pack(_START, com, data, _crc8(bytes([com]) + data.to_bytes(8, "big")), _END)


class Decoder:
    """Frames from bytes as they come, whatever comes; ``noise`` is the last byte string that was none."""

    def __init__(self) -> None:
        self._buffer = b""
        self.noise = b""

    def feed(self, data: bytes) -> list[tuple[int, int]]:
        """Codes and contents of the frames that ``data`` completes."""
        self._buffer += data
        found, at, skipped = [], 0, bytearray()
        while len(self._buffer) - at >= _FRAME.size:
            start, com, content, crc, end = _FRAME.unpack_from(self._buffer, at)
            if (start, end) == (_START, _END) and crc == _crc8(self._buffer[at + 1 : at + 10]):
                found.append((com, content))
                at += _FRAME.size
            else:
                skipped.append(self._buffer[at])
                at += 1
        self._buffer = self._buffer[at:]
        self.noise = bytes(skipped) or self.noise
        return found


def _table() -> bytes:
    values = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = (value << 1) ^ 0x11D if value & 0x80 else value << 1
        values.append(value)
    return bytes(values)


_CRC = _table()


def _crc8(data: bytes) -> int:
    value = 0xFF
    for byte in data:
        value = _CRC[value ^ byte]
    return value ^ 0xFF
