"""A toy site for the controller's core: cars, base load and meter in a few lines, stepped once a second by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hilbench.controller.core import Core, Setpoint
from hilbench.controller.settings import ControllerSettings
from hilbench.controller.watch import MeterSample
from hilbench.site import Branch, Feeder, Service, Site

CONNECTIONS = {"single-phase": "L1-N", "split-phase": "L1-L2", "three-phase": "L1-L2-L3"}


def site(
    count: int,
    budget_a: float = 80.0,
    *,
    rating_a: float | None = None,
    wiring: str = "single-phase",
    fallback_a: float = 0.0,
    connections: tuple[str, ...] = (),
    priorities: tuple[int, ...] = (),
    weights: tuple[float, ...] = (),
    guaranteed: tuple[float, ...] = (),
    worst_base_a: float = 0.0,
    contract_kw: float | None = None,
    unbalance_a: float | None = None,
    feeders: tuple[Feeder, ...] = (),
    feeder_of: tuple[str, ...] = (),
    dc: tuple[int, ...] = (),
) -> Site:
    """``count`` stations of 32 A called s0, s1, ... behind one service; those numbered in ``dc`` charge with DC."""
    branches = tuple(
        Branch(
            role=f"s{k}",
            feeder=feeder_of[k] if feeder_of else "service",
            branch_a=40,
            max_a=32,
            connection=connections[k] if connections else CONNECTIONS[wiring],
            fallback_a=fallback_a,
            priority=priorities[k] if priorities else 0,
            weight=weights[k] if weights else 1.0,
            guaranteed_a=guaranteed[k] if guaranteed else 0.0,
            kind="dc" if k in dc else "ac",
        )
        for k in range(count)
    )
    volts = {"single-phase": 230.0, "split-phase": 240.0, "three-phase": 400.0}[wiring]
    service = Service.model_validate({"rating_a": rating_a or 1.25 * budget_a, "voltage_v": volts, "wiring": wiring})
    return Site(
        name="toy",
        service=service,
        budget_a=budget_a,
        worst_base_a=worst_base_a,
        contract_kw=contract_kw,
        unbalance_a=unbalance_a,
        feeders=feeders,
        branches=branches,
    )


@dataclass
class Car:
    """What stands in a station: it draws the least of demand and grant, or ``stubborn_a`` whatever it is told."""

    demand_a: float = 0.0
    phases: int = 3
    stubborn_a: float | None = None
    least_a: float = 6.0
    drawn_a: float = 0.0
    heard: list[float] = field(default_factory=lambda: [0.0, 0.0])

    def step(self, granted_a: float) -> None:
        """One second: it answers after two of them, by at most 8 A down or 4 A up."""
        self.heard.append(granted_a if granted_a >= self.least_a else 0.0)
        aim = min(self.demand_a, self.heard.pop(0)) if self.stubborn_a is None else self.stubborn_a
        self.drawn_a += max(-8.0, min(4.0, aim - self.drawn_a))


class Toy:
    """The core in a closed loop. Stations obey, renew and fall back as OCPP ones do; ``deaf`` ones cannot be told.

    Those in ``sums`` report one current without a phase, the sum of all.
    """

    def __init__(
        self,
        place: Site,
        settings: ControllerSettings | None = None,
        base_a: float = 0.0,
        law: Callable[[Site, ControllerSettings, float], Core] = Core,
    ) -> None:
        self.site = place
        self.settings = settings or ControllerSettings()
        self.t = 0.0
        self.number = 0
        self.base_a = dict.fromkeys(place.lines, base_a)
        self.cars = {branch.role: Car() for branch in place.branches}
        self.granted = {branch.role: branch.fallback_a for branch in place.branches}
        self.lease_until = dict.fromkeys(self.granted, math.inf)
        self.deaf: set[str] = set()
        self.silent: set[str] = set()
        self.sums: set[str] = set()
        self.changes: list[tuple[float, Setpoint]] = []
        self.totals: list[float] = []
        self.core = law(place, self.settings, self.t)

    def connect(self, *roles: str) -> None:
        """Stations come up with their fallback in force and nobody there."""
        for role in roles or tuple(self.granted):
            self.core.confirmed(role, self.t, self.site.branch(role).fallback_a, math.inf)
            self.core.online(role, self.t)
            self.core.status(role, self.t, "Available")

    def plug(self, *roles: str, demand_a: float = 32.0, phases: int = 3, stubborn_a: float | None = None) -> None:
        """Cars arrive."""
        for role in roles:
            self.cars[role] = Car(demand_a, phases, stubborn_a, self.site.branch(role).minimum_a)
            self.core.status(role, self.t, "Preparing")
            self.core.status(role, self.t, "Charging")

    def unplug(self, *roles: str) -> None:
        """Cars leave."""
        for role in roles:
            self.cars[role] = Car()
            self.core.status(role, self.t, "Available")

    def drawn(self, line: str) -> float:
        """Current of all cars in a line of the service."""
        total = 0j
        for branch in self.site.branches:
            car = self.cars[branch.role]
            total += self.site.unit_currents(branch, car.phases).get(line, 0j) * car.drawn_a
        return abs(total)

    def measured(self) -> dict[str, float]:
        """What a perfect meter shows."""
        return {line: base + self.drawn(line) for line, base in self.base_a.items()}

    def sample(self, **overrides: float) -> MeterSample:
        """A good sample of now; ``currents``, ``voltages`` or ``powers`` given are those of every line."""
        self.number += 1
        amps = self.measured()
        powers = {line: self.site.service.line_to_neutral_v * value for line, value in amps.items()}
        found = {"currents": amps, "voltages": dict.fromkeys(amps, 230.0), "powers": powers}
        found |= {name: dict.fromkeys(amps, value) for name, value in overrides.items()}
        return MeterSample(self.t, self.number, **found, raw=(self.number,))

    def advance(self) -> None:
        """One second of cars, leases and reports, without meter or decision."""
        self.t += 1.0
        for role, car in self.cars.items():
            if self.t > self.lease_until[role]:
                self.granted[role], self.lease_until[role] = self.site.branch(role).fallback_a, math.inf
            car.step(self.granted[role])
            if self.t % 15 == 0 and role not in self.silent and self.core.stations[role].online:
                lines = [f"L{k + 1}" for k in range(min(car.phases, len(self.site.branch(role).lines)))]
                whole = {"": car.drawn_a * len(lines)}
                self.core.report(role, self.t, whole if role in self.sums else dict.fromkeys(lines, car.drawn_a))
        self.totals.append(max(self.measured().values()))

    def decide(self) -> list[Setpoint]:
        """A decision; stations that hear it confirm at once. Leases of those that charge are renewed every 15 s."""
        changes = self.core.decide(self.t)
        self.changes += [(self.t, change) for change in changes]
        for role, limit in changes:
            self.tell(role, limit)
        for role, station in self.core.stations.items():
            if self.t % 15 == 0 and station.wants:
                self.tell(role, station.target_a)
        return changes

    def tell(self, role: str, limit_a: float) -> None:
        """A limit on its way to a station."""
        if role not in self.deaf and self.core.stations[role].online:
            self.granted[role], self.lease_until[role] = limit_a, self.t + self.settings.lease_s
            self.core.confirmed(role, self.t, limit_a, self.settings.lease_s)

    def run(self, seconds: int, meter: bool = True) -> None:
        """Seconds with a sample and a decision in each; without ``meter`` it stays silent."""
        for _ in range(seconds):
            self.advance()
            if meter:
                self.core.meter(self.sample())
            self.decide()

    def targets(self) -> dict[str, float]:
        """What every station is wanted to have."""
        return {role: station.target_a for role, station in self.core.stations.items()}


def toy(
    count: int,
    budget_a: float = 80.0,
    *,
    cars: int | None = None,
    base_a: float = 0.0,
    settings: ControllerSettings | None = None,
    law: Callable[[Site, ControllerSettings, float], Core] = Core,
    **options: Any,
) -> Toy:
    """A toy with everybody connected and ``cars`` (default: all) plugged in after five quiet seconds.

    ``options`` are those of :func:`site`.
    """
    made = Toy(site(count, budget_a, **options), settings, base_a, law)
    made.connect()
    made.run(5)
    made.plug(*[f"s{k}" for k in range(count if cars is None else cars)])
    return made
