"""Shares over the tree are the optimum that linear programs find, where currents add up linearly."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hilbench.controller.allocate import Ranks, Tree, allocate, fill
from hilbench.site import Branch, Feeder, Service, Site
from tests.max_min import max_min

CONNECTIONS = ("L1-N", "L2-N", "L3-N", "L1-L2-L3", "L2-L3-L1", "L3-L1-L2")
"""No load between two lines: in all others the currents of one line have one angle."""


@st.composite
def sites(draw: st.DrawFn) -> Site:
    """Up to three levels, up to twelve stations anywhere in the tree."""
    rating = st.floats(10.0, 120.0)
    feeders: list[Feeder] = []
    for index in range(draw(st.integers(0, 5))):
        parent = draw(st.sampled_from(["service", *(feeder.id for feeder in feeders)]))
        feeders.append(Feeder(id=f"f{index}", parent=parent, rating_a=draw(rating)))
    places = ["service", *(feeder.id for feeder in feeders)]
    branches = tuple(
        Branch(
            role=f"s{index}",
            feeder=draw(st.sampled_from(places)),
            branch_a=40,
            max_a=32,
            connection=draw(st.sampled_from(CONNECTIONS)),
        )
        for index in range(draw(st.integers(1, 12)))
    )
    service = Service(rating_a=draw(rating), voltage_v=400, wiring="three-phase")
    return Site(name="x", service=service, feeders=tuple(feeders), branches=branches)


def matrix_of(tree: Tree) -> np.ndarray:
    """Amperes in each constraint per ampere of each station."""
    matrix = np.zeros((len(tree.keys), len(tree.roles)))
    matrix[tree.rows, tree.columns] = np.abs(tree.units)
    return matrix


@given(sites(), st.data())
def test_shares_are_max_min_fair(site: Site, data: st.DataObject) -> None:
    """Filling gives what a linear program per level gives, for any caps."""
    tree = Tree(site)
    caps = np.array([data.draw(st.floats(0.0, 32.0)) for _ in tree.roles])
    found = fill(tree, tree.limits, np.zeros(len(caps)), caps)
    assert np.allclose(found, max_min(matrix_of(tree), tree.limits, caps), atol=1e-5)


@given(sites())
def test_with_room_for_all_the_minimum_changes_nothing(site: Site) -> None:
    """Where every share is 6 A or more, it is the same with the minimum as without."""
    tree = Tree(site)
    caps = np.full(len(tree.roles), 32.0)
    best = max_min(matrix_of(tree), tree.limits, caps)
    if best.min() >= 6.0:
        order, ranks = list(range(len(caps))), Ranks.of(site.branches)
        assert np.allclose(allocate(tree, tree.limits, caps, order, ranks, 6.0), best, atol=1e-5)
