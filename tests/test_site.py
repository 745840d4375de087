"""The electrical site: its tree, and phasors held against values worked out by hand."""

from __future__ import annotations

import cmath
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilbench.site import Branch, Feeder, Service, Site

SPLIT = Service(rating_a=100, voltage_v=240, wiring="split-phase")
WYE_208 = Service(rating_a=400, voltage_v=208, wiring="three-phase")
WYE_400 = Service(rating_a=63, voltage_v=400, wiring="three-phase", frequency_hz=50)
SINGLE = Service(rating_a=63, voltage_v=230, wiring="single-phase", frequency_hz=50)


def branch(connection: str, fallback_a: float = 6.0, role: str = "A", feeder: str = "service") -> Branch:
    """A 32 A station."""
    return Branch(
        role=role, branch_a=40, max_a=32, connection=connection, fallback_a=fallback_a, feeder=feeder, priority=0
    )


def site(service: Service, *branches: Branch, **keys: Any) -> Site:
    """A site with these stations."""
    return Site(name="s", service=service, branches=branches, **keys)


def polar(value: complex) -> tuple[float, float]:
    """Magnitude, and angle in degrees."""
    return abs(value), math.degrees(cmath.phase(value))


@pytest.mark.parametrize(
    ("service", "lines", "volts"),
    [
        (SINGLE, ("L1",), 230.0),
        (SPLIT, ("L1", "L2"), 120.0),
        (WYE_208, ("L1", "L2", "L3"), 120.0889),
        (WYE_400, ("L1", "L2", "L3"), 230.9401),
    ],
)
def test_a_service_has_its_lines_and_a_voltage_to_neutral(
    service: Service, lines: tuple[str, ...], volts: float
) -> None:
    """208 and 400 V are line to line: to neutral they are divided by the root of three, 240 V by two."""
    assert service.lines == lines
    assert service.line_to_neutral_v == pytest.approx(volts, abs=1e-3)


@pytest.mark.parametrize(
    ("service", "connection", "volts"),
    [
        (SINGLE, "L1-N", 230.0),
        (SPLIT, "L1-N", 120.0),
        (SPLIT, "L1-L2", 240.0),
        (WYE_208, "L2-N", 120.0889),
        (WYE_208, "L3-L1", 208.0),
        (WYE_400, "L2-L3-L1", 230.9401),
    ],
)
def test_a_station_sees_the_voltage_of_its_terminals(service: Service, connection: str, volts: float) -> None:
    """Between two lines it is the full voltage, from a line to neutral that of one phase."""
    one = branch(connection)
    assert site(service, one).voltage_v(one) == pytest.approx(volts, abs=1e-3)


@pytest.mark.parametrize(
    ("service", "connection", "expected"),
    [
        (SINGLE, "L1-N", {"L1": 0.0}),
        (SPLIT, "L1-N", {"L1": 0.0}),
        (SPLIT, "L2-N", {"L2": 180.0}),
        (SPLIT, "L1-L2", {"L1": 0.0, "L2": 180.0}),
        (WYE_208, "L1-L2", {"L1": 30.0, "L2": -150.0}),
        (WYE_208, "L2-L3", {"L2": -90.0, "L3": 90.0}),
        (WYE_208, "L3-L1", {"L3": 150.0, "L1": -30.0}),
        (WYE_208, "L2-L1", {"L2": -150.0, "L1": 30.0}),
        (WYE_400, "L1-L2-L3", {"L1": 0.0, "L2": -120.0, "L3": 120.0}),
        (WYE_400, "L2-L3-L1", {"L2": -120.0, "L3": 120.0, "L1": 0.0}),
    ],
)
def test_unit_currents_have_the_angles_of_the_textbook(
    service: Service, connection: str, expected: dict[str, float]
) -> None:
    """A load between lines draws along their difference: L1-L2 of a wye leads L1 to neutral by 30 degrees."""
    one = branch(connection)
    found = {line: polar(unit) for line, unit in site(service, one).unit_currents(one).items()}
    assert list(found) == list(one.lines)
    for line, angle in expected.items():
        assert found[line][0] == pytest.approx(1.0)
        assert math.cos(math.radians(found[line][1] - angle)) == pytest.approx(1.0)


@pytest.mark.parametrize(("connection", "line"), [("L1-L2-L3", "L1"), ("L2-L3-L1", "L2"), ("L3-L1-L2", "L3")])
def test_a_one_phase_car_loads_the_line_that_rotation_gives_it(connection: str, line: str) -> None:
    """The car's first phase is the station's first terminal."""
    one = branch(connection)
    assert list(site(WYE_400, one).unit_currents(one, phases=1)) == [line]


def test_split_phase_fallbacks_add_up() -> None:
    """Ten stations of 6 A between both lines put 60 A into each."""
    stations = [branch("L1-L2", role=f"S{n}") for n in range(10)]
    assert site(SPLIT, *stations).fallback_sum_a("service") == pytest.approx(60.0)


