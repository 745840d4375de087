"""The station's side of the order of events in IEC 61851-1 Annex A: when PWM stands, and when the contactor. Pure.

``advance(t, event)`` returns what it does about it, each with its time; ``due`` is when it wants to be asked again.
Every time of it is a setting, so that it can keep the limits of ``timing`` by a hair or break them.
"""

from __future__ import annotations

import math

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
from hilbench_emulators.pilot.evse_watch import EvseTiming as EvseTiming
from hilbench_emulators.pilot.evse_watch import FaultWatch, Step, WakeUp
from hilbench_emulators.pilot.wire import STEADY

_CHARGING = ("C", "D")


class EvseSide:
    """A station at one outlet, supplied, without a car at first."""

    def __init__(self, timing: EvseTiming | None = None, encoder: Encoder = ENCODERS["exact"]) -> None:
        self.timing = timing if timing is not None else EvseTiming()
        self.duty_pct = STEADY
        self.closed = False
        self._encoder = encoder
        self._load: Load = "A"
        self._diode_seen = False
        self._offer_pct = 0.0
        self._available = True
        self._broken = self._sent_broken = False
        self._blind = False
        self._changed_at = -math.inf
        self._timers = Timers()
        self._faults = FaultWatch(self.timing, self._timers, self._fail)
        self._wake_up = WakeUp(self.timing.wake_up, self._timers, self._pulse)
        self._out: list[EvseOutput] = []

    @property
    def fault(self) -> str | None:
        """What is wrong with the car's circuit: "diode", "short", "ventilation" or nothing."""
        return self._faults.name

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
        self._faults.see(t, seen)
        if seen.load == "A":
            self._forget(t)
        elif seen.load != "E":
            self._see_car(t, seen, arrived=before in ("A", "E"))

    def _see_car(self, t: float, seen: Seen, arrived: bool) -> None:
        if arrived:
            self._diode_seen = False
            self._changed_at = t + self.timing.b1_s - self.timing.spacing_s
        if seen.diode_ok is not None:
            self._diode_seen = seen.diode_ok
        if seen.load in _CHARGING:
            self._wake_up.awake()
        self._settle(t)

    def _forget(self, t: float) -> None:
        """The car has gone, and what was wrong with it."""
        self._timers.keep("open")
        self._wake_up.again()
        self._diode_seen = False
        self._open_soon(t)
        self._send(t, STEADY if self._available else 0.0)

    # what follows

    def _settle(self, t: float) -> None:
        """Pilot and contactor as all that is known asks for."""
        self._settle_pilot(t)
        self._settle_contactor(t)

    def _settle_pilot(self, t: float) -> None:
        if self._wake_up.busy or "recover" in self._timers:
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
        self._blind = False
        self._timers.cancel("pwm")
        self._wake_up.again()
        if self.duty_pct not in (STEADY, 0.0):
            self._changed_at = t
        self._send(t, STEADY)

    def _send_offer(self, t: float) -> None:
        self._blind = False
        if self._offer_pct != self.duty_pct:
            self._changed_at = t
            self._send(t, self._offer_pct)
        self._wake_up.look(t, asleep=self._load == "B")

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

    def _pulse(self, t: float, step: Step) -> None:
        self._blind = step in ("F", "open")
        self._broken = step == "open"
        if step == "PWM":
            self._resume(t)
        else:
            self._send(t, {"F": 0.0, "x1": STEADY}.get(step, self.duty_pct))

    def _resume(self, t: float) -> None:
        self._changed_at = -math.inf
        self._settle(t)

    def _fail(self, t: float, name: str) -> None:
        """A fault: contactor open, state F for a while, then x1."""
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
        self._retry_later(t)
        self._settle(t)

    def _retry_later(self, t: float) -> None:
        if self.timing.retry_s < math.inf:
            self._timers.set("retry", t + self.timing.retry_s, self._retry)

    def _retry(self, t: float) -> None:
        if self._faults.retry():
            self._settle(t)
        else:
            self._retry_later(t)

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
