"""The judge of a scenario: every OCPD of the tree, warm from before, the worst one told."""

from __future__ import annotations

from pathlib import Path

import pytest

from hilbench.rig import Rig, load_rig
from hilbench.searching.judge import judge, poles
from hilbench.signals import Record, line_current
from tests.rigs import trio


def recorded(rig: Rig, **currents: list[tuple[float, float]]) -> Record:
    """A record of constant zero, but for the corner points (t, A) given by pole as ``node_line``."""
    record = Record()
    for pole in poles(rig):
        signal = record.signal(line_current(pole.node, pole.line), "A", "linear")
        for t, amps in currents.get(f"{pole.node}_{pole.line}", [(0.0, 0.0), (600.0, 0.0)]):
            signal.append(t, amps)
    return record


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    """Three stations on 40 A branches behind 60 A, budget 48 A."""
    return load_rig(str(trio(tmp_path)))


def test_a_quiet_site_stays_where_it_began(rig: Rig) -> None:
    """Without current nothing rises above the warm start of the budget: (48 / 60 / 1.35)^2 of the trip heat."""
    found = judge(rig, recorded(rig), 0.0, 600.0)
    assert (found.outcome, found.rise, found.above_s) == ("cannot-trip", 0.0, 0.0)
    assert found.fraction == pytest.approx(0.351, abs=0.001)


def test_twice_the_rating_for_ten_minutes_trips_every_breaker(rig: Rig) -> None:
    """120 A on the 60 A service is found on its line, with peak, time and charge above the rating."""
    found = judge(rig, recorded(rig, service_L2=[(0.0, 120.0), (600.0, 120.0)]), 0.0, 600.0)
    assert (found.outcome, found.where, found.peak_ratio) == ("must-trip", "service L2", 2.0)
    assert found.fraction > 1.0
    assert (found.above_s, found.above_as) == (600.0, 36_000.0)


def test_a_moment_above_the_rating_is_for_a_fast_breaker_to_say(rig: Rig) -> None:
    """Five seconds of 66 A trip no slow UL 489 breaker, and may trip a fast one."""
    pulse = [(0.0, 40.0), (100.0, 40.0), (100.0, 66.0), (105.0, 66.0), (105.0, 40.0), (600.0, 40.0)]
    found = judge(rig, recorded(rig, service_L1=pulse), 0.0, 600.0)
    assert (found.outcome, found.where) == ("indeterminate", "service L1")
    assert found.above_s == pytest.approx(5.0)


def test_a_branch_counts_where_it_may_trip_only(rig: Rig) -> None:
    """A car that draws its nameplate is no finding; one that draws far more than its branch bears is the worst."""
    calm = judge(rig, recorded(rig, A_L1=[(0.0, 32.0), (600.0, 32.0)]), 0.0, 600.0)
    assert calm.where.startswith("service")
    wild = judge(rig, recorded(rig, A_L1=[(0.0, 80.0), (600.0, 80.0)]), 0.0, 600.0)
    assert (wild.where, wild.outcome) == ("A L1", "must-trip")


def test_the_worst_is_the_worst_of_all_poles(rig: Rig) -> None:
    """Working out only what can be the worst finds the same as working out all: the hotter of two overloads."""
    currents = {"service_L1": [(0.0, 70.0), (600.0, 70.0)], "service_L2": [(0.0, 75.0), (600.0, 75.0)]}
    assert judge(rig, recorded(rig, **currents), 0.0, 600.0).where == "service L2"
    hot_but_short = {"service_L1": [(0.0, 79.0), (5.0, 79.0), (5.0, 0.0), (600.0, 0.0)]}
    assert judge(rig, recorded(rig, **(currents | hot_but_short)), 0.0, 600.0).where == "service L2"


def test_a_transformer_is_no_breaker() -> None:
    """Of the garage's tree the service and the pods have OCPDs; the transformer between them has none of its own."""
    nodes = {pole.node for pole in poles(load_rig("garage-54"))}
    assert {"service", "pod-cc", "pod-av"} <= nodes
    assert "garage" not in nodes
