"""Emulated stations before any central system: each on its own branch of a service that never minds.

A :class:`Fleet` lives on any loop of ``hilbench.clock``: on the real one before a controller somewhere, on the virtual
one in tests. It shows what its stations do and takes commands; it prints nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hilbench import clock
from hilbench.fleet_member import Member, Row
from hilbench.signals import Record
from hilbench.site import Branch, Service, Site
from hilbench.world import STATIONS
from hilbench_emulators.plant import Plant
from hilbench_emulators.station.settings import StationSettings

WIRING: dict[int, tuple[str, str, float]] = {
    1: ("single-phase", "L1-N", 230.0),
    2: ("split-phase", "L1-L2", 240.0),
    3: ("three-phase", "L1-L2-L3", 400.0),
}
"""Wiring of the service, connection of a station and voltage, by phases (conductors under voltage) of the stations."""
FAREWELL_S = 5.0
"""Longest wait at the end for what the stations still have to tell, such as the ends of their transactions."""
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
    security_profile: int = 0
    password: str = ""
    ca_file: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    compression: bool = False

    def settings(self) -> StationSettings:
        """What each of the stations is set to; for the security see :class:`StationSettings`."""
        return StationSettings(
            boot_s=self.boot_s,
            id_tag=self.tag,
            security_profile=self.security_profile,
            password=self.password,
            ca_file=self.ca_file,
            certificate=self.certificate,
            key=self.key,
            compression=self.compression,
        )


def identities(prefix: str, count: int) -> tuple[str, ...]:
    """``CP1``, ``CP2``, … of a prefix."""
    return tuple(f"{prefix}{number}" for number in range(1, count + 1))


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
            settings=plan.settings(),
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
