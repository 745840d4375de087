"""CHAdeMO's two sides on a CAN bus: in memory in any time, or on what python-can reaches, in real time. No threads.

    bus, plug = MemoryBus(), Connector()
    car = Player(Car(), bus.port(), plug)
    charger = Player(Charger(), bus.port(), plug)
    charger.give(Start())

A :class:`Connector` carries the lines and the power between two emulated sides; with real hardware at one end, the
one who drives its lines reads and sets the other end. python-can is imported only for :class:`CanPort` and
:class:`FrameLog` (the extra ``can``).
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from hilbench import clock
from hilbench.chademo import decode, encode
from hilbench.errors import DeviceError, InputError, Problem
from hilbench_emulators.chademo.car import Car
from hilbench_emulators.chademo.charger import Charger
from hilbench_emulators.chademo.plug import CarEnd, ChargerEnd

Take = Callable[[int, bytes], None]
POLL_S = 0.002
"""How often a bus without a file descriptor is asked for frames; a fiftieth of CHAdeMO's period (policy-default)."""
BITRATE = 500_000
"""Bit/s of CHAdeMO's bus (IEEE 2030.1.1 as quoted in public implementations, read-code)."""


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
    :data:`POLL_S`. Raises ``InputError`` without python-can, ``DeviceError`` when the bus cannot be opened or fails.
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
        while (message := self._receive()) is not None:
            if not (message.is_error_frame or message.is_remote_frame or message.is_extended_id):
                for take in self._takers:
                    take(message.arbitration_id, bytes(message.data))

    def _receive(self) -> Any:
        try:
            return self._bus.recv(timeout=0.0)
        except self._can.CanError as error:
            raise DeviceError(f"CAN bus {self.name}: {error}") from error

    def send(self, can_id: int, data: bytes) -> None:
        """See :class:`Port`."""
        try:
            self._bus.send(self._can.Message(arbitration_id=can_id, data=data, is_extended_id=False))
        except self._can.CanError as error:
            raise DeviceError(f"CAN bus {self.name}: cannot send: {error}") from error

    def listen(self, take: Take) -> None:
        """See :class:`Port`."""
        self._takers.append(take)

    def close(self) -> None:
        """See :class:`Port`."""
        if self._descriptor is not None:
            self._loop.remove_reader(self._descriptor)
            self._descriptor = None
        if self._timer is not None:
            self._timer.cancel()
        self._bus.shutdown()


def python_can() -> Any:
    """The package; raises ``InputError`` that says how to install it."""
    try:
        import can
    except ImportError as error:
        raise InputError("CAN", Problem("", "python-can is not installed", "pip install 'hilbench[can]'")) from error
    return can


class Connector:
    """Lines and power between a car and a charger; each end is told of the other's changes."""

    def __init__(self) -> None:
        self.car, self.charger = CarEnd(), ChargerEnd()
        self._to_car: Callable[[ChargerEnd], None] = lambda _end: None
        self._to_charger: Callable[[CarEnd], None] = lambda _end: None

    def watch(self, take_car: Callable[[CarEnd], None]) -> None:
        """Have the car's end given to ``take_car`` whenever it changes."""
        self._to_charger = take_car

    def watch_charger(self, take_charger: Callable[[ChargerEnd], None]) -> None:
        """Have the charger's end given to ``take_charger`` whenever it changes."""
        self._to_car = take_charger

    def set(self, end: CarEnd | ChargerEnd) -> None:
        """One end is so from now on; the other side learns of it later in the same instant."""
        loop = asyncio.get_running_loop()
        if isinstance(end, CarEnd):
            if end != self.car:
                self.car = end
                loop.call_soon(self._to_charger, end)
        elif end != self.charger:
            self.charger = end
            loop.call_soon(self._to_car, end)


class Player:
    """Plays a car or a charger on a bus and a connector, from now on until :meth:`close`."""

    def __init__(self, side: Car | Charger, port: Port, plug: Connector, log: FrameLog | None = None) -> None:
        self.side, self.port, self._plug, self._log = side, port, plug, log
        self._begin_t = clock.time()
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False
        port.listen(self._hear)
        if isinstance(side, Car):
            plug.watch_charger(self.give)
        else:
            plug.watch(self.give)
        self.give(None)

    def give(self, event: Any) -> None:
        """Let something happen to this side: an order, a fault, a frame, an end of the connector."""
        if self._closed:
            return
        frames, end = self.side.advance(clock.time() - self._begin_t, event)
        for frame in frames:
            can_id, data = encode(frame)
            self.port.send(can_id, data)
            self._note(can_id, data, sent=True)
        self._plug.set(end)
        self._wait()

    def _hear(self, can_id: int, data: bytes) -> None:
        self._note(can_id, data, sent=False)
        self.give(decode(can_id, data))

    def _note(self, can_id: int, data: bytes, sent: bool) -> None:
        if self._log is not None:
            self._log.note(can_id, data, sent)

    def _wait(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.side.due_t < math.inf:
            at = self._begin_t + self.side.due_t
            self._timer = asyncio.get_running_loop().call_at(at, self.give, None)

    def close(self) -> None:
        """Fall silent."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        self.port.close()


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
