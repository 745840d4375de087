"""Numbers as messages carry them, and the signs that they have there.

Inside, a current or power is positive into the car, so a limit is a range: ``low`` of 0 or below to ``high``. Outside,
most fields agree; :data:`SIGNS` has those that do not.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Body = dict[str, Any]
LARGEST = 32767
SIGNS = {
    "EVMaximumDischargePower": -1,
    "EVMinimumDischargePower": -1,
    "EVMaximumDischargeCurrent": -1,
    "EVMinimumDischargeCurrent": -1,
    "EVSEMaximumDischargePower": -1,
    "EVSEMinimumDischargePower": -1,
    "EVSEMaximumDischargeCurrent": -1,
    "EVSEMinimumDischargeCurrent": -1,
}
"""Fields of ISO 15118-20 whose numbers are the other way round: limits of discharging are sizes (secondary: EVerest
pull request 1473, which adds a switch for cars that send negative ones). EVTargetCurrent, EVSEPresentCurrent,
EVSETargetActivePower and EVPresentActivePower are positive into the car as inside (recalled)."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a side allows: currents [A] from ``low_a`` to ``max_a``, powers [W] from ``low_w`` to ``max_w``, voltages.

    AC currents are per phase, powers those of all phases. ``target_w`` is what power a station wants where it decides
    (Dynamic control of ISO 15118-20); None: as much as may be.
    """

    max_a: float
    max_w: float = math.inf
    max_v: float = 1000.0
    min_v: float = 150.0
    low_a: float = 0.0
    low_w: float = 0.0
    target_w: float | None = None


def _split(value: float, whole: bool = False) -> tuple[int, int]:
    """Exponent and the number nearest below in size, so that no limit grows on its way; no number is 0."""
    if math.isnan(value):
        return 0, 0
    for exponent in range(0 if whole else -3, 4):
        scaled = round(value * 10**-exponent, 6) if exponent <= 0 else value / 10**exponent
        if abs(scaled) <= LARGEST:
            return exponent, math.trunc(scaled)
    return 3, LARGEST if value > 0 else -LARGEST


def physical(value: float, unit: str) -> Body:
    """A PhysicalValue of DIN 70121 and ISO 15118-2."""
    exponent, number_ = _split(value)
    return {"Multiplier": exponent, "Unit": unit, "Value": number_}


def rational(value: float) -> Body:
    """A RationalNumber of ISO 15118-20."""
    exponent, number_ = _split(value)
    return {"Exponent": exponent, "Value": number_}


def signed(name: str, value: float) -> tuple[str, Body]:
    """A field of ISO 15118-20 with the sign that it has outside."""
    return name, rational(SIGNS.get(name, 1) * value + 0.0)


def number(value: Mapping[str, int]) -> float:
    """What a PhysicalValue or a RationalNumber is."""
    exponent = value["Multiplier"] if "Multiplier" in value else value["Exponent"]
    return float(value["Value"]) * 10.0**exponent if exponent >= 0 else value["Value"] / 10.0**-exponent


def read(body: Mapping[str, Any], name: str, default: float) -> float:
    """A field as inside, or ``default``; a limit of discharging counts by its size, whatever sign it comes with."""
    if name not in body:
        return default
    value = number(body[name])
    return -abs(value) if SIGNS.get(name, 1) < 0 else value
