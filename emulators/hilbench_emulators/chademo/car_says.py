"""The frames that a car sends in each period, from its state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilbench.chademo import (
    CarControl,
    CarDischarge,
    CarEnergy,
    CarLimits,
    CarState,
    CarStatus,
    CarTimes,
    Control,
    Frame,
)
from hilbench_emulators.chademo.models import V10, V20

if TYPE_CHECKING:
    from hilbench_emulators.chademo.car import Car

_UNHEARD, _UNKNOWN = 3, 1
"""102.6 of a LEAF before it hears the charger, and before it knows its charge (recorded)."""


def said(car: Car, t: float) -> list[Frame]:
    """Frames in the order in which recorded cars send them."""
    frames: list[Frame] = [_limits(car), _times(car, t), _state(car, t)]
    if car.model.protocol >= V20:
        control = Control.DYNAMIC | (Control.HIGH_CURRENT if car.model.high_current else 0)
        frames.append(CarControl(int(control), int(car.request_a) if car.model.high_current else 0))
    if car.model.discharges:
        frames += _discharge(car, t)
    return frames


def _limits(car: Car) -> CarLimits:
    model = car.model
    maximum = min(model.max_current_a, 255) if model.tells_max_current else 0
    return CarLimits(model.min_current_a, maximum, model.min_voltage_v, model.max_voltage_v, _reference(car))


def _reference(car: Car) -> int:
    if car.state is None:
        return car.model.reference_unheard
    return 100 if car.common >= V10 else car.model.reference_09


def _times(car: Car, t: float) -> CarTimes:
    if t < car.talking_t + car.model.known_s:
        return CarTimes(capacity_100wh=car.model.capacity_100wh if car.state else 0)
    return CarTimes(255, car.model.max_time_min, 0, car.model.capacity_100wh)


def _state(car: Car, t: float) -> CarState:
    model = car.model
    request_a = min(int(car.request_a), 255)
    target_v = model.target_voltage_v + (model.target_shift_v if car.contactor else 0)
    return CarState(model.protocol, target_v, request_a, car.faults, _status(car), _rate(car, t))


def _rate(car: Car, t: float) -> int:
    if car.state is None:
        return _UNHEARD
    if t < car.talking_t + car.model.known_s:
        return _UNKNOWN
    return round(car.pack.soc_pct(t) * _reference(car) / 100.0)


def _status(car: Car) -> int:
    bits = (
        (car.k, CarStatus.ENABLED),
        (car.model.protocol >= V10 and car.tells_open, CarStatus.CONTACTOR_OPEN),
        (car.model.legacy_dynamic, CarStatus.LEGACY_DYNAMIC),
        (car.model.discharges, CarStatus.DISCHARGE),
    )
    return int(car.extra_status) | sum(bit.value for holds, bit in bits if holds)


def _discharge(car: Car, t: float) -> list[Frame]:
    energy_100wh = int(car.model.capacity_100wh * car.pack.soc_pct(t) / 100.0)
    return [CarDischarge(int(car.discharge_a), car.model.min_discharge_v, 20, 100), CarEnergy(2, 0, energy_100wh)]
