"""The 25 gates of UL 489 and IEC 60898-1: each is kept by our slowest device, and missed by one that is a little slower
or faster than the standard allows."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import pytest

from hilbench.metrics.breaker import Breaker, Thermal, iec_60898, thermal_history, ul_489
from hilbench.metrics.polyline import Polyline
from tests.test_metrics_breaker import line

HOUR = 3600.0


@dataclass(frozen=True)
class Gate:
    """The current [x of rating] after ``first``, and the time [s] within which a device must trip; inf: must not."""

    device: Breaker
    times: float
    within_s: float
    lasts_s: float
    first: tuple[float, float] = (0.0, 0.0)

    def __str__(self) -> str:
        return f"{self.device.standard} {self.device.rating_a:g} A at {self.times:g}"

    def current(self) -> Polyline:
        """What flows."""
        rating, (before, before_s) = self.device.rating_a, self.first
        corners = [(0.0, before * rating), (before_s, before * rating)] if before_s else []
        return line(*corners, (before_s, self.times * rating), (before_s + self.lasts_s, self.times * rating))

    def kept_by(self, thermal: Thermal) -> bool:
        """A device like this trips in time, or not at all where it must not."""
        trip_s = thermal_history(self.current(), self.device.rating_a, thermal, 0.0).trip_s - self.first[1]
        return trip_s == math.inf if self.within_s == math.inf else trip_s <= self.within_s + 1e-6


def ul_gates(rating: float, t200_s: float) -> list[Gate]:
    """Holds 100 %, trips at 135 % within 1 or 2 h, and at 200 % in its time."""
    device, hours = ul_489(rating), 1.0 if rating <= 50 else 2.0
    return [
        Gate(device, 1.0, math.inf, 3 * HOUR),
        Gate(device, 1.35, hours * HOUR, 3 * HOUR),
        Gate(device, 2.0, t200_s, HOUR),
    ]


UL = ((30, 120.0), (50, 240.0), (100, 360.0), (150, 480.0), (225, 600.0), (400, 720.0), (600, 840.0))
IEC = [
    Gate(iec_60898(32), 1.13, math.inf, HOUR),
    Gate(iec_60898(32), 1.45, HOUR, 2 * HOUR, first=(1.13, HOUR)),
    Gate(iec_60898(32), 2.55, 60.05, HOUR),
    Gate(iec_60898(40), 2.55, 120.05, HOUR),
]
GATES = [gate for rating, t200_s in UL for gate in ul_gates(rating, t200_s)] + IEC


def test_there_are_25() -> None:
    """Three for each of seven ratings of UL 489, four of IEC 60898-1."""
    assert len(GATES) == 25


@pytest.mark.parametrize("gate", GATES, ids=str)
def test_our_slowest_device_keeps_the_gate(gate: Gate) -> None:
    """It trips where it must, in time, and nowhere else."""
    assert gate.kept_by(gate.device.slow)


@pytest.mark.parametrize("gate", GATES, ids=str)
def test_the_gate_is_one(gate: Gate) -> None:
    """A device that is five times as slow, or that gives up below what it must hold, misses it."""
    slow = gate.device.slow
    wrong = replace(slow, k=0.99 * gate.times) if gate.within_s == math.inf else replace(slow, tau_s=5.0 * slow.tau_s)
    assert not gate.kept_by(wrong)
