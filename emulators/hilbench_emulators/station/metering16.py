"""Meter values of an OCPP 1.6 station (OCPP 1.6 edition 2 sections 7.33 to 7.45; standard-text)."""

from __future__ import annotations

from typing import Any

from hilbench.site import Branch
from hilbench_emulators.station.outlet import Reading


def meter_value(
    branch: Branch, reading: Reading, offered_a: float, measurands: list[str], timestamp: str, context: str
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
            {"value": f"{reading.currents.get(line, 0.0):.2f}", "unit": "A", "phase": f"L{terminal}"}
            for terminal, line in enumerate(branch.lines, start=1)
        ]
    if measurand == "SoC":
        return [] if reading.soc is None else [{"value": f"{100 * reading.soc:.0f}", "unit": "Percent"}]
    if measurand == "Voltage":
        return [{"value": f"{reading.voltage_v:.1f}", "unit": "V", "phase": "L1-L2" if branch.line_to_line else "L1-N"}]
    value, unit = {
        "Power.Active.Import": (f"{reading.power_w:.0f}", "W"),
        "Energy.Active.Import.Register": (f"{reading.energy_wh:.0f}", "Wh"),
        "Current.Offered": (f"{offered_a:.1f}", "A"),
    }[measurand]
    return [{"value": value, "unit": unit}]
