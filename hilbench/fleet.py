"""Emulated stations before any central system: each on its own branch of a service that never minds.

A :class:`Fleet` lives on any loop of ``hilbench.clock``: on the real one before a controller somewhere, on the virtual
one in tests. It shows what its stations do and takes commands; it prints nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from hilbench import clock
from hilbench.errors import DeviceError
from hilbench.fleet_traffic import Traffic
from hilbench.signals import Record
from hilbench.site import Branch, Service, Site
from hilbench.world import STATIONS
from hilbench_emulators.plant import Plant
from hilbench_emulators.station.base import AcStation
from hilbench_emulators.station.settings import StationSettings

WIRING: dict[int, tuple[str, str, float]] = {
    1: ("single-phase", "L1-N", 230.0),
    2: ("split-phase", "L1-L2", 240.0),
    3: ("three-phase", "L1-L2-L3", 400.0),
}
"""Wiring of the service, connection of a station and voltage, by phases (conductors under voltage) of the stations."""
FAREWELL_S = 5.0
"""Longest wait at the end for what the stations still have to tell, such as the ends of their transactions."""
FAULT_FACTOR = 2.0
"""A faulty car draws so many times the maximum of its station."""
OnFrame = Callable[[str, str, str], None]
"""Is called with identity, direction (``in`` to the station, ``out``) and text of every frame."""


@dataclass(frozen=True)
class Plan:
    """What stations there are to be, and where they dial."""

    url: str
    identities: tuple[str, ...]
    ocpp: str = "1.6"
    max_a: float = 32.0
    phases: int = 1
    vehicle: str = "leaf-40"
    tag: str = ""
    seed: int = 1
    boot_s: float = 1.0


def identities(prefix: str, count: int) -> tuple[str, ...]:
    """``CP1``, ``CP2``, … of a prefix."""
    return tuple(f"{prefix}{number}" for number in range(1, count + 1))


@dataclass(frozen=True)
class Row:
    """What a station does now."""

    identity: str
    link: str
    status: str
    transaction: str
    limit_a: float
    offered_a: float
    drawn_a: float
    energy_kwh: float
    last: str

    @property
    def settled(self) -> tuple[Any, ...]:
        """What makes a change that is worth a line."""
        limits = round(self.limit_a, 1), round(self.offered_a, 1)
        return self.link, self.status, self.transaction, *limits, round(self.drawn_a)


class Member:
    """One station of a fleet."""

    def __init__(self, station: AcStation, plant: Plant, record: Record, max_a: float) -> None:
        self.station = station
        self.traffic = Traffic()
        self.plugged = self.faulty = False
        self._plant = plant
        self._record = record
        self._max_a = max_a
        self._tasks: dict[str, asyncio.Task[None]] = {}

    @property
    def identity(self) -> str:
        """Its name before the controller."""
        return self.station.identity

    @property
    def accepted(self) -> bool:
        """The controller has accepted it at least once."""
        return any(self._record.events_of("station.online", self.station.role))

    def row(self) -> Row:
        """What it does now."""
        reading, running = self._plant.station_reading(self.station.role), self.station.transaction_id
        return Row(
            self.identity,
            self._link(),
            self.station.status,
            "" if running is None else str(running),
            self.station.limit_a,
            self.station.offered_a,
            max(reading.currents.values(), default=0.0),
            reading.energy_wh / 1000.0,
            self.traffic.last,
        )

    def _link(self) -> str:
        if self.station.connected:
            return "online"
        if not self.station.line.is_set():
            return "cut"
        return f"offline: {self.station.refusal}" if self.station.refusal else "connecting"

    def report(self, row: Row) -> dict[str, Any]:
        """What came of it, as JSON data, with what it did last."""
        events = self._record.events_of("session.start", self.station.role)
        return {
            "identity": self.identity,
            "accepted": self.accepted,
            "reason": "" if self.accepted else self.station.refusal or "no answer to BootNotification",
            "sent": self.traffic.sent,
            "received": self.traffic.received,
            "transactions": sum(1 for _ in events),
            "energy_kwh": round(row.energy_kwh, 4),
            "limit_a": round(row.limit_a, 3),
            "refused_by_station": list(self.traffic.refused_here),
            "refused_by_controller": list(self.traffic.refused_there),
        }

    # -- commands

    async def plug(self, vehicle: str) -> None:
        """Connect a car; its driver presents the tag."""
        await self.station.plug_in(vehicle)
        self.plugged = True

    async def unplug(self) -> None:
        """Take the car away, whatever it was doing."""
        self._heal()
        await self.station.unplug()
        self.plugged = False

    def fault(self) -> None:
        """The car draws twice what the station has, until it is asked again or leaves."""
        if not self.plugged:
            raise DeviceError(f"station {self.identity}: there is no car that could draw too much; plug one in")
        if self.faulty:
            self._heal()
        else:
            self.faulty = True
            self._plant.ignore_pilot(self.station.role, FAULT_FACTOR * self._max_a)

    def _heal(self) -> None:
        if self.faulty:
            self.faulty = False
            self._plant.ignore_pilot(self.station.role, None)

    def start_charging(self) -> None:
        """The driver presents the tag again."""
        if not self.plugged:
            raise DeviceError(f"station {self.identity}: there is no car to charge; plug one in")
        self.station.present_tag()

    def drop(self, seconds: float | None) -> None:
        """Cut the line, for some seconds or until :meth:`reconnect`."""
        self.station.cut_line()
        if seconds is not None:
            self._later("join", seconds, self.station.join_line)

    def reconnect(self) -> None:
        """Join the line again."""
        self.station.join_line()

    def cycle(self, seconds: float) -> None:
        """Take the supply away for some seconds."""
        self._tasks["cycle"] = asyncio.create_task(self.station.power_cycle(seconds))

    def _later(self, name: str, seconds: float, action: Callable[[], None]) -> None:
        async def act() -> None:
            await asyncio.sleep(seconds)
            action()

        if name in self._tasks:
            self._tasks[name].cancel()
        self._tasks[name] = asyncio.create_task(act())

    async def end(self) -> None:
        """No more commands: the car leaves, and what it was is told to the controller."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        await self.unplug()

    @property
    def has_told_all(self) -> bool:
        """Nothing that waits to be said could be said now."""
        return not self.station.connected or not self.station.pending


