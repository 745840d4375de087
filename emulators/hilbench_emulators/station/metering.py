"""What a meter says in the words of each OCPP version (1.6 edition 2 sections 7.33 to 7.45, standard-text)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hilbench.site import Branch
from hilbench_emulators.dc_outlet.outlet import DcReading
from hilbench_emulators.station.outlet import Reading

MEASURANDS = (
    "Current.Import",
    "Voltage",
    "Power.Active.Import",
    "Energy.Active.Import.Register",
    "Current.Offered",
    "SoC",
)
"""All that every station can measure, in the order in which it reports them."""
EXPORTS = ("Current.Export", "Power.Active.Export", "Energy.Active.Export.Register")
"""What a station measures beyond that where a car may discharge."""


@dataclass(frozen=True)
class Figure:
    """One value with ``digits`` after the point; ``phase`` empty: of all; ``location`` empty: that of the rest."""

    measurand: str
    value: float
    digits: int
    unit: str
    phase: str = ""
    location: str = ""


def listed(names: str) -> list[str]:
    """Measurands of a configuration value."""
    return [name.strip() for name in names.split(",") if name.strip()]


def figures(branch: Branch, reading: Reading, offered_a: float, measurands: Iterable[str]) -> Iterator[Figure]:
    """What is read now. Phases are the station's terminals in order, not the site's lines behind a rotation."""
    if isinstance(reading, DcReading):
        yield from dc_figures(branch, reading, offered_a, measurands)
        return
    for measurand in measurands:
        if measurand in ("Current.Import", "Current.Export"):
            flows = (reading.power_w < 0.0) == (measurand == "Current.Export")
            for terminal, line in enumerate(branch.lines, start=1):
                yield Figure(measurand, reading.currents.get(line, 0.0) if flows else 0.0, 2, "A", f"L{terminal}")
        elif measurand == "Voltage":
            yield Figure(measurand, reading.voltage_v, 1, "V", "L1-L2" if branch.line_to_line else "L1-N")
        elif measurand == "SoC":
            if reading.soc is not None:
                yield Figure(measurand, 100 * reading.soc, 0, "Percent")
        else:
            yield _single(reading, offered_a, measurand)


def dc_figures(branch: Branch, reading: DcReading, offered_a: float, measurands: Iterable[str]) -> Iterator[Figure]:
    """As :func:`figures`, of a DC station: what flows into the car at its Outlet, what it takes from the grid at its
    Inlet (OCPP 1.6 edition 2 section 7.32, standard-text). The current of the outlet has no phase.
    """
    flow = reading.dc
    for measurand in measurands:
        sign = -1.0 if measurand.endswith("Export") else 1.0
        if measurand in ("Current.Import", "Current.Export"):
            yield Figure(measurand, max(sign * flow.current_a, 0.0), 1, "A")
            flows = sign * reading.power_w > 0.0
            for terminal, line in enumerate(branch.lines, start=1):
                amps = reading.currents.get(line, 0.0) if flows else 0.0
                yield Figure(measurand, amps, 2, "A", f"L{terminal}", "Inlet")
        elif measurand in ("Power.Active.Import", "Power.Active.Export"):
            yield Figure(measurand, max(sign * flow.power_w, 0.0), 0, "W")
            yield Figure(measurand, max(sign * reading.power_w, 0.0), 0, "W", "", "Inlet")
        elif measurand == "Voltage":
            yield Figure(measurand, flow.voltage_v, 1, "V")
        elif measurand == "SoC":
            if reading.soc is not None:
                yield Figure(measurand, 100 * reading.soc, 0, "Percent", "", "EV")
        elif measurand == "Current.Offered":
            yield Figure(measurand, max(flow.offered_a, 0.0), 1, "A")
        else:
            yield _single(reading, offered_a, measurand)


def _single(reading: Reading | DcReading, offered_a: float, measurand: str) -> Figure:
    value, digits, unit = {
        "Power.Active.Import": (max(reading.power_w, 0.0), 0, "W"),
        "Power.Active.Export": (max(-reading.power_w, 0.0), 0, "W"),
        "Energy.Active.Import.Register": (reading.energy_wh, 0, "Wh"),
        "Energy.Active.Export.Register": (reading.exported_wh, 0, "Wh"),
        "Current.Offered": (offered_a, 1, "A"),
    }[measurand]
    return Figure(measurand, value, digits, unit)


def meter_value16(read: Iterable[Figure], timestamp: str, context: str, location: str = "Outlet") -> dict[str, Any]:
    """A MeterValue of OCPP 1.6: values are text, and "NaN" where there is none."""
    values = [_common(one, context, location) | {"value": _text(one), "unit": one.unit} for one in read]
    return {"timestamp": timestamp, "sampled_value": values}


def meter_value2(read: Iterable[Figure], timestamp: str, context: str, location: str = "Outlet") -> dict[str, Any]:
    """A MeterValue of OCPP 2.x: values are numbers; one that is none cannot be said."""
    values = [
        _common(one, context, location)
        | {"value": round(one.value, one.digits or None), "unit_of_measure": {"unit": one.unit}}
        for one in read
        if math.isfinite(one.value)
    ]
    return {"timestamp": timestamp, "sampled_value": values}


def main_meter(values: Mapping[str, float], lines: int) -> list[Figure]:
    """What the meter of the supply says, by phase; its values are named as in register maps."""
    kinds = (("Current.Import", "current", 2, "A", ""), ("Voltage", "voltage", 1, "V", "-N"),
             ("Power.Active.Import", "power", 0, "W", ""))  # fmt: skip
    found = [
        Figure(measurand, values[f"{name}_l{k}"], digits, unit, f"L{k}{neutral}")
        for measurand, name, digits, unit, neutral in kinds
        for k in range(1, lines + 1)
    ]
    return [*found, Figure("Energy.Active.Import.Register", 1000.0 * values["import_energy"], 0, "Wh")]


def _text(one: Figure) -> str:
    return f"{one.value:.{one.digits}f}" if math.isfinite(one.value) else "NaN"


def _common(one: Figure, context: str, location: str) -> dict[str, str]:
    found = {"measurand": one.measurand, "context": context, "location": one.location or location}
    return found | ({"phase": one.phase} if one.phase else {})
