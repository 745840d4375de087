"""Captures: every file format tells the same session, whatever the network did to it; what is no capture is refused."""

from __future__ import annotations

import random
import struct
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilbench.ccs import exi, sdp, v2gtp
from hilbench.ccs.capture import entries
from hilbench.ccs.packets import ETHERNET, LINUX_SLL, LINUX_SLL2, LOOP, NULL, RAW
from hilbench.ccs.pcap import CaptureError
from hilbench.ccs.session import Entry
from hilbench.ccs.story import line, quantity, summary, summary_lines, words
from tests.ccs_session import (
    OFFER,
    STATION,
    STATION_PORT,
    Said,
    Sent,
    block,
    ip,
    pcap,
    pcapng,
    segments,
    session,
    tcp,
    text,
    udp,
)

SAID = session()
NAMES = [entry.name for entry in entries(text(SAID))]
RECORDED = """\
2024-06-18 17:14:18.519814 80400040
2024-06-18 17:14:18.537966 809a004011d019231636c790f800
2024-06-18 17:14:18.619395 809a02004080c1014181c211e0201d6968c0c0c0c0c080
2024-06-18 17:14:18.758648 809a02004080c1014181c211a00120024100c4
2024-06-18 17:14:18.777498 809a02004080c1014181c211b2001280
2024-06-18 17:14:18.998787 809a02004080c1014181c210c00000
2024-06-18 17:14:19.033366 809a02004080c1014181c21071904012c080c29874460a1ac0602048551e80812170240c814000
2024-06-18 17:14:19.135015 809a02004080c1014181c2108000000000000010642a800400000c0c320040c0e014060a184060606002060a1900\
203030050303005100
2024-06-18 17:14:19.417561 809a02004080c1014181c210114012c0
2024-06-18 17:14:19.492744 809a02004080c1014181c210200200000080
2024-06-18 17:14:20.932506 809a02004080c1014181c211514012c0c142880c080c0000
2024-06-18 17:14:21.089513 809a02004080c1014181c21160004080000193a80400
"""
"""A Polestar 2 at a self-made station: bytes that went over the wire, from the log
``results/2024-06-18_Griffigroen_pyPLC_polestar2_discharging_with_additional_prechargeCircuit.pcapng.decoded.txt`` of
the repository uhi22/pyPLC (read), with what another decoder found in them."""
HEADS = {
    ETHERNET: lambda data: data,
    NULL: lambda data: b"\x1e\0\0\0" + data[14:],
    LOOP: lambda data: b"\0\0\0\x1e" + data[14:],
    RAW: lambda data: data[14:],
    LINUX_SLL: lambda data: bytes(14) + b"\x86\xdd" + data[14:],
    LINUX_SLL2: lambda data: b"\x86\xdd" + bytes(18) + data[14:],
}


def story(found: list[Entry]) -> list[tuple[str, str, str]]:
    """Times, names and problems."""
    return [(f"{entry.time_s:.3f}", entry.name, entry.problem) for entry in found]


TOLD = story(entries(text(SAID)))


def test_a_recorded_session_is_told() -> None:
    """Messages of a real car and station say what another decoder found in them, and encode to the same bytes."""
    found = entries(RECORDED.encode())
    assert [words(entry.body) for entry in found] == [
        "OK_SuccessfulNegotiation, SchemaID 1",
        "EVCCID 48c58db1e43e",
        "OK_NewSessionEstablished, EVSEID 5a5a3030303030",
        "OK, PaymentOption ExternalPayment, ServiceID 1, ServiceCategory EVCharging, FreeService no, "
        "EnergyTransferType DC_extended",
        "SelectedPaymentOption ExternalPayment, ServiceID 1",
        "OK, Finished",
        "EVRequestedEnergyTransferType DC_extended, ready no, SoC 75 %, car's limit 375 A 470 V, "
        "EVEnergyCapacity 78.5 kWh, EVEnergyRequest 23.6 kWh, FullSOC 100 %, BulkSOC 80 %",
        "OK, Finished, SAScheduleTupleID 0, PMaxScheduleID 0, start 0, PMax 50, EVSEIsolationStatus Invalid, "
        "EVSE_Ready, station's limit 200 A 10 kW 450 V, EVSEMinimumCurrentLimit 1 A, EVSEMinimumVoltageLimit 200 V, "
        "EVSECurrentRegulationTolerance 5 A, EVSEPeakCurrentRipple 5 A",
        "ready yes, SoC 75 %",
        "OK, EVSE_NotReady, Ongoing",
        "ready yes, SoC 75 %, at 418 V, wants 0 A",
        "OK, EVSEIsolationStatus Valid, EVSE_Ready, present 234 V",
    ]
    schemas = {schema.title: schema for schema in exi.SCHEMAS.values()}
    again = [exi.encode(schemas[entry.schema], entry.name, entry.body).hex() for entry in found]
    assert again == [part.split()[-1] for part in RECORDED.strip().splitlines()]


