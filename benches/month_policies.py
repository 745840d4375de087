"""Ways to charge a month of cars: all at once, by deadline, by laxity, with hindsight, and by our plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np

from benches.month import DAY, STEP_H, STEP_MIN, Array, Ints, Month
from hilbench.controller.planning import Car, Peak, Problem, plan
from hilbench.controller.planning.forecast import Forecast, surprise_kw
from hilbench.controller.planning.model import Mask, guarded
from hilbench.metrics.bill import calendar, periods
from hilbench.tariff import Tariff

Rank = Callable[[Month, int, Ints, Array], Array]
"""Who comes first at a step: sessions by rising rank."""


@dataclass(frozen=True)
class Run:
    """What was delivered to each session [kWh], and the stations' load [step, kW]."""

    name: str
    delivered_kwh: Array
    cars_kw: Array
    how: str = ""


class Network:
    """The feeders of the garage: how much one more station may draw beside what others do."""

    def __init__(self, month: Month) -> None:
        site = month.site
        rows = [(node, line) for node in site.nodes if node.id != "service" for line in site.lines]
        self.limit = np.array([node.limit_a for node, _line in rows])
        self.unit = np.zeros((len(rows), len(site.branches)), dtype=complex)
        for column, branch in enumerate(site.branches):
            above = set(site.path(branch.feeder))
            for line, unit in site.unit_currents(branch).items():
                for row, (node, its_line) in enumerate(rows):
                    if node.id in above and its_line == line:
                        self.unit[row, column] = unit

    def room_a(self, drawn: Array, column: int, wanted: float) -> float:
        """The most that one station can add to what all draw [A], found by halving (sums grow with it)."""
        fixed, unit = self.unit @ drawn, self.unit[:, column]
        if (np.abs(fixed + unit * wanted) <= self.limit + 1e-9).all():
            return wanted
        low, high = 0.0, wanted
        for _ in range(20):
            middle = (low + high) / 2.0
            fits = bool((np.abs(fixed + unit * middle) <= self.limit + 1e-9).all())
            low, high = (middle, high) if fits else (low, middle)
        return low


def uncontrolled(month: Month) -> Run:
    """Every car takes all that its station gives."""
    left, cars = month.energy_kwh.copy(), np.zeros(month.steps)
    for step in range(month.steps):
        here = month.present(step)
        got = np.minimum(month.most_kw * STEP_H, left[here])
        left[here] -= got
        cars[step] = got.sum() / STEP_H
    return Run("uncontrolled", month.energy_kwh - left, cars)


def sorted_by(name: str, rank: Rank, month: Month) -> Run:
    """One after the other, each all that still fits."""
    network, most_a = Network(month), month.site.branches[0].max_a
    left, cars = month.energy_kwh.copy(), np.zeros(month.steps)
    for step in range(month.steps):
        here = month.present(step)
        here = here[left[here] > 1e-6]
        drawn = np.zeros(len(month.site.branches))
        for session in here[np.argsort(rank(month, step, here, left[here]), kind="stable")]:
            wanted = min(most_a, left[session] / STEP_H * 1000.0 / month.volts)
            drawn[month.column[session]] = network.room_a(drawn, int(month.column[session]), wanted)
        got = drawn[month.column[here]] * month.volts / 1000.0 * STEP_H
        left[here] = np.maximum(left[here] - got, 0.0)
        cars[step] = got.sum() / STEP_H
    return Run(name, month.energy_kwh - left, cars)


def edf(month: Month) -> Run:
    """Earliest deadline first."""
    return sorted_by("EDF", lambda m, _step, here, _left: m.until[here].astype(float), month)


def llf(month: Month) -> Run:
    """Least laxity first."""

    def rank(m: Month, step: int, here: Ints, left: Array) -> Array:
        laxity: Array = m.until[here] - step - left / (m.most_kw * STEP_H)
        return laxity

    return sorted_by("LLF", rank, month)


@dataclass(frozen=True)
class Prices:
    """The tariff on the month's steps: energy [step], and demand charges as (rate, steps that count)."""

    energy: Array
    demand: tuple[tuple[float, Mask], ...]


def prices(month: Month, tariff: Tariff, zone: ZoneInfo) -> Prices:
    """Only first tiers: the tariffs of this bench have no others. One month."""
    when = calendar(month.start, STEP_MIN * 60.0, month.steps, zone)
    energy = np.array([period[0].rate for period in tariff.energy])
    demand: list[tuple[float, Mask]] = []
    number = periods(when, tariff.demand_weekday, tariff.demand_weekend)
    for index, period in enumerate(tariff.demand):
        if period[0].rate > 0 and (number == index).any():
            demand.append((period[0].rate, number == index))
    if tariff.flat:
        first = tariff.flat[tariff.flat_months[int(when.of_year[0])]]
        demand.append((first[0].rate, np.ones(month.steps, dtype=bool)))
    return Prices(energy[periods(when, tariff.energy_weekday, tariff.energy_weekend)], tuple(demand))


def garage_kw(month: Month) -> float:
    """The transformer's budget, spread over three lines."""
    return float(month.site.node("garage").limit_a * month.volts * np.sqrt(3.0) / 1000.0)


