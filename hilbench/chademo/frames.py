"""CHAdeMO's CAN frames as plain data: ``decode`` and ``encode``, exact for every bit that comes in.

Eleven-bit ids, eight bytes, numbers of several bytes low byte first, 500 kbit/s. What a field means and its scale come
from public implementations and recorded sessions, since the standards (IEEE 2030.1.1, CHAdeMO 2.0) are not open; where
those differ, the reading that the recordings bear out is taken. Confidence is read-code unless a docstring says other.
Currents of 200 and 208 go inverted over the wire (255 - A); here they are amperes. Bits without a known meaning are
kept in ``rest`` at their place in the frame, so that ``encode(decode(frame))`` gives back the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import ClassVar

LENGTH = 8
"""Bytes of every frame (furdog/chademo chademo_se.h, read-code)."""
Bits = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class CarLimits:
    """100: what the battery can take.

    ``max_current_a`` is sent by some cars only (osexpert/ccs32clara-chademo) and reserved in others;
    ``rate_reference`` is what ``CarState.charged_rate`` is a part of: 100 from 1.0 on, any number in 0.9.
    """

    ID: ClassVar[int] = 0x100
    BITS: ClassVar[Bits] = ((0, 8), (8, 8), (16, 16), (32, 16), (48, 8))
    INVERTED: ClassVar[int] = 0
    min_current_a: int = 0
    max_current_a: int = 0
    min_voltage_v: int = 0
    max_voltage_v: int = 0
    rate_reference: int = 0
    rest: int = 0


@dataclass(frozen=True, slots=True)
class CarTimes:
    """101: how long, and the capacity in units of 0.1 kWh.

    ``max_time_10s`` counts 10 s, 255 stands for "see the minutes"; ``estimated_min`` exists from 1.0 on. Two public
    implementations scale the capacity by 0.11; recordings of cars of known capacity say 0.1.
    """

    ID: ClassVar[int] = 0x101
    BITS: ClassVar[Bits] = ((8, 8), (16, 8), (24, 8), (40, 16))
    INVERTED: ClassVar[int] = 0
    max_time_10s: int = 0
    max_time_min: int = 0
    estimated_min: int = 0
    capacity_100wh: int = 0
    rest: int = 0


@dataclass(frozen=True, slots=True)
class CarState:
    """102: what the car wants now; ``faults`` and ``status`` are bits of ``CarFault`` and ``CarStatus``."""

    ID: ClassVar[int] = 0x102
    BITS: ClassVar[Bits] = ((0, 8), (8, 16), (24, 8), (32, 8), (40, 8), (48, 8))
    INVERTED: ClassVar[int] = 0
    protocol: int = 0
    target_voltage_v: int = 0
    request_a: int = 0
    faults: int = 0
    status: int = 0
    charged_rate: int = 0
    rest: int = 0


@dataclass(frozen=True, slots=True)
class ChargerLimits:
    """108: what the charger can give; ``available_current_a`` may change at any time and is how load is managed."""

    ID: ClassVar[int] = 0x108
    BITS: ClassVar[Bits] = ((0, 8), (8, 16), (24, 8), (32, 16))
    INVERTED: ClassVar[int] = 0
    weld_detection: int = 0
    available_voltage_v: int = 0
    available_current_a: int = 0
    threshold_voltage_v: int = 0
    rest: int = 0


@dataclass(frozen=True, slots=True)
class ChargerState:
    """109: what the charger does now; bit 0 of ``discharge`` says that it can take power back."""

    ID: ClassVar[int] = 0x109
    BITS: ClassVar[Bits] = ((0, 8), (8, 16), (24, 8), (32, 8), (40, 8), (48, 8), (56, 8))
    INVERTED: ClassVar[int] = 0
    protocol: int = 0
    voltage_v: int = 0
    current_a: int = 0
    discharge: int = 0
    status: int = 0
    remaining_10s: int = 0
    remaining_min: int = 0
    rest: int = 0


@dataclass(frozen=True, slots=True)
class CarControl:
    """110 (2.0): bits of ``Control`` that the car can, and the request [A] when it is beyond a byte.

    The second is from a comment in dalathegreat/Battery-Emulator.
    """

    ID: ClassVar[int] = 0x110
    BITS: ClassVar[Bits] = ((0, 8), (8, 16))
    INVERTED: ClassVar[int] = 0
    control: int = 0
    request_a: int = 0
    rest: int = 0


@dataclass(frozen=True, slots=True)
class ChargerControl:
    """118 (2.0): bits of ``Control`` that the charger can; the bytes after them are not publicly known."""

    ID: ClassVar[int] = 0x118
    BITS: ClassVar[Bits] = ((0, 8),)
    INVERTED: ClassVar[int] = 0
    control: int = 0
    rest: int = 0


@dataclass(frozen=True, slots=True)
class CarDischarge:
    """200 (V2H): what the battery can give; levels are % of capacity, kWh before V2H 1.0."""

    ID: ClassVar[int] = 0x200
    BITS: ClassVar[Bits] = ((0, 8), (32, 16), (48, 8), (56, 8))
    INVERTED: ClassVar[int] = 0xFF
    max_discharge_a: int = 0
    min_voltage_v: int = 0
    min_level: int = 0
    max_level: int = 0
    rest: int = 0


@dataclass(frozen=True, slots=True)
class CarEnergy:
    """201 (V2H): for how long and how much, energy in units of 0.1 kWh."""

    ID: ClassVar[int] = 0x201
    BITS: ClassVar[Bits] = ((0, 8), (8, 16), (24, 16))
    INVERTED: ClassVar[int] = 0
    sequence: int = 0
    discharge_min: int = 0
    energy_100wh: int = 0
    rest: int = 0


@dataclass(frozen=True, slots=True)
class ChargerDischarge:
    """208 (V2H): the current that is drawn, and what the charger could draw."""

    ID: ClassVar[int] = 0x208
    BITS: ClassVar[Bits] = ((0, 8), (8, 16), (24, 8), (48, 16))
    INVERTED: ClassVar[int] = 0xFF0000FF
    discharge_a: int = 0
    input_voltage_v: int = 0
    input_current_a: int = 0
    threshold_voltage_v: int = 0
    rest: int = 0


@dataclass(frozen=True, slots=True)
class ChargerEnergy:
    """209 (V2H): ``sequence`` is 0 up to V2H 1.0, 1 for appendix A of 2.0, 2 for appendix B; minutes that remain."""

    ID: ClassVar[int] = 0x209
    BITS: ClassVar[Bits] = ((0, 8), (8, 16))
    INVERTED: ClassVar[int] = 0
    sequence: int = 0
    remaining_min: int = 0
    rest: int = 0


@dataclass(frozen=True, slots=True)
class Opaque:
    """A frame of which only the bytes are known: 103, 202, 700, or one that is not of eight bytes."""

    id: int
    data: bytes


CarFrame = CarLimits | CarTimes | CarState | CarControl | CarDischarge | CarEnergy
ChargerFrame = ChargerLimits | ChargerState | ChargerControl | ChargerDischarge | ChargerEnergy
Frame = CarFrame | ChargerFrame | Opaque
Known = CarFrame | ChargerFrame

CLASSES: tuple[type[Known], ...] = (
    CarLimits,
    CarTimes,
    CarState,
    ChargerLimits,
    ChargerState,
    CarControl,
    ChargerControl,
    CarDischarge,
    CarEnergy,
    ChargerDischarge,
    ChargerEnergy,
)
OPAQUE = {0x103: "car", 0x202: "car", 0x700: "car"}
"""Ids whose meaning is not public, and who sends them (recordings of two LEAFs; 103: read-code)."""
CAR_IDS = frozenset({0x100, 0x101, 0x102, 0x110, 0x200, 0x201, *OPAQUE})
CHARGER_IDS = frozenset({0x108, 0x109, 0x118, 0x208, 0x209})

_Place = tuple[str, int, int]


def _places(kind: type[Known]) -> tuple[_Place, ...]:
    """Name, first bit and largest value of each field."""
    names = [one.name for one in fields(kind)]
    return tuple((name, start, (1 << size) - 1) for name, (start, size) in zip(names, kind.BITS, strict=False))


def _spare(kind: type[Known]) -> int:
    """The bits that no field has."""
    used = sum(((1 << size) - 1) << start for start, size in kind.BITS)
    return used ^ ((1 << 8 * LENGTH) - 1)


def _maker(kind: type[Known]) -> Callable[..., Known]:
    """The class as something that takes as many numbers as its table has."""
    return kind


_BY_ID = {
    kind.ID: (_maker(kind), kind.INVERTED, tuple(place[1:] for place in _places(kind)), _spare(kind))
    for kind in CLASSES
}
_PLACES = {kind: (_places(kind), _spare(kind)) for kind in CLASSES}


def decode(can_id: int, data: bytes) -> Frame:
    """What a frame says; anything unknown or not of eight bytes comes back as :class:`Opaque`."""
    known = _BY_ID.get(can_id)
    if known is None or len(data) != LENGTH:
        return Opaque(can_id, bytes(data))
    kind, inverted, places, spare = known
    value = int.from_bytes(data, "little") ^ inverted
    return kind(*[value >> start & most for start, most in places], value & spare)


def encode(frame: Frame) -> tuple[int, bytes]:
    """Id and bytes of a frame; raises ``ValueError`` where a number does not fit its field."""
    if isinstance(frame, Opaque):
        return frame.id, frame.data
    places, spare = _PLACES[type(frame)]
    value = frame.rest
    if value & ~spare:
        raise ValueError(f"{type(frame).__name__}.rest = {value:#x} lies in bits that other fields have")
    for name, start, most in places:
        number: int = getattr(frame, name)
        if not 0 <= number <= most:
            raise ValueError(f"{type(frame).__name__}.{name} = {number} does not fit; 0 to {most} do")
        value |= number << start
    return frame.ID, (value ^ frame.INVERTED).to_bytes(LENGTH, "little")


def sender(can_id: int) -> str | None:
    """``car`` or ``charger`` by the id; None for what is not CHAdeMO."""
    return "car" if can_id in CAR_IDS else "charger" if can_id in CHARGER_IDS else None
