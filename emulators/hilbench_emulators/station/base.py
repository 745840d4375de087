"""A charging station with one outlet, for AC or DC: supply, car, limits, clock, and what persists.

What depends on the protocol is left to :class:`AcStation`'s subclasses, one for each family of OCPP versions.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
import zlib
from collections.abc import Callable
from datetime import datetime
from typing import Any

import numpy as np

from hilbench import clock
from hilbench.errors import DeviceError
from hilbench.ocppj import refusal
from hilbench.signals import Record, profile_limit
from hilbench.site import Branch
from hilbench_emulators.dc_outlet.outlet import DcOutlet
from hilbench_emulators.station.character import Shaper
from hilbench_emulators.station.limited import Limited
from hilbench_emulators.station.outlet import Outlet, PlantPort
from hilbench_emulators.station.settings import StationSettings
from hilbench_emulators.station.visit import Visit


class AcStation(Limited):
    """A :class:`hilbench.devices.Station`. ``store`` is what persists: give the same dict again for the same station.

    ``limit_a`` is the limit that it acts on now [A]: what its make takes the profiles to allow, the nameplate when they
    say nothing. ``offered_a`` is what the pilot offers, ``connected`` whether the controller has accepted it.
    ``on_frame(direction, text)`` sees every OCPP frame, ``in`` and ``out``; while ``line`` is not set, there is no way
    to the controller (see :meth:`cut_line`).
    """

    queued: asyncio.Event
    visit: Visit

    def __init__(
        self,
        branch: Branch,
        plant: PlantPort,
        *,
        url: str | Callable[[], str],
        identity: str,
        record: Record,
        seed: int = 0,
        settings: StationSettings | None = None,
        store: dict[str, Any] | None = None,
    ) -> None:
        self.role = branch.role
        self.identity = identity
        self.settings = settings or StationSettings()
        self.next_id = 1
        self.on_frame: Callable[[str, str], None] | None = None
        self.line = asyncio.Event()
        self.line.set()
        self.limit_a = branch.max_a
        self._branch = branch
        self._plant = plant
        self._record = record
        self._url = url
        self._rng = np.random.default_rng([seed, zlib.crc32(identity.encode())])
        self._store: dict[str, Any] = {} if store is None else store
        self._signal = record.signal(profile_limit(branch.role), "A")
        self._hash = hashlib.sha256()
        self._outlet = self._new_outlet(branch, plant, record)
        self._tasks: set[asyncio.Task[None]] = set()
        self._run_task: asyncio.Task[None] | None = None
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._since: dict[str, float] = {}
        self._override_a = math.inf
        self._deaf_a = None
        self._forgetful = False
        self._ahead_s = 0.0
        self._local_id = 0
        self._tag_waits = False
        self.visit = Visit()
        self.boot_reason = self._next_boot_reason = "PowerUp"
        self._forget(230.0)

    def _new_outlet(self, branch: Branch, plant: PlantPort, record: Record) -> Outlet | DcOutlet:
        if self.settings.dc is None:
            return Outlet(branch, plant, self.settings, record, self.poke)
        return DcOutlet(branch, plant, self.settings.dc, record, self.poke, self.car_ended, self.settings.iso15118)

    def car_ended(self, reason: str) -> None:  # noqa: ARG002 - a version may tell it
        """The session over the connector is over, and not for the station's will: so is the transaction."""
        self.end("Other")

    def _forget(self, voltage_v: float) -> None:
        self._operative = True
        self.reset_state(voltage_v)
        self._shaper = Shaper(self.settings.personality.behaviour, self._branch.max_a, self._utc())
        self._uplink = self.new_uplink(self._url, self._rng)

    # -- what the bench does to it

    async def start(self) -> None:
        """Supply on; it connects after ``settings.boot_s``, and keeps trying. Does not wait for the controller."""
        if self._run_task is None:
            self._power_up()

    async def stop(self) -> None:
        """Supply off, for good; may be called twice."""
        tasks = self._power_down("Other")
        await asyncio.gather(*tasks, return_exceptions=True)

    async def plug_in(
        self,
        vehicle: Any,
        *,
        energy_kwh: float | None = None,
        soc: float | None = None,
        departure: datetime | None = None,
    ) -> None:
        """Connect a car (a model's name or a ``Vehicle``), present its tag; raises ``DeviceError`` if one is there.

        ``departure`` is when its driver wants to leave; only a station with a link to the car hears of that.
        """
        if self._outlet.plugged:
            raise DeviceError(f"station {self.role}: a car is connected already; unplug it first")
        self.visit = Visit(energy_kwh, departure)
        self._outlet.plug_in(vehicle, energy_kwh, soc)
        self._identify()

    async def unplug(self) -> None:
        """End the transaction and disconnect the car; does nothing without one."""
        if self._outlet.plugged:
            self.end("EVDisconnected")
            self._outlet.unplug()
            self.poke()

    async def power_cycle(self, off_s: float) -> None:
        """No supply for ``off_s`` seconds. The transaction ends (PowerLoss); a car that stays starts a new one."""
        tasks = self._power_down("PowerLoss")
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(off_s)
        self._power_up()

    def silence_car(self) -> None:
        """The car of a DC station says nothing any more."""
        if isinstance(self._outlet, DcOutlet):
            self._outlet.silence_car()

    def forget_limits(self) -> None:
        """Come back from the next loss of power without any profile."""
        self._forgetful = True

    def cut_line(self) -> None:
        """Break the connection without a farewell, and let no other come about before :meth:`join_line`."""
        self.line.clear()
        self._uplink.abort()

    def join_line(self) -> None:
        """The way to the controller is there again; the station takes it at its next attempt."""
        self.line.set()

    async def make_safe(self) -> None:
        """Offer no more than the fallback until the next power cycle, whatever the controller says."""
        self._override_a = self._safe_a
        self._refresh()

    def is_safe(self, tolerance_a: float = 1.0) -> bool:
        """The car draws no more than the fallback (nothing when that is below 6 A) plus ``tolerance_a``."""
        return self._outlet.drawn_a() <= self._safe_a + tolerance_a + 1e-6  # a sum of floats may end just above it

    def read_back(self) -> str:
        """What the car draws."""
        return f"{self._outlet.drawn_a():.1f} A drawn"

    @property
    def _safe_a(self) -> float:
        return self._branch.fallback_a if self._branch.fallback_a >= self._branch.minimum_a else 0.0

    @property
    def held(self) -> bool:
        """The controller has not accepted it yet: no transaction may begin."""
        return self._uplink.held

    @property
    def refusal(self) -> str:
        """Why the last attempt to connect did not end with the controller accepting it; empty while under way."""
        return self._uplink.refusal

    @property
    def offered_a(self) -> float:
        """Current on the pilot [A], 0 without PWM."""
        return self._outlet.offered_a

    def trace_sha256(self) -> str:
        """Digest of every OCPP frame with its direction and time: equal for equal runs."""
        return self._hash.hexdigest()

    def trace(self, direction: str, text: str) -> None:
        """Take a frame into the digest, and show it to whoever wants to see it."""
        self._hash.update(f"{clock.time():.6f} {direction} {text}\n".encode())
        if self.on_frame is not None:
            self.on_frame(direction, text)

    # -- supply

    def _power_up(self) -> None:
        self._forget(self._plant.station_reading(self.role).voltage_v or 230.0)
        if self._store:
            self.restore(self._store)
        if self.charging.forget_on("reboot", anyway=self._forgetful):
            self._forgetful = False
        self._override_a = math.inf
        self.boot_reason = "PowerUp"
        self.event("station.boot")
        self._outlet.power_up()
        self.next_aligned()
        self._refresh()
        self._run_task = asyncio.get_running_loop().create_task(self._uplink.run())
        self._run_task.add_done_callback(self._ran)
        self.charging.store.went_offline(self._utc())
        if self._outlet.plugged:
            self._identify()

    def _identify(self) -> None:
        """The driver presents his tag, or waits with it until the controller has accepted the station."""
        self._tag_waits = self._uplink.held
        if not self._tag_waits:
            self.present_tag()

    def admit(self, action: str) -> None:
        """Raise a refusal for what a controller asks of a station that it has rejected (2.0.1 B03.FR.07, recalled)."""
        if self._uplink.registration == "Rejected":
            raise refusal("SecurityError", f"{action}: the station has been rejected")

    async def register(self, link: Any) -> None:
        """Send the BootNotification that the controller has asked for."""
        await self._uplink.boot(link, "Triggered")

    def _power_down(self, reason: str) -> list[asyncio.Task[None]]:
        """Everything stops now; returns the tasks that are being cancelled."""
        if self._run_task is None:
            return []
        self.end(reason)
        self._outlet.power_down()
        for timer in self._timers.values():
            timer.cancel()
        tasks = [self._run_task, *self._tasks]
        self._run_task = None
        self._uplink.abort()
        for task in tasks:
            task.cancel()
        self.save()
        return tasks

    def reboot(self, reason: str, boot_reason: str = "RemoteReset") -> None:
        """Restart in place after a second, as Reset orders; the transaction ends with ``reason``.

        ``boot_reason`` is what the next BootNotification of OCPP 2.x says (2.0.1 B11, B12, standard-text).
        """
        self._next_boot_reason = boot_reason
        self.end(reason)
        self._at("reboot", clock.time() + 1.0, self._reboot)

    def _reboot(self) -> None:
        self._power_down("Reboot")
        self._power_up()
        self.boot_reason = self._next_boot_reason

    def came_online(self) -> None:
        """The controller has accepted the station, or is back."""
        self.event("station.online")
        self.charging.forget_on("reconnect")
        self.charging.store.came_online(self._utc())
        self.poke()
        if self._tag_waits and self._outlet.plugged:
            self._identify()

    def went_offline(self) -> None:
        """The controller cannot be heard any more."""
        self.event("station.offline")
        self.charging.store.went_offline(self._utc())
        self.poke()

    def _ran(self, task: asyncio.Task[None]) -> None:
        """The connecting never ends by itself; when it does, the record says why."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self.event("station.failed", reason=f"{type(error).__name__}: {error}")
