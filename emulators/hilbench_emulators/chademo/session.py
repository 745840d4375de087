"""A car and a charger on one connector, in bench time or in none: pure, and the same for the same seed.

    session = Session(Car(), Charger())
    session.at(20.0, "charger", Available(30))
    session.run(60.0)

``trace`` holds what went over the bus, ``ends`` what changed on the lines.
"""

from __future__ import annotations

import math
from typing import Literal

from hilbench.chademo import Frame, sender
from hilbench.chademo.frames import encode
from hilbench_emulators.chademo.car import Car
from hilbench_emulators.chademo.charger import Charger
from hilbench_emulators.chademo.plug import CarEnd, CarEvent, ChargerEnd, ChargerEvent, Start

Side = Literal["car", "charger"]
_ROUNDS = 8
"""More than two sides need to settle at one instant; beyond it they contradict each other."""


class Session:
    """One plug-in; start is pressed at ``start_t`` [s]."""

    def __init__(self, car: Car, charger: Charger, start_t: float = 0.0, keep: bool = True) -> None:
        self.car, self.charger, self.keep = car, charger, keep
        self.t = 0.0
        self.trace: list[tuple[float, Frame]] = []
        self.ends: list[tuple[float, CarEnd | ChargerEnd]] = []
        self._orders: list[tuple[float, Side, CarEvent | ChargerEvent]] = []
        self._car_end, self._charger_end = CarEnd(), ChargerEnd()
        self.at(start_t, "charger", Start())

    def at(self, t: float, side: Side, event: CarEvent | ChargerEvent) -> None:
        """Let ``event`` happen to ``side`` at ``t`` [s]."""
        self._orders.append((t, side, event))
        self._orders.sort(key=lambda order: order[0])

    @property
    def due_t(self) -> float:
        """The next time [s] at which something happens."""
        return min(self.car.due_t, self.charger.due_t, self._orders[0][0] if self._orders else math.inf)

    @property
    def over(self) -> bool:
        """Nothing more will happen by itself."""
        return self.due_t == math.inf

    def run(self, until_t: float) -> None:
        """Go on to ``until_t`` [s], or until nothing more happens."""
        while (due_t := self.due_t) <= until_t:
            self._instant(max(due_t, self.t))
        self.t = max(self.t, until_t) if self.due_t < math.inf else self.t

    def _instant(self, t: float) -> None:
        self.t = t
        self._to_car(t, None)
        self._to_charger(t, None)
        while self._orders and self._orders[0][0] <= t:
            _at, side, event = self._orders.pop(0)
            if side == "car":
                self._to_car(t, event)  # type: ignore[arg-type]  # the caller of at() names the side
            else:
                self._to_charger(t, event)  # type: ignore[arg-type]  # as above

    def _to_car(self, t: float, event: CarEvent, rounds: int = _ROUNDS) -> None:
        frames, end = self.car.advance(t, event)
        self._note(t, frames)
        for frame in frames:
            self._to_charger(t, frame, rounds - 1)
        if end != self._car_end and rounds:
            self._car_end = end
            if self.keep:
                self.ends.append((t, end))
            self._to_charger(t, end, rounds - 1)

    def _to_charger(self, t: float, event: ChargerEvent, rounds: int = _ROUNDS) -> None:
        frames, end = self.charger.advance(t, event)
        self._note(t, frames)
        for frame in frames:
            self._to_car(t, frame, rounds - 1)
        if end != self._charger_end and rounds:
            self._charger_end = end
            if self.keep:
                self.ends.append((t, end))
            self._to_car(t, end, rounds - 1)

    def _note(self, t: float, frames: list[Frame]) -> None:
        if self.keep:
            self.trace += [(t, frame) for frame in frames]

    def recorded(self) -> list[tuple[float, int, bytes]]:
        """The trace as time, id and bytes."""
        return [(t, *encode(frame)) for t, frame in self.trace]


def said_by(trace: list[tuple[float, Frame]], side: Side) -> list[tuple[float, Frame]]:
    """What one side sent."""
    return [(t, frame) for t, frame in trace if sender(encode(frame)[0]) == side]
