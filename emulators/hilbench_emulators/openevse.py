"""An emulated OpenEVSE board on its serial line: the pure core, its RAPI, and timers of the loop."""

from __future__ import annotations

import asyncio
import math

from hilbench import clock
from hilbench.modbus_address import ModbusAddress
from hilbench.signals import Record
from hilbench_emulators.openevse_board import Pilot
from hilbench_emulators.openevse_clock import DelayTimer
from hilbench_emulators.openevse_commands import execute
from hilbench_emulators.openevse_core import OpenEvse
from hilbench_emulators.openevse_rapi import Heard, Receiver, framed
from hilbench_emulators.openevse_settings import Fault, Settings, Vehicle
from hilbench_emulators.serial_board import BoardServer


class EmulatedOpenEvse:
    """A board called ``name`` that speaks RAPI at ``address`` (default: a free TCP port, see ``port``).

    ``chatter`` sends a notice before every answer, as happens on a busy board. With a ``record``, changes of its pilot
    and of its relay are events ``openevse.pilot`` and ``openevse.relay``. It has power from ``start`` on.
    """

    def __init__(
        self,
        name: str = "openevse",
        address: ModbusAddress | None = None,
        *,
        settings: Settings | None = None,
        baudrate: int | None = None,
        chatter: bool = False,
        seed: int = 1,
        record: Record | None = None,
    ) -> None:
        self.name, self.chatter = name, chatter
        self.core = OpenEvse(settings or Settings(), DelayTimer())
        self.line = BoardServer(name, address, self._received, baudrate=baudrate, seed=seed)
        self._receiver = Receiver(self.core.settings.line_most)
        self._record = record
        self._told: tuple[Pilot, bool] = (self.core.pilot, False)
        self._timer: asyncio.TimerHandle | None = None

    @property
    def port(self) -> int:
        """The TCP port that it listens at."""
        return self.line.port

    @property
    def pilot(self) -> Pilot:
        """What it drives on the pilot, and since when [s]."""
        return self.core.pilot

    async def start(self) -> None:
        """Listen, and boot; raises ``DeviceError`` when port or path are not free."""
        await self.line.start()
        self._say(self.core.boot(clock.time()))
        self._settle()

    async def stop(self) -> None:
        """Lose power and close the line."""
        self._wait(math.inf)
        self.core.lose_power(clock.time())
        await self.line.stop()

    def connect(self, vehicle: Vehicle) -> None:
        """Put this at the other end of its pilot."""
        self._happens(vehicle)

    def load(self, state: str, *, diode: bool = True) -> None:
        """As ``connect``, for the other end of a cable that says only its state."""
        self._happens(Vehicle(state, diode, self.core.vehicle.current_a))

    def set_fault(self, code: int | None) -> None:
        """Something breaks in it, or is right again; codes are ``openevse_settings.FAULTS``."""
        self._happens(Fault(code))

    async def power_cycle(self, off_s: float) -> None:
        """Lose power for ``off_s`` seconds."""
        self.core.lose_power(clock.time())
        self._settle()
        await asyncio.sleep(off_s)
        self._say(self.core.boot(clock.time()))
        self._settle()

    # -- the line

    def _received(self, data: bytes) -> None:
        if self.core.echo:
            self.line.send(data)
        for heard in self._receiver.feed(data):
            self._say(self.core.advance(clock.time()))
            if self.core.is_up:
                self._obey(heard)
        self._settle()

    def _obey(self, heard: Heard) -> None:
        if heard.tokens and heard.tokens[0][:2] == "FR":
            self.core.restart()
            return
        if self.chatter:
            self._say([self.core.notice()])
        done, text = execute(self.core, heard.tokens)
        word = "OK" if done else "NK"
        ending = b"\n" if self.core.echo else b""
        self.line.send(framed(f"{word} {text}" if text else word, heard.sequence) + ending)
        self._say(self.core.look())

    def _say(self, notices: list[str]) -> None:
        for notice in notices:
            self.line.send(framed(notice))

    # -- time

    def _happens(self, event: Vehicle | Fault | None) -> None:
        self._say(self.core.advance(clock.time(), event))
        self._settle()

    def _settle(self) -> None:
        self._tell()
        self._wait(self.core.next_t())

    def _tell(self) -> None:
        now = (self.core.pilot, self.core.relay_closed)
        if self._record is not None:
            if now[0] != self._told[0]:
                self._record.event(now[0].t, "openevse.pilot", self.name, level=now[0].level, duty_pct=now[0].duty_pct)
            if now[1] != self._told[1]:
                self._record.event(clock.time(), "openevse.relay", self.name, closed=now[1])
        self._told = now

    def _wait(self, t: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        loop = asyncio.get_running_loop()
        self._timer = None if t == math.inf else loop.call_at(t, self._happens, None)
