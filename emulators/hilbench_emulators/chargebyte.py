"""An emulated safety controller of a chargebyte Charge SOM: pilot, proximity and contactors behind 12-byte frames.

It is told every 100 ms what to do (``0x06``), reports every 100 ms (``0x07``), answers inquiries (``0xFF``), and goes
to a safe state, contactors open and no PWM, when it is told no more; it leaves that by a reset only. Source of
frame, codes and bits: chargebyte ``ra-utils`` ``cb_uart.c``, ``cb_protocol.h`` and ``cb_protocol.c`` (read-code).
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass

from hilbench import clock
from hilbench.modbus_address import ModbusAddress
from hilbench_emulators.serial_board import BoardServer

CONTROL, STATE, VERSION, INQUIRY = 0x06, 0x07, 0x0A, 0xFF
REPORT_S = 0.1
COM_TIMEOUT_S = 0.5
"""Silence after a first control frame that means a safe state (policy-default: the firmware's figure, and what it does
before the first one and after the safe state, are not public)."""
NO_STOP, COM_TIMEOUT, PILOT_SHORT, DIODE_FAULT = 0, 2, 13, 14
_START, _END, _SIZE = 0xA5, 0x03, 12
_PILOT = {"A": 1, "B": 2, "C": 3, "D": 4, "E": 5, "F": 6}
_OPEN, _CLOSED, _UNUSED = 1, 2, 3
_CABLE = {None: 0, 1500: 1, 680: 2, 220: 3, 100: 4, 150: 5, 480: 6}
"""Code of the proximity state by resistor [Ohm]; any other is 7, invalid."""


def crc8(data: bytes) -> int:
    """CRC-8 of SAE J1850: polynomial 0x1D, from 0xFF, inverted."""
    value = 0xFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value << 1 ^ (0x1D if value & 0x80 else 0)) & 0xFF
    return value ^ 0xFF


def frame(com: int, data: int) -> bytes:
    """A frame of its line: start, code, 64 bits big-endian, checksum, end."""
    body = bytes([com]) + data.to_bytes(8, "big")
    return bytes([_START, *body, crc8(body), _END])


def frames(buffer: bytearray) -> list[tuple[int, int]]:
    """Take whole frames from the front of ``buffer``, and whatever is none."""
    found = []
    while len(buffer) >= _SIZE:
        body = bytes(buffer[1:10])
        if buffer[0] == _START and buffer[11] == _END and buffer[10] == crc8(body):
            found.append((body[0], int.from_bytes(body[1:], "big")))
            del buffer[:_SIZE]
        else:
            del buffer[0]
    return found


@dataclass(frozen=True)
class Drive:
    """What it drives on the pilot."""

    level: str
    duty_pct: float | None = None


class SafetyController:
    """The pure core: ``told`` takes commands, ``at`` lets time pass, ``state`` is the report."""

    def __init__(self, contactors: int = 2) -> None:
        self.contactors = [False] * contactors
        self.vehicle, self.diode, self.proximity_ohm = "A", True, 0
        self.pwm, self.duty = False, 0
        self.reason = NO_STOP
        self._heard = math.inf

    @property
    def pilot(self) -> Drive:
        """PWM, or +12 V steady; 0 % is -12 V and 100 % is +12 V."""
        if not self.pwm or self.duty >= 1000:
            return Drive("P12")
        return Drive("PWM", self.duty / 10.0) if self.duty else Drive("N12")

    def told(self, t: float, data: int) -> None:
        """A control frame at ``t`` [s]."""
        self.at(t)
        self._heard = t
        if self.reason == NO_STOP:
            self.pwm, self.duty = bool(data >> 63 & 1), data >> 48 & 0x3FF
            self.contactors = [bool(data >> 40 + at & 1) for at in range(len(self.contactors))]
            self._watch()

    def at(self, t: float) -> None:
        """Time passes: without a word it stops."""
        if self.reason == NO_STOP and t > self._heard + COM_TIMEOUT_S:
            self._stop(COM_TIMEOUT)

    def plug(self, vehicle: str, *, diode: bool) -> None:
        """This is at the other end of the pilot now: A to D, or E for a short."""
        self.vehicle, self.diode = vehicle, diode
        self._watch()

    @property
    def short(self) -> bool:
        """The pilot is at 0 V."""
        return self.vehicle == "E"

    @property
    def diode_fault(self) -> bool:
        """No -12 V comes back from a car with PWM."""
        return not self.diode and self.vehicle in "BCD" and self.pilot.level == "PWM"

    def state(self) -> int:
        """The 64 bits of its report; codes of its contactors from bit 24 on, those that it lacks are unused."""
        seen = "F" if self.pilot.level == "N12" else self.vehicle
        data = int(self.pwm) << 63 | int(self.reason != NO_STOP) << 58 | self.duty << 48
        data |= (int(self.short) | int(self.diode_fault) << 1) << 43 | _PILOT[seen] << 40
        data |= _CABLE.get(self.proximity_ohm or None, 7) << 32
        for at in range(3):
            closed = self.contactors[at] if at < len(self.contactors) else None
            data |= (_UNUSED if closed is None else _CLOSED if closed else _OPEN) << 24 + 2 * at
        return data | 0x3F << 16 | self.reason << 8

    def _watch(self) -> None:
        if self.reason == NO_STOP and any(self.contactors) and (self.short or self.diode_fault):
            self._stop(PILOT_SHORT if self.short else DIODE_FAULT)

    def _stop(self, reason: int) -> None:
        self.reason, self.pwm, self.duty = reason, False, 0
        self.contactors = [False] * len(self.contactors)


class EmulatedChargebyte:
    """A safety controller called ``name`` at ``address`` with up to 3 ``contactors``; ``start`` gives it power."""

    def __init__(
        self,
        name: str = "chargebyte",
        address: ModbusAddress | None = None,
        *,
        contactors: int = 2,
        version: tuple[int, int, int] = (0, 4, 1),
        baudrate: int | None = None,
        seed: int = 1,
    ) -> None:
        self.core = SafetyController(contactors)
        self.line = BoardServer(name, address, self._received, baudrate=baudrate, seed=seed)
        self._contactors, self._version = contactors, version
        self._buffer = bytearray()
        self._reporting: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """The TCP port that it listens at."""
        return self.line.port

    @property
    def pilot(self) -> Drive:
        """What it drives on the pilot."""
        return self.core.pilot

    async def start(self) -> None:
        """Listen, and report; raises ``DeviceError`` when port or path are not free."""
        await self.line.start()
        self._reporting = asyncio.get_running_loop().create_task(self._report(), name=f"board {self.line.name}")

    async def stop(self) -> None:
        """Lose power: contactors open."""
        if self._reporting is not None:
            self._reporting.cancel()
            await asyncio.gather(self._reporting, return_exceptions=True)
            self._reporting = None
        self.reset()
        await self.line.stop()

    def reset(self) -> None:
        """Its reset line: the only way out of a safe state."""
        plugged = self.core
        self.core = SafetyController(self._contactors)
        self.core.proximity_ohm = plugged.proximity_ohm
        self.core.plug(plugged.vehicle, diode=plugged.diode)

    def load(self, state: str, *, diode: bool = True) -> None:
        """This is plugged into it now."""
        self.core.plug(state, diode=diode)

    def _received(self, data: bytes) -> None:
        self._buffer += data
        for com, content in frames(self._buffer):
            if com == CONTROL:
                self.core.told(clock.time(), content)
            elif com == INQUIRY and content >> 56 == VERSION:
                major, minor, build = self._version
                self.line.send(frame(VERSION, major << 56 | minor << 48 | build << 40 | 0x81 << 32 | 0x03 << 24))
            elif com == INQUIRY and content >> 56 == STATE:
                self._send_state()

    def _send_state(self) -> None:
        self.core.at(clock.time())
        self.line.send(frame(STATE, self.core.state()))

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(REPORT_S)
            self._send_state()
