"""Checks of a rig's instruments and boards against its other tables."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from hilbench.rig_errors import Location, suggestion
from hilbench.rig_models import Rig, StationEntry
from hilbench_emulators.openevse_settings import QUIRKS as BOARD_QUIRKS
from hilbench_emulators.oscilloscope_dialect import QUIRKS as SCOPE_QUIRKS

Complaint = tuple[Location, str, str]
REAL_STATION = "ocpp"
_SECURED = ("security_profile", "password", "password_file", "ca_file", "certificate", "key")
_PLAYED = frozenset(("quirks", "personality", "iso15118", "wake_up", *_SECURED))
"""What only an emulated station has."""


def instruments(rig: Rig) -> Iterator[Complaint]:
    """Every channel hangs on a pilot that there is, and that the bench can render where the instrument is emulated."""
    evses = [name for name, board in rig.boards.items() if not board.simulates_ev]
    stations = [entry.role for entry in rig.stations]
    for name, entry in rig.instruments.items():
        for of in entry.pilot:
            if of not in evses and of not in stations:
                known = [*stations, *evses]
                remedy = suggestion(of, known) or f"known: {', '.join(known)}"
                yield ("instrument", name, "pilot", of), f"there is no station or EVSE board {of!r}", remedy
            elif entry.emulated and not _emulated(rig, of):
                what = f"{of!r} is real, and an emulated oscilloscope cannot look at it"
                yield ("instrument", name, "device"), what, "use a real oscilloscope there"
        yield from _quirks(("instrument", name, "quirks"), entry.quirks, SCOPE_QUIRKS)
    looked_at = [of for entry in rig.instruments.values() for of in entry.pilot]
    for of in sorted({one for one in looked_at if looked_at.count(one) > 1}):
        yield ("instrument",), f"two channels are on the pilot of {of!r}", "leave one of them out"


def boards(rig: Rig) -> Iterator[Complaint]:
    """An EV simulator is plugged into a pilot that there is, one into each; names are not those of stations."""
    stations = {entry.role for entry in rig.stations}
    evses = [name for name, board in rig.boards.items() if not board.simulates_ev]
    taken: dict[str, str] = {}
    for name, entry in rig.boards.items():
        if name in stations:
            yield ("board", name), f"a station is called {name!r} too", "rename the board"
        yield from _quirks(("board", name, "quirks"), entry.quirks, BOARD_QUIRKS)
        if entry.evse is None:
            continue
        first = taken.setdefault(entry.evse, name)
        if first != name:
            yield ("board", name, "evse"), f"board {first!r} is plugged in there", "give each EV simulator its own"
        if entry.evse not in evses and entry.evse not in stations:
            known = [*evses, *sorted(stations)]
            remedy = suggestion(entry.evse, known) or f"known: {', '.join(known)}"
            yield ("board", name, "evse"), f"there is no EVSE board or station {entry.evse!r}", remedy
        elif entry.emulated and not (entry.evse in evses and _emulated(rig, entry.evse)):
            what = "an emulated EV simulator plugs into an emulated board only"
            yield ("board", name, "evse"), what, f"emulated boards: {', '.join(evses) or 'none'}"
        elif not entry.emulated and _emulated(rig, entry.evse):
            yield (
                ("board", name, "evse"),
                f"{entry.evse!r} is emulated: nothing real can be plugged in",
                "see the manual",
            )


def stations(rig: Rig) -> Iterator[Complaint]:
    """A real station has an EV simulator for its car, a place where it dials the bench, and no emulated traits."""
    plugged = {board.evse for board in rig.boards.values()}
    for index, entry in enumerate(rig.stations):
        if entry.device != REAL_STATION:
            if entry.listen is not None:
                yield (
                    ("station", index, "listen"),
                    "only a real station dials the bench",
                    f"use device {REAL_STATION!r}",
                )
            continue
        yield from _dialled(rig, index)
        if entry.role not in plugged:
            remedy = f'add a [board.NAME] with device = "ev-simulator" and evse = "{entry.role}"'
            yield ("station", index), f"the real station {entry.role!r} has no car", remedy
        for key in sorted(_PLAYED & _differing(entry)):
            yield ("station", index, key), "is for emulated stations", "leave it out: a real one has its own"


def _differing(entry: StationEntry) -> set[str]:
    """Keys that do not have their default; those of ``station_defaults`` may be there with it."""
    return {key for key, field in StationEntry.model_fields.items() if getattr(entry, key) != field.default}


def _dialled(rig: Rig, index: int) -> Iterator[Complaint]:
    entry, place = rig.stations[index], ("station", index, "listen")
    try:
        at = entry.dialled
    except ValueError as error:
        yield place, str(error) if entry.listen else "a real station must dial the bench", "give ws://0.0.0.0:PORT"
        return
    if at[1] == rig.controller.address[1]:
        yield place, f"port {at[1]} is also that of controller.ocpp", "give each its own port"
    if not rig.controller.ocpp.startswith("ws:"):
        yield ("controller", "ocpp"), "the bench passes a real station on without TLS", "let it begin with ws://"


def addresses(rig: Rig) -> Iterator[Complaint]:
    """No two of them share an address."""
    seen: dict[str, str] = {}
    named = [("instrument", name, entry.address) for name, entry in rig.instruments.items()]
    named += [("board", name, entry.address) for name, entry in rig.boards.items()]
    named += [("station", entry.role, entry.listen) for entry in rig.stations if entry.listen is not None]
    for table, name, address in named:
        first = seen.setdefault(address, f"{table}.{name}")
        if first != f"{table}.{name}":
            yield (table, name, "address"), f"{address} is that of {first}", "give each its own"


def _emulated(rig: Rig, of: str) -> bool:
    if of in rig.boards:
        return rig.boards[of].emulated
    return rig.station(of).emulated


def _quirks(at: Location, given: tuple[str, ...], known: Collection[str]) -> Iterator[Complaint]:
    for index, quirk in enumerate(given):
        if quirk not in known:
            yield (*at, index), f"there is no quirk {quirk!r}", suggestion(quirk, known) or f"known: {', '.join(known)}"


def check(rig: Rig) -> Iterator[Complaint]:
    """All of them."""
    yield from instruments(rig)
    yield from boards(rig)
    yield from stations(rig)
    yield from addresses(rig)
