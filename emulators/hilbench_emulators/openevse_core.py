"""The controller of an OpenEVSE board as a pure state machine: states, faults, limits, heartbeat supervision.

``advance(t, event)`` takes what happens and answers with the notices that the board sends by itself; ``next_t`` says
when it must be called again. What a RAPI command does to it is in ``openevse_commands``. Behaviour: firmware
``J1772EvseController.cpp`` (read-code); its main loop is taken as infinitely fast.
"""

from __future__ import annotations

import math

from hilbench_emulators import openevse_settings as s
from hilbench_emulators.openevse_board import OpenEvseBoard, Pilot
from hilbench_emulators.openevse_settings import Fault, Vehicle

__all__ = ["OpenEvse", "Pilot"]


class OpenEvse(OpenEvseBoard):
    """One board. It begins without power: the first ``boot`` starts it."""

    # -- what happens to it

    def boot(self, t: float) -> list[str]:
        """Power comes, or the processor resets: notices before and, later, after the self-test."""
        self.t = t
        self._clear()
        self.ready_at = t + self.settings.boot_s
        self._drive("P12")
        return [self.notice()]

    def lose_power(self, t: float) -> None:
        """No power: the relay falls open, nothing answers."""
        self._run(t)
        self._open()
        self.ready_at = self._restart_at = math.inf
        self._drive("P12")

    def advance(self, t: float, event: Vehicle | Fault | None = None) -> list[str]:
        """Take ``event`` at ``t`` [s]; the notices that the board sends up to then, without their framing."""
        notices = self._run(t)
        if isinstance(event, Vehicle):
            self.vehicle = event
        elif isinstance(event, Fault):
            self._set_fault(event.code)
        return notices if event is None else notices + self.look()

    def look(self) -> list[str]:
        """What follows from a command that was just done."""
        return self._step(self.t) if self.is_up else []

    def next_t(self) -> float:
        """When ``advance`` must be called at the latest [s]; infinity when nothing is due."""
        if not self.is_up:
            return min(self.ready_at, self._restart_at)
        due = []
        if self._pending is not None:
            due.append(self._pending[1] + _debounce(self._pending[0]))
        if self._pending_pilot is not None:
            due.append(self._pending_pilot[1] + s.DEBOUNCE_S)
        due += [self._supervision_ends(), self._relay_opens(), self._limit_reached(), self._retry()]
        due.append(self.rtc.next_change(self.t, self.memory.timer))
        return max(self.t, min(due))

    # -- time passes

    def _run(self, t: float) -> list[str]:
        notices: list[str] = []
        while (due := self.next_t()) <= t:
            booting = not self.is_up
            self._pass(due)
            if due >= self._restart_at:
                notices += self.boot(due)
            else:
                notices += self._booted() if booting else self._step(due)
        self._pass(t)
        return notices

    def _pass(self, t: float) -> None:
        if t > self.t > -math.inf and self.relay_closed:
            self.session.energy_ws += self.current_a * self.voltage_v * (t - self.t)
        self.t = max(t, self.t)

    def _booted(self) -> list[str]:
        self.supervision.last_pulse = self.t
        told = [f"AB {self.state:02x} {self.settings.firmware}"]
        if any(self.memory.timer) and not self.rtc.is_open(self.t, self.memory.timer):
            self.sleep()
        return told + self._step(self.t)

    def _step(self, t: float) -> list[str]:
        """Look at everything once; what is due has its time."""
        self._look_at_pilot()
        self._sleeping()
        self._keep_timer()
        self._supervise(t)
        self._evaluate(t)
        if self.state == s.C and t >= self._limit_reached():
            self._set(s.LIMIT_SLEEP, True)
            self.clear_limits()
            self.sleep()
        return self.report()

    def report(self) -> list[str]:
        """A notice when what ``$AT`` tells has changed since the last one, and makes sense."""
        now = (self.state, self.pilot_state, self.capacity_a, self.vflags & s.REPORTED)
        connected = bool(self.vflags & s.CONNECTED)
        torn = (self.state == s.A and connected) or (self.state in (s.B, s.C) and not connected)
        if not self.is_up or self.state == s.UNKNOWN or torn or now == self._sent:
            return []
        self._sent = now
        return [self.notice()]

    def notice(self) -> str:
        """The text of ``$AT``."""
        return f"AT {self.state:02x} {self.pilot_state:02x} {self.capacity_a} {self.vflags:04x}"

    # -- pilot, relay and states

    def _look_at_pilot(self) -> None:
        if self.pilot.level == "N12":
            return
        connected = self.vehicle.state != "A"
        if connected and not self.vflags & s.CONNECTED:
            self.memory.total_wh += self.session.begin()
        self._set(s.CONNECTED, connected)
        self._recover(connected)

    def _recover(self, connected: bool) -> None:
        """Hard faults end with unplugging, a leakage also by itself after a time; a stuck relay never does."""
        unplugged = not connected and (self.vflags & s.HARD_FAULT or self.state == s.GFCI)
        if self.fault is None and (unplugged or self.t >= self._retry()):
            self._set(s.HARD_FAULT, False)
            self.state = s.UNKNOWN

    def _wanted(self) -> tuple[int, int]:
        """The states of board and pilot that the pilot's voltages call for."""
        car = self.vehicle
        if self.pilot.level == "PWM" and not car.diode and car.state in "BCD" and not self.is_set(s.CHECKS["D"]):
            return s.DIODE, s.DIODE
        seen = {"A": s.A, "B": s.B, "C": s.C, "D": s.D}.get(car.state, s.UNKNOWN)
        state = s.C if seen == s.D and self.is_set(s.CHECKS["V"]) else seen
        return (s.B if state == s.C and self.pilot.level != "PWM" else state), seen

    def _evaluate(self, t: float) -> None:
        if self.state in (s.SLEEPING, s.DISABLED, *s.FAULTS) or self.vflags & s.HARD_FAULT:
            self._pending = self._pending_pilot = None
            return
        state, seen = self._wanted()
        self._pending_pilot = _still(self._pending_pilot, seen, self.pilot_state, t)
        if self._pending_pilot and t >= self._pending_pilot[1] + s.DEBOUNCE_S:
            self.pilot_state, self._pending_pilot = seen, None
        self._pending = _still(self._pending, state, self.state, t)
        if self._pending and t >= self._pending[1] + _debounce(state):
            self._pending = None
            self.enter(state)
            self._evaluate(t)

    def enter(self, state: int) -> None:
        """Go to a state and do what it asks of pilot and relay."""
        self.state = state
        if state == s.A:
            self.clear_limits()
        if state == s.C:
            self.offer()
            self._close()
            return
        self._open()
        if state == s.B and not self.vflags & s.AUTH_LOCKED:
            self.offer()
        else:
            self._drive("P12")
        self._set(s.HARD_FAULT, state in s.HARD_FAULTS)

    def restart(self) -> None:
        """Let the watchdog reset it; a car that charges is given time to stop. It is deaf until then."""
        self._drive("P12")
        self._restart_at = self.t + (s.RESTART_WAITS_S if self.relay_closed else 0.0) + s.WATCHDOG_S
        self.ready_at = math.inf

    def lock(self, on: bool) -> None:
        """Wait for authentication, or no longer."""
        self._set(s.AUTH_LOCKED, on)
        if self.state in (s.B, s.C):
            self.enter(s.B if on or self.state == s.B else s.C)

    # -- what is due

    def _sleeping(self) -> None:
        if self.state != s.SLEEPING:
            return
        if self.relay_closed and self.t >= self._relay_opens():
            self._open()
        if self.vflags & s.LIMIT_SLEEP and not self.relay_closed and not self.vflags & s.CONNECTED:
            self._set(s.LIMIT_SLEEP, False)
            self.state = s.UNKNOWN

    def _relay_opens(self) -> float:
        if self.state != s.SLEEPING or not self.relay_closed:
            return math.inf
        idle = self.vehicle.state in "AB" or self.vehicle.current_a <= s.SLEEP_OPENS_BELOW_A
        return self.t if idle else self._sleep_since + s.SLEEP_OPENS_S

    def _limit_reached(self) -> float:
        return self.session.ends(self.t, self.current_a * self.voltage_v) if self.state == s.C else math.inf

    def _keep_timer(self) -> None:
        timer = self.memory.timer
        if not any(timer) or self.session.is_limited or not self.rtc.changes_at(self.t, timer):
            return
        if self.rtc.is_open(self.t, timer):
            self.enable()
        elif self.state not in (s.DISABLED, s.SLEEPING):
            self.sleep()

    def _set_fault(self, code: int | None) -> None:
        self.fault, self._fault_since = code, self.t
        if code is None:
            if self.state in (s.NO_GROUND, s.RELAY_CLOSURE):
                self.state = s.UNKNOWN
            return
        self.enter(code)
        if code == s.GFCI:
            self.memory.gfi_trips += 1
            self._set(s.GFI_TRIPPED, True)
        elif code == s.NO_GROUND:
            self.memory.ground_trips += 1
            self._set(s.NO_GROUND_TRIPPED, True)
        elif code == s.STUCK_RELAY:
            self.memory.relay_trips += 1

    def _retry(self) -> float:
        return self._fault_since + s.GFCI_RETRY_S if self.state == s.GFCI and self.fault is None else math.inf

    # -- heartbeat supervision

    def supervise(self, interval_s: int, fallback_a: int) -> None:
        """Fall back to ``fallback_a`` when no pulse comes for ``interval_s``; 0: not at all."""
        if interval_s == 0 and self.supervision.trigger:
            self._restore()
        self.supervision.set(self.t, interval_s, fallback_a)

    def acknowledge(self, cookie: int) -> bool:
        """Take note of a missed pulse and restore the saved current; False for a wrong cookie."""
        known, restore = self.supervision.acknowledge(cookie)
        if restore:
            self._restore()
        return known

    def _restore(self) -> None:
        self.capacity_a = self.max_configured_a
        self._offer_again()

    def _supervision_ends(self) -> float:
        """The firmware does not look while it sleeps, is disabled or in a hard fault."""
        asleep = self.state in (s.SLEEPING, s.DISABLED) or self.vflags & s.HARD_FAULT
        return math.inf if asleep else self.supervision.ends

    def _supervise(self, t: float) -> None:
        if t < self._supervision_ends():
            return
        if self.memory.fallback_a < self.capacity_a:
            self.capacity_a = self.supervision.fallback_a
            self._offer_again()
        self.supervision.miss(t)


def _still(pending: tuple[int, float] | None, wanted: int, present: int, t: float) -> tuple[int, float] | None:
    """What waits to become true, and since when; None when it is true."""
    if wanted == present:
        return None
    return pending if pending is not None and pending[0] == wanted else (wanted, t)


def _debounce(state: int) -> float:
    return s.DEBOUNCE_TO_A_S if state == s.A else s.DEBOUNCE_S
