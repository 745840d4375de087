"""Shares over the constraint tree, against oracles that know nothing of how they are found."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilbench.controller.allocate import Ranks, Tree, admit, allocate
from hilbench.site import Branch, Feeder, Service, Site

CONNECTIONS = {
    "single-phase": ("L1-N",),
    "split-phase": ("L1-N", "L2-N", "L1-L2", "L2-L1"),
    "three-phase": ("L1-N", "L2-N", "L3-N", "L1-L2", "L2-L3", "L3-L1", "L3-L2", "L1-L2-L3", "L2-L3-L1", "L3-L1-L2"),
}
MINIMUM_A = 6.0
NEAR_A = 1e-5


@dataclass
class Case:
    """One question to the allocation, with the room of every (node, line)."""

    site: Site
    room: dict[tuple[str, str], float]
    caps: list[float]
    order: list[int]
    classes: list[int]

    def shares(self) -> list[float]:
        """The answer."""
        tree = Tree(self.site)
        room = np.array([self.room[key] for key in tree.keys])
        ones = np.ones(len(self.caps))
        ranks = Ranks(np.array(self.classes, dtype=np.float64), ones, 0.0 * ones)
        found = allocate(tree, room, np.array(self.caps), self.order, ranks, MINIMUM_A)
        return [float(amps) for amps in found]

    def constraints(self, column: int) -> list[tuple[str, str]]:
        """Every (node, line) that the station loads."""
        branch = self.site.branches[column]
        return [(node, line) for node in self.site.path(branch.feeder) for line in self.site.unit_currents(branch)]

    def current(self, key: tuple[str, str], amps: Sequence[float]) -> float:
        """Magnitude of the phasor sum in one line of one node, from the site alone."""
        node, line = key
        total = 0j
        for column, branch in enumerate(self.site.branches):
            if amps[column] and node in self.site.path(branch.feeder):
                total += self.site.unit_currents(branch).get(line, 0j) * amps[column]
        return abs(total)

    def fits(self, amps: Sequence[float], slack: float = NEAR_A) -> bool:
        """True when no constraint with anybody behind it is exceeded."""
        used = {key for column, share in enumerate(amps) if share for key in self.constraints(column)}
        return all(self.current(key, amps) <= self.room[key] + slack for key in used)


def one_by_one(case: Case) -> list[bool]:
    """Who has the minimum when stations are served in order and one that does not fit is passed over."""
    amps = [0.0] * len(case.caps)
    for column in case.order:
        if case.caps[column] >= MINIMUM_A:
            amps[column] = MINIMUM_A
            if not case.fits(amps):
                amps[column] = 0.0
    return [share > 0 for share in amps]


def drop_by_drop(case: Case, drop: float) -> list[float]:
    """Shares poured in drops: class after class, everybody in turn, as long as it fits."""
    amps = [MINIMUM_A if admitted else 0.0 for admitted in one_by_one(case)]
    for rank in sorted(set(case.classes), reverse=True):
        thirsty = [k for k, share in enumerate(amps) if share > 0 and case.classes[k] == rank]
        while thirsty:
            for column in list(thirsty):
                amps[column] += drop
                if amps[column] > case.caps[column] or not case.fits(amps):
                    amps[column] -= drop
                    thirsty.remove(column)
    return amps


@st.composite
def cases(draw: st.DrawFn, most: int = 12, caps: Sequence[float] = (0.0, 5.9, 6.0, 13.3, 16.0, 32.0)) -> Case:
    """Any tree of up to six feeders, any mix of connections, room from none to plenty."""
    wiring = draw(st.sampled_from(sorted(CONNECTIONS)))
    ids = ["service"]
    feeders = []
    for k in range(draw(st.integers(0, 6))):
        feeders.append(
            Feeder(id=f"f{k}", parent=draw(st.sampled_from(ids)), rating_a=draw(st.sampled_from((20, 50, 90))))
        )
        ids.append(f"f{k}")
    branches = tuple(
        Branch(
            role=f"s{k}",
            feeder=draw(st.sampled_from(ids)),
            branch_a=40,
            max_a=32,
            connection=draw(st.sampled_from(CONNECTIONS[wiring])),
        )
        for k in range(draw(st.integers(1, most)))
    )
    service = Service(rating_a=draw(st.sampled_from((25, 80, 200))), voltage_v=240, wiring=wiring)
    site = Site(name="any", service=service, feeders=tuple(feeders), branches=branches)
    room = {
        (node.id, line): node.limit_a - draw(st.sampled_from((-3.0, 0.0, 1.0, 7.7, 30.0, 100.0)))
        for node in site.nodes
        for line in site.lines
    }
    count = len(branches)
    return Case(
        site,
        room,
        draw(st.lists(st.sampled_from(list(caps)), min_size=count, max_size=count)),
        draw(st.permutations(range(count)))[: draw(st.integers(0, count))],
        draw(st.lists(st.integers(0, 2), min_size=count, max_size=count)),
    )


def line_of(
    count: int, room_a: float, caps: Sequence[float] | None = None, classes: Sequence[int] | None = None
) -> Case:
    """Stations beside each other behind one line with ``room_a``."""
    branches = tuple(Branch(role=f"s{k}", branch_a=40, max_a=32, connection="L1-N") for k in range(count))
    site = Site(name="line", service=Service(rating_a=100, voltage_v=230, wiring="single-phase"), branches=branches)
    room = {("service", "L1"): room_a}
    return Case(site, room, list(caps or [32.0] * count), list(range(count)), list(classes or [0] * count))


@settings(deadline=None, max_examples=150)
@given(cases())
def test_no_constraint_is_exceeded(case: Case) -> None:
    """The phasor sum in every line of every node stays within its room, whatever the tree and the connections."""
    assert case.fits(case.shares())


@settings(deadline=None, max_examples=100)
@given(cases(), st.data())
def test_cars_that_take_less_never_overload_anything(case: Case, data: st.DataObject) -> None:
    """A car that draws only part of its share makes no line current larger than its room."""
    drawn = [share * data.draw(st.sampled_from((0.0, 0.5, 0.9, 1.0))) for share in case.shares()]
    assert case.fits(drawn)


@settings(deadline=None, max_examples=150)
@given(cases())
def test_a_share_is_nothing_or_from_six_amperes_to_the_cap(case: Case) -> None:
    """No share lies below 6 A or above its cap, and who is not in the queue or cannot take 6 A gets none."""
    for column, share in enumerate(case.shares()):
        assert share == 0.0 or MINIMUM_A <= share <= max(case.caps[column], 0.0)
        assert share == 0.0 or column in case.order


@settings(deadline=None, max_examples=150)
@given(cases())
def test_admission_is_that_of_serving_one_after_the_other(case: Case) -> None:
    """Exactly those get the minimum who get it when the queue is served in order, passing over who does not fit."""
    assert [share > 0 for share in case.shares()] == one_by_one(case)


@settings(deadline=None, max_examples=150)
@given(cases())
def test_nobody_can_be_raised_but_at_the_cost_of_an_equal_or_poorer_one(case: Case) -> None:
    """Below its cap each station is behind a full line where none of its class has more, and lower classes have 6 A.

    This is what max-min fair means with classes: to raise it, somebody of its class with no more, or somebody of a
    higher class, would have to go down.
    """
    shares = case.shares()

    def holds(key: tuple[str, str], column: int) -> bool:
        beside = [k for k, share in enumerate(shares) if share and key in case.constraints(k)]
        full = case.current(key, shares) >= case.room[key] - 1e-4
        same = all(shares[k] <= shares[column] + 1e-4 for k in beside if case.classes[k] == case.classes[column])
        lower = all(shares[k] <= MINIMUM_A + 1e-4 for k in beside if case.classes[k] < case.classes[column])
        return full and same and lower

    for column, share in enumerate(shares):
        if share and share < case.caps[column] - 1e-4:
            assert any(holds(key, column) for key in case.constraints(column)), (column, shares)


@settings(deadline=None, max_examples=40)
@given(cases(most=5, caps=(6.0, 9.0, 16.0)))
def test_shares_are_those_of_pouring_drop_by_drop(case: Case) -> None:
    """Giving 0.05 A in turn to everybody who still fits ends at the same shares, but for what few drops move."""
    drop = 0.05
    poured = drop_by_drop(case, drop)
    assert case.shares() == pytest.approx(poured, abs=12 * drop)


@settings(deadline=None, max_examples=50)
@given(cases())
def test_the_same_question_has_the_same_answer_bit_for_bit(case: Case) -> None:
    """Shares depend on nothing but the question."""
    assert case.shares() == case.shares()


@settings(deadline=None, max_examples=50)
@given(cases())
def test_without_room_nobody_gets_anything(case: Case) -> None:
    """Room of zero, or an overload, everywhere: all shares are 0."""
    for nothing in (0.0, -50.0):
        case.room = dict.fromkeys(case.room, nothing)
        assert case.shares() == [0.0] * len(case.caps)


def test_equal_cars_share_equally() -> None:
    """Four cars behind 50 A get 12.5 A each."""
    assert line_of(4, 50.0).shares() == pytest.approx([12.5] * 4)


def test_what_one_cannot_take_goes_to_the_others() -> None:
    """A car that takes 8 A leaves 21 A to each of the two others behind 50 A."""
    assert line_of(3, 50.0, caps=[8.0, 32.0, 32.0]).shares() == pytest.approx([8.0, 21.0, 21.0])


def test_a_higher_class_is_filled_first_above_the_minimum_of_all() -> None:
    """Behind 50 A the car of class 1 gets 32 A, and the two of class 0 share what is left, 9 A each."""
    assert line_of(3, 50.0, classes=[0, 1, 0]).shares() == pytest.approx([9.0, 32.0, 9.0])
    assert line_of(3, 30.0, classes=[0, 1, 0]).shares() == pytest.approx([6.0, 18.0, 6.0])


def test_when_not_all_can_have_six_amperes_the_first_in_the_queue_do() -> None:
    """Behind 17 A two of four cars charge, the first two of the queue, and share what the others cannot use."""
    case = line_of(4, 17.0)
    case.order = [2, 0, 1, 3]
    assert case.shares() == pytest.approx([8.5, 0.0, 8.5, 0.0])


def test_a_station_that_does_not_fit_is_passed_over() -> None:
    """The first of the queue is behind a full feeder: the next one is served."""
    branches = (
        Branch(role="full", feeder="f", branch_a=40, max_a=32, connection="L1-N"),
        Branch(role="free", branch_a=40, max_a=32, connection="L1-N"),
    )
    service = Service(rating_a=50, voltage_v=230, wiring="single-phase")
    site = Site(name="two", service=service, feeders=(Feeder(id="f", rating_a=10),), branches=branches)
    case = Case(site, {("service", "L1"): 40.0, ("f", "L1"): 5.0}, [32.0, 32.0], [0, 1], [0, 0])
    assert case.shares() == pytest.approx([0.0, 32.0])


def test_one_station_gets_the_least_of_room_and_cap() -> None:
    """Alone it gets all the room, never more than its cap, and nothing below 6 A."""
    assert line_of(1, 20.0).shares() == pytest.approx([20.0])
    assert line_of(1, 80.0).shares() == [32.0]
    assert line_of(1, 6.0).shares() == [6.0]
    assert line_of(1, 5.9).shares() == [0.0]


def test_the_tightest_node_of_a_deep_tree_decides() -> None:
    """Twelve feeders in a row: the one with the least room sets the shares below it, the others take the rest."""
    feeders = tuple(Feeder(id=f"f{k}", parent=f"f{k - 1}" if k else "service", rating_a=100) for k in range(12))
    branches = (
        Branch(role="deep", feeder="f11", branch_a=40, max_a=32, connection="L1-N"),
        Branch(role="deep2", feeder="f11", branch_a=40, max_a=32, connection="L1-N"),
        Branch(role="high", feeder="f2", branch_a=40, max_a=32, connection="L1-N"),
    )
    service = Service(rating_a=100, voltage_v=230, wiring="single-phase")
    site = Site(name="deep", service=service, feeders=feeders, branches=branches)
    room = {(node.id, "L1"): 45.0 for node in site.nodes} | {("f7", "L1"): 14.0}
    case = Case(site, room, [32.0] * 3, [0, 1, 2], [0, 0, 0])
    assert case.shares() == pytest.approx([7.0, 7.0, 31.0])


def test_lines_add_up_as_phasors() -> None:
    """Two line-to-line cars that share L2 may draw 10 A / (2 cos 30 deg) x 2 together where 20 A scalars would not fit.

    Equal currents from L1-L2 and L2-L3 are 60 degrees apart in L2: sqrt(3) times one, not twice.
    """
    branches = tuple(Branch(role=c, branch_a=40, max_a=32, connection=c) for c in ("L1-L2", "L2-L3"))
    service = Service(rating_a=100, voltage_v=208, wiring="three-phase")
    site = Site(name="delta", service=service, branches=branches)
    room = {("service", "L1"): 50.0, ("service", "L2"): 20.0, ("service", "L3"): 50.0}
    case = Case(site, room, [32.0, 32.0], [0, 1], [0, 0])
    assert case.shares() == pytest.approx([20.0 / math.sqrt(3.0)] * 2)


def test_a_line_that_nobody_uses_holds_nobody_back() -> None:
    """An overload on L3 does not touch cars on L1 and L2."""
    branches = tuple(Branch(role=c, branch_a=40, max_a=32, connection=c) for c in ("L1-N", "L2-N", "L3-N"))
    site = Site(name="y", service=Service(rating_a=100, voltage_v=400, wiring="three-phase"), branches=branches)
    room = {("service", "L1"): 32.0, ("service", "L2"): 12.0, ("service", "L3"): -4.0}
    assert Case(site, room, [32.0] * 3, [0, 1, 2], [0] * 3).shares() == pytest.approx([32.0, 12.0, 0.0])


@settings(deadline=None, max_examples=100)
@given(cases(), st.sampled_from((1.0, 6.0, 10.0)))
def test_admission_passes_over_nobody_who_fits(case: Case, amps: float) -> None:
    """Whoever is left out would not fit beside all that were admitted before it."""
    tree = Tree(case.site)
    inside = admit(tree, np.array([case.room[key] for key in tree.keys]), case.order, amps)
    served = [0.0] * len(case.caps)
    for column in case.order:
        served[column] = amps
        assert case.fits(served) == bool(inside[column])
        served[column] = amps if inside[column] else 0.0