def optimum(month: Month, price: Prices, time_limit_s: float = 600.0) -> Run:
    """With hindsight: all arrivals, departures and loads of the month are known before it begins."""
    cars = tuple(
        Car(str(number), int(month.until[number]), float(month.energy_kwh[number]), month.most_kw, int(begins))
        for number, begins in enumerate(month.begins)
    )
    peaks = tuple(Peak(rate, counts) for rate, counts in price.demand)
    room = np.full(month.steps, garage_kw(month))
    found = plan(Problem(STEP_H, price.energy, month.base_kw, room, cars, peaks), time_limit_s)
    return Run("optimum", month.energy_kwh - found.short_kwh, found.total_kw, found.how)


class Planner:
    """Our own: a plan for a day ahead every 15 minutes, with what is known then; the first step of it is done."""

    HORIZON = DAY
    EVERY = 1

    def __init__(self, month: Month, price: Prices, zone: ZoneInfo, forecast: Forecast) -> None:
        self.month, self.price, self.forecast = month, price, forecast
        local = [(month.start + timedelta(minutes=STEP_MIN * n)).astimezone(zone) for n in range(month.steps)]
        past, first = len(month.past_kw), local[0].date()
        self.day = np.array([(moment.date() - first).days + past for moment in local])
        self.slot = np.array([(moment.hour * 60 + moment.minute) // STEP_MIN for moment in local])
        days = [first + timedelta(days=n - past) for n in range(int(self.day[-1]) + 2)]
        self.kind = np.array([max(one.weekday() - 4, 0) for one in days])
        self.history = np.full((len(days), DAY), np.nan)
        self.history[:past] = month.past_kw
        self.paid = [0.0 for _ in price.demand]
        self.late = 0

    def run(self, name: str) -> Run:
        """The whole month."""
        month = self.month
        left, cars = month.energy_kwh.copy(), np.zeros(month.steps)
        offer: dict[int, Array] = {}
        made = 0
        for step in range(month.steps):
            here = month.present(step)
            here = here[left[here] > 1e-6]
            if step % self.EVERY == 0:
                offer, made = self.decide(step, here, left), step
            for session in here:
                ahead = offer.get(int(session))
                wanted = float(ahead[step - made]) if ahead is not None else 0.0
                got = min(wanted * STEP_H, left[session], month.most_kw * STEP_H)
                left[session] -= got
                cars[step] += got / STEP_H
            self.learn(step, float(month.base_kw[step] + cars[step]))
        return Run(name, month.energy_kwh - left, cars, f"{self.late} plans without the solver")

    def learn(self, step: int, total_kw: float) -> None:
        """What was measured in a step."""
        self.history[self.day[step], self.slot[step]] = self.month.base_kw[step]
        for number, (_rate, counts) in enumerate(self.price.demand):
            if counts[step]:
                self.paid[number] = max(self.paid[number], total_kw)

    def base_ahead(self, step: int, length: int) -> tuple[Array, Array]:
        """The building from now on, over at most two days, and a margin for surprises."""
        day = int(self.day[step])
        today = self.forecast(self.history[: day + 1], self.kind[: day + 1])
        rows = self.history[: day + 2].copy()
        rows[day] = today
        tomorrow = self.forecast(rows, self.kind[: day + 2])
        both = np.concatenate([today, tomorrow])
        now = int(self.slot[step])
        both[now] = self.month.base_kw[step]  # measured all the time while the step lasts
        return both[now : now + length], self.margin_kw(day) * np.minimum(np.arange(length) * STEP_H, 1.0)

    @lru_cache  # noqa: B019 - a planner lives as long as its run
    def margin_kw(self, day: int) -> float:
        """What a day may bring that the forecast does not know, from an hour ahead on."""
        return surprise_kw(self.history[: day + 1], self.kind[: day + 1], self.forecast)

    def decide(self, step: int, here: Ints, left: Array) -> dict[int, Array]:
        """A plan for the cars that are there and those that may come; offers by session."""
        if not len(here):
            return {}
        month = self.month
        length = min(self.HORIZON, month.steps - step)
        real = [Car(str(s), int(month.until[s]) - step, float(left[s]), month.most_kw) for s in here]
        expected = self.expected(step, length)
        ahead = slice(step, step + length)
        peaks = tuple(
            Peak(rate, counts[ahead], paid) for (rate, counts), paid in zip(self.price.demand, self.paid, strict=True)
        )
        room = np.full(length, garage_kw(month))
        base = guarded(*self.base_ahead(step, length), peaks)
        found = plan(Problem(STEP_H, self.price.energy[ahead], base, room, (*real, *expected), peaks))
        self.late += not found.how.startswith("linear")
        return {int(session): found.power_kw[row] for row, session in enumerate(here)}

    def expected(self, step: int, length: int) -> list[Car]:
        """Cars that came later on the last day of this kind, as if they came again."""
        month, day = self.month, int(self.day[step])
        before = [one for one in range(len(month.past_kw), day) if self.kind[one] == self.kind[day]]
        if not before:
            return []
        shift = (day - before[-1]) * DAY
        begins, until = month.begins + shift - step, month.until + shift - step
        that_day = self.day[month.begins] == before[-1]
        soon = np.flatnonzero(that_day & (begins > 0) & (begins < length))
        return [
            Car(
                f"expected {n}",
                int(until[n]),
                self.fitting(int(n), int(begins[n]), length),
                month.most_kw,
                int(begins[n]),
            )
            for n in soon
        ]

    def fitting(self, number: int, begins: int, length: int) -> float:
        """Energy of an expected car, no more than fits before the horizon's end."""
        month = self.month
        room = (min(length, begins + int(month.until[number] - month.begins[number])) - begins) * STEP_H
        return min(float(month.energy_kwh[number]), room * month.most_kw)
