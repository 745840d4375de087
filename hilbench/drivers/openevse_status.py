"""What an OpenEVSE says of itself, in the words and units of the bench. Source: ``rapi_proc.h`` (read-code)."""

from __future__ import annotations

from dataclasses import dataclass

STATES = {
    0x00: "unknown",
    0x01: "A",
    0x02: "B",
    0x03: "C",
    0x04: "D",
    0x05: "diode fault",
    0x06: "GFCI fault",
    0x07: "no ground",
    0x08: "stuck relay",
    0x09: "GFCI self-test failed",
    0x0A: "over temperature",
    0x0B: "over current",
    0x0E: "relay did not close",
    0x0F: "proximity pilot shorted",
    0x10: "proximity pilot missing",
    0x11: "EEPROM failure",
    0xFE: "sleeping",
    0xFF: "disabled",
}
_CHARGING_ON, _CONNECTED = 0x0040, 0x0100


@dataclass(frozen=True)
class Supervision:
    """Heartbeat supervision: ``interval_s`` 0 is none; ``missed`` until somebody acknowledges it."""

    interval_s: int
    fallback_a: int
    missed: bool


@dataclass(frozen=True)
class OpenEvseStatus:
    """One look at a board.

    ``state`` and ``pilot_state`` are A to D or the name of a fault; ``offered_a`` is what its pilot tells the car.
    ``current_a`` is None without an ammeter, ``voltage_v`` is a setting on most boards. Energy is of the session and of
    its life.
    """

    state: str
    pilot_state: str
    connected: bool
    relay_closed: bool
    elapsed_s: int
    offered_a: int
    current_a: float | None
    voltage_v: float | None
    session_wh: float
    total_wh: float

    @property
    def charging(self) -> bool:
        """The relay is closed in state C."""
        return self.state == "C" and self.relay_closed


@dataclass(frozen=True)
class Change:
    """What a notice ``$AT`` tells."""

    state: str
    pilot_state: str
    offered_a: int
    connected: bool
    relay_closed: bool


def state_name(code: str) -> str:
    """The name of a state in hexadecimal; raises ``ValueError``."""
    number = int(code, 16)
    return STATES.get(number, f"state {number:02x}")


def change_of(values: tuple[str, ...]) -> Change:
    """A notice ``$AT``; raises ``ValueError``."""
    state, pilot, amps, flags = values
    return Change(state_name(state), state_name(pilot), int(amps), *flags_of(flags))


def flags_of(text: str) -> tuple[bool, bool]:
    """Whether a vehicle is connected, and the relay closed; raises ``ValueError``."""
    flags = int(text, 16)
    return bool(flags & _CONNECTED), bool(flags & _CHARGING_ON)


def measured(text: str) -> float | None:
    """A value in thousandths; None where the board has no instrument. Raises ``ValueError``."""
    value = int(text)
    return None if value < 0 else value / 1000.0
