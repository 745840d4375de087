"""The rig file as data: which site, which devices play its roles, and how to reach them.

Every table of the TOML file is one model here; unknown keys are errors. A device is named by its *kind*:
``emulated:...`` is played by the bench, anything else is real hardware behind an address.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, Field, PrivateAttr, ValidationInfo, field_validator, model_validator

from hilbench.clock import DEFAULT_EPOCH
from hilbench.errors import InputError
from hilbench.loads import LoadsEntry
from hilbench.requirements import load_requirements
from hilbench.rig_building import BaseLoadEntry, BuildingEntry
from hilbench.rig_controllers import ControllerEntry, ReferenceController
from hilbench.rig_dc import DcEntry
from hilbench.rig_grid import GridEntry
from hilbench.rig_meters import MeterEntry
from hilbench.rig_pilot import BoardEntry, InstrumentEntry
from hilbench.rig_safe import SafeEntry, safe_step
from hilbench.rig_values import Address, DataName, InputFile, TimeZone, one_line, parse_address
from hilbench.safe_plan import SafePlan
from hilbench.site import (
    NAME,
    Amperes,
    Branch,
    Feeder,
    Integer,
    Model,
    Name,
    Number,
    Rating,
    Service,
    Site,
)
from hilbench.tomlfile import is_file

_LONGEST_PASSWORD = 64


class SiteEntry(Model):
    """``[site]``: the service, its control setpoint and the profiles that say what is required.

    ``budget_a`` is the setpoint [A per line] that the controller must keep (default: 80 % of the service);
    ``worst_base_a`` the largest current [A per line] that the building draws without the stations.

    ``contract_kw`` is what the site may take from the grid [kW], ``export_limit_kw`` what it may feed in at its
    interconnection [kW]. ``unbalance_a`` is how far the lines may differ [A]
    (4.6 kVA on 230 V, VDE-AR-N 4100: 20 A; recalled), ``neutral_a`` what a smaller neutral bears [A]. ``tariff`` is the
    URDB JSON file of what energy and demand cost here: the bench reckons with it, a controller has its own setting.
    ``requirements`` are the profiles by which it is judged, shipped ones by name and others by their TOML file; of
    several limits on one quantity the strictest counts.
    """

    name: Annotated[str, Field(min_length=1, max_length=100)]
    service: Service
    budget_a: Amperes | None = None
    worst_base_a: Amperes = 0.0
    contract_kw: Annotated[Number, Field(gt=0, le=100_000)] | None = None
    export_limit_kw: Annotated[Number, Field(ge=0, le=100_000)] | None = None
    unbalance_a: Rating | None = None
    neutral_a: Rating | None = None
    tariff: InputFile | None = None
    timezone: TimeZone = "UTC"
    requirements: Annotated[tuple[DataName, ...], Field(min_length=1)] = ("generic-v0",)


USUAL_CAR = "model-3"
USUAL_DC_CAR = {"ccs": "ioniq-5", "chademo": "leaf-40"}
"""Cars that procedures plug in where the rig names none, by connector."""


class StationEntry(Branch):
    """``[[station]]``: a station's branch circuit, and what plays the station.

    ``identity`` is its OCPP identity (default: the role); ``vehicle`` the car that procedures plug in, by its name or
    by the path of a TOML file relative to the rig file; ``quirks`` the misbehaviours that an emulated station shows.

    ``personality`` is the make of an emulated station, by name or path. ``security_profile`` says how it connects: 1
    with ``password``, 2 with it in TLS, 3 with its ``certificate`` and ``key``; ``ca_file`` is the CA that it trusts.
    ``password_file`` holds the password instead of the rig, without the line end; a run folder keeps neither of them.

    ``iso15118`` gives an emulated station of OCPP 2.x a link to the car: it tells what the car needs, and in 2.1 it
    lets a car discharge that can. ``wake_up`` is what it does with a car that sleeps: ``none``, or as the stations of
    ``everest``, ``phoenix-contact``, ``smartevse`` or ``warp``.

    ``device = "ocpp"`` is a real station: it dials ``ws://HOST:PORT`` of the bench, given in ``listen``, which passes
    everything on to the controller; the EV simulator that is plugged in there is its car.

    ``device = "emulated:dc"`` is a DC station; ``dc`` says what is behind its outlet, ``vehicle`` is then a DC car, and
    with ``iso15118`` and OCPP 2.1 a car may discharge that can.
    """

    device: str = "emulated:ac"
    ocpp: Literal["1.6", "2.0.1", "2.1"] = "1.6"
    identity: Annotated[str, Field(pattern=r"^[A-Za-z0-9*_=:+|@.-]{1,48}$")] = ""
    vehicle: DataName = ""
    dc: DcEntry | None = None
    quirks: tuple[str, ...] = ()
    personality: DataName = "standard"
    iso15118: bool = False
    wake_up: str = "none"
    listen: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    security_profile: Annotated[Integer, Field(ge=0, le=3)] = 0
    password: Annotated[str, Field(max_length=_LONGEST_PASSWORD, repr=False)] = ""
    password_file: InputFile | None = None
    ca_file: InputFile | None = None
    certificate: InputFile | None = None
    key: InputFile | None = None

    @model_validator(mode="before")
    @classmethod
    def _identity_is_role(cls, data: Any) -> Any:
        if isinstance(data, dict) and "identity" not in data:
            role = data.get("role")
            return {**data, "identity": role} if isinstance(role, str) and re.fullmatch(NAME, role) else data
        return data

    @model_validator(mode="before")
    @classmethod
    def _kind_and_car(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        dc = data.get("device") == "emulated:dc"
        given = data.get("dc")
        connector = given.get("connector", "ccs") if isinstance(given, dict) else "ccs"
        usual = (
            {"kind": "dc", "dc": {}, "vehicle": USUAL_DC_CAR.get(str(connector), "")} if dc else {"vehicle": USUAL_CAR}
        )
        return {**usual, **data}

    @property
    def emulated(self) -> bool:
        """Played by the bench."""
        return self.device.startswith("emulated:")

    @property
    def dialled(self) -> Address:
        """Where a real station dials the bench; raises ``ValueError`` where ``listen`` names no place."""
        return parse_address(self.listen or "", ("ws",))

    @property
    def secret(self) -> str:
        """The password, from wherever it is; raises ``ValueError`` for a file that holds none of 1 to 64 characters."""
        if self.password_file is None:
            return self.password
        return one_line(self.password_file, _LONGEST_PASSWORD, "password")

    @property
    def two_way(self) -> bool:
        """A car that can discharge may do so here."""
        return self.iso15118 and self.ocpp == "2.1"

    @property
    def branch(self) -> Branch:
        """The electrical part alone."""
        return Branch.model_validate(self.model_dump(include=set(Branch.model_fields)))


class SessionsEntry(Model):
    """``[sessions]``: which cars come when on a day, from a ``csv``, ACN-Data ``json``, or a ``model``.

    ``energy`` chooses the figure of ACN-Data that a car wants: what was delivered to it, or what its driver requested.
    """

    csv: InputFile | None = None
    json_file: Annotated[InputFile | None, Field(alias="json")] = None
    model: Literal["workplace", "public", "home"] | None = None
    energy: Literal["delivered", "requested"] = "delivered"
    timezone: TimeZone | None = None

    @model_validator(mode="after")
    def _one_source(self) -> SessionsEntry:
        if sum(source is not None for source in (self.csv, self.json_file, self.model)) != 1:
            raise ValueError("has no single source; give exactly one of csv, json and model")
        return self

    @property
    def file(self) -> Path | None:
        """The file that the sessions are read from, if they are."""
        return self.csv or self.json_file


class RunEntry(Model):
    """``[run]``: ``epoch`` is the UTC at which bench time starts on a virtual or scaled clock."""

    epoch: Annotated[AwareDatetime, Field(strict=True)] = DEFAULT_EPOCH

    @field_validator("epoch")
    @classmethod
    def _utc(cls, value: datetime) -> datetime:
        if not 1970 <= value.year < 2200:
            raise ValueError("must lie between 1970 and 2200")
        return value.astimezone(UTC)


Entry = TypeVar("Entry", bound=Model)


def _entry(kind: type[Entry], path: Path, **values: Any) -> Entry:
    if not is_file(path):
        raise InputError(str(path), "there is no such file")
    return kind.model_validate(values)


class Rig(Model):
    """A whole rig file. ``electrical`` is its site; every device of the site has its entry here."""

    site: SiteEntry
    feeders: Annotated[tuple[Feeder, ...], Field(alias="feeder")] = ()
    station_defaults: dict[str, Any] = Field(default_factory=dict)
    stations: Annotated[tuple[StationEntry, ...], Field(alias="station")] = ()
    controller: ControllerEntry = Field(default_factory=ReferenceController)
    meters: Annotated[dict[Name, MeterEntry], Field(alias="meter", default_factory=dict)]
    grid: GridEntry = Field(default_factory=GridEntry)
    instruments: Annotated[dict[Name, InstrumentEntry], Field(alias="instrument", default_factory=dict)]
    boards: Annotated[dict[Name, BoardEntry], Field(alias="board", default_factory=dict)]
    building: BuildingEntry | None = None
    base_loads: Annotated[tuple[BaseLoadEntry, ...], Field(alias="base_load")] = ()
    sessions: SessionsEntry | None = None
    run: RunEntry = Field(default_factory=RunEntry)
    loads: LoadsEntry = Field(default_factory=LoadsEntry)
    safe: dict[Name, SafeEntry] = Field(default_factory=dict)

    _source: str = PrivateAttr("rig")
    _path: Path | None = PrivateAttr(None)

    @model_validator(mode="after")
    def _remember_source(self, info: ValidationInfo) -> Rig:
        context = info.context or {}
        self._source = context.get("source", self.site.name)
        self._path = context.get("path")
        return self

    @property
    def source(self) -> str:
        """Where the rig was read from: its name or path, as the user gave it."""
        return self._source

    @property
    def path(self) -> Path:
        """The file that it was read from; raises ``InputError`` for a rig that was not read from a file."""
        if self._path is None:
            raise InputError(self.source, "this rig was not read from a file")
        return self._path

    @property
    def folder(self) -> Path | None:
        """The folder to which its paths are relative; None for a rig that was not read from a file."""
        return None if self._path is None else self._path.parent

    @property
    def name(self) -> str:
        """Name of the site."""
        return self.site.name

    @property
    def site_meter(self) -> MeterEntry:
        """The meter that the controller reads: the first one on the service."""
        return next(meter for meter in self.meters.values() if meter.node == "service")

    @property
    def feeder_meters(self) -> dict[str, MeterEntry]:
        """The meters of feeders, by name: the controller holds the site meter against them."""
        return {name: meter for name, meter in self.meters.items() if meter.node != "service"}

    @property
    def zone(self) -> ZoneInfo:
        """Time zone of the site."""
        return ZoneInfo(self.site.timezone)

    def with_inputs(
        self,
        *,
        load: Path | None = None,
        sessions: Path | None = None,
        defect: str | None = None,
        policy: str | None = None,
        requirements: tuple[str, ...] = (),
    ) -> Rig:
        """A copy with another building load (CSV), other sessions (CSV or ACN-Data JSON), a controller's defect,
        another policy of the reference controller, or more requirement profiles.

        Raises ``InputError`` when a file is not there, or when the controller is not ours to change.
        """
        changes: dict[str, Any] = {}
        if requirements:
            named = tuple(dict.fromkeys((*self.site.requirements, *requirements)))
            load_requirements(named)
            changes["site"] = self.site.model_copy(update={"requirements": named})
        if load is not None:
            factor = self.building.power_factor if self.building else 0.95
            changes["building"] = _entry(BuildingEntry, load, csv=load, power_factor=factor)
        if sessions is not None:
            key = "json" if sessions.suffix.lower() == ".json" else "csv"
            changes["sessions"] = _entry(SessionsEntry, sessions, **{key: sessions})
        ours = {key: value for key, value in (("defect", defect), ("policy", policy)) if value is not None}
        if ours:
            if not isinstance(self.controller, ReferenceController):
                raise InputError(self.source, f"a {next(iter(ours))} can be given to the reference controller only")
            changes["controller"] = self.controller.model_copy(update=ours)
        return self.model_copy(update=changes)

    @cached_property
    def electrical(self) -> Site:
        """The site as the plant, the controller and the metrics see it."""
        return Site(
            name=self.site.name,
            service=self.site.service,
            budget_a=self.site.budget_a,
            worst_base_a=self.site.worst_base_a,
            feeders=self.feeders,
            branches=tuple(entry.branch for entry in self.stations),
            timezone=self.site.timezone,
            contract_kw=self.site.contract_kw,
            export_limit_kw=self.site.export_limit_kw,
            unbalance_a=self.site.unbalance_a,
            neutral_a=self.site.neutral_a,
        )

    @property
    def fallback_timeout_s(self) -> float:
        """How long a station may keep its last limit without a controller [s]."""
        return self.controller.fallback_timeout_s

    @property
    def stale_timeout_s(self) -> float:
        """How long the controller may trust a silent meter [s]."""
        return self.controller.stale_timeout_s

    @property
    def frozen_timeout_s(self) -> float:
        """How long the controller may trust a meter whose values stand still [s]."""
        return self.controller.frozen_timeout_s

    @property
    def rotation_s(self) -> float:
        """How long a turn of the controller lasts when not all cars can have the least current [s]."""
        return self.controller.rotation_s

    @property
    def exports(self) -> bool:
        """Power may flow into the grid here, by its cars or by what its controller and its site say."""
        told = isinstance(self.controller, ReferenceController) and self.controller.exports
        return told or self.site.export_limit_kw is not None or any(entry.two_way for entry in self.stations)

    @property
    def controller_title(self) -> str:
        """Which controller it is, in a few words."""
        return self.controller.title

    @property
    def roles(self) -> frozenset[str]:
        """Everything that a test can ask for: station roles, meters, instruments, boards, pilots that are looked at,
        ``controller``, ``base_load``, ``grid.vtn``.
        """
        fixed = {"controller"} | ({"base_load"} if self.building else set())
        fixed |= {"grid.vtn"} if self.grid.vtn else set()
        fixed |= {f"instrument.{name}" for name in self.instruments} | {f"board.{name}" for name in self.boards}
        fixed |= {f"pilot.{of}" for of in self.probed}
        return frozenset(fixed | {entry.role for entry in self.stations} | {f"meter.{name}" for name in self.meters})

    @property
    def cabinets(self) -> dict[str, list[StationEntry]]:
        """DC stations that share their modules, by the name of their cabinet, in rig order."""
        found: dict[str, list[StationEntry]] = {}
        for entry in self.stations:
            if entry.dc is not None and entry.dc.cabinet is not None:
                found.setdefault(entry.dc.cabinet, []).append(entry)
        return found

    @property
    def probed(self) -> frozenset[str]:
        """Stations and boards whose pilot an instrument looks at."""
        return frozenset(of for entry in self.instruments.values() for of in entry.pilot)

    def station(self, role: str) -> StationEntry:
        """The station entry with ``role``; raises ``KeyError``."""
        for entry in self.stations:
            if entry.role == role:
                return entry
        raise KeyError(role)

    @property
    def real_parts(self) -> tuple[str, ...]:
        """Key paths of all that is not emulated; a rig with any of these runs in real time."""
        stations = [f"station {s.role!r}" for s in self.stations if not s.emulated]
        meters = [f"meter.{name}" for name, meter in self.meters.items() if meter.is_real]
        external = ["controller"] if self.controller.kind == "external" else []
        instruments = [f"instrument.{name}" for name, entry in self.instruments.items() if not entry.emulated]
        boards = [f"board.{name}" for name, entry in self.boards.items() if entry.real]
        boards += [f"station {s.role!r} dc.can" for s in self.stations if s.dc is not None and s.dc.can is not None]
        return (*external, *meters, *stations, *instruments, *boards, *(f"safe.{name}" for name in self.safe))

    @property
    def real_addresses(self) -> tuple[str, ...]:
        """Where all that is not emulated is reached: one run at a time may use these."""
        external = ["tcp://{}:{}".format(*self.controller.address)] if self.controller.kind == "external" else []
        meters = [meter.address for meter in self.meters.values() if meter.is_real]
        pilots = [entry.address for entry in self.instruments.values() if not entry.emulated]
        pilots += [entry.address for entry in self.boards.values() if not entry.emulated]
        dialled = [entry.listen for entry in self.stations if entry.listen is not None]
        return (*external, *meters, *dialled, *pilots, *(entry.address for entry in self.safe.values()))

    @property
    def safe_plan(self) -> SafePlan:
        """How its real devices are made safe: what ``[safe]`` says in the order of the file, then the boards."""
        named = [safe_step(f"safe.{name}", entry) for name, entry in self.safe.items()]
        boards = [entry.safe_step(name) for name, entry in self.boards.items() if not entry.emulated]
        return SafePlan((*named, *boards))
