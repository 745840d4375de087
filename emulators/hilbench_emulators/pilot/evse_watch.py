"""What a station makes of the car's side of its pilot: faults that have stood for their time, cars that sleep. Pure.

Both keep their times in the :class:`Timers` of the station that asks them, and tell it what is due.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from hilbench_emulators.pilot.circuit import Load
from hilbench_emulators.pilot.events import Seen, Timers
from hilbench_emulators.pilot.timing import Pulse

Step = Literal["F", "open", "x1", "PWM"]
"""What a wake-up puts on the pilot: state F, nothing (its relay open), a steady high level, or the offer again."""


@dataclass(frozen=True)
class EvseTiming:
    """Times [s] of a station; the defaults keep all limits of ``timing`` (policy-default).

    ``energise_s`` from S2 closed to contactor closed, ``open_s`` from S2 opened or plug out to contactor open,
    ``spacing_s`` between changes of the duty cycle, ``b1_s`` of x1 before PWM, ``force_s`` from PWM off to opening
    under load, ``short_s`` from state E to contactor open, ``diode_s`` from a bad low side to the fault, ``fault_s`` of
    state F after a fault, ``retry_s`` of x1 after that until it tries again; infinity: once the plug has been out.
    """

    energise_s: float = 0.5
    open_s: float = 0.05
    spacing_s: float = 5.0
    b1_s: float = 0.0
    force_s: float = 6.0
    short_s: float = 0.5
    diode_s: float = 0.1
    fault_s: float = 0.3
    retry_s: float = math.inf
    wake_up: tuple[Pulse, ...] = ()
    ventilates: bool = False
    checks_diode: bool = True


class FaultWatch:
    """Finds what is wrong with the car's circuit; ``on_fault`` hears of each fault once, ``name`` stays until then."""

    def __init__(self, timing: EvseTiming, timers: Timers, on_fault: Callable[[float, str], None]) -> None:
        self.name: str | None = None
        self._timing, self._timers, self._on_fault = timing, timers, on_fault
        self._load: Load = "A"

    @property
    def doubtful(self) -> bool:
        """The wire shows what may be a fault, but not for long enough: no time to close a contactor."""
        return "short" in self._timers or "diode" in self._timers

    def see(self, t: float, seen: Seen) -> None:
        """A look at the wire at ``t``."""
        self._load = seen.load
        if seen.load == "A":
            self.forget()
            return
        if seen.load == "E":
            if "short" not in self._timers and self.name is None:
                self._timers.set("short", t + self._timing.short_s, lambda at: self._found(at, "short"))
            return
        self._timers.cancel("short")
        if seen.diode_ok is not None:
            self._judge_diode(t, seen.diode_ok)
        if self._unventilated and self.name is None:
            self._found(t, "ventilation")

    def retry(self) -> bool:
        """Forget what the wire does not show without PWM; whether nothing is wrong any more."""
        if self._load == "E" or self._unventilated:
            return False
        self.forget()
        return True

    def forget(self) -> None:
        """Nothing is wrong with a car that is not there, or not any more."""
        self.name = None
        self._timers.cancel("short", "diode")

    @property
    def _unventilated(self) -> bool:
        return self._load == "D" and not self._timing.ventilates

    def _judge_diode(self, t: float, good: bool) -> None:
        if good:
            self._timers.cancel("diode")
        elif self._timing.checks_diode and self.name is None and "diode" not in self._timers:
            self._timers.set("diode", t + self._timing.diode_s, lambda at: self._found(at, "diode"))

    def _found(self, t: float, name: str) -> None:
        self.name = name
        self._on_fault(t, name)


class WakeUp:
    """The pulses for a car that stays in B2, each once; ``act(t, step)`` puts its steps on the pilot."""

    def __init__(self, pulses: tuple[Pulse, ...], timers: Timers, act: Callable[[float, Step], None]) -> None:
        self._pulses, self._timers, self._act = pulses, timers, act
        self._done = 0

    @property
    def busy(self) -> bool:
        """A pulse is under way, or the x1 after it."""
        return "pulse" in self._timers or "x1" in self._timers

    def look(self, t: float, *, asleep: bool) -> None:
        """``asleep``: the car is in B2 at ``t``."""
        if not asleep or self._done >= len(self._pulses):
            self._timers.cancel("wake")
        elif "wake" not in self._timers:
            pulse = self._pulses[self._done]
            self._timers.set("wake", t + pulse.wait_s, lambda at: self._begin(at, pulse))

    def awake(self) -> None:
        """A car that has charged needs none any more."""
        self._done = len(self._pulses)

    def again(self) -> None:
        """The PWM ends: with the next one it begins from the first pulse."""
        self._done = 0
        self._timers.cancel("wake")

    def _begin(self, t: float, pulse: Pulse) -> None:
        self._done += 1
        self._timers.set("pulse", t + pulse.pulse_s, lambda at: self._end(at, pulse))
        self._act(t, pulse.kind)

    def _end(self, t: float, pulse: Pulse) -> None:
        self._timers.set("x1", t + pulse.x1_s, lambda at: self._act(at, "PWM"))
        self._act(t, "x1")
