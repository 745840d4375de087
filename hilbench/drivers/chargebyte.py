"""The driver of a chargebyte safety controller (Charge SOM): serial 115200 8N1, a control frame every 100 ms."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from hilbench import clock
from hilbench.drivers.board import Board
from hilbench.drivers.chargebyte_frames import (
    CONTROL,
    INQUIRY,
    STATE,
    VERSION,
    BoardState,
    Decoder,
    control,
    frame,
    state_of,
)
from hilbench.errors import DeviceError, InputError, Problem
from hilbench.signals import Record

BAUDRATE = 115_200
CONTROL_S = 0.1
"""Interval of control frames that the controller expects (read-code)."""
START_UP_S = 0.3
"""After a reset it answers that late (read-code)."""
CONTACTORS = 3
_REPORTS = 4


class ChargebyteDriver(Board):
    """The controller ``name`` at ``address``; it reports every 100 ms, and must within ``timeout_s``.

    From ``start`` on it is told ten times a second what to do; when that ends, it opens its contactors by itself, and
    does nothing until it is reset: ``reset`` pulls its reset line, which ``start`` does where there is one. With a
    ``record``, a line that fails is an event ``chargebyte.error``.
    """

    SAFE = "no PWM, contactors open"
    """What is read back from a safe one."""

    def __init__(
        self,
        name: str,
        address: str,
        *,
        timeout_s: float = 0.5,
        reset: Callable[[], None] | None = None,
        record: Record | None = None,
    ) -> None:
        super().__init__(name, address, BAUDRATE, timeout_s)
        self.last: BoardState | None = None
        self.firmware = ""
        self._record, self._reset = record, reset
        self._decoder = Decoder()
        self._wanted = control(False, 0.0, ())
        self._waiting: list[tuple[int, asyncio.Future[int]]] = []
        self._telling: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Connect, ask for the version, and begin to tell; raises ``DeviceError`` when it does not answer."""
        if self._reset is not None:
            self._reset()
            await asyncio.sleep(START_UP_S)
        content = await self._next(VERSION, inquire=True)
        self.firmware = f"{content >> 56 & 0xFF}.{content >> 48 & 0xFF}.{content >> 40 & 0xFF}"
        if self._telling is None:
            self._telling = asyncio.get_running_loop().create_task(self._tell(), name=f"board {self.name}")

    async def stop(self) -> None:
        """Tell it to stop once more, and let go of it."""
        if self._telling is not None:
            self._telling.cancel()
            await asyncio.gather(self._telling, return_exceptions=True)
            self._telling = None
        if self._line is not None:
            self._wanted = control(False, 0.0, ())
            try:
                self._line.write(frame(CONTROL, self._wanted))
                await asyncio.sleep(0)  # the frame leaves before the line is closed
            except DeviceError:
                pass  # it stops by itself without control frames
        self._disconnect()

    def release(self) -> None:
        """See ``Board``: it stops by itself when nobody tells it anything."""
        if self._telling is not None:
            self._telling.cancel()
            self._telling = None
        super().release()

    async def read(self) -> BoardState:
        """The next report; raises ``DeviceError`` when none comes in time."""
        return state_of(clock.time(), await self._next(STATE))

    async def set_pwm(self, duty_pct: float | None) -> BoardState:
        """PWM of ``duty_pct``, to 0.1 % (None: steady +12 V), and read back.

        Raises ``InputError`` outside 0 to 100 %, ``DeviceError`` when the controller does not do it.
        """
        if duty_pct is not None and not 0.0 <= duty_pct <= 100.0:
            raise self._wrong("duty cycle", f"{duty_pct:g} % is none", "0 to 100 %, or none")
        duty = round(duty_pct or 0.0, 1)
        self._wanted = control(duty_pct is not None, duty, self._closed())
        return await self._confirmed(
            f"PWM of {duty:g} %" if duty_pct is not None else "no PWM",
            lambda state: state.pwm == (duty_pct is not None) and state.duty_pct == duty,
        )

    async def set_contactor(self, number: int, closed: bool) -> BoardState:
        """Close or open contactor ``number`` (1 to 3), and read back; raises as ``set_pwm``."""
        if not 1 <= number <= CONTACTORS:
            raise self._wrong("contactor", f"there is no contactor {number}", f"1 to {CONTACTORS}")
        bit = 1 << 39 + number
        self._wanted = self._wanted | bit if closed else self._wanted & ~bit
        word = "closed" if closed else "open"
        return await self._confirmed(f"contactor {number} {word}", lambda state: state.contactors[number - 1] == word)

    async def make_safe(self) -> None:
        """No PWM, contactors open, and read back; raises ``DeviceError`` when it does not do that."""
        self._wanted = control(False, 0.0, ())
        await self._confirmed("the safe state", _is_safe, though_stopped=True)

    def is_safe(self) -> bool:
        """The last report said so."""
        return self.last is not None and _is_safe(self.last)

    def _closed(self) -> tuple[bool, ...]:
        return tuple(bool(self._wanted >> 40 + at & 1) for at in range(CONTACTORS))

    async def _confirmed(
        self, what: str, done: Callable[[BoardState], bool], *, though_stopped: bool = False
    ) -> BoardState:
        """Tell it now, and wait for a report that says so."""
        await self._say()
        state = await self.read()
        for _ in range(_REPORTS):
            if done(state):
                return state
            if state.stopped and not though_stopped:
                raise self._error(f"has stopped ({state.stopped}) and does not do {what}", "find the cause, reset it")
            state = await self.read()
        raise self._error(f"does not confirm {what}: it reports {state}", "is that wired?")

    async def _next(self, com: int, *, inquire: bool = False) -> int:
        line = await self._connected()
        waiting: tuple[int, asyncio.Future[int]] = (com, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._decoder.noise = b""
        try:
            if inquire:
                line.write(frame(INQUIRY, com << 56))
            async with asyncio.timeout(self.timeout_s):
                return await waiting[1]
        except (TimeoutError, ConnectionError):
            self._noise = self._decoder.noise
            what = f"no frame {com:#04x} within {self.timeout_s:g} s"
            raise self._silence(what, "check power, cable and speed") from None
        finally:
            self._waiting.remove(waiting)

    async def _say(self) -> None:
        line = await self._connected()
        line.write(frame(CONTROL, self._wanted))

    async def _tell(self) -> None:
        while True:
            try:
                await self._say()
            except DeviceError as error:
                if self._record is not None:
                    self._record.event(clock.time(), "chargebyte.error", self.name, error=str(error))
            await asyncio.sleep(CONTROL_S)

    def _received(self, data: bytes) -> None:
        for com, content in self._decoder.feed(data):
            if com == STATE:
                self.last = state_of(clock.time(), content)
            for wanted, waiting in self._waiting:
                if wanted == com and not waiting.done():
                    waiting.set_result(content)

    def _lost(self, why: str) -> None:
        super()._lost(why)
        self._decoder = Decoder()
        for _com, waiting in self._waiting:
            if not waiting.done():
                waiting.set_exception(ConnectionResetError(why))

    def _wrong(self, where: str, what: str, remedy: str) -> InputError:
        return InputError(f"board {self.name}", Problem(where, what, remedy))


def _is_safe(state: BoardState) -> bool:
    return not state.pwm and not state.any_closed
