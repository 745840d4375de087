"""A real charging station in a rig: it dials the bench as its central system, and an EV simulator is its car.

The bench passes its OCPP on to the controller and works out the limit that it was told; what it does about that an
oscilloscope on its pilot shows.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from datetime import datetime

from hilbench import clock
from hilbench.commanded import Commanded, Sender
from hilbench.drivers.ev_simulator import EvSimulatorDriver
from hilbench.errors import DeviceError
from hilbench.ocpp_tap import OcppTap
from hilbench.rig import StationEntry
from hilbench.signals import Record, profile_limit
from hilbench_emulators.smart_charging import Version


class RealStation:
    """A :class:`hilbench.devices.Station`. While its car ``asks`` for energy, ``ev`` answers PWM by state C.

    ``voltage_v`` is what its outlet has, for limits in watts.
    """

    def __init__(
        self, entry: StationEntry, ev: EvSimulatorDriver, *, url: Callable[[], str], voltage_v: float, record: Record
    ) -> None:
        self.role, self.identity, self.ev = entry.role, entry.identity, ev
        self.asks = False
        self._commanded = Commanded(Version(entry.ocpp), entry.branch, voltage_v)
        self._tap = OcppTap(entry.dialled, entry.identity, entry.ocpp, url, self._heard)
        self._record = record
        self._signal = record.signal(profile_limit(entry.role), "A")
        self._hash = hashlib.sha256()
        self._timer: asyncio.TimerHandle | None = None
        self._car: asyncio.Task[None] | None = None

    @property
    def connected(self) -> bool:
        """The controller has accepted it."""
        return self._commanded.accepted and not self._tap.problem

    @property
    def refusal(self) -> str:
        """Why it is not connected, as far as the bench knows."""
        return self._tap.problem

    async def start(self) -> None:
        """Wait for it to dial; raises ``DeviceError`` where the bench cannot listen."""
        self._look()
        await self._tap.start()

    async def stop(self) -> None:
        """Listen no more, and leave the car alone."""
        await self._end_car()
        if self._timer is not None:
            self._timer.cancel()
        await self._tap.stop()

    async def plug_in(
        self,
        vehicle: str,  # noqa: ARG002 - the simulator is its own model
        *,
        energy_kwh: float | None = None,  # noqa: ARG002 - and never full
        soc: float | None = None,  # noqa: ARG002
        departure: datetime | None = None,  # noqa: ARG002
    ) -> None:
        """Plug the simulator in, and let it follow the pilot; who authorises it is up to station and controller."""
        await self._end_car()
        await self.ev.set_diode(True)
        await self.ev.set_state("B")
        self.asks = True
        self._car = asyncio.create_task(self._follow(), name=f"car at {self.role}")

    async def unplug(self) -> None:
        """Unplug the simulator."""
        await self._end_car()
        await self.ev.set_state("A")

    async def power_cycle(self, off_s: float) -> None:
        """Raises ``DeviceError``: the bench does not switch its supply."""
        raise DeviceError(f"station {self.role}: the bench cannot cut the supply of a real station for {off_s:g} s")

    async def make_safe(self) -> None:
        """Unplug the simulator, which opens the contactor of any station."""
        await self.unplug()

    def is_safe(self, tolerance_a: float = 1.0) -> bool:  # noqa: ARG002 - a simulator draws nothing
        """The simulator has reported that it is unplugged."""
        return self.ev.is_safe()

    def read_back(self) -> str:
        """What that means at a simulator."""
        return self.ev.SAFE

    def trace_sha256(self) -> str:
        """Digest of every frame with its sender and time."""
        return self._hash.hexdigest()

    async def _follow(self) -> None:
        """As a car does: state C while it wants energy and there is PWM, else B."""
        while True:
            seen = await self.ev.read()
            wanted = "C" if self.asks and seen.duty_pct is not None else "B"
            if seen.state != wanted:
                await self.ev.set_state(wanted)

    async def _end_car(self) -> None:
        car, self._car, self.asks = self._car, None, False
        if car is not None:
            car.cancel()
            await asyncio.wait([car])

    def _heard(self, sender: Sender, text: str) -> None:
        self._hash.update(f"{clock.time():.6f} {sender} {text}\n".encode())
        self._commanded.hear(clock.now().timestamp(), sender, text)
        self._look()

    def _look(self) -> None:
        """Record the limit that counts now, and look again when it may change by itself."""
        utc = clock.now().timestamp()
        while self._commanded.unread:
            self._record.event(clock.time(), "station.unread", self.role, what=self._commanded.unread.pop())
        if self._signal.last() != (limit_a := self._commanded.limit_a(utc)):
            self._signal.append(clock.time(), limit_a)
        if self._timer is not None:
            self._timer.cancel()
        again_s = self._commanded.next_change(utc) - utc
        longest_s = 24 * 3600.0
        self._timer = asyncio.get_running_loop().call_later(min(max(again_s, 0.001), longest_s), self._look)
