"""The plan as a linear program, solved by HiGHS (extra ``opt``)."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hilbench.controller.planning.model import Array, Car, Plan, Problem, Slots, slots

SOBER_ROUNDS = 3
HOPED_KW = 0.01
"""A plan that counts on feeding in so much more than flows is none (policy)."""
Index = NDArray[np.intp]
Row = tuple[float, float, Index, Array]
"""Least and most of a row, and its columns with their factors."""


class NoSolutionError(Exception):
    """The solver is not there, was too slow or found nothing; the message says which."""


@dataclass(frozen=True)
class Columns:
    """Where what stands: power into cars, power out of them, what they then hold (like ``out``), shortages, peaks.

    Then what the site feeds in, in ``exports`` steps: all of them where that has a price of its own.
    """

    into: Slots
    out: Slots
    cars: int
    peaks: int
    exports: int = 0

    @property
    def first_out(self) -> int:
        """Power out of cars [kW]."""
        return len(self.into.car)

    @property
    def first_held(self) -> int:
        """What cars that can discharge hold above their reserve at the end of a step [kWh]."""
        return self.first_out + len(self.out.car)

    @property
    def first_short(self) -> int:
        """What each car goes without [kWh]."""
        return self.first_held + len(self.out.car)

    @property
    def first_peak(self) -> int:
        """How far each peak goes beyond what is paid already [kW]."""
        return self.first_short + self.cars

    @property
    def first_export(self) -> int:
        """What the site feeds in [kW]."""
        return self.first_peak + self.peaks

    def flows(self, problem: Problem) -> list[tuple[Index, Array]]:
        """Columns of every step, with +1 for power into cars and -1 for power out of them."""
        found = []
        for step in range(problem.steps):
            into = np.flatnonzero(self.into.step == step)
            out = np.flatnonzero(self.out.step == step)
            signs = np.concatenate([np.ones(len(into)), -np.ones(len(out))])
            found.append((np.concatenate([into, out + self.first_out]), signs))
        return found


def solve(problem: Problem, time_limit_s: float) -> Plan:
    """The cheapest plan; raises ``NoSolutionError``.

    A little more is asked for late energy, so that of equal plans the earliest is taken.
    """
    if not problem.cars:
        return Plan(np.zeros((0, problem.steps)), np.zeros(0), "nothing to plan")
    exports = 0 if problem.export_price is None else problem.steps
    where = Columns(slots(problem), slots(problem, out=True), len(problem.cars), len(problem.peaks), exports)
    values = _solved(problem, where, time_limit_s)
    power = np.zeros((len(problem.cars), problem.steps))
    power[where.into.car, where.into.step] = np.maximum(values[: where.first_out], 0.0)
    power[where.out.car, where.out.step] -= np.maximum(values[where.first_out : where.first_held], 0.0)
    short = values[where.first_short : where.first_peak]
    return Plan(power, np.maximum(short, 0.0), "linear program")


def _exported(problem: Problem, where: Columns, values: Array) -> Array:
    """What the site feeds in by a solution [step, kW]."""
    flows = [float(signs @ values[columns]) for columns, signs in where.flows(problem)]
    fed: Array = np.maximum(-problem.base_kw - np.array(flows), 0.0)
    return fed


def _solved(problem: Problem, where: Columns, time_limit_s: float) -> Array:
    """The cheaper of two solutions, by what really flows.

    Where giving is paid more than taking costs, a program that may do both at once is paid for nothing that leaves the
    site. One solution lets taking cost there what it would keep from the grid: it charges at other times. The other
    expects no more of such steps than flows.
    """
    if problem.export_price is None or not (problem.export_price > problem.price).any() or not len(where.out.car):
        return _run(problem, where, time_limit_s, problem.price)
    apart = _run(problem, where, time_limit_s, _forgone(problem, where, problem.export_price))
    sober = _sober(problem, where, time_limit_s)
    return min(apart, sober, key=lambda values: _paid(problem, where, values))


def _sober(problem: Problem, where: Columns, time_limit_s: float) -> Array:
    """A solution that is paid for nothing that does not flow: where one was, feeding in is worth no more than taking.

    After ``SOBER_ROUNDS`` that holds for all steps.
    """
    values = _run(problem, where, time_limit_s, problem.price)
    for left in range(SOBER_ROUNDS, 0, -1):
        if problem.export_price is None:
            break
        dear = problem.export_price > problem.price
        hoped = dear & (values[where.first_export :] > _exported(problem, where, values) + HOPED_KW)
        if not hoped.any():
            break
        cut = hoped if left > 1 else dear
        problem = replace(problem, export_price=np.where(cut, problem.price, problem.export_price))
        values = _run(problem, where, time_limit_s, problem.price)
    return values


def _paid(problem: Problem, where: Columns, values: Array) -> float:
    """What a solution costs with what really flows: as the program reckons, with the true column of what is fed in."""
    true = values.copy()
    if where.exports:
        true[where.first_export :] = _exported(problem, where, values)
    return float(_costs(problem, where, problem.price) @ true)


def _forgone(problem: Problem, where: Columns, export_price: Array) -> Array:
    """What a kWh into a car costs [step] where another car could give it to the grid."""
    shares = [_share(problem, where, step)[1] for step in range(problem.steps)]
    found: Array = problem.price + np.array(shares) * np.maximum(export_price - problem.price, 0.0)
    return found


def _share(problem: Problem, where: Columns, step: int) -> tuple[float, float]:
    """What can be fed in when cars give the most that they may [kW], and which share of what they give that is."""
    base, able = float(problem.base_kw[step]), float(where.out.most_kw[where.out.step == step].sum())
    most = min(able, max(base + problem.export_kw, 0.0))
    fed = max(most - max(base, 0.0), 0.0)
    return fed, fed / most if most > 0.0 else 0.0


def _exports(problem: Problem, where: Columns, flows: list[tuple[Index, Array]]) -> Iterator[Row]:
    """What is fed in is what flows that way, at least where it is paid less than energy costs.

    Where it is paid more, the share of all that cars give that would be fed in if they gave the most that they may:
    exact at nothing and at the most, which are the ends between which such a price chooses. No more than that counts:
    else cars would take and give at once, to be paid for what never leaves the site.
    """
    if problem.export_price is None:
        return
    for step, (columns, signs) in enumerate(flows):
        base, column = float(problem.base_kw[step]), where.first_export + step
        if problem.export_price[step] <= problem.price[step]:
            yield -base, math.inf, np.append(columns, column), np.append(signs, 1.0)
            continue
        out = columns[signs < 0.0]
        fed, share = _share(problem, where, step)
        yield -math.inf, fed, np.array([column]), np.ones(1)
        yield -math.inf, 0.0, np.append(out, column), np.append(np.full(len(out), -share), 1.0)


def _run(problem: Problem, where: Columns, time_limit_s: float, taking: Array) -> Array:
    """A solution where a kWh into a car costs ``taking`` [step]."""
    try:
        import highspy
    except ImportError:
        raise NoSolutionError("the solver is not installed; pip install 'hilbench[opt]'") from None
    solver = _solver()
    solver.clearModel()
    solver.setOptionValue("time_limit", time_limit_s + solver.getRunTime())  # counted from when it was made
    solver.passModel(_model(highspy, problem, where, taking))
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        raise NoSolutionError(f"the solver says: {solver.modelStatusToString(solver.getModelStatus())}")
    found: Array = np.array(solver.getSolution().col_value)
    return found


@lru_cache(maxsize=1)
def _solver() -> Any:
    """The solver, made once: it greets on standard output, where a result as JSON may go."""
    import highspy

    with _silence():
        solver: Any = highspy.Highs()  # type: ignore[no-untyped-call]  # the package has no types
        solver.setOptionValue("output_flag", False)
    return solver


@contextmanager
def _silence() -> Iterator[None]:
    """Nothing written to standard output by code that is not Python's."""
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


