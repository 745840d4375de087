"""What a rig is like, as far as procedures care: which of them make sense there at all.

A rig that *cannot* be asked something (no car there discharges, static sharing measures nothing) is another matter than
one that the bench may not touch: the first is left out and named, the second is not run and counts as that.
"""

from __future__ import annotations

from collections.abc import Iterable

from hilbench.procedures import Procedure
from hilbench.rig import ReferenceController, Rig
from hilbench.rig_lint_v2g import given_a
from hilbench.site import Site

FACTS = {
    "v2g": "a car that can discharge",
    "v2g.day": "a car that can discharge and whose session may last for hours",
    "export.limited": "a limit of the export",
    "tariff": "a tariff",
    "grid.vtn": "a VTN",
    "controller.measures": "a controller that looks at the meter",
    "import.only": "a connection that takes power only",
    "stations.several": "more than one station",
    "cars.pausable": "more than one AC station, for DC sessions do not take turns",
    "cars.draw": "cars that draw current at all stations, which an EV simulator does not",
    "lines.several": "more than one line conductor",
    "lines.unbalanced": "a limit of the unbalance that its stations could break",
    "feeders.loaded": "a feeder that feeds more than stations",
    "pilot.station": "an oscilloscope on the pilot of a station",
    "pilot.car": "an oscilloscope on the pilot of an emulated station",
    "pilot.evse": "an oscilloscope on the pilot of an EVSE board",
    "dc": "a DC station of the bench",
    "dc.cabinet": "two DC stations that share a cabinet",
    "dc.v2g": "a DC station whose car can discharge",
    "controller.gives": "a controller that lets cars discharge",
    "controller.forbids": "a controller that lets no car discharge",
    "dc.recorded": "a CHAdeMO station that is like one of a recorded session",
    "pilot.ev": "an oscilloscope on the pilot between an EVSE board and an EV simulator",
}
"""What procedures may need of a rig's nature, in words."""


def two_way_roles(rig: Rig) -> list[str]:
    """Stations whose car may discharge: with a link to it, OCPP 2.1, and a car that can; in rig order."""
    return [entry.role for entry in rig.stations if given_a(entry) > 0.0]


def lets_give(rig: Rig) -> bool:
    """Its controller lets cars discharge: the reference one under policy v2g only, of another nothing is known."""
    return not isinstance(rig.controller, ReferenceController) or rig.controller.settings.get("policy") == "v2g"


def dc_roles(rig: Rig) -> list[str]:
    """DC stations that the bench plays, in rig order."""
    return [entry.role for entry in rig.stations if entry.dc is not None]


def recorded_roles(rig: Rig) -> list[str]:
    """Those whose charger and car are like those of a recorded session."""
    return [entry.role for entry in rig.stations if entry.dc is not None and entry.dc.recorded]


def cabinets(rig: Rig) -> list[tuple[str, str]]:
    """Pairs of DC stations that share a cabinet."""
    return [(first.role, second.role) for first, second in rig.cabinets.values()]


def crowded_roles(site: Site) -> tuple[str, list[str]]:
    """The line that stations could load the most alone, and these stations; a car of one phase uses the first line."""
    alone: dict[str, list[str]] = {line: [] for line in site.lines}
    for branch in site.branches:
        if not branch.line_to_line:
            alone[branch.lines[0]].append(branch.role)
    line = max(alone, key=lambda one: _together_a(site, alone[one]))
    return line, alone[line]


def _together_a(site: Site, roles: Iterable[str]) -> float:
    return sum(site.branch(role).max_a for role in roles)


def could_unbalance(site: Site) -> bool:
    """The lines may differ by so much only, and cars of one phase could make it more."""
    return _together_a(site, crowded_roles(site)[1]) > site.spread_a


def loaded_feeders(site: Site) -> list[str]:
    """Feeders of stations that declare something of their own beside these, in the order of the file."""
    return [node.id for node in site.nodes[1:] if site.own_base_a(node.id) > 0.0 and site.below(node.id)]


def probed_stations(rig: Rig) -> list[str]:
    """Stations whose pilot an oscilloscope looks at."""
    return [entry.role for entry in rig.stations if entry.role in rig.probed]


def probed_cars(rig: Rig) -> list[str]:
    """Those of them whose car the bench plays."""
    return [role for role in probed_stations(rig) if rig.station(role).emulated]


def probed_boards(rig: Rig) -> list[str]:
    """EVSE boards whose pilot an oscilloscope looks at."""
    return [name for name, board in rig.boards.items() if not board.simulates_ev and name in rig.probed]


def facts(rig: Rig) -> frozenset[str]:
    """Those of ``FACTS`` that hold for ``rig``."""
    holds = {
        "v2g": bool(two_way_roles(rig)),
        "v2g.day": bool(set(two_way_roles(rig)) - set(recorded_roles(rig))),
        "export.limited": rig.site.export_limit_kw is not None,
        "tariff": rig.site.tariff is not None,
        "grid.vtn": rig.grid.vtn is not None,
        "controller.measures": rig.controller.measures,
        "import.only": not rig.exports,
        "stations.several": len(rig.stations) > 1,
        "cars.pausable": sum(entry.kind == "ac" for entry in rig.stations) > 1,
        "cars.draw": all(entry.emulated for entry in rig.stations),
        "lines.several": len(rig.electrical.lines) > 1,
        "lines.unbalanced": could_unbalance(rig.electrical),
        "feeders.loaded": bool(loaded_feeders(rig.electrical)),
        "pilot.station": bool(probed_stations(rig)),
        "pilot.car": bool(probed_cars(rig)),
        "pilot.evse": bool(probed_boards(rig)),
        "controller.gives": lets_give(rig),
        "controller.forbids": not lets_give(rig),
        "dc": bool(dc_roles(rig)),
        "dc.cabinet": bool(cabinets(rig)),
        "dc.v2g": any(rig.station(role).kind == "dc" for role in two_way_roles(rig)),
        "dc.recorded": bool(recorded_roles(rig)),
        "pilot.ev": any(entry.evse in probed_boards(rig) for entry in rig.boards.values()),
    }
    return frozenset(name for name, true in holds.items() if true)


def fitting(procedures: Iterable[Procedure], rig: Rig) -> tuple[tuple[Procedure, ...], list[str]]:
    """The procedures that make sense for ``rig``, and in words which do not and why."""
    lacks = frozenset(FACTS) - facts(rig)
    kept: list[Procedure] = []
    left: list[str] = []
    for procedure in procedures:
        of_pilots = any(name.startswith("pilot.") for name in procedure.needs)
        needs = procedure.needs if of_pilots else procedure.needs | {"cars.draw"}
        missing = sorted(needs & lacks)
        if missing:
            left.append(f"{procedure.id} {procedure.title} (needs {', '.join(FACTS[name] for name in missing)})")
        else:
            kept.append(procedure)
    return tuple(kept), left
