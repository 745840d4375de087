"""Rules of a site beyond its budget: unbalance of the lines (6.3), and what feeders carry beside stations (7.1b)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilbench.metrics.unbalance import unbalance
from hilbench.nature import could_unbalance, crowded_roles, facts, loaded_feeders
from hilbench.procedures import select
from hilbench.requirements import load_requirements
from hilbench.rig import load_rig
from hilbench.runner import Job, execute
from tests.controller_toy import site

RIG = "court-7"
CASES = {
    "6.3": ("ignores-unbalance", "unbalance_kva"),
    "7.1b": ("ignores-feeder-load", "time_above_rating"),
}


@pytest.mark.parametrize("procedure", CASES)
def test_the_good_controller_passes(procedure: str) -> None:
    """On a site with the rule it keeps it, and its cars charge."""
    done = execute(Job(RIG, procedure, 1, None))
    assert (done["verdict"], done["error"]) == ("PASS", "")


@pytest.mark.parametrize("procedure", CASES)
def test_a_controller_without_the_rule_fails(procedure: str) -> None:
    """By the metric that is about the rule."""
    defect, metric = CASES[procedure]
    done = execute(Job(RIG, procedure, 1, None, defect=defect))
    assert done["verdict"] == "FAIL"
    assert metric in {found["metric"] for found in done["measurements"] if found["verdict"] == "FAIL"}


def test_a_rig_without_the_rule_leaves_the_procedure_out() -> None:
    """Neither a limit of unbalance nor a load at a feeder: nothing there to be kept."""
    assert not {"lines.unbalanced", "feeders.loaded"} & facts(load_rig("europe-3ph"))
    assert {"lines.unbalanced", "feeders.loaded"} <= facts(load_rig(RIG))
    assert [one.id for one in select(["unbalance", "feeder-load-step"])] == ["7.1b", "6.3"]


def test_the_crowded_line_is_the_one_that_stations_can_load_most_alone() -> None:
    """By the first line of each; a limit that all of them together keep cannot be broken."""
    connections = ("L1-N", "L2-N", "L2-L3-L1", "L1-L2")
    place = site(4, wiring="three-phase", connections=connections, unbalance_a=20.0)
    assert crowded_roles(place) == ("L2", ["s1", "s2"])
    assert could_unbalance(place)
    assert not could_unbalance(place.model_copy(update={"unbalance_a": 64.0}))
    assert not could_unbalance(place.model_copy(update={"unbalance_a": None}))
    assert loaded_feeders(load_rig(RIG).electrical) == ["shop", "workshop"]


def test_unbalance_counts_as_a_mean_over_a_minute() -> None:
    """30 A for 20 s of a minute are 10 A; which line is the fuller one is said."""
    t = np.array([0.0, 100.0, 100.0, 120.0, 120.0, 300.0])
    pulse = (t, np.array([5.0, 5.0, 35.0, 35.0, 5.0, 5.0]))
    still = (np.array([0.0, 300.0]), np.array([5.0, 5.0]))
    amps, fuller, emptier = unbalance({"L1": still, "L2": pulse, "L3": still}, 60.0)
    assert (amps, fuller, emptier) == pytest.approx((10.0, "L2", "L3"))
    assert unbalance({"L1": pulse}, 60.0) == (0.0, "", "")


@settings(max_examples=40)
@given(st.lists(st.floats(0.0, 100.0), min_size=2, max_size=3))
def test_steady_lines_differ_by_the_greatest_less_the_least(amps: list[float]) -> None:
    """Whichever they are."""
    lines = {f"L{n}": (np.array([0.0, 100.0]), np.array([a, a])) for n, a in enumerate(amps, 1)}
    assert unbalance(lines, 60.0)[0] == pytest.approx(max(amps) - min(amps), abs=1e-9)


@pytest.mark.parametrize(("declared_kva", "limit"), [(3.0, 3.25), (4.3, 4.55), (6.0, 4.6)])
def test_the_strictest_of_what_the_site_and_the_rule_say_counts(declared_kva: float, limit: float) -> None:
    """4.6 kVA, or what the site declares and an ampere more where that is less."""
    requirements = load_requirements(["generic-v0", "vde-ar-n-4100"])
    clause = requirements.find("unbalance_kva", "6.3", context := {"unbalance_kva": declared_kva})
    assert clause is not None
    assert clause.acceptance(context)[1] == pytest.approx(limit)
