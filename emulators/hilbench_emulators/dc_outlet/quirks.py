"""Real misbehaviours of DC stations and cars: data, and what each changes of a session."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from hilbench.errors import InputError, Problem
from hilbench_emulators.ccs import Quirks as CcsQuirks
from hilbench_emulators.chademo import CarModel, ChargerModel
from hilbench_emulators.chademo.quirks import QUIRKS as CHADEMO_QUIRKS
from hilbench_emulators.dc.cars import Car, Port

Part = Literal["car", "ccs", "chademo-car", "chademo-charger", "station"]
"""What a quirk changes: the car's data, its CCS side, CHAdeMO's models, or the station's :class:`StationQuirks`."""
BOTH: tuple[Port, ...] = ("ccs", "chademo")


@dataclass(frozen=True)
class StationQuirks:
    """Ways of stations to misbehave. ``zero_is_no_limit``: a limit of 0 is none; ``cable_a``: it never takes more than
    this [A per line] from the grid.
    """

    zero_is_no_limit: bool = False
    cable_a: float | None = None


@dataclass(frozen=True)
class DcQuirk:
    """One misbehaviour; ``changes`` replace fields of each part."""

    id: str
    side: Literal["car", "station"]
    connectors: tuple[Port, ...]
    what: str
    changes: Mapping[Part, Mapping[str, Any]] = field(hash=False)
    source: str
    confidence: str


def _chademo() -> Iterable[DcQuirk]:
    """Those of the CHAdeMO catalogue under their names."""
    for one in CHADEMO_QUIRKS:
        part: Part = "chademo-car" if one.side == "car" else "chademo-charger"
        side: Literal["car", "station"] = "car" if one.side == "car" else "station"
        yield DcQuirk(one.id, side, ("chademo",), one.what, {part: one.changes}, one.source, one.confidence)


QUIRKS: dict[str, DcQuirk] = {
    one.id: one
    for one in (
        DcQuirk(
            "ignores-lowered-limit",
            "car",
            ("ccs",),
            "goes by the highest offer of the session; the station holds it to the limit after a while",
            {"ccs": {"ignores_lowered_limit": True}},
            "EVerest/everest-core pull request 1167",
            "secondary",
        ),
        DcQuirk(
            "ends-at-zero",
            "car",
            BOTH,
            "ends the session after 5 s without power, and does not resume",
            {"car": {"below_minimum": "ends", "gives_up_s": 5.0}},
            "EVerest/everest-core hlc_charge_loop_without_energy_timeout_s",
            "read-code",
        ),
        DcQuirk(
            "zero-is-no-limit",
            "station",
            BOTH,
            "takes a limit of 0 for none and gives all it has",
            {"station": {"zero_is_no_limit": True}},
            "EVerest/everest-core pull request 1509",
            "secondary",
        ),
        DcQuirk(
            "cable-rating",
            "station",
            BOTH,
            "never takes more than the 32 A that it reads from an AC cable",
            {"station": {"cable_a": 32.0}},
            "EVerest/everest-core issue 2291",
            "secondary",
        ),
        *_chademo(),
    )
}
"""By id."""


@dataclass(frozen=True)
class Parts:
    """What a session is made of."""

    car: Car
    ccs: CcsQuirks = field(default_factory=CcsQuirks)
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
            {**made.chademo_car, **changes.get("chademo-car", {})},
            {**made.chademo_charger, **changes.get("chademo-charger", {})},
        )
    return made


def station_quirks(quirks: Iterable[str]) -> StationQuirks:
    """How a station with these quirks misbehaves."""
    found = StationQuirks()
    for one in map(quirk, quirks):
        found = replace(found, **one.changes.get("station", {}))
    return found


def quirk(quirk_id: str) -> DcQuirk:
    """One by its id."""
    if quirk_id not in QUIRKS:
        raise InputError("station", Problem("quirks", f"no quirk {quirk_id!r}", f"there are {', '.join(QUIRKS)}"))
    return QUIRKS[quirk_id]
