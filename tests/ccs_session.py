"""A DIN 70121 charging session as bytes on a wire, and captures of it."""

from __future__ import annotations

import struct
from ipaddress import IPv6Address
from typing import Any, NamedTuple

from hilbench.ccs import exi, sdp, v2gtp
from tests.ccs_samples import current_demand, physical

CAR, STATION = IPv6Address("fe80::1"), IPv6Address("fe80::2")
CAR_PORT, STATION_PORT = 50000, 61000
SESSION = bytes.fromhex("0102030405060708")
EV_STATUS = {"EVReady": True, "EVErrorCode": "NO_ERROR", "EVRESSSOC": 44}
EVSE_STATUS = {"EVSEStatusCode": "EVSE_Ready", "NotificationMaxDelay": 0, "EVSENotification": "None"}
OFFER = {
    "ProtocolNamespace": exi.DIN.namespace,
    "VersionNumberMajor": 2,
    "VersionNumberMinor": 0,
    "SchemaID": 1,
    "Priority": 1,
}


class Said(NamedTuple):
    """A message at its time."""

    time_s: float
    of_car: bool
    data: bytes


def session(loops: int = 4) -> list[Said]:
    """Handshake, set-up, cable check, charge loop, stop: a message every 40 ms, SoC and limit change in the loop."""
    app = exi.APP_PROTOCOL
    said = [exi.encode(app, "supportedAppProtocolReq", {"AppProtocol": [OFFER]})]
    said.append(exi.encode(app, "supportedAppProtocolRes", {"ResponseCode": "OK_SuccessfulNegotiation", "SchemaID": 1}))
    said += [
        din("SessionSetupReq", {"EVCCID": bytes.fromhex("0011223344aa")}, session_id=bytes(8)),
        din("SessionSetupRes", {"ResponseCode": "OK_NewSessionEstablished", "EVSEID": b"\x05"}),
    ]
    for answer in ("Ongoing", "Finished"):
        said.append(din("CableCheckReq", {"DC_EVStatus": EV_STATUS}))
        said.append(
            din("CableCheckRes", {"ResponseCode": "OK", "DC_EVSEStatus": EVSE_STATUS, "EVSEProcessing": answer})
        )
    for number in range(loops):
        said += [_wish(number), _answer(number)]
    said += [din("SessionStopReq", {}), din("SessionStopRes", {"ResponseCode": "OK"})]
    packed = [v2gtp.pack(v2gtp.EXI, data) for data in said]
    return [Said(1000.0 + 0.04 * number, number % 2 == 0, data) for number, data in enumerate(packed)]


def din(name: str, body: dict[str, Any], session_id: bytes = SESSION) -> bytes:
    """A message of DIN 70121."""
    return exi.encode(exi.DIN, name, {"Header": {"SessionID": session_id}, **body})


def _wish(number: int) -> bytes:
    status = {**EV_STATUS, "EVRESSSOC": 44 + number}
    return din("CurrentDemandReq", {**current_demand(), "Header": {"SessionID": SESSION}, "DC_EVStatus": status})


def _answer(number: int) -> bytes:
    return din(
        "CurrentDemandRes",
        {
            "ResponseCode": "OK",
            "DC_EVSEStatus": EVSE_STATUS,
            "EVSEPresentVoltage": physical(400, "V"),
            "EVSEPresentCurrent": physical(120, "A"),
            "EVSECurrentLimitAchieved": False,
            "EVSEVoltageLimitAchieved": False,
            "EVSEPowerLimitAchieved": False,
            "EVSEMaximumCurrentLimit": physical(200 - 50 * number, "A"),
        },
    )


def text(said: list[Said]) -> bytes:
    """Lines of text."""
    return "".join(f"{one.time_s:.3f} {'EV' if one.of_car else 'EVSE'} {one.data.hex()}\n" for one in said).encode()


class Sent(NamedTuple):
    """A frame at its time."""

    time_s: float
    data: bytes


def segments(said: list[Said], *, syn: bool = True, sequence: int = 2**32 - 100) -> list[Sent]:
    """Ethernet frames of a TCP connection, whose numbers run over their end."""
    at = {True: sequence, False: 7}
    sent = []
    if syn:
        sent = [Sent(said[0].time_s - 0.1, tcp(of_car, at[of_car] - 1, b"", flags=2)) for of_car in (True, False)]
    for one in said:
        sent.append(Sent(one.time_s, tcp(one.of_car, at[one.of_car], one.data)))
        at[one.of_car] += len(one.data)
    return sent


def tcp(of_car: bool, sequence: int, payload: bytes, flags: int = 0x18) -> bytes:
    """A frame of one segment."""
    ports = (CAR_PORT, STATION_PORT) if of_car else (STATION_PORT, CAR_PORT)
    return ip(of_car, 6, struct.pack(">HHIIBBHHH", *ports, sequence % 2**32, 0, 0x50, flags, 8192, 0, 0) + payload)


def udp(of_car: bool, payload: bytes) -> bytes:
    """A frame of one datagram of SDP."""
    ports = (CAR_PORT, sdp.PORT) if of_car else (sdp.PORT, CAR_PORT)
    return ip(of_car, 17, struct.pack(">HHHH", *ports, 8 + len(payload), 0) + payload)


def ip(of_car: bool, kind: int, payload: bytes) -> bytes:
    """An Ethernet frame."""
    ends = (CAR, STATION) if of_car else (STATION, CAR)
    header = struct.pack(">IHBB", 6 << 28, len(payload), kind, 64) + ends[0].packed + ends[1].packed
    return bytes(12) + b"\x86\xdd" + header + payload


def pcap(sent: list[Sent], order: str = "<", nano: bool = False, link: int = 1) -> bytes:
    """A pcap file."""
    magic, ticks = (0xA1B23C4D, 1e9) if nano else (0xA1B2C3D4, 1e6)
    file = struct.pack(f"{order}IHHiIII", magic, 2, 4, 0, 0, 65535, link)
    for time_s, data in sent:
        second = int(time_s)
        file += struct.pack(f"{order}4I", second, round((time_s - second) * ticks), len(data), len(data)) + data
    return file


def block(order: str, kind: int, body: bytes) -> bytes:
    """A block of pcapng."""
    padded = body + bytes(-len(body) % 4)
    length = struct.pack(f"{order}I", len(padded) + 12)
    return struct.pack(f"{order}I", kind) + length + padded + length


def pcapng(sent: list[Sent], order: str = "<", link: int = 1) -> bytes:
    """A pcapng file of two interfaces, the second of which counts nanoseconds and has the frames."""
    file = block(order, 0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1))
    file += block(order, 1, struct.pack(f"{order}HHI", 276, 0, 0))
    resolution = struct.pack(f"{order}HHBxxxHH", 9, 1, 9, 0, 0)
    file += block(order, 1, struct.pack(f"{order}HHI", link, 0, 0) + resolution)
    for time_s, data in sent:
        ticks = round(time_s * 1e9)
        head = struct.pack(f"{order}5I", 1, ticks >> 32, ticks & 0xFFFFFFFF, len(data), len(data))
        file += block(order, 6, head + data)
    return file
