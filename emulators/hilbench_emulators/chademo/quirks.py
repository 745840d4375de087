"""Real misbehaviours of CHAdeMO cars and chargers as changes of their parameters, each with where it was seen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from hilbench.errors import InputError, Problem
from hilbench_emulators.chademo.models import CHARGER_ZE0, CarModel, ChargerModel


@dataclass(frozen=True)
class Quirk:
    """One misbehaviour: ``changes`` replace parameters of the model of ``side``."""

    id: str
    side: Literal["car", "charger"]
    what: str
    changes: Mapping[str, Any] = field(hash=False)
    source: str
    confidence: str


_CLARA = "osexpert/ccs32clara-chademo"

QUIRKS = (
    Quirk(
        "delivers-less",
        "charger",
        "offers 125 A and delivers 60 A: the car ends it after 5 s of deviation",
        {"delivers_a": 60.0},
        f"{_CLARA} issue 54: 60 A of 150 A",
        "secondary",
    ),
    Quirk(
        "aborts-on-reduction",
        "car",
        "ends the session when the available current falls during its ramp",
        {"aborts_on_reduction": True},
        f"{_CLARA} chademoCharger.h",
        "read-code",
    ),
    Quirk(
        "inrush",
        "charger",
        "one frame of 29 A at a request of 8 A to 10 A",
        {"inrush_a": 20.0, "inrush_s": 0.1},
        "F1atline/Nissan-Leaf-ZE1-CHAdeMO-CAN-Logs, t = 13.8 s",
        "recorded",
    ),
    Quirk(
        "late-output",
        "charger",
        "the output rises for 0.3 s after the offer went to zero",
        {"slew": CHARGER_ZE0.slew},
        "rand12345/chademo-rs CanLogs, t = 22.58 s",
        "recorded",
    ),
    Quirk(
        "slow-frames",
        "car",
        "sends one frame each 75 ms, so that each comes every 225 ms",
        {"period_s": 0.225, "rotates": True},
        "damienmaguire/Stm32-vcu chademo.cpp; recordings in osexpert/chademo_research",
        "recorded",
    ),
    Quirk(
        "jitter",
        "charger",
        "108 and 109 come up to 66 ms late",
        {"jitter_s": 0.066},
        "a recording at an EVgo charger in osexpert/chademo_research: gaps to 166 ms",
        "recorded",
    ),
    Quirk(
        "early-current",
        "charger",
        "pushes 3 A before anything is requested (the figure is policy-default)",
        {"early_a": 3.0},
        f"{_CLARA} issue 11",
        "secondary",
    ),
    Quirk(
        "target-voltage-changes",
        "car",
        "its target voltage falls by 20 V once its contactor has closed (the figure is policy-default)",
        {"target_shift_v": -20},
        f"{_CLARA} chademoCharger.cpp, of an XPeng",
        "secondary",
    ),
    Quirk(
        "idle-drop-out",
        "car",
        "ends a V2H session after 6 min in which nothing flowed",
        {"idle_discharge_s": 360.0},
        f"{_CLARA}",
        "read-code",
    ),
)


def quirk(quirk_id: str) -> Quirk:
    """One by its id; raises ``InputError`` for one that is not in the catalogue."""
    for one in QUIRKS:
        if one.id == quirk_id:
            return one
    known = ", ".join(one.id for one in QUIRKS)
    raise InputError("chademo quirk", Problem("", f"{quirk_id!r} is not known", f"known are {known}"))


def with_quirks(car: CarModel, charger: ChargerModel, quirk_ids: Iterable[str]) -> tuple[CarModel, ChargerModel]:
    """The two models with the misbehaviours that are asked for."""
    for one in map(quirk, quirk_ids):
        if one.side == "car":
            car = replace(car, **one.changes)
        else:
            charger = replace(charger, **one.changes)
    return car, charger
