"""A CHAdeMO charger. Pure: ``advance(t, event)`` takes frames, lines and orders, and answers with frames.

What it does, with the times of ``ChargerModel`` and ``hilbench.chademo.timing``:

    IDLE      Start: d1 on
    WAITING   frames once the car has sent one; it suits, k and 102.5.0 = 1: go on
    TESTING   ``lock_s`` later locked; the insulation test ramps the output up and lets it fall below 20 V; d2 on
    JOINING   the car closes its contactor (0.9 does not say so: 2 s)
    OFFERING  a request over 0 A
    CHARGING  109.5.0 = 1, 109.5.5 = 0: the output follows the request, at most 108.3
    ENDING    109.5.5 = 1: the car takes its request back
    FALLING   the output falls to 5 A: 109.5.0 = 0
    OPENING   the car opens its contactor; d2 off
    LEAVING   0.5 s later d1 off; unlocked at 10 V or less
    DONE      the last frames
"""

from __future__ import annotations

import math
from enum import Enum, auto
from typing import NamedTuple

from hilbench.chademo import (
    CarControl,
    CarDischarge,
    CarFault,
    CarLimits,
    CarState,
    CarStatus,
    CarTimes,
    ChargerStatus,
    Frame,
)
from hilbench.chademo.flags import CAR_STOPS, words
from hilbench.chademo.timing import D2_TO_D1_OFF_S, D2_V, LOW_A, UNLOCK_V, WAIT_09_S, limit
from hilbench_emulators.chademo.charger_output import Output
from hilbench_emulators.chademo.charger_says import said
from hilbench_emulators.chademo.machine import Machine, Rhythm
from hilbench_emulators.chademo.models import V09, ChargerModel
from hilbench_emulators.chademo.plug import Available, CarEnd, ChargerEnd, ChargerEvent, Draw, Fault, Start, Stop

_ENABLED_S, _CONTACTOR_S = limit("enabled").gives_up_s, limit("contactor").gives_up_s
_REQUEST_S, _ZERO_S = limit("request").gives_up_s, limit("request_zero").gives_up_s
_OPEN_S, _SILENT_S = limit("contactor_open").gives_up_s, limit("car_silent").gives_up_s
_INSULATION_S = limit("insulation").gives_up_s
_K_OFF = "k went off"
_ENABLED, _CONTACTOR_OPEN = int(CarStatus.ENABLED), int(CarStatus.CONTACTOR_OPEN)  # plain numbers: seen in every frame
_STOP_BEFORE = int(CarStatus.STOP_BEFORE_CHARGING)


class Phase(Enum):
    """Where the charger is; see the module."""

    IDLE = auto()
    WAITING = auto()
    TESTING = auto()
    JOINING = auto()
    OFFERING = auto()
    CHARGING = auto()
    ENDING = auto()
    FALLING = auto()
    OPENING = auto()
    LEAVING = auto()
    DONE = auto()


ACTIVE = (Phase.WAITING, Phase.TESTING, Phase.JOINING, Phase.OFFERING, Phase.CHARGING)
"""Phases that a fault ends."""
READY = (Phase.TESTING, Phase.JOINING, Phase.OFFERING, Phase.CHARGING)
"""Phases in which k and 102.5.0 must stay."""


class ChargerOut(NamedTuple):
    """What the charger does now: frames to send, and its side of the connector."""

    frames: list[Frame]
    end: ChargerEnd


