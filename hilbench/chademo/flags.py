"""Bits of CHAdeMO's status and fault bytes, and their words."""

from __future__ import annotations

from enum import IntFlag


class CarFault(IntFlag):
    """102.4: any of them and the charger must stop.

    The order is that of all public implementations but rand12345/chademo-rs, which reverses it (read-code).
    """

    OVERVOLTAGE = 1
    UNDERVOLTAGE = 2
    CURRENT_DEVIATION = 4
    HIGH_TEMPERATURE = 8
    VOLTAGE_DEVIATION = 16


class CarStatus(IntFlag):
    """102.5: ``CONTACTOR_OPEN`` exists from 1.0 on; ``LEGACY_DYNAMIC`` is set by an older LEAF and documented nowhere.

    ``DISCHARGE`` says that the car can give power back and does not change during a session.
    """

    ENABLED = 1
    NOT_IN_PARK = 2
    SYSTEM_FAULT = 4
    CONTACTOR_OPEN = 8
    STOP_BEFORE_CHARGING = 16
    LEGACY_DYNAMIC = 64
    DISCHARGE = 128


class ChargerStatus(IntFlag):
    """109.5: ``LOCKED`` means locked in 1.0, and energised (over 10 V) from 1.1 on."""

    CHARGING = 1
    CHARGER_MALFUNCTION = 2
    LOCKED = 4
    BATTERY_INCOMPATIBLE = 8
    SYSTEM_MALFUNCTION = 16
    STOP = 32


class Control(IntFlag):
    """110.0 and 118.0: what both can of 2.0."""

    DYNAMIC = 1
    HIGH_CURRENT = 2
    HIGH_VOLTAGE = 4


CAR_STOPS = int(CarStatus.NOT_IN_PARK | CarStatus.SYSTEM_FAULT)
"""Bits of 102.5 that end charging when they come."""
CHARGER_FAULTS = int(
    ChargerStatus.CHARGER_MALFUNCTION | ChargerStatus.BATTERY_INCOMPATIBLE | ChargerStatus.SYSTEM_MALFUNCTION
)
"""Bits of 109.5 that end a session when they come."""

PROTOCOLS = {0: "before 0.9", 1: "0.9", 2: "1.0 to 1.2", 3: "2.0"}
"""What the protocol numbers of 102.0 and 109.0 stand for (osexpert/ccs32clara-chademo, read-code)."""


def words(flags: type[IntFlag], value: int) -> list[str]:
    """Names of the bits that are set, unknown ones by number."""
    names = [str(flag.name).lower().replace("_", " ") for flag in flags if value & flag]
    known = sum(flags)
    return names + [f"bit {bit}" for bit in range(8) if value & ~known & 1 << bit]


def protocol_word(number: int) -> str:
    """A protocol number in words."""
    return PROTOCOLS.get(number, f"number {number}, not known")
