"""V2GTP: the eight bytes in front of every message, on TCP and UDP (ISO 15118-2 section 7.8, secondary: the package
``iso15118`` 0.31.2, ``shared/messages/v2gtp.py`` and ``enums.py``; read-code)."""

from __future__ import annotations

import struct
from typing import NamedTuple

from hilbench.errors import HilbenchError

HEADER = struct.Struct(">BBHI")
VERSION = 0x01
EXI = 0x8001
"""A message of DIN 70121 or ISO 15118-2, and supportedAppProtocol in every version."""
EXI_20, EXI_20_AC, EXI_20_DC, EXI_20_ACDP, EXI_20_WPT = 0x8002, 0x8003, 0x8004, 0x8005, 0x8006
"""Messages of ISO 15118-20: common, AC, DC, automated connection, wireless."""
SDP_REQUEST, SDP_RESPONSE = 0x9000, 0x9001
NAMES = {
    EXI: "EXI",
    EXI_20: "EXI -20 common",
    EXI_20_AC: "EXI -20 AC",
    EXI_20_DC: "EXI -20 DC",
    EXI_20_ACDP: "EXI -20 ACDP",
    EXI_20_WPT: "EXI -20 WPT",
    0x8101: "-20 scheduled renegotiation",
    SDP_REQUEST: "SDP request",
    SDP_RESPONSE: "SDP response",
    0x9002: "SDP request, wireless",
    0x9003: "SDP response, wireless",
}
LONGEST = 1 << 18
"""Bytes of a payload at most that are taken, so that a wrong length cannot make a peer wait for 4 GB."""


class V2gtpError(HilbenchError):
    """Bytes that are no V2GTP or no SDP; the message says what and where. A TCP connection is of no use after it."""


class Packet(NamedTuple):
    """A payload and its type."""

    type: int
    payload: bytes


def pack(type_: int, payload: bytes) -> bytes:
    """A payload with its header in front."""
    return HEADER.pack(VERSION, VERSION ^ 0xFF, type_, len(payload)) + payload


def unpack(data: bytes) -> Packet:
    """The one packet of a UDP datagram; raises V2gtpError."""
    type_, length = _header(data)
    if len(data) != HEADER.size + length:
        raise V2gtpError(f"{len(data) - HEADER.size} bytes follow a header that announces {length}")
    return Packet(type_, data[HEADER.size :])


def _header(data: bytes | bytearray) -> tuple[int, int]:
    """Type and length from the first bytes."""
    if len(data) < HEADER.size:
        raise V2gtpError(f"{len(data)} bytes are no V2GTP header, which has {HEADER.size}")
    version, inverse, type_, length = HEADER.unpack_from(data)
    if (version, inverse) != (VERSION, VERSION ^ 0xFF):
        raise V2gtpError(f"a V2GTP header begins with 01 fe, not {version:02x} {inverse:02x}")
    if length > LONGEST:
        raise V2gtpError(f"a payload of {length} bytes is announced; at most {LONGEST} are taken")
    return type_, length


class Splitter:
    """Finds the packets in the bytes of a TCP connection."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    @property
    def pending(self) -> int:
        """Bytes of a packet that is not whole yet."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[Packet]:
        """Take bytes, and return the packets that became whole; raises V2gtpError where no header is.

        Packets before the place that is wrong are returned first: the next call raises.
        """
        self._buffer += data
        packets: list[Packet] = []
        while len(self._buffer) >= HEADER.size:
            try:
                type_, length = _header(self._buffer)
            except V2gtpError:
                if packets:
                    break
                raise
            end = HEADER.size + length
            if len(self._buffer) < end:
                break
            packets.append(Packet(type_, bytes(self._buffer[HEADER.size : end])))
            del self._buffer[:end]
        return packets
