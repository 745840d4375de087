"""The hardware of an OpenEVSE board and what it is set to: pilot, relay, current, limits. Time is elsewhere.

Behaviour: firmware ``J1772EvseController.cpp`` (read-code).
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import Literal

from hilbench_emulators import openevse_settings as s
from hilbench_emulators.openevse_clock import DelayTimer
from hilbench_emulators.openevse_session import Session
from hilbench_emulators.openevse_settings import Settings, Vehicle
from hilbench_emulators.openevse_supervision import Supervision

Level = Literal["P12", "PWM", "N12"]
_HISTORY = 10_000
"""Changes of the pilot that are kept."""


@dataclass(frozen=True)
class Pilot:
    """What the board drives: steady +12 V, PWM of ``duty_pct``, or steady -12 V, since ``t`` [s]."""

    t: float
    level: Level
    duty_pct: float | None = None


class OpenEvseBoard:
    """One board without power."""

    def __init__(self, settings: Settings, rtc: DelayTimer) -> None:
        self.settings, self.memory, self.rtc = settings, settings.fresh_memory(), rtc
        self.vehicle = Vehicle()
        self.pilots = deque([Pilot(-math.inf, "P12")], _HISTORY)
        self.t = -math.inf
        self._clear()

    def _clear(self) -> None:
        """Forget everything that is not in the EEPROM."""
        self.state = self.pilot_state = s.UNKNOWN
        self.vflags = 0
        self.capacity_a = self.max_configured_a
        self.voltage_v = self.settings.voltage_l2_v if self.level == 2 else self.settings.voltage_l1_v
        self.session = Session()
        self.fault: int | None = None
        self.supervision = Supervision(self.memory, self.settings.quirks, self.t)
        self.temperatures = (-2560, 250, -2560)
        self.display = ""
        self.ready_at = self._restart_at = math.inf
        self.echo = False
        self._pending: tuple[int, float] | None = None
        self._pending_pilot: tuple[int, float] | None = None
        self._sleep_since = self._fault_since = self.t
        self._sent: tuple[int, int, int, int] | None = None

    # -- what it is

    @property
    def level(self) -> int:
        """Service level, 1 or 2."""
        return 2 if self.memory.flags & s.SERVICE_L2 else 1

    @property
    def hardware_max_a(self) -> int:
        """The most [A] that can be configured at the present service level."""
        return s.MOST_L1_A if self.level == 1 else self.memory.hardware_max_a or s.MOST_L2_A

    @property
    def max_configured_a(self) -> int:
        """The current [A] that is saved for the present service level."""
        saved = self.memory.amps_l1 if self.level == 1 else self.memory.amps_l2
        return min(max(saved, s.LEAST_A), self.hardware_max_a)

    @property
    def pilot(self) -> Pilot:
        """What it drives now."""
        return self.pilots[-1]

    @property
    def relay_closed(self) -> bool:
        """Its relay carries current, or could."""
        return bool(self.vflags & s.CHARGING_ON)

    @property
    def is_up(self) -> bool:
        """It has power and is past its self-test."""
        return self.t >= self.ready_at

    @property
    def current_a(self) -> float:
        """What its ammeter shows."""
        return self.vehicle.current_a if self.relay_closed else 0.0

    @property
    def elapsed_s(self) -> float:
        """Seconds that the relay was closed since the vehicle was plugged in."""
        return self.session.elapsed_s(self.t)

    def is_set(self, flag: int) -> bool:
        """A settings flag."""
        return bool(self.memory.flags & flag)

    # -- pilot and relay

    def offer(self) -> None:
        """PWM for the present current; below 6 A there is none."""
        enough = self.capacity_a >= s.LEAST_A
        self._drive("PWM" if enough else "P12", s.pwm_duty_pct(self.capacity_a) if enough else None)

    def _drive(self, level: Level, duty_pct: float | None = None) -> None:
        pilot = Pilot(self.t, level, duty_pct)
        if (pilot.level, pilot.duty_pct) != (self.pilot.level, self.pilot.duty_pct):
            self.pilots.append(pilot)

    def _close(self) -> None:
        self._set(s.CHARGING_ON, True)
        self.session.close(self.t)

    def _open(self) -> None:
        self.session.open(self.t)
        self._set(s.CHARGING_ON, False)

    def _set(self, flag: int, on: bool) -> None:
        self.vflags = self.vflags | flag if on else self.vflags & ~flag

    # -- what it is told

    def set_capacity(self, amps: int, *, save: bool = False) -> bool:
        """Offer ``amps``, or the nearest that it may: then False."""
        most = self.hardware_max_a if save else self.max_configured_a
        self.capacity_a = min(max(amps, s.LEAST_A), most)
        if save:
            name = "amps_l1" if self.level == 1 else "amps_l2"
            setattr(self.memory, name, self.capacity_a)
        self._offer_again()
        return self.capacity_a == amps

    def _offer_again(self) -> None:
        if self.pilot.level == "PWM" or (self.state == s.B and not self.vflags & s.AUTH_LOCKED):
            self.offer()

    def disable(self) -> None:
        """-12 V, and the relay opens at once."""
        if self.state != s.DISABLED:
            self.state = s.DISABLED
            self._drive("N12")
            self._open()

    def sleep(self) -> None:
        """+12 V; a relay under load waits for the car."""
        if self.state != s.SLEEPING:
            self.state, self._sleep_since = s.SLEEPING, self.t
            self._drive("P12")

    def enable(self) -> None:
        """Wake from sleep or disabled state; the pilot decides what follows."""
        if self.state in (s.SLEEPING, s.DISABLED):
            self._set(s.LIMIT_SLEEP, False)
            self.state = s.UNKNOWN
            self._drive("P12")

    def clear_limits(self) -> None:
        """No limit of time or energy."""
        self.session.clear_limits()
        self._set(s.TIME_LIMIT | s.CHARGE_LIMIT, False)

    def limit_time(self, quarters: int) -> None:
        """End the session after so many quarters of an hour; 0: no limit."""
        self.session.quarters = quarters
        self._set(s.TIME_LIMIT, quarters > 0)

    def limit_energy(self, kwh: int) -> None:
        """End the session after so many kWh; 0: no limit."""
        self.session.kwh = kwh
        self._set(s.CHARGE_LIMIT, kwh > 0)

    def set_level(self, level: int) -> None:
        """Service level 1 or 2, with its voltage and its saved current."""
        self.memory.flags = self.memory.flags & ~s.SERVICE_L2 | (s.SERVICE_L2 if level == 2 else 0)
        self.voltage_v = self.settings.voltage_l2_v if level == 2 else self.settings.voltage_l1_v
        self.set_capacity(self.max_configured_a)
