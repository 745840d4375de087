"""How the two sides of a CHAdeMO session behind an outlet reach each other: in bench time, or on a real CAN bus."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from hilbench import clock
from hilbench_emulators.chademo import Car, Charger, Session
from hilbench_emulators.chademo.bus import CanPort
from hilbench_emulators.chademo.player import Connector, Player
from hilbench_emulators.chademo.plug import ChargerEvent, Start

OnFrame = Callable[[float, int, bytes], None]
"""Hears every frame: time since the session began [s], id, data."""
LOOK_S = 0.05
"""A bus that runs by itself is looked at this often: twice in a period of CHAdeMO."""


class Wire(Protocol):
    """Both sides; ``t`` [s] is how far they are."""

    car: Car
    charger: Charger

    @property
    def t(self) -> float: ...  # noqa: D102
    @property
    def due_s(self) -> float: ...  # noqa: D102

    def run(self, t_s: float) -> None:
        """Let them go on to ``t_s`` [s]."""
        ...

    def do(self, event: ChargerEvent) -> None:
        """Something happens to the charger now."""
        ...

    def close(self) -> None:
        """Both fall silent."""
        ...


class PureWire:
    """No bus: each frame is there at once, as bytes in the log if there is one."""

    def __init__(self, car: Car, charger: Charger, on_frame: OnFrame | None = None) -> None:
        self.car, self.charger = car, charger
        self._session = Session(car, charger, keep=on_frame is not None)
        self._on_frame = on_frame

    @property
    def t(self) -> float:
        """See :class:`Wire`."""
        return self._session.t

    @property
    def due_s(self) -> float:
        """See :class:`Wire`."""
        return self._session.due_t

    def run(self, t_s: float) -> None:
        """See :class:`Wire`."""
        self._session.run(t_s)
        if self._on_frame is not None:
            for frame in self._session.recorded():
                self._on_frame(*frame)
            self._session.trace.clear()
            self._session.ends.clear()

    def do(self, event: ChargerEvent) -> None:
        """See :class:`Wire`."""
        self._session.at(self._session.t, "charger", event)

    def close(self) -> None:
        """See :class:`Wire`."""


class BusWire:
    """A bus of python-can, in real or scaled time; raises ``DeviceError`` when it cannot be opened."""

    def __init__(self, car: Car, charger: Charger, can: str, on_frame: OnFrame | None = None) -> None:
        self.car, self.charger = car, charger
        self._begun_t = clock.time()
        interface, _, channel = can.partition(":")
        log, plug = None if on_frame is None else _Log(on_frame, self._begun_t), Connector()
        self._players = [Player(side, CanPort(interface, channel), plug, log) for side in (car, charger)]
        self._players[1].give(Start())

    @property
    def t(self) -> float:
        """See :class:`Wire`."""
        return clock.time() - self._begun_t

    @property
    def due_s(self) -> float:
        """See :class:`Wire`."""
        return self.t + LOOK_S

    def run(self, t_s: float) -> None:
        """They run by themselves."""

    def do(self, event: ChargerEvent) -> None:
        """See :class:`Wire`."""
        self._players[1].give(event)

    def close(self) -> None:
        """See :class:`Wire`."""
        for player in self._players:
            player.close()


class _Log:
    """What players put down: each frame once, by its sender."""

    def __init__(self, on_frame: OnFrame, begun_t: float) -> None:
        self._on_frame, self._begun_t = on_frame, begun_t

    def note(self, can_id: int, data: bytes, sent: bool) -> None:
        """See :class:`hilbench_emulators.chademo.bus.FrameLog`."""
        if sent:
            self._on_frame(clock.time() - self._begun_t, can_id, data)
