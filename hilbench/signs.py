"""Which way a number counts where cars give power back: one convention inside, and what each protocol does outside.

Inside, currents, powers and set points are positive into the car, and at a site positive into the site.
"""

from __future__ import annotations

from typing import NamedTuple

INSIDE = "positive into the car; at a node of the site positive into the site"


class Sign(NamedTuple):
    """A field: what a car that gives 10 A or 10 kW has there, with the source and how sure it is."""

    protocol: str
    field: str
    giving_10: str
    source: str
    confidence: str


_EVEREST = "EVerest/everest-core pull request 1473, which adds a switch for cars that send negative ones"
_CHADEMO = "furdog, chademo-rs and ccs32clara agree (IEEE 2030.1.1 quoted by them)"
_OCPP = "OCPP 2.1 edition 1 part 2, ChargingSchedulePeriodType"

_MEASURAND, _OCPP_NEEDS = "OCPP MeasurandEnumType", "OCPP 2.1 V2XChargingParametersType"
_SIZES = "EVSEMaximumDischargePower, EVMaximumDischargeCurrent and their like"
_SUNSPEC = "SunSpec models 201 to 204"

SIGNS = (
    Sign("OCPP 2.1", "setpoint", "-10", f"{_OCPP}: negative is discharging", "standard-text"),
    Sign("OCPP 2.1", "dischargeLimit", "-10 or below", f"{_OCPP}: 0 or below", "standard-text"),
    Sign("OCPP 2.1", "limit", "not shown: never below 0", _OCPP, "standard-text"),
    Sign("OCPP 2.1", "maxDischargePower (needs)", "10", _OCPP_NEEDS, "standard-text"),
    Sign("OCPP", "Power.Active.Export, Current.Export", "10, and 0 in Import", _MEASURAND, "standard-text"),
    Sign("ISO 15118-20", _SIZES, "10", _EVEREST, "secondary"),
    Sign("ISO 15118-20", "EVTargetCurrent, EVSEPresentCurrent", "-10", "sign of the current into the car", "recalled"),
    Sign("ISO 15118-20", "EVSETargetActivePower (AC, dynamic)", "-10", "negative is discharging", "recalled"),
    Sign("SAE J2847/2", "limits of BPT on ISO 15118-2", "-10", "EVerest sae_j2847_2_bpt_enabled", "read-code"),
    Sign("CHAdeMO V2H", "200.0 largest, 208.0 present discharge current", "245 (255 - 10)", _CHADEMO, "read-code"),
    Sign("CHAdeMO V2H", "200.6 least level", "as it is; chademo-rs inverts it", "three of four projects", "read-code"),
    Sign("SunSpec 20x", "W, A of a meter of the service", "less import, then negative", _SUNSPEC, "standard-text"),
)  # fmt: skip
"""In the order of the way from a controller to a car."""
