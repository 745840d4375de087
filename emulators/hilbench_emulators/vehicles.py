"""Cars as data: how much a real model draws when so much is offered, how fast it follows, when it stops.

One TOML file per car in ``vehicle_data``; a user's own is given by its path. Response points are
``[offered A, drawn A per phase, power factor]``, straight in between, drawn as RMS current of the phases in use.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, ValidationError, field_validator, model_validator

from hilbench.errors import InputError, Problem
from hilbench.site import Integer, Model, Number
from hilbench.tomlfile import in_words
from hilbench_emulators.shipped import read_shipped, shipped

_FOLDER = Path(__file__).parent / "vehicle_data"
Positive = Annotated[Number, Field(gt=0)]
NotNegative = Annotated[Number, Field(ge=0)]


class Response(Model):
    """Current drawn against current offered, for a car connected with ``phases`` phases.

    ``asymmetry`` multiplies the current of each phase; ``step_a`` makes a staircase of the offer (0: none);
    ``capacitive`` says that the reactive current leads.
    """

    phases: Annotated[Integer, Field(ge=1, le=3)]
    points: Annotated[tuple[tuple[NotNegative, NotNegative, NotNegative], ...], Field(min_length=2)]
    asymmetry: tuple[Positive, ...] = (1.0,)
    step_a: NotNegative = 0.0
    capacitive: bool = False
    source: str
    confidence: str = "read-code"

    @field_validator("points")
    @classmethod
    def _rising(cls, value: tuple[tuple[float, float, float], ...]) -> tuple[tuple[float, float, float], ...]:
        if any(b[0] <= a[0] for a, b in pairwise(value)):
            raise ValueError("the offered currents of the points must rise")
        if any(not 0 <= pf <= 1 for _o, _d, pf in value):
            raise ValueError("a power factor lies between 0 and 1")
        return value

    @model_validator(mode="after")
    def _one_factor_per_phase(self) -> Response:
        if len(self.asymmetry) not in (1, self.phases):
            raise ValueError(f"asymmetry needs 1 or {self.phases} factors")
        return self

    def drawn_a(self, offered_a: float) -> float:
        """Current [A per phase] at ``offered_a``; beyond the points their ends hold."""
        if self.step_a:
            offered_a = max(np.floor(offered_a / self.step_a + 0.3) * self.step_a, self.points[0][0])
        return float(np.interp(offered_a, [p[0] for p in self.points], [p[1] for p in self.points]))

    def power_factor(self, drawn_a: float) -> float:
        """Power factor at a drawn current [A per phase]."""
        order = sorted((p[1], p[2]) for p in self.points)
        return float(np.interp(drawn_a, [p[0] for p in order], [p[1] for p in order]))


class Discharge(Model):
    """What a car can give back through an inverter of its own (AC_BPT of ISO 15118-20).

    ``max_a`` is per phase, in phase with the voltage; at ``min_soc`` (0..1) it stops. ``efficiency`` is what comes back
    of the energy that it takes to charge it again, from meter to meter.
    """

    max_a: Positive
    min_soc: Annotated[Number, Field(ge=0, lt=1)]
    efficiency: Annotated[Number, Field(gt=0, le=1)] = 1.0
    source: str
    confidence: str = "policy-default"


class Vehicle(Model):
    """A car model.

    Times: ``start_delay_s`` from a valid pilot to state C, ``dead_time_s`` from a new duty cycle to the first change
    of current; ``slew_a_per_s`` is the ramp. Below ``start_min_a`` it does not begin to charge. ``taper_soc`` is the
    state of charge from which the battery limits the current. Without ``discharge`` it only charges. ``duty_rules``
    is the table by which it reads the pilot (``hilbench_emulators.pilot.duty``); one that takes whole amperes only has
    ``step_a`` in its responses.
    """

    name: str
    title: str
    battery_kwh: Positive
    responses: Annotated[tuple[Response, ...], Field(alias="response", min_length=1)]
    taper_soc: Annotated[Number, Field(gt=0, lt=1)] = 0.97
    start_delay_s: NotNegative = 3.0
    dead_time_s: NotNegative = 1.0
    slew_a_per_s: Positive = 10.0
    start_min_a: Annotated[Number, Field(ge=6, le=80)] = 6.0
    duty_rules: Literal["iec2017", "j1772_2010", "j1772_2017", "strict"] = "iec2017"
    discharge: Discharge | None = None
    timing_source: str
    battery_source: str

    def response(self, phases: int) -> Response:
        """How it charges from a station with ``phases`` phases: with the most phases that both have."""
        fitting = [found for found in self.responses if found.phases <= phases]
        return max(fitting or self.responses, key=lambda found: found.phases)


def vehicle_names() -> list[str]:
    """Names of the shipped cars."""
    return shipped(_FOLDER)


@lru_cache(maxsize=256)
def load_vehicle(name_or_path: str) -> Vehicle:
    """A shipped car by name, or one from a TOML file; raises ``InputError`` with every wrong key."""
    path, data = read_shipped(_FOLDER, name_or_path, "car")
    try:
        return Vehicle.model_validate({"name": path.stem, **data})
    except ValidationError as error:
        problems = [Problem(".".join(map(str, d["loc"])), *in_words(d)) for d in error.errors()]
        raise InputError(str(path), problems) from None
