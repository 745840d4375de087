"""Where a car stands at a pilot that is looked at: an emulated car at a station, or an EV simulator at a board.

Procedures act on both in the same words, and are told how long the contactor took.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Coroutine, Iterator
from typing import TYPE_CHECKING, Any, Protocol

from hilbench import clock
from hilbench.drivers.ev_simulator import EvSimulatorDriver
from hilbench.drivers.openevse import OpenEvseDriver
from hilbench.errors import DeviceError
from hilbench.measuring.window import Took
from hilbench.nature import probed_boards, probed_cars, probed_stations
from hilbench.probes import PilotProbe
from hilbench.real_station import RealStation
from hilbench.signals import contactor

if TYPE_CHECKING:
    from hilbench.bench import Bench

PATIENCE_S = 15.0
POLL_S = 0.01
REST_S = 8.0
"""Between two attempts, so that none is taken for the answer to the other."""
CAR_S = 60.0
"""So long an emulated car may take from what it is told to its new state: it ramps down, or waits before it starts."""
LEFT_A = 3.0
"""What a building leaves that shall make a controller pause all cars: half of what one needs."""


class Watch:
    """Watches what ``board`` says of its contactor."""

    def __init__(self, board: OpenEvseDriver) -> None:
        self._board = board

    async def until(self, closed: bool, act: Coroutine[Any, Any, object]) -> Took:
        """Do ``act``, and look until the contactor is ``closed`` or open; infinity where it never is.

        It moved between the last look that saw it as it was and the first that did not.
        """
        doing = asyncio.ensure_future(act)
        begun = last = clock.time()
        took = Took(math.inf, 0.0, begun)
        while (now := clock.time()) < begun + PATIENCE_S and math.isinf(took.seconds):
            if (await self._board.status()).relay_closed == closed:
                seen = clock.time()
                took = Took((last + seen) / 2.0 - begun, (seen - last) / 2.0, begun)
            last = now
            await asyncio.sleep(POLL_S)
        await doing
        return took


class Seat(Protocol):
    """A car at a pilot with a probe. ``arrive`` and ``ask`` raise ``DeviceError`` for a car that does not obey."""

    name: str
    probe: PilotProbe

    async def arrive(self) -> None:
        """A car comes, and charges."""

    async def offer(self, yes: bool) -> None:
        """Let the station offer something again, or end its PWM."""

    async def doze(self) -> None:
        """The car does not ask from now on, whatever is offered: it has been left alone for too long."""

    async def ask(self, yes: bool) -> Took | None:
        """The car goes to state C, or to B; how long the contactor took from then on to close, or to open.

        None where nobody sees the contactor.
        """
        ...

    async def leave(self) -> None:
        """The car goes, and all is as before."""


class BoardSeat:
    """An EV simulator at a board; the moment of a new state is that of the command, which it obeys at once."""

    def __init__(self, name: str, board: OpenEvseDriver, ev: EvSimulatorDriver, probe: PilotProbe) -> None:
        self.name, self.board, self.ev, self.probe = name, board, ev, probe
        self._watch = Watch(board)

    async def ready(self) -> None:
        """A car without faults in state B at a board that is awake."""
        await self.board.enable()
        await self.ev.set_diode(True)
        await self.ev.set_state("B")
        await asyncio.sleep(REST_S)

    async def arrive(self) -> None:
        """See :class:`Seat`."""
        await self.ready()
        await self.ev.set_state("C")
        await asyncio.sleep(REST_S)

    async def offer(self, yes: bool) -> None:
        """See :class:`Seat`."""
        await (self.board.enable() if yes else self.board.sleep())

    async def doze(self) -> None:
        """See :class:`Seat`."""
        await self.ev.set_state("B")

    async def ask(self, yes: bool) -> Took:
        """See :class:`Seat`."""
        return await self.until(yes, self.ev.set_state("C" if yes else "B"))

    async def until(self, closed: bool, act: Coroutine[Any, Any, object]) -> Took:
        """Do ``act``, and watch the contactor, see :class:`Watch`."""
        return await self._watch.until(closed, act)

    async def leave(self) -> None:
        """See :class:`Seat`; the board waits for the next car."""
        await self.ev.set_state("A")
        await self.ev.set_diode(True)
        await asyncio.sleep(REST_S)
        await self.board.enable()


class StationSeat(Seat):
    """An emulated car at an emulated station. What its controller lets it have is made by the load of the building."""

    def __init__(self, bench: Bench, role: str) -> None:
        self.name, self.probe = role, bench.pilots.probes[role]
        self._bench = bench

    async def arrive(self) -> None:
        """See :class:`Seat`."""
        await self._bench.plug_in(self.name)
        await self._bench.settled(quiet_s=30.0)
        if not self._bench.record.signals[contactor(self.name)].last():
            raise DeviceError(f"station {self.name}: its contactor is open although a car wants to charge")

    async def offer(self, yes: bool) -> None:
        """See :class:`Seat`."""
        self._bench.base_load.clear()
        if not yes:
            self._bench.base_load.step(self._bench.room_a - LEFT_A)

    async def doze(self) -> None:
        """See :class:`Seat`."""
        self._bench.plant.pause(self.name, True)

    async def ask(self, yes: bool) -> Took | None:
        """See :class:`Seat`."""
        begun, state = clock.time(), "C" if yes else "B"
        self._bench.plant.pause(self.name, not yes)
        while math.isinf(moved := self._in_state(state, begun)):
            if clock.time() > begun + CAR_S:
                raise DeviceError(f"car at {self.name}: does not go to state {state} within {CAR_S:g} s")
            await self._bench.run_for(1.0)
        return await self.moved(yes, moved)

    async def moved(self, closed: bool, since: float) -> Took:
        """Wait, and see how long after ``since`` the contactor was first closed, or open."""
        await self._bench.run_until(since + PATIENCE_S)
        return Took(self._moved(closed, since) - since, self._bench.time_uncertainty_s, since)

    def _in_state(self, state: str, since: float) -> float:
        events = self._bench.record.events_of("vehicle.state", self.name)
        return next((one.t for one in events if one.t >= since and one.data["state"] == state), math.inf)

    def _moved(self, closed: bool, since: float) -> float:
        """When the contactor was first closed, or open, at or after ``since``."""
        signal = self._bench.record.signals[contactor(self.name)]
        if bool(signal.value_at(since)) == closed:
            return since
        rows = zip(*signal.rows(), strict=True)
        return min((float(t) for t, value in rows if t > since and bool(value) == closed), default=math.inf)

    async def leave(self) -> None:
        """See :class:`Seat`."""
        self._bench.base_load.clear()
        await self._bench.unplug(self.name)


class RealSeat(StationSeat):
    """An EV simulator at a real station, whose contactor nobody sees."""

    def __init__(self, bench: Bench, role: str, station: RealStation) -> None:
        super().__init__(bench, role)
        self._station = station

    async def arrive(self) -> None:
        """See :class:`Seat`."""
        await self._bench.plug_in(self.name)
        await self._bench.settled(quiet_s=30.0)
        await self._until("C")

    async def doze(self) -> None:
        """See :class:`Seat`."""
        self._station.asks = False
        await self._until("B")

    async def ask(self, yes: bool) -> None:
        """See :class:`Seat`."""
        self._station.asks = yes
        await self._until("C" if yes else "B")
        await self._bench.run_for(PATIENCE_S)

    async def _until(self, state: str) -> None:
        until = clock.time() + CAR_S
        while (seen := await self._station.ev.read()).state != state:
            if clock.time() > until:
                pwm = "no PWM" if seen.duty_pct is None else f"{seen.duty_pct:.1f} % PWM"
                raise DeviceError(f"EV simulator at {self.name}: is in state {seen.state} with {pwm}, not in {state}")


def station_seats(bench: Bench) -> Iterator[StationSeat]:
    """Those at stations with a probe, in rig order."""
    for role in probed_stations(bench.rig):
        station = bench.stations[role]
        yield RealSeat(bench, role, station) if isinstance(station, RealStation) else StationSeat(bench, role)


def car_seats(bench: Bench) -> Iterator[StationSeat]:
    """Those of them whose car the bench plays."""
    return (StationSeat(bench, role) for role in probed_cars(bench.rig))


def board_seats(bench: Bench) -> Iterator[BoardSeat]:
    """Those at boards with a probe and an EV simulator, in rig order."""
    for name in probed_boards(bench.rig):
        ev = bench.pilots.ev_at(name)
        if ev is not None:
            yield BoardSeat(name, bench.pilots.evses[name], ev, bench.pilots.probes[name])
