"""From needs, prices, forecast and events to what each station may have now. Pure: time comes in, orders come out.

A plan never reaches beyond what the core allows at any moment: its orders are caps (or wishes to discharge) below all
limits. Cars that say nothing of themselves are not planned and count as load.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from hilbench.controller.planning.forecast import Forecast, learned, persistence, seasonal_naive, surprise_kw
from hilbench.controller.planning.heuristic import fill
from hilbench.controller.planning.history import History, kind_of
from hilbench.controller.planning.model import Array, Car, Peak, Plan, Problem, guarded
from hilbench.controller.planning.needs import Battery, Need, battery_of
from hilbench.controller.planning.prices import DemandKey, Prices, Said, demand_keys, prices, signalled
from hilbench.controller.planning.settings import PlanSettings
from hilbench.controller.planning.solve import plan
from hilbench.tariff import Tariff

FORECASTS: dict[str, Forecast] = {
    "persistence": persistence,
    "seasonal-naive": seasonal_naive,
    "learned": learned,
}
LIMIT_RATE = 1000.0
"""What a kW above the contract or a signal costs a plan [1/kW]: more than any tariff, and than cars not being ready."""
UNPLANNED_H = 2.0
"""A car that says nothing is taken to go on for so long."""
FULL_KWH = 0.05
"""What may be missing at a target that counts as reached."""
Limit = Callable[[float], float | None]
"""Limit of the site's import [kW] at a time (UTC [s]), None for none."""


@dataclass(frozen=True)
class Present:
    """A car that may be charged now: what the station gives or the car takes at most, and what it draws [kW].

    ``soc`` and ``since`` (UTC [s]) where known: state of charge, 0 to 1, and since when it has been charged.
    """

    role: str
    most_kw: float
    drawn_kw: float
    soc: float | None = None
    since: float = math.inf
    feeder: str = "service"


@dataclass(frozen=True)
class Orders:
    """By role [kW]: caps on charging, wishes to discharge, and the most that cars could give; ``how`` it was planned.

    ``demand_kw`` is what the whole site shall take at most, so that no demand is raised; infinite: no matter.
    """

    caps: Mapping[str, float] = field(default_factory=dict)
    discharge: Mapping[str, float] = field(default_factory=dict)
    able: Mapping[str, float] = field(default_factory=dict)
    demand_kw: float = math.inf
    how: str = "nothing to plan"


