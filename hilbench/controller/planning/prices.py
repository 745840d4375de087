"""What energy and demand cost in the steps ahead: by a tariff and the site's calendar, and by what the grid says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np

from hilbench.controller.planning.model import Array, Mask
from hilbench.tariff import Schedule, Tariff

DemandKey = tuple[str, int, int, int]
"""One demand charge of one month: by time of use or flat, its period, year and month."""


Said = Callable[[float, str], float | None]
"""What signals say for a time (UTC [s]): PRICE, EXPORT_PRICE [1/kWh] or GHG [kg/kWh]; None where they say nothing."""


@dataclass(frozen=True)
class Demand:
    """A demand charge: ``rate`` [1/kW] on the steps that ``counts`` [step]."""

    key: DemandKey
    rate: float
    counts: Mask


@dataclass(frozen=True)
class Prices:
    """Energy [step, 1/kWh], and the demand charges that steps count for.

    ``export`` is what energy is paid that is fed in [step, 1/kWh]; None: as much as it costs.
    """

    energy: Array
    demand: tuple[Demand, ...]
    export: Array | None = None


def demand_keys(tariff: Tariff, local: datetime) -> list[DemandKey]:
    """The demand charges for which a moment counts."""
    month = (local.year, local.month)
    keys: list[DemandKey] = []
    if tariff.demand:
        keys.append(("time of use", _period(tariff.demand_weekday, tariff.demand_weekend, local), *month))
    if tariff.flat:
        keys.append(("flat", tariff.flat_months[local.month - 1], *month))
    return keys


def prices(tariff: Tariff, zone: ZoneInfo, start: float, step_s: float, steps: int) -> Prices:
    """The prices of ``steps`` from ``start`` (UTC [s]) on; of each step that of its middle counts.

    Only first tiers: which tier a month ends in is not known before its end.
    """
    local = [datetime.fromtimestamp(start + (k + 0.5) * step_s, UTC).astimezone(zone) for k in range(steps)]
    energy = [tariff.energy[_period(tariff.energy_weekday, tariff.energy_weekend, moment)][0].rate for moment in local]
    counts: dict[DemandKey, Mask] = {}
    for step, moment in enumerate(local):
        for key in demand_keys(tariff, moment):
            counts.setdefault(key, np.zeros(steps, dtype=bool))[step] = True
    demand = [Demand(key, _rate(tariff, key), mask) for key, mask in counts.items()]
    return Prices(np.array(energy), tuple(one for one in demand if one.rate > 0.0))


def signalled(cost: Prices, said: Said, ghg_weight: float, start: float, step_s: float) -> Prices:
    """The prices with what signals say for the middle of each step, and greenhouse gas at ``ghg_weight`` [1/kg].

    Where none says a price, that of ``cost`` stays; without any there either (0), the mean of those that are known
    counts: what is not known is not free. Unknown greenhouse gas is taken in the same way. What is fed in is paid as
    much as it costs where no signal says otherwise.
    """
    middles: Array = start + (np.arange(len(cost.energy), dtype=np.float64) + 0.5) * step_s
    price = _known(middles, said, "PRICE")
    energy = np.where(np.isnan(price), cost.energy if cost.energy.any() else _mean(price), price)
    gas = _known(middles, said, "GHG")
    weighed = ghg_weight * np.where(np.isnan(gas), _mean(gas), gas)
    paid = _known(middles, said, "EXPORT_PRICE")
    export = None if np.isnan(paid).all() else np.where(np.isnan(paid), energy, paid) + weighed
    return replace(cost, energy=energy + weighed, export=export)


def _known(at: Array, said: Said, kind: str) -> Array:
    """What signals say at each time, NaN where nothing."""
    found = [said(float(t), kind) for t in at]
    return np.array([np.nan if value is None else value for value in found])


def _mean(values: Array) -> float:
    """Of those that are known; 0 where none is."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else 0.0


def _rate(tariff: Tariff, key: DemandKey) -> float:
    return (tariff.flat if key[0] == "flat" else tariff.demand)[key[1]][0].rate


def _period(weekday: Schedule, weekend: Schedule, local: datetime) -> int:
    return (weekday if local.weekday() < 5 else weekend)[local.month - 1][local.hour]
