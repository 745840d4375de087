"""What a station decides at its outlet: the offer on the pilot, and when a car takes too much. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hilbench.site import MINIMUM_CURRENT_A
from hilbench_emulators.station.settings import StationSettings

_ROUNDING_S = 1e-6


def duty_of(current_a: float) -> float | None:
    """Duty cycle [%] that offers :func:`offerable_a` of ``current_a``; None (no PWM) below 6 A.

    IEC 61851-1 Table A.8, SAE J1772 (secondary).
    """
    offered_a = offerable_a(current_a)
    if offered_a == 0.0:
        return None
    return offered_a / 0.6 if offered_a <= 51.0 else offered_a / 2.5 + 64.0


def offerable_a(current_a: float) -> float:
    """What a pilot can offer [A] where ``current_a`` is meant: 0 below 6 A, at most 80 A.

    Between 51 and 52.5 A no duty cycle exists: 51 A is offered.
    """
    if current_a < MINIMUM_CURRENT_A:
        return 0.0
    return min(current_a, 80.0) if current_a >= 52.5 else min(current_a, 51.0)


@dataclass
class Offer:
    """The current [A] that the pilot offers: lowered at once, raised ``raise_spacing_s`` after the last change."""

    settings: StationSettings
    offered_a: float = 0.0
    changed_at: float = -math.inf

    def step(self, t: float, allowed_a: float) -> float:
        """Follow what is allowed at ``t``; returns when to ask again (infinity: when something changes)."""
        target = offerable_a(allowed_a)
        ready_at = self.changed_at + self.settings.raise_spacing_s
        if target == self.offered_a:
            return math.inf
        if target > self.offered_a and t < ready_at - _ROUNDING_S:
            return ready_at
        self.offered_a = target
        self.changed_at = t
        return math.inf

    def order(self, t: float, current_a: float) -> None:
        """A current is ordered over the car's link at ``t``: it offers as much as that charges."""
        if self.offered_a != max(current_a, 0.0):
            self.offered_a, self.changed_at = max(current_a, 0.0), t


@dataclass
class Watch:
    """Whether the car has taken more than is offered for too long."""

    settings: StationSettings
    over_since: float | None = None

    def look(self, t: float, offered_a: float, drawn_a: float) -> bool:
        """Note the current at ``t``; True when the contactor must open."""
        if drawn_a <= (offered_a + self.settings.over_offset_a) * self.settings.over_factor:
            self.over_since = None
            return False
        if self.over_since is None:
            self.over_since = t
        return t - self.over_since >= self.settings.over_s - _ROUNDING_S

    def next_look(self, t: float) -> float:
        """When to look again: soon, but in steps, while the car takes too much; else when something changes."""
        if self.over_since is None:
            return math.inf
        return min(t + 1.0, max(t, self.over_since + self.settings.over_s))
