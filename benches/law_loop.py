"""The closed loop that every law is in: emulated plant, cars, meter and outlets in virtual time, one step a second."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benches.law_models import MINIMUM_A, STATION_A, Law, Offers, View, equal_shares
from hilbench import clock
from hilbench.metrics.exposure import exposure
from hilbench.metrics.polyline import Polyline, between, total
from hilbench.signals import Record, line_current
from hilbench.site import Branch, Service, Site
from hilbench_emulators.building import BuildingLoad
from hilbench_emulators.ct import CtChain, CtSettings
from hilbench_emulators.curves import Polyline as Curve
from hilbench_emulators.plant import Plant
from hilbench_emulators.vehicles import Vehicle

CAR_A, DEAD_TIME_S, SLEW_A_PER_S, START_S = 20.0, 3.0, 4.0, 8.0
"""The car of the seed experiment: what it can take, and how late and how fast it follows its pilot (policy-default)."""
HANDOVER_S = 60.0
"""So long cars have their feasible current before the law takes over: it begins in a steady state."""
WARM_S = 720.0
"""And from then on it has time to settle, before the base load does anything; a multiple of all cycles."""
TOLERANCE_A = 0.2
"""Time above a limit counts from so much above it: two steps of the meter (policy)."""
CONVENTIONAL = 1.13
"""Non-tripping current of a circuit breaker as a multiple of its rating (IEC 60898-1 Table 7, recalled)."""
METER = CtChain(CtSettings(accuracy_class="1", rated_a=60.0, resolution_a=0.1))

CAR = Vehicle.model_validate(
    {
        "name": "law-bench",
        "title": "20 A on one phase",
        "battery_kwh": 1000.0,
        "start_delay_s": START_S,
        "dead_time_s": DEAD_TIME_S,
        "slew_a_per_s": SLEW_A_PER_S,
        "timing_source": "the seed experiment (policy-default)",
        "battery_source": "so large that it never limits",
        "response": (
            {"phases": 1, "points": ((6.0, 6.0, 1.0), (CAR_A, CAR_A, 1.0), (80.0, CAR_A, 1.0)), "source": "seed"},
        ),
    }
)


@dataclass(frozen=True)
class Scene:
    """``base`` is (from when [s], amperes) of the building, ``meter_s`` the interval of the meter's samples."""

    name: str
    meter_s: float
    limit_a: float
    base: tuple[tuple[float, float], ...]
    cars: int = 1
    length_s: float = 660.0

    @property
    def site(self) -> Site:
        """One line; the limit is both the rating of the service and its budget."""
        service = Service(rating_a=self.limit_a, voltage_v=230.0, wiring="single-phase")
        branches = tuple(
            Branch(role=f"s{k}", branch_a=40.0, max_a=STATION_A, connection="L1-N") for k in range(self.cars)
        )
        return Site(name=self.name, service=service, budget_a=self.limit_a, branches=branches)

    def feasible_a(self, base_a: float) -> float:
        """What all cars could draw together beside ``base_a``, from the first instant, knowing everything."""
        room = min(self.limit_a - base_a, CAR_A * self.cars)
        return room if room >= MINIMUM_A else 0.0


@dataclass(frozen=True)
class Outcome:
    """What a law did in a scene. ``clear_s`` is the longest uninterrupted stay above the limit.

    ``useful_kwh`` is what the cars took without what was above the feasible current at that time.
    """

    clear_s: float
    above_s: float
    above_113_s: float
    ampere_s: float
    restarts: float
    delivered_kwh: float
    useful_kwh: float
    feasible_kwh: float


class Outlet:
    """A station: it puts the offer on the pilot. A paused car begins ``START_S`` after the next offer."""

    def __init__(self, plant: Plant, role: str) -> None:
        self._plant, self._role, self._timer = plant, role, asyncio.get_running_loop().call_soon(lambda: None)
        self.offers: list[tuple[float, float]] = []

    def plug(self, amps: float) -> None:
        """A car comes that never gets full."""
        self.offer(amps)
        self._plant.plug_in(self._role, CAR, energy_kwh=900.0, on_state=lambda state: self._contactor(state == "C"))

    def offer(self, amps: float) -> None:
        """From now on ``amps``; below the minimum: a pause."""
        was, now = self.offers[-1][1] if self.offers else 0.0, amps if amps >= MINIMUM_A else 0.0
        if now == was:
            return
        self.offers.append((clock.time(), now))
        self._plant.set_pilot(self._role, now / 0.6 if now else None)
        if not now or not was:
            self._timer.cancel()
            self._timer = asyncio.get_running_loop().call_later(
                START_S - DEAD_TIME_S if now else START_S, self._contactor, bool(now)
            )

    def _contactor(self, closed: bool) -> None:
        self._plant.set_contactor(self._role, closed and self._plant.pilot_state(self._role) == "C")

    def restarts(self, since: float) -> int:
        """How often a pause ended."""
        pairs = zip(self.offers, self.offers[1:], strict=False)
        return sum(t >= since and not before and amps > 0 for (_, before), (t, amps) in pairs)


