"""A car at a CHAdeMO charger. Pure: ``advance(t, event)`` takes frames, lines and faults, and answers with frames.

What it does, with the times of ``CarModel`` and ``hilbench.chademo.timing``:

    OFF       d1 comes: talk on CAN
    TALKING   the charger suits, and ``enable_s`` is over: k on, 102.5.0 = 1
    READY     d2 comes: the contactor may close
    CLOSING   ``contactor_s`` later it closes
    CHARGING  ``request_s`` later the request rises, at most to 108.3; a lower 108.3 is followed at once
    STOPPING  request 0, 102.5.0 = 0, k off; the output falls
    OPENING   109.5.0 = 0: the contactor opens
    CHECKING  the output must lose its voltage, else the contactor is welded (from 1.0 on)
    DONE      102.5.3 = 1; d1 goes: OFF
"""

from __future__ import annotations

import math
from enum import Enum, auto
from typing import NamedTuple

from hilbench.chademo import (
    CarFault,
    CarStatus,
    ChargerDischarge,
    ChargerLimits,
    ChargerState,
    ChargerStatus,
    Frame,
)
from hilbench.chademo.flags import CHARGER_FAULTS, words
from hilbench.chademo.timing import LOW_A, limit
from hilbench_emulators.chademo.car_says import said
from hilbench_emulators.chademo.car_watch import OutputWatch
from hilbench_emulators.chademo.machine import Machine, Rhythm
from hilbench_emulators.chademo.models import V10, CarModel
from hilbench_emulators.chademo.pack import Pack, SimplePack
from hilbench_emulators.chademo.plug import CarEnd, CarEvent, ChargerEnd, Fault, Shift, Stop

_D2_S, _CHARGING_S = limit("d2").gives_up_s, limit("charging").gives_up_s
_FALLING_S, _OPEN_S = limit("falling").gives_up_s, limit("contactor_open").limit_s or 0.0
_QUARTER_S, _END_S = limit("weld_quarter").gives_up_s, limit("weld_end").gives_up_s
_SILENT_S = limit("charger_silent").gives_up_s
_CHARGES, _STOPS = int(ChargerStatus.CHARGING), int(ChargerStatus.STOP)  # plain numbers: looked at in every frame


class Phase(Enum):
    """Where the car is; see the module."""

    OFF = auto()
    TALKING = auto()
    READY = auto()
    CLOSING = auto()
    CHARGING = auto()
    STOPPING = auto()
    OPENING = auto()
    CHECKING = auto()
    DONE = auto()


ACTIVE = (Phase.TALKING, Phase.READY, Phase.CLOSING, Phase.CHARGING)
"""Phases that a fault ends."""


class CarOut(NamedTuple):
    """What the car does now: frames to send, and its side of the connector."""

    frames: list[Frame]
    end: CarEnd


