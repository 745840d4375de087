"""One station of a fleet: what it does, what it is made to do, and what comes of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hilbench.errors import DeviceError
from hilbench.fleet_traffic import Traffic
from hilbench.signals import Record
from hilbench_emulators.plant import Plant
from hilbench_emulators.station.base import AcStation

FAULT_FACTOR = 2.0
"""A faulty car draws so many times the maximum of its station."""


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
            "reason": self._reason(),
            "sent": self.traffic.sent,
            "received": self.traffic.received,
            "transactions": sum(1 for _ in events),
            "energy_kwh": round(row.energy_kwh, 4),
            "limit_a": round(row.limit_a, 3),
            "refused_by_station": list(self.traffic.refused_here),
            "refused_by_controller": list(self.traffic.refused_there),
        }

    def _reason(self) -> str:
        """Why it was not accepted, or failed of itself."""
        failed = next(self._record.events_of("station.failed", self.station.role), None)
        if failed is not None:
            return str(failed.data["reason"])
        return "" if self.accepted else self.station.refusal or "no answer to BootNotification"

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
