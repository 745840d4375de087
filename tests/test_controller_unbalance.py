"""Lines that may differ by so much only."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hilbench.controller.allocate import Tree
from hilbench.controller.explain import why
from hilbench.controller.unbalance import balanced, paced
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


def test_a_car_that_alone_could_fill_the_emptiest_line_begins() -> None:
    """Beside two cars on L1 and one on all lines, one on L2 begins, and the three-phase one has all it wants."""
    rotations = ("L1-L2-L3", "L1-L2-L3", "L2-L3-L1", "L1-L2-L3")
    made = toy(4, 200.0, wiring="three-phase", connections=rotations, unbalance_a=18.0, cars=0)
    made.plug("s0", "s1", phases=1)
    made.plug("s3", phases=3)
    made.run(200)
    made.plug("s2", phases=1)
    made.run(300)
    assert made.granted["s3"] == 32.0
    assert made.granted["s2"] >= 16.0
    assert made.granted["s0"] + made.granted["s1"] >= 17.0


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


@given(STATIONS, BASE, st.floats(6.0, 40.0), st.data())
def test_no_line_is_raised_further_beyond_the_emptiest(
    stations: list[tuple[str, float]], base: tuple[float, ...], most_a: float, data: st.DataObject
) -> None:
    """With the parts that are let, lines that were not too far ahead before are not now; nobody falls."""
    tree = Tree(site(len(stations), 500.0, wiring="three-phase", connections=tuple(c for c, _a in stations)))
    wished, there = np.array([amps for _c, amps in stations]), np.array(base)
    held = wished * np.array([data.draw(st.floats(0.0, 1.0)) for _ in stations])
    sure = held * np.array([data.draw(st.floats(0.0, 1.0)) for _ in stations])
    parts = paced(tree, held, wished, sure, there, most_a, np.zeros(len(stations), dtype=bool))
    assert ((parts >= 0.0) & (parts <= 1.0)).all()
    now = lines(tree, held + parts * (wished - held), there)
    bound = max(lines(tree, sure, there).min() + most_a, lines(tree, held, there).max())
    assert now.max() <= bound + 1e-6


def test_cars_wait_for_one_on_another_line_that_was_offered_more_and_does_not_say_what_it_takes() -> None:
    """The silent car may draw nothing on L1: the others get no further than 10 A beyond that, and why says so."""
    made = toy(3, 200.0, wiring="three-phase", connections=("L1-N", "L2-N", "L3-N"), unbalance_a=10.0, cars=0)
    made.silent.add("s0")
    made.plug("s0", demand_a=0.0)
    made.plug("s1", "s2")
    made.run(300)
    assert all(8.5 <= amps <= 10.0 for amps in made.targets().values())
    assert why(made.core, "s1", made.t).kind == "unbalance"
    made.silent.clear()
    made.cars["s0"].demand_a = 32.0
    made.run(200)
    assert min(made.targets().values()) == 32.0
