"""Faults that a test switches on and off while the site runs; each leaves an event that metrics can start from."""

from __future__ import annotations

from collections.abc import Mapping

from hilbench import clock
from hilbench.devices import (
    Controller,
    Device,
    EmulatedStation,
    Link,
    LinkFault,
    MeterFault,
    SiteMeter,
    Station,
)
from hilbench.errors import DeviceError
from hilbench.signals import Event, Record


class Faults:
    """Everything in a rig that can be made to fail, by role."""

    def __init__(
        self,
        record: Record,
        stations: Mapping[str, Station],
        links: Mapping[str, Link],
        meter: SiteMeter | None,
        controller: Controller,
        vtn: Device | None = None,
    ) -> None:
        self._record = record
        self._stations = stations
        self._links = links
        self._meter = meter
        self._controller = controller
        self._vtn = vtn

    def capabilities(self) -> frozenset[str]:
        """What can fail in this rig: ``link``, ``meter.fault``, ``station.fault``, ``controller.suspend|kill|restart``.

        ``grid.vtn`` says that the bench plays the VTN.
        """
        found = {f"controller.{name}" for name in self._controller.capabilities()}
        if self._links:
            found.add("link")
        if self._meter is not None:
            found.add("meter.fault")
        if self._vtn is not None:
            found.add("grid.vtn")
        if all(isinstance(station, EmulatedStation) for station in self._stations.values()):
            found.add("station.fault")
        return frozenset(found)

    def cut_link(self, role: str, how: LinkFault = "reset") -> Event:
        """Cut the link of station ``role``: connections reset, or silently dead (half-open)."""
        self._link(role).cut(how)
        return self._note("fault.link", role, how=how)

    def restore_link(self, role: str) -> Event:
        """Heal the link of station ``role``."""
        self._link(role).restore()
        return self._note("heal.link", role)

    def link_latency(self, role: str, seconds: float) -> Event:
        """Delay everything on the link of station ``role`` by ``seconds`` each way."""
        self._link(role).set_latency(seconds)
        return self._note("fault.latency", role, seconds=seconds)

    def meter(self, fault: MeterFault, **parameters: object) -> Event:
        """Make the site meter fail: dead, frozen, nan, zero, reversed (``lines``) or swapped (``lines``)."""
        self._site_meter().set_fault(fault, **parameters)
        return self._note("fault.meter", "service", fault=fault, **parameters)

    def heal_meter(self) -> Event:
        """Let the site meter report the truth again."""
        self._site_meter().set_fault(None)
        return self._note("heal.meter", "service")

    async def suspend_controller(self) -> Event:
        """Stop the controller as SIGSTOP does."""
        await self._controller.suspend()
        return self._note("fault.controller", "controller", how="suspend")

    async def resume_controller(self) -> Event:
        """Continue the controller as SIGCONT does."""
        event = self._note("heal.controller", "controller", how="resume")
        await self._controller.resume()
        return event

    async def kill_controller(self) -> Event:
        """Kill the controller as SIGKILL does."""
        event = self._note("fault.controller", "controller", how="kill")
        await self._controller.kill()
        return event

    async def restart_controller(self) -> Event:
        """Start the controller again."""
        event = self._note("heal.controller", "controller", how="restart")
        await self._controller.restart()
        return event

    async def vtn_outage(self) -> Event:
        """Take the VTN away: its connections are reset, new ones refused; what it has published it keeps."""
        event = self._note("fault.vtn", "grid.vtn", how="away")
        await self._the_vtn().stop()
        return event

    async def heal_vtn(self) -> Event:
        """Let the VTN answer again."""
        await self._the_vtn().start()
        return self._note("heal.vtn", "grid.vtn", how="back")

    async def power_cycle(self, role: str, off_s: float, forgets: bool = False) -> Event:
        """Cut the supply of station ``role`` for ``off_s`` seconds; the car stays plugged in.

        With ``forgets`` the station has lost all limits when it comes back.
        """
        if forgets:
            self._emulated(role).forget_limits()
        event = self._note("fault.power", role, off_s=off_s, **({"forgets": True} if forgets else {}))
        await self._stations[role].power_cycle(off_s)
        return event

    def deafen(self, role: str, limit_a: float) -> Event:
        """Let station ``role`` accept every limit from now on and offer ``limit_a`` [A] all the same.

        Below 0 it orders its car to give so much, if it may.
        """
        self._emulated(role).deafen(limit_a)
        return self._note("fault.deaf", role, limit_a=limit_a)

    def heal_station(self, role: str) -> Event:
        """Let station ``role`` do what it accepts again."""
        self._emulated(role).deafen(None)
        return self._note("heal.deaf", role)

    def silence_car(self, role: str) -> Event:
        """The car at DC station ``role`` says nothing any more, with its plug in."""
        self._emulated(role).silence_car()
        return self._note("fault.silence", role)

    def set_clock(self, role: str, ahead_s: float) -> Event:
        """Set the clock of station ``role`` ahead of the true time by ``ahead_s`` (negative: behind it).

        It stays so until the controller tells the station the time.
        """
        self._emulated(role).jump_clock(ahead_s)
        return self._note("fault.clock", role, ahead_s=ahead_s)

    def _emulated(self, role: str) -> EmulatedStation:
        station = self._stations[role]
        if not isinstance(station, EmulatedStation):
            raise DeviceError(f"station {role}: a real station cannot be made to misbehave by the bench")
        return station

    def _link(self, role: str) -> Link:
        if role not in self._links:
            raise DeviceError(f"station {role}: the rig has no link that the bench could fail")
        return self._links[role]

    def _the_vtn(self) -> Device:
        if self._vtn is None:
            raise DeviceError("the rig has no VTN that the bench plays: add [grid.vtn]")
        return self._vtn

    def _site_meter(self) -> SiteMeter:
        if self._meter is None:
            raise DeviceError("meter service: a real meter cannot be made to fail by the bench")
        return self._meter

    def _note(self, kind: str, subject: str, **data: object) -> Event:
        return self._record.event(clock.time(), kind, subject, **data)
