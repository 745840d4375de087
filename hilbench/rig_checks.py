"""What must agree between the tables of a rig before anything can be started from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import resources
from pathlib import Path

from hilbench.errors import Problem
from hilbench.rig_errors import Location, suggestion, where
from hilbench.rig_models import Rig
from hilbench.site import LINES

Complaint = tuple[Location, str, str]


def consistency(rig: Rig, numbers: Sequence[int], text: str = "") -> list[Problem]:
    """Problems between tables; ``numbers`` are the positions in the file of the rig's stations."""
    complaints: list[Complaint] = []
    for check in (_feeders, _unique_names, _connections, _station_names, _addresses, _meters, _known_names):
        complaints += check(rig)
    problems = []
    for location, what, remedy in complaints:
        if len(location) > 1 and location[0] == "station" and isinstance(location[1], int):
            location = ("station", numbers[location[1]], *location[2:])
        problems.append(Problem(where(text, location), what, remedy))
    return problems


def _feeders(rig: Rig) -> Iterator[Complaint]:
    known = {"service", *(feeder.id for feeder in rig.feeders)}
    resolved = {node.id for node in rig.electrical.nodes}
    if not rig.stations:
        yield ("station",), "there is no station", "add a [[station]] table for each"
    for index, feeder in enumerate(rig.feeders):
        if feeder.id == "service":
            yield ("feeder", index, "id"), "'service' is the root of the tree, which [site] describes", "rename it"
        if feeder.parent not in known:
            remedy = suggestion(feeder.parent, known) or f"known: {', '.join(sorted(known))}"
            yield ("feeder", index, "parent"), f"there is no feeder {feeder.parent!r}", remedy
        elif feeder.id not in resolved and feeder.id != "service":
            yield ("feeder", index, "parent"), f"{feeder.id!r} is not fed from the service", "its parents form a circle"
        if feeder.rating_a is None and feeder.transformer_kva is None:
            yield ("feeder", index), f"{feeder.id!r} has no rating", "give rating_a, transformer_kva or both"
    for index, entry in enumerate(rig.stations):
        if entry.feeder not in known:
            remedy = suggestion(entry.feeder, known) or f"known: {', '.join(sorted(known))}"
            yield ("station", index, "feeder"), f"there is no feeder {entry.feeder!r}", remedy


def _repeated(values: Iterable[str], place: Callable[[int], Location], what: str) -> Iterator[Complaint]:
    listed = list(values)
    counts = Counter(listed)
    for index, value in enumerate(listed):
        if counts[value] > 1 and listed.index(value) != index:
            yield place(index), f"{what} {value!r} is used {counts[value]} times", "each needs its own"


def _unique_names(rig: Rig) -> Iterator[Complaint]:
    yield from _repeated((f.id for f in rig.feeders), lambda i: ("feeder", i, "id"), "feeder id")
    yield from _repeated((s.role for s in rig.stations), lambda i: ("station", i, "role"), "role")
    roles = Counter(s.role for s in rig.stations)
    identities = [f"{s.identity} {i if roles[s.role] > 1 else ''}" for i, s in enumerate(rig.stations)]
    yield from _repeated(identities, lambda i: ("station", i, "identity"), "OCPP identity")
    nodes = {"service", *(f.id for f in rig.feeders)}
    for index, entry in enumerate(rig.stations):
        if entry.role in nodes or entry.role in ("controller", "base_load"):
            yield ("station", index, "role"), f"{entry.role!r} already names another part of the rig", "rename it"


def _connections(rig: Rig) -> Iterator[Complaint]:
    wiring = rig.site.service.wiring
    present = LINES[wiring]
    for index, entry in enumerate(rig.stations):
        missing = [line for line in entry.lines if line not in present]
        if missing:
            what = f"{entry.connection!r} uses {', '.join(missing)}, which a {wiring} service does not have"
            yield ("station", index, "connection"), what, f"lines here: {', '.join(present)}"


def _station_names(rig: Rig) -> Iterator[Complaint]:
    known = _toml_names("hilbench_emulators", "vehicles")
    for index, entry in enumerate(rig.stations):
        if known and entry.vehicle not in known and not entry.vehicle.endswith(".toml"):
            remedy = suggestion(entry.vehicle, known) or f"known: {', '.join(known)}; or the path of a .toml file"
            yield ("station", index, "vehicle"), f"there is no vehicle {entry.vehicle!r}", remedy


def _addresses(rig: Rig) -> Iterator[Complaint]:
    taken = {rig.controller.address: "controller.ocpp"}
    for name, meter in rig.meters.items():
        other = taken.setdefault(meter.endpoint, f"meter.{name}.address")
        if other != f"meter.{name}.address":
            yield ("meter", name, "address"), f"{meter.address} is also {other}", "give each its own port"


def _meters(rig: Rig) -> Iterator[Complaint]:
    nodes = {"service", *(feeder.id for feeder in rig.feeders)}
    if all(meter.node != "service" for meter in rig.meters.values()):
        yield ("meter",), "there is no meter on the service", 'add a [meter.service] table with node = "service"'
    for name, meter in rig.meters.items():
        if meter.node not in nodes:
            remedy = suggestion(meter.node, nodes) or f"known: {', '.join(sorted(nodes))}"
            yield ("meter", name, "node"), f"there is no feeder {meter.node!r}", remedy


def _known_names(rig: Rig) -> Iterator[Complaint]:
    profiles = requirement_ids()
    for index, name in enumerate(rig.site.requirements):
        if profiles and name not in profiles:
            remedy = suggestion(name, profiles) or f"known: {', '.join(profiles)}"
            yield ("site", "requirements", index), f"there is no requirement profile {name!r}", remedy


def requirement_ids() -> list[str]:
    """Names of the requirement profiles that come with the bench."""
    return _toml_names("hilbench", "requirements")


def _toml_names(package: str, folder: str) -> list[str]:
    return sorted(path.stem for path in (Path(str(resources.files(package))) / folder).glob("*.toml"))