def _model(highspy: Any, problem: Problem, where: Columns, taking: Array) -> Any:
    rows = list(_rows(problem, where))
    infinite = highspy.kHighsInf
    model = highspy.HighsLp()
    cost = _costs(problem, where, taking)
    model.num_col_, model.num_row_ = len(cost), len(rows)
    model.col_cost_ = cost
    model.col_lower_ = np.zeros(len(cost))
    model.col_upper_ = np.minimum(_upper(problem, where), infinite)
    model.row_lower_ = np.array([max(low, -infinite) for low, _most, _columns, _factors in rows])
    model.row_upper_ = np.array([min(most, infinite) for _low, most, _columns, _factors in rows])
    lengths = [len(columns) for _low, _most, columns, _factors in rows]
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    model.a_matrix_.index_ = np.concatenate([columns for _low, _most, columns, _factors in rows]).astype(np.int32)
    model.a_matrix_.value_ = np.concatenate([factors for _low, _most, _columns, factors in rows]).astype(float)
    return model


def _costs(problem: Problem, where: Columns, taking: Array) -> Array:
    sooner = 1e-4 * np.arange(problem.steps) / max(problem.steps, 1)
    into = (taking + sooner)[where.into.step] * problem.step_h
    out = (problem.wear_cost - problem.price)[where.out.step] * problem.step_h
    late = np.full(len(problem.cars), problem.late_cost)
    found = [into, out, np.zeros(len(out)), late, np.array([peak.rate for peak in problem.peaks])]
    if problem.export_price is not None:
        found.append((problem.price - problem.export_price) * problem.step_h)
    return np.concatenate(found)


