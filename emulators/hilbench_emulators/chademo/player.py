"""CHAdeMO's two sides played on a bus: the shell around the pure machines, in the loop's own time.

    bus, plug = MemoryBus(), Connector()
    car = Player(Car(), bus.port(), plug)
    charger = Player(Charger(), bus.port(), plug)
    charger.give(Start())

A :class:`Connector` carries the lines and the power between two emulated sides; with real hardware at one end, the
one who drives its lines reads and sets the other end.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import Any, Protocol

from hilbench import clock
from hilbench.chademo import decode, encode
from hilbench_emulators.chademo.bus import Port
from hilbench_emulators.chademo.car import Car
from hilbench_emulators.chademo.charger import Charger
from hilbench_emulators.chademo.plug import CarEnd, ChargerEnd


class Notes(Protocol):
    """Whoever puts frames down, such as a :class:`hilbench_emulators.chademo.bus.FrameLog`."""

    def note(self, can_id: int, data: bytes, sent: bool) -> None:
        """A frame went by, now."""
        ...


class Connector:
    """Lines and power between a car and a charger; each end is told of the other's changes."""

    def __init__(self) -> None:
        self.car, self.charger = CarEnd(), ChargerEnd()
        self._to_car: Callable[[ChargerEnd], None] = lambda _end: None
        self._to_charger: Callable[[CarEnd], None] = lambda _end: None

    def watch_car(self, take_car: Callable[[CarEnd], None]) -> None:
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

    def __init__(self, side: Car | Charger, port: Port, plug: Connector, log: Notes | None = None) -> None:
        self.side, self.port, self._plug, self._log = side, port, plug, log
        self._begin_t = clock.time()
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False
        port.listen(self._hear)
        if isinstance(side, Car):
            plug.watch_charger(self.give)
        else:
            plug.watch_car(self.give)
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
