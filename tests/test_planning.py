"""Plans: never above a limit, always as much energy as fits, and as cheap as a linear program can be."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilbench.controller.planning import Car, Peak, Plan, Problem, plan
from hilbench.controller.planning.forecast import Forecast, learned, persistence, seasonal_naive, surprise_kw
from hilbench.controller.planning.heuristic import fill
from hilbench.controller.planning.linear import NoSolutionError, solve

EVERY_STEP = np.ones(12, dtype=bool)


def problem(*cars: Car, peak: float = 0.0, room_kw: float = 100.0, paid_kw: float = 0.0) -> Problem:
    """Twelve hours; the first six cost 0.20, the others 0.10; 10 kW of building, 30 kW in hour 8."""
    base = np.full(12, 10.0)
    base[8] = 30.0
    peaks = (Peak(peak, EVERY_STEP, paid_kw),) if peak else ()
    return Problem(1.0, np.repeat([0.2, 0.1], 6), base, np.full(12, room_kw), cars, peaks)


def cost(of: Problem, made: Plan) -> float:
    """What a plan costs."""
    demand = of.base_kw + made.total_kw
    peaks = sum(one.rate * max(float(demand[one.counts].max()) - one.paid_kw, 0.0) for one in of.peaks)
    return float((of.price * made.total_kw).sum() * of.step_h + peaks + of.late_cost * made.short_kwh.sum())


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    """Up to five cars, two groups, a demand charge, random building and prices."""
    number = st.floats(0.0, 50.0)
    cars = []
    for index in range(draw(st.integers(0, 5))):
        begins = draw(st.integers(0, 11))
        until = draw(st.integers(begins + 1, 14))
        cars.append(Car(f"c{index}", until, draw(number), draw(st.floats(1.0, 22.0)), begins))
    groups = ((tuple(range(0, len(cars), 2)), draw(st.floats(1.0, 30.0))),) if cars else ()
    base, price = (np.array(draw(st.lists(number, min_size=12, max_size=12))) for _ in range(2))
    room = np.array(draw(st.lists(number, min_size=12, max_size=12)))
    peaks = (Peak(draw(st.floats(0.1, 20.0)), EVERY_STEP, draw(number)),)
    return Problem(1.0, price / 100.0, base, room, tuple(cars), peaks, groups)


def assert_keeps_limits(of: Problem, made: Plan) -> None:
    """No car, step or group above what it may have, nothing before or after a car is there, nothing created."""
    assert (made.total_kw <= of.room_kw + 1e-6).all()
    for cars, limit_kw in of.groups:
        assert (made.power_kw[list(cars)].sum(axis=0) <= limit_kw + 1e-6).all()
    for index, car in enumerate(of.cars):
        power = made.power_kw[index]
        assert (power <= car.most_kw + 1e-6).all()
        assert not power[: car.begins].any()
        assert not power[car.until :].any()
        assert power.sum() * of.step_h + made.short_kwh[index] == pytest.approx(car.energy_kwh, abs=1e-5)


@given(problems())
def test_both_ways_keep_every_limit(of: Problem) -> None:
    """Neither the solver's plan nor the heuristic's breaks a limit."""
    for made in (solve(of, 10.0), fill(of)):
        assert_keeps_limits(of, made)


@given(problems())
def test_the_heuristic_is_never_cheaper_than_the_solver(of: Problem) -> None:
    """What the solver calls the least cost is the least."""
    assert cost(of, solve(of, 10.0)) <= cost(of, fill(of)) + 1e-3


@pytest.mark.parametrize("way", [lambda of: solve(of, 10.0), fill])
class TestBothWays:
    """What any plan must do."""

    def test_a_car_charges_when_it_is_cheap(self, way: object) -> None:
        """All of it in the second half, where energy costs half."""
        made = way(problem(Car("a", 12, 20.0, 5.0)))  # type: ignore[operator]  # one of the two above
        assert made.total_kw[:6].sum() == pytest.approx(0.0, abs=1e-6)
        assert made.short_kwh.sum() == pytest.approx(0.0, abs=1e-6)

    def test_a_car_that_leaves_charges_when_it_is_dear(self, way: object) -> None:
        """It has its energy at departure, whatever that costs."""
        made = way(problem(Car("a", 4, 20.0, 5.0)))  # type: ignore[operator]  # as above
        assert made.power_kw[0, :4] == pytest.approx([5.0] * 4)

    def test_a_demand_charge_levels_the_load(self, way: object) -> None:
        """With demand at 10 per kW no step is above the building's own peak of 30 kW."""
        made = way(problem(Car("a", 12, 100.0, 50.0), peak=10.0))  # type: ignore[operator]  # as above
        assert (problem().base_kw + made.total_kw).max() == pytest.approx(30.0, abs=0.1)

    def test_demand_that_is_paid_is_used(self, way: object) -> None:
        """Up to the demand of earlier in the month the cheap hours are used to the full."""
        made = way(problem(Car("a", 12, 100.0, 50.0), peak=10.0, paid_kw=40.0))  # type: ignore[operator]  # as above
        assert made.total_kw[6] == pytest.approx(30.0, abs=0.1)


