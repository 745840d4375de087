"""The car's side of the order of events in IEC 61851-1 Annex A: S2, and the current that it draws. Pure.

It works as ``evse_side`` does: ``advance(t, event)`` and ``due``; every time is a setting.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from hilbench_emulators.pilot.circuit import Load
from hilbench_emulators.pilot.duty import PROFILES, DutyRules, current_of_duty
from hilbench_emulators.pilot.events import (
    EvEvent,
    EvOutput,
    Pilot,
    Plug,
    SetCurrent,
    SetLoad,
    Supply,
    Timers,
    Toggle,
    Want,
)
from hilbench_emulators.pilot.wire import STEADY


@dataclass(frozen=True)
class EvTiming:
    """Times [s] and habits of a car; the defaults keep all limits of ``timing`` (policy-default).

    ``start_s`` from PWM to S2 closed, ``follow_s`` from a new duty cycle or the supply to the current, ``stop_s``
    from PWM off to S2 open, ``end_a`` the current [A] that still flows then, ``toggle_s`` of each state of B-C-B,
    ``sleep_s`` of x1 after which it sleeps until the pilot is gone or in F for ``wake_s``.
    """

    start_s: float = 1.0
    follow_s: float = 1.0
    stop_s: float = 1.0
    end_a: float = 0.0
    toggle_s: float = 0.3
    sleep_s: float = math.inf
    wake_s: float = 1.0
    ignores_off: bool = False
    ventilation: bool = False
    s2: bool = True


class EvSide:
    """A car that is not plugged in at first, and wants energy."""

    def __init__(
        self, timing: EvTiming | None = None, max_a: float = 32.0, rules: DutyRules = PROFILES["iec2017"]
    ) -> None:
        self.timing = timing if timing is not None else EvTiming()
        self.max_a = max_a
        self.rules = rules
        self.load: Load = "A"
        self.current_a = 0.0
        self.asleep = False
        self._offered_a = 0.0
        self._duty_pct: float | None = STEADY
        self._supplied = False
        self._wants = True
        self._timers = Timers()
        self._out: list[EvOutput] = []

    @property
    def due(self) -> float:
        """When to ask again though nothing has happened [s]."""
        return self._timers.due

    def advance(self, t: float, event: EvEvent | None = None) -> list[EvOutput]:
        """What it does until ``t`` by itself, and then about ``event``."""
        self._timers.run(t)
        if isinstance(event, Plug):
            self._plug(t, event.into)
        elif isinstance(event, Pilot):
            self._read(t, event.duty_pct)
        elif isinstance(event, Supply):
            self._supply(t, event.on)
        elif isinstance(event, Want):
            self._wants = event.yes
            self._settle(t)
        elif isinstance(event, Toggle) and self.load == "B" and "toggle" not in self._timers:
            self._toggle(t, 2 * event.times)
        out, self._out = self._out, []
        return out

    @property
    def _ready(self) -> Load:
        return "D" if self.timing.ventilation else "C"

    @property
    def _may_draw(self) -> bool:
        return self._wants and not self.asleep and self._offered_a > 0.0

    def _plug(self, t: float, into: bool) -> None:
        if into is (self.load != "A"):
            return
        self._timers.keep()
        self.asleep = self._supplied = False
        if not into:
            self._draw(t, 0.0)
            self._put(t, "A")
            return
        # without S2 the car is in state C at once: IEC 61851-1 A.2.3, the simplified pilot
        self._put(t, "B" if self.timing.s2 else self._ready)
        self._watch_sleep(t)
        self._settle(t)

    def _read(self, t: float, duty_pct: float | None) -> None:
        self._duty_pct = duty_pct
        self._offered_a = 0.0 if duty_pct is None else current_of_duty(duty_pct, self.rules)
        self._watch_sleep(t)
        self._settle(t, changed=True)

    def _watch_sleep(self, t: float) -> None:
        if self._duty_pct in (None, 0.0):
            self._timers.cancel("sleep")
            self._timers.set("wake", t + self.timing.wake_s, self._wake)
            return
        self._timers.cancel("wake")
        if self._duty_pct != STEADY:
            self._timers.cancel("sleep")
        elif "sleep" not in self._timers and self.timing.sleep_s < math.inf:
            self._timers.set("sleep", t + self.timing.sleep_s, self._sleep)

    def _sleep(self, _t: float) -> None:
        self.asleep = True

    def _wake(self, t: float) -> None:
        self.asleep = False
        self._settle(t)

    def _supply(self, t: float, on: bool) -> None:
        self._supplied = on
        if on:
            self._settle(t, changed=True)
        else:
            self._timers.cancel("follow")
            self._draw(t, 0.0)

    def _settle(self, t: float, changed: bool = False) -> None:
        """Act on what is offered and wanted now; ``changed`` where the current has to follow."""
        if self.load == "A" or "toggle" in self._timers:
            return
        if self.load == "B":
            self._settle_idle(t)
        elif self._may_draw or (self.timing.ignores_off and self._wants):
            self._timers.cancel("stop")
            if changed and self._supplied and self._offered_a > 0.0 and "follow" not in self._timers:
                self._timers.set("follow", t + self.timing.follow_s, self._follow)
        elif "stop" not in self._timers:
            self._timers.cancel("follow")
            self._timers.set("stop", t + self.timing.stop_s, self._stop)

    def _settle_idle(self, t: float) -> None:
        if not self._may_draw:
            self._timers.cancel("start")
        elif "start" not in self._timers:
            self._timers.set("start", t + self.timing.start_s, self._start)

    def _start(self, t: float) -> None:
        self._put(t, self._ready)
        self._settle(t, changed=True)

    def _follow(self, t: float) -> None:
        self._draw(t, min(self._offered_a, self.max_a))

    def _stop(self, t: float) -> None:
        self._draw(t, min(self.current_a, self.timing.end_a))
        if self.timing.s2:
            self._put(t, "B")
            self._draw(t, 0.0)
            self._settle(t)

    def _toggle(self, t: float, left: int) -> None:
        if left == 0:
            self._timers.cancel("toggle")
            self._settle(t)
            return
        self._timers.cancel("start", "stop", "follow")
        self._put(t, "C" if left % 2 == 0 else "B")
        self._timers.set("toggle", t + self.timing.toggle_s, lambda at: self._toggle(at, left - 1))

    def _put(self, t: float, load: Load) -> None:
        if load != self.load:
            self.load = load
            self._out.append(SetLoad(t, load))

    def _draw(self, t: float, current_a: float) -> None:
        if current_a != self.current_a:
            self.current_a = current_a
            self._out.append(SetCurrent(t, current_a))
