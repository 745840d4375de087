"""A station's outlet in the plant with the car in it, and what can be read of the plant: values without a clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from hilbench.site import Branch
from hilbench_emulators.onboard_charger import OnboardCharger
from hilbench_emulators.pilot import Change, Circuit, PilotHistory
from hilbench_emulators.pilot.circuit import LOAD_OF
from hilbench_emulators.pilot.wire import STEADY
from hilbench_emulators.vehicles import Vehicle

OnState = Callable[[str], None]
USUAL_SOC = 0.3
"""State of charge of a car of which nothing is said (policy-default)."""


@dataclass(frozen=True)
class NodeReading:
    """Truth at a node by line: RMS currents [A], voltages to neutral [V], active and reactive power [W, var].

    Power that flows into the site is positive.
    """

    currents: dict[str, float]
    voltages_v: dict[str, float]
    power_w: dict[str, float]
    reactive_var: dict[str, float]


@dataclass(frozen=True)
class StationReading:
    """Truth at a station: RMS current per line [A], voltage [V], power [W], energies [Wh], state of charge 0..1.

    ``power_w`` is negative while the car discharges; ``energy_wh`` counts what the car has taken, ``exported_wh``
    what it has given.
    """

    currents: dict[str, float]
    voltage_v: float
    power_w: float
    energy_wh: float
    soc: float | None
    exported_wh: float = 0.0


@dataclass
class Slot:
    """One station's outlet and the car in it.

    ``remaining_wh`` is what the battery can still take, at the station's meter; ``reserve_wh`` is that figure at the
    state of charge where the car stops to discharge, ``efficiency`` what of it comes back. ``wished_a`` is what the car
    of a DC station would draw from the grid.
    """

    row: int
    branch: Branch
    voltage_v: float
    charger: OnboardCharger | None = None
    on_state: OnState | None = None
    on_current: Callable[[], None] | None = None
    duty_pct: float | None = None
    contactor: bool = False
    remaining_wh: float = 0.0
    capacity_wh: float = 1.0
    taper_wh: float = 1.0
    reserve_wh: float = 0.0
    efficiency: float = 1.0
    two_way: bool = False
    version: int = 0
    lines: tuple[str, ...] = ()
    weights: tuple[float, ...] = ()
    circuit: Circuit = field(default_factory=Circuit)
    supplied: bool = True
    pilot_open: bool = False
    wished_a: float = 0.0
    on_pilot: Callable[[], None] | None = None
    wire: PilotHistory = field(default_factory=lambda: PilotHistory(Change(0.0)))

    @property
    def soc(self) -> float | None:
        """State of charge 0..1, None without a car."""
        return None if self.charger is None else 1.0 - self.remaining_wh / self.capacity_wh

    @property
    def room_wh(self) -> float:
        """What the car can give before it reaches its reserve, at the station's meter."""
        return max(self.reserve_wh - self.remaining_wh, 0.0) * self.efficiency

    def show(self, t: float, load: str | None = None) -> None:
        """Put on the wire what stands now: the station's duty cycle, its supply, and ``load`` if the car changes it."""
        duty = STEADY if self.duty_pct is None else self.duty_pct
        circuit = self.circuit if self.supplied else self.circuit.unpowered()
        if self.pilot_open:
            circuit = replace(circuit, cable=replace(circuit.cable, broken=True))
        # in real time a timer may be late: what it does then comes after what has been said meanwhile
        self.wire.update(max(t, self.wire.last.t), None if load is None else LOAD_OF[load], duty, circuit)

    def fill(self, model: Vehicle, energy_kwh: float | None, soc: float | None) -> None:
        """Begin with the battery of a car that is at ``soc``, or that lacks ``energy_kwh`` to be full."""
        self.capacity_wh = model.battery_kwh * 1000.0
        if energy_kwh is None or (soc is not None and model.discharge is not None):
            wanted = (1.0 - (USUAL_SOC if soc is None else soc)) * self.capacity_wh
        else:
            wanted = energy_kwh * 1000.0
        self.capacity_wh = max(self.capacity_wh, wanted)
        self.remaining_wh = wanted
        self.taper_wh = (1.0 - model.taper_soc) * self.capacity_wh
        self.two_way = model.discharge is not None
        if model.discharge is not None:
            self.reserve_wh = (1.0 - model.discharge.min_soc) * self.capacity_wh
            self.efficiency = model.discharge.efficiency

    def take(self, wh: float) -> None:
        """Count energy at the meter into the battery; negative: out of it, with what is lost on the way."""
        if wh >= 0.0:
            self.remaining_wh = max(self.remaining_wh - wh, 0.0)
        else:
            self.remaining_wh -= wh / self.efficiency

    def most_a(self) -> float:
        """Largest current [A per phase] that the car draws here."""
        assert self.charger is not None
        return self.charger.response.drawn_a(self.charger.max_a)

    def taper_limit_a(self) -> float:
        """What the battery lets the car draw now [A per phase]."""
        return self.most_a() * min(1.0, self.remaining_wh / self.taper_wh)

    def wish_a(self) -> float:
        """What the car would draw if it were offered everything: less while its battery limits it."""
        return self.wished_a if self.charger is None else min(self.charger.unmanaged_a(), self.taper_limit_a())