def test_what_does_not_fit_is_said() -> None:
    """A car that cannot be served in its time is short by the rest."""
    assert plan(problem(Car("a", 2, 20.0, 5.0))).short_kwh == pytest.approx([10.0])


def test_without_the_solver_the_heuristic_takes_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """No plan is lost because a package is missing; the plan says how it was made."""
    monkeypatch.setitem(sys.modules, "highspy", None)
    made = plan(problem(Car("a", 12, 20.0, 5.0)))
    assert made.how.startswith("heuristic: the solver is not installed")
    assert made.short_kwh == pytest.approx([0.0])


def test_a_solver_out_of_time_is_replaced() -> None:
    """A time limit of nothing leaves the heuristic."""
    cars = [Car(f"c{n}", 12, 20.0, 5.0) for n in range(40)]
    with pytest.raises(NoSolutionError, match="Time limit"):
        solve(problem(*cars, peak=1.0, room_kw=60.0), 0.0)
    assert plan(problem(*cars), time_limit_s=0.0).how.startswith("heuristic")


def history(*days: float, steps: int = 24) -> np.ndarray:
    """Days of a load that is a number by day and 1 more by noon."""
    shape = np.where((np.arange(steps) >= 10) & (np.arange(steps) < 14), 1.0, 0.0)
    return np.array([value + shape for value in days])


@pytest.mark.parametrize(
    ("forecast", "expected"),
    [(persistence, [5.0, 5.0]), (seasonal_naive, [3.0, 4.0]), (learned, [5.0, 4.0 + 2.0 / np.e])],
)
def test_what_each_forecast_expects(forecast: Forecast, expected: list[float]) -> None:
    """With three working days of 3 and 5 now: as now, as last time, or as usual with a difference that fades."""
    days = history(3.0, 9.0, 3.0, 5.0)
    days[-1, 9:] = np.nan
    found = forecast(days, np.array([0, 1, 0, 0]))
    assert (found[:9] == 5.0).all()
    assert [found[9], found[12]] == pytest.approx(expected, abs=1e-6)


def test_a_first_day_has_no_past() -> None:
    """Without any history every forecast falls back on what is measured, and before that on nothing."""
    blank = np.full((1, 24), np.nan)
    for forecast in (persistence, seasonal_naive, learned):
        assert (forecast(blank, np.array([0])) == 0.0).all()


def test_surprise_is_what_one_day_of_ten_brings() -> None:
    """Daily peaks that rise by 3 once in ten days, and by 1 else: the margin is in between; falls do not count."""
    days = np.vstack([history(*np.cumsum([3.0, *[1.0] * 5, 3.0, *[1.0] * 4])), np.full((1, 24), np.nan)])
    assert 1.0 <= surprise_kw(days, np.zeros(12, dtype=np.intp), seasonal_naive) < 3.0
    falls = np.vstack([history(9.0, 8.0, 7.0), np.full((1, 24), np.nan)])
    assert surprise_kw(falls, np.zeros(4, dtype=np.intp), seasonal_naive) == 0.0
    assert surprise_kw(days, np.array([*[1] * 11, 0]), seasonal_naive) == 0.0
