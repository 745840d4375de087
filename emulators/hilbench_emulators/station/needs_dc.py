"""What a DC car tells over its link of itself, as NotifyEVChargingNeeds has it (OCPP 2.0.1 K15, 2.1 Q01). Pure.

Powers and currents are those of the outlet; a controller's limits are on the grid side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hilbench_emulators.dc.cars import Car
from hilbench_emulators.dc.request import own_limit_a
from hilbench_emulators.station.visit import Visit

DC, DC_BIDIRECTIONAL = "DC", "DC_BPT"
"""Energy transfers of a DC station: to charge only, and in both directions."""


@dataclass(frozen=True)
class DcNeeds:
    """Of a car at an outlet that gives at most ``rated_w`` [W DC]; ``soc`` is that of now, 0..1."""

    car: Car
    visit: Visit
    rated_w: float
    soc: float

    @property
    def capacity_wh(self) -> float:
        """Energy of the whole battery, at its terminals."""
        return self.car.battery.stored_j(1.0) / 3600.0

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
        if transfer == DC_BIDIRECTIONAL:
            del needs["dc_charging_parameters"]
            needs["v2x_charging_parameters"] = self._two_way()
        return needs

    def wire201(self, transfer: str, departure: str | None) -> dict[str, Any]:
        """ChargingNeeds of OCPP 2.0.1 in snake_case."""
        needs: dict[str, Any] = {"requested_energy_transfer": transfer, "dc_charging_parameters": self._one_way()}
        return needs if departure is None else needs | {"departure_time": departure}

    def _one_way(self) -> dict[str, int]:
        return {
            "ev_max_current": round(self.car.max_a),
            "ev_max_voltage": round(self.car.max_v),
            "ev_max_power": round(self._most_w()),
            "energy_amount": max(self._wh_to(self.target_soc), 0),
            "ev_energy_capacity": round(self.capacity_wh),
            "state_of_charge": round(100.0 * self.soc),
            "full_soc": 100,
            "bulk_soc": 80,
        }

    def _two_way(self) -> dict[str, int]:
        """V2XChargingParameters: powers at the outlet [W], energies from now on [Wh]."""
        discharge = self.car.discharge
        assert discharge is not None
        volts = self.car.battery.open_v(self.soc)
        return {
            "min_charge_power": round(self.car.min_a * volts),
            "max_charge_power": round(self._most_w()),
            "min_discharge_power": 0,
            "max_discharge_power": round(min(discharge.max_a * volts, self.rated_w)),
            "ev_target_energy_request": self._wh_to(self.target_soc),
            "ev_min_energy_request": self._wh_to(discharge.reserve_soc),
            "ev_max_energy_request": self._wh_to(1.0),
            "ev_min_v2x_energy_request": self._wh_to(discharge.reserve_soc),
            "ev_max_v2x_energy_request": self._wh_to(1.0),
        }

    def _wh_to(self, soc: float) -> int:
        stored = self.car.battery.stored_j
        return round((stored(soc) - stored(self.soc)) / 3600.0)

    def _most_w(self) -> float:
        most_a = own_limit_a(self.car, self.soc)
        return min(most_a * self.car.battery.voltage_v(self.soc, most_a), self.rated_w)
