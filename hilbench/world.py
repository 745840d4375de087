"""From a rig to running devices: plant, building, meter, stations, their links, and the controller under test."""

from __future__ import annotations

import asyncio
import sys
import zlib
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import numpy as np

from hilbench import clock
from hilbench.dc_side import Cabinets, dc_settings
from hilbench.devices import Controller, Device, SiteStation
from hilbench.errors import DeviceError
from hilbench.pilot_side import PilotSide, pilot_side
from hilbench.real_station import RealStation
from hilbench.reference import reference_controller
from hilbench.rig import (
    BuildingEntry,
    ExternalController,
    MeterEntry,
    ReferenceController,
    Rig,
    SessionsEntry,
    StationEntry,
)
from hilbench.signals import Record
from hilbench.site import Site
from hilbench.sut import ExternalController as ExternalSystem
from hilbench.sut import LoopController, ProcessController
from hilbench_emulators.building import BuildingLoad, constant_load
from hilbench_emulators.grid.vtn import Vtn
from hilbench_emulators.link import FaultLink
from hilbench_emulators.load_csv import read_load_csv
from hilbench_emulators.load_models import parametric_load
from hilbench_emulators.meter import ModbusMeter
from hilbench_emulators.metering import MeterSettings
from hilbench_emulators.ocpp_meter import OcppMeter
from hilbench_emulators.personality import load_personality
from hilbench_emulators.plant import Plant
from hilbench_emulators.session_model import draw_sessions
from hilbench_emulators.sessions import Session, read_sessions
from hilbench_emulators.station.base import AcStation
from hilbench_emulators.station.ocpp2 import AcStation21, AcStation201
from hilbench_emulators.station.ocpp16 import AcStation16
from hilbench_emulators.station.quirks import pilot_timing
from hilbench_emulators.station.settings import PILOT, StationSettings

STATIONS: dict[str, type[AcStation]] = {"1.6": AcStation16, "2.0.1": AcStation201, "2.1": AcStation21}
"""Emulated station by OCPP version."""
START_TIMEOUT_S = 60.0
REFUSED_TIMEOUT_S = 20.0
"""As ``START_TIMEOUT_S``, when every station that is missing has been told no: it tries a few times."""
DIALS_TIMEOUT_S = 300.0
"""As ``START_TIMEOUT_S``, for real stations, which wait longer and longer before they dial again (policy-default)."""
POWER_GRID_S, POWER_PHASE_S = 30.0, 15.0
"""Stations get their supply on this grid of UTC: then what they do from their connection on (pings, heartbeats) has the
same phase to leases and stimuli on every clock."""


