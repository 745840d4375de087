"""The driver of an OpenEVSE board over RAPI: serial 115200 8N1, or TCP behind a device server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from hilbench import clock
from hilbench.drivers.board import Board
from hilbench.drivers.openevse_status import (
    Change,
    OpenEvseStatus,
    Supervision,
    change_of,
    flags_of,
    measured,
    state_name,
)
from hilbench.drivers.rapi import Decoder, Notice, Reply, command
from hilbench.errors import DeviceError, InputError, Problem
from hilbench.signals import Record, commanded_current

T = TypeVar("T")
BAUDRATE = 115_200
LEAST_A, MOST_A = 6, 80
LONGEST_HEARTBEAT_S = 65
"""Boards with 16-bit arithmetic fall back early from 66 s on (read-code, ``HsExpirationCheck``)."""
RELAY_OPENS_S = 3.5
"""A sleeping board opens its relay after 3 s at the latest (read-code)."""
RESTART_S = 10.0
"""Self-test included (policy-default)."""
_COOKIE = 165
_LOOK_S = 0.1


class OpenEvseDriver(Board):
    """The board ``name`` at ``address``. A request is sent up to ``attempts`` times, ``timeout_s`` each.

    Requests carry a sequence id, so that a late answer is never taken for that of the next one; a board that does not
    know them (firmware before 3) is told by its first answer. ``on_change`` hears every notice of a change; with a
    ``record`` they are events ``openevse.state``, and a missed heartbeat is ``openevse.error``.
    """

    SAFE = "relay open"
    """What is read back from a safe one."""

    def __init__(
        self,
        name: str,
        address: str,
        *,
        timeout_s: float = 0.5,
        attempts: int = 3,
        on_change: Callable[[Change], None] | None = None,
        record: Record | None = None,
    ) -> None:
        super().__init__(name, address, BAUDRATE, timeout_s)
        self.attempts = attempts
        self.firmware = ""
        self.last_change: Change | None = None
        self._on_change, self._record = on_change, record
        self._decoder = Decoder()
        self._turn = asyncio.Lock()
        self._numbered, self._number = True, 0
        self._waiting: asyncio.Future[Reply] | None = None
        self._booted = asyncio.Event()
        self._beating: asyncio.Task[None] | None = None
        self._safe = False

    async def start(self) -> None:
        """Connect and ask for the version; raises ``DeviceError`` when no OpenEVSE answers."""
        self._numbered = True
        reply = await self.ask("GV")
        self.firmware = self._parsed("GV", reply, lambda firmware, *_protocol: firmware)

    async def stop(self) -> None:
        """Stop the heartbeat and close the line; the board goes on, and falls back if it is supervised."""
        await self._stop_beating()
        self._disconnect()

    def release(self) -> None:
        """See ``Board``; heartbeats end too."""
        if self._beating is not None:
            self._beating.cancel()
            self._beating = None
        super().release()

    # -- what it is asked and told

    async def ask(self, text: str) -> Reply:
        """Send any command, such as ``GS`` or ``SC 16``; raises ``DeviceError`` without an answer.

        An ``$NK`` is an answer. Raises ``InputError`` for a command that the board would drop.
        """
        async with self._turn:
            self._noise = b""
            for _ in range(self.attempts):
                reply = await self._once(text)
                if reply is not None:
                    return reply
            self._noise = self._noise or self._decoder.pending
            what = f"no usable answer to {text!r} within {self.attempts} x {self.timeout_s:g} s"
            raise self._silence(what, "check power, cable and speed")

    async def status(self) -> OpenEvseStatus:
        """Look at everything; raises ``DeviceError``."""
        state, elapsed, pilot, connected, relay = await self._state()
        offered = self._parsed("GE", await self.ask("GE"), lambda amps, _flags: int(amps))
        current, voltage = self._parsed("GG", await self.ask("GG"), lambda ma, mv: (measured(ma), measured(mv)))
        session, total = self._parsed("GU", await self.ask("GU"), lambda ws, wh: (int(ws) / 3600.0, float(int(wh))))
        return OpenEvseStatus(state, pilot, connected, relay, elapsed, offered, current, voltage, session, total)

    async def most_a(self) -> int:
        """The most [A] that it can be told to offer now; raises ``DeviceError``."""
        return self._parsed("GC", await self.ask("GC"), lambda _least, _hardware, _pilot, most: int(most))

    async def set_current(self, amps: int, *, save: bool = False) -> None:
        """Offer ``amps`` [A], until the next boot or for good.

        Raises ``InputError`` outside 6 to 80 A, and ``DeviceError`` when the board offers another current.
        """
        if not LEAST_A <= amps <= MOST_A:
            what = f"{amps} A cannot be offered"
            raise InputError(f"board {self.name}", Problem("current", what, f"{LEAST_A} to {MOST_A} A, or sleep"))
        if self._record is not None:
            self._record.signal(commanded_current(self.name), "A").append(clock.time(), amps)
        request = f"SC {amps}" if save else f"SC {amps} V"
        offered = self._parsed(request, await self.ask(request), int, refusal=True)
        if offered != amps:
            raise self._error(f"offers {offered} A, asked for {amps} A", "its limits: hilbench board rapi ADDRESS GC")

    async def enable(self) -> None:
        """Wake from sleep or disabled state."""
        await self._do("FE")

    async def disable(self) -> None:
        """-12 V on the pilot; the relay opens under load."""
        await self._do("FD")

    async def sleep(self) -> None:
        """+12 V on the pilot; the relay opens when the car has stopped, or after 3 s."""
        await self._do("FS")

    async def restart(self) -> None:
        """Reset the board and wait for its boot notice; raises ``DeviceError`` when none comes."""
        async with self._turn:
            line = await self._connected()
            self._booted.clear()
            line.write(command("FR"))
            try:
                async with asyncio.timeout(RESTART_S):
                    await self._booted.wait()
            except TimeoutError:
                raise self._silence(f"no boot notice within {RESTART_S:g} s", "look at its display") from None
        await self.start()

    # -- safe state

    async def make_safe(self) -> None:
        """Sleep, and read back until the relay is open; raises ``DeviceError`` when it is not in time."""
        self._safe = False
        await self.sleep()
        deadline = clock.time() + RELAY_OPENS_S
        while True:
            state, _elapsed, _pilot, _connected, relay = await self._state()
            if state in ("sleeping", "disabled") and not relay:
                self._safe = True
                return
            if clock.time() >= deadline:
                what = f"is not safe after {RELAY_OPENS_S:g} s: state {state}, relay {'closed' if relay else 'open'}"
                raise self._error(what, "cut its supply")
            await asyncio.sleep(_LOOK_S)

    def is_safe(self) -> bool:
        """Whether the last ``make_safe`` was read back, and nothing was heard of a change since."""
        return self._safe

    # -- heartbeat

    async def supervise(self, interval_s: int, fallback_a: int) -> None:
        """Let the board fall back to ``fallback_a`` without a heartbeat for ``interval_s``, and send heartbeats.

        Raises ``InputError`` for an interval that some boards shorten (over 65 s), and for a fallback below 6 A, of
        which they make 6 A: 0 A on loss is not to be had from them.
        """
        if not 2 <= interval_s <= LONGEST_HEARTBEAT_S or not LEAST_A <= fallback_a <= MOST_A:
            what = f"{interval_s} s and {fallback_a} A are not kept by every board"
            remedy = f"2 to {LONGEST_HEARTBEAT_S} s, {LEAST_A} to {MOST_A} A"
            raise InputError(f"board {self.name}", Problem("supervision", what, remedy))
        await self._stop_beating()
        told = _supervision(self._parsed("SY", await self.ask(f"SY {interval_s} {fallback_a}"), _three))
        if (told.interval_s, told.fallback_a) != (interval_s, fallback_a):
            raise self._error(f"supervises {told.interval_s} s, {told.fallback_a} A instead", "is it an OpenEVSE?")
        beating = self._beat(interval_s / 3.0)
        self._beating = asyncio.get_running_loop().create_task(beating, name=f"board {self.name}")

    async def supervision(self) -> Supervision:
        """What it is supervised with, and whether a heartbeat was missed."""
        return _supervision(self._parsed("GY", await self.ask("GY"), _three))

    async def acknowledge(self) -> None:
        """Acknowledge a missed heartbeat: the board offers its saved current again."""
        await self._do(f"SY {_COOKIE}")

    async def _stop_beating(self) -> None:
        if self._beating is not None:
            self._beating.cancel()
            await asyncio.gather(self._beating, return_exceptions=True)
            self._beating = None

    async def _beat(self, every_s: float) -> None:
        while True:
            await asyncio.sleep(every_s)
            try:
                if not (await self.ask("SY")).ok:
                    self._note("openevse.error", error="a heartbeat was missed: it has fallen back")
            except DeviceError as error:
                self._note("openevse.error", error=str(error))

    # -- the line

    def _received(self, data: bytes) -> None:
        for heard in self._decoder.feed(data):
            if isinstance(heard, Reply):
                self._answered(heard)
            elif isinstance(heard, Notice):
                self._noticed(heard)
            else:
                self._noise = heard.data

    def _answered(self, reply: Reply) -> None:
        waiting = self._waiting
        if waiting is None or waiting.done():
            return
        if reply.sequence is None or not self._numbered or reply.sequence == self._number:
            waiting.set_result(reply)

    def _noticed(self, notice: Notice) -> None:
        if notice.kind == "AB":
            self._booted.set()
        if notice.kind != "AT":
            return
        with suppress(ValueError):
            change = self.last_change = change_of(notice.values)
            self._safe = self._safe and not change.relay_closed and change.state in ("sleeping", "disabled")
            self._note("openevse.state", state=change.state, offered_a=change.offered_a)
            if self._on_change is not None:
                self._on_change(change)

    async def _once(self, text: str) -> Reply | None:
        """Ask once; None without a usable answer, so that it is asked again."""
        self._number = self._number % 255 + 1
        data = command(text, self._number if self._numbered else None)
        line = await self._connected()
        self._waiting = asyncio.get_running_loop().create_future()
        try:
            line.write(data)
            async with asyncio.timeout(self.timeout_s):
                reply = await self._waiting
        except ConnectionError:
            return None
        except TimeoutError:
            if not self._numbered:
                self._disconnect()  # a late answer must not be taken for that of the next request
            return None
        finally:
            self._waiting = None
        if self._numbered and reply.sequence is None:
            if not reply.ok:
                return None  # it took the command for broken, and did nothing
            self._numbered = False
        return reply

    def _lost(self, why: str) -> None:
        super()._lost(why)
        self._decoder = Decoder()
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(ConnectionResetError(why))

    def _note(self, kind: str, **data: object) -> None:
        if self._record is not None:
            self._record.event(clock.time(), kind, self.name, **data)

    async def _do(self, text: str) -> None:
        reply = await self.ask(text)
        if not reply.ok:
            raise self._error(f"refuses {text!r}", "is the function part of its firmware?")

    async def _state(self) -> tuple[str, int, str, bool, bool]:
        return self._parsed(
            "GS",
            await self.ask("GS"),
            lambda state, elapsed, pilot, flags: (state_name(state), int(elapsed), state_name(pilot), *flags_of(flags)),
        )

    def _parsed(self, asked: str, reply: Reply, read: Callable[..., T], *, refusal: bool = False) -> T:
        """What the values of a reply mean; raises ``DeviceError`` for a refusal and for nonsense."""
        if not reply.ok and not (refusal and reply.values):
            raise self._error(f"refuses {asked!r}", "is the function part of its firmware?")
        try:
            return read(*reply.values)
        except (TypeError, ValueError):
            raise self._error(f"answers {' '.join(reply.values)!r} to {asked!r}", "is it an OpenEVSE?") from None


def _three(interval: str, fallback: str, trigger: str) -> tuple[int, int, int]:
    return int(interval), int(fallback), int(trigger)


def _supervision(values: tuple[int, int, int]) -> Supervision:
    interval_s, fallback_a, trigger = values
    return Supervision(interval_s, fallback_a, trigger == 2)