class Car(Machine):
    """One car and one session; ``reason`` says why it ended, None while it has not."""

    def __init__(self, model: CarModel | None = None, pack: Pack | None = None) -> None:
        self.model = model or CarModel()
        super().__init__(Rhythm(self.model.period_s, self.model.rotates))
        self.pack: Pack = pack or SimplePack()
        self.phase, self.since_t = Phase.OFF, 0.0
        self.charger = ChargerEnd()
        self.limits: ChargerLimits | None = None
        self.state: ChargerState | None = None
        self.discharged_a: int | None = None
        self.heard_t = self.first_heard_t = self.talking_t = math.inf
        self.k = self.contactor = self.flows = False
        self.request_a = self.discharge_a = 0.0
        self.faults = self.extra_status = 0
        self.closed_t = self.asked_t = self._stop_t = math.inf
        self._output = OutputWatch(self.model, self)
        self._steps = {
            Phase.OFF: self._off,
            Phase.TALKING: self._talking,
            Phase.READY: self._ready,
            Phase.CLOSING: self._closing,
            Phase.CHARGING: self._charging,
            Phase.STOPPING: self._stopping,
            Phase.OPENING: self._opening,
            Phase.CHECKING: self._checking,
            Phase.DONE: self._done,
        }

    def advance(self, t: float, event: CarEvent = None) -> CarOut:
        """Go on to ``t`` [s], never backwards, with ``event`` if something happened; None: time has passed."""
        self._waits_t = math.inf
        self._take(t, event)
        before = None
        while before is not self.phase:
            before = self.phase
            if before in ACTIVE:
                self._watch(t)
            self._steps[self.phase](t)
        frames: list[Frame] = []
        if self.rhythm.due(t):
            self._ask(t)
            frames = self.rhythm.take(said(self, t))
        return CarOut(frames, CarEnd(self.k, self.contactor, self.pack.voltage_v(t)))

    def mute(self) -> None:
        """It sends no frames any more, whatever its lines say."""
        self.rhythm.end()

    @property
    def common(self) -> int:
        """The protocol that both speak, by number; the car's own before the charger was heard."""
        return min(self.model.protocol, self.state.protocol) if self.state else self.model.protocol

    @property
    def tells_open(self) -> bool:
        """The contactor is open, and known to be (102.5.3)."""
        return not self.contactor and self.phase not in (Phase.STOPPING, Phase.OPENING, Phase.CHECKING)

    def _take(self, t: float, event: CarEvent) -> None:
        match event:
            case ChargerState():
                self.state, self.heard_t = event, t
                self.first_heard_t = min(self.first_heard_t, t)
            case ChargerLimits():
                self._take_limits(t, event)
            case ChargerEnd():
                self.charger = event
                self.pack.flow(t, event.current_a if self.contactor else 0.0)
            case ChargerDischarge():
                self.discharged_a = event.discharge_a
            case Fault():
                self.fault(t, CarFault(event.bits))
            case Shift():
                self.extra_status |= CarStatus.NOT_IN_PARK
                self.stop(t, "the lever left Park")
            case Stop():
                if self.asked_t == math.inf and self.phase in ACTIVE:
                    self.extra_status |= CarStatus.STOP_BEFORE_CHARGING
                self.stop(t, event.reason)
            case _:
                pass

    def _take_limits(self, t: float, heard: ChargerLimits) -> None:
        before, self.limits = self.limits, heard
        offered_a = before.available_current_a if before else 0
        ramping = 0.0 < self.request_a < min(self.pack.wanted_a(t), offered_a)
        if self.model.aborts_on_reduction and ramping and heard.available_current_a < offered_a:
            self.stop(t, "the available current fell during the ramp")

    def _go(self, t: float, phase: Phase) -> None:
        self.phase, self.since_t = phase, t

    def _off(self, t: float) -> None:
        if self.charger.d1 and self.reason is None:
            self.talking_t = t + self.model.can_on_s
            self.rhythm.begin(self.talking_t)
            self._go(t, Phase.TALKING)

    def _talking(self, t: float) -> None:
        if self.limits is None or self.state is None:
            return
        if self.limits.available_voltage_v < self.model.target_voltage_v:
            self.stop(t, "the charger cannot reach the target voltage")
        elif self.passed(t, self.since_t + self.model.enable_s):
            self.k = True
            self._go(t, Phase.READY)

    def _ready(self, t: float) -> None:
        if self.charger.d2:
            self._go(t, Phase.CLOSING)
        elif self.passed(t, self.since_t + _D2_S):
            self._fail(t, f"d2 did not come within {_D2_S:g} s")

    def _closing(self, t: float) -> None:
        if self.passed(t, self.since_t + self.model.contactor_s):
            self.contactor, self.closed_t = True, t
            self._go(t, Phase.CHARGING)

    def _charging(self, t: float) -> None:
        if self.state is None:
            return
        on = self.state.status & (_CHARGES | _STOPS) == _CHARGES
        if not self.flows:
            self.flows = on
            if not on and self.asked_t < math.inf and self.passed(t, self.asked_t + _CHARGING_S):
                self._fail(t, f"the charger did not begin within {_CHARGING_S:g} s")
        elif not on:
            self._stop_t = min(self._stop_t, t + self.model.stop_reaction_s)
            if self.passed(t, self._stop_t):
                self.stop(t, "the charger stops")
        elif self._full(t):
            self.stop(t, "the battery is full")
        else:
            self._output.look(t, self.state)

    def _stopping(self, t: float) -> None:
        low = abs(self.charger.current_a) <= LOW_A
        if not low and self.passed(t, self.since_t + _FALLING_S):
            self.extra_status |= CarStatus.SYSTEM_FAULT
            self.reason = f"{self.reason}; the output did not fall within {_FALLING_S:g} s"
            self._go(t, Phase.OPENING)
        elif low and (not self._charger_charges(t) or self.passed(t, self.since_t + _OPEN_S)):
            self._go(t, Phase.OPENING)

    def _charger_charges(self, t: float) -> bool:
        if self.state is None or self.passed(t, self.heard_t + _SILENT_S):
            return False
        return bool(self.state.status & _CHARGES)

    def _opening(self, t: float) -> None:
        if self.passed(t, self.since_t + self.model.open_s):
            self.contactor = self.model.welded
            self.pack.flow(t, 0.0)
            checks = self.common >= V10 and self.limits is not None and self.limits.weld_detection
            self._go(t, Phase.CHECKING if checks else Phase.DONE)

    def _checking(self, t: float) -> None:
        voltage_v = self.state.voltage_v if self.state else 0
        allowed_v = 10.0
        if self.passed(t, self.since_t + _END_S):
            self._go(t, Phase.DONE)
        elif self.passed(t, self.since_t + _QUARTER_S):
            allowed_v = 0.25 * self.pack.voltage_v(t)
        else:
            return
        if voltage_v > allowed_v:
            self.extra_status |= CarStatus.SYSTEM_FAULT
            self.reason = f"{self.reason}; the contactor is welded"
            self._go(t, Phase.DONE)

    def _done(self, t: float) -> None:
        if not self.charger.d1:
            self.rhythm.end()
            self._go(t, Phase.OFF)

    def stop(self, t: float, reason: str) -> None:
        """End the session in order; nothing happens when it ends already."""
        if self.phase in ACTIVE:
            self.reason = reason
            self.request_a, self.k = 0.0, False
            self._go(t, Phase.STOPPING if self.contactor else Phase.DONE)

    def fault(self, t: float, bits: CarFault) -> None:
        """Bits of 102.4 come up and end the session."""
        self.faults |= bits
        self.stop(t, f"fault: {', '.join(words(CarFault, bits))}")

    def _fail(self, t: float, reason: str) -> None:
        self.extra_status |= CarStatus.SYSTEM_FAULT
        self.stop(t, reason)

    def _watch(self, t: float) -> None:
        """What ends a session in any phase before it is over."""
        if self.state is not None:
            self._watch_charger(t, self.state)
        if not self.charger.d1:
            self.stop(t, "d1 went off")
        elif self.phase in (Phase.CLOSING, Phase.CHARGING) and not self.charger.d2:
            self.stop(t, "d2 went off")

    def _watch_charger(self, t: float, state: ChargerState) -> None:
        faults = state.status & CHARGER_FAULTS
        if faults:
            self.stop(t, f"the charger says: {', '.join(words(ChargerStatus, faults))}")
        elif self.passed(t, self.heard_t + _SILENT_S):
            self._fail(t, f"the charger was silent for {_SILENT_S:g} s")
        elif self._discharge_untold(t, state):
            self._fail(t, "the charger offers to discharge and sends no 208")

    def _discharge_untold(self, t: float, state: ChargerState) -> bool:
        """A car that can discharge fails when 109.4.0 is set without 208 (ccs32clara-chademo, read-code)."""
        untold = self.model.discharges and state.discharge & 1 and self.discharged_a is None
        return bool(untold) and self.passed(t, self.first_heard_t + _SILENT_S)

    def _full(self, t: float) -> bool:
        if self.discharged_a:
            return False
        return self.pack.soc_pct(t) >= self.model.charged_to_pct or self.pack.wanted_a(t) < self.model.stop_a

    def _ask(self, t: float) -> None:
        """The request of the frames that go out now: up at the ramp, down at once."""
        if self.phase is not Phase.CHARGING or not self.passed(t, self.closed_t + self.model.request_s):
            return
        step = self.model.ramp_a_per_s * self.model.period_s
        self.request_a = min(self._target_a(t), self.request_a + step)
        if int(self.request_a) > 0:
            self.asked_t = min(self.asked_t, t)
        if self.flows:
            more = self.discharge_a + self.model.discharge_ramp_a_per_s * self.model.period_s
            self.discharge_a = min(float(self.model.max_discharge_a), self.pack.given_a(t), more)

    def _target_a(self, t: float) -> float:
        offered = self.limits.available_current_a if self.limits else 0
        if offered < self.model.min_current_a:
            return 0.0
        return min(float(offered), float(self.model.max_current_a), self.pack.wanted_a(t))
