"""What a CHAdeMO car and charger are: plain parameters, with their sources, and sets of them that were recorded.

A misbehaviour is a parameter too; the catalogue of them is in ``quirks``. "ZE1 log" is a session of a 40 kWh LEAF
(F1atline/Nissan-Leaf-ZE1-CHAdeMO-CAN-Logs), "ZE0 log" one of a 24 kWh LEAF at a V2X charger (rand12345/chademo-rs).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from hilbench.chademo.timing import DEVIATION_A, PERIOD_S, limit
from hilbench_emulators.dc.stage import Slew

V09, V10, V20 = 1, 2, 3
"""Protocol numbers of 0.9, of 1.0 to 1.2, and of 2.0."""


@dataclass(frozen=True)
class CarModel:
    """A car. Times in seconds; defaults are those of the ZE1 log where there are any.

    ``reference_unheard`` and ``reference_09`` are what a LEAF sends in 100.6 before it hears a charger, and to one of
    0.9. ``stop_a``: it ends charging when it wants less. ``charged_to_pct``: it ends charging there. ``starved_s``: it
    ends charging when it has been offered less than its minimum for so long. ``target_shift_v``: by so much its target
    voltage changes once its contactor has closed.
    """

    protocol: int = V10
    min_current_a: int = 6
    max_current_a: int = 125
    tells_max_current: bool = False
    min_voltage_v: int = 0
    max_voltage_v: int = 435
    target_voltage_v: int = 410
    capacity_100wh: int = 389
    max_time_min: int = 80
    reference_unheard: int = 240
    reference_09: int = 255
    legacy_dynamic: bool = False
    high_current: bool = False
    can_on_s: float = 0.146
    known_s: float = 2.0
    enable_s: float = 3.42
    contactor_s: float = 0.3
    request_s: float = 1.70
    ramp_a_per_s: float = 20.0
    stop_reaction_s: float = 0.2
    open_s: float = 0.07
    stop_a: float = 1.0
    charged_to_pct: float = 100.0
    max_discharge_a: int = 0
    min_discharge_v: int = 250
    discharge_ramp_a_per_s: float = 20.0
    deviation_a: float = DEVIATION_A
    deviation_s: float = limit("current_deviation").gives_up_s
    period_s: float = PERIOD_S
    rotates: bool = False
    aborts_on_reduction: bool = False
    starved_s: float = math.inf
    target_shift_v: int = 0
    idle_discharge_s: float = math.inf
    welded: bool = False

    @property
    def discharges(self) -> bool:
        """It can give power back (102.5.7)."""
        return self.max_discharge_a > 0


@dataclass(frozen=True)
class ChargerModel:
    """A charger. Times in seconds; defaults are those of the ZE1 log where there are any."""

    protocol: int = V10
    max_voltage_v: int = 500
    min_voltage_v: int = 50
    max_current_a: int = 125
    weld_detection: bool = True
    lock_s: float = 2.0
    test_v: float = 500.0
    test_v_per_s: float = 105.0
    test_hold_s: float = 0.2
    bleed_v_per_s: float = 600.0
    insulation_good: bool = True
    d2_s: float = 0.2
    join_s: float = 0.4
    charging_s: float = 0.09
    farewell_s: float = 0.2
    slew: Slew = field(default_factory=Slew)
    max_discharge_a: int = 0
    min_input_v: int = 250
    period_s: float = PERIOD_S
    jitter_s: float = 0.0
    seed: int = 1
    delivers_a: float | None = None
    inrush_a: float = 0.0
    inrush_s: float = PERIOD_S
    early_a: float = 0.0

    @property
    def discharges(self) -> bool:
        """It can take power back (109.4.0)."""
        return self.max_discharge_a > 0


CAR_ZE1 = CarModel()
"""LEAF 40 kWh (ZE1 log)."""
CAR_ZE0 = CarModel(
    min_current_a=0,
    capacity_100wh=222,
    max_time_min=60,
    legacy_dynamic=True,
    can_on_s=0.065,
    enable_s=3.92,
    contactor_s=0.3,
    max_discharge_a=15,
)
"""LEAF 24 kWh with V2H (ZE0 log)."""
CHARGER_ZE0 = ChargerModel(
    max_current_a=15,
    lock_s=8.8,
    test_hold_s=1.0,
    test_v_per_s=2500.0,
    charging_s=0.52,
    slew=Slew(up_a_per_s=26.0, down_a_per_s=40.0, dead_on_s=0.53, dead_up_s=0.3, dead_down_s=0.33),
    max_discharge_a=15,
)
"""A V2X charger of 15 A (ZE0 log); rates and dead times are fitted to its output around a change of 108.3."""
