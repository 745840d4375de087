"""What crosses a CHAdeMO connector beside CAN, and what a user or a fault does to either side. Plain data."""

from __future__ import annotations

from dataclasses import dataclass

from hilbench.chademo import Frame


@dataclass(frozen=True, slots=True)
class ChargerEnd:
    """The charger's side: lines d1 (pin 2) and d2 (pin 10), lock, and the power pins.

    ``current_a`` flows into the car, negative out of it.
    """

    d1: bool = False
    d2: bool = False
    locked: bool = False
    voltage_v: float = 0.0
    current_a: float = 0.0


@dataclass(frozen=True, slots=True)
class CarEnd:
    """The car's side: permission k (pin 4), contactor, and the battery's voltage behind it."""

    k: bool = False
    contactor: bool = False
    battery_v: float = 0.0


@dataclass(frozen=True, slots=True)
class Start:
    """To the charger: somebody pressed start with the plug in."""


@dataclass(frozen=True, slots=True)
class Stop:
    """To either side: an orderly end, for this reason."""

    reason: str = "stopped by the user"


@dataclass(frozen=True, slots=True)
class Available:
    """To the charger: the current [A] that it may offer from now on (108.3)."""

    current_a: float


@dataclass(frozen=True, slots=True)
class Draw:
    """To a V2H charger: take this current [A] out of the car; 0 ends it and charging goes on."""

    current_a: float


@dataclass(frozen=True, slots=True)
class Fault:
    """To either side: bits of ``CarFault`` (car) or ``ChargerStatus`` (charger) come up by themselves."""

    bits: int


@dataclass(frozen=True, slots=True)
class Shift:
    """To the car: the lever leaves Park."""


CarEvent = Frame | ChargerEnd | Stop | Fault | Shift | None
ChargerEvent = Frame | CarEnd | Start | Stop | Available | Draw | Fault | None
