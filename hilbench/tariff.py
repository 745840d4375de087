"""Electricity tariffs in the JSON form of the OpenEI Utility Rate Database (URDB), as data.

What the form leaves open is decided here and said: rates are ``rate`` + ``adj``; tiers are in kWh (energy) or kW
(demand) and anything else is an error; period numbers count from 0; schedules are 12 months by 24 hours of local time
without holidays, so the reader of a tariff must bring a time zone; keys are read in any case, since files differ in
theirs. (REopt.jl, src/core/urdb.jl, and LBNL elecprice; read-code.)
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hilbench.errors import InputError, Problem

Schedule = tuple[tuple[int, ...], ...]
"""Period by month (12) and hour (24)."""
_ALL_DAY: Schedule = ((0,) * 24,) * 12
_FIXED_DAYS = {"$/day": 1.0, "$/month": 0.0, "$/year": 1.0 / 365.0}


@dataclass(frozen=True)
class Tier:
    """A price [1/kWh or 1/kW] up to ``upto`` (kWh in a month, or kW); ``sell`` is paid for export [1/kWh]."""

    rate: float
    upto: float = math.inf
    sell: float = 0.0


Period = tuple[Tier, ...]


@dataclass(frozen=True)
class Tariff:
    """What a month costs. ``energy`` and ``demand`` are by time of use, ``flat`` is on the month's highest demand.

    Demand is the mean over ``window_min`` minutes. ``ratchet``: the flat demand of a month is at least this share of
    the highest one in the ``ratchet_range`` months before it, or in those of ``ratchet_months`` (one flag per calendar
    month). ``fixed_per_day`` and ``fixed_per_month`` come on top. Currency is the file's.
    """

    name: str
    energy: tuple[Period, ...]
    energy_weekday: Schedule = _ALL_DAY
    energy_weekend: Schedule = _ALL_DAY
    demand: tuple[Period, ...] = ()
    demand_weekday: Schedule = _ALL_DAY
    demand_weekend: Schedule = _ALL_DAY
    flat: tuple[Period, ...] = ()
    flat_months: tuple[int, ...] = (0,) * 12
    window_min: int = 15
    ratchet: float = 0.0
    ratchet_months: tuple[bool, ...] = (False,) * 12
    ratchet_range: int = 0
    fixed_per_day: float = 0.0
    fixed_per_month: float = 0.0
    ignored: tuple[str, ...] = ()


def read_tariff(path: Path) -> Tariff:
    """The tariff of a URDB JSON file: one tariff, or an API answer with one in ``items``.

    Raises ``InputError`` with every problem of the file, by key.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise InputError(str(path), f"is no JSON that can be read: {error}") from None
    if isinstance(data, dict) and isinstance(data.get("items"), list) and len(data["items"]) == 1:
        data = data["items"][0]
    if not isinstance(data, dict):
        raise InputError(str(path), "holds no tariff; give one object with energyratestructure")
    reader = _Reader({str(key).lower(): value for key, value in data.items()})
    tariff = reader.tariff(path.stem)
    if reader.problems:
        raise InputError(str(path), reader.problems)
    return tariff


