"""What a load costs by a tariff: energy by time of use, demand by time of use, the month's highest demand, fixed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from hilbench.tariff import Period, Schedule, Tariff

Array = NDArray[np.float64]
Ints = NDArray[np.intp]


@dataclass(frozen=True)
class Bill:
    """Sums over the whole load in the tariff's currency; ``peak_kw`` is the highest demand of all months."""

    energy: float
    time_of_use_demand: float
    flat_demand: float
    fixed: float
    peak_kw: float

    @property
    def total(self) -> float:
        """All of it."""
        return self.energy + self.time_of_use_demand + self.flat_demand + self.fixed


@dataclass(frozen=True)
class Calendar:
    """Local time of every step [step]: month counted from year 0, hour, and whether it is a weekend."""

    month: Ints
    hour: Ints
    weekend: NDArray[np.bool_]

    @property
    def of_year(self) -> Ints:
        """Month of the year, 0 to 11."""
        found: Ints = self.month % 12
        return found


def calendar(start: datetime, step_s: float, count: int, zone: ZoneInfo) -> Calendar:
    """The calendar of ``count`` steps from ``start`` (aware) on, in ``zone``."""
    begin = start.astimezone(UTC)  # arithmetic on local time would skip no hour
    local = [(begin + timedelta(seconds=step_s * number)).astimezone(zone) for number in range(count)]
    month = np.array([moment.year * 12 + moment.month - 1 for moment in local], dtype=np.intp)
    hour = np.array([moment.hour for moment in local], dtype=np.intp)
    return Calendar(month, hour, np.array([moment.weekday() >= 5 for moment in local], dtype=bool))


def periods(when: Calendar, weekday: Schedule, weekend: Schedule) -> Ints:
    """Number of the tariff's period at every step."""
    table = np.array([weekday, weekend], dtype=np.intp)
    found: Ints = table[when.weekend.astype(np.intp), when.of_year, when.hour]
    return found


def bill(
    tariff: Tariff, start: datetime, step_s: float, load_kw: Array, zone: ZoneInfo, past_peaks_kw: Sequence[float] = ()
) -> Bill:
    """The bill of ``load_kw`` [step] (means over steps of ``step_s``, which must divide the demand's window).

    ``past_peaks_kw`` are the highest demands of the months before the first one, last one last, for a ratchet. Export
    (negative load) is paid by the tier's ``sell``. Raises ``ValueError`` for steps that do not divide the window.
    """
    when = calendar(start, step_s, len(load_kw), zone)
    demand = _demand(load_kw, step_s, tariff.window_min)
    peaks = list(past_peaks_kw)
    energy = tou = flat = fixed = 0.0
    for month in np.unique(when.month):
        inside = when.month == month
        days = inside.sum() * step_s / 86_400.0
        energy += _energy(tariff, when, inside, load_kw * step_s / 3600.0)
        tou += _time_of_use(tariff, when, inside, demand)
        peak = float(demand[inside].max())
        flat += _flat(tariff, int(month) % 12, max(peak, tariff.ratchet * _remembered(tariff, int(month), peaks)))
        fixed += tariff.fixed_per_day * days + tariff.fixed_per_month
        peaks.append(peak)
    return Bill(energy, tou, flat, fixed, float(demand.max()))


def _demand(load_kw: Array, step_s: float, window_min: int) -> Array:
    """Mean of the window that each step lies in, windows counted from the first step."""
    per_window = window_min * 60.0 / step_s
    width = round(per_window)
    if width < 1 or abs(per_window - width) > 1e-9:
        raise ValueError(f"steps of {step_s:g} s do not divide a window of {window_min} minutes")
    firsts = np.arange(0, len(load_kw), width)
    means = np.add.reduceat(load_kw, firsts) / np.diff(np.append(firsts, len(load_kw)))
    demand: Array = np.repeat(means, width)[: len(load_kw)]
    return demand


def _energy(tariff: Tariff, when: Calendar, inside: NDArray[np.bool_], kwh: Array) -> float:
    number = periods(when, tariff.energy_weekday, tariff.energy_weekend)
    total = 0.0
    for index, period in enumerate(tariff.energy):
        mine = kwh[inside & (number == index)]
        total += _tiered(period, float(mine[mine > 0].sum())) + period[0].sell * float(mine[mine < 0].sum())
    return total


def _time_of_use(tariff: Tariff, when: Calendar, inside: NDArray[np.bool_], demand: Array) -> float:
    number = periods(when, tariff.demand_weekday, tariff.demand_weekend)
    total = 0.0
    for index, period in enumerate(tariff.demand):
        mine = demand[inside & (number == index)]
        total += _tiered(period, max(float(mine.max()), 0.0)) if len(mine) else 0.0
    return total


def _flat(tariff: Tariff, month: int, peak_kw: float) -> float:
    return _tiered(tariff.flat[tariff.flat_months[month]], max(peak_kw, 0.0)) if tariff.flat else 0.0


def _remembered(tariff: Tariff, month: int, peaks: Sequence[float]) -> float:
    """The highest demand that the ratchet still sees before ``month``."""
    seen = [
        peak
        for ago, peak in enumerate(reversed(peaks), start=1)
        if ago <= tariff.ratchet_range or (ago < 12 and tariff.ratchet_months[(month - ago) % 12])
    ]
    return max(seen, default=0.0)


def _tiered(period: Period, amount: float) -> float:
    """Price of ``amount``, tier by tier."""
    total, below = 0.0, 0.0
    for tier in period:
        total += tier.rate * max(min(amount, tier.upto) - below, 0.0)
        below = tier.upto
    return total
