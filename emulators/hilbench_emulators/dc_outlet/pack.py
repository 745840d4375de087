"""A DC car's battery as CHAdeMO's machines see it, and the car as their model has it."""

from __future__ import annotations

import math

from hilbench_emulators.chademo import CarModel
from hilbench_emulators.dc.battery import Cells, advance
from hilbench_emulators.dc.cars import Car
from hilbench_emulators.dc.request import Offer, given_a, own_limit_a

_EVERYTHING = Offer(0.0, 0.0, give_a=math.inf)
_OVER = 1.08
"""100.4 of a LEAF is 435 V, 8 % above the 403 V at which its cells are full (recorded in its logs)."""


class CarPack:
    """A :class:`hilbench_emulators.chademo.Pack` that is full at ``target_soc``."""

    def __init__(self, car: Car, soc: float, target_soc: float = 1.0) -> None:
        self.car, self.cells, self.target_soc = car, Cells(soc), target_soc
        self._t = 0.0
        self._current_a = 0.0

    def flow(self, t: float, current_a: float) -> None:
        """See :class:`Pack`: the current went straight from the last one to this."""
        dt_s = max(t - self._t, 0.0)
        if dt_s and (current_a or self._current_a):
            self.cells = advance(self.car.battery, self.cells, self._current_a, current_a, dt_s)
        self._t, self._current_a = max(t, self._t), current_a

    def voltage_v(self, t: float) -> float:
        """See :class:`Pack`."""
        self._to(t)
        return self.car.battery.voltage_v(self.cells.soc, self._current_a)

    def wanted_a(self, t: float) -> float:
        """See :class:`Pack`."""
        self._to(t)
        return own_limit_a(self.car, self.cells.soc) if self.cells.soc < self.target_soc else 0.0

    def given_a(self, t: float) -> float:
        """See :class:`Pack`."""
        self._to(t)
        return given_a(self.car, self.cells.soc, _EVERYTHING)

    def soc_pct(self, t: float) -> float:
        """See :class:`Pack`."""
        self._to(t)
        return 100.0 * self.cells.soc

    def _to(self, t: float) -> None:
        self.flow(t, self._current_a)


def car_model(car: Car, pack: CarPack, *, gives: bool) -> CarModel:
    """A car of :mod:`hilbench_emulators.dc` as CHAdeMO's machine has it; ``gives``: it may discharge here."""
    discharge = car.discharge if gives else None
    return CarModel(
        min_current_a=math.ceil(car.min_a),
        max_current_a=min(int(car.max_a), 255),
        max_voltage_v=int(car.max_v * _OVER),
        target_voltage_v=math.ceil(car.max_v),
        capacity_100wh=round(car.battery.stored_j(1.0) / 3.6e5),
        ramp_a_per_s=car.up_a_per_s,
        charged_to_pct=100.0 * pack.target_soc,
        starved_s=car.gives_up_s if car.below_minimum == "ends" else math.inf,
        max_discharge_a=0 if discharge is None else int(discharge.max_a),
        min_discharge_v=250 if discharge is None else int(discharge.min_v),
    )
