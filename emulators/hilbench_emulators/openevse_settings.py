"""What an emulated OpenEVSE is built as, what it keeps without power, and the codes and flags that it speaks in.

Source of every code, flag and default: OpenEVSE ``open_evse`` firmware, ``J1772EvseController.h``, ``open_evse.h`` and
``rapi_proc.cpp`` (read-code), unless said otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from hilbench.errors import InputError, Problem

UNKNOWN, A, B, C, D = 0x00, 0x01, 0x02, 0x03, 0x04
DIODE, GFCI, NO_GROUND, STUCK_RELAY = 0x05, 0x06, 0x07, 0x08
GFCI_TEST, OVER_TEMPERATURE, OVER_CURRENT, RELAY_CLOSURE = 0x09, 0x0A, 0x0B, 0x0E
SLEEPING, DISABLED = 0xFE, 0xFF
FAULTS = (GFCI, NO_GROUND, STUCK_RELAY, GFCI_TEST, OVER_TEMPERATURE, OVER_CURRENT, RELAY_CLOSURE)
"""Faults that the bench can inject; states D and 05 follow from the pilot."""
HARD_FAULTS = (D, DIODE, GFCI_TEST, OVER_TEMPERATURE, OVER_CURRENT)
"""Left only when the vehicle is unplugged."""

SERVICE_L2, AUTO_LEVEL_OFF = 0x0001, 0x0020
CHECKS = {"D": 0x0002, "V": 0x0004, "G": 0x0008, "R": 0x0010, "F": 0x0200, "T": 0x0400, "O": 0x4000, "B": 0x8000}
"""Letter of ``$FF`` and the settings flag that is set while the feature is off."""
HARD_FAULT, LIMIT_SLEEP, AUTH_LOCKED, TIME_LIMIT = 0x0002, 0x0004, 0x0008, 0x0010
NO_GROUND_TRIPPED, CHARGING_ON, GFI_TRIPPED, CONNECTED = 0x0020, 0x0040, 0x0080, 0x0100
TIMER_ON, CHARGE_LIMIT = 0x1000, 0x2000
REPORTED = AUTH_LOCKED | CONNECTED | TIME_LIMIT | CHARGE_LIMIT | HARD_FAULT
"""Volatile flags whose change is reported by ``$AT``."""

LEAST_A, MOST_L1_A, MOST_L2_A = 6, 16, 80
DEBOUNCE_S, DEBOUNCE_TO_A_S = 0.250, 0.025
SLEEP_OPENS_S, SLEEP_OPENS_BELOW_A = 3.0, 1.0
"""A relay under load opens so long after ``$FS``, or when the current is that small."""
GFCI_RETRY_S = 900.0
"""GFI_TIMEOUT, 15 minutes (recalled)."""
RESTART_WAITS_S, WATCHDOG_S = 3.0, 1.0
"""What ``$FR`` gives a charging car, and the watchdog that then resets the board; nothing answers ``$FR``."""
COOKIE = 165
LINE_MOST, TOKENS_MOST = 32, 10
"""ESRAPI_BUFLEN of AVR boards, ESRAPI_MAX_ARGS."""

QUIRKS = {
    "heartbeat-wrap": "milliseconds of the heartbeat interval are counted in 16 bits: 66 s and more run out early",
    "fallback-clamp": "a fallback current below 6 A becomes 6 A: 0 A on loss of the heartbeat is impossible",
    "echo-sticks": "$FF E 0 switches the echo on, as $FF E 1 does",
}
"""Ways in which boards are known to differ from the description of their protocol (read-code, the first two in
``HsExpirationCheck`` and ``SetCurrentCapacity``, the last in ``processCmd``)."""
AVR = frozenset(QUIRKS)
"""All that an ATmega328 with current firmware does; a 32-bit board has no ``heartbeat-wrap``."""


@dataclass
class Memory:
    """What survives a loss of power (the EEPROM). A ``hardware_max_a`` of 0 was never set."""

    amps_l1: int = 12
    amps_l2: int = 16
    hardware_max_a: int = 0
    flags: int = SERVICE_L2
    heartbeat_s: int = 0
    fallback_a: int = 0
    total_wh: int = 0
    ammeter: tuple[int, int] = (220, 0)
    panic_tenths: int = 700
    timer: tuple[int, int, int, int] = (0, 0, 0, 0)
    gfi_trips: int = 0
    ground_trips: int = 0
    relay_trips: int = 0


@dataclass(frozen=True)
class Settings:
    """How a board is built: its firmware, ``quirks`` (names of ``QUIRKS``), seconds of its self-test, mains voltages.

    Raises ``InputError`` for an unknown quirk.
    """

    firmware: str = "8.2.3"
    protocol: str = "5.2.1"
    quirks: frozenset[str] = frozenset()
    boot_s: float = 1.5
    voltage_l1_v: float = 120.0
    voltage_l2_v: float = 240.0
    line_most: int = LINE_MOST
    memory: Memory = field(default_factory=Memory)

    def __post_init__(self) -> None:
        unknown = sorted(self.quirks - set(QUIRKS))
        if unknown:
            raise InputError(
                "OpenEVSE", Problem("quirks", f"no quirk {unknown[0]!r}", f"there are {', '.join(QUIRKS)}")
            )

    def fresh_memory(self) -> Memory:
        """A copy of the memory that the board begins with."""
        return replace(self.memory)


@dataclass(frozen=True)
class Vehicle:
    """What the pilot of the board is connected to: ``state`` A to D by its resistors, E for a short to earth.

    ``diode`` is False for a car whose diode is bridged; ``current_a`` is what it draws while the relay is closed.
    """

    state: str = "A"
    diode: bool = True
    current_a: float = 0.0

    def __post_init__(self) -> None:
        if self.state not in ("A", "B", "C", "D", "E"):
            raise InputError("vehicle", Problem("state", f"{self.state!r} is none", "use A, B, C, D or E"))


@dataclass(frozen=True)
class Fault:
    """Something is wrong with the board: a code of ``FAULTS``, or ``None`` when it is right again."""

    code: int | None

    def __post_init__(self) -> None:
        if self.code is not None and self.code not in FAULTS:
            raise InputError("OpenEVSE", Problem("fault", f"no fault {self.code:#04x}", "use a code of FAULTS"))


def pwm_duty_pct(amps: int) -> float:
    """Duty cycle [%] that the board's timer makes for ``amps``: 8000 steps of 125 ns, 133 for an ampere up to 51 A.

    Measured on the firmware's integer arithmetic (6 A 9.975 %, 16 A 26.60 %, 52 A 84.8 %); above 51 A 32 steps for
    an ampere over 64 % (policy-default, from SAE J1772 and the one known figure).
    """
    return (133 * amps if amps <= 51 else 5120 + 32 * amps) / 80.0
