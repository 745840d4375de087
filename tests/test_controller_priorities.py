"""Who gets more, who comes first, and how long anybody waits at most."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilbench.controller.allocate import Ranks, Tree, allocate
from hilbench.controller.settings import ControllerSettings
from tests.controller_toy import Toy, site, toy


def shares(room_a: float, weights: tuple[float, ...], guaranteed: tuple[float, ...] = ()) -> list[float]:
    """What cars of 32 A get of a line with so much room."""
    place = site(len(weights), 500.0, weights=weights, guaranteed=guaranteed)
    count = len(weights)
    found = allocate(Tree(place), np.array([room_a]), np.full(count, 32.0), range(count), Ranks.of(place.branches), 6.0)
    return [float(amps) for amps in found]


def test_shares_go_by_weight() -> None:
    """30 A between weights 1 and 2 are 10 and 20 A."""
    assert shares(30.0, (1.0, 2.0)) == pytest.approx([10.0, 20.0])


def test_nobody_falls_below_the_least_current_for_his_weight() -> None:
    """Weight 1 beside 9: 6 A stay, and the rest goes to the other."""
    assert shares(30.0, (1.0, 9.0)) == pytest.approx([6.0, 24.0])


def test_what_is_guaranteed_comes_before_sharing() -> None:
    """30 A for three, one of them guaranteed 16 A: the others have 7 A each."""
    assert shares(30.0, (1.0, 1.0, 1.0), (16.0, 0.0, 0.0)) == pytest.approx([16.0, 7.0, 7.0])


def test_a_guarantee_takes_nobody_out() -> None:
    """With 20 A for three a guarantee of 16 A cannot be kept: all get their 6 A first."""
    assert min(shares(20.0, (1.0, 1.0, 1.0), (16.0, 0.0, 0.0))) >= 6.0


WEIGHTED = st.lists(st.tuples(st.sampled_from([0.5, 1.0, 2.0, 5.0]), st.floats(6.0, 32.0)), min_size=1, max_size=8)


@given(WEIGHTED, st.floats(0.0, 200.0))
def test_weighted_shares_are_one_level_cut_at_both_ends(cars: list[tuple[float, float]], room_a: float) -> None:
    """There is a level with which each has weight x level, but no less than 6 A and no more than his cap."""
    place = site(len(cars), 500.0, weights=tuple(weight for weight, _cap in cars))
    caps = np.array([cap for _weight, cap in cars])
    weights = np.array([weight for weight, _cap in cars])
    found = allocate(Tree(place), np.array([room_a]), caps, range(len(cars)), Ranks.of(place.branches), 6.0)
    inside = found > 0.0
    assert found.sum() <= room_a + 1e-5
    between = inside & (found > 6.0 + 1e-6) & (found < caps - 1e-6)
    level = float((found / weights)[between].max()) if between.any() else None
    if level is not None:
        assert np.allclose((found / weights)[between], level, atol=1e-5)
        assert np.allclose(found[inside], np.clip(weights * level, 6.0, caps)[inside], atol=1e-4)


def test_a_boost_comes_first_and_ends() -> None:
    """With 20 A for three cars a boosted one has what is left of the least current, until its time is over."""
    made = toy(3, 22.0, settings=ControllerSettings(raise_hold_s=5.0))
    made.run(200)
    made.core.boost("s2", made.t + 300.0)
    made.run(200)
    assert made.targets()["s2"] == pytest.approx(7.8, abs=0.3)
    assert made.targets()["s0"] == pytest.approx(6.0, abs=0.3)
    made.run(600)
    assert np.ptp(list(made.targets().values())) < 0.5


def waits(made: Toy, seconds: int) -> dict[str, float]:
    """The longest time that each car that wants current was without."""
    longest, since = dict.fromkeys(made.cars, 0.0), dict.fromkeys(made.cars, made.t)
    for _ in range(0, seconds, 10):
        made.run(10)
        for role, amps in made.targets().items():
            since[role] = made.t if amps >= 6.0 else since[role]
            longest[role] = max(longest[role], made.t - since[role])
    return longest


def test_within_a_class_nobody_waits_longer_than_the_others_turns() -> None:
    """Five cars, room for two: after ceil(3 / 2) turns of 120 s, and the hold before each start, all had one."""
    rules = ControllerSettings(rotation_s=120.0, resume_hold_s=10.0, raise_hold_s=5.0)
    made = toy(5, 16.0, settings=rules)
    bound = math.ceil(3 / 2) * (rules.rotation_s + 2.0 * rules.settle_s + rules.resume_hold_s)
    assert max(waits(made, 3600).values()) <= bound


def test_a_lower_class_waits_for_most_wait_at_most() -> None:
    """A guest beside fleet cars that can use everything still has a turn after most_wait_s."""
    rules = ControllerSettings(rotation_s=120.0, resume_hold_s=10.0, raise_hold_s=5.0, most_wait_s=900.0)
    made = toy(3, 16.0, priorities=(5, 5, 0), settings=rules)
    found = waits(made, 7200)
    assert 800.0 < found["s2"] <= 900.0 + rules.rotation_s
    assert all(a <= b for a, b in pairwise(sorted(found.values())))
