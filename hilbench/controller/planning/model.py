"""What a plan is made from, and what it is. Steps count from now; powers are means over a step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Car:
    """A car that is there, or is expected: it wants ``energy_kwh`` between the steps ``begins`` and ``until``.

    ``until`` is the first step at which it is gone. ``most_kw`` is what it and its station can take.

    One that can discharge gives up to ``discharge_kw``, as long as there is any of ``spare_kwh``, what it holds above
    its reserve now; ``space_kwh`` is what it can still take in. Of what goes in or out ``efficiency`` is left.
    """

    key: str
    until: int
    energy_kwh: float
    most_kw: float
    begins: int = 0
    discharge_kw: float = 0.0
    spare_kwh: float = 0.0
    space_kwh: float = 0.0
    efficiency: float = 0.95


@dataclass(frozen=True)
class Peak:
    """A demand charge: ``rate`` [1/kW] on the highest demand in the steps of ``counts``, beyond ``paid_kw``."""

    rate: float
    counts: Mask
    paid_kw: float = 0.0


def guarded(base_kw: Array, margin_kw: Array, peaks: Sequence[Peak]) -> Array:
    """The building [step, kW] as cars shall leave room beside: higher by a margin, where that raises no peak by itself.

    A peak that only the margin makes would look paid for, and cars would fill it up.
    """
    free = np.full(len(base_kw), np.inf)
    for peak in peaks:
        level = max(peak.paid_kw, float(base_kw[peak.counts].max(initial=0.0)))
        free = np.where(peak.counts, np.minimum(free, level), free)
    found: Array = np.maximum(base_kw, np.minimum(base_kw + margin_kw, free))
    return found


@dataclass(frozen=True)
class Problem:
    """Prices [step, 1/kWh], building load [step, kW] and room for cars [step, kW] over the horizon.

    ``groups`` are further limits: cars (by index) that share a feeder of so many kW. ``late_cost`` [1/kWh] is what
    energy that a car does not get is worth: far more than any tariff, so that nobody is left without to save money.
    The site may feed in ``export_kw``, paid like energy or with ``export_price`` [step, 1/kWh]; ``wear_cost`` [1/kWh]
    is what discharging costs a battery.
    """

    step_h: float
    price: Array
    base_kw: Array
    room_kw: Array
    cars: tuple[Car, ...]
    peaks: tuple[Peak, ...] = ()
    groups: tuple[tuple[tuple[int, ...], float], ...] = ()
    late_cost: float = 100.0
    export_kw: float = 0.0
    wear_cost: float = 0.05
    export_price: Array | None = None

    @property
    def steps(self) -> int:
        """Length of the horizon."""
        return len(self.price)


@dataclass(frozen=True)
class Plan:
    """Power [car, step] in kW (negative: discharged), what is not delivered [car] in kWh, and ``how`` it was found."""

    power_kw: Array
    short_kwh: Array
    how: str

    @property
    def total_kw(self) -> Array:
        """Sum over the cars [step]."""
        total: Array = self.power_kw.sum(axis=0)
        return total


@dataclass(frozen=True)
class Slots:
    """The (car, step) pairs in which a car is there, flattened: ``car`` and ``step`` of each, and its bound in kW."""

    car: NDArray[np.intp]
    step: NDArray[np.intp]
    most_kw: Array = field(repr=False)


def slots(problem: Problem, *, out: bool = False) -> Slots:
    """All pairs in which power can flow in; ``out``: those in which it can flow back."""
    most = np.array([one.discharge_kw if out else one.most_kw for one in problem.cars])
    pairs = [
        (index, step)
        for index, car in enumerate(problem.cars)
        for step in range(max(car.begins, 0), min(car.until, problem.steps))
        if not out or car.discharge_kw > 0.0
    ]
    car = np.array([index for index, _step in pairs], dtype=np.intp)
    step = np.array([step for _index, step in pairs], dtype=np.intp)
    return Slots(car, step, most[car] if len(car) else np.zeros(0))
