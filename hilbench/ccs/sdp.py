"""SDP: how a car finds its station: a UDP multicast with a wish, an answer with an address (ISO 15118-2 section 7.10.1,
secondary: the package ``iso15118`` 0.31.2, ``shared/messages/sdp.py`` and ``enums.py``; read-code)."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv6Address

from hilbench.ccs import v2gtp
from hilbench.ccs.v2gtp import V2gtpError

PORT = 15118
MULTICAST = IPv6Address("ff02::1")
TLS, NO_TLS = 0x00, 0x10
SECURITY = {TLS: "TLS", NO_TLS: "no TLS"}
TCP = 0x00


@dataclass(frozen=True, slots=True)
class Request:
    """What a car asks for; bytes of no known meaning are kept, since the other side has to judge them."""

    security: int = NO_TLS
    transport: int = TCP

    def encode(self) -> bytes:
        """The datagram."""
        return v2gtp.pack(v2gtp.SDP_REQUEST, bytes((self.security, self.transport)))


@dataclass(frozen=True, slots=True)
class Response:
    """Where a station waits for the car."""

    address: IPv6Address
    port: int
    security: int = NO_TLS
    transport: int = TCP

    def encode(self) -> bytes:
        """The datagram."""
        place = self.address.packed + self.port.to_bytes(2, "big")
        return v2gtp.pack(v2gtp.SDP_RESPONSE, place + bytes((self.security, self.transport)))


def decode(datagram: bytes) -> Request | Response:
    """A request or a response; raises V2gtpError."""
    type_, payload = v2gtp.unpack(datagram)
    if type_ == v2gtp.SDP_REQUEST and len(payload) == 2:
        return Request(*payload)
    if type_ == v2gtp.SDP_RESPONSE and len(payload) == 20:
        return Response(IPv6Address(payload[:16]), int.from_bytes(payload[16:18], "big"), *payload[18:])
    known = {v2gtp.SDP_REQUEST: 2, v2gtp.SDP_RESPONSE: 20}
    if type_ in known:
        raise V2gtpError(f"{v2gtp.NAMES[type_]} with {len(payload)} bytes instead of {known[type_]}")
    raise V2gtpError(f"payload type {type_:#06x} is no SDP")
