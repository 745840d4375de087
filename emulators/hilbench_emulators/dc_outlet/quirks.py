"""Real misbehaviours of DC stations and cars by name, and what each changes of a session."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from hilbench.errors import InputError, Problem
from hilbench_emulators.ccs import Quirks as CcsQuirks
from hilbench_emulators.ccs import StationQuirks as SeccQuirks
from hilbench_emulators.chademo import CarModel, ChargerModel
from hilbench_emulators.dc.cars import Car
from hilbench_emulators.dc_outlet.quirk import DcQuirk, StationQuirks
from hilbench_emulators.dc_outlet.quirks_of_cars import CAR_QUIRKS
from hilbench_emulators.dc_outlet.quirks_of_stations import STATION_QUIRKS

QUIRKS: dict[str, DcQuirk] = {one.id: one for one in (*CAR_QUIRKS, *STATION_QUIRKS)}
"""By id."""


@dataclass(frozen=True)
class Parts:
    """What a session is made of."""

    car: Car
    ccs: CcsQuirks = field(default_factory=CcsQuirks)
    secc: SeccQuirks = field(default_factory=SeccQuirks)
    chademo_car: Mapping[str, Any] = field(default_factory=dict)
    chademo_charger: Mapping[str, Any] = field(default_factory=dict)

    def car_model(self, model: CarModel) -> CarModel:
        """A CHAdeMO car with its quirks."""
        return replace(model, **self.chademo_car)

    def charger_model(self, model: ChargerModel) -> ChargerModel:
        """A CHAdeMO charger with its quirks."""
        return replace(model, **self.chademo_charger)


def parts(car: Car, quirks: Iterable[str]) -> Parts:
    """The parts of a session in which these quirks show; raises ``InputError`` for one that is not known."""
    made = Parts(car)
    for one in map(quirk, quirks):
        changes = one.changes
        made = Parts(
            replace(made.car, **changes.get("car", {})),
            replace(made.ccs, **changes.get("ccs", {})),
            replace(made.secc, **changes.get("ccs-station", {})),
            {**made.chademo_car, **changes.get("chademo-car", {})},
            {**made.chademo_charger, **changes.get("chademo-charger", {})},
        )
    return made


def station_quirks(quirks: Iterable[str]) -> StationQuirks:
    """How a station with these quirks takes its limits."""
    found = StationQuirks()
    for one in map(quirk, quirks):
        found = replace(found, **one.changes.get("station", {}))
    return found


def quirk(quirk_id: str) -> DcQuirk:
    """One by its id."""
    if quirk_id not in QUIRKS:
        raise InputError("station", Problem("quirks", f"no quirk {quirk_id!r}", f"there are {', '.join(QUIRKS)}"))
    return QUIRKS[quirk_id]
