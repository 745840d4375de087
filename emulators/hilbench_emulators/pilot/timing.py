"""Limits of time of the pilot's order of events: one table, each row with its source and what that is worth.

No text of IEC 61851-1 or SAE J1772 was at hand: rows come from programs that cite them, or from memory.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from hilbench.errors import InputError
from hilbench_emulators.pilot.rows import Confidence, Row


def _most(name: str, seconds: float, source: str, confidence: Confidence = "read-code") -> Row:
    return Row(name, 0.0, seconds, "s", source, confidence)


def _least(name: str, seconds: float, source: str, confidence: Confidence = "read-code") -> Row:
    return Row(name, seconds, math.inf, "s", source, confidence)


_ROWS = (
    _most("2 unplugged to contactor open", 0.1, "IEC 61851-1 sequence 2, OpenEVSE and EVerest comments"),
    _most("4 S2 closed to contactor closed", 3.0, "IEC 61851-1 sequence 4, EVerest l. 269, WARP l. 139"),
    _most("6 duty cycle changed to current followed", 5.0, "IEC 61851-1 sequence 6 (number recalled), EVerest"),
    _least("6 between changes of the duty cycle", 5.0, "EVerest IEC_PWM_MAX_UPDATE_INTERVAL, Charger.cpp l. 1831"),
    Row("7 current when S2 opens", 0.0, 1.0, "A", "IEC 61851-1 sequence 7", "recalled"),
    _most("8 S2 opened to contactor open", 0.1, "IEC 61851-1 sequence 8, EVerest, WARP l. 150"),
    _most("10.1 PWM off to S2 open", 3.0, "IEC 61851-1 sequence 10.1, WARP evse.c l. 102"),
    _least("10.2 PWM off to opening under load", 6.0, "EVerest power_off_under_load_in_c1_timeout, WARP"),
    _least("10.2 PWM off to opening under load, short", 3.0, "OpenEVSE, Phoenix Contact"),
    _most("12 state E to contactor open", 3.0, "IEC 61851-1 sequence 12, SmartEVSE-3.5 #133", "secondary"),
    _least("A.4.9 80 ohm before state E counts", 5.0, "SmartEVSE-3.5 #133 quoting EN 61851-1:2019", "secondary"),
    _least("state F or x1 after a fault", 0.3, "IEC 61851-1 Table A.5, EVerest state_F_after_fault_ms"),
    _least("A.5.3 B2 to wake-up", 30.0, "IEC 61851-1 A.5.3, EVerest, Phoenix Contact, SmartEVSE"),
    Row("A.5.3 x1 after the pulse", 0.5, 1.0, "s", "EVerest, EV READY", "read-code"),
    _least("T_step_EF", 4.0, "ISO 15118-3 Table 3, EVerest"),
    _least("T_step_X1", 3.0, "IEC 61851-1, EVerest"),
    Row("BCB each state", 0.2, 0.4, "s", "EVerest Charger.hpp l. 436", "read-code"),
    Row("BCB each state, tolerant", 0.15, 0.6, "s", "EVerest Charger.hpp l. 436, -50 / +200 ms", "read-code"),
    _most("BCB whole", 3.5, "EVerest Charger.hpp l. 436"),
    Row("BCB toggles", 1.0, 3.0, "1", "EVerest Charger.hpp l. 436", "read-code"),
    _least("B1 before B2, SmartEVSE", 3.0, "SmartEVSE 3.5"),
    _least("C to C, WARP", 5.0, "WARP iec61851.c"),
    _least("B1 after an error, WARP", 30.0, "WARP iec61851.c"),
    _least("C before it counts", 0.5, "OpenEVSE, SmartEVSE-3.5 #40: the BMW iX3 pulses C for 250 ms"),
    _least("state before it counts, OpenEVSE", 0.25, "OpenEVSE open_evse.h l. 587"),
    _least("state A before it counts, OpenEVSE", 0.025, "OpenEVSE open_evse.h l. 587"),
    _most("S3 pressed to load dropped", 0.1, "SAE J1772", "recalled"),
    _least("over-current before it trips, EVerest", 6.0, "EVerest manifest: (offer + 0.5 A) 1.1 for 7 s, at least 6 s"),
    _least("over-current before it trips, OpenEVSE", 10.0, "OpenEVSE: offer + 5 A"),
    _least("pause to switch phases, WARP", 10.0, "WARP: 60 s by default, 10 s at least; some cars need 45 s"),
    _least("pause to switch phases, EVerest", 10.0, "EVerest, in x1 or F"),
    _least("pause to switch phases, KEBA", 300.0, "evcc #22658", "secondary"),
    _least("pause to switch phases, openWB", 10.0, "openWB, 5 s and 5 s"),
)  # fmt: skip
TIMING: Mapping[str, Row] = MappingProxyType({row.name: row for row in _ROWS})


@dataclass(frozen=True)
class Pulse:
    """One step of a wake-up: wait in B2, then state F or an open pilot for ``pulse_s``, then x1, then PWM again."""

    wait_s: float
    kind: Literal["F", "open"]
    pulse_s: float
    x1_s: float = 0.0


WAKE_UPS: Mapping[str, tuple[Pulse, ...]] = MappingProxyType(
    {
        "none": (),
        "everest": (Pulse(30.0, "F", 4.0, 0.75),),
        "phoenix-contact": (Pulse(30.0, "F", 3.0),),
        "smartevse": (Pulse(30.0, "F", 3.0),),
        "warp": (
            Pulse(90.0, "open", 4.0),
            Pulse(30.0, "open", 30.0),
            Pulse(30.0, "F", 4.0),
            Pulse(30.0, "F", 30.0),
        ),
    }
)
"""What stations do with a car that stays in B2 (read-code, vendor-doc); WARP's pauses before F are guessed."""


def wake_up(name: str) -> tuple[Pulse, ...]:
    """The wake-up called ``name``; raises ``InputError`` listing them."""
    if name not in WAKE_UPS:
        raise InputError("wake-up", f"no wake-up {name!r}; there are {', '.join(WAKE_UPS)}")
    return WAKE_UPS[name]


def row(name: str) -> Row:
    """The row called ``name``; raises ``InputError`` listing them."""
    if name not in TIMING:
        raise InputError("pilot timing", f"no row {name!r}; there are {', '.join(TIMING)}")
    return TIMING[name]