class Charger(Machine):
    """One outlet and one session; ``reason`` says why it ended, None while it has not."""

    def __init__(self, model: ChargerModel | None = None) -> None:
        self.model = model or ChargerModel()
        super().__init__(Rhythm(self.model.period_s, jitter_s=self.model.jitter_s, seed=self.model.seed))
        self.phase, self.since_t = Phase.IDLE, 0.0
        self.output = Output(self.model)
        self.car = CarEnd()
        self.limits: CarLimits | None = None
        self.times: CarTimes | None = None
        self.state: CarState | None = None
        self.extended_a = 0
        self.discharge: CarDischarge | None = None
        self.heard_t = math.inf
        self.available_a = float(self.model.max_current_a)
        self.draw_a = 0.0
        self.d1 = self.d2 = self.locked = self.stopping = self.charges = False
        self.faults = 0
        self.began_t = self.asked_t = math.inf
        self._closed_once = False
        self._steps = {
            Phase.IDLE: self._idle,
            Phase.WAITING: self._waiting,
            Phase.TESTING: self._testing,
            Phase.JOINING: self._joining,
            Phase.OFFERING: self._offering,
            Phase.CHARGING: self._charging,
            Phase.ENDING: self._ending,
            Phase.FALLING: self._falling,
            Phase.OPENING: self._opening,
            Phase.LEAVING: self._leaving,
            Phase.DONE: self._done,
        }

    def advance(self, t: float, event: ChargerEvent = None) -> ChargerOut:
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
            frames = self.rhythm.take(said(self, t))
        return ChargerOut(frames, self._end(t))

    @property
    def common(self) -> int:
        """The protocol that both speak, by number; the charger's own before the car was heard."""
        return min(self.model.protocol, self.state.protocol) if self.state else self.model.protocol

    @property
    def offered_a(self) -> int:
        """The available current of 108.3."""
        return int(min(self.available_a, self.model.max_current_a, 255))

    def _end(self, t: float) -> ChargerEnd:
        current_a = self.output.current_a(t) if self.car.contactor else 0.0
        return ChargerEnd(self.d1, self.d2, self.locked, self.output.voltage_v(t), current_a)

    def _take(self, t: float, event: ChargerEvent) -> None:
        match event:
            case CarState():
                self._hear(t)
                self.state = event
                self._explain(event)
            case CarLimits():
                self._hear(t)
                self.limits = event
            case CarTimes():
                self.times = event
            case CarControl():
                self.extended_a = event.request_a
            case CarDischarge():
                self.discharge = event
            case CarEnd():
                self.car = event
                self._closed_once = self._closed_once or event.contactor
                self.output.join(t, event.battery_v if event.contactor else None)
            case Start():
                if self.phase is Phase.IDLE and self.reason is None:
                    self.d1 = True
                    self._go(t, Phase.WAITING)
            case Stop():
                self._stop(t, event.reason, gently=True)
            case Available():
                self.available_a = max(event.current_a, 0.0)
            case Draw():
                self.draw_a = max(event.current_a, 0.0)
            case Fault():
                self._fail(t, f"fault: {', '.join(words(ChargerStatus, event.bits))}", ChargerStatus(event.bits))
            case _:
                pass

    def _hear(self, t: float) -> None:
        if self.heard_t == math.inf and self.phase is not Phase.IDLE:
            self.stopping = True
            self.rhythm.begin(t + 0.035)  # recorded: the first answer comes 35 ms after the first 102
        self.heard_t = t

    def _go(self, t: float, phase: Phase) -> None:
        self.phase, self.since_t = phase, t

    def _idle(self, t: float) -> None:
        """Nothing happens by itself."""

    def _waiting(self, t: float) -> None:
        if self.state is not None and self.limits is not None:
            if not self.model.min_voltage_v <= self.state.target_voltage_v <= self.model.max_voltage_v:
                what = f"the car's target of {self.state.target_voltage_v} V is out of range"
                self._fail(t, what, ChargerStatus.BATTERY_INCOMPATIBLE)
                return
            if self._enabled(self.state):
                self._go(t, Phase.TESTING)
                return
        if self.passed(t, self.since_t + _ENABLED_S):
            self._fail(t, f"the car was not ready within {_ENABLED_S:g} s", ChargerStatus.SYSTEM_MALFUNCTION)

    def _enabled(self, state: CarState) -> bool:
        return self.car.k and bool(state.status & _ENABLED)

    def _testing(self, t: float) -> None:
        locked_t = self.since_t + self.model.lock_s
        if not self.passed(t, locked_t):
            return
        if not self.locked:
            self.locked = True
            self.output.test(t)
        if not self.model.insulation_good:
            if self.passed(t, locked_t + self.output.test_s) or self.passed(t, locked_t + _INSULATION_S):
                self._fail(t, "the insulation test failed", ChargerStatus.CHARGER_MALFUNCTION)
        elif self.output.test_s > _INSULATION_S:
            if self.passed(t, locked_t + _INSULATION_S):
                self._fail(t, f"no insulation test within {_INSULATION_S:g} s", ChargerStatus.CHARGER_MALFUNCTION)
        elif self.passed(t, locked_t + self.output.test_s + self.model.d2_s) and self.output.voltage_v(t) < D2_V:
            self.d2 = True
            self._go(t, Phase.JOINING)

    def _joining(self, t: float) -> None:
        if self.common <= V09:
            if self.passed(t, self.since_t + WAIT_09_S):
                self._go(t, Phase.OFFERING)
        elif self._says_closed():
            self._go(t, Phase.OFFERING)
        elif self.passed(t, self.since_t + _CONTACTOR_S):
            what = f"the car did not close its contactor within {_CONTACTOR_S:g} s"
            self._fail(t, what, ChargerStatus.SYSTEM_MALFUNCTION)

    def _says_closed(self) -> bool:
        return self.state is not None and not self.state.status & _CONTACTOR_OPEN

    def _offering(self, t: float) -> None:
        self.output.push(t, self.model.early_a)
        if self.requested_a > 0:
            self.asked_t = t
            self._go(t, Phase.CHARGING)
        elif self.passed(t, self.since_t + _REQUEST_S):
            self._fail(t, f"the car requested nothing within {_REQUEST_S:g} s", ChargerStatus.SYSTEM_MALFUNCTION)

    @property
    def requested_a(self) -> int:
        """What the car asks for: 102.3, or the extended request of a high-current car."""
        request_a = self.state.request_a if self.state else 0
        return self.extended_a if request_a == 255 and self.extended_a else request_a

    def _charging(self, t: float) -> None:
        if not self.charges and self.passed(t, self.asked_t + self.model.charging_s):
            self.charges, self.stopping, self.began_t = True, False, t
        self.output.follow(t, self._wanted_a(), bool(self.draw_a))
        if self.charges and self.passed(t, self.began_t + self._longest_s()):
            self._stop(t, "the car's maximum time is over", gently=True)
        elif self.limits is not None and self.output.voltage_v(t) > self._threshold_v():
            self._stop(t, "the output reached the threshold voltage", gently=True)

    def _wanted_a(self) -> float:
        """Into the car, negative out of it."""
        if self.draw_a and self.discharge is not None and self.model.discharges:
            allowed = self.car.battery_v > max(self.discharge.min_voltage_v, self.model.min_input_v)
            most = min(self.draw_a, float(self.model.max_discharge_a), float(self.discharge.max_discharge_a))
            return -most if allowed else 0.0
        return float(min(self.requested_a, self.offered_a))

    def _longest_s(self) -> float:
        times = self.times or CarTimes()
        seconds = times.max_time_min * 60.0 if times.max_time_10s == 255 else times.max_time_10s * 10.0
        return seconds or math.inf

    def _threshold_v(self) -> int:
        return min(self.limits.max_voltage_v if self.limits else 0, self.model.max_voltage_v)

    def _ending(self, t: float) -> None:
        self.output.follow(t, self._wanted_a(), bool(self.draw_a))
        state = self.state
        taken_back = state is not None and not state.request_a and not state.status & _ENABLED
        if taken_back or self.passed(t, self.since_t + _ZERO_S):
            self._go(t, Phase.FALLING)

    def _falling(self, t: float) -> None:
        self.output.drop(t)
        low_t = self.output.low_t(t, LOW_A)
        if self.passed(t, low_t):
            self.charges = False
            self._go(t, Phase.OPENING)

    def _opening(self, t: float) -> None:
        if self._contactor_told(t):
            self.d2 = False
            self._go(t, Phase.LEAVING)
        elif self.passed(t, self.since_t + _OPEN_S):
            self.faults |= ChargerStatus.SYSTEM_MALFUNCTION
            self.reason = f"{self.reason}; the car did not open its contactor within {_OPEN_S:g} s"
            self.d2 = False
            self._go(t, Phase.LEAVING)

    def _contactor_told(self, t: float) -> bool:
        """The car says that its contactor is open, or will not say anything."""
        if not self._closed_once or self.state is None or self.passed(t, self.heard_t + _SILENT_S):
            return True
        if self.common <= V09:
            return self.passed(t, self.since_t + WAIT_09_S)
        return not self._says_closed()

    def _leaving(self, t: float) -> None:
        if not self.passed(t, self.since_t + D2_TO_D1_OFF_S):
            return
        self.d1 = False
        safe_t = self.output.safe_t(t, UNLOCK_V)
        if self.passed(t, safe_t):
            self.locked = False
            self._go(t, Phase.DONE)

    def _done(self, t: float) -> None:
        if self.passed(t, self.since_t + self.model.farewell_s):
            self.rhythm.end()

    def _stop(self, t: float, reason: str, gently: bool = False) -> None:
        """End the session; ``gently``: the car is asked first. Nothing happens when it ends already."""
        if self.phase in ACTIVE:
            self.reason = reason
            self.stopping = True
            self._go(t, Phase.ENDING if gently and self.charges else Phase.FALLING)

    def _fail(self, t: float, reason: str, bits: ChargerStatus) -> None:
        self.faults |= bits
        self._stop(t, reason)

    def _watch(self, t: float) -> None:
        """What ends a session in any phase before it is over."""
        state = self.state
        if state is None:
            return
        if self.passed(t, self.heard_t + _SILENT_S):
            self._fail(t, f"the car was silent for {_SILENT_S:g} s", ChargerStatus.SYSTEM_MALFUNCTION)
        elif state.faults or state.status & CAR_STOPS:
            self._stop(t, f"the car reports: {_reported(state)}")
        elif state.status & _STOP_BEFORE and self.phase is not Phase.CHARGING:
            self._stop(t, "the car stops before charging")
        elif self.phase in READY and not state.status & _ENABLED:
            self._stop(t, "the car stops")
        elif self.phase in READY and not self.car.k:
            self._stop(t, _K_OFF)

    def _explain(self, state: CarState) -> None:
        """A line is faster than CAN: the frame after it says why."""
        if self.reason == _K_OFF and _reported(state):
            self.reason = f"{_K_OFF}; the car reports: {_reported(state)}"


def _reported(state: CarState) -> str:
    """Faults of 102.4 and reasons of 102.5 in words; empty for none."""
    stops = words(CarStatus, state.status & CAR_STOPS) if state.status & CAR_STOPS else []
    return ", ".join(words(CarFault, state.faults) + stops)
