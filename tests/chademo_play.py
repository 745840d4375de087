"""Sessions and lone sides of CHAdeMO for tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Self

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


class _Lone:
    """One side, at another whose every word and line the test decides; it is told something each 50 ms."""

    side: Car | Charger
    end: CarEnd | ChargerEnd

    def __init__(self) -> None:
        self.t = 0.0
        self.silent = False
        self.sent: list[tuple[float, Frame]] = []

    def say(self) -> None:
        """The other side's frames, now."""
        raise NotImplementedError

    def to(self, t: float) -> Self:
        """Go on to ``t``, saying the other side's frames each 50 ms."""
        while True:
            due = min(self.side.due_t, t)
            step = min(due, (int(self.t / 0.05 + 1e-6) + 1) * 0.05, t)
            self.t = max(step, self.t)
            self._give(None)
            if not self.silent:
                self.say()
            if self.t >= t:
                return self

    def line(self, **changes: Any) -> Self:
        """Change the other side's lines and power."""
        self.end = replace(self.end, **changes)
        self._give(self.end)
        return self

    def _give(self, event: Any) -> None:
        self.sent += [(self.t, frame) for frame in self.side.advance(self.t, event).frames]


class LoneCar(_Lone):
    """A car at a charger whose every word and line the test decides."""

    def __init__(self, model: CarModel | None = None, **pack: Any) -> None:
        self.car = Car(model, SimplePack(soc_pct=50.0, **pack))
        super().__init__()
        self.side = self.car
        self.end = ChargerEnd(d1=True)
        self.status = STANDING
        self.voltage_v = self.current_a = 0
        self.available_a = 125
        self.protocol = 2

    def say(self) -> None:
        """The charger's frames, now."""
        self._give(ChargerLimits(1, 500, self.available_a, 435))
        self._give(ChargerState(self.protocol, self.voltage_v, self.current_a, 0, int(self.status), 255, 60))

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


class LoneCharger(_Lone):
    """A charger at a car whose every word and line the test decides."""

    def __init__(self, model: ChargerModel | None = None) -> None:
        self.charger = Charger(model or QUICK)
        super().__init__()
        self.side = self.charger
        self.end = CarEnd(battery_v=360.0)
        self.state = CarState(2, 410, 0, 0, int(CarStatus.CONTACTOR_OPEN), 50)
        self.times = CarTimes(255, 60, 0, 389)
        self._give(Start())

    def say(self) -> None:
        """The car's frames, now."""
        for frame in (CarLimits(6, 0, 0, 435, 100), self.times, self.state):
            self._give(frame)

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

    @property
    def last(self) -> ChargerState:
        """The last 109."""
        return next(frame for _t, frame in reversed(self.sent) if isinstance(frame, ChargerState))
