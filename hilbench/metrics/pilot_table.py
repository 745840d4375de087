"""Tables of the control pilot as whoever measures reads them: duty and current, states, levels.

Limits of frequency, duty and times are clauses of the requirement profiles.

Written from the sources named with each row and shared with no emulator. No text of IEC 61851-1 or SAE J1772 was at
hand: confidence says where each number comes from, and ``recalled`` ones want checking against the standard.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from hilbench.errors import InputError

Confidence = Literal["standard-text", "vendor-doc", "read-code", "secondary", "recalled", "policy-default"]


@dataclass(frozen=True)
class Band:
    """Duty cycles [%] with one meaning: current is ``per_pct`` x duty + ``constant_a``; ends as in ``[`` and ``(``."""

    low_pct: float
    high_pct: float
    ends: Literal["[]", "[)", "(]", "()"]
    per_pct: float = 0.0
    constant_a: float = 0.0
    digital: bool = False

    def holds(self, duty_pct: float) -> bool:
        """True when ``duty_pct`` is inside."""
        above = duty_pct >= self.low_pct if self.ends[0] == "[" else duty_pct > self.low_pct
        return above and (duty_pct <= self.high_pct if self.ends[1] == "]" else duty_pct < self.high_pct)

    def current_a(self, duty_pct: float) -> float:
        """Current [A] at a duty cycle inside."""
        return self.per_pct * duty_pct + self.constant_a

    @property
    def text(self) -> str:
        """The band as in a formula."""
        return f"{self.ends[0]}{self.low_pct:g}, {self.high_pct:g}{self.ends[1]}"


@dataclass(frozen=True)
class DutyTable:
    """The bands of one edition; no band means that charging is not permitted."""

    name: str
    bands: tuple[Band, ...]
    source: str
    confidence: Confidence

    def band(self, duty_pct: float) -> Band | None:
        """The band of a duty cycle."""
        return next((band for band in self.bands if band.holds(duty_pct)), None)

    def current_a(self, duty_pct: float) -> float:
        """Current [A] that a car may draw; 0 outside the bands and where digital communication is required."""
        band = self.band(duty_pct)
        return band.current_a(duty_pct) if band else 0.0

    def duty_pct(self, current_a: float) -> float:
        """Duty cycle [%] that offers ``current_a``: of the linear bands, never more; ``nan`` below what they can offer.

        Raises ``InputError`` for a current above 80 A or below 0.
        """
        if not 0.0 <= current_a <= 80.0:
            raise InputError("current", f"{current_a} A is no pilot current; 0 to 80 A are")
        linear = [band for band in self.bands if band.per_pct]
        least = linear[0].current_a(linear[0].low_pct)
        if current_a < least - 1e-9:
            return math.nan
        duties = [min((current_a - band.constant_a) / band.per_pct, band.high_pct) for band in linear]
        offered = [duty for duty, band in zip(duties, linear, strict=True) if duty >= band.low_pct and band.holds(duty)]
        return max(offered, key=self.current_a)


_DIGITAL = Band(3.0, 7.0, "[]", digital=True)
_GENTLE = Band(10.0, 85.0, "[]", per_pct=0.6)
_STEEP = Band(85.0, 96.0, "(]", per_pct=2.5, constant_a=-160.0)


def _edition(name: str, six: Band | None, eighty: Band | None, source: str, confidence: Confidence) -> DutyTable:
    bands = [_DIGITAL, *([six] if six else []), _GENTLE, _STEEP, *([eighty] if eighty else [])]
    return DutyTable(name, tuple(bands), source, confidence)


DUTY_TABLES = {
    table.name: table
    for table in (
        _edition(
            "iec2017",
            Band(8.0, 10.0, "[)", constant_a=6.0),
            Band(96.0, 97.0, "(]", constant_a=80.0),
            "IEC 61851-1 Table A.8 as printed in Phoenix Contact EV Charge Control Basic 106377_en_04, table 5-5",
            "vendor-doc",
        ),
        _edition(
            "j1772_2017",
            Band(9.5, 10.0, "[)", constant_a=6.0),
            Band(96.0, 96.5, "(]", constant_a=80.0),
            "SAE J1772 OCT2017 p. 17 as quoted in UWaterloo Midnight-Sun control_pilot.c",
            "secondary",
        ),
        _edition("j1772_2010", None, None, "SAE J1772 JAN2010: nothing below 10 % or above 96 %", "recalled"),
        _edition("strict", None, None, "a car that follows the linear bands only", "policy-default"),
    )
}


def duty_table(name: str) -> DutyTable:
    """The duty table called ``name``; raises ``InputError`` that lists them."""
    if name not in DUTY_TABLES:
        raise InputError("duty table", f"there is no {name!r}; there are {', '.join(DUTY_TABLES)}")
    return DUTY_TABLES[name]


@dataclass(frozen=True)
class Limit:
    """A row of a table: least and greatest value, ends included."""

    name: str
    low: float
    high: float
    unit: str
    source: str
    confidence: Confidence

    def holds(self, value: float) -> bool:
        """True when ``value`` is within."""
        return self.low <= value <= self.high


Limits = Mapping[str, Limit]
"""Limits by the metric that they limit."""

_CORNERS = "recomputed from the tolerances of source, R1, R2 and diode; agrees with OpenEVSE J1772EvseController.cpp"
_IEC_LEVELS = "+-1 V after stabilisation, Siemens TM ECC manual"
STATE_WINDOWS: dict[str, dict[str, Limit]] = {
    "corners": {
        "A": Limit("state A", 11.40, 12.60, "V", "OpenEVSE J1772EvseController.cpp, TABLE A1", "read-code"),
        "B": Limit("state B", 8.37, 9.59, "V", _CORNERS, "secondary"),
        "C": Limit("state C", 5.47, 6.53, "V", _CORNERS, "secondary"),
        "D": Limit("state D", 2.59, 3.28, "V", _CORNERS, "secondary"),
        "E": Limit("state E", -1.0, 1.0, "V", "about +-1 V around 0", "recalled"),
        "F": Limit("state F", -12.6, -11.4, "V", "OpenEVSE J1772EvseController.cpp, TABLE A1", "read-code"),
    },
    "iec": {
        "A": Limit("state A", 11.0, 13.0, "V", _IEC_LEVELS, "vendor-doc"),
        "B": Limit("state B", 8.0, 10.0, "V", _IEC_LEVELS, "vendor-doc"),
        "C": Limit("state C", 5.0, 7.0, "V", _IEC_LEVELS, "vendor-doc"),
        "D": Limit("state D", 2.0, 4.0, "V", _IEC_LEVELS, "vendor-doc"),
        "E": Limit("state E", -1.0, 1.0, "V", _IEC_LEVELS, "vendor-doc"),
        "F": Limit("state F", -13.0, -11.0, "V", _IEC_LEVELS, "vendor-doc"),
    },
}
LOW_LEVEL = {
    "corners": Limit("low level", -12.6, -11.4, "V", "OpenEVSE J1772EvseController.cpp, TABLE A1", "read-code"),
    "iec": Limit("low level", -13.0, -11.0, "V", _IEC_LEVELS, "vendor-doc"),
}
_BETWEEN = ((10.50, "A"), (7.45, "B"), (4.38, "C"), (1.80, "D"), (-6.20, "E"), (-math.inf, "F"))
"""Middle of the gaps between the windows of ``corners`` [V]; E and F are apart by their nearest edges."""

NOMINAL_HZ = 1000.0


def frequency_limit(error: Limit) -> Limit:
    """Frequencies [Hz] within an error [%]."""
    off_hz = NOMINAL_HZ * error.high / 100.0
    return Limit("frequency", NOMINAL_HZ - off_hz, NOMINAL_HZ + off_hz, "Hz", error.source, error.confidence)


def state_of(high_v: float) -> str:
    """The letter of the state that a high level is nearest to, whether or not it is in its window."""
    return next(letter for floor_v, letter in _BETWEEN if high_v >= floor_v)
