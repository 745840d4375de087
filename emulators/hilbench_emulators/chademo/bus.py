"""CAN buses without threads: in memory in any time, or what python-can reaches in real time; and logs of frames.

python-can is imported only for :class:`CanPort` and :class:`FrameLog` (the extra ``can``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from hilbench import clock
from hilbench.errors import DeviceError, InputError, Problem

Take = Callable[[int, bytes], None]
POLL_S = 0.002
"""How often a bus without a file descriptor is asked for frames; a fiftieth of CHAdeMO's period (policy-default)."""


class Port(Protocol):
    """One end of a bus."""

    def send(self, can_id: int, data: bytes) -> None:
        """Put a frame on the bus."""
        ...

    def listen(self, take: Take) -> None:
        """Have every frame of the others given to ``take``."""
        ...

    def close(self) -> None:
        """Leave the bus; closing twice does no harm."""
        ...


class MemoryBus:
    """A bus in memory: a frame reaches all other ports later in the same instant, in the order of sending."""

    def __init__(self) -> None:
        self._ports: list[MemoryPort] = []

    def port(self) -> MemoryPort:
        """A new end."""
        port = MemoryPort(self)
        self._ports.append(port)
        return port

    def carry(self, sender: MemoryPort, can_id: int, data: bytes) -> None:
        """Bring a frame to all other ports; one that has left sends nothing."""
        if sender not in self._ports:
            return
        loop = asyncio.get_running_loop()
        for port in self._ports:
            if port is not sender:
                loop.call_soon(port.give, can_id, data)

    def leave(self, port: MemoryPort) -> None:
        """One end less."""
        if port in self._ports:
            self._ports.remove(port)


class MemoryPort:
    """An end of a :class:`MemoryBus`."""

    def __init__(self, bus: MemoryBus) -> None:
        self._bus = bus
        self._takers: list[Take] = []

    def send(self, can_id: int, data: bytes) -> None:
        """See :class:`Port`."""
        self._bus.carry(self, can_id, data)

    def listen(self, take: Take) -> None:
        """See :class:`Port`."""
        self._takers.append(take)

    def give(self, can_id: int, data: bytes) -> None:
        """A frame has come."""
        for take in self._takers:
            take(can_id, data)

    def close(self) -> None:
        """See :class:`Port`."""
        self._bus.leave(self)
        self._takers.clear()


class CanPort:
    """An interface of python-can by name: ``virtual``, ``udp_multicast``, ``socketcan`` and all that it knows.

    It needs real or scaled time. Frames are read by the loop where the bus has a file descriptor, else asked for each
    :data:`POLL_S`. ``options`` go to python-can, such as ``bitrate=500_000``, which is CHAdeMO's. Raises ``InputError``
    without python-can, ``DeviceError`` when the bus cannot be opened; one that fails later says so at the next frame
    that is sent.
    """

    def __init__(self, interface: str, channel: str, **options: Any) -> None:
        if clock.is_virtual():
            raise DeviceError(f"the CAN bus {interface}:{channel} is outside the bench: use --time real")
        self.name = f"{interface}:{channel}"
        self._can = python_can()
        try:
            self._bus: Any = self._can.Bus(interface=interface, channel=channel, **options)
        except Exception as error:
            raise DeviceError(f"CAN bus {self.name}: cannot be opened: {error}") from error
        self._takers: list[Take] = []
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._failed: DeviceError | None = None
        self._descriptor = self._begin()

    def _begin(self) -> int | None:
        try:
            descriptor = int(self._bus.fileno())
        except (NotImplementedError, OSError):
            descriptor = -1
        if descriptor < 0:
            self._poll()
            return None
        self._loop.add_reader(descriptor, self._read)
        return descriptor

    def _poll(self) -> None:
        self._timer = self._loop.call_later(POLL_S, self._poll)
        self._read()

    def _read(self) -> None:
        """Take all frames that are there."""
        try:
            while (message := self._bus.recv(timeout=0.0)) is not None:
                if not (message.is_error_frame or message.is_remote_frame or message.is_extended_id):
                    for take in self._takers:
                        take(message.arbitration_id, bytes(message.data))
        except self._can.CanError as error:
            self._failed = DeviceError(f"CAN bus {self.name}: cannot be read: {error}")
            self._stop_reading()

    def _stop_reading(self) -> None:
        if self._descriptor is not None:
            self._loop.remove_reader(self._descriptor)
            self._descriptor = None
        if self._timer is not None:
            self._timer.cancel()

    def send(self, can_id: int, data: bytes) -> None:
        """See :class:`Port`; raises ``DeviceError`` when the bus has failed."""
        if self._failed is not None:
            raise self._failed
        try:
            self._bus.send(self._can.Message(arbitration_id=can_id, data=data, is_extended_id=False))
        except self._can.CanError as error:
            raise DeviceError(f"CAN bus {self.name}: cannot send: {error}") from error

    def listen(self, take: Take) -> None:
        """See :class:`Port`."""
        self._takers.append(take)

    def close(self) -> None:
        """See :class:`Port`."""
        self._stop_reading()
        self._bus.shutdown()


def python_can() -> Any:
    """The package; raises ``InputError`` that says how to install it."""
    try:
        import can
    except ImportError as error:
        raise InputError("CAN", Problem("", "python-can is not installed", "pip install 'hilbench[can]'")) from error
    return can


class FrameLog:
    """Frames to a file in the format of its ending: .log (candump), .asc, .blf, .csv, .trc; by python-can's writers.

    Raises ``InputError`` without python-can, for an unknown ending, and for a file that cannot be written.
    """

    ENDINGS = (".log", ".asc", ".blf", ".csv", ".trc")

    def __init__(self, path: Path, channel: str = "can0") -> None:
        if path.suffix.lower() not in self.ENDINGS:
            what = f"{path.suffix or 'no ending'} is not written"
            raise InputError(str(path), Problem("", what, f"use {', '.join(self.ENDINGS)}"))
        self._can, self._channel = python_can(), channel if path.suffix.lower() == ".log" else 0
        try:
            self._writer: Any = self._can.Logger(str(path))
        except OSError as error:
            raise InputError(str(path), f"cannot be written: {error.strerror or error}") from error

    def note(self, can_id: int, data: bytes, sent: bool) -> None:
        """A frame went by, now."""
        stamp = clock.now().timestamp()
        about = {"is_extended_id": False, "is_rx": not sent, "channel": self._channel}
        self._writer(self._can.Message(timestamp=stamp, arbitration_id=can_id, data=data, **about))

    def close(self) -> None:
        """Finish the file."""
        self._writer.stop()
