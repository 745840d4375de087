"""Heartbeat supervision of an OpenEVSE board: without a pulse in time its current falls back until somebody acts.

Source: ``HsExpirationCheck``, ``HsPulse`` and ``HsAckMissedPulse`` of the firmware (read-code).
"""

from __future__ import annotations

import math

from hilbench_emulators.openevse_settings import COOKIE, LEAST_A, Memory

NEVER, ACKNOWLEDGED, MISSED = 0, 1, 2
_LOOP_S = 0.02
"""The shortest time between two checks of an interval that wraps to nothing (policy-default)."""


class Supervision:
    """What the board knows of its heartbeat; interval and fallback are in its ``memory``."""

    def __init__(self, memory: Memory, quirks: frozenset[str], t: float) -> None:
        self._memory, self._quirks = memory, quirks
        self.trigger, self.last_pulse = NEVER, t

    @property
    def ends(self) -> float:
        """When the present interval runs out [s]; infinity when there is none."""
        if not self._memory.heartbeat_s:
            return math.inf
        interval_s = float(self._memory.heartbeat_s)
        if "heartbeat-wrap" in self._quirks:
            interval_s = max(_LOOP_S, (self._memory.heartbeat_s * 1000 & 0xFFFF) / 1000.0)
        return self.last_pulse + interval_s

    @property
    def fallback_a(self) -> int:
        """What the board falls back to [A]."""
        clamped = "fallback-clamp" in self._quirks
        return max(self._memory.fallback_a, LEAST_A) if clamped else self._memory.fallback_a

    def set(self, t: float, interval_s: int, fallback_a: int) -> None:
        """A new interval (0: none) and fallback current."""
        self._memory.heartbeat_s, self._memory.fallback_a = interval_s, fallback_a
        self.trigger, self.last_pulse = NEVER, t

    def pulse(self, t: float) -> bool:
        """A heartbeat; False while a missed one is not acknowledged."""
        self.last_pulse = t
        return self.trigger != MISSED

    def miss(self, t: float) -> None:
        """No pulse came in time."""
        self.trigger, self.last_pulse = MISSED, t

    def acknowledge(self, cookie: int) -> tuple[bool, bool]:
        """Whether ``cookie`` is the right one, and whether the current is to be restored."""
        restore = cookie == COOKIE and self.trigger == MISSED
        if restore:
            self.trigger = ACKNOWLEDGED
        return cookie == COOKIE, restore

    def told(self) -> str:
        """What ``$GY`` answers."""
        return f"{self._memory.heartbeat_s} {self._memory.fallback_a} {self.trigger}"
