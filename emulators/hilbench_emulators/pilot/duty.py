"""Duty cycle and current of the control pilot: what a car may draw at a duty cycle, and what a station must send.

The edges of the bands differ between editions, so they are profiles. Sources: ``iec2017`` IEC 61851-1 Table A.8 as
printed in the Phoenix Contact EV Charge Control manual 106377_en_04 (vendor-doc); ``j1772_2017`` SAE J1772 OCT2017 as
quoted in UWaterloo Midnight-Sun ``control_pilot.c`` (secondary); ``j1772_2010`` (recalled); ``strict`` is a car that
takes the linear bands and nothing else (policy-default).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hilbench.errors import InputError

Meaning = Literal["nothing", "digital", "current"]


@dataclass(frozen=True)
class DutyRules:
    """Edges [%] of the bands: digital communication, least duty that means 6 A, linear, steep, 80 A and its end."""

    name: str
    six_from: float
    linear_from: float = 10.0
    steep_from: float = 85.0
    eighty_from: float = 96.0
    eighty_to: float = 97.0
    digital_from: float = 3.0
    digital_to: float = 7.0


PROFILES = {
    "iec2017": DutyRules("iec2017", six_from=8.0),
    "j1772_2010": DutyRules("j1772_2010", six_from=10.0, eighty_to=96.0),
    "j1772_2017": DutyRules("j1772_2017", six_from=9.5, eighty_to=96.5),
    "strict": DutyRules("strict", six_from=10.0, eighty_to=96.0, digital_from=5.0, digital_to=5.0),
}
LARGEST_A = 80.0
_GAP_A = (51.0, 52.5)


def rules(name: str) -> DutyRules:
    """The duty rules called ``name``; raises ``InputError`` listing them."""
    if name not in PROFILES:
        raise InputError("duty rules", f"no profile {name!r}; there are {', '.join(PROFILES)}")
    return PROFILES[name]


def meaning_of_duty(duty_pct: float, profile: DutyRules = PROFILES["iec2017"]) -> Meaning:
    """What a duty cycle says: a current, that the link tells it, or that charging is not permitted."""
    if profile.digital_from <= duty_pct <= profile.digital_to:
        return "digital"
    return "current" if current_of_duty(duty_pct, profile) > 0.0 else "nothing"


def current_of_duty(duty_pct: float, profile: DutyRules = PROFILES["iec2017"]) -> float:
    """Current [A] that a car may draw at ``duty_pct``; 0 where charging is not permitted (and for the 5 % of HLC)."""
    if profile.six_from <= duty_pct < profile.linear_from:
        return 6.0
    if profile.linear_from <= duty_pct <= profile.steep_from:
        return 0.6 * duty_pct
    if profile.steep_from < duty_pct <= profile.eighty_from:
        return 2.5 * (duty_pct - 64.0)
    return LARGEST_A if profile.eighty_from < duty_pct <= profile.eighty_to else 0.0


def duty_of_current(current_a: float) -> float:
    """Duty cycle [%] that offers ``current_a``; 0 below 6 A, where nothing can be offered.

    Between 51 and 52.5 A no duty cycle exists; 51 A is sent, as EVerest ``Charger.cpp`` does (read-code).
    """
    if current_a < 6.0:
        return 0.0
    if current_a <= _GAP_A[0]:
        return current_a / 0.6
    if current_a <= _GAP_A[1]:
        return _GAP_A[0] / 0.6
    return min(current_a, LARGEST_A) / 2.5 + 64.0
