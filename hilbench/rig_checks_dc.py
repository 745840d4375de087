"""Checks of a rig's DC stations."""

from __future__ import annotations

from collections.abc import Iterator

from hilbench.errors import InputError
from hilbench.rig_dc import DcEntry
from hilbench.rig_errors import Location
from hilbench.rig_models import Rig, StationEntry
from hilbench.site import MINIMUM_CURRENT_A
from hilbench_emulators.dc.garage import find_car
from hilbench_emulators.dc.power_module import load_module
from hilbench_emulators.dc_outlet.quirks import QUIRKS

Complaint = tuple[Location, str, str]
DC_STATION = "emulated:dc"


def check(rig: Rig) -> Iterator[Complaint]:
    """Each DC station has modules that fit its car and its site; a cabinet has two outlets that agree."""
    for index, entry in enumerate(rig.stations):
        place: Location = ("station", index)
        if entry.device == DC_STATION:
            yield from _station(entry, place)
        elif entry.dc is not None:
            yield (*place, "dc"), f"{entry.device!r} has no DC outlet of the bench", f'write device = "{DC_STATION}"'
        elif entry.kind == "ac" and entry.least_a is not None and entry.least_a < MINIMUM_CURRENT_A:
            yield (*place, "least_a"), "no pilot offers less than 6 A", 'give 6 or more, or kind = "dc"'
        if entry.device.startswith("emulated:") and (entry.kind == "dc") != (entry.device == DC_STATION):
            yield (*place, "kind"), f"is {entry.kind!r}, and the station is {entry.device!r}", "leave kind out"
    yield from _cabinets(rig)


def _station(entry: StationEntry, place: Location) -> Iterator[Complaint]:
    assert entry.dc is not None  # the entry's own default
    try:
        module = load_module(entry.dc.module)
    except InputError as error:
        yield from (((*place, "dc", "module"), f"{error.source}: {p.what}", p.remedy) for p in error.problems)
    else:
        if len(entry.lines) != module.phases:
            what = f"its power modules have {module.phases} phase(s), the connection {len(entry.lines)} line(s)"
            yield (*place, "connection"), what, "connect all of them"
    if entry.dc.recorded and entry.dc.connector != "chademo":
        yield (*place, "dc", "recorded"), "the recorded sessions are of CHAdeMO", 'write connector = "chademo"'
    if entry.dc.can is not None and entry.dc.connector != "chademo":
        yield (*place, "dc", "can"), "CCS is not on CAN", 'leave it out, or write connector = "chademo"'
    for number, quirk in enumerate(entry.quirks):
        if quirk in QUIRKS:
            yield from (((*place, "quirks", number), what, "leave it out") for what in _misfits(entry.dc, quirk))
    if entry.iso15118 and entry.ocpp == "2.1" and entry.dc.connector == "ccs" and entry.dc.protocol != "iso20":
        yield (*place, "dc", "protocol"), "a CCS car discharges in ISO 15118-20 only", 'write protocol = "iso20"'
    yield from _vehicle(entry, place)


def _misfits(dc: DcEntry, name: str) -> Iterator[str]:
    """Why a quirk cannot show at an outlet."""
    quirk = QUIRKS[name]
    if dc.connector not in quirk.connectors:
        yield f"{name!r} is of {', '.join(quirk.connectors)}, the connector is {dc.connector}"
    elif dc.connector == "ccs" and dc.protocol not in quirk.protocols:
        yield f"{name!r} shows in {', '.join(quirk.protocols)}, the protocol is {dc.protocol}"


def _vehicle(entry: StationEntry, place: Location) -> Iterator[Complaint]:
    assert entry.dc is not None
    try:
        car = find_car(entry.vehicle)
    except InputError:
        return  # the check of names says so
    if car.port != entry.dc.connector:
        what = f"{entry.vehicle!r} has a {car.port} inlet, the connector is {entry.dc.connector}"
        yield (*place, "vehicle"), what, "name a car that fits"


def _cabinets(rig: Rig) -> Iterator[Complaint]:
    for name, entries in rig.cabinets.items():
        last = max(index for index, entry in enumerate(rig.stations) if entry is entries[-1])
        place: Location = ("station", last, "dc", "cabinet")
        if len(entries) != 2:
            yield place, f"cabinet {name!r} has {len(entries)} outlet(s)", "give it to two stations"
            continue
        first, second = (entry.dc for entry in entries)
        for key in ("module", "shared"):
            if getattr(first, key) != getattr(second, key):
                yield place, f"the outlets of {name!r} differ in {key}", "make them equal"
