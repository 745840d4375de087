"""Levels of the pilot: what the parts may be, which windows the states have, and how a station tells the state.

No text of the standards was at hand; each row says where its figures come from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from types import MappingProxyType
from typing import Any

from hilbench.errors import InputError
from hilbench_emulators.pilot.circuit import Circuit, Load, node_of
from hilbench_emulators.pilot.rows import Confidence, Row

_OPENEVSE = "OpenEVSE J1772EvseController.cpp, table A1"
_PHC = "Phoenix Contact 106377_en_04 p. 26"

PARAMETERS: Mapping[str, Row] = MappingProxyType(
    {
        row.name: row
        for row in (
            Row("evse.high_v", 11.4, 12.6, "V", _OPENEVSE, "read-code"),
            Row("evse.low_v", -12.6, -11.4, "V", _OPENEVSE, "read-code"),
            Row("evse.r1_ohm", 970.0, 1030.0, "ohm", "1 kOhm +- 3 %", "recalled"),
            Row("evse.c_f", 300e-12, 1600e-12, "F", "IEC 61851-1 Annex A", "recalled"),
            Row("evse.rise_s", 0.0, 2e-6, "s", "generator, open circuit, 10 to 90 %", "recalled"),
            Row("evse.fall_s", 0.0, 2e-6, "s", "generator, open circuit, 10 to 90 %", "recalled"),
            Row("evse.frequency_hz", 980.0, 1020.0, "Hz", "SAE J1772, 1 kHz +- 2 %", "recalled"),
            Row("evse.width_error_s", -25e-6, 25e-6, "s", "SAE J1772", "recalled"),
            Row("cable.c_f", 0.0, 1500e-12, "F", "IEC 61851-1 Annex A", "recalled"),
            Row("ev.c_f", 0.0, 2400e-12, "F", "IEC 61851-1 Annex A", "recalled"),
            Row("ev.diode_v", 0.55, 0.85, "V", "2.75 to 10 mA, -40 to 85 degC", "recalled"),
            Row("ev.r2_ohm", 2740.0 * 0.97, 2740.0 * 1.03, "ohm", _PHC, "vendor-doc"),
            Row("ev.r3_ohm", 1300.0 * 0.97, 1300.0 * 1.03, "ohm", _PHC, "vendor-doc"),
            Row("ev.r3_ventilated_ohm", 270.0 * 0.97, 270.0 * 1.03, "ohm", _PHC, "vendor-doc"),
        )
    }
)
IEC_FREQUENCY = Row("evse.frequency_hz", 995.0, 1005.0, "Hz", "IEC 61851-1, 1 kHz +- 0.5 %", "recalled")
IEC_WIDTH = Row("evse.width_error_s", -5e-6, 5e-6, "s", "IEC 61851-1 Table A.2, WARP evse.c l. 414", "read-code")
EVSE_AND_CABLE = Row("evse and cable", 0.0, 3100e-12, "F", "IEC 61851-1 Annex A", "recalled")


def outside(circuit: Circuit, *, iec: bool = False) -> list[str]:
    """Names of the rows that a circuit breaks; ``iec`` takes the closer frequency and pulse width of IEC 61851-1."""
    rows = dict(PARAMETERS) | ({row.name: row for row in (IEC_FREQUENCY, IEC_WIDTH)} if iec else {})
    parts = {"evse": circuit.evse, "cable": circuit.cable, "ev": circuit.ev}
    values = {name: getattr(parts[name.split(".")[0]], name.split(".")[1]) for name in rows}
    found = [name for name, row in rows.items() if not row.holds(values[name])]
    if not EVSE_AND_CABLE.holds(circuit.evse.c_f + circuit.cable.c_f):
        found.append(EVSE_AND_CABLE.name)
    return found + list(_faults(circuit))


def _faults(circuit: Circuit) -> Iterator[str]:
    """What no tolerance covers."""
    if circuit.ev.diode != "fitted":
        yield "ev.diode"
    if circuit.cable.short_ohm < 1e6:
        yield "cable.short_ohm"
    if circuit.cable.broken:
        yield "cable.broken"


def _windows(source: str, confidence: Confidence, **volts: tuple[float, float]) -> Mapping[str, Row]:
    rows = {name: Row(name, low, high, "V", source, confidence) for name, (low, high) in volts.items()}
    return MappingProxyType(rows)


WINDOWS: Mapping[str, Mapping[str, Row]] = MappingProxyType(
    {
        "corner": _windows(
            "corners of the tolerances of source, R1, R2, R3 and diode",
            "secondary",
            A=(11.40, 12.60),
            B=(8.369, 9.595),
            C=(5.472, 6.532),
            D=(2.589, 3.282),
            E=(-1.0, 1.0),
            F=(-12.60, -11.40),
        ),
        "openevse": _windows(
            _OPENEVSE,
            "read-code",
            A=(11.40, 12.60),
            B=(8.36, 9.56),
            C=(5.48, 6.49),
            D=(2.62, 3.25),
            F=(-12.60, -11.40),
        ),
        "iec": _windows(
            "Siemens TM ECC manual, +- 1 V after stabilisation",
            "secondary",
            A=(11.0, 13.0),
            B=(8.0, 10.0),
            C=(5.0, 7.0),
            D=(2.0, 4.0),
            F=(-13.0, -11.0),
        ),
    }
)
LOW_SIDE: Mapping[str, Row] = MappingProxyType(
    {name: replace(table["F"], name="low side of x2") for name, table in WINDOWS.items()}
)
THRESHOLDS_V: Mapping[str, float] = MappingProxyType({"A/B": 10.50, "B/C": 7.45, "C/D": 4.38})
"""Best fixed thresholds [V]: the middle of the gaps between the corner windows."""


def window_state(volts: float, windows: str = "corner") -> str | None:
    """The state in whose window a high level lies; None between them. Raises ``InputError`` for unknown windows."""
    if windows not in WINDOWS:
        raise InputError("state windows", f"no windows {windows!r}; there are {', '.join(WINDOWS)}")
    return next((name for name, row in WINDOWS[windows].items() if row.holds(volts)), None)


@dataclass(frozen=True)
class Levels:
    """The two settled levels of the wire [V]."""

    high_v: float
    low_v: float


def levels(circuit: Circuit, load: Load) -> Levels:
    """The settled levels that the source's two voltages give; those of short pulses stay away from them."""
    node = node_of(circuit, load)
    return Levels(node.steady_v(circuit.evse.high_v), node.steady_v(circuit.evse.low_v))