class Fleet:
    """The stations of a plan. Call on the loop on which they are to live."""

    def __init__(self, plan: Plan, on_frame: OnFrame | None = None) -> None:
        self.plan = plan
        self.record = Record()
        self._last: tuple[Row, ...] | None = None
        wiring, connection, volts = WIRING[plan.phases]
        branches = tuple(
            Branch(role=name, branch_a=plan.max_a * 1.25, max_a=plan.max_a, connection=connection)
            for name in plan.identities
        )
        service = Service.model_validate({"rating_a": 10_000.0, "voltage_v": volts, "wiring": wiring})
        self._plant = Plant(Site(name="fleet", service=service, branches=branches), self.record, seed=plan.seed)
        self.members = {branch.role: self._member(branch, on_frame) for branch in branches}

    def _member(self, branch: Branch, on_frame: OnFrame | None) -> Member:
        plan = self.plan
        station = STATIONS[plan.ocpp](
            branch,
            self._plant,
            url=plan.url,
            identity=branch.role,
            record=self.record,
            seed=plan.seed,
            settings=replace(StationSettings(), boot_s=plan.boot_s, id_tag=plan.tag),
        )
        member = Member(station, self._plant, self.record, plan.max_a)

        def seen(direction: str, text: str) -> None:
            member.traffic.see(direction, text)
            if on_frame is not None:
                on_frame(branch.role, direction, text)

        station.on_frame = seen
        return member

    async def start(self) -> None:
        """Give every station its supply."""
        for member in self.members.values():
            await member.station.start()

    async def until_accepted(self, timeout_s: float) -> None:
        """Wait until every station has been accepted, but no longer than ``timeout_s``."""
        end = clock.time() + timeout_s
        while clock.time() < end and not all(member.station.connected for member in self.members.values()):
            await asyncio.sleep(0.1)

    async def stop(self) -> None:
        """Unplug every car, let the stations say so, and take their supply away; nothing is left running."""
        for member in self.members.values():
            await member.end()
        end = clock.time() + FAREWELL_S
        while clock.time() < end and not all(member.has_told_all for member in self.members.values()):
            await asyncio.sleep(0.05)
        for member in self.members.values():
            await member.station.stop()
        self._last = tuple(self.rows())
        self._plant.stop()

    def rows(self) -> Iterator[Row]:
        """What each station does now, or did when the fleet stopped."""
        return (member.row() for member in self.members.values()) if self._last is None else iter(self._last)

    def reports(self) -> list[dict[str, Any]]:
        """What came of each station; also when the loop has ended, if the fleet was stopped on it."""
        return [member.report(row) for member, row in zip(self.members.values(), self.rows(), strict=True)]
