"""Logs whose writer turned the eight bytes of each frame round: told by what car and charger can say at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hilbench.canlogs.reading import CanFrame
from hilbench.chademo import CarState, ChargerLimits, ChargerState, Frame, decode

_MAIN = (0x102, 0x108, 0x109)
_PLAUSIBLE, _IMPLAUSIBLE = 0.9, 0.5
"""Turned are logs of which at least that part can be when read backwards, and less than that as it stands
(policy-default)."""
HIGHEST_V = 1100
"""CHAdeMO reaches 1000 V (2.0, recalled) and a meter reads a little more."""


def in_order(frames: Sequence[CanFrame]) -> tuple[Sequence[CanFrame], bool]:
    """The frames with their bytes in the order of the bus, and whether they had to be turned round."""
    main = [frame for frame in frames if frame.id in _MAIN and len(frame.data) == 8]
    stands = sum(_possible(decode(frame.id, frame.data)) for frame in main)
    turned = sum(_possible(decode(frame.id, frame.data[::-1])) for frame in main)
    if not main or turned < _PLAUSIBLE * len(main) or stands >= _IMPLAUSIBLE * len(main):
        return frames, False
    return [replace(frame, data=frame.data[::-1]) for frame in frames], True


def _possible(frame: Frame) -> bool:
    """A protocol that exists, and voltages of cars and chargers."""
    match frame:
        case CarState():
            return 1 <= frame.protocol <= 4 and 50 <= frame.target_voltage_v <= HIGHEST_V
        case ChargerState():
            return 1 <= frame.protocol <= 4 and frame.voltage_v <= HIGHEST_V
        case ChargerLimits():
            return 50 <= frame.available_voltage_v <= HIGHEST_V and frame.threshold_voltage_v <= HIGHEST_V
        case _:
            return False
