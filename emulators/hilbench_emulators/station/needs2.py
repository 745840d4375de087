"""What a car tells over its link of itself, as NotifyEVChargingNeeds has it (OCPP 2.0.1 K15, 2.1 Q01). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hilbench.site import Branch
from hilbench_emulators.station.needs_dc import DC, DC_BIDIRECTIONAL
from hilbench_emulators.station.visit import Visit
from hilbench_emulators.vehicles import Vehicle

BIDIRECTIONAL = "AC_BPT"
"""Energy transfer in which an AC car may discharge."""


def bidirectional_transfer(branch: Branch) -> str:
    """Energy transfer in which a car may discharge at a station."""
    return DC_BIDIRECTIONAL if branch.kind == "dc" else BIDIRECTIONAL


def charging_transfer(branch: Branch) -> str:
    """Energy transfer in which a car only charges at a station."""
    if branch.kind == "dc":
        return DC
    return "AC_three_phase" if len(branch.lines) == 3 else "AC_single_phase"


@dataclass(frozen=True)
class Needs:
    """Of a car at a station with ``voltage_v`` across each of its phases; ``soc`` is that of now, 0..1."""

    car: Vehicle
    visit: Visit
    branch: Branch
    voltage_v: float
    soc: float

    @property
    def capacity_wh(self) -> float:
        """Energy of the whole battery, at the meter."""
        return self.car.battery_kwh * 1000.0

    @property
    def target_soc(self) -> float:
        """State of charge at departure that the driver wants."""
        asked = self.visit.energy_kwh
        return 1.0 if asked is None else min(1.0, self.visit.arrival_soc + asked * 1000.0 / self.capacity_wh)

    def wire(self, transfer: str, available: Sequence[str], departure: str | None) -> dict[str, Any]:
        """ChargingNeeds of OCPP 2.1 in snake_case, for the energy transfer that car and station have agreed on."""
        needs = self.wire201(transfer, departure)
        needs |= {"available_energy_transfer": list(available), "control_mode": "DynamicControl"}
        needs["mobility_needs_mode"] = "EVCC"
        if transfer == BIDIRECTIONAL:
            del needs["ac_charging_parameters"]
            needs["v2x_charging_parameters"] = self._two_way()
        return needs

    def wire201(self, transfer: str, departure: str | None) -> dict[str, Any]:
        """ChargingNeeds of OCPP 2.0.1 in snake_case."""
        needs: dict[str, Any] = {"requested_energy_transfer": transfer, "ac_charging_parameters": self._one_way()}
        return needs if departure is None else needs | {"departure_time": departure}

    def _one_way(self) -> dict[str, int]:
        return {
            "energy_amount": max(self._wh_to(self.target_soc), 0),
            "ev_min_current": round(self.car.start_min_a),
            "ev_max_current": round(self._most_a()),
            "ev_max_voltage": round(self.voltage_v),
        }

    def _two_way(self) -> dict[str, int]:
        """V2XChargingParameters: powers of all phases together [W], energies from now on [Wh]."""
        discharge = self.car.discharge
        assert discharge is not None
        return {
            "min_charge_power": self._power_w(self.car.start_min_a),
            "max_charge_power": self._power_w(self._most_a()),
            "min_discharge_power": 0,
            "max_discharge_power": self._power_w(min(discharge.max_a, self.branch.max_a)),
            "ev_target_energy_request": self._wh_to(self.target_soc),
            "ev_min_energy_request": self._wh_to(discharge.min_soc),
            "ev_max_energy_request": self._wh_to(1.0),
            "ev_min_v2x_energy_request": self._wh_to(discharge.min_soc),
            "ev_max_v2x_energy_request": self._wh_to(1.0),
        }

    def _wh_to(self, soc: float) -> int:
        return round((soc - self.soc) * self.capacity_wh)

    def _most_a(self) -> float:
        return self.car.response(self._phases()).drawn_a(self.branch.max_a)

    def _power_w(self, current_a: float) -> int:
        phases = min(self.car.response(self._phases()).phases, self._phases())
        return round(current_a * self.voltage_v * phases)

    def _phases(self) -> int:
        return 1 if self.branch.line_to_line else len(self.branch.lines)
