"""The plan as a linear program, solved by HiGHS (extra ``opt``)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hilbench.controller.planning.model import Array, Plan, Problem, Slots, slots

Row = tuple[float, float, NDArray[np.intp], Array]
"""Least and most of a row, and its columns with their factors."""


class NoSolutionError(Exception):
    """The solver is not there, was too slow or found nothing; the message says which."""


def solve(problem: Problem, time_limit_s: float) -> Plan:
    """The cheapest plan; raises ``NoSolutionError``.

    Columns: power in every slot [kW], then what each car goes without [kWh], then how far each peak goes beyond what is
    paid already [kW]. A little more is asked for late energy, so that of equal plans the earliest is taken.
    """
    if not problem.cars:
        return Plan(np.zeros((0, problem.steps)), np.zeros(0), "nothing to plan")
    where = slots(problem)
    values = _run(problem, where, time_limit_s)
    power = np.zeros((len(problem.cars), problem.steps))
    power[where.car, where.step] = values[: len(where.car)]
    short = values[len(where.car) : len(where.car) + len(problem.cars)]
    return Plan(np.maximum(power, 0.0), np.maximum(short, 0.0), "linear program")


def _run(problem: Problem, where: Slots, time_limit_s: float) -> Array:
    try:
        import highspy
    except ImportError:
        raise NoSolutionError("the solver is not installed; pip install 'hilbench[opt]'") from None
    solver: Any = highspy.Highs()  # type: ignore[no-untyped-call]  # the package has no types
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("time_limit", time_limit_s)
    solver.passModel(_model(highspy, problem, where))
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        raise NoSolutionError(f"the solver says: {solver.modelStatusToString(solver.getModelStatus())}")
    found: Array = np.array(solver.getSolution().col_value)
    return found


def _model(highspy: Any, problem: Problem, where: Slots) -> Any:
    rows = list(_rows(problem, where))
    infinite = highspy.kHighsInf
    model = highspy.HighsLp()
    cost = _costs(problem, where)
    model.num_col_, model.num_row_ = len(cost), len(rows)
    model.col_cost_ = cost
    model.col_lower_ = np.zeros(len(cost))
    model.col_upper_ = np.concatenate([where.most_kw, np.full(len(cost) - len(where.most_kw), infinite)])
    model.row_lower_ = np.array([max(low, -infinite) for low, _most, _columns, _factors in rows])
    model.row_upper_ = np.array([min(most, infinite) for _low, most, _columns, _factors in rows])
    lengths = [len(columns) for _low, _most, columns, _factors in rows]
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    model.a_matrix_.index_ = np.concatenate([columns for _low, _most, columns, _factors in rows]).astype(np.int32)
    model.a_matrix_.value_ = np.concatenate([factors for _low, _most, _columns, factors in rows]).astype(float)
    return model


def _costs(problem: Problem, where: Slots) -> Array:
    sooner = 1e-4 * np.arange(problem.steps) / max(problem.steps, 1)
    energy = (problem.price + sooner)[where.step] * problem.step_h
    late = np.full(len(problem.cars), problem.late_cost)
    return np.concatenate([energy, late, [peak.rate for peak in problem.peaks]])


def _rows(problem: Problem, where: Slots) -> Iterator[Row]:
    first_late, first_peak = len(where.car), len(where.car) + len(problem.cars)
    by_step = [np.flatnonzero(where.step == step) for step in range(problem.steps)]
    for index, car in enumerate(problem.cars):
        mine = np.flatnonzero(where.car == index)
        factors = np.append(np.full(len(mine), problem.step_h), 1.0)
        yield car.energy_kwh, car.energy_kwh, np.append(mine, first_late + index), factors
    for step, columns in enumerate(by_step):
        if len(columns):
            yield -np.inf, max(float(problem.room_kw[step]), 0.0), columns, np.ones(len(columns))
    for cars, limit_kw in problem.groups:
        for columns in by_step:
            inside = columns[np.isin(where.car[columns], cars)]
            if len(inside):
                yield -np.inf, limit_kw, inside, np.ones(len(inside))
    for number, peak in enumerate(problem.peaks):
        for step in np.flatnonzero(peak.counts).tolist():
            columns = np.append(by_step[step], first_peak + number)
            factors = np.append(np.ones(len(by_step[step])), -1.0)
            yield -np.inf, peak.paid_kw - float(problem.base_kw[step]), columns, factors
