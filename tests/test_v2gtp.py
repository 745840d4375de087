"""V2GTP and SDP: headers, bytes in pieces, and what is no header."""

from __future__ import annotations

from ipaddress import IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilbench.ccs import sdp, v2gtp
from hilbench.ccs.v2gtp import LONGEST, Packet, Splitter, V2gtpError


def test_a_header_has_eight_bytes() -> None:
    """Version, its inverse, type and length stand in front of the payload."""
    assert v2gtp.pack(v2gtp.EXI, b"\x80\x98") == bytes.fromhex("01fe8001000000028098")


@given(st.lists(st.tuples(st.integers(0, 0xFFFF), st.binary(max_size=40))), st.integers(1, 30))
def test_packets_come_out_whole_whatever_the_pieces(sent: list[tuple[int, bytes]], size: int) -> None:
    """Bytes in pieces of any size give the packets that were put in, in their order."""
    wire = b"".join(v2gtp.pack(*packet) for packet in sent)
    splitter = Splitter()
    found = [packet for at in range(0, len(wire), size) for packet in splitter.feed(wire[at : at + size])]
    assert found == [Packet(*packet) for packet in sent]
    assert splitter.pending == 0


def test_bytes_of_a_packet_that_is_not_whole_are_pending() -> None:
    """A splitter tells how much of a packet it waits to see the end of."""
    splitter = Splitter()
    assert splitter.feed(v2gtp.pack(v2gtp.EXI, b"abc")[:-1]) == []
    assert splitter.pending == 10


def test_packets_before_a_wrong_header_are_given_first() -> None:
    """What was whole is not lost with what follows it."""
    splitter = Splitter()
    assert splitter.feed(v2gtp.pack(v2gtp.EXI, b"a") + bytes(8)) == [Packet(v2gtp.EXI, b"a")]
    with pytest.raises(V2gtpError, match="begins with 01 fe, not 00 00"):
        splitter.feed(b"")


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        ("01fe", "2 bytes are no V2GTP header"),
        ("02fd800100000000", "begins with 01 fe, not 02 fd"),
        ("01fe8001ffffffff", f"4294967295 bytes is announced; at most {LONGEST}"),
        ("01fe80010000000280", "1 bytes follow a header that announces 2"),
        ("01fe90000000000110", "SDP request with 1 bytes instead of 2"),
        ("01fe800100000000", "0x8001 is no SDP"),
    ],
)
def test_what_is_no_sdp_is_refused(data: str, complaint: str) -> None:
    """The error says what was found and what belongs there."""
    with pytest.raises(V2gtpError, match=complaint):
        sdp.decode(bytes.fromhex(data))


@given(st.integers(0, 255), st.integers(0, 255))
def test_requests_come_back(security: int, transport: int) -> None:
    """A request is the same after encoding and decoding, unknown values included."""
    said = sdp.Request(security, transport)
    assert sdp.decode(said.encode()) == said


@given(st.ip_addresses(v=6), st.integers(0, 0xFFFF), st.integers(0, 255))
def test_responses_come_back(address: IPv6Address, port: int, security: int) -> None:
    """A response is the same after encoding and decoding."""
    said = sdp.Response(address, port, security)
    assert sdp.decode(said.encode()) == said


def test_the_request_of_a_car_without_tls() -> None:
    """Security 0x10 and transport 0x00 ask for TCP without TLS."""
    assert sdp.Request().encode().hex() == "01fe9000000000021000"
