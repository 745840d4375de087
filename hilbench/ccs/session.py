"""The messages of charging sessions out of what went over the wire: which schema, which message, what was wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from hilbench.ccs import exi, sdp, v2gtp
from hilbench.ccs.exi import ExiError, Message, Schema
from hilbench.ccs.packets import Datagram, End
from hilbench.ccs.reassembly import Piece
from hilbench.ccs.v2gtp import Packet, Splitter, V2gtpError

BY_TYPE = {v2gtp.EXI_20: exi.ISO20, v2gtp.EXI_20_AC: exi.ISO20_AC, v2gtp.EXI_20_DC: exi.ISO20_DC}
OLDER = (exi.ISO2, exi.DIN)
MARK = v2gtp.pack(v2gtp.EXI, b"")[:2]
TLS_BEGIN = b"\x16\x03"
"""First bytes of a TLS connection: a handshake of version 3.x (RFC 8446 section 5.1, standard-text recalled)."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A message, or what is wrong: ``schema`` is a title, ``ends`` says from where to where."""

    time_s: float
    schema: str
    name: str = ""
    body: dict[str, Any] = field(default_factory=dict)
    problem: str = ""
    ends: tuple[End, End] | None = None

    @property
    def side(self) -> str:
        """Who speaks: cars ask, stations answer."""
        return {"Req": "EV", "Res": "EVSE"}.get(self.name[-3:], "")


class Talk:
    """One connection: what supportedAppProtocol agreed on, or what the first message showed."""

    def __init__(self) -> None:
        self._offered: dict[int, str] = {}
        self._schema: Schema | None = None

    def entry(self, time_s: float, packet: Packet, ends: tuple[End, End] | None = None) -> Entry:
        """What a packet says."""
        if packet.type != v2gtp.EXI and packet.type not in BY_TYPE:
            title = v2gtp.NAMES.get(packet.type, f"payload type {packet.type:#06x}")
            return Entry(time_s, title, problem=f"{len(packet.payload)} bytes that are not decoded", ends=ends)
        try:
            schema, message = self._decode(packet)
        except ExiError as error:
            title = self._schema.title if self._schema else "EXI"
            return Entry(time_s, title, problem=f"{error} (bytes {_shown(packet.payload)})", ends=ends)
        return Entry(time_s, schema.title, message.name, message.body, ends=ends)

    def _decode(self, packet: Packet) -> tuple[Schema, Message]:
        if packet.type in BY_TYPE:
            schema = BY_TYPE[packet.type]
            return schema, exi.decode(schema, packet.payload)
        try:
            message = exi.decode(exi.APP_PROTOCOL, packet.payload)
        except ExiError:
            return self._older(packet.payload)
        self._agree(message)
        return exi.APP_PROTOCOL, message

    def _older(self, payload: bytes) -> tuple[Schema, Message]:
        """A message of DIN 70121 or ISO 15118-2; the first one that fits tells which when nobody agreed on one."""
        if self._schema is not None:
            return self._schema, exi.decode(self._schema, payload)
        problems: list[ExiError] = []
        for schema in OLDER:
            try:
                message = exi.decode(schema, payload)
            except ExiError as error:
                problems.append(error)
                continue
            self._schema = schema
            return schema, message
        raise max(problems, key=lambda error: error.bit)  # of the schema that was followed furthest

    def _agree(self, message: Message) -> None:
        for offer in message.body.get("AppProtocol", ()):
            self._offered[offer["SchemaID"]] = offer["ProtocolNamespace"]
        agreed = exi.SCHEMAS.get(self._offered.get(message.body.get("SchemaID", -1), ""))
        self._schema = agreed if agreed in OLDER else self._schema


def _shown(data: bytes) -> str:
    return data.hex() if len(data) <= 40 else f"{data[:40].hex()}... of {len(data)}"


class Listener:
    """Follows all connections of a capture, and takes those that speak V2GTP."""

    def __init__(self) -> None:
        self._talks: dict[frozenset[End], Talk] = {}
        self._splitters: dict[tuple[End, End], Splitter | None] = {}
        self._announced: set[End] = set()

    def hear(self, piece: Piece) -> Iterator[Entry]:
        """Entries of the bytes of a connection."""
        ends = (piece.source, piece.target)
        if ends not in self._splitters:
            self._splitters[ends] = Splitter() if piece.lost or MARK.startswith(piece.data[:2]) else None
            yield from self._encrypted(piece)
        splitter = self._splitters[ends]
        if splitter is None:
            return
        data = piece.data
        if piece.lost:
            yield Entry(piece.time_s, "TCP", problem=f"{piece.lost} bytes are missing in the capture", ends=ends)
            splitter, data = Splitter(), _from_header(data)
            self._splitters[ends] = splitter
        talk = self._talks.setdefault(frozenset(ends), Talk())
        try:
            packets = splitter.feed(data)
        except V2gtpError as error:
            self._splitters[ends] = Splitter()
            yield Entry(piece.time_s, "V2GTP", problem=str(error), ends=ends)
            return
        for packet in packets:
            yield talk.entry(piece.time_s, packet, ends)

    def _encrypted(self, piece: Piece) -> Iterator[Entry]:
        if piece.data.startswith(TLS_BEGIN) and piece.target in self._announced:
            yield Entry(piece.time_s, "TLS", problem="the connection is encrypted", ends=(piece.source, piece.target))

    def hear_datagram(self, datagram: Datagram) -> Iterator[Entry]:
        """Entries of a UDP datagram: SDP or nothing."""
        if sdp.PORT not in (datagram.source.port, datagram.target.port):
            return
        ends = (datagram.source, datagram.target)
        try:
            said = sdp.decode(datagram.payload)
        except V2gtpError as error:
            yield Entry(datagram.time_s, "SDP", problem=str(error), ends=ends)
            return
        body: dict[str, Any] = {"Security": sdp.SECURITY.get(said.security, f"{said.security:#04x}")}
        if isinstance(said, sdp.Response):
            self._announced.add(End(said.address, said.port))
            body |= {"Address": str(said.address), "Port": said.port}
        yield Entry(datagram.time_s, "SDP", "SDPRes" if "Port" in body else "SDPReq", body, ends=ends)


def _from_header(data: bytes) -> bytes:
    """What follows from the next thing that looks like a header."""
    at = data.find(MARK)
    return data[at:] if at >= 0 else b""


def of_lines(lines: Iterable[tuple[float, bytes]]) -> Iterator[Entry]:
    """Entries of messages that came without a network around them: V2GTP, or EXI alone."""
    talk = Talk()
    for time_s, data in lines:
        if not data.startswith(MARK):
            yield _bare(talk, time_s, data)
            continue
        try:
            yield talk.entry(time_s, v2gtp.unpack(data))
        except V2gtpError as error:
            yield Entry(time_s, "V2GTP", problem=str(error))


def _bare(talk: Talk, time_s: float, data: bytes) -> Entry:
    """EXI alone: any version of it."""
    found = [talk.entry(time_s, Packet(type_, data)) for type_ in (v2gtp.EXI, *BY_TYPE)]
    return next((entry for entry in found if not entry.problem), found[0])