def test_line_to_line_stations_of_208_v_add_up_as_phasors() -> None:
    """One of 10 A on each pair of lines makes 17.32 A per line, not 20: two currents that are 60 degrees apart."""
    stations = [branch(pair, 10.0, role=pair) for pair in ("L1-L2", "L2-L3", "L3-L1")]
    assert site(WYE_208, *stations).fallback_sum_a("service") == pytest.approx(17.3205, abs=1e-3)
    assert site(WYE_208, *stations[:1]).fallback_sum_a("service") == pytest.approx(10.0)


def test_opposite_halves_of_split_phase_do_not_add_up_in_a_line() -> None:
    """Stations to neutral on L1 and L2 load one line each."""
    assert site(SPLIT, branch("L1-N"), branch("L2-N", role="B")).fallback_sum_a("service") == pytest.approx(6.0)


@given(st.lists(st.sampled_from(["L1-L2-L3", "L2-L3-L1", "L3-L1-L2"]), min_size=1, max_size=12))
@settings(deadline=None)
def test_rotation_changes_nothing_for_balanced_stations(connections: list[str]) -> None:
    """Stations that draw on all three lines add up alike in each, however they are rotated."""
    stations = [branch(connection, role=f"S{n}") for n, connection in enumerate(connections)]
    assert site(WYE_400, *stations).fallback_sum_a("service") == pytest.approx(6.0 * len(connections))


def test_ratings_come_from_breaker_and_transformer() -> None:
    """The smaller of both counts, and 80 % of it is the budget unless another is given (NEC 210.20(A))."""
    feeders = (
        Feeder(id="breaker", rating_a=100),
        Feeder(id="kva", transformer_kva=150),
        Feeder(id="both", rating_a=500, transformer_kva=75, budget_a=90),
    )
    nodes = {node.id: node for node in site(WYE_208, feeders=feeders).nodes}
    assert (nodes["service"].rating_a, nodes["service"].limit_a) == (400.0, 320.0)
    assert (nodes["breaker"].rating_a, nodes["breaker"].limit_a) == (100.0, 80.0)
    assert nodes["kva"].rating_a == pytest.approx(416.36, abs=0.01)  # 150 kVA / (sqrt 3 x 208 V)
    assert nodes["kva"].limit_a == pytest.approx(333.09, abs=0.01)
    assert nodes["both"].rating_a == pytest.approx(208.18, abs=0.01)
    assert nodes["both"].limit_a == 90.0
    assert site(SPLIT).transformer_a(24.0) == pytest.approx(100.0)  # 24 kVA / 240 V


def test_the_tree_puts_parents_first_and_knows_who_hangs_below() -> None:
    """In whatever order feeders are written, a path goes up to the service and a node counts what it feeds."""
    feeders = (
        Feeder(id="pod", parent="panel", rating_a=50),
        Feeder(id="panel", rating_a=80),
        Feeder(id="other", rating_a=80),
    )
    low, high, top = branch("L1-L2", feeder="pod"), branch("L1-L2", role="B", feeder="panel"), branch("L1-N", role="C")
    tree = site(SPLIT, low, high, top, feeders=feeders)
    assert [node.id for node in tree.nodes] == ["service", "panel", "other", "pod"]
    assert list(tree.path("pod")) == ["pod", "panel", "service"]
    assert [b.role for b in tree.below("panel")] == ["A", "B"]
    assert [b.role for b in tree.below("pod")] == ["A"]
    assert [b.role for b in tree.below("other")] == []
    assert tree.fallback_sum_a("panel") == pytest.approx(12.0)
    assert (tree.node("pod").parent, tree.branch("C").connection) == ("panel", "L1-N")


def test_feeders_in_a_circle_are_in_no_tree() -> None:
    """Two feeders that feed each other hang on nothing; what is sound stays."""
    feeders = (Feeder(id="a", parent="b", rating_a=50), Feeder(id="b", parent="a", rating_a=50))
    tree = site(SPLIT, branch("L1-L2", feeder="a"), feeders=(*feeders, Feeder(id="c", rating_a=60)))
    assert [node.id for node in tree.nodes] == ["service", "c"]
    assert tree.below("service") == ()


def test_who_is_not_there_is_a_key_error() -> None:
    """An unknown node or role is no silent None."""
    with pytest.raises(KeyError, match="attic"):
        site(SPLIT).node("attic")
    with pytest.raises(KeyError, match="Z"):
        site(SPLIT).branch("Z")


@pytest.mark.parametrize("connection", ["", "L1", "N-L1", "L1-L1", "L1-N-L2", "L1-L2-L3-L1", "l1-n", "L4-N", "L1_L2"])
def test_a_connection_that_no_terminal_has_is_refused(connection: str) -> None:
    """Only line to neutral, line to line and three lines, each line once."""
    with pytest.raises(ValueError, match="use L1-N"):
        branch(connection)
