"""A charging station's side of a CCS session (SECC) as a pure machine: requests come in, responses go out.

The protocols are tables of :class:`Step` by request; here is what they share: the handshake, the session's number, the
order of requests, time-outs, what the outlet is set to. A request out of order is answered FAILED_SequenceError, one of
another session FAILED_UnknownSession, and so on; after a FAILED response the outlet is off and the connection closes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from hilbench.ccs import exi
from hilbench_emulators.ccs import events as ev
from hilbench_emulators.ccs import services, timeouts
from hilbench_emulators.ccs.figures import Body, Limits
from hilbench_emulators.ccs.quirks import StationQuirks
from hilbench_emulators.ccs.services import Power
from hilbench_emulators.ccs.supply import Supply

HANDSHAKE = "supportedAppProtocolReq"


@dataclass(frozen=True, slots=True)
class Station:
    """What a station is.

    ``services`` are those that it offers, ``phases`` and ``nominal_v`` are those of AC. The cable check takes
    ``cable_check_s`` (chosen), the wait for a schedule ``schedule_s``. A car that goes on ``patience_s`` after the
    station has ended is refused (chosen). ``epoch_s`` is the Unix time of time 0.
    """

    protocols: tuple[services.Protocol, ...] = services.PROTOCOLS
    services: tuple[services.Service, ...] = (services.Service(),)
    evse_id: str = "ZZHILE1"
    session_id: bytes = bytes.fromhex("0011223344556677")
    phases: int = 3
    nominal_v: float = 230.0
    cable_check_s: float = 3.0
    schedule_s: float = 0.0
    patience_s: float = 10.0
    epoch_s: int = 1_717_516_800
    quirks: StationQuirks = field(default_factory=StationQuirks)

    @property
    def powers(self) -> set[Power]:
        """AC, DC or both."""
        return {service.power for service in self.services}


Take = Callable[["Secc", Body], str]
Answer = Callable[["Secc", Body], Body]
Then = Callable[["Secc", Body], tuple[str, ...]]


class Step(NamedTuple):
    """A request: ``take`` judges and takes it, ``answer`` is the response but for its code, ``then`` what may follow.

    ``answer`` must work in every state: it is also the rest of a FAILED response.
    """

    take: Take
    answer: Answer
    then: Then


@dataclass(slots=True)
class Progress:
    """Where a session is."""

    generation: timeouts.Generation | None = None
    power: Power = "dc"
    service: services.Service = field(default_factory=services.Service)
    expects: frozenset[str] = frozenset({HANDSHAKE})
    session_id: bytes = b""
    begun: dict[str, float] = field(default_factory=dict)
    latest: str = ""
    looping: bool = False
    renegotiating: bool = False
    standby: bool = False
    checked: bool = False
    offered_w: float = 0.0


class Secc:
    """A station at one connection. ``remembered`` is the number of a session that was paused, which may be joined.

    ``closed`` says why it has ended ("" after a regular end), None before. ``due_s`` is when it wants a Timer.
    """

    def __init__(self, station: Station, supply: Supply, remembered: bytes = b"") -> None:
        self.station, self.supply, self.remembered = station, supply, remembered
        self.progress = Progress()
        self.now_s = 0.0
        self.closed: str | None = None
        self.due_s = math.inf
        self.authorised: bool | None = True
        self.want: ev.Want | None = None
        self.want_s = 0.0
        self.asked_a = 0.0
        self.setpoint = ev.Setpoint(0.0, 0.0)
        self.contactor = False
        self._measured: ev.Measured | None = None
        self._out: list[ev.Output] = []

    @property
    def voltage_v(self) -> float:
        """Present voltage [V] at the outlet."""
        return self._measured.voltage_v if self._measured else self.setpoint.voltage_v

    @property
    def current_a(self) -> float:
        """Present current [A] into the car."""
        return self._measured.current_a if self._measured else self.setpoint.current_a

    @property
    def stopping(self) -> bool:
        """Whether the station wants the car to end."""
        return self.want in ("stop", "emergency", "pause") or self.supply.ended

    def limits(self) -> Limits:
        """What the outlet offers now."""
        return self.supply.offer(self.now_s, self.voltage_v)

    def advance(self, t_s: float, event: ev.Event) -> list[ev.Output]:
        """What an event at time ``t_s`` [s] leads to; never raises for anything that the other side says."""
        self._out, self.now_s = [], t_s
        if self.closed is not None:
            return self._out
        match event:
            case ev.Received():
                self._receive(event)
            case ev.Begin():
                self.due_s = t_s + timeouts.seconds("sequence", "iso2")
            case ev.Timer():
                if t_s >= self.due_s:
                    self.close(f"no request for {'0.5' if self._fast else '60'} s")
            case ev.Broken(reason):
                self.close(f"the car sent what is no message: {reason}")
            case ev.Closed():
                self.close("the car closed the connection")
            case _:
                self._local(event)
        return self._out

    @property
    def _fast(self) -> bool:
        return "ChargeLoop" in self.progress.latest

    def _local(self, event: ev.Event) -> None:
        match event:
            case ev.NewLimit(limit):
                self.supply.change(limit)
            case ev.Measured():
                self._measured = event
            case ev.Authorised(accepted):
                self.authorised = accepted
            case ev.Wish(want):
                self._wish(want)

    def _wish(self, want: ev.Want) -> None:
        """A stop is not taken back by what is less urgent; without standby there is nothing to resume."""
        if self.stopping and ev.urgency(want) <= ev.urgency(self.want):
            return
        if want == "resume" and not self.progress.standby:
            return
        self.want_s = self.want_s if self.stopping else self.now_s
        self.want = want
        if want == "emergency":
            self.off()

    def end(self) -> None:
        """End the session in order, by the station's own will."""
        self._wish("stop")

    def fulfilled(self, want: ev.Want) -> None:
        """The car has done what was wished, if it still is."""
        if self.want == want:
            self.want = None

    def _receive(self, event: ev.Received) -> None:
        generation = self.progress.generation
        if generation is None:
            self._shake_hands(event)
            return
        steps = TABLES[generation]
        if event.name not in steps or ev.schema_of(generation, event.name).title != event.schema:
            self.close(f"{event.name} of {event.schema} cannot be answered here")
            return
        if "WeldingDetection" in event.name and self.station.quirks.welding_unanswered:
            return
        step = steps[event.name]
        self.progress.latest = event.name
        code = self._out_of_order(event) or step.take(self, event.body)
        if self.closed is not None:
            return
        body = {"ResponseCode": code, **step.answer(self, event.body)}
        self._respond(event.name, body)
        if code.startswith("FAILED"):
            self.close(f"{event.name} answered {code}")
            return
        self._expect(step.then(self, event.body))

    def _shake_hands(self, event: ev.Received) -> None:
        if (event.schema, event.name) != (exi.APP_PROTOCOL.title, HANDSHAKE):
            self.close(f"{event.name} before a protocol was agreed on")
            return
        known = [p for p in self.station.protocols if p.power is None or p.power in self.station.powers]
        protocol, answer = services.choose(tuple(known), event.body)
        self._out.append(ev.Send(exi.APP_PROTOCOL, "supportedAppProtocolRes", answer))
        if protocol is None:
            self.close("the car and the station have no protocol in common")
            return
        self.progress.generation = protocol.generation
        self.progress.power = protocol.power or ("dc" if "dc" in self.station.powers else "ac")
        self._expect(("SessionSetupReq",))

    def _out_of_order(self, event: ev.Received) -> str:
        if event.name not in self.progress.expects:
            return "FAILED_SequenceError"
        if event.name != "SessionSetupReq" and event.body["Header"]["SessionID"] != self.progress.session_id:
            return "FAILED_UnknownSession"
        if self.stopping and self.progress.looping and self.now_s > self.want_s + self.station.patience_s:
            return "" if event.name.startswith(("PowerDelivery", "SessionStop", "Welding")) else "FAILED"
        return ""

    def _expect(self, names: tuple[str, ...]) -> None:
        self.progress.expects = frozenset(names)
        generation = self.progress.generation or "iso2"
        self.due_s = self.now_s + timeouts.seconds("sequence in the loop" if self._fast else "sequence", generation)
        if not names:
            self.close("")

    def _respond(self, request: str, body: Body) -> None:
        generation = self.progress.generation
        assert generation is not None
        header: Body = {"SessionID": self.progress.session_id or bytes(8)}
        if generation == "iso20":
            header["TimeStamp"] = self.unix_s
        name = f"{request[:-3]}Res"
        self._out.append(ev.Send(ev.schema_of(generation, name), name, {"Header": header, **body}))

    @property
    def unix_s(self) -> int:
        """Unix time [s]."""
        return self.station.epoch_s + int(self.now_s)

    def since(self, what: str) -> float:
        """For how long [s] ``what`` has been going on; the first question begins it."""
        return self.now_s - self.progress.begun.setdefault(what, self.now_s)

    def ongoing(self, what: str, most_s: float, ready: bool) -> str:
        """The code of a request that may have to be repeated: FAILED when it has taken too long."""
        late = not ready and self.since(what) >= most_s
        return "FAILED" if late else "OK"

    def set(self, voltage_v: float, current_a: float) -> None:
        """Head for a voltage and a current."""
        new = ev.Setpoint(voltage_v, current_a)
        if new != self.setpoint:
            self.setpoint = new
            self._out.append(new)

    def switch(self, closed: bool) -> None:
        """Close or open the contactor."""
        if closed != self.contactor:
            self.contactor = closed
            self._out.append(ev.Contactor(closed))

    def off(self) -> None:
        """No current, no voltage, contactor open."""
        self.asked_a = 0.0
        self.set(0.0, 0.0)
        self.switch(False)

    def close(self, reason: str) -> None:
        """End for good."""
        self.off()
        self.closed, self.due_s = reason, math.inf
        self.progress.expects = frozenset()
        self._out.append(ev.Close(reason))


TABLES: dict[timeouts.Generation, Mapping[str, Step]] = {}
"""Filled by the modules of the protocols."""
