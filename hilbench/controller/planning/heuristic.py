"""A plan without a solver: every car, the most urgent first, in its cheapest steps.

Cheap is a step whose energy costs little and which raises no demand beyond what is paid, or already planned for. Not
the optimum, but never above room or group limits, and always there in time.
"""

from __future__ import annotations

import numpy as np

from hilbench.controller.planning.model import Array, Car, Mask, Plan, Problem

SLICES = 8
"""Into so many parts a car's need is cut: the demand that a part raises makes room for the parts after it."""


def fill(problem: Problem) -> Plan:
    """Cars by laxity, each in slices, each slice where it is cheapest then."""
    power = np.zeros((len(problem.cars), problem.steps))
    work = _Filling(problem, power)
    for index in sorted(range(len(problem.cars)), key=lambda one: _laxity(problem, problem.cars[one])):
        need = problem.cars[index].energy_kwh
        for _ in range(SLICES):
            need -= work.place(index, min(need, problem.cars[index].energy_kwh / SLICES))
        work.place(index, need)
    wanted = np.array([car.energy_kwh for car in problem.cars])
    return Plan(power, np.maximum(wanted - power.sum(axis=1) * problem.step_h, 0.0), "heuristic")


def _laxity(problem: Problem, car: Car) -> float:
    """Steps that a car could still wait."""
    return car.until - car.begins - car.energy_kwh / max(car.most_kw * problem.step_h, 1e-9)


class _Filling:
    """A plan in the making: what is free in every step, and what demand is paid for so far."""

    def __init__(self, problem: Problem, power: Array) -> None:
        self.problem, self.power = problem, power
        self.paid = [max(peak.paid_kw, float(problem.base_kw[peak.counts].max(initial=0.0))) for peak in problem.peaks]

    def place(self, index: int, need_kwh: float) -> float:
        """Give the car up to ``need_kwh`` in its cheapest steps; what it got."""
        placed, step_h = 0.0, self.problem.step_h
        while need_kwh - placed > 1e-9:
            free = self.free_kw(index)
            cost, cheap = self.costs(free)
            if not np.isfinite(cost).any():
                break
            step = int(np.argmin(cost))
            amount = min(float(cheap[step]), (need_kwh - placed) / step_h)
            self.power[index, step] += amount
            placed += amount * step_h
            self.pay(step)
        return placed

    def free_kw(self, index: int) -> Array:
        """What the car could still take in every step."""
        car, problem = self.problem.cars[index], self.problem
        there: Mask = (np.arange(problem.steps) >= car.begins) & (np.arange(problem.steps) < car.until)
        free = np.minimum(car.most_kw - self.power[index], problem.room_kw - self.power.sum(axis=0))
        for cars, limit_kw in problem.groups:
            if index in cars:
                free = np.minimum(free, limit_kw - self.power[list(cars)].sum(axis=0))
        return np.where(there, free, 0.0)

    def costs(self, free: Array) -> tuple[Array, Array]:
        """Price per kWh in every step (infinite where nothing is free), and how much can be had for it [kW]."""
        problem = self.problem
        demand = problem.base_kw + self.power.sum(axis=0)
        cost, amount = problem.price.copy(), free.copy()
        for peak, paid in zip(problem.peaks, self.paid, strict=True):
            below = np.where(peak.counts, paid - demand, np.inf)
            dear = below <= 1e-9
            cost = np.where(dear, cost + peak.rate / problem.step_h, cost)
            amount = np.where(dear, amount, np.minimum(amount, below))
        amount = np.where(cost > problem.price, np.minimum(amount, problem.room_kw.max() / 50.0), amount)
        cost = cost + 1e-6 * np.arange(problem.steps)
        return np.where(free > 1e-6, cost, np.inf), np.maximum(amount, 0.0)

    def pay(self, step: int) -> None:
        """What was planned in a step is paid for in all others."""
        demand = float(self.problem.base_kw[step] + self.power[:, step].sum())
        for number, peak in enumerate(self.problem.peaks):
            if peak.counts[step]:
                self.paid[number] = max(self.paid[number], demand)
