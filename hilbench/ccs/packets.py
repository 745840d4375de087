"""TCP segments and UDP datagrams out of frames (RFC 8200, 9293, 768, 791; link types of tcpdump.org; recalled)."""

from __future__ import annotations

import struct
from collections.abc import Callable
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import NamedTuple

from hilbench.ccs.pcap import Frame

ETHERNET, NULL, LOOP, RAW, LINUX_SLL, LINUX_SLL2 = 1, 0, 108, 101, 113, 276
IPV4, IPV6 = 0x0800, 0x86DD
VLAN = (0x8100, 0x88A8)
TCP, UDP = 6, 17
EXTENSIONS = (0, 43, 60)
"""Headers of IPv6 that only stand in front of the next: hop by hop, routing, destination."""
SYN = 2


class End(NamedTuple):
    """An address and a port."""

    address: IPv4Address | IPv6Address
    port: int

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if self.address.version == 6 else f"{self.address}:{self.port}"


class Segment(NamedTuple):
    """A TCP segment."""

    time_s: float
    source: End
    target: End
    sequence: int
    flags: int
    payload: bytes


class Datagram(NamedTuple):
    """A UDP datagram."""

    time_s: float
    source: End
    target: End
    payload: bytes


def packet(frame: Frame) -> Segment | Datagram | None:
    """What a frame carries; None for anything but whole TCP and UDP over IP."""
    try:
        return _network(frame.time_s, _above_link(frame))
    except (struct.error, IndexError, AddressValueError):
        return None  # cut short


def _above_link(frame: Frame) -> bytes:
    """The IP packet in a frame, empty when there is none."""
    strip = LINKS.get(frame.link)
    return strip(frame.data) if strip else b""


def _ethernet(data: bytes) -> bytes:
    at = 12
    while int.from_bytes(data[at : at + 2], "big") in VLAN:
        at += 4
    return _if_ip(int.from_bytes(data[at : at + 2], "big"), data[at + 2 :])


def _if_ip(kind: int, data: bytes) -> bytes:
    return data if kind in (IPV4, IPV6) else b""


LINKS: dict[int, Callable[[bytes], bytes]] = {
    ETHERNET: _ethernet,
    NULL: lambda data: data[4:],
    LOOP: lambda data: data[4:],
    RAW: lambda data: data,
    LINUX_SLL: lambda data: _if_ip(int.from_bytes(data[14:16], "big"), data[16:]),
    LINUX_SLL2: lambda data: _if_ip(int.from_bytes(data[:2], "big"), data[20:]),
}


def _network(time_s: float, data: bytes) -> Segment | Datagram | None:
    version = data[0] >> 4 if data else 0
    if version == 6:
        return _ipv6(time_s, data)
    return _ipv4(time_s, data) if version == 4 else None


def _ipv6(time_s: float, data: bytes) -> Segment | Datagram | None:
    length, following = struct.unpack_from(">HB", data, 4)
    source, target = IPv6Address(data[8:24]), IPv6Address(data[24:40])
    at, end = 40, 40 + length if length else len(data)  # captured above a network card, a long one says 0
    while following in EXTENSIONS:
        following, at = data[at], at + 8 * (data[at + 1] + 1)
    return _transport(time_s, following, source, target, data[at:end])


def _ipv4(time_s: float, data: bytes) -> Segment | Datagram | None:
    length, fragment, kind = struct.unpack_from(">2xH2xHxB", data)
    if fragment & 0x3FFF:
        return None  # a part of a larger one
    source, target = IPv4Address(data[12:16]), IPv4Address(data[16:20])
    return _transport(time_s, kind, source, target, data[4 * (data[0] & 15) : length or len(data)])


def _transport(
    time_s: float, kind: int, source: IPv4Address | IPv6Address, target: IPv4Address | IPv6Address, data: bytes
) -> Segment | Datagram | None:
    if kind not in (TCP, UDP):
        return None
    ports = struct.unpack_from(">HH", data)
    ends = End(source, ports[0]), End(target, ports[1])
    if kind == UDP:
        return Datagram(time_s, *ends, data[8:])
    sequence, offset, flags = struct.unpack_from(">I4xBB", data, 4)
    return Segment(time_s, *ends, sequence, flags, data[offset >> 4 << 2 :])
