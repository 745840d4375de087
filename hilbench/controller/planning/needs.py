"""What a car needs, as it said over its station (NotifyEVChargingNeeds of OCPP 2.0.1 and 2.1), or as somebody told.

Energies count from when they were told; what the station's meter counts since then is taken off.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from hilbench.controller.dc_readings import WORST_EFFICIENCY

SOC_STEP = 0.005
"""Stations round a state of charge to the percent: it may be less by so much."""


@dataclass(frozen=True)
class Battery:
    """What a car's energies and its state of charge at the same moment say of it."""

    capacity_kwh: float
    target_soc: float


@dataclass(frozen=True)
class Need:
    """Energy to the target [kWh], until when (UTC [s since 1970]), and the most that the car takes [kW].

    A car that can discharge gives ``discharge_kw``; ``spare_kwh`` is what it holds above its own least, and
    ``space_kwh`` what it can still take in. Infinite where nothing was said.
    """

    energy_kwh: float
    departure: float = math.inf
    most_kw: float = math.inf
    discharge_kw: float = 0.0
    spare_kwh: float = 0.0
    space_kwh: float = math.inf

    def at(self, soc: float, battery: Battery) -> Need:
        """As its state of charge says, which knows what discharging lost; the more of both energies counts."""
        missing = (battery.target_soc - soc + SOC_STEP) * battery.capacity_kwh
        return replace(self, energy_kwh=max(self.energy_kwh, missing))

    def after(self, net_kwh: float) -> Need:
        """What is left to need when ``net_kwh`` has flowed in (negative: out)."""
        return replace(
            self,
            energy_kwh=self.energy_kwh - net_kwh,
            spare_kwh=max(self.spare_kwh + net_kwh, 0.0),
            space_kwh=max(self.space_kwh - net_kwh, 0.0),
        )


def battery_of(need: Need, soc: float) -> Battery | None:
    """The battery behind a need that was told at ``soc`` (0 to 1); None where it does not say how much fits in."""
    if math.isinf(need.space_kwh) or soc >= 0.98 or need.space_kwh <= 0.0:
        return None
    capacity = need.space_kwh / (1.0 - soc)
    return Battery(capacity, min(soc + need.energy_kwh / capacity, 1.0))


def need_of(needs: Mapping[str, Any]) -> Need | None:
    """The need in ChargingNeeds (snake_case); None where it holds no energy that can be used.

    AC and DC of both versions and the two-way parameters of 2.1 are understood; powers in W and energies in Wh there.
    Those of DC are powers at the car.
    """
    departure, mode = _moment(needs.get("departure_time")), str(needs.get("requested_energy_transfer"))
    two_way, one_way = needs.get("v2x_charging_parameters"), needs.get("ac_charging_parameters")
    direct = needs.get("dc_charging_parameters")
    if isinstance(two_way, Mapping):
        return _at_grid(_two_way(two_way, departure, "BPT" in mode), mode.startswith("DC"))
    if isinstance(direct, Mapping):
        return _at_grid(_one_way_dc(direct, departure), dc=True)
    if isinstance(one_way, Mapping):
        energy = _number(one_way, "energy_amount")
        phases = 3.0 if "three" in mode else 1.0
        most_kw = phases * _number(one_way, "ev_max_current") * _number(one_way, "ev_max_voltage") / 1000.0
        return _need(energy, departure, most_kw)
    return None


def _need(energy_wh: float, departure: float, most_kw: float, **more: float) -> Need | None:
    if math.isnan(energy_wh) or energy_wh < 0.0:
        return None
    return Need(energy_wh / 1000.0, departure, most_kw if most_kw > 0.0 else math.inf, **more)


def _at_grid(need: Need | None, dc: bool) -> Need | None:
    """Powers at the grid's side of a DC station, so that none asks for more than the car gives, or takes."""
    if need is None or not dc:
        return need
    return replace(need, most_kw=need.most_kw / WORST_EFFICIENCY, discharge_kw=need.discharge_kw * WORST_EFFICIENCY)


def _one_way_dc(given: Mapping[str, Any], departure: float) -> Need | None:
    """The energy that it names, or what its state of charge leaves to where it calls itself full."""
    soc, capacity = _number(given, "state_of_charge") / 100.0, _number(given, "ev_energy_capacity")
    space, energy = (1.0 - soc) * capacity, _number(given, "energy_amount")
    full = _number(given, "full_soc") / 100.0
    if math.isnan(energy):
        energy = max((1.0 if math.isnan(full) else full) - soc, 0.0) * capacity
    most = _number(given, "ev_max_power")
    if math.isnan(most):
        most = _number(given, "ev_max_current") * _number(given, "ev_max_voltage")
    known = space >= 0.0
    return _need(energy, departure, most / 1000.0, space_kwh=space / 1000.0 if known else math.inf)


def _two_way(given: Mapping[str, Any], departure: float, may_discharge: bool) -> Need | None:
    energy = _number(given, "ev_target_energy_request")
    # some cars count it from 0 downwards (EVerest#1473)
    discharge, least = abs(_number(given, "max_discharge_power")), _number(given, "ev_min_v2x_energy_request")
    if not math.isnan(energy):
        energy = max(energy, 0.0)  # a car that is above its target asks for less than nothing
    able = may_discharge and discharge > 0.0 and least < 0.0
    space = _number(given, "ev_max_energy_request")
    return _need(
        energy,
        departure,
        _number(given, "max_charge_power") / 1000.0,
        discharge_kw=discharge / 1000.0 if able else 0.0,
        spare_kwh=-least / 1000.0 if able else 0.0,
        space_kwh=math.inf if math.isnan(space) else max(space, 0.0) / 1000.0,
    )


def _number(given: Mapping[str, Any], key: str) -> float:
    """A number of a message; NaN for none, and for one that no car can mean."""
    value = given.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not -1e7 < value < 1e7:
        return math.nan
    return float(value)


def _moment(value: Any) -> float:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return math.inf
    return moment.timestamp() if moment.tzinfo is not None else math.inf