@dataclass
class World:
    """Everything that runs in a rig. ``start`` and ``stop`` go through it in the order in which it depends."""

    rig: Rig
    plant: Plant
    building: BuildingLoad
    feeder_loads: dict[str, BuildingLoad]
    stations: dict[str, SiteStation]
    links: dict[str, FaultLink]
    meter: ModbusMeter | OcppMeter | None
    feeder_meters: list[ModbusMeter]
    vtn: Vtn | None
    pilots: PilotSide
    controller: Controller
    sessions: list[Session]
    tasks: set[asyncio.Task[Any]] = field(default_factory=set)

    def devices(self) -> list[Device]:
        """All devices, those first that others need."""
        return [*self._around(), *self.stations.values(), *self.pilots.devices]

    def _around(self) -> list[Device]:
        asked: list[Device] = [device for device in (self.meter, self.vtn) if device is not None]
        return [*asked, *self.feeder_meters, self.controller, *self.links.values()]

    async def start(self) -> None:
        """Start everything and wait until every station is connected; raises ``DeviceError``."""
        for device in self._around():
            await device.start()
        await clock.sleep_until(clock.next_multiple(POWER_GRID_S, POWER_PHASE_S))
        for station in [*self.stations.values(), *self.pilots.devices]:
            await station.start()
        began = clock.time()
        while missing := [station for station in self.stations.values() if not station.connected]:
            if clock.time() > began + self._patience_s(missing):
                raise DeviceError(_not_accepted(missing, self.rig.controller.ocpp, clock.time() - began))
            await asyncio.sleep(0.5)

    def _patience_s(self, missing: list[SiteStation]) -> float:
        if not all(self.rig.station(station.role).emulated for station in missing):
            return DIALS_TIMEOUT_S
        return REFUSED_TIMEOUT_S if all(station.refusal for station in missing) else START_TIMEOUT_S

    async def stop(self) -> None:
        """Stop everything, last started first; what fails to stop does not keep the others from stopping."""
        for task in list(self.tasks):
            task.cancel()
        if self.tasks:
            await asyncio.wait(self.tasks)
        for device in reversed(self.devices()):
            try:
                await device.stop()
            except (DeviceError, OSError) as error:
                self.plant.record.event(clock.time(), "bench.stop_failed", type(device).__name__, reason=str(error))
        self.plant.stop()

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Run ``work`` in the background until the world stops."""
        task = asyncio.create_task(work, name=name)
        self.tasks.add(task)

    def assign_sessions(self) -> list[tuple[Session, str | None]]:
        """The day's sessions with the role that each gets: its own station, or None when the rig has no such one.

        When a file knows none of the rig's stations at all, its stations are given roles in order of appearance.
        """
        known = {session.station for session in self.sessions} & set(self.stations)
        if known:
            return [(session, session.station if session.station in known else None) for session in self.sessions]
        names = list(dict.fromkeys(session.station for session in self.sessions))
        roles = dict(zip(names, self.stations, strict=False))
        return [(session, roles.get(session.station)) for session in self.sessions]


def _not_accepted(missing: list[SiteStation], url: str, waited_s: float) -> str:
    """Which stations the controller at ``url`` did not accept, and what each was told."""
    told: dict[str, list[str]] = {}
    for station in missing:
        told.setdefault(station.refusal or "no answer to BootNotification", []).append(station.role)
    reasons = "; ".join(f"{', '.join(roles)}: {reason}" for reason, roles in told.items())
    return (
        f"not accepted by the controller at {url} within {waited_s:.0f} s: stations {reasons}. Compare controller.ocpp "
        f"and the identities of the rig ({', '.join(station.identity for station in missing)}) with the controller's"
    )


def build_world(
    rig: Rig,
    record: Record,
    *,
    seed: int,
    quiet_base_a: float | None,
    day: date | None,
    log_folder: Path | None = None,
) -> World:
    """Make everything that ``rig`` names, not started.

    ``quiet_base_a`` [A] replaces the building by a constant; feeders draw of it what they have of its worst.
    """
    site = rig.electrical
    metered = bool(rig.grid.vtn or rig.site.tariff) or any(entry.two_way for entry in rig.stations)
    plant = Plant(site, record, seed=seed, two_way=metered)
    local_day = day or clock.at(3600.0).astimezone(rig.zone).date()
    loads = _base_loads(rig, quiet_base_a, local_day, seed)
    for node, load in loads.items():
        plant.set_base_load(load, node)
    links = {entry.role: _link(rig) for entry in rig.stations} if _can_link(rig) else {}
    cabinets = Cabinets(rig)
    emulated = {
        entry.role: STATIONS[entry.ocpp](
            entry.branch,
            plant,
            url=_station_url(rig, links.get(entry.role)),
            identity=entry.identity,
            record=record,
            seed=seed,
            settings=_station_settings(entry, cabinets, log_folder),
        )
        for entry in rig.stations
        if entry.emulated
    }
    pilots = pilot_side(rig, plant, record, seed)
    real = {
        entry.role: _real_station(rig, entry, pilots, _station_url(rig, links.get(entry.role)), record)
        for entry in rig.stations
        if not entry.emulated
    }
    return World(
        rig=rig,
        plant=plant,
        building=loads.pop("service"),
        feeder_loads=loads,
        stations={entry.role: emulated.get(entry.role) or real[entry.role] for entry in rig.stations},
        links=links,
        meter=_site_meter(rig, plant, emulated, record, seed),
        feeder_meters=_feeder_meters(rig, plant, record, seed),
        vtn=_vtn(rig),
        pilots=pilots,
        controller=_controller(rig, log_folder),
        sessions=[] if quiet_base_a is not None else _sessions(rig, local_day, seed),
    )


def _real_station(
    rig: Rig, entry: StationEntry, pilots: PilotSide, url: Callable[[], str], record: Record
) -> RealStation:
    ev = pilots.ev_at(entry.role)
    assert ev is not None  # the rig's check says so
    voltage_v = rig.electrical.voltage_v(entry.branch)
    return RealStation(entry, ev, url=url, voltage_v=voltage_v, record=record)


def _base_loads(rig: Rig, quiet_base_a: float | None, day: date, seed: int) -> dict[str, BuildingLoad]:
    """What draws beside stations at the service, and at each feeder that declares something of its own."""
    site, service = rig.electrical, rig.site.service
    entries: dict[str, BuildingEntry | None] = {"service": rig.building}
    entries |= {node.id: None for node in site.nodes[1:] if site.own_base_a(node.id) > 0.0}
    entries |= {entry.node: entry for entry in rig.base_loads}
    found: dict[str, BuildingLoad] = {}
    for node, entry in entries.items():
        if quiet_base_a is not None or entry is None:
            found[node] = constant_load(service, (quiet_base_a or 0.0) * _part_of_base(site, node))
        else:
            found[node] = _building(rig, entry, day, seed if node == "service" else _own_seed(node, seed))
    return found


def _part_of_base(site: Site, node: str) -> float:
    """What of the site's worst base load is that of a node itself, as a share."""
    whole = site.worst_base_a
    return site.own_base_a(node) / whole if whole > 0.0 else float(node == "service")


