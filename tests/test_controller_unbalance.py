"""Lines that may differ by so much only."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hilbench.controller.allocate import Tree
from hilbench.controller.unbalance import balanced
from tests.controller_toy import site, toy

CONNECTIONS = ("L1-N", "L2-N", "L3-N", "L1-L2-L3", "L2-L3-L1")
STATIONS = st.lists(
    st.tuples(st.sampled_from(CONNECTIONS), st.one_of(st.just(0.0), st.floats(6.0, 32.0))), min_size=1, max_size=8
)
BASE = st.tuples(*[st.floats(0.0, 15.0)] * 3)


def lines(tree: Tree, shares: np.ndarray, base: np.ndarray) -> np.ndarray:
    """Currents of the service."""
    found: np.ndarray = np.abs(tree.load(shares)) + base
    return found


@given(STATIONS, BASE, st.floats(16.0, 40.0))
def test_the_lines_stay_together(stations: list[tuple[str, float]], base: tuple[float, ...], most_a: float) -> None:
    """No pair of lines differs by more, nobody gets more than he had, or less than 6 A and more than nothing."""
    tree = Tree(site(len(stations), 500.0, wiring="three-phase", connections=tuple(c for c, _a in stations)))
    shares, there = np.array([amps for _c, amps in stations]), np.array(base)
    found = balanced(tree, shares, there, most_a, list(range(len(stations))), 6.0)
    now = lines(tree, found, there)
    assert now.max() - now.min() <= most_a + 1e-3
    assert (found <= shares + 1e-9).all()
    assert all(amps == 0.0 or amps >= 6.0 - 1e-9 for amps in found)
    if np.ptp(lines(tree, shares, there)) <= most_a:
        assert (found == shares).all()


def test_single_phase_cars_on_one_line_share_20_amperes() -> None:
    """4.6 kVA on one line and nothing on the others: two cars of 32 A get 10 A each, and three-phase ones all."""
    made = toy(3, 200.0, wiring="three-phase", connections=("L1-N", "L1-N", "L1-L2-L3"), unbalance_a=20.0)
    made.run(300)
    found = made.targets()
    assert found["s0"] + found["s1"] <= 20.0
    assert min(found["s0"], found["s1"]) >= 9.5
    assert found["s2"] == 32.0


def test_a_car_of_unknown_phases_is_taken_for_one_on_one_line() -> None:
    """Until it has reported, a car at a three-phase station gets no more than one line may differ by."""
    made = toy(1, 200.0, wiring="three-phase", unbalance_a=16.0)
    made.silent.add("s0")
    made.run(200)
    assert made.targets()["s0"] == 16.0
