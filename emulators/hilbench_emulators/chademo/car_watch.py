"""What a car watches while current flows: its own limits, and whether the charger does what it was asked."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from hilbench.chademo import CarFault, ChargerState
from hilbench.chademo.timing import DEVIATION_V, limit
from hilbench_emulators.chademo.models import CarModel

if TYPE_CHECKING:
    from hilbench_emulators.chademo.car import Car

_VOLTAGE_S = limit("voltage_deviation").gives_up_s


class Lasting:
    """Since when a condition holds without a break."""

    def __init__(self, passed: Callable[[float, float], bool]) -> None:
        self._passed = passed
        self._since_t = math.inf

    def for_long(self, t: float, holds: bool, seconds: float) -> bool:
        """Whether it holds at ``t`` and has for ``seconds``."""
        self._since_t = min(self._since_t, t) if holds else math.inf
        return holds and self._passed(t, self._since_t + seconds)


class OutputWatch:
    """Faults of 102.4 that the car finds by itself."""

    def __init__(self, model: CarModel, car: Car) -> None:
        self._model, self._car = model, car
        self._voltage, self._current, self._idle, self._starved = (Lasting(car.passed) for _ in range(4))

    def look(self, t: float, state: ChargerState) -> None:
        """At what the charger said last."""
        battery_v = self._car.pack.voltage_v(t)
        fault = self._fault(t, state, battery_v)
        if fault:
            self._car.fault(t, fault)
        elif self._idle.for_long(t, self._nothing_flows(state), self._model.idle_discharge_s):
            self._car.stop(t, "nothing flowed for too long")
        elif self._starved.for_long(t, self._too_little(), self._model.starved_s):
            self._car.stop(t, "it was offered too little for too long")

    def _fault(self, t: float, state: ChargerState, battery_v: float) -> CarFault | None:
        if state.voltage_v > self._model.max_voltage_v:
            return CarFault.OVERVOLTAGE
        if battery_v < self._model.min_voltage_v:
            return CarFault.UNDERVOLTAGE
        if self._voltage.for_long(t, abs(state.voltage_v - battery_v) >= DEVIATION_V, _VOLTAGE_S):
            return CarFault.VOLTAGE_DEVIATION
        if self._current.for_long(t, self._current_is_off(state), self._model.deviation_s):
            return CarFault.CURRENT_DEVIATION
        return None

    def _current_is_off(self, state: ChargerState) -> bool:
        car = self._car
        return not car.discharged_a and abs(state.current_a - int(car.request_a)) >= self._model.deviation_a

    def _too_little(self) -> bool:
        limits = self._car.limits
        least_a = max(self._model.min_current_a, 1)
        return limits is not None and limits.available_current_a < least_a and not self._car.discharged_a

    def _nothing_flows(self, state: ChargerState) -> bool:
        return self._model.discharges and not self._car.discharged_a and state.current_a == 0
