"""A car's side of a CCS session (EVCC) as a pure machine: it asks, and each response leads to its next request.

The protocols are tables of :class:`Turn` by request; here is what they share: the handshake, time-outs, the pace of
repeated requests, how a session is left. A response that is FAILED, late, of another session or another kind ends it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

from hilbench.ccs import exi
from hilbench_emulators.ccs import events as ev
from hilbench_emulators.ccs import services, timeouts
from hilbench_emulators.ccs.drive import Drive, Vehicle
from hilbench_emulators.ccs.figures import Body

PHASES = {
    "ContractAuthenticationReq": "ongoing",
    "AuthorizationReq": "ongoing",
    "ChargeParameterDiscoveryReq": "ongoing",
    "ScheduleExchangeReq": "ongoing",
    "CableCheckReq": "cable check",
    "DC_CableCheckReq": "cable check",
    "PreChargeReq": "pre-charge",
    "DC_PreChargeReq": "pre-charge",
}
"""For how long a request is repeated at most, by the names of :mod:`hilbench_emulators.ccs.timeouts`."""
NEAR_V = 20.0
"""How near [V] the outlet must be to the battery before the contactor closes (IEC 61851-23; recalled)."""
DEAD_V = 60.0
"""Voltage [V] below which the inlet counts as dead (IEC 61851-23; recalled)."""
WELD_CHECKS = 5
"""How often a car looks for it (chosen)."""

Build = Callable[["Evcc"], Body]
Hear = Callable[["Evcc", Body], str | None]


class Turn(NamedTuple):
    """A request and what its response leads to: the name of the next request, None at the end of the session."""

    build: Build
    hear: Hear


class Evcc:
    """A car at one connection; ``closed`` and ``due_s`` are as those of a :class:`hilbench_emulators.ccs.secc.Secc`.

    ``paused`` is whether the session may be joined again by its ``session_id``.
    """

    def __init__(self, vehicle: Vehicle) -> None:
        self.vehicle, self.drive = vehicle, Drive(vehicle)
        self.now_s = 0.0
        self.closed: str | None = None
        self.paused = False
        self.generation: timeouts.Generation | None = None
        self.session_id = vehicle.session_id
        self.leaving: ev.Want | None = None
        self.looping = False
        self.standby = False
        self.schedule_w = math.inf
        self.schedule_id = 1
        self.parameter_set = 0
        self.checks = 0
        self.waiting = ""
        self._due: dict[str, float] = {}
        self._next = ""
        self._sent_s = 0.0
        self._contactor = False
        self._power_w = 0.0
        self._loops = 0
        self._out: list[ev.Output] = []

    @property
    def due_s(self) -> float:
        """When it wants a Timer [s]."""
        return min(self._due.values(), default=math.inf)

    def advance(self, t_s: float, event: ev.Event) -> list[ev.Output]:
        """What an event at time ``t_s`` [s] leads to; never raises for anything that the other side says."""
        self._out, self.now_s = [], t_s
        if self.closed is not None:
            return self._out
        match event:
            case ev.Begin():
                self._begin()
            case ev.Received():
                self._receive(event)
            case ev.Timer():
                self._timer()
            case ev.Wish(want):
                self._wish(want)
            case ev.Broken(reason):
                self.close(f"the station sent what is no message: {reason}")
            case ev.Closed():
                self.close("the station closed the connection")
            case _:
                pass
        return self._out

    def _begin(self) -> None:
        offers = services.offers(self.vehicle.protocols)
        self._out.append(ev.Send(exi.APP_PROTOCOL, "supportedAppProtocolReq", offers))
        self._wait("supportedAppProtocolReq", timeouts.message_s("supportedAppProtocolReq", "iso2"))
        self._due["communication set-up"] = self.now_s + timeouts.seconds("communication set-up", "iso2")

    def _timer(self) -> None:
        passed = [name for name, due_s in self._due.items() if self.now_s >= due_s]
        if passed == ["next request"]:
            self._send()
        elif passed:
            name = min(passed, key=lambda each: self._due[each])
            self.close(f"time-out: {name}")

    def _wish(self, want: ev.Want) -> None:
        if want == "emergency":
            self.drive.cut()
        if self.looping:
            self.leave(want)
        elif want in ("stop", "emergency", "pause"):
            self.close("stopped before charging began")

    def _receive(self, event: ev.Received) -> None:
        request = self.waiting
        expected = f"{request[:-3]}Res"
        if event.name != expected or self._schema(request).title != event.schema:
            self.close(f"{event.name} of {event.schema} where {expected if request else 'nothing'} was expected")
            return
        self.waiting = ""
        self._due.pop(request, None)
        if self.generation is None:
            self._shake_hands(event.body)
            return
        code = event.body["ResponseCode"]
        if code.startswith("FAILED"):
            self.close(f"{event.name} says {code}")
            return
        given = event.body["Header"]["SessionID"]
        if request == "SessionSetupReq":
            self.session_id = given
            self._due.pop("communication set-up", None)
        elif given != self.session_id:
            self.close(f"{event.name} is of session {given.hex()}, not of {self.session_id.hex()}")
            return
        self._go_on(request, TABLES[self.generation][request].hear(self, event.body))

    def _schema(self, request: str) -> exi.Schema:
        if self.generation is None or not request:
            return exi.APP_PROTOCOL
        return ev.schema_of(self.generation, request)

    def _shake_hands(self, body: Body) -> None:
        number = body.get("SchemaID", 0)
        if body["ResponseCode"] == "Failed_NoNegotiation" or not 0 < number <= len(self.vehicle.protocols):
            self.close("the station and the car have no protocol in common")
            return
        self.generation = self.vehicle.protocols[number - 1].generation
        self._go_on("", "SessionSetupReq")

    def _go_on(self, last: str, request: str | None) -> None:
        """Send the next request: at once, or at its pace when it is a repetition."""
        if self.closed is not None:
            return
        if request is None:
            self.close("")
            return
        self._next = request
        if request != last:
            self._drop_phases()
            self._send()
            return
        self._due["next request"] = max(self.now_s, self._sent_s + self.vehicle.period_s)

    def _drop_phases(self) -> None:
        for name in set(PHASES.values()):
            self._due.pop(name, None)

    def _send(self) -> None:
        assert self.generation is not None
        self._due.pop("next request", None)
        request, generation = self._next, self.generation
        header: Body = {"SessionID": self.session_id}
        if generation == "iso20":
            header["TimeStamp"] = self.unix_s
        body = {"Header": header, **TABLES[generation][request].build(self)}
        if not self._loses():
            self._out.append(ev.Send(ev.schema_of(generation, request), request, body))
        self._sent_s = self.now_s
        self._wait(request, timeouts.message_s(request, generation))
        if request in PHASES:
            phase = PHASES[request]
            self._due.setdefault(phase, self.now_s + timeouts.seconds(phase, generation))

    def _loses(self) -> bool:
        """Whether the request that goes out now is lost on its way, for want of a TCP that repeats it."""
        self._loops += self.looping
        return self.looping and self._loops == self.vehicle.quirks.loses_request

    def _wait(self, request: str, most_s: float) -> None:
        self.waiting = request
        self._due[request] = self.now_s + most_s

    @property
    def unix_s(self) -> int:
        """Unix time [s]."""
        return self.vehicle.epoch_s + int(self.now_s)

    def within(self, what: str, most_s: float) -> None:
        """Begin a time within which something must have happened; :meth:`done` ends it."""
        self._due[what] = self.now_s + most_s

    def done(self, what: str) -> None:
        """It has happened."""
        self._due.pop(what, None)

    def leave(self, want: ev.Want) -> None:
        """Leave the loop as somebody wants, once no current flows; an emergency does not wait."""
        if ev.urgency(want) <= ev.urgency(self.leaving):
            return
        self.leaving = want
        if want == "emergency":
            self.drive.cut()
        elif want != "resume":
            self.drive.wind_down()

    def loop(self, request: str) -> str:
        """The next request of a loop: the same again, or PowerDeliveryReq to leave it."""
        if self.drive.finished:
            self.leave("stop")
        gone = abs(self.drive.target_a) < 1.0 and self.drive.power_w == 0.0
        return "PowerDeliveryReq" if self.leaving is not None and gone else request

    def switch(self, closed: bool) -> None:
        """Close or open the contactor."""
        if closed != self._contactor:
            self._contactor = closed
            self._out.append(ev.Contactor(closed))

    def draw(self, power_w: float) -> None:
        """Take AC power [W]."""
        if power_w != self._power_w:
            self._power_w = power_w
            self._out.append(ev.Draw(power_w))

    def close(self, reason: str) -> None:
        """End for good."""
        self.drive.cut()
        self.draw(0.0)
        self.switch(False)
        self.closed, self._due, self.looping = reason, {}, False
        self._out.append(ev.Close(reason))


TABLES: dict[timeouts.Generation, Mapping[str, Turn]] = {}
"""Filled by the modules of the protocols."""
