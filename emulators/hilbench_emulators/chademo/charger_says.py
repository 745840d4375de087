"""The frames that a charger sends in each period, from its state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilbench.chademo import (
    ChargerControl,
    ChargerDischarge,
    ChargerEnergy,
    ChargerLimits,
    ChargerState,
    ChargerStatus,
    Control,
    Frame,
)
from hilbench_emulators.chademo.models import V20

if TYPE_CHECKING:
    from hilbench_emulators.chademo.charger import Charger


def said(charger: Charger, t: float) -> list[Frame]:
    """Frames in the order in which recorded chargers send them: 108 before 109."""
    frames: list[Frame] = [_limits(charger), _state(charger, t)]
    if charger.model.protocol >= V20:
        frames.append(ChargerControl(int(Control.DYNAMIC)))
    if charger.model.discharges:
        frames += _discharge(charger, t)
    return frames


def _limits(charger: Charger) -> ChargerLimits:
    model = charger.model
    car_v = charger.limits.max_voltage_v if charger.limits else 0
    threshold_v = min(car_v or model.max_voltage_v, model.max_voltage_v)
    return ChargerLimits(int(model.weld_detection), model.max_voltage_v, charger.offered_a, threshold_v)


def _state(charger: Charger, t: float) -> ChargerState:
    current_a = charger.output.current_a(t) if charger.car.contactor else 0.0
    return ChargerState(
        charger.model.protocol,
        round(charger.output.voltage_v(t)),
        min(round(max(current_a, 0.0)), 255),
        int(charger.model.discharges),
        _status(charger),
        255,
        _remaining_min(charger, t),
    )


def _status(charger: Charger) -> int:
    bits = (
        (charger.charges, ChargerStatus.CHARGING),
        (charger.locked, ChargerStatus.LOCKED),
        (charger.stopping, ChargerStatus.STOP),
    )
    return int(charger.faults) | sum(bit.value for holds, bit in bits if holds)


def _remaining_min(charger: Charger, t: float) -> int:
    whole_min = charger.times.max_time_min if charger.times else 0
    gone_min = (t - charger.began_t) / 60.0 if charger.charges else 0.0
    return max(int(whole_min - gone_min), 0)


def _discharge(charger: Charger, t: float) -> list[Frame]:
    model = charger.model
    current_a = charger.output.current_a(t) if charger.car.contactor else 0.0
    drawn_a = min(round(max(-current_a, 0.0)), 255)
    power = ChargerDischarge(drawn_a, model.max_voltage_v, min(model.max_discharge_a, 255), model.min_input_v)
    return [power, ChargerEnergy(2, 0)]