class _Reader:
    """Reads keys of one file and collects what is wrong with them."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.data = data
        self.problems: list[Problem] = []

    def wrong(self, key: str, what: str, remedy: str) -> None:
        self.problems.append(Problem(key, what, remedy))

    def tariff(self, name: str) -> Tariff:
        energy = self.periods("energyratestructure", ("kwh",))
        demand = self.periods("demandratestructure", ("kw",))
        flat = self.periods("flatdemandstructure", ("kw",))
        if not energy and not self.problems:
            self.wrong("energyratestructure", "is missing", "a tariff needs a price of energy")
        days, fixed = self.fixed()
        return Tariff(
            name=str(self.data.get("name", name)),
            energy=energy,
            energy_weekday=self.schedule("energyweekdayschedule", len(energy)),
            energy_weekend=self.schedule("energyweekendschedule", len(energy)),
            demand=demand,
            demand_weekday=self.schedule("demandweekdayschedule", len(demand)),
            demand_weekend=self.schedule("demandweekendschedule", len(demand)),
            flat=flat,
            flat_months=self.row("flatdemandmonths", self.data.get("flatdemandmonths", [0] * 12), 12, len(flat)),
            window_min=int(self.number("demandwindow", 15.0)),
            ratchet=self.number("demandlookbackpercent", 0.0) / self.percent(),
            ratchet_months=tuple(bool(flag) for flag in self.flags("demandlookbackmonths")),
            ratchet_range=int(self.number("demandlookbackrange", 0.0)),
            fixed_per_day=days,
            fixed_per_month=fixed,
            ignored=tuple(sorted(key for key in self.data if key.startswith(("pdp_", "extra", "coincident")))),
        )

    def percent(self) -> float:
        """Files give the ratchet as 0.5 or as 50."""
        return 100.0 if self.number("demandlookbackpercent", 0.0) > 1.0 else 1.0

    def number(self, key: str, default: float) -> float:
        value = self.data.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
            self.wrong(key, f"is {value!r}", "give a number that is not negative")
            return default
        return float(value)

    def flags(self, key: str) -> Sequence[Any]:
        value = self.data.get(key, [0] * 12)
        if not isinstance(value, list) or len(value) != 12 or any(flag not in (0, 1) for flag in value):
            self.wrong(key, f"is {value!r}", "give 0 or 1 for each of the 12 months")
            return [0] * 12
        return value

    def fixed(self) -> tuple[float, float]:
        """The fixed charge per day and per month."""
        amount = self.number("fixedchargefirstmeter", 0.0) or self.number("fixedmonthlycharge", 0.0)
        unit = self.data.get("fixedchargeunits", "$/month")
        if unit not in _FIXED_DAYS:
            self.wrong("fixedchargeunits", f"is {unit!r}", f"known: {', '.join(_FIXED_DAYS)}")
            return 0.0, 0.0
        per_day = amount * _FIXED_DAYS[unit]
        return per_day, 0.0 if per_day else amount

    def periods(self, key: str, units: Sequence[str]) -> tuple[Period, ...]:
        """Periods of tiers; an absent key has none."""
        value = self.data.get(key) or []
        if not isinstance(value, list) or not all(isinstance(tiers, list) and tiers for tiers in value):
            self.wrong(key, "is no list of periods with a tier each", "see openei.org/services/doc/rest/util_rates")
            return ()
        return tuple(self.tiers(f"{key}[{number}]", tiers, units) for number, tiers in enumerate(value))

    def tiers(self, key: str, value: Sequence[Any], units: Sequence[str]) -> Period:
        found: list[Tier] = []
        for number, tier in enumerate(value):
            place = f"{key}[{number}]"
            if not isinstance(tier, dict):
                self.wrong(place, f"is {tier!r}", "give an object with rate")
                continue
            unit = str(tier.get("unit", units[0])).lower()
            if unit not in units:
                self.wrong(f"{place}.unit", f"is {tier['unit']!r}", f"only tiers in {units[0]} can be calculated")
            found.append(self.tier(place, tier))
        bounds = [tier.upto for tier in found]
        if bounds != sorted(set(bounds)):
            self.wrong(key, f"has tiers up to {bounds}", "each tier must go further than the one before it")
        return tuple(found)

    def tier(self, place: str, tier: Mapping[str, Any]) -> Tier:
        def amount(name: str, default: float) -> float:
            value = tier.get(name, default)
            if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
                self.wrong(f"{place}.{name}", f"is {value!r}", "give a number")
                return default
            return float(value)

        return Tier(amount("rate", 0.0) + amount("adj", 0.0), amount("max", math.inf), amount("sell", 0.0))

    def schedule(self, key: str, periods: int) -> Schedule:
        """12 rows of 24 periods; an absent one is period 0 all the time."""
        value = self.data.get(key)
        if value is None:
            return _ALL_DAY
        if not isinstance(value, list) or len(value) != 12:
            self.wrong(key, f"has {_length(value)} rows", "give 12, January first")
            return _ALL_DAY
        return tuple(self.row(f"{key}[{month}]", hours, 24, periods) for month, hours in enumerate(value))

    def row(self, key: str, value: Any, length: int, periods: int) -> tuple[int, ...]:
        good: Callable[[Any], bool] = lambda p: type(p) is int and 0 <= p < max(periods, 1)  # noqa: E731 - one use
        if not isinstance(value, list) or len(value) != length:
            self.wrong(key, f"has {_length(value)} values", f"give {length}")
        elif not all(map(good, value)):
            bad = next(period for period in value if not good(period))
            self.wrong(key, f"names period {bad!r}", f"there are {periods}, counted from 0")
        else:
            return tuple(value)
        return (0,) * length


def _length(value: Any) -> str:
    return str(len(value)) if isinstance(value, list) else "no"
