"""Frames out of capture files: pcap and pcapng, whatever byte order, clock and number of interfaces.

The packages that read them are under the GPL, or are untyped and take the clock and the link of the first interface for
all (dpkt 1.9.8, read-code). Formats: draft-ietf-opsawg-pcap section 4 and draft-ietf-opsawg-pcapng sections 3 and 4
(recalled; the files of dpkt's writers give the same frames, measured).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from hilbench.errors import HilbenchError

PCAP_MAGIC = {0xA1B2C3D4: 1e-6, 0xA1B23C4D: 1e-9}
"""Second per tick of the clock."""
PCAPNG_MAGIC, BYTE_ORDER = 0x0A0D0D0A, 0x1A2B3C4D
INTERFACE, SIMPLE_PACKET, ENHANCED_PACKET = 1, 3, 6
END_OF_OPTIONS, RESOLUTION, OFFSET = 0, 9, 14


class CaptureError(HilbenchError):
    """A file is no capture, or no more one from some byte on; the message says which and why."""


class Frame(NamedTuple):
    """A frame: when [s, since 1970 unless the capture says otherwise], on which kind of link (LINKTYPE_...), what."""

    time_s: float
    link: int
    data: bytes


class _Interface(NamedTuple):
    link: int
    tick_s: float
    offset_s: int


def is_capture(data: bytes) -> bool:
    """Whether a file begins as a pcap or pcapng file does."""
    return data[:4] == b"\n\r\r\n" or any(int.from_bytes(data[:4], order) in PCAP_MAGIC for order in ("big", "little"))


def frames(data: bytes) -> Iterator[Frame]:
    """The frames of a capture, in the order of the file; raises CaptureError where it goes wrong.

    The last frame may be cut, as a recorder that was killed leaves it: it is left out.
    """
    if len(data) < 24:
        raise CaptureError(f"{len(data)} bytes are no capture")
    return _pcapng(data) if data[:4] == b"\n\r\r\n" else _pcap(data)


def _pcap(data: bytes) -> Iterator[Frame]:
    order = next((order for order in "<>" if struct.unpack_from(f"{order}I", data)[0] in PCAP_MAGIC), "")
    if not order:
        raise CaptureError(f"the file begins with {data[:4].hex(' ')}, which is neither pcap nor pcapng")
    tick_s = PCAP_MAGIC[struct.unpack_from(f"{order}I", data)[0]]
    link = struct.unpack_from(f"{order}I", data, 20)[0] & 0xFFFF
    at = 24
    while at + 16 <= len(data):
        seconds, ticks, length, _full = struct.unpack_from(f"{order}4I", data, at)
        frame = data[at + 16 : at + 16 + length]
        if len(frame) == length:
            yield Frame(seconds + ticks * tick_s, link, frame)
        at += 16 + length


def _pcapng(data: bytes) -> Iterator[Frame]:
    interfaces: list[_Interface] = []
    for order, kind, body in _blocks(data):
        if kind == PCAPNG_MAGIC:
            interfaces = []
        elif kind == INTERFACE:
            interfaces.append(_interface(order, body))
        elif kind == ENHANCED_PACKET:
            yield _packet(order, body, interfaces)
        elif kind == SIMPLE_PACKET and interfaces and len(body) >= 4:
            (length,) = struct.unpack_from(f"{order}I", body)
            yield Frame(0.0, interfaces[0].link, body[4 : 4 + length])


def _blocks(data: bytes) -> Iterator[tuple[str, int, bytes]]:
    """Byte order, type and content of each block."""
    at, order = 0, "<"
    while at + 12 <= len(data):
        if data[at : at + 4] == b"\n\r\r\n":
            order = _byte_order(data, at)
        kind, length = struct.unpack_from(f"{order}II", data, at)
        if length < 12 or length % 4:
            raise CaptureError(f"byte {at}: a pcapng block of {length} bytes; the file is damaged from here on")
        if at + length <= len(data):
            yield order, kind, data[at + 8 : at + length - 4]
        at += length


def _byte_order(data: bytes, at: int) -> str:
    for order in "<>":
        if struct.unpack_from(f"{order}I", data, at + 8)[0] == BYTE_ORDER:
            return order
    raise CaptureError(f"byte {at}: a pcapng section without a byte order")


def _interface(order: str, body: bytes) -> _Interface:
    if len(body) < 8:
        raise CaptureError(f"a pcapng interface of {len(body)} bytes")
    (link,) = struct.unpack_from(f"{order}H", body)
    options = dict(_options(order, body[8:]))
    resolution = options.get(RESOLUTION, b"\6")[:1] or b"\6"
    base, power = (2, resolution[0] & 127) if resolution[0] & 128 else (10, resolution[0])
    offset = options.get(OFFSET, b"")
    return _Interface(link, float(base) ** -power, struct.unpack(f"{order}q", offset)[0] if len(offset) == 8 else 0)


def _options(order: str, body: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 4 <= len(body):
        code, length = struct.unpack_from(f"{order}HH", body, at)
        if code == END_OF_OPTIONS:
            return
        yield code, body[at + 4 : at + 4 + length]
        at += 4 + (length + 3) // 4 * 4


def _packet(order: str, body: bytes, interfaces: list[_Interface]) -> Frame:
    if len(body) < 20:
        raise CaptureError(f"a pcapng packet of {len(body)} bytes")
    number, high, low, length, _full = struct.unpack_from(f"{order}5I", body)
    if number >= len(interfaces):
        raise CaptureError(f"a pcapng packet of interface {number}, of which nothing is said")
    known = interfaces[number]
    return Frame((high << 32 | low) * known.tick_s + known.offset_s, known.link, body[20 : 20 + length])
