"""Messages of the machines to bytes and back: EXI within V2GTP."""

from __future__ import annotations

from hilbench.ccs import exi, v2gtp
from hilbench.ccs.v2gtp import V2gtpError
from hilbench_emulators.ccs import events as ev
from hilbench_emulators.ccs.timeouts import Generation

TYPES = {exi.ISO20.title: v2gtp.EXI_20, exi.ISO20_AC.title: v2gtp.EXI_20_AC, exi.ISO20_DC.title: v2gtp.EXI_20_DC}
BY_TYPE = {v2gtp.EXI_20: exi.ISO20, v2gtp.EXI_20_AC: exi.ISO20_AC, v2gtp.EXI_20_DC: exi.ISO20_DC}


def pack(send: ev.Send) -> bytes:
    """A message as it goes over TCP; raises ``ExiError`` when it is none of its schema."""
    return v2gtp.pack(TYPES.get(send.schema.title, v2gtp.EXI), exi.encode(send.schema, send.name, send.body))


def unpack(packet: v2gtp.Packet, generation: Generation | None) -> ev.Received | ev.Broken:
    """What a packet says to a side that has agreed on a generation; None before it has."""
    schema = exi.APP_PROTOCOL if generation is None else ev.SCHEMAS[generation]
    if generation == "iso20":
        if packet.type not in BY_TYPE:
            return ev.Broken(f"payload type {packet.type:#06x} is not of ISO 15118-20")
        schema = BY_TYPE[packet.type]
    elif packet.type != v2gtp.EXI:
        return ev.Broken(f"payload type {packet.type:#06x} where {v2gtp.EXI:#06x} is meant")
    try:
        message = exi.decode(schema, packet.payload)
    except exi.ExiError as error:
        return ev.Broken(str(error))
    return ev.Received(schema.title, message.name, message.body)


class Listener:
    """The events in a stream of bytes; what is no V2GTP is one Broken, and nothing comes after it."""

    def __init__(self) -> None:
        self._splitter = v2gtp.Splitter()
        self._broken = False

    def feed(self, data: bytes) -> list[v2gtp.Packet | ev.Broken]:
        """Packets that became whole."""
        if self._broken:
            return []
        try:
            return list(self._splitter.feed(data))
        except V2gtpError as error:
            self._broken = True
            return [ev.Broken(str(error))]


def heard(found: v2gtp.Packet | ev.Broken, generation: Generation | None) -> ev.Received | ev.Broken:
    """A packet as an event."""
    return found if isinstance(found, ev.Broken) else unpack(found, generation)
