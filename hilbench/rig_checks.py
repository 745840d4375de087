"""What must agree between the tables of a rig before anything can be started from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from hilbench import rig_checks_dc, rig_checks_pilot, sunspec
from hilbench.errors import InputError, Problem
from hilbench.meter_maps import SUNSPEC, is_sunspec, load_meter_map, maps_by_model, meter_map_names
from hilbench.ocpd_file import ocpd_problems
from hilbench.requirements import load_requirements, profile_names
from hilbench.rig_building import BuildingEntry
from hilbench.rig_controllers import ReferenceController
from hilbench.rig_errors import Location, suggestion, where
from hilbench.rig_models import Rig, StationEntry
from hilbench.site import LINES
from hilbench.tariff import read_tariff
from hilbench_emulators.building import line_shares
from hilbench_emulators.dc.cars import car_names
from hilbench_emulators.dc.garage import find_car
from hilbench_emulators.dc_outlet.quirks import QUIRKS as DC_QUIRKS
from hilbench_emulators.personality import load_personality, names
from hilbench_emulators.pilot.timing import WAKE_UPS
from hilbench_emulators.station.quirks import QUIRKS as STATION_QUIRKS
from hilbench_emulators.vehicles import load_vehicle, vehicle_names

Complaint = tuple[Location, str, str]
REAL_STATION = rig_checks_pilot.REAL_STATION
DC_STATION = rig_checks_dc.DC_STATION
STATION_DEVICES = ("emulated:ac", DC_STATION, REAL_STATION)
"""What can play a station, and what a real one is called."""
OCPP_METER = "emulated:ocpp"
VTN_DEVICES = ("emulated:openadr3",)
"""What can play a VTN."""


def consistency(
    rig: Rig, numbers: Sequence[int], text: str = "", unsound: Collection[str] = frozenset()
) -> list[Problem]:
    """Problems between tables; ``numbers`` are the positions in the file of the rig's stations.

    ``unsound`` names tables that have errors of their own and were left out: what needs them is not checked.
    """
    complaints: list[Complaint] = []
    for table, check in _CHECKS:
        if table not in unsound:
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


def _ocpds(rig: Rig) -> Iterator[Complaint]:
    named: list[tuple[Location, str]] = [(("site", "service", "ocpd"), "service")] if rig.site.service.ocpd else []
    for index, feeder in enumerate(rig.feeders):
        place: Location = ("feeder", index, "ocpd")
        if feeder.ocpd and feeder.rating_a is None:
            yield place, f"{feeder.id!r} has an OCPD and no rating of it", "give rating_a"
        elif feeder.ocpd:
            named.append((place, feeder.id))
    for place, node_id in named:
        for problem in ocpd_problems(rig.electrical, node_id):
            what = f"{rig.electrical.ocpd_of(node_id)[1]}, {problem}" if problem.where != "ocpd" else problem.what
            yield place, what, ""


def _some_station(rig: Rig) -> Iterator[Complaint]:
    if not rig.stations:
        yield ("station",), "there is no station", "add a [[station]] table for each"


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
    # stations of one role are told already: their identities, which are the role, shall not be told again
    identities = [f"{s.identity} of {i}" if roles[s.role] > 1 else s.identity for i, s in enumerate(rig.stations)]
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
    for index, entry in enumerate(rig.stations):
        load, known = (find_car, car_names()) if entry.device == DC_STATION else (load_vehicle, vehicle_names())
        yield from named_file(load, known, ("station", index, "vehicle"), entry.vehicle)


def _personalities(rig: Rig) -> Iterator[Complaint]:
    for index, entry in enumerate(rig.stations):
        yield from named_file(load_personality, names(), ("station", index, "personality"), entry.personality)


def named_file(
    load: Callable[[str], object], known: Sequence[str], location: Location, name: str
) -> Iterator[Complaint]:
    """What is wrong with a name of something shipped, or with the path of a file like it; the key says what it is."""
    if name.endswith(".toml") or ".json#" in name:
        yield from _data_file(load, location, name)
    elif name not in known:
        remedy = suggestion(name, known) or f"known: {', '.join(known)}; or the path of a .toml file"
        yield location, f"there is no {location[-1]} {name!r}", remedy


def _data_file(load: Callable[[str], object], location: Location, path: str) -> Iterator[Complaint]:
    try:
        load(path)
    except InputError as error:
        for problem in error.problems:
            place = ", ".join(filter(None, (error.source, problem.where)))
            yield location, f"{place}: {problem.what}", problem.remedy


def _station_devices(rig: Rig) -> Iterator[Complaint]:
    for index, entry in enumerate(rig.stations):
        if entry.device not in STATION_DEVICES:
            remedy = suggestion(entry.device, STATION_DEVICES) or f"known: {', '.join(STATION_DEVICES)}"
            yield ("station", index, "device"), f"there is no kind of station {entry.device!r}", remedy
        known = DC_QUIRKS if entry.device == DC_STATION else STATION_QUIRKS
        for number, quirk in enumerate(entry.quirks):
            location = ("station", index, "quirks", number)
            if quirk not in known:
                remedy = suggestion(quirk, known) or f"known: {', '.join(known)}"
                yield location, f"there is no quirk {quirk!r}", remedy
        if entry.wake_up not in WAKE_UPS:
            remedy = suggestion(entry.wake_up, WAKE_UPS) or f"known: {', '.join(WAKE_UPS)}"
            yield ("station", index, "wake_up"), f"there is no wake-up {entry.wake_up!r}", remedy


def _security(rig: Rig) -> Iterator[Complaint]:
    encrypted = rig.controller.ocpp.startswith("wss:")
    for index, entry in enumerate(rig.stations):
        place, profile = ("station", index, "security_profile"), entry.security_profile
        yield from _password(entry, ("station", index))
        if profile in (1, 2) and not entry.password and entry.password_file is None:
            yield ("station", index, "password"), f"security profile {profile} has no password", "give one"
        if profile == 3 and (entry.certificate is None or entry.key is None):
            yield place, "security profile 3 has no client certificate", "give certificate and key"
        if profile >= 2 and not encrypted:
            yield place, f"security profile {profile} needs TLS", "let controller.ocpp begin with wss://"
        if profile < 2 and encrypted and isinstance(rig.controller, ReferenceController):
            yield place, f"security profile {profile} is not encrypted, and controller.ocpp is", "use profile 2 or 3"
    yield from _controllers_security(rig, encrypted)


def _password(entry: StationEntry, station: Location) -> Iterator[Complaint]:
    place = (*station, "password_file")
    if entry.password and entry.password_file is not None:
        yield place, "there is a password beside its file", "remove password"
    try:
        _ = entry.secret
    except ValueError as error:
        yield place, str(error), "put the password alone into that file"


def _controllers_security(rig: Rig, encrypted: bool) -> Iterator[Complaint]:
    if not isinstance(rig.controller, ReferenceController):
        return
    place, own = ("controller", "security_profile"), rig.controller.settings.get("security_profile", 0)
    if not isinstance(own, int) or isinstance(own, bool):
        return  # the settings' own check says so
    if (own >= 2) != encrypted:
        yield place, f"is {own}, which does not fit {rig.controller.ocpp}", "wss:// needs profile 2 or 3, ws:// 0 or 1"
    for index, entry in enumerate(rig.stations):
        if 0 < own != entry.security_profile:
            what = f"is {entry.security_profile}, and the controller demands {own}"
            yield ("station", index, "security_profile"), what, "make them equal"


def _meter_devices(rig: Rig) -> Iterator[Complaint]:
    known = ["emulated:ct", OCPP_METER, "modbus", *(f"modbus:{model}" for model in maps_by_model())]
    for name, meter in rig.meters.items():
        if meter.device not in known:
            yield ("meter", name, "device"), f"there is no kind of meter {meter.device!r}", f"known: {', '.join(known)}"
        own = maps_by_model().get(meter.device.removeprefix("modbus:"), meter.map)
        if own != meter.map:
            what = f"{meter.map!r} is not the map of {meter.device}"
            yield ("meter", name, "map"), what, 'leave it out, or write device = "modbus"'


def _sunspec(rig: Rig, name: str, registers: str) -> Iterator[Complaint]:
    if not sunspec.installed() and isinstance(rig.controller, ReferenceController):
        what = "the controller reads SunSpec by pysunspec2, which is not installed"
        yield ("meter", name, "map"), what, 'pip install "hilbench[sunspec]"'
    if registers != SUNSPEC[0] and rig.site.service.wiring != "three-phase":
        what = f"{registers!r} is of a three-phase service, this one is {rig.site.service.wiring}"
        yield ("meter", name, "map"), what, f"use {SUNSPEC[0]}"


def _serial_lines(rig: Rig) -> Iterator[Complaint]:
    for name, meter in rig.meters.items():
        if meter.device.startswith("emulated:") and meter.modbus.kind == "serial" and meter.modbus.parity != "N":
            what = "an emulated meter's serial line is a pseudo-terminal, which has no parity"
            yield ("meter", name, "address"), what, "write parity=N"


def _reported_meters(rig: Rig) -> Iterator[Complaint]:
    roles = [entry.role for entry in rig.stations]
    for name, meter in rig.meters.items():
        if meter.device != OCPP_METER:
            if meter.station is not None:
                yield ("meter", name, "station"), f"no station reports a meter that is {meter.device}", "leave it out"
            continue
        if meter.station not in roles:
            remedy = suggestion(meter.station or "", roles) or f"known: {', '.join(roles)}"
            yield ("meter", name, "station"), f"there is no station {meter.station!r} that reports it", remedy
        if meter.node != "service":
            yield ("meter", name, "node"), "a station reports the meter of the service only", 'write node = "service"'
        for key in sorted({"map", "address", "unit"} & meter.model_fields_set):
            yield ("meter", name, key), "a meter that a station reports has none", "leave it out"


def _meter_maps(rig: Rig) -> Iterator[Complaint]:
    for name, meter in rig.meters.items():
        if is_sunspec(meter.map):
            yield from _sunspec(rig, name, meter.map)
            continue
        wrong = list(named_file(load_meter_map, [*meter_map_names(), *SUNSPEC], ("meter", name, "map"), meter.map))
        yield from wrong
        lines = len(rig.site.service.lines)
        if not wrong and load_meter_map(meter.map).phases < lines:
            what = f"a meter with map {meter.map!r} measures {load_meter_map(meter.map).phases} of {lines} lines"
            yield ("meter", name, "map"), what, "choose the map of a meter for all of them"


def _addresses(rig: Rig) -> Iterator[Complaint]:
    taken = {rig.controller.address: "controller.ocpp"}
    vtn = rig.grid.vtn
    if vtn is not None and taken.setdefault(vtn.endpoint, "grid.vtn.address") != "grid.vtn.address":
        yield ("grid", "vtn", "address"), f"{vtn.address} is also controller.ocpp", "give each its own port"
    for name, meter in rig.meters.items():
        if meter.device == OCPP_METER:
            continue
        other = taken.setdefault(meter.endpoint, f"meter.{name}.address")
        if other != f"meter.{name}.address":
            yield ("meter", name, "address"), f"{meter.address} is also {other}", "give each its own port"


def _vtn(rig: Rig) -> Iterator[Complaint]:
    vtn = rig.grid.vtn
    if vtn is None:
        return
    if vtn.device not in VTN_DEVICES:
        remedy = suggestion(vtn.device, VTN_DEVICES) or f"known: {', '.join(VTN_DEVICES)}"
        yield ("grid", "vtn", "device"), f"there is no kind of VTN {vtn.device!r}", remedy
    try:
        _ = vtn.secret
    except ValueError as error:
        yield ("grid", "vtn", "client_secret_file"), str(error), "put the secret alone into that file"
    if isinstance(rig.controller, ReferenceController) and "openadr" not in rig.controller.settings:
        remedy = "add [controller.openadr] with url, client_id, client_secret_file and full_kw"
        yield ("grid", "vtn"), "nobody would ask this VTN: the reference controller has no openadr", remedy


def _tariff(rig: Rig) -> Iterator[Complaint]:
    if rig.site.tariff is None:
        return
    try:
        read_tariff(rig.site.tariff)
    except InputError as error:
        for problem in error.problems:
            yield ("site", "tariff"), f"{error.source}: {problem.where}: {problem.what}", problem.remedy


def _meters(rig: Rig) -> Iterator[Complaint]:
    nodes = {"service", *(feeder.id for feeder in rig.feeders)}
    if all(meter.node != "service" for meter in rig.meters.values()):
        yield ("meter",), "there is no meter on the service", 'add a [meter.service] table with node = "service"'
    read: dict[str, str] = {}
    for name, meter in rig.meters.items():
        first = read.setdefault(meter.node, name)
        if name == "service" and meter.node in nodes - {"service"}:
            yield ("meter", name, "node"), f"meter.service is not of the service but of {meter.node!r}", "rename it"
        if meter.node in nodes and first != name:
            remedy = "leave it out: the controller reads one meter of each node"
            yield ("meter", name), f"would not be played beside meter.{first}", remedy
        if meter.node not in nodes:
            remedy = suggestion(meter.node, nodes) or f"known: {', '.join(sorted(nodes))}"
            yield ("meter", name, "node"), f"there is no feeder {meter.node!r}", remedy


def _shares(rig: Rig) -> Iterator[Complaint]:
    if rig.building is not None:
        yield from _shares_of(rig, rig.building, ("building",))


def _shares_of(rig: Rig, building: BuildingEntry, place: Location) -> Iterator[Complaint]:
    if building.shares is None:
        return
    try:
        line_shares(rig.site.service, building.shares)
    except InputError as error:
        for problem in error.problems:
            yield (*place, *problem.where.split(".")), problem.what, problem.remedy


def _base_loads(rig: Rig) -> Iterator[Complaint]:
    feeders = {feeder.id: feeder for feeder in rig.feeders}
    yield from _repeated((one.node for one in rig.base_loads), lambda i: ("base_load", i, "node"), "feeder")
    for index, entry in enumerate(rig.base_loads):
        place, feeder = ("base_load", index, "node"), feeders.get(entry.node)
        if entry.node == "service":
            yield place, "the load of the service is [building]", "write [building] instead"
        elif feeder is None:
            remedy = suggestion(entry.node, feeders) or f"known: {', '.join(sorted(feeders))}"
            yield place, f"there is no feeder {entry.node!r}", remedy
        elif rig.electrical.own_base_a(entry.node) <= 0.0:
            what = f"feeder {entry.node!r} declares nothing of its own beside its stations"
            yield place, what, "give that [[feeder]] worst_base_a: the most that this load draws"
        yield from _shares_of(rig, entry, ("base_load", index))
    below = rig.electrical.feeders_base_a("service")
    if below > rig.site.worst_base_a:
        what = f"is {rig.site.worst_base_a:g} A, and what the feeders declare makes {below:g} A"
        yield ("site", "worst_base_a"), what, f"at least {below:g}: it counts what flows through the service"


def _known_names(rig: Rig) -> Iterator[Complaint]:
    profiles, place = profile_names(), ("site", "requirements")
    strangers = [name for name in rig.site.requirements if not name.endswith(".toml") and name not in profiles]
    for name in strangers:
        remedy = suggestion(name, profiles) or f"known: {', '.join(profiles)}, and TOML files"
        index = rig.site.requirements.index(name)
        yield (*place, index), f"there is no requirement profile {name!r}", remedy
    try:
        load_requirements([name for name in rig.site.requirements if name not in strangers])
    except InputError as error:
        for problem in error.problems:
            yield place, f"{problem.where}: {problem.what}", problem.remedy


def _loads(rig: Rig) -> Iterator[Complaint]:
    known = [node.id for node in rig.electrical.nodes]
    named: list[tuple[Location, str]] = [
        (("loads", "other", index, "node"), one.node) for index, one in enumerate(rig.loads.other)
    ]
    named += [(("loads", "full_rated", index), node) for index, node in enumerate(rig.loads.full_rated)]
    for place, node in named:
        if node not in known:
            yield place, f"there is no feeder {node!r}", suggestion(node, known) or f"known: {', '.join(known)}"


_CHECKS: tuple[tuple[str, Callable[[Rig], Iterator[Complaint]]], ...] = (
    ("station", _some_station),
    ("feeder", _feeders),
    ("feeder", _ocpds),
    ("", _unique_names),
    ("", _connections),
    ("", _station_names),
    ("", _station_devices),
    ("", _personalities),
    ("", _security),
    ("meter", _addresses),
    ("meter", _meters),
    ("", _meter_devices),
    ("", _reported_meters),
    ("meter", _meter_maps),
    ("meter", _serial_lines),
    ("grid", _vtn),
    ("", _tariff),
    ("", _shares),
    ("base_load", _base_loads),
    ("", _known_names),
    ("loads", _loads),
    ("", rig_checks_pilot.check),
    ("", rig_checks_dc.check),
)
"""Checks, each with the table that it is about; it says nothing when that table was left out."""
