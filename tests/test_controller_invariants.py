"""What holds for the core of the reference controller whatever happens, searched for counterexamples."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilbench.controller.core import Core
from hilbench.controller.settings import ControllerSettings
from hilbench.controller.watch import MeterSample
from hilbench.site import Feeder, Site
from tests.controller_toy import Toy, site

ROTATIONS = ("L1-L2-L3", "L2-L3-L1", "L3-L1-L2")
STATUSES = (
    "Available",
    "Preparing",
    "Charging",
    "SuspendedEV",
    "SuspendedEVSE",
    "Finishing",
    "Faulted",
    "",
    "nonsense",
)
NUMBERS = st.one_of(
    st.floats(-50.0, 200.0),
    st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -0.0, 1e-300, 1e9, 1e308, -1e308]),
)
ROLES = st.sampled_from([f"s{k}" for k in range(4)])


def place(fallback_a: float) -> Site:
    """Four rotated stations, two of them behind a feeder."""
    return site(
        4,
        60.0,
        wiring="three-phase",
        fallback_a=fallback_a,
        connections=(*ROTATIONS, "L1-L2"),
        priorities=(0, 1, 0, 0),
        feeders=(Feeder(id="f", rating_a=40, budget_a=32),),
        feeder_of=("f", "f", "service", "service"),
    )


EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), st.sampled_from([0.0, 0.5, 1.0, 5.0, 12.0, 40.0, 1000.0])),
        st.tuples(st.just("meter"), st.lists(NUMBERS, min_size=9, max_size=9)),
        st.tuples(st.just("good meter"), st.floats(0.0, 90.0)),
        st.tuples(st.just("good meter"), st.floats(0.0, 90.0)),
        st.tuples(st.just("online"), ROLES),
        st.tuples(st.just("offline"), ROLES),
        st.tuples(st.just("status"), ROLES, st.sampled_from(STATUSES)),
        st.tuples(st.just("report"), ROLES, st.dictionaries(st.sampled_from(["L1", "L2", "L3", "N", ""]), NUMBERS)),
        st.tuples(st.just("confirm"), ROLES),
        st.tuples(st.just("confirm"), ROLES),
    ),
    max_size=80,
)


class Wire:
    """Feeds a core with events as they come, and keeps what it wants of the stations."""

    def __init__(self, fallback_a: float) -> None:
        self.core = Core(place(fallback_a), ControllerSettings(), 0.0)
        self.t = 0.0
        self.number = 0

    def happen(self, event: tuple[Any, ...]) -> None:
        """One event."""
        name, *rest = event
        if name == "wait":
            self.t += rest[0]
        elif name == "good meter":
            self.sample([rest[0]] * 3 + [230.0] * 3 + [230.0 * rest[0]] * 3)
        elif name == "meter":
            self.sample(rest[0])
        elif name == "confirm":
            self.core.confirmed(rest[0], self.t, self.core.stations[rest[0]].target_a, 30.0)
        else:
            getattr(self.core, name)(rest[0], self.t, *rest[1:])

    def sample(self, values: list[float]) -> None:
        """A sample of nine values: currents, voltages, powers."""
        self.t += 1.0
        self.number += 1
        lines = self.core.site.lines
        currents, voltages, powers = (dict(zip(lines, values[k : k + 3], strict=True)) for k in (0, 3, 6))
        self.core.meter(MeterSample(self.t, self.number, currents, voltages, powers, (self.number,)))


@settings(deadline=None, max_examples=300)
@given(EVENTS, st.sampled_from([0.0, 6.0, 8.0]))
def test_whatever_happens_a_limit_is_nothing_or_what_a_pilot_can_offer(
    events: list[tuple[Any, ...]], fallback_a: float
) -> None:
    """No sequence of events, NaN and huge values among them, makes an error or a limit outside 0 and 6 A to the cap."""
    wire = Wire(fallback_a)
    for event in events:
        wire.happen(event)
        for role, limit in wire.core.decide(wire.t):
            assert role in wire.core.stations
            assert limit == 0.0 or 6.0 <= limit <= 32.0
        for station in wire.core.stations.values():
            assert station.target_a == 0.0 or 6.0 <= station.target_a <= station.cap_a


@settings(deadline=None, max_examples=100)
@given(EVENTS)
def test_nonsense_leaves_the_controller_able_to_work(events: list[tuple[Any, ...]]) -> None:
    """After any history, some minutes of good samples and one car that wants bring that car its current."""
    wire = Wire(0.0)
    for event in events:
        wire.happen(event)
        wire.core.decide(wire.t)
    for role in wire.core.stations:
        wire.core.online(role, wire.t)
        wire.core.status(role, wire.t, "Available")
        wire.core.confirmed(role, wire.t, 0.0, math.inf)
    for station in wire.core.stations.values():
        station.reported_a = 0.0
    wire.core.status("s2", wire.t, "Charging")
    for _ in range(300):
        wire.happen(("good meter", 5.0))
        wire.core.decide(wire.t)
        wire.happen(("confirm", "s2"))
    assert wire.core.stations["s2"].target_a >= 25.0


BASE = st.tuples(st.just("base"), st.sampled_from(["L1", "L2", "L3"]), st.floats(0.0, 70.0))
UNPLUG = st.tuples(st.just("unplug"), ROLES)
EAGER = st.one_of(BASE, UNPLUG, st.tuples(st.just("plug"), ROLES, st.just(32.0), st.integers(1, 3)))
"""Cars that take all they are offered."""
ANY = st.one_of(
    BASE,
    UNPLUG,
    st.tuples(st.just("plug"), ROLES, st.sampled_from([8.0, 16.0, 32.0]), st.integers(1, 3)),
    st.tuples(st.just("dip"), ROLES, st.sampled_from([0.0, 7.0, 32.0])),
)
"""Cars that want little, pause and go on."""


def moves_of(kind: st.SearchStrategy[tuple[Any, ...]]) -> st.SearchStrategy[list[tuple[int, tuple[Any, ...]]]]:
    """Things that happen at the site, each with the seconds after it."""
    return st.lists(st.tuples(st.integers(1, 40), kind), min_size=1, max_size=12)


def move(made: Toy, event: tuple[Any, ...]) -> None:
    """One thing that happens at the site."""
    name, where, *rest = event
    if name == "base":
        made.base_a[where] = rest[0]
    elif name == "unplug":
        made.unplug(where)
    elif name == "plug" and not made.core.stations[where].wants:
        made.plug(where, demand_a=rest[0], phases=rest[1])
    elif name == "dip":
        made.cars[where].demand_a = rest[0] if made.core.stations[where].wants else 0.0


@settings(deadline=None, max_examples=40)
@given(moves_of(EAGER), st.sampled_from([0.0, 6.0]))
def test_with_obedient_cars_the_budget_is_kept_as_soon_as_they_had_time_to_follow(
    moves: list[tuple[int, tuple[Any, ...]]], fallback_a: float
) -> None:
    """15 s after the last change of the building no line is above its budget, unless the building alone is.

    That long it takes until cars have answered and the estimate has followed. An arrival needs such a time only where
    stations have a fallback at which a car begins before anybody can make room for it.
    """
    made = busy(fallback_a, demand_a=32.0)
    calm = 0
    for seconds, event in moves:
        move(made, event)
        calm = 0 if event[0] == "base" or (event[0] == "plug" and fallback_a) else calm
        for _ in range(seconds):
            made.run(1)
            calm += 1
            for line, amps in made.measured().items():
                if calm > 15:
                    assert amps <= max(60.0, made.base_a[line]) + 0.5, (line, made.t, made.base_a, made.granted)


def busy(fallback_a: float, demand_a: float = 10.0) -> Toy:
    """A site whose cars have come up: three phases, one, one that takes ``demand_a``, one between two lines."""
    made = Toy(place(fallback_a), base_a=5.0)
    made.connect()
    made.plug("s0")
    made.plug("s1", phases=1)
    made.plug("s2", demand_a=demand_a)
    made.plug("s3")
    made.run(120)
    return made


@settings(deadline=None, max_examples=40)
@given(moves_of(ANY))
def test_what_was_granted_is_reserved_whether_it_is_drawn_or_not(moves: list[tuple[int, tuple[Any, ...]]]) -> None:
    """If every car suddenly drew all that it was granted, no line would be above its budget, nor would the feeder.

    Checked when nothing has happened for a minute, so that what cars take is known.
    """
    made = busy(0.0)
    for seconds, event in moves:
        move(made, event)
        made.run(seconds)
    made.run(60)
    for node in made.site.nodes:
        for line in made.site.lines:
            total = 0j
            for branch in made.site.below(node.id):
                total += (
                    made.site.unit_currents(branch, made.cars[branch.role].phases).get(line, 0j)
                    * (made.granted[branch.role])
                )
            base = made.base_a[line] if node.id == "service" else 0.0
            assert abs(total) + base <= max(node.limit_a, base) + 0.5, (node.id, line, made.granted, made.base_a)


@settings(deadline=None, max_examples=40)
@given(moves_of(ANY))
def test_decisions_depend_on_nothing_but_their_history(moves: list[tuple[int, tuple[Any, ...]]]) -> None:
    """The same moves bring the same setpoints at the same times."""

    def live() -> list[Any]:
        made = busy(0.0)
        for seconds, event in moves:
            move(made, event)
            made.run(seconds)
        return made.changes

    assert live() == live()


@pytest.mark.parametrize("line", ["L1", "L2", "L3"])
def test_a_step_on_any_line_is_answered_by_cars_on_that_line(line: str) -> None:
    """Whichever line the building loads, no line stays above the budget."""
    made = busy(0.0)
    before = made.measured()[line]
    made.base_a[line] = 50.0
    made.run(20)
    assert before + 45.0 > 60.0
    assert max(made.measured().values()) <= 60.0