def test_text_tells_the_session() -> None:
    """All messages are found, with times and the schema that was agreed on."""
    found = entries(text(SAID))
    assert [entry.name for entry in found[:3]] == [
        "supportedAppProtocolReq",
        "supportedAppProtocolRes",
        "SessionSetupReq",
    ]
    assert {entry.schema for entry in found} == {"supportedAppProtocol", "DIN 70121"}
    assert [entry.side for entry in found] == ["EV", "EVSE"] * (len(SAID) // 2)
    assert not any(entry.problem for entry in found)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("nano", [False, True])
def test_pcap_tells_the_same(order: str, nano: bool) -> None:
    """Both byte orders and both clocks."""
    assert story(entries(pcap(segments(SAID), order, nano))) == TOLD


@pytest.mark.parametrize("order", ["<", ">"])
def test_pcapng_tells_the_same(order: str) -> None:
    """Both byte orders; the clock is that of the frame's own interface."""
    assert story(entries(pcapng(segments(SAID), order))) == TOLD


def test_a_simple_packet_is_read() -> None:
    """A block without a time belongs to the first interface."""
    file = block("<", 0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
    file += block("<", 1, struct.pack("<HHI", ETHERNET, 0, 0))
    frame = udp(True, sdp.Request().encode())
    file += block("<", 3, struct.pack("<I", len(frame)) + frame)
    assert [(entry.time_s, entry.name) for entry in entries(file)] == [(0.0, "SDPReq")]


@pytest.mark.parametrize("link", HEADS)
def test_every_kind_of_link_is_read(link: int) -> None:
    """Ethernet, the loopback of BSD, bare IP, and what Linux records on all interfaces at once."""
    sent = [Sent(time_s, HEADS[link](data)) for time_s, data in segments(SAID)]
    assert story(entries(pcap(sent, link=link))) == TOLD


def test_tags_of_virtual_networks_are_passed_over() -> None:
    """One tag or two between the addresses and the type."""
    for tag in (b"\x81\0\0\1", b"\x88\xa8\0\1\x81\0\0\2"):
        sent = [Sent(time_s, data[:12] + tag + data[12:]) for time_s, data in segments(SAID)]
        assert story(entries(pcap(sent))) == TOLD


def test_headers_between_ip_and_tcp_are_passed_over() -> None:
    """A hop-by-hop header of IPv6."""
    sent = []
    for time_s, data in segments(SAID):
        sent.append(Sent(time_s, ip(data[14 + 23] == 1, 0, b"\x06\0" + bytes(6) + data[54:])))
    assert story(entries(pcap(sent))) == TOLD


def test_ipv4_is_read() -> None:
    """The same over IPv4, padded to the least length of Ethernet."""
    sent = []
    for time_s, data in segments(SAID):
        ends = (b"\x7f\0\0\1", b"\x7f\0\0\2") if data[14 + 23] == 1 else (b"\x7f\0\0\2", b"\x7f\0\0\1")
        header = struct.pack(">BBHHHBBH", 0x45, 0, len(data) - 34, 0, 0, 64, 6, 0) + b"".join(ends)
        sent.append(Sent(time_s, bytes(12) + b"\x08\0" + header + data[54:] + bytes(9)))
    assert story(entries(pcap(sent))) == TOLD


@settings(max_examples=30, deadline=None)
@given(st.randoms(use_true_random=False), st.booleans())
def test_the_network_may_repeat_and_reorder(rng: random.Random, syn: bool) -> None:
    """Segments sent twice, late, or cut in other places give the same messages."""
    sent = segments(cut(SAID, rng), syn=syn)
    sent = sent + rng.sample(sent, len(sent) // 2)
    sent = sorted(sent, key=lambda one: one.time_s)
    for place in range(3 if syn else 12, len(sent) - 1, 5):  # without a SYN, what comes first is the beginning
        sent[place], sent[place + 1] = sent[place + 1], sent[place]
    found = entries(pcap(sent))
    assert sorted(entry.name for entry in found) == sorted(NAMES)
    assert not any(entry.problem for entry in found)


def cut(said: list[Said], rng: random.Random) -> list[Said]:
    """Each message in two."""
    pieces = []
    for one in said:
        place = rng.randrange(1, len(one.data))
        pieces += [one._replace(data=one.data[:place]), one._replace(data=one.data[place:])]
    return pieces


def test_what_is_missing_is_told_and_passed_over() -> None:
    """Of a lost segment the number of bytes is told, and the next message is read."""
    sent = segments(SAID)
    lost = sent.pop(12)
    found = entries(pcap(sent))
    problems = [entry.problem for entry in found if entry.problem]
    assert problems == [f"{len(lost.data) - 74} bytes are missing in the capture"]
    assert len(found) == len(SAID)


def test_a_recorder_that_came_late_finds_the_schema() -> None:
    """Without the handshake, the first message that one schema knows settles it."""
    found = entries(pcap(segments(SAID[6:], syn=False)))
    assert story(found) == TOLD[6:]


def test_sdp_and_tls_are_told() -> None:
    """A connection to the address that SDP gave, which begins as TLS does, is told to be encrypted."""
    sent = [
        Sent(1.0, udp(True, sdp.Request(sdp.TLS).encode())),
        Sent(1.1, udp(False, sdp.Response(STATION, STATION_PORT, sdp.TLS).encode())),
        Sent(1.2, tcp(True, 5, b"\x16\x03\x01\x02\x00")),
        Sent(1.3, udp(False, b"nonsense")),
        Sent(1.4, tcp(False, 5, b"\x16\x03\x01\x02\x00")),
    ]
    found = entries(pcap(sent))
    assert [entry.name or entry.problem for entry in found[:3]] == ["SDPReq", "SDPRes", "the connection is encrypted"]
    assert "01 fe" in found[3].problem
    assert len(found) == 4
    assert summary(found)["protocols"] == []


def test_parts_of_ipv4_packets_are_left_out() -> None:
    """A fragment is not taken for the beginning of a segment."""
    time_s, data = segments(SAID)[2]
    header = struct.pack(">BBHHHBBH", 0x45, 0, len(data) - 34, 0, 0x2000, 64, 6, 0) + b"\x7f\0\0\1\x7f\0\0\2"
    assert entries(pcap([Sent(time_s, bytes(12) + b"\x08\0" + header + data[54:])])) == []


def test_the_schema_that_was_agreed_on_is_kept() -> None:
    """After ISO 15118-2 was agreed on, a message of DIN 70121 is not readable."""
    offer = {**OFFER, "ProtocolNamespace": exi.ISO2.namespace}
    wire = [
        exi.encode(exi.APP_PROTOCOL, "supportedAppProtocolReq", {"AppProtocol": [offer]}),
        SAID[1].data[8:],
        SAID[2].data[8:],
    ]
    found = entries("\n".join(data.hex() for data in wire).encode())
    assert [entry.schema for entry in found] == ["supportedAppProtocol", "supportedAppProtocol", "ISO 15118-2"]
    assert found[2].problem


def test_other_traffic_is_left_out() -> None:
    """What does not speak V2GTP is not of the session: other connections, other frames, cut ones."""
    other = [Sent(1.0, tcp(True, 1, b"GET / HTTP/1.1")), Sent(1.1, bytes(60)), Sent(1.2, udp(True, b"x")[:50])]
    assert story(entries(pcap([*other, Sent(2.0, b"")]))) == []


def test_an_unreadable_message_is_told_with_its_bytes() -> None:
    """A message that no schema allows, a type that is not decoded, a broken header: the rest is still read."""
    wire = [
        v2gtp.pack(v2gtp.EXI, b"\x80\xff"),
        v2gtp.pack(v2gtp.EXI_20_WPT, b"\x80"),
        v2gtp.pack(v2gtp.EXI_20_DC, b"\x80\x00"),
        b"\x01\xfe\x80",
    ]
    found = entries("\n".join(data.hex() for data in wire).encode())
    assert [entry.name for entry in found] == [""] * 4
    assert "(bytes 80ff)" in found[0].problem
    assert "not decoded" in found[1].problem
    assert found[2].schema == "EXI"
    assert "no V2GTP header" in found[3].problem


@pytest.mark.parametrize(
    "said",
    ["18:00:01.5 {}", "1970-01-01T18:00:01.5Z {}", "64801.5 EV -> EVSE {}", "18:00:01,5 rx 0x{}", "18:00:01.5 tx {:s}"],
)
def test_text_may_have_times_of_many_kinds(said: str) -> None:
    """Time of the day, a date with it, or seconds; words behind; bytes with or without spaces or a header."""
    data = SAID[0].data
    for shown in (data.hex(), data.hex(" "), data.hex(":"), data[8:].hex()):
        found = entries(f"# a comment\n\n{said.format(shown)}\n".encode())
        assert [(entry.time_s, entry.name) for entry in found] == [(64801.5, "supportedAppProtocolReq")]


def test_bare_messages_of_the_newest_standard_are_found() -> None:
    """EXI alone is tried with every schema."""
    header = {"SessionID": b"12345678", "TimeStamp": 5}
    data = exi.encode(exi.ISO20_DC, "DC_CableCheckReq", {"Header": header})
    assert [entry.name for entry in entries(data.hex().encode())] == ["DC_CableCheckReq"]


DAMAGED = [
    (b"\xff\xfe\x00", "neither pcap, pcapng nor text"),
    (b"hello", "line 1: no bytes"),
    (b"2026-13-01T00:00:00 8098aa", "no date and time"),
    (struct.pack("<I", 0xA1B2C3D4), "4 bytes are no capture"),
    (block("<", 0x0A0D0D0A, bytes(16)), "without a byte order"),
    (pcapng([])[:28] + bytes(20), "byte 28: a pcapng block of 0 bytes"),
    (pcapng([]) + block("<", 6, struct.pack("<5I", 9, 0, 0, 0, 0)), "interface 9"),
    (pcapng([]) + block("<", 6, bytes(4)), "a pcapng packet of 4 bytes"),
    (pcapng([]) + block("<", 1, bytes(4)), "a pcapng interface of 4 bytes"),
]


@pytest.mark.parametrize(("data", "complaint"), DAMAGED)
def test_what_is_no_capture_is_refused(data: bytes, complaint: str) -> None:
    """The error says what was found, and where."""
    with pytest.raises(CaptureError, match=complaint):
        entries(data)


def test_a_capture_that_was_cut_off_is_read_to_its_end() -> None:
    """The frame that is not whole is left out."""
    for file in (pcap(segments(SAID)), pcapng(segments(SAID))):
        assert story(entries(file[:-20])) == TOLD[:-1]


@settings(max_examples=60, deadline=None)
@given(st.randoms(use_true_random=False), st.sampled_from([pcap, pcapng]))
def test_damage_ends_in_an_error_or_in_entries(rng: random.Random, form: object) -> None:
    """A file with bytes changed gives entries or a CaptureError, never anything else."""
    assert callable(form)
    file = bytearray(form(segments(SAID)))
    for _ in range(rng.randrange(1, 12)):
        file[rng.randrange(len(file))] = rng.randrange(256)
    with suppress(CaptureError):
        assert isinstance(entries(bytes(file)), list)


def test_a_line_says_what_matters() -> None:
    """The time since the first message, who speaks, and values with units; what goes without saying is left out."""
    found = entries(text(SAID))
    asked = next(entry for entry in found if entry.name == "CurrentDemandReq")
    assert line(asked, found[0].time_s) == (
        "    0.320  EV    CurrentDemandReq            ready yes, SoC 44 %, wants 125 A, car's limit 410 V 200 A 50 kW, "
        "full in 1200 s, bulk in 600 s, at 400 V"
    )
    assert words({"PMaxScheduleEntry": [{}] * 4, "Cert": bytes(40)}) == (
        "PMaxScheduleEntry 4 entries, Cert 0000000000000000... of 40 bytes"
    )
    assert (
        line(Entry(2.0, "EXI", problem="why"), 1.0) == "    1.000        EXI                         NOT READABLE: why"
    )


def test_quantities_have_units() -> None:
    """A multiplier is applied; where no unit is sent, the name tells it."""
    assert quantity("EVTargetVoltage", {"Multiplier": -1, "Unit": "V", "Value": 4000}) == (400.0, "V")
    assert quantity("EVMaximumChargePower", {"Exponent": 3, "Value": 50}) == (50_000.0, "W")
    assert quantity("DHpublickey", {"Id": "a", "value": b""}) is None
    assert quantity("Key", {"Value": 3}) is None


def test_a_summary_has_ranges_and_times() -> None:
    """Limits, requests, phases and the times of the loop."""
    found = summary(entries(text(SAID)))
    assert found["messages"] == len(SAID)
    assert found["ranges"]["EVSEMaximumCurrentLimit"] == {
        "least": 50.0,
        "most": 200.0,
        "first": 200.0,
        "last": 50.0,
        "unit": "A",
    }
    assert found["phases"]["CurrentDemand"] == {"seconds": 0.28, "messages": 8}
    assert found["loop"] == {
        "requests": 4,
        "period_median_s": 0.08,
        "period_most_s": 0.08,
        "answer_median_s": 0.04,
        "answer_most_s": 0.04,
    }
    lines = list(summary_lines(found))
    assert "limits of the station: EVSEMaximumCurrentLimit 50 A to 200 A (first 200 A, last 50 A)" in lines
    assert lines[-1] == "loop: 4 requests, every 80 ms (most 80), answered after 40.0 ms (most 40.0)"


def test_a_summary_of_nothing_is_empty() -> None:
    """No entries give a summary too."""
    assert summary([])["messages"] == 0
    assert next(summary_lines(summary([]))) == "protocol        none"
