"""Cars at a DC outlet as data: battery, charging curve, how fast they change their current, what little they accept.

One TOML file per car in ``car_data``, each figure with its source; a user's own is given by its path. For a car of a
file in the shape of open-ev-data see :mod:`hilbench_emulators.dc.open_ev_data`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from hilbench.site import Integer, Number
from hilbench_emulators.dc.battery import GENERIC_NMC, Battery
from hilbench_emulators.dc.piecewise import Piecewise
from hilbench_emulators.dc.sourced import Source, Sourced, read_sourced
from hilbench_emulators.shipped import shipped

_FOLDER = Path(__file__).parent / "car_data"
Port = Literal["ccs", "chademo"]
Below = Literal["waits", "ends", "takes-minimum"]
"""What a car does with less than its minimum: draw nothing until there is more, end the session after a while, or draw
its minimum all the same."""
Positive = Annotated[Number, Field(gt=0)]
NotNegative = Annotated[Number, Field(ge=0)]
Percent = Annotated[Number, Field(ge=0, le=100)]
Capacity = Annotated[Number, Field(ge=0.5, le=10_000)]
"""From a scooter to a ship [kWh]."""
Power = Annotated[Number, Field(ge=0, le=10_000)]
"""Up to more than a megawatt connector gives [kW]."""


class CarFile(Sourced):
    """A car in a file.

    ``curve`` is ``[state of charge %, kW]``, straight in between, from 0 to 100 %. ``max_voltage_v`` ends the charge.
    ``up_a_per_s`` and ``down_a_per_s`` are how fast its request grows and shrinks. Below ``min_current_a`` and
    ``min_power_w`` it does as ``below_minimum`` says; what ends, ends after ``gives_up_s``. ``ocv_v`` is
    ``[state of charge %, V of a cell]``. With ``discharge_a`` it gives power back: down to ``reserve_percent`` and
    ``discharge_min_v``.
    """

    port: Port
    usable_kwh: Capacity
    cells: Annotated[Integer, Field(ge=1, le=400)]
    resistance_ohm: Positive
    max_current_a: Positive
    max_voltage_v: Positive
    curve: Annotated[tuple[tuple[Percent, Power], ...], Field(min_length=2)]
    up_a_per_s: Positive
    down_a_per_s: Positive
    min_current_a: Annotated[Number, Field(ge=1, le=50)]
    min_power_w: NotNegative
    below_minimum: Below
    gives_up_s: NotNegative = math.inf
    ocv_v: tuple[tuple[Percent, Positive], ...] | None = None
    discharge_a: Positive | None = None
    discharge_min_v: NotNegative = 0.0
    reserve_percent: Percent = 0.0

    @field_validator("curve", "ocv_v")
    @classmethod
    def _from_0_to_100(cls, value: tuple[tuple[float, float], ...] | None) -> tuple[tuple[float, float], ...] | None:
        if value is None:
            return None
        if any(b[0] <= a[0] for a, b in pairwise(value)):
            raise ValueError("the states of charge must rise")
        if value[0][0] != 0 or value[-1][0] != 100:
            raise ValueError("it must go from 0 to 100 %; add the missing end")
        return value

    @model_validator(mode="after")
    def _ends_after_a_while(self) -> CarFile:
        if (self.below_minimum == "ends") != math.isfinite(self.gives_up_s):
            raise ValueError('gives_up_s belongs to below_minimum = "ends"; give both or neither')
        return self


@dataclass(frozen=True, slots=True)
class Discharge:
    """Giving power back: at most ``max_a`` [A], not below ``min_v`` [V] at the terminals nor below ``reserve_soc``."""

    max_a: float
    min_v: float
    reserve_soc: float


@dataclass(frozen=True, slots=True)
class Car:
    """A car; ``curve_w`` is the most power [W] against the state of charge (0..1), see :class:`CarFile` for the rest.

    ``sources`` says of each key of its file how sure the figure is, and where it is from.
    """

    name: str
    title: str
    port: Port
    battery: Battery
    curve_w: Piecewise
    max_a: float
    max_v: float
    up_a_per_s: float
    down_a_per_s: float
    min_a: float
    min_w: float
    below_minimum: Below
    gives_up_s: float
    discharge: Discharge | None
    sources: Mapping[str, Source] = field(hash=False)


def car_of(file: CarFile) -> Car:
    """The car that a file describes."""
    ocv = GENERIC_NMC if file.ocv_v is None else Piecewise((pct / 100.0, volts) for pct, volts in file.ocv_v)
    discharge = None
    if file.discharge_a is not None:
        discharge = Discharge(file.discharge_a, file.discharge_min_v, file.reserve_percent / 100.0)
    return Car(
        name=file.name,
        title=file.title,
        port=file.port,
        battery=Battery.of_energy(file.usable_kwh, file.cells, file.resistance_ohm, ocv),
        curve_w=Piecewise((pct / 100.0, 1000.0 * kw) for pct, kw in file.curve),
        max_a=file.max_current_a,
        max_v=file.max_voltage_v,
        up_a_per_s=file.up_a_per_s,
        down_a_per_s=file.down_a_per_s,
        min_a=file.min_current_a,
        min_w=file.min_power_w,
        below_minimum=file.below_minimum,
        gives_up_s=file.gives_up_s,
        discharge=discharge,
        sources=file.source,
    )


def car_names() -> list[str]:
    """Names of the shipped cars."""
    return shipped(_FOLDER)


@lru_cache(maxsize=64)
def load_car(name_or_path: str) -> Car:
    """A shipped car by name, or one from a TOML file; raises ``InputError`` with every wrong key."""
    return car_of(read_sourced(CarFile, _FOLDER, name_or_path, "DC car"))
