"""An emulated EV simulator: resistors, a diode and a proximity resistor that relays switch on command.

One letter is a command: ``A`` to ``D`` connect the resistors of that state, as on the public ``ev_sim`` board, which
reports twice a second what it sees of the pilot (nsayer/ev_sim ``ev_sim.c``, read-code). The extended board of the
bench adds ``E`` (pilot short to earth), ``+`` and ``-`` (diode in, diode bridged) and ``0`` to ``6`` (proximity
resistor), and reports the last two.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Protocol

from hilbench.modbus_address import ModbusAddress
from hilbench_emulators.serial_board import BoardServer

PROXIMITY_OHM: dict[str, int | None] = {"0": None, "1": 1500, "2": 680, "3": 220, "4": 100, "5": 150, "6": 480}
"""Proximity resistor of each digit: none, cables of 13, 20, 32 and 63 A, a Type 1 connector latched and pressed.

Values IEC 61851-1 and SAE J1772, from the tables of vendors (secondary)."""
REPORT_S = 0.5
"""The board's own sampling window (read-code)."""
_HIGH_V = {"A": 12.0, "B": 8.98, "C": 6.0, "D": 2.93, "E": 0.0}
"""Loaded pilot for 1 kOhm and nominal resistors with a diode of 0.7 V (secondary)."""
_TICKS = 16_000_000
_NOMINAL_HZ = 1000


class Drive(Protocol):
    """What a station drives on the pilot: steady ``P12`` or ``N12``, or ``PWM`` of ``duty_pct``."""

    @property
    def level(self) -> str: ...  # noqa: D102
    @property
    def duty_pct(self) -> float | None: ...  # noqa: D102


class Outlet(Protocol):
    """A station's pilot, for whoever plugs in."""

    @property
    def pilot(self) -> Drive: ...  # noqa: D102
    def load(self, state: str, *, diode: bool = True) -> None: ...  # noqa: D102


@dataclass
class Relays:
    """What is switched in: the state of the pilot's resistors, the diode, and the proximity resistor by its digit."""

    state: str = "A"
    diode: bool = True
    proximity: str = "0"

    def obey(self, letter: str, *, extended: bool) -> bool:
        """Do a command; whether anything at the pilot may have changed."""
        upper = letter.upper()
        if upper in ("A", "B", "C", "D") or (extended and upper == "E"):
            self.state = upper
        elif extended and letter in "+-":
            self.diode = letter == "+"
        else:
            if extended and letter in PROXIMITY_OHM:
                self.proximity = letter
            return False
        return True


def counted(drive: Drive, relays: Relays) -> tuple[int, int, int]:
    """Edges in half a second, and the last low and high time in ticks of 16 MHz: all 0 without PWM at the pin."""
    if drive.level != "PWM" or drive.duty_pct is None or relays.state == "E":
        return 0, 0, 0
    high = round(_TICKS / _NOMINAL_HZ * drive.duty_pct / 100.0)
    return round(2 * _NOMINAL_HZ * REPORT_S), _TICKS // _NOMINAL_HZ - high, high


def extremes_v(drive: Drive, relays: Relays) -> tuple[float, float]:
    """Least and largest voltage at the pin."""
    high_v = _HIGH_V[relays.state]
    low_v = -12.0 if relays.diode or relays.state == "A" else -high_v
    low_v = 0.0 if relays.state == "E" else low_v
    return {"P12": (high_v, high_v), "N12": (low_v, low_v)}.get(drive.level, (low_v, high_v))


def _volts(volts: float) -> str:
    """Printed as the board does: whole volts and thousandths apart, so that the sign is lost between -1 and 0 V."""
    thousandths = round(abs(volts) * 1000)
    sign = "-" if volts < 0 and thousandths >= 1000 else ""
    return f"{sign}{thousandths // 1000}.{thousandths % 1000:03d}"


class EmulatedEvSimulator:
    """A simulator called ``name`` at ``address``, plugged into ``outlet`` (an emulated station, an emulated board).

    ``extended`` False makes it the public board, which knows A to D only.
    """

    def __init__(
        self,
        outlet: Outlet,
        name: str = "ev-simulator",
        address: ModbusAddress | None = None,
        *,
        extended: bool = True,
        baudrate: int | None = None,
        seed: int = 1,
    ) -> None:
        self.relays, self.extended = Relays(), extended
        self.line = BoardServer(name, address, self._received, baudrate=baudrate, seed=seed)
        self._outlet = outlet
        self._extremes: list[tuple[float, float]] = []
        self._reporting: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """The TCP port that it listens at."""
        return self.line.port

    @property
    def proximity_ohm(self) -> int | None:
        """The resistor at its proximity contact; None: open."""
        return PROXIMITY_OHM[self.relays.proximity]

    async def start(self) -> None:
        """Listen, and report; raises ``DeviceError`` when port or path are not free."""
        await self.line.start()
        self._plug()
        self._reporting = asyncio.get_running_loop().create_task(self._report(), name=f"board {self.line.name}")

    async def stop(self) -> None:
        """Let every relay go, and close the line."""
        if self._reporting is not None:
            self._reporting.cancel()
            await asyncio.gather(self._reporting, return_exceptions=True)
            self._reporting = None
        self.relays = Relays()
        self._plug()
        await self.line.stop()

    def _plug(self) -> None:
        self._outlet.load(self.relays.state, diode=self.relays.diode)
        self._extremes.append(extremes_v(self._outlet.pilot, self.relays))

    def _received(self, data: bytes) -> None:
        for byte in data:
            if self.relays.obey(chr(byte & 0x7F), extended=self.extended):
                self._plug()

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(REPORT_S)
            self.line.send(f"{{ {self._window()} }}\r\n".encode())

    def _window(self) -> str:
        """What it saw since its last report; only its counts are of the end alone."""
        relays, drive = self.relays, self._outlet.pilot
        now = extremes_v(drive, relays)
        low_v = min(low for low, _high in [*self._extremes, now])
        high_v = max(high for _low, high in [*self._extremes, now])
        self._extremes = [now]
        changes, low, high = counted(drive, relays)
        more = f", diode: {int(relays.diode)}, pp_ohm: {self.proximity_ohm or 0}" if self.extended else ""
        return (
            f'state: "{relays.state}", state_changes: {changes}, low_count: {low}, high_count: {high}, '
            f"min_volts: {_volts(low_v)}, max_volts: {_volts(high_v)}{more}"
        )