def _own_seed(node: str, seed: int) -> int:
    return zlib.crc32(f"base_load.{node}.{seed}".encode())


def _building(rig: Rig, entry: BuildingEntry, day: date, seed: int) -> BuildingLoad:
    service, epoch = rig.site.service, clock.current().epoch
    if entry.csv is None:
        return _modelled(rig, entry, seed)
    return read_load_csv(
        entry.csv,
        service,
        epoch=epoch,
        timezone=entry.timezone or rig.site.timezone,
        day=day,
        file_day=entry.file_day,
        column=entry.column,
        unit=entry.unit,
        shares=entry.shares,
        power_factor=entry.power_factor,
        stamp=entry.stamp,
    )


def _modelled(rig: Rig, entry: BuildingEntry, seed: int) -> BuildingLoad:
    return parametric_load(
        entry.model or "constant",
        rig.site.service,
        epoch=clock.current().epoch,
        peak_kw=entry.peak_kw,
        peak_a=entry.peak_a,
        timezone=entry.timezone or rig.site.timezone,
        seed=seed,
        shares=entry.shares,
        power_factor=entry.power_factor,
        fluctuation=entry.fluctuation,
    )


def _sessions(rig: Rig, day: date, seed: int) -> list[Session]:
    entry = rig.sessions or SessionsEntry(model="workplace")
    path = entry.csv or entry.json_file
    timezone = entry.timezone or rig.site.timezone
    if path is not None:
        return read_sessions(path, timezone=timezone, day=day, energy=entry.energy)
    roles = [station.role for station in rig.stations]
    return draw_sessions(roles, day, timezone=timezone, seed=seed, model=entry.model or "workplace")


def _station_settings(entry: StationEntry, cabinets: Cabinets, log_folder: Path | None) -> StationSettings:
    return StationSettings(
        personality=load_personality(entry.personality),
        security_profile=entry.security_profile,
        password=entry.secret,
        ca_file=entry.ca_file,
        certificate=entry.certificate,
        key=entry.key,
        iso15118=entry.iso15118,
        pilot=PILOT if entry.dc else pilot_timing(entry.quirks, entry.wake_up),
        dc=dc_settings(entry, cabinets, log_folder) if entry.dc else None,
        model="ac-outlet" if entry.dc is None else "dc-outlet",
    )


