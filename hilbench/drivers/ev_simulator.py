"""The driver of a relay-type EV simulator: one letter is a command, and the board reports what it sees of the pilot.

Protocol of the public ``ev_sim`` board, 9600 8N1 (nsayer/ev_sim ``ev_sim.c``, read-code), and of the extended board of
the bench: ``E``, ``+``, ``-`` and ``0`` to ``6``, see ``hilbench_emulators.ev_simulator``. Neither has a checksum: a
flipped bit can pass for another figure or state, so that short cables are meant.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass

from hilbench import clock
from hilbench.drivers.board import Board
from hilbench.errors import DeviceError, InputError, Problem

BAUDRATE = 9600
STATES = "ABCDE"
PROXIMITY = {None: "0", 1500: "1", 680: "2", 220: "3", 100: "4", 150: "5", 480: "6"}
"""Proximity resistors [Ohm] and their commands."""
_WINDOW_S = 0.5
_LONGEST_LINE = 256
_FIELD = re.compile(rb'(\w+): "?(-?\w+(?:\.\d+)?)"?')


@dataclass(frozen=True)
class Seen:
    """One report, of half a second: the resistors that are in, and the pilot as the board sees it.

    ``duty_pct`` and ``frequency_hz`` (to 2 Hz) are None without PWM. ``diode`` and ``proximity_ohm`` (0: open) are None
    on a board that cannot switch them. The board loses the sign between -1 and 0 V.
    """

    t: float
    state: str
    duty_pct: float | None
    frequency_hz: float | None
    low_v: float
    high_v: float
    diode: bool | None = None
    proximity_ohm: int | None = None


def understood(t: float, line: bytes) -> Seen | None:
    """A line of the board; None when it is none."""
    if not (line.startswith(b"{ ") and line.endswith(b" }")):
        return None
    fields = {name.decode(): text.decode("latin-1") for name, text in _FIELD.findall(line)}
    try:
        return _seen(t, fields)
    except (KeyError, ValueError):
        return None


def _seen(t: float, fields: dict[str, str]) -> Seen | None:
    state, changes = fields["state"], int(fields["state_changes"])
    low, high = int(fields["low_count"]), int(fields["high_count"])
    if state not in STATES or len(state) != 1 or min(low, high) < 0:
        return None
    pwm = changes > 0 and low + high > 0
    return Seen(
        t,
        state,
        100.0 * high / (low + high) if pwm else None,
        changes / (2.0 * _WINDOW_S) if pwm else None,
        float(fields["min_volts"]),
        float(fields["max_volts"]),
        bool(int(fields["diode"])) if "diode" in fields else None,
        int(fields["pp_ohm"]) if "pp_ohm" in fields else None,
    )


class EvSimulatorDriver(Board):
    """The simulator ``name`` at ``address``; a report is due within ``timeout_s``."""

    SAFE = "state A"
    """What is read back from a safe one."""

    def __init__(self, name: str, address: str, *, timeout_s: float = 2.0) -> None:
        super().__init__(name, address, BAUDRATE, timeout_s)
        self.last: Seen | None = None
        self._buffer = b""
        self._waiting: list[asyncio.Future[Seen]] = []

    async def start(self) -> None:
        """Connect and wait for a report; raises ``DeviceError`` when none comes."""
        await self.read()

    async def stop(self) -> None:
        """Unplug, if the board still listens, and close the line."""
        if self._line is not None:
            try:
                self._line.write(b"A")
                await asyncio.sleep(0)  # the byte leaves before the line is closed
            except DeviceError:
                pass  # whoever stops it twice, or after it died, has had that error already
        self._disconnect()

    async def read(self) -> Seen:
        """The next report; raises ``DeviceError`` when none comes in time."""
        await self._connected()
        waiting: asyncio.Future[Seen] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        self._noise = b""
        try:
            async with asyncio.timeout(self.timeout_s):
                return await waiting
        except (TimeoutError, ConnectionError):
            self._noise = self._noise or self._buffer
            what = f"no report within {self.timeout_s:g} s"
            raise self._silence(what, "check power and cable; 9600 baud") from None
        finally:
            self._waiting.remove(waiting)

    async def set_state(self, state: str) -> Seen:
        """Connect the resistors of ``state`` (A: unplugged, E: short to earth), and read back.

        Raises ``InputError`` for another state, and ``DeviceError`` when the board does not confirm it.
        """
        if len(state) != 1 or state not in STATES:
            raise self._wrong("state", f"{state!r} is none", "use A, B, C, D or E")
        return await self._switch(state, f"state {state}", lambda seen: seen.state == state)

    async def set_diode(self, present: bool) -> Seen:
        """Put the diode in, or bridge it, and read back; raises ``DeviceError`` on a board that cannot."""
        return await self._switch("+" if present else "-", "the diode", lambda seen: seen.diode is present)

    async def set_proximity(self, ohm: int | None) -> Seen:
        """Connect a proximity resistor [Ohm] (None: open), and read back.

        Raises ``InputError`` for a value that the board does not have, ``DeviceError`` when it cannot switch any.
        """
        if ohm not in PROXIMITY:
            values = ", ".join(str(value) for value in PROXIMITY if value)
            raise self._wrong("proximity", f"no resistor of {ohm} Ohm", f"use {values}, or none")
        return await self._switch(
            PROXIMITY[ohm], "the proximity resistor", lambda seen: seen.proximity_ohm == (ohm or 0)
        )

    async def make_safe(self) -> None:
        """Unplug, and read back."""
        await self.set_state("A")

    def is_safe(self) -> bool:
        """The last report said that it is unplugged."""
        return self.last is not None and self.last.state == "A"

    async def _switch(self, letter: str, what: str, done: Callable[[Seen], bool]) -> Seen:
        """Send a command; the report of the first whole window after it, which must confirm it."""
        line = await self._connected()
        line.write(letter.encode())
        seen = await self.read()
        if not done(seen):
            seen = await self.read()  # that one was under way when the command came
        if done(seen):
            seen = await self.read()  # that one began before the command, and shows both states
        if not done(seen):
            raise self._error(f"does not switch {what}: it reports {seen}", "is it the extended board?")
        return seen

    def _received(self, data: bytes) -> None:
        *lines, rest = (self._buffer + data).split(b"\n")
        if len(rest) > _LONGEST_LINE:
            self._noise, rest = rest, b""
        self._buffer = rest
        for line in lines:
            seen = understood(clock.time(), line.strip(b"\r"))
            if seen is None:
                self._noise = line
            else:
                self._heard(seen)

    def _heard(self, seen: Seen) -> None:
        self.last = seen
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(seen)

    def _lost(self, why: str) -> None:
        super()._lost(why)
        self._buffer = b""
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_exception(ConnectionResetError(why))

    def _wrong(self, where: str, what: str, remedy: str) -> InputError:
        return InputError(f"board {self.name}", Problem(where, what, remedy))