def _upper(problem: Problem, where: Columns) -> Array:
    most = np.array([car.spare_kwh + car.space_kwh for car in problem.cars])
    rest = np.full(len(problem.cars) + len(problem.peaks) + where.exports, math.inf)
    return np.concatenate([where.into.most_kw, where.out.most_kw, most[where.out.car], rest])


def _rows(problem: Problem, where: Columns) -> Iterator[Row]:
    for index, car in enumerate(problem.cars):
        yield from _needs(problem, where, index, car)
    flows = where.flows(problem)
    for step, (columns, signs) in enumerate(flows):
        if len(columns):
            # where the building alone feeds in more than may be, cars together give nothing: the rest is not theirs
            least = min(-problem.export_kw - float(problem.base_kw[step]), 0.0)
            yield least if (signs < 0).any() else -math.inf, max(float(problem.room_kw[step]), 0.0), columns, signs
    yield from _exports(problem, where, flows)
    for cars, limit_kw in problem.groups:
        yield from _group(where, flows, np.array(cars), limit_kw)
    for number, peak in enumerate(problem.peaks):
        for step in np.flatnonzero(peak.counts).tolist():
            columns, signs = flows[step]
            most = peak.paid_kw - float(problem.base_kw[step])
            yield -math.inf, most, np.append(columns, where.first_peak + number), np.append(signs, -1.0)


def _needs(problem: Problem, where: Columns, index: int, car: Car) -> Iterator[Row]:
    """Energy for a car: all that flows in; or, where power can flow back, what it holds after every step."""
    into, short = np.flatnonzero(where.into.car == index), where.first_short + index
    out = np.flatnonzero(where.out.car == index)
    if not len(out):
        factors = np.append(np.full(len(into), problem.step_h), 1.0)
        yield car.energy_kwh, car.energy_kwh, np.append(into, short), factors
        return
    gains = np.array([1.0, -problem.step_h * car.efficiency, problem.step_h / car.efficiency, -1.0])
    for place, (one, other) in enumerate(zip(into, out, strict=True)):
        held = where.first_held + other
        columns = np.array([held, one, where.first_out + other, held - 1])
        known = car.spare_kwh if place == 0 else 0.0
        yield known, known, columns[: 3 if place == 0 else 4], gains[: 3 if place == 0 else 4]
    last = np.array([where.first_held + out[-1], short])
    yield car.spare_kwh + car.energy_kwh, math.inf, last, np.ones(2)


def _group(where: Columns, flows: list[tuple[Index, Array]], cars: Index, limit_kw: float) -> Iterator[Row]:
    """What cars that share a feeder take together, either way."""
    owner = np.concatenate([where.into.car, where.out.car])
    for columns, signs in flows:
        inside = np.isin(owner[columns], cars)
        if inside.any():
            yield -limit_kw, limit_kw, columns[inside], signs[inside]