class Coordinator:
    """State of coordinated charging at one site.

    ``room_kw`` is what the service's budget bears, ``said`` what signals say of prices.
    """

    def __init__(
        self,
        settings: PlanSettings,
        zone: ZoneInfo,
        room_kw: float,
        *,
        tariff: Tariff | None = None,
        contract_kw: float = math.inf,
        export_kw: float = 0.0,
        v2g: bool = False,
        said: Said | None = None,
    ) -> None:
        self.settings, self.tariff, self.needs = settings, tariff, dict[str, Need]()
        self.building = History(zone, settings.step_min * 60.0)
        self._site = History(zone, (tariff.window_min if tariff else settings.step_min) * 60.0)
        self._zone, self._room_kw, self._contract_kw = zone, room_kw, contract_kw
        self._export_kw, self._v2g, self._said = export_kw, v2g, said
        self.paid: dict[DemandKey, float] = {}
        self._batteries: dict[str, Battery] = {}

    # what is known

    def metered(self, t: float, building_kw: float, site_kw: float) -> None:
        """What the building and the whole site take at ``t`` (UTC [s])."""
        self.building.see(t, building_kw)
        mean = self._site.see(t, site_kw)
        if mean is not None and self.tariff is not None:
            ended = datetime.fromtimestamp(t - self.tariff.window_min * 30.0, UTC).astimezone(self._zone)
            for key in demand_keys(self.tariff, ended):
                self.paid[key] = max(self.paid.get(key, 0.0), mean)

    def need(self, role: str, need: Need | None) -> None:
        """What the car at a station needs; None: the car has gone."""
        self._batteries.pop(role, None)
        if need is None:
            self.needs.pop(role, None)
        else:
            self.needs[role] = need

    def counted(self, role: str, net_kwh: float) -> None:
        """So much has flowed into the car (negative: out) since the last call."""
        if role in self.needs:
            self.needs[role] = self.needs[role].after(net_kwh)

    def charge(self, role: str, soc: float) -> None:
        """The state of charge of a car (0 to 1); the first one after its needs says how large its battery is."""
        need = self.needs.get(role)
        if need is None:
            return
        battery = self._batteries.get(role) or battery_of(need, soc)
        if battery is not None:
            self._batteries[role] = battery
            self.needs[role] = need.at(soc, battery)

    def assume(self, role: str, t: float) -> None:
        """A car came and said nothing: the site's own assumption, where it has one."""
        rules = self.settings
        if role not in self.needs and rules.assume_energy_kwh > 0.0:
            self.needs[role] = Need(rules.assume_energy_kwh, t + 3600.0 * rules.assume_stay_h)

    # the plan

    def orders(self, t: float, present: Sequence[Present], limit: Limit, groups: Mapping[str, float]) -> Orders:
        """What shall be done from ``t`` (UTC [s]) on, by a plan for the whole horizon.

        ``groups`` are what feeders bear beside the service [kW].
        """
        planned = [one for one in present if self._plannable(one, t)]
        if not planned:
            return Orders()
        problem = self.problem(t, present, planned, limit, groups)
        found = self._solved(problem)
        return self._ordered(problem, planned, found)

    def _plannable(self, one: Present, t: float) -> bool:
        """It has said what it needs; and how much it takes, or it has been seen. One that is ready may have what costs
        nothing; one that may leave at any moment waits for nothing, so it is not planned unless it can give.
        """
        need = self.needs.get(one.role)
        if need is None or (need.energy_kwh <= FULL_KWH and self.tariff is None and not self._v2g):
            return False
        if math.isinf(need.departure) and not self._v2g:
            return False
        return math.isfinite(need.most_kw) or t - one.since >= self.settings.probe_s

    def _solved(self, problem: Problem) -> Plan:
        if len(problem.cars) > self.settings.most_cars:
            return fill(problem)
        return plan(problem, self.settings.solver_s)

    def problem(
        self,
        t: float,
        present: Sequence[Present],
        planned: Sequence[Present],
        limit: Limit,
        groups: Mapping[str, float],
    ) -> Problem:
        """What has to be planned, in steps from ``t`` on."""
        rules = self.settings
        step_s, count = rules.step_min * 60.0, round(rules.horizon_h * 60.0 / rules.step_min)
        loose = math.fsum(max(one.drawn_kw, one.most_kw) for one in present if one not in planned)
        base, margin = self.base_ahead(t, count)
        base[: round(UNPLANNED_H * 3600.0 / step_s)] += loose
        limits = np.array([_or_inf(limit(t + k * step_s)) for k in range(count)])
        room = np.minimum(self._room_kw, limits) - base - margin
        cost = self._prices(t, step_s, count)
        peaks = self._peaks(cost, np.minimum(limits, self._contract_kw))
        return Problem(
            step_s / 3600.0,
            cost.energy,
            guarded(base, margin, peaks),
            np.maximum(room, 0.0),
            tuple(self._car(one, t, step_s, count) for one in planned),
            tuple(peaks),
            tuple(_members(planned, feeder, limit_kw) for feeder, limit_kw in groups.items()),
            export_kw=self._export_kw,
            wear_cost=rules.wear_cost,
            export_price=cost.export,
        )

    def _prices(self, t: float, step_s: float, count: int) -> Prices:
        known = Prices(np.zeros(count), ())
        if self.tariff is not None:
            known = prices(self.tariff, self._zone, t, step_s, count)
        if self._said is None:
            return known
        return signalled(known, self._said, self.settings.ghg_weight, t, step_s)

    def _peaks(self, cost: Prices, limits: Array) -> list[Peak]:
        """Demand charges; and limits of the whole site [step, kW], which cars can keep by what they give."""
        found = [Peak(one.rate, one.counts, self.paid.get(one.key, 0.0)) for one in cost.demand]
        finite = np.unique(limits[np.isfinite(limits)]).tolist()
        return found + [Peak(LIMIT_RATE, limits == limit_kw, limit_kw) for limit_kw in finite]

    def _car(self, one: Present, t: float, step_s: float, count: int) -> Car:
        need, rules = self.needs[one.role], self.settings
        until = count if math.isinf(need.departure) else int((need.departure - rules.ready_s - t) // step_s)
        most_kw = min(one.most_kw, need.most_kw) * rules.derate
        discharge_kw = self._discharge_kw(one, need)
        return Car(
            one.role,
            min(max(until, 1), count),
            max(need.energy_kwh, 0.0),
            most_kw,
            discharge_kw=discharge_kw,
            spare_kwh=self._spare_kwh(one, need) if discharge_kw else 0.0,
            space_kwh=min(max(need.space_kwh, need.energy_kwh), 1000.0) if discharge_kw else 0.0,
        )

    def _discharge_kw(self, one: Present, need: Need) -> float:
        """What it may give now: nothing where nobody knows its state of charge, or at its reserve."""
        known = self._v2g and one.soc is not None
        return min(need.discharge_kw, one.most_kw) if known and self._spare_kwh(one, need) > 0.0 else 0.0

    def _spare_kwh(self, one: Present, need: Need) -> float:
        """What it holds above the reserve: the car's own least, or that of the site."""
        if one.soc is None or one.soc <= self.settings.reserve_soc:
            return 0.0
        battery = self._batteries.get(one.role)
        if battery is None:
            return need.spare_kwh
        return min(need.spare_kwh, (one.soc - self.settings.reserve_soc) * battery.capacity_kwh)

    def base_ahead(self, t: float, count: int) -> tuple[Array, Array]:
        """The building in the steps from ``t`` on, as forecast, and a margin for what a day may bring [step, kW]."""
        history, forecast = self.building, FORECASTS[self.settings.forecast]
        day, now = history.slot(t)
        rows, kinds = history.table(day)
        ahead = [forecast(rows, kinds)]
        margin_kw = surprise_kw(rows, kinds, forecast) if len(rows) > 3 else 0.0
        while sum(map(len, ahead)) < now + count:
            rows = np.vstack([rows[:-1], ahead[-1], np.full(history.per_day, np.nan)])
            kinds = np.append(kinds, kind_of(day + timedelta(days=len(ahead))))
            ahead.append(forecast(rows, kinds))
        found: Array = np.concatenate(ahead)[now : now + count]
        hours = np.arange(count) * self.settings.step_min / 60.0
        return found, margin_kw * np.minimum(hours, 1.0)

    def _ordered(self, problem: Problem, planned: Sequence[Present], found: Plan) -> Orders:
        now = found.power_kw[:, 0] if found.power_kw.size else np.zeros(0)
        derate = self.settings.derate
        caps = {one.role: max(float(kw), 0.0) / derate for one, kw in zip(planned, now, strict=True)}
        wishes = {one.role: -float(kw) for one, kw in zip(planned, now, strict=True) if kw < -1e-6}
        able = {one.role: self._discharge_kw(one, self.needs[one.role]) for one in planned}
        return Orders(
            caps,
            wishes,
            {role: kw for role, kw in able.items() if kw > 0.0},
            _demand_kw(problem, found),
            found.how,
        )


def _or_inf(limit_kw: float | None) -> float:
    return math.inf if limit_kw is None else limit_kw


def _members(planned: Sequence[Present], feeder: str, limit_kw: float) -> tuple[tuple[int, ...], float]:
    return tuple(index for index, one in enumerate(planned) if one.feeder == feeder), limit_kw


def _demand_kw(problem: Problem, found: Plan) -> float:
    """What the site may take in the first step without raising a demand beyond what is paid or planned.

    Where the building draws more than was foreseen, cars that are late still get what they need.
    """
    demand = problem.base_kw + found.total_kw
    counting = [peak for peak in problem.peaks if peak.counts[0] and peak.rate < LIMIT_RATE]
    lowest = min((max(peak.paid_kw, float(demand[peak.counts].max())) for peak in counting), default=math.inf)
    return lowest + math.fsum(
        max(float(kw), 0.0)
        for car, kw, short in zip(problem.cars, found.power_kw[:, 0], found.short_kwh, strict=True)
        if car.until <= 1 or short > FULL_KWH
    )
