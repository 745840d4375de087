"""Turns where not all cars can have 6 A: who waits, for how long, and what a turn costs the others."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from hilbench.controller.core import Core
from hilbench.controller.settings import ControllerSettings
from hilbench.controller.static import StaticCore
from hilbench.controller.stations import StationState
from tests.controller_toy import Toy, toy

RULES = ControllerSettings(rotation_s=240.0, resume_hold_s=10.0, raise_hold_s=5.0)
LAWS = pytest.mark.parametrize("law", [Core, StaticCore])


def charging(made: Toy, seconds: int) -> NDArray[np.bool_]:
    """Who has 6 A or more [second, car]."""
    found = []
    for _ in range(seconds):
        made.run(1, meter=not isinstance(made.core, StaticCore))
        found.append([amps >= 6.0 for amps in made.granted.values()])
    return np.array(found)


@LAWS
def test_turns_that_end_together_do_not_interrupt_all(law: type[Core]) -> None:
    """Seven cars plugged in at once, room for six: within 30 s of the end of the first turns two begin at most."""
    found = charging(toy(7, 40.0, settings=RULES, law=law), 600)[60:]
    begins = np.flatnonzero(found[1:] & ~found[:-1]) // 7
    assert np.count_nonzero(begins <= begins[0] + 30) <= 2


@LAWS
@pytest.mark.parametrize(("cars", "room"), [(7, 6), (4, 3), (5, 2)])
def test_who_gave_up_a_place_waits_as_long_as_the_others_do(law: type[Core], cars: int, room: int) -> None:
    """Once the first turns are over, every two rounds give all the same part of the time, within a tenth."""
    made = toy(cars, 6.0 * room + 4.0, settings=RULES, law=law)
    charging(made, 2 * 240 * -(-cars // room))
    part = charging(made, 2 * 240 * cars // room).mean(axis=0)
    assert part == pytest.approx(np.full(cars, room / cars), rel=0.1)


def test_a_paused_car_rests_under_static_sharing_as_well() -> None:
    """No car is switched on again before resume_hold_s, though there is room for it."""
    made = toy(1, 10.0, settings=RULES, law=StaticCore)
    assert charging(made, 60)[-1, 0]
    made.core.building.assume(made.t, np.array([10.0]))
    while made.granted["s0"] > 0.0:
        charging(made, 1)
    made.core.building.assume(made.t, np.array([0.0]))
    assert not charging(made, int(RULES.resume_hold_s) - 1).any()
    assert charging(made, 10)[-1, 0]


def just_told() -> tuple[Toy, StationState]:
    """Five cars, room for two, when one of those that waited was given a place and has not confirmed it."""
    made = toy(5, 16.0, settings=RULES)
    charging(made, 60)
    made.deaf = {role for role, amps in made.granted.items() if amps < 6.0}
    while True:
        made.run(1)
        for role in made.deaf:
            if made.core.stations[role].target_a >= 6.0:
                return made, made.core.stations[role]


def test_a_place_is_not_taken_back_before_its_station_could_answer() -> None:
    """Decisions between a limit and its answer leave the turn to the one that was told, though others wait."""
    made, told = just_told()
    for _ in range(8):
        made.run(1)
        assert told.target_a >= 6.0


def test_a_status_before_the_answer_does_not_cost_the_turn() -> None:
    """SuspendedEV is what a station says that offers again; the answer to its limit may come later."""
    made, told = just_told()
    turn_t = told.turn_t
    made.core.status(told.branch.role, made.t, "SuspendedEV")
    assert told.wants
    made.core.confirmed(told.branch.role, made.t, told.target_a, 30.0)
    made.decide()
    assert (told.turn_t, told.target_a >= 6.0) == (turn_t, True)