def corners(load: Load, capacity_f: float = 1.8e-9) -> Iterator[Circuit]:
    """All legal circuits whose source, R1, car's resistors and diode are at ends of their rows."""
    names = ("evse.high_v", "evse.r1_ohm", "ev.diode_v", "ev.r2_ohm", "ev.r3_ohm", "ev.r3_ventilated_ohm")
    wanted = {"A": names[:1], "B": names[:4], "C": names[:5], "D": (*names[:4], names[5])}.get(load, names[:2])
    for ends in product(*(PARAMETERS[name].edges() for name in wanted)):
        yield with_parameters(dict(zip(wanted, ends, strict=True))).with_capacity(capacity_f)


def with_parameters(values: Mapping[str, float], circuit: Circuit | None = None) -> Circuit:
    """A circuit with values by the names of :data:`PARAMETERS`, the others as they were.

    Raises ``InputError`` for other names.
    """
    base = circuit if circuit is not None else Circuit()
    unknown = sorted(set(values) - set(PARAMETERS))
    if unknown:
        raise InputError("pilot circuit", f"no parameter {unknown[0]!r}; there are {', '.join(PARAMETERS)}")
    parts: dict[str, dict[str, Any]] = {"evse": {}, "cable": {}, "ev": {}}
    for name, value in values.items():
        part, entry = name.split(".")
        parts[part][entry] = value
    return Circuit(
        replace(base.evse, **parts["evse"]), replace(base.cable, **parts["cable"]), replace(base.ev, **parts["ev"])
    )
