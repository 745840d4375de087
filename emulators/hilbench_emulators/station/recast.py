"""Meter values in the units and phases of a make of station; those of a standard one stay as they are."""

from __future__ import annotations

from typing import Any

from hilbench_emulators.personality import Reporting

_STANDARD = Reporting()
_CURRENT, _POWER = "Current.Import", "Power.Active.Import"


def recast16(reporting: Reporting, value: dict[str, Any]) -> dict[str, Any]:
    """A MeterValue of OCPP 1.6, whose values are text and whose units have no milliampere."""
    samples = _samples(reporting, value["sampled_value"])
    return value if reporting == _STANDARD else value | {"sampled_value": [_in_text(reporting, one) for one in samples]}


def recast2(reporting: Reporting, value: dict[str, Any]) -> dict[str, Any]:
    """A MeterValue of OCPP 2.x; milliamperes are amperes with a multiplier of -3 (UnitOfMeasure, standard-text)."""
    samples = _samples(reporting, value["sampled_value"])
    return value if reporting == _STANDARD else value | {"sampled_value": [_in_unit(reporting, one) for one in samples]}


def _samples(reporting: Reporting, samples: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same values, with one current for all phases where the make has no others."""
    if reporting.dc_sides == "outlet":
        samples = [one for one in samples if one["location"] != "Inlet"]
    currents = [one for one in samples if one["measurand"] == _CURRENT and "phase" in one]
    if reporting.phases == "each" or not currents:
        return samples
    total = sum(float(one["value"]) for one in currents)
    kept = {key: item for key, item in currents[0].items() if key != "phase"}
    return [kept | {"value": round(total, 2)}, *(one for one in samples if one not in currents)]


def _factor(reporting: Reporting, measurand: str) -> float:
    if measurand == _CURRENT and reporting.current_unit == "mA":
        return 1000.0
    if measurand == _POWER:
        return 0.0 if reporting.zero_power else 0.001 if reporting.power_unit == "kW" else 1.0
    return 1.0


def _in_text(reporting: Reporting, sample: dict[str, Any]) -> dict[str, Any]:
    factor = _factor(reporting, sample["measurand"])
    unit = reporting.power_unit if sample["measurand"] == _POWER else sample["unit"]
    text = str(sample["value"]) if factor == 1.0 else f"{float(sample['value']) * factor:g}"
    return sample | {"value": text, "unit": unit}


def _in_unit(reporting: Reporting, sample: dict[str, Any]) -> dict[str, Any]:
    unit = dict(sample["unit_of_measure"])
    if sample["measurand"] == _POWER:
        unit["unit"] = reporting.power_unit
    elif sample["measurand"] == _CURRENT and reporting.current_unit == "mA":
        unit["multiplier"] = -3
    value = round(sample["value"] * _factor(reporting, sample["measurand"]), 3)
    return sample | {"value": value, "unit_of_measure": unit}
