"""Pilot circuits and signals that no standard allows, by name: what a bench must find, and what its probe sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from hilbench.errors import InputError
from hilbench_emulators.pilot.circuit import Cable, Circuit, Ev, Evse, Load
from hilbench_emulators.pilot.wire import Script, steady


@dataclass(frozen=True)
class Illegal:
    """A steady wire with something wrong; ``breaks`` is what of the tables it breaks.

    That is a row of ``levels.PARAMETERS``, a fault of the circuit, or "level" or "duty".
    """

    name: str
    what: str
    breaks: str
    circuit: Circuit
    load: Load = "B"
    duty_pct: float = 40.0

    def wire(self) -> Script:
        """The wire, steady."""
        return steady(self.load, self.duty_pct, self.circuit)


def _evse(**values: float) -> Circuit:
    return Circuit(evse=replace(Evse(), **values))


def _resistors(r2_ohm: float = 2740.0, r3_ohm: float = 1300.0) -> Circuit:
    return Circuit(ev=Ev(r2_ohm=r2_ohm, r3_ohm=r3_ohm))


_SOURCE = (
    Illegal("high-rail-low", "positive rail 11.2 V", "evse.high_v", _evse(high_v=11.2), "A", 100.0),
    Illegal("high-rail-high", "positive rail 12.8 V", "evse.high_v", _evse(high_v=12.8), "A", 100.0),
    Illegal("weak-negative-rail", "-10.7 V: a Skoda PHEV errs (esp32-evse #49)", "evse.low_v", _evse(low_v=-10.7)),
    Illegal("strong-negative-rail", "-12.9 V", "evse.low_v", _evse(low_v=-12.9)),
    Illegal("no-negative-rail", "the low side stays at 0 V", "evse.low_v", _evse(low_v=0.0)),
    Illegal("weak-state-f", "steady -10.7 V in state F", "evse.low_v", _evse(low_v=-10.7), "A", 0),
    Illegal("ground-offset", "both rails 1 V too high", "evse.high_v", _evse(high_v=13.0, low_v=-11.0), "A", 40.0),
    Illegal("r1-low", "R1 of 700 ohm", "evse.r1_ohm", _evse(r1_ohm=700.0), "C"),
    Illegal("r1-high", "R1 of 1.4 kohm", "evse.r1_ohm", _evse(r1_ohm=1400.0), "C"),
    Illegal("slow-frequency", "970 Hz", "evse.frequency_hz", _evse(frequency_hz=970.0)),
    Illegal("fast-frequency", "1030 Hz", "evse.frequency_hz", _evse(frequency_hz=1030.0)),
    Illegal("slow-edges", "source that takes 20 us from 10 to 90 %", "evse.rise_s", _evse(rise_s=20e-6, fall_s=20e-6)),
    Illegal(
        "duty-low-by-2.8", "an OpenEVSE kit as measured (openevse_esp32 #588)", "evse.width_error_s",
        _evse(width_error_s=-28e-6),
    ),
    Illegal("wide-pulses", "pulses 30 us too long", "evse.width_error_s", _evse(width_error_s=30e-6)),
)  # fmt: skip
_CABLE = (
    Illegal("cp-pe-short", "pilot and PE are shorted", "cable.short_ohm", Circuit(cable=Cable(short_ohm=0.5))),
    Illegal("cp-pe-80-ohm", "the test resistor of A.4.9", "cable.short_ohm", Circuit(cable=Cable(short_ohm=80.0)), "C"),
    Illegal("cp-pe-leak", "3 kohm to PE without a car", "cable.short_ohm", Circuit(cable=Cable(short_ohm=3000.0)), "A"),
    Illegal("cp-broken", "no contact of the pilot, a car is there", "cable.broken", Circuit(cable=Cable(broken=True))),
    Illegal("cable-capacity", "10 nF in the cable", "cable.c_f", Circuit(cable=Cable(c_f=10e-9)), "C"),
)
_CAR = (
    Illegal("diode-shorted-b", "no diode in state B", "ev.diode", Circuit(ev=Ev(diode="shorted"))),
    Illegal("diode-shorted-c", "no diode in state C", "ev.diode", Circuit(ev=Ev(diode="shorted")), "C"),
    Illegal("diode-open", "diode blown: the car is not seen", "ev.diode", Circuit(ev=Ev(diode="open"))),
    Illegal("diode-reversed", "diode the wrong way round", "ev.diode", Circuit(ev=Ev(diode="reversed"))),
    Illegal("between-a-and-b", "R2 of 6.5 kohm: 10.5 V", "ev.r2_ohm", _resistors(r2_ohm=6500.0)),
    Illegal("between-b-and-c", "R2 of 1.5 kohm: 7.5 V", "ev.r2_ohm", _resistors(r2_ohm=1500.0)),
    Illegal("between-c-and-d", "R3 of 580 ohm: 4.4 V", "ev.r3_ohm", _resistors(r3_ohm=580.0), "C"),
    Illegal("below-d", "R3 of 100 ohm: 1.7 V", "ev.r3_ohm", _resistors(r3_ohm=100.0), "C"),
    Illegal("car-capacity", "10 nF in the car", "ev.c_f", Circuit(ev=Ev(c_f=10e-9)), "C"),
    Illegal("car-short", "the car shorts pilot and PE", "level", Circuit(), "E"),
)
_SIGNAL = (
    Illegal("duty-below-digital", "2 %", "duty", Circuit(), "B", 2.0),
    Illegal("duty-between-bands", "7.5 %: neither digital nor a current", "duty", Circuit(), "B", 7.5),
    Illegal("duty-above-80-a", "98 %", "duty", Circuit(), "C", 98.0),
    Illegal("no-supply", "a dead station with a car", "level", Circuit().unpowered(), "B", 100.0),
)

ILLEGAL: Mapping[str, Illegal] = MappingProxyType(
    {case.name: case for case in (*_SOURCE, *_CABLE, *_CAR, *_SIGNAL)}
)  # fmt: skip


def illegal(name: str) -> Illegal:
    """The illegal circuit called ``name``; raises ``InputError`` listing them."""
    if name not in ILLEGAL:
        raise InputError("pilot circuit", f"no illegal circuit {name!r}; there are {', '.join(ILLEGAL)}")
    return ILLEGAL[name]
