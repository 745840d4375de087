"""Protocols of what a rig can hold; the bench, its fixtures and its procedures know nothing else of a device."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, Protocol, runtime_checkable

LinkFault = Literal["reset", "half-open"]
MeterFault = Literal["dead", "frozen", "nan", "zero", "reversed", "swapped"]


@runtime_checkable
class Device(Protocol):
    """Anything that a rig starts and stops. ``stop`` may be called twice and never raises."""

    async def start(self) -> None:
        """Connect, identify, be ready; raises ``DeviceError`` naming the device."""

    async def stop(self) -> None:
        """Release everything."""


class SafeDevice(Protocol):
    """What the bench takes to its safe state inside its own loop."""

    @property
    def role(self) -> str:
        """Its name in the rig."""
        ...

    async def make_safe(self) -> None:
        """Do it; raises ``DeviceError``."""

    def is_safe(self, tolerance_a: float = 1.0) -> bool:
        """Read back."""
        ...

    def read_back(self) -> str:
        """What is read back, in a few words."""
        ...


@runtime_checkable
class Station(Device, Protocol):
    """A charging station with one outlet and the car that may stand at it."""

    role: str

    async def plug_in(
        self,
        vehicle: str,
        *,
        energy_kwh: float | None = None,
        soc: float | None = None,
        departure: datetime | None = None,
    ) -> None:
        """Connect a car of model ``vehicle`` that wants ``energy_kwh`` (or is at ``soc`` 0..1) and authorise it.

        ``departure`` is when its driver means to leave, where the station can hear of that.
        """

    async def unplug(self) -> None:
        """End the session and disconnect the car."""

    async def power_cycle(self, off_s: float) -> None:
        """Lose supply for ``off_s`` seconds and start again with what persists."""

    async def make_safe(self) -> None:
        """Take the station to its safe current by its own local means, whatever a controller says."""

    def is_safe(self, tolerance_a: float = 1.0) -> bool:
        """Read back: the car draws no more than the safe current plus ``tolerance_a``."""
        ...

    def read_back(self) -> str:
        """What is read back, in a few words."""
        ...


class SiteStation(Station, Protocol):
    """A station as a running rig knows it. ``refusal`` is why it is not ``connected``, empty while under way."""

    identity: str

    @property
    def connected(self) -> bool:
        """The controller has accepted it."""
        ...

    @property
    def refusal(self) -> str:
        """See above."""
        ...

    def trace_sha256(self) -> str:
        """Digest of every OCPP frame with its direction and time."""
        ...


@runtime_checkable
class EmulatedStation(Station, Protocol):
    """A station that can be made to misbehave."""

    def deafen(self, limit_a: float | None) -> None:
        """Go on accepting limits, but offer ``limit_a`` [A] whatever they say; None: obey again.

        Below 0 a car that may discharge is ordered to give so much.
        """

    def silence_car(self) -> None:
        """Let the car of a DC station say nothing any more; does nothing where it has no link to it."""

    def forget_limits(self) -> None:
        """Lose every limit that it has stored with its next loss of power."""

    def jump_clock(self, ahead_s: float) -> None:
        """Set its time of day ``ahead_s`` ahead of the true one; negative: behind it."""


@runtime_checkable
class SiteMeter(Device, Protocol):
    """The meter that the controller reads."""

    def set_fault(self, fault: MeterFault | None, **parameters: object) -> None:
        """Start a fault, or end it with None; raises ``InputError`` for parameters it does not know."""


@runtime_checkable
class Controller(Device, Protocol):
    """The system under test, as far as the bench may touch it."""

    def capabilities(self) -> frozenset[str]:
        """Which of ``suspend``, ``kill``, ``restart`` the bench can do to it."""
        ...

    async def suspend(self) -> None:
        """Stop it as SIGSTOP does: sockets stay open, nothing answers."""

    async def resume(self) -> None:
        """Continue it as SIGCONT does."""

    async def kill(self) -> None:
        """End it as SIGKILL does: connections break, no farewell."""

    async def restart(self) -> None:
        """Start it again after ``kill``, with what it keeps on disk."""


@runtime_checkable
class Link(Device, Protocol):
    """A wire between two devices that can fail."""

    def cut(self, how: LinkFault = "reset") -> None:
        """Break it: ``reset`` both ends and refuse, or let everything vanish (``half-open``)."""

    def restore(self) -> None:
        """Heal it."""

    def set_latency(self, seconds: float) -> None:
        """Delay every byte by ``seconds`` in each direction."""


Parameters = Mapping[str, object]
