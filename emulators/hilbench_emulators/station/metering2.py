"""MeterValues of an OCPP 2.x station: numbers instead of strings, and units apart."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hilbench.site import Branch
from hilbench_emulators.station.outlet import Reading


def meter_value(
    branch: Branch, reading: Reading, offered_a: float, measurands: Iterable[str], timestamp: str, context: str
) -> dict[str, Any]:
    """One MeterValue. Phases are the station's terminals in order, not the site's lines behind a rotation."""
    values: list[dict[str, Any]] = []
    for measurand in measurands:
        common = {"measurand": measurand, "context": context, "location": "Outlet"}
        values.extend(common | value for value in _values(branch, reading, offered_a, measurand))
    return {"timestamp": timestamp, "sampled_value": values}


def _values(branch: Branch, reading: Reading, offered_a: float, measurand: str) -> list[dict[str, Any]]:
    if measurand == "Current.Import":
        return [
            {"value": round(reading.currents.get(line, 0.0), 2), "phase": f"L{terminal}", "unit_of_measure": _in("A")}
            for terminal, line in enumerate(branch.lines, start=1)
        ]
    if measurand == "SoC":
        return [] if reading.soc is None else [{"value": round(100 * reading.soc), "unit_of_measure": _in("Percent")}]
    if measurand == "Voltage":
        phase = "L1-L2" if branch.line_to_line else "L1-N"
        return [{"value": round(reading.voltage_v, 1), "phase": phase, "unit_of_measure": _in("V")}]
    value, unit = {
        "Power.Active.Import": (round(reading.power_w), "W"),
        "Energy.Active.Import.Register": (round(reading.energy_wh), "Wh"),
        "Current.Offered": (round(offered_a, 1), "A"),
    }[measurand]
    return [{"value": value, "unit_of_measure": _in(unit)}]


def _in(unit: str) -> dict[str, str]:
    return {"unit": unit}
