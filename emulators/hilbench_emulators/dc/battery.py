"""A battery as an open-circuit voltage behind a resistance; pure, exact for currents that change linearly.

Terminal voltage is ``cells x OCV(SoC) + I x R``. Currents and powers are positive into the battery, at its terminals.
State of charge counts coulombs; the capacity is such that a charge from 0 to 1 stores the usable energy.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from hilbench_emulators.dc.piecewise import Piecewise

GENERIC_NMC = Piecewise(
    [
        (0.0, 3.30),
        (0.05, 3.45),
        (0.1, 3.52),
        (0.2, 3.60),
        (0.3, 3.65),
        (0.4, 3.70),
        (0.5, 3.76),
        (0.6, 3.85),
        (0.7, 3.95),
        (0.8, 4.03),
        (0.9, 4.10),
        (1.0, 4.18),
    ]
)
"""Open-circuit voltage [V] of one cell against the state of charge shown to the driver: the usual shape of NMC cells,
from no cell in particular (recalled)."""


@dataclass(frozen=True, slots=True)
class Battery:
    """``cells`` in series, ``resistance_ohm`` and charge ``capacity_c`` [C] of the whole, ``ocv_v`` [V] of a cell."""

    cells: int
    resistance_ohm: float
    capacity_c: float
    ocv_v: Piecewise = GENERIC_NMC

    @classmethod
    def of_energy(cls, usable_kwh: float, cells: int, resistance_ohm: float, ocv_v: Piecewise = GENERIC_NMC) -> Battery:
        """The battery that stores ``usable_kwh`` between states of charge 0 and 1."""
        return cls(cells, resistance_ohm, usable_kwh * 3.6e6 / (cells * ocv_v.area(1.0)), ocv_v)

    def open_v(self, soc: float) -> float:
        """Open-circuit voltage [V]."""
        return self.cells * self.ocv_v.at(soc)

    def voltage_v(self, soc: float, current_a: float) -> float:
        """Terminal voltage [V]."""
        return self.open_v(soc) + current_a * self.resistance_ohm

    def current_a(self, soc: float, power_w: float) -> float:
        """Current [A] at which the terminals take ``power_w`` (negative: give it).

        What is more than it could ever give has the current at which it gives the most.
        """
        open_v = self.open_v(soc)
        root = math.sqrt(max(open_v * open_v + 4.0 * self.resistance_ohm * power_w, 0.0))
        return 2.0 * power_w / (open_v + root) if root > 0.0 else -open_v / (2.0 * self.resistance_ohm)

    def stored_j(self, soc: float) -> float:
        """Energy [J] stored above state of charge 0."""
        return self.capacity_c * self.cells * self.ocv_v.area(soc)


@dataclass(frozen=True, slots=True)
class Cells:
    """State of a battery: ``soc`` (0..1), and since its beginning ``taken_j`` [J] at the terminals and ``lost_j`` [J].

    The energy stored has grown by what was taken less what was lost; ``taken_j`` falls while it discharges.
    """

    soc: float
    taken_j: float = 0.0
    lost_j: float = 0.0


def advance(battery: Battery, cells: Cells, start_a: float, end_a: float, dt_s: float) -> Cells:
    """The state ``dt_s`` later, the current [A] having gone straight from ``start_a`` to ``end_a``. Exact."""
    soc = cells.soc + (start_a + end_a) / 2.0 * dt_s / battery.capacity_c
    lost = battery.resistance_ohm * (start_a * start_a + start_a * end_a + end_a * end_a) / 3.0 * dt_s
    stored = battery.stored_j(soc) - battery.stored_j(cells.soc)
    return Cells(soc, cells.taken_j + stored + lost, cells.lost_j + lost)