@dataclass(frozen=True)
class Played:
    """A run: what was recorded, the outlets, and when the scene began."""

    record: Record
    outlets: list[Outlet]
    zero: float

    def line(self, name: str, scene: Scene) -> Polyline:
        """A signal over the scene, which begins at 0."""
        t, v = self.record.signals[name].polyline(self.zero, self.zero + scene.length_s)
        return t - self.zero, v


def corners(scene: Scene, zero: float) -> tuple[list[float], list[float]]:
    """The building's current over time, its first value from the beginning."""
    times, amps = [0.0], [scene.base[0][1]]
    for t, value in scene.base[1:]:
        times += [zero + t, zero + t]
        amps += [amps[-1], value]
    return times, amps


async def _play(make: Callable[[Scene, Offers], Law], scene: Scene, offset_s: float) -> Played:
    zero, record = WARM_S + offset_s, Record()
    plant = Plant(scene.site, record)
    plant.set_base_load(BuildingLoad(Curve(*corners(scene, zero)), scene.site.service, power_factor=1.0))
    outlets = [Outlet(plant, branch.role) for branch in scene.site.branches]
    offers = equal_shares(scene.feasible_a(scene.base[0][1]), scene.cars)
    for outlet, amps in zip(outlets, offers, strict=True):
        outlet.plug(amps)
    await clock.sleep_until(HANDOVER_S)
    law, meter_a = make(scene, offers), 0.0
    while (t := clock.time()) < zero + scene.length_s:
        fresh = t % scene.meter_s == 0.0
        meter_a = METER.reading_a(plant.reading("service").currents["L1"]) if fresh else meter_a
        drawn = tuple(plant.station_reading(branch.role).currents["L1"] for branch in scene.site.branches)
        for outlet, amps in zip(outlets, law.step(View(t, scene.limit_a, meter_a, fresh, drawn)), strict=True):
            outlet.offer(amps)
        await clock.sleep_until(t + 1.0)
    plant.stop()
    return Played(record, outlets, zero)


def play(make: Callable[[Scene, Offers], Law], scene: Scene, offset_s: float = 0.5) -> Played:
    """One run; ``offset_s`` is how far the scene lies behind the grids of the law and the meter."""
    return clock.run(_play(make, scene, offset_s))


def feasible(scene: Scene) -> Polyline:
    """The feasible current over the scene, which begins at 0."""
    t, amps = Curve(*corners(scene, 0.0)).corners
    line = t, amps[:, 0] * 0.0 + [scene.feasible_a(value) for value in amps[:, 0].tolist()]
    return between(line, 0.0, scene.length_s)


def kwh(scene: Scene, ampere_s: float) -> float:
    """Energy of a charge at the service's voltage."""
    return ampere_s * scene.site.service.voltage_v / 3.6e6


def outcome(scene: Scene, played: Played) -> Outcome:
    """The figures of one run, from the true currents."""
    site_a, room = played.line(line_current("service", "L1"), scene), feasible(scene)
    cars = total(*(played.line(line_current(branch.role, "L1"), scene) for branch in scene.site.branches))
    above = exposure(site_a, scene.limit_a, TOLERANCE_A)
    possible = exposure(room, 0.0).ampere_seconds
    return Outcome(
        clear_s=above.longest_s,
        above_s=above.time_above_s,
        above_113_s=exposure(site_a, CONVENTIONAL * scene.limit_a).time_above_s,
        ampere_s=above.ampere_seconds,
        restarts=sum(outlet.restarts(played.zero) for outlet in played.outlets),
        delivered_kwh=kwh(scene, exposure(cars, 0.0).ampere_seconds),
        useful_kwh=kwh(scene, possible - exposure(room, cars).ampere_seconds),
        feasible_kwh=kwh(scene, possible),
    )


def mean(outcomes: Sequence[Outcome]) -> Outcome:
    """Every figure's mean."""
    rows = [vars(one) for one in outcomes]
    return Outcome(**{name: sum(row[name] for row in rows) / len(rows) for name in rows[0]})
