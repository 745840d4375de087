"""A rig whose devices misbehave as an entry of the catalogue says."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from typing import Any

from pydantic import ValidationError

from hilbench.errors import InputError, Problem
from hilbench.rig_meters import MeterEntry
from hilbench.rig_models import Rig, StationEntry
from hilbench.tomlfile import in_words
from hilbench_emulators.dc_outlet.quirks import QUIRKS as DC_QUIRKS
from hilbench_emulators.quirks import Chosen


def with_quirk(rig: Rig, asked: Chosen) -> Rig:
    """A copy of ``rig`` with the misbehaviour; raises ``InputError`` where the rig has nothing that could have it."""
    change, use = _CHANGES[asked.quirk.by], asked.quirk.played(asked.values)
    changed = _first(rig, change, use) if asked.quirk.single else change(rig, use)
    if changed is rig and asked.quirk.by != "procedure":
        raise InputError(
            rig.source,
            Problem(str(asked), f"nothing here that could: {asked.quirk.who}s that the bench plays", "try another rig"),
        )
    return changed


def _first(rig: Rig, change: Callable[[Rig, str], Rig], use: str) -> Rig:
    """The change for the first station alone that can have it."""
    changed = change(rig, use)
    pairs = zip(rig.stations, changed.stations, strict=True)
    index = next((number for number, (old, new) in enumerate(pairs) if old is not new), None)
    if index is None:
        return rig
    stations = (*rig.stations[:index], changed.stations[index], *rig.stations[index + 1 :])
    return rig.model_copy(update={"stations": stations})


def _vehicles(rig: Rig, use: str) -> Rig:
    return _stations(rig, lambda one: one.device == "emulated:ac", lambda _one: {"vehicle": use})


def _personalities(rig: Rig, use: str) -> Rig:
    return _stations(rig, lambda one: one.emulated, lambda _one: {"personality": use})


def _station_quirks(rig: Rig, use: str) -> Rig:
    return _stations(rig, lambda one: one.device == "emulated:ac", lambda one: {"quirks": (*one.quirks, use)})


def _dc_quirks(rig: Rig, use: str) -> Rig:
    known = DC_QUIRKS[use]

    def fits(one: StationEntry) -> bool:
        if one.dc is None or one.dc.connector not in known.connectors:
            return False
        return one.dc.connector == "chademo" or one.dc.protocol in known.protocols

    return _stations(rig, fits, lambda one: {"quirks": (*one.quirks, use)})


def _stations(rig: Rig, fits: Callable[[StationEntry], bool], changes: Callable[[StationEntry], dict[str, Any]]) -> Rig:
    if not any(map(fits, rig.stations)):
        return rig
    stations = tuple(one.model_copy(update=changes(one)) if fits(one) else one for one in rig.stations)
    return rig.model_copy(update={"stations": stations})


def _meter(rig: Rig, use: str) -> Rig:
    """The site meter, checked like one of a file."""
    changes = tomllib.loads(use.replace("+", "\n"))
    meters = dict(rig.meters)
    for name, meter in rig.meters.items():
        if meter is rig.site_meter and not meter.is_real:
            try:
                meters[name] = MeterEntry.model_validate({**meter.model_dump(by_alias=True), **changes})
            except ValidationError as error:
                problems = [Problem(".".join(map(str, d["loc"])), *in_words(d)) for d in error.errors()]
                raise InputError(f"meter {name}", problems) from None
            return rig.model_copy(update={"meters": meters})
    return rig


def _controller(rig: Rig, use: str) -> Rig:
    return rig.with_inputs(defect=use)


_CHANGES: dict[str, Callable[[Rig, str], Rig]] = {
    "vehicle": _vehicles,
    "personality": _personalities,
    "station": _station_quirks,
    "dc": _dc_quirks,
    "meter": _meter,
    "controller": _controller,
    "procedure": lambda rig, _use: rig,
}
