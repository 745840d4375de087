"""The controller under a limit of the grid operator, in a closed loop with a toy site."""

from __future__ import annotations

from typing import Any

import pytest

from hilbench.controller.explain import in_words, why
from tests.controller_toy import Toy, toy


def power_kw(made: Toy) -> float:
    """What all cars draw now."""
    phases = {"single-phase": 1, "three-phase": 3}[made.site.service.wiring]
    return sum(car.drawn_a for car in made.cars.values()) * phases * 0.23094


def charging(count: int = 4, **options: Any) -> Toy:
    """Cars at a site with room for all, after five minutes."""
    made = toy(count, 200.0, wiring="three-phase", **options)
    made.run(300)
    return made


@pytest.mark.parametrize("limit_kw", [60.0, 30.0, 21.21, 15.12, 4.2])
def test_a_limit_is_kept_within_seconds_and_used(limit_kw: float) -> None:
    """10 s after it no more is drawn than it says, and of what cars of 6 A and more can use nothing is left over."""
    made = charging()
    made.core.dim(limit_kw)
    made.run(10)
    assert power_kw(made) <= limit_kw + 1e-6
    assert power_kw(made) >= min(limit_kw - 4 * 0.07, 4.15) - 0.05
    made.run(300)
    assert power_kw(made) <= limit_kw + 1e-6


def test_below_the_minimum_of_all_some_wait_and_take_turns() -> None:
    """10 kW are two cars of 6 A on three phases; each has had its turn after four of them."""
    made = charging()
    made.core.dim(10.0)
    seen = set()
    for _ in range(80):
        made.run(60)
        drawing = {role for role, car in made.cars.items() if car.drawn_a >= 5.0}
        assert len(drawing) <= 2
        seen |= drawing
    assert seen == set(made.cars)


def test_after_its_end_the_site_comes_back() -> None:
    """A release is followed like any other room: up in steps, to where it was."""
    made = charging()
    before = power_kw(made)
    made.core.dim(15.0)
    made.run(60)
    made.core.dim(None)
    made.run(400)
    assert power_kw(made) == pytest.approx(before, rel=0.02)


def test_without_a_meter_the_limit_still_holds() -> None:
    """Fallbacks of 6 A for four cars are 16.6 kW: one is left out below 15 kW."""
    made = charging(fallback_a=6.0)
    made.core.dim(15.0)
    made.run(60)
    made.run(60, meter=False)
    assert made.core.watch.reason
    assert 0.0 < power_kw(made) <= 15.0
    assert {type(change.limit_a) for _t, change in made.changes} == {float}  # nothing else can be sent


def test_the_controller_says_that_it_is_dimmed() -> None:
    """Asked why a station has its limit, it names the limit from outside, and no longer when that has gone."""
    made = charging()
    made.core.dim(15.0)
    made.run(60)
    found = [why(made.core, role, made.t) for role in made.cars]
    assert {one.kind for one in found} == {"dimmed"}
    assert "15.00 kW" in in_words(found[0])[1]
    made.core.dim(None)
    assert "dimmed" not in {why(made.core, role, made.t).kind for role in made.cars}
