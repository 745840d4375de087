"""What real stations make of a current: the duty cycle that their timers can send, by name (read-code)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hilbench.errors import InputError
from hilbench_emulators.pilot.duty import duty_of_current

_ROUNDING = 1e-9
"""A share of a step that is taken for a whole one."""


@dataclass(frozen=True)
class Encoder:
    """``encode`` takes a current of 6 to 80 A and gives a duty cycle [%]."""

    name: str
    source: str
    encode: Callable[[float], float]

    def duty(self, current_a: float) -> float:
        """Duty cycle [%] that is sent for ``current_a``; 0 below 6 A."""
        return self.encode(current_a) if current_a >= 6.0 else 0.0


def _exact(current_a: float) -> float:
    return duty_of_current(current_a)


def _openevse_pafc(current_a: float) -> float:
    if current_a > 51.0:
        return _floored(8000.0)(current_a)
    return math.floor(current_a) * 133 / 80.0


def _smartevse(current_a: float) -> float:
    permille = math.floor(duty_of_current(current_a) * 10.0 + _ROUNDING)
    return math.floor(permille * 1.024) / 10.24


def _floored(steps: float) -> Callable[[float], float]:
    """A timer with so many steps in a period, rounded down."""
    return lambda current_a: math.floor(duty_of_current(current_a) * steps / 100.0 + _ROUNDING) * 100.0 / steps


def _rounded(step_pct: float) -> Callable[[float], float]:
    """An interface with a resolution of ``step_pct``."""
    return lambda current_a: round(duty_of_current(current_a) / step_pct) * step_pct


ENCODERS: Mapping[str, Encoder] = {
    encoder.name: encoder
    for encoder in (
        Encoder("exact", "the inverse of IEC 61851-1 Table A.8", _exact),
        Encoder("openevse-pafc", "OpenEVSE firmware, 8000 steps, 133 per ampere; above 51 A recalled", _openevse_pafc),
        Encoder("openevse-fast", "OpenEVSE firmware, fast PWM of 250 steps", _floored(250.0)),
        Encoder("smartevse", "SmartEVSE 3.5, per mille onto 10 bits", _smartevse),
        Encoder("yeti", "EVerest Yeti interface, 0.01 %", _rounded(0.01)),
        Encoder("chargebyte", "chargebyte Charge SOM interface, 0.1 %", _rounded(0.1)),
    )
}


def encoder(name: str) -> Encoder:
    """The encoder called ``name``; raises ``InputError`` listing them."""
    if name not in ENCODERS:
        raise InputError("duty encoder", f"no encoder {name!r}; there are {', '.join(ENCODERS)}")
    return ENCODERS[name]
