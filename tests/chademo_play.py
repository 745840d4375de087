"""Sessions and lone sides of CHAdeMO for tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hilbench.chademo import (
    CarLimits,
    CarState,
    CarStatus,
    CarTimes,
    ChargerLimits,
    ChargerState,
    ChargerStatus,
    Frame,
)
from hilbench_emulators.chademo import Car, CarModel, Charger, ChargerModel, Session, SimplePack
from hilbench_emulators.chademo.plug import CarEnd, ChargerEnd, Start

CHARGING = ChargerStatus.CHARGING | ChargerStatus.LOCKED
STANDING = int(ChargerStatus.STOP)
QUICK = ChargerModel(lock_s=0.2, test_v_per_s=2500.0)
"""Tests the insulation in a second instead of six."""


def session(car: CarModel | None = None, charger: ChargerModel | None = None, soc_pct: float = 50.0) -> Session:
    """A plug-in whose start was pressed at 0 s."""
    return Session(Car(car, SimplePack(soc_pct=soc_pct)), Charger(charger or QUICK))


def of(found: Session, kind: type[Any]) -> list[tuple[float, Any]]:
    """Frames of one kind with their times."""
    return [(t, frame) for t, frame in found.trace if isinstance(frame, kind)]


def first(found: Session, kind: type[Any], holds: Callable[[Any], bool], after: float = 0.0) -> tuple[float, Any]:
    """The first frame of a kind after a time that something holds for."""
    return next((t, frame) for t, frame in of(found, kind) if t >= after and holds(frame))


class LoneCar:
    """A car at a charger whose every word and line the test decides."""

    def __init__(self, model: CarModel | None = None, **pack: Any) -> None:
        self.car = Car(model, SimplePack(soc_pct=50.0, **pack))
        self.t = 0.0
        self.end = ChargerEnd(d1=True)
        self.status = STANDING
        self.voltage_v = self.current_a = 0
        self.available_a = 125
        self.protocol = 2
        self.silent = False
        self.sent: list[tuple[float, Frame]] = []

    def to(self, t: float) -> LoneCar:
        """Go on to ``t``, saying 108 and 109 each 50 ms."""
        while True:
            due = min(self.car.due_t, t)
            step = min(due, (int(self.t / 0.05 + 1e-6) + 1) * 0.05, t)
            self.t = max(step, self.t)
            self._give(None)
            if not self.silent:
                self.say()
            if self.t >= t:
                return self

    def say(self) -> None:
        """The charger's frames, now."""
        self._give(ChargerLimits(1, 500, self.available_a, 435))
        self._give(ChargerState(self.protocol, self.voltage_v, self.current_a, 0, int(self.status), 255, 60))

    def line(self, **changes: Any) -> LoneCar:
        """Change the charger's lines and power."""
        self.end = replace(self.end, **changes)
        self._give(self.end)
        return self

    def _give(self, event: Any) -> None:
        self.sent += [(self.t, frame) for frame in self.car.advance(self.t, event).frames]

    def charging(self) -> LoneCar:
        """Up to a car that has begun to request; the output is good."""
        self.line(d1=True).to(3.5).line(d2=True).to(3.9)
        self.voltage_v = round(self.car.pack.voltage_v(self.t))
        self.to(5.6)
        self.status = CHARGING
        return self

    @property
    def last(self) -> CarState:
        """The last 102."""
        return next(frame for _t, frame in reversed(self.sent) if isinstance(frame, CarState))


class LoneCharger:
    """A charger at a car whose every word and line the test decides."""

    def __init__(self, model: ChargerModel | None = None) -> None:
        self.charger = Charger(model or QUICK)
        self.t = 0.0
        self.end = CarEnd(battery_v=360.0)
        self.state = CarState(2, 410, 0, 0, int(CarStatus.CONTACTOR_OPEN), 50)
        self.times = CarTimes(255, 60, 0, 389)
        self.silent = False
        self.sent: list[tuple[float, Frame]] = []
        self._give(Start())

    def to(self, t: float) -> LoneCharger:
        """Go on to ``t``, saying 100, 101 and 102 each 50 ms."""
        while True:
            due = min(self.charger.due_t, t)
            step = min(due, (int(self.t / 0.05 + 1e-6) + 1) * 0.05, t)
            self.t = max(step, self.t)
            self._give(None)
            if not self.silent:
                self.say()
            if self.t >= t:
                return self

    def say(self) -> None:
        """The car's frames, now."""
        for frame in (CarLimits(6, 0, 0, 435, 100), self.times, self.state):
            self._give(frame)

    def line(self, **changes: Any) -> LoneCharger:
        """Change the car's lines."""
        self.end = replace(self.end, **changes)
        self._give(self.end)
        return self

    def tell(self, event: Any = None, /, **changes: Any) -> LoneCharger:
        """Give an order, and change what 102 says."""
        self.state = replace(self.state, **changes)
        self._give(event)
        if changes and not self.silent:
            self.say()
        return self

    def enable(self) -> LoneCharger:
        """k on and 102.5.0 = 1."""
        return self.line(k=True).tell(status=int(CarStatus.ENABLED | CarStatus.CONTACTOR_OPEN))

    def close(self) -> LoneCharger:
        """The contactor closes."""
        return self.line(contactor=True).tell(status=int(CarStatus.ENABLED))

    def charging(self, request_a: int = 30) -> LoneCharger:
        """Up to an output that follows the request."""
        self.to(1.0).enable()
        while not self.charger.d2:
            self.to(self.t + 0.1)
        self.close().to(self.t + 0.5).tell(request_a=request_a)
        return self.to(self.t + 3.0)

    def _give(self, event: Any) -> None:
        self.sent += [(self.t, frame) for frame in self.charger.advance(self.t, event).frames]

    @property
    def last(self) -> ChargerState:
        """The last 109."""
        return next(frame for _t, frame in reversed(self.sent) if isinstance(frame, ChargerState))
