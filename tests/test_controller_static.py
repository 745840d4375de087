"""Static sharing: equal division without a meter."""

from __future__ import annotations

import pytest

from hilbench.controller.static import StaticCore
from tests.controller_toy import Toy, toy


def static(count: int, budget_a: float, cars: int | None = None, **options: object) -> Toy:
    """A toy under static sharing, two minutes on; its meter is never asked."""
    made = toy(count, budget_a, cars=cars, law=StaticCore, **options)  # type: ignore[arg-type]  # of site()
    made.run(120, meter=False)
    return made


def test_the_budget_less_the_worst_building_is_divided_evenly() -> None:
    """80 A less 20 A for the building and 2 A margin is 14.5 A for each of four cars."""
    assert static(4, 80.0, worst_base_a=20.0).targets() == dict.fromkeys(("s0", "s1", "s2", "s3"), 14.5)


def test_stations_without_a_car_get_no_share() -> None:
    """Two cars at four stations have 29 A each."""
    made = static(4, 80.0, 2, worst_base_a=20.0)
    assert [made.targets()[role] for role in ("s0", "s1")] == [29.0, 29.0]


def test_fallbacks_of_stations_without_a_car_keep_nothing_from_the_others() -> None:
    """Seven cars at ten stations of 6 A: all of the 58 A beside the building is theirs, 8.2 A each."""
    made = static(10, 80.0, 7, worst_base_a=20.0, fallback_a=6.0)
    assert [made.targets()[f"s{k}"] for k in range(7)] == [8.2] * 7


def test_what_a_car_does_not_take_is_wasted() -> None:
    """A full car keeps its share, and the others get nothing of it."""
    made = static(4, 80.0, worst_base_a=20.0)
    made.core.status("s0", made.t, "SuspendedEV")
    made.run(300, meter=False)
    assert made.targets()["s1"] == 14.5


def test_a_new_car_makes_the_others_give_way_first() -> None:
    """At no moment do all shares together pass the budget."""
    made = static(4, 80.0, 3, worst_base_a=20.0)
    made.plug("s3")
    for _ in range(60):
        made.run(1, meter=False)
        assert sum(made.granted.values()) <= 80.0 - 20.0
    assert made.targets()["s3"] == 14.5


def test_below_six_amperes_each_they_take_turns() -> None:
    """15 A are enough for two of four cars at a time, and every one has had its turn after an hour."""
    made = static(4, 35.0, worst_base_a=18.0)
    seen: set[str] = set()
    for _ in range(60):
        made.run(60, meter=False)
        now = {role for role, amps in made.targets().items() if amps >= 6.0}
        assert len(now) <= 2
        seen |= now
    assert seen == set(made.cars)


def test_a_shared_feeder_is_divided_among_those_behind_it() -> None:
    """The tree holds for static sharing as well: no line of any node gets more than its limit."""
    made = static(3, 90.0, wiring="three-phase", connections=("L1-N", "L1-N", "L2-N"))
    assert [made.targets()[role] for role in ("s0", "s1", "s2")] == pytest.approx([32.0, 32.0, 32.0])
    assert static(3, 40.0, connections=("L1-N",) * 3).targets()["s0"] == pytest.approx(12.6, abs=0.1)
