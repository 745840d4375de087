"""What stations report in MeterValues and TransactionEvents, as numbers; what is none is left out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

MEASURANDS = "Current.Import,Power.Active.Import,Energy.Active.Import.Register"
TWO_WAY_MEASURANDS = MEASURANDS + ",Current.Export,Energy.Active.Export.Register,SoC"
TWO_WAY_DC_MEASURANDS = TWO_WAY_MEASURANDS + ",Power.Active.Export"
"""A DC station may say nothing of its lines: then its power has to do (see ``dc_readings``)."""
_KILO = ("kW", "kWh")


class Counted(NamedTuple):
    """A station's energy, import less export [Wh], and the state of charge of its car (0 to 1); None: not said."""

    net_wh: float | None = None
    soc: float | None = None


def reported_currents(meter_value: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Current per phase of the newest entry that has any [A]; negative where Current.Export says so.

    One of no phase is under ``""``: OCPP leaves open of which, and evcc-io/evcc#22087 saw the sum of all.
    """
    for entry in reversed(meter_value):
        found: dict[str, float] = {}
        for sample, value in _numbers(entry):
            phase = str(sample.get("phase", ""))[:2]
            if sample.get("measurand") == "Current.Import":
                found[phase] = value if value or phase not in found else found[phase]
            elif sample.get("measurand") == "Current.Export" and value:
                found[phase] = -value
        if found:
            return found
    return {}


def reported_at(meter_value: Sequence[Mapping[str, Any]]) -> datetime | None:
    """When the newest entry was taken by the station's clock; None where it does not say so."""
    try:
        moment = datetime.fromisoformat(str(meter_value[-1]["timestamp"]))
    except (IndexError, KeyError, ValueError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def counted(meter_value: Sequence[Mapping[str, Any]]) -> Counted:
    """Energy and state of charge of the newest entry that has either."""
    for entry in reversed(meter_value):
        taken = given = soc = None
        for sample, value in _numbers(entry):
            match sample.get("measurand", "Energy.Active.Import.Register"):
                case "Energy.Active.Import.Register" if not sample.get("phase"):
                    taken = value
                case "Energy.Active.Export.Register" if not sample.get("phase"):
                    given = value
                case "SoC" if 0.0 <= value <= 100.0:
                    soc = value / 100.0
        if taken is not None or soc is not None:
            return Counted(None if taken is None else taken - (given or 0.0), soc)
    return Counted()


def _numbers(entry: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], float]]:
    for sample in entry.get("sampled_value", ()):
        value = amount(sample)
        if math.isfinite(value):
            yield sample, value


def amount(sample: Mapping[str, Any]) -> float:
    """The value of a sample in A, V, W or Wh; NaN for what is no number.

    A value of OCPP 2.x comes with an exponent of ten (UnitOfMeasure, standard-text).
    """
    unit = sample.get("unit_of_measure") or {"unit": sample.get("unit")}
    try:
        factor = 10.0 ** int(unit.get("multiplier", 0) or 0) * (1000.0 if unit.get("unit") in _KILO else 1.0)
        return float(sample.get("value", "nan")) * factor
    except (TypeError, ValueError, OverflowError):
        return math.nan
