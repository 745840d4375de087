"""The station's side of the order of events in IEC 61851-1 Annex A: when PWM stands, and when the contactor. Pure.

``advance(t, event)`` returns what it does about it, each with its time; ``due`` is when it wants to be asked again.
Every time of it is a setting, so that it can keep the limits of ``timing`` by a hair or break them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from hilbench_emulators.pilot.circuit import Load
from hilbench_emulators.pilot.encoders import ENCODERS, Encoder
from hilbench_emulators.pilot.events import (
    Available,
    EvseEvent,
    EvseOutput,
    Fault,
    Offer,
    Seen,
    SetContactor,
    SetPilot,
    Timers,
)
from hilbench_emulators.pilot.timing import Pulse
from hilbench_emulators.pilot.wire import STEADY

_CHARGING = ("C", "D")


@dataclass(frozen=True)
class EvseTiming:
    """Times [s] of a station; the defaults keep all limits of ``timing`` (policy-default).

    ``energise_s`` from S2 closed to contactor closed, ``open_s`` from S2 opened or plug out to contactor open,
    ``spacing_s`` between changes of the duty cycle, ``b1_s`` of x1 before PWM, ``force_s`` from PWM off to opening
    under load, ``short_s`` from state E to contactor open, ``diode_s`` from a bad low side to the fault, ``fault_s`` of
    state F after a fault.
    """

    energise_s: float = 0.5
    open_s: float = 0.05
    spacing_s: float = 5.0
    b1_s: float = 0.0
    force_s: float = 6.0
    short_s: float = 0.5
    diode_s: float = 0.1
    fault_s: float = 0.3
    wake_up: tuple[Pulse, ...] = ()
    ventilates: bool = False
    checks_diode: bool = True


class EvseSide:
    """A station at one outlet, supplied, without a car at first."""

    def __init__(self, timing: EvseTiming | None = None, encoder: Encoder = ENCODERS["exact"]) -> None:
        self.timing = timing if timing is not None else EvseTiming()
        self.duty_pct = STEADY
        self.closed = False
        self.fault: str | None = None
        self._encoder = encoder
        self._load: Load = "A"
        self._diode_seen = False
        self._offer_pct = 0.0
        self._available = True
        self._broken = self._sent_broken = False
        self._blind = False
        self._pulses = 0
        self._changed_at = -math.inf
        self._timers = Timers()
        self._out: list[EvseOutput] = []

    @property
    def due(self) -> float:
        """When to ask again though nothing has happened [s]."""
        return self._timers.due

    def advance(self, t: float, event: EvseEvent | None = None) -> list[EvseOutput]:
        """What it does until ``t`` by itself, and then about ``event``."""
        self._timers.run(t)
        if isinstance(event, Seen):
            self._see(t, event)
        elif isinstance(event, Offer):
            self._offer_pct = self._encoder.duty(event.current_a)
            self._settle(t)
        elif isinstance(event, Available):
            self._turn(t, event.yes)
        out, self._out = self._out, []
        return out

    def _turn(self, t: float, available: bool) -> None:
        """Into state F, or out of it: then it looks at the car before it does anything else."""
        before, self._available = self._available, available
        if available and not before and self.duty_pct == 0.0:
            self._blind = False
            self._send(t, STEADY)
            self._timers.set("recover", t, self._resume)
        else:
            self._settle(t)

    # what it sees

    def _see(self, t: float, seen: Seen) -> None:
        if self._blind:  # in state F, or with the pilot's relay open, the car cannot be seen
            return
        before, self._load = self._load, seen.load
        if seen.load == "A":
            self._forget(t)
        elif seen.load == "E":
            if "short" not in self._timers and self.fault is None:
                self._timers.set("short", t + self.timing.short_s, lambda at: self._fail(at, "short"))
        else:
            self._timers.cancel("short")
            self._see_car(t, seen, arrived=before in ("A", "E"))

    def _see_car(self, t: float, seen: Seen, arrived: bool) -> None:
        if arrived:
            self._diode_seen = False
            self._changed_at = t + self.timing.b1_s - self.timing.spacing_s
        if seen.diode_ok is not None:
            self._diode_seen = seen.diode_ok
            self._judge_diode(t, seen.diode_ok)
        if seen.load in _CHARGING:
            self._pulses = len(self.timing.wake_up)  # a car that has charged needs no wake-up
        if seen.load == "D" and not self.timing.ventilates and self.fault is None:
            self._fail(t, "ventilation")
        self._settle(t)

    def _judge_diode(self, t: float, good: bool) -> None:
        if good:
            self._timers.cancel("diode")
        elif self.timing.checks_diode and self.fault is None and "diode" not in self._timers:
            self._timers.set("diode", t + self.timing.diode_s, lambda at: self._fail(at, "diode"))

    def _forget(self, t: float) -> None:
        """The car has gone, and what was wrong with it."""
        self._timers.keep("open")
        self.fault, self._pulses, self._diode_seen = None, 0, False
        self._open_soon(t)
        self._send(t, STEADY if self._available else 0.0)

    # what follows

    def _settle(self, t: float) -> None:
        """Pilot and contactor as all that is known asks for."""
        self._settle_pilot(t)
        self._settle_contactor(t)

    def _settle_pilot(self, t: float) -> None:
        if "pulse" in self._timers or "recover" in self._timers:
            return
        if not self._available:
            self._blind = True
            self._send(t, 0.0)
        elif self.fault is not None or self._load in ("A", "E") or self._offer_pct == 0.0:
            self._end_pwm(t)
        elif t < self._changed_at + self.timing.spacing_s - 1e-9:
            self._timers.set("pwm", self._changed_at + self.timing.spacing_s, self._settle)
        else:
            self._send_offer(t)

    def _end_pwm(self, t: float) -> None:
        self._blind, self._pulses = False, 0
        self._timers.cancel("pwm", "wake")
        if self.duty_pct not in (STEADY, 0.0):
            self._changed_at = t
        self._send(t, STEADY)

    def _send_offer(self, t: float) -> None:
        self._blind = False
        if self._offer_pct != self.duty_pct:
            self._changed_at = t
            self._send(t, self._offer_pct)
        self._plan_wake_up(t)

    def _settle_contactor(self, t: float) -> None:
        if self.fault is not None or not self._available or self._load not in _CHARGING:
            self._timers.cancel("close", "force")
            self._open_soon(t)
        elif self.duty_pct == STEADY:
            self._timers.cancel("close")
            if self.closed and "force" not in self._timers:
                self._timers.set("force", t + self.timing.force_s, self._open)
        else:
            self._timers.cancel("force", "open")
            proven = self._diode_seen or not self.timing.checks_diode
            if not self.closed and proven and "close" not in self._timers:
                self._timers.set("close", t + self.timing.energise_s, self._close)

    def _plan_wake_up(self, t: float) -> None:
        pulses = self.timing.wake_up
        if self._load != "B" or self._pulses >= len(pulses):
            self._timers.cancel("wake")
        elif "wake" not in self._timers:
            pulse = pulses[self._pulses]
            self._timers.set("wake", t + pulse.wait_s, lambda at: self._pulse(at, pulse))

    def _pulse(self, t: float, pulse: Pulse) -> None:
        self._pulses += 1
        self._blind = True
        self._broken = pulse.kind == "open"
        self._send(t, 0.0 if pulse.kind == "F" else self.duty_pct)
        self._timers.set("pulse", t + pulse.pulse_s, lambda at: self._after_pulse(at, pulse))

    def _after_pulse(self, t: float, pulse: Pulse) -> None:
        self._broken = self._blind = False
        self._send(t, STEADY)
        self._timers.set("recover", t + pulse.x1_s, self._resume)

    def _resume(self, t: float) -> None:
        self._changed_at = -math.inf
        self._settle(t)

    def _fail(self, t: float, name: str) -> None:
        """A fault: contactor open, state F for a while, then x1 until the plug is out."""
        self.fault = name
        self._out.append(Fault(t, name))
        self._timers.keep("open")
        if name == "short":
            self._open(t)
        else:
            self._open_soon(t)
        self._blind = True
        self._send(t, 0.0)
        self._timers.set("recover", t + self.timing.fault_s, self._recover)

    def _recover(self, t: float) -> None:
        self._blind = False
        self._settle(t)

    # the two things it switches

    def _send(self, t: float, duty_pct: float) -> None:
        last = (self.duty_pct, self._sent_broken)
        self.duty_pct = duty_pct
        if last != (duty_pct, self._broken):
            self._sent_broken = self._broken
            self._out.append(SetPilot(t, duty_pct, self._broken))

    def _close(self, t: float) -> None:
        self.closed = True
        self._out.append(SetContactor(t, True))

    def _open_soon(self, t: float) -> None:
        if self.closed and "open" not in self._timers:
            self._timers.set("open", t + self.timing.open_s, self._open)

    def _open(self, t: float) -> None:
        self._timers.cancel("open", "close", "force")
        if self.closed:
            self.closed = False
            self._out.append(SetContactor(t, False))