def _can_link(rig: Rig) -> bool:
    """A link of the bench between station and controller would break the certificate check of a TLS connection."""
    return urlsplit(rig.controller.ocpp).scheme == "ws"


def _link(rig: Rig) -> FaultLink:
    host, port = rig.controller.address
    return FaultLink("127.0.0.1", 0, host, port)


def _station_url(rig: Rig, link: FaultLink | None) -> Callable[[], str]:
    """The CSMS URL of a station, asked for at every connect: a link's port is known only once it listens."""
    parts = urlsplit(rig.controller.ocpp)
    if link is None:
        return lambda: rig.controller.ocpp
    return lambda: urlunsplit(parts._replace(netloc=f"127.0.0.1:{link.port}"))


def _site_meter(
    rig: Rig, plant: Plant, stations: dict[str, AcStation], record: Record, seed: int
) -> ModbusMeter | OcppMeter | None:
    entry = rig.site_meter
    if entry.station is not None:
        rng = _meter_rng("service", seed)
        station = stations[entry.station]
        return OcppMeter(plant, station, record=record, rng=rng, settings=_meter_settings(entry))
    return _meter("service", entry, plant, record, seed) if entry.device.startswith("emulated:") else None


def _feeder_meters(rig: Rig, plant: Plant, record: Record, seed: int) -> list[ModbusMeter]:
    emulated = {name: entry for name, entry in rig.feeder_meters.items() if entry.device.startswith("emulated:")}
    return [_meter(name, entry, plant, record, seed) for name, entry in emulated.items()]


def _meter(name: str, entry: MeterEntry, plant: Plant, record: Record, seed: int) -> ModbusMeter:
    return ModbusMeter(
        plant,
        entry.node,
        record=record,
        rng=_meter_rng(name, seed),
        settings=_meter_settings(entry),
        address=entry.modbus,
        unit=entry.unit,
        name=name,
        registers=entry.map,
    )


def _meter_rng(name: str, seed: int) -> np.random.Generator:
    return np.random.default_rng([seed, zlib.crc32(f"meter.{name}".encode())])


def _meter_settings(entry: MeterEntry) -> MeterSettings:
    return MeterSettings(
        accuracy_class=entry.accuracy_class,
        rated_a=entry.rated_a,
        interval_s=entry.interval_s,
        latency_s=entry.latency_s,
        averaging_s=entry.averaging_s,
        noise_a=entry.noise_a,
        resolution_a=entry.resolution_a,
    )


def _vtn(rig: Rig) -> Vtn | None:
    entry = rig.grid.vtn
    if entry is None:
        return None
    vtn = Vtn(*entry.endpoint, version=entry.version)
    vtn.store.clients = {entry.client_id: entry.secret}
    return vtn


def _controller(rig: Rig, log_folder: Path | None) -> Controller:
    entry = rig.controller
    log = (log_folder or Path()) / "controller.log"
    if isinstance(entry, ExternalController):
        if entry.command:
            return ProcessController(entry.command, entry.address, log)
        return ExternalSystem(entry.address, entry.pid_file)
    if clock.is_virtual():
        return LoopController(lambda: reference_controller(rig).run(), entry.address)
    return ProcessController(_command(rig, entry), entry.address, log)


def _command(rig: Rig, entry: ReferenceController) -> list[str]:
    """The reference controller on the bench's own clock: as fast, and with the same UTC."""
    command = [sys.executable, "-P", "-m", "hilbench", "controller", str(rig.path)]
    command += ["--time", f"x{clock.current().factor:g}"]
    command += ["--clock", f"{clock.now().isoformat()}/{clock.machine_now().isoformat()}"]
    command += ["--policy", str(entry.settings["policy"])] if "policy" in entry.settings else []
    return [*command, "--defect", entry.defect] if entry.defect else command
