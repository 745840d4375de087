"""The charger's power stage: rates, dead times, and orders that overtake each other."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilbench_emulators.dc.stage import Slew, Stage

SLOW = Slew(up_a_per_s=20.0, down_a_per_s=50.0, dead_on_s=1.0, dead_up_s=0.5, dead_down_s=0.1)


def test_an_order_from_zero_waits_and_ramps() -> None:
    """1 s of dead time, then 20 A/s up to the target."""
    stage = Stage(SLOW)
    stage.order(0.0, 30.0)
    assert [stage.current_a(t) for t in (0.5, 1.0, 1.5, 2.5, 9.0)] == pytest.approx([0.0, 0.0, 10.0, 30.0, 30.0])


def test_an_order_down_voids_what_would_come_later() -> None:
    """Up at 0 s would begin at 1 s; zero at 0.2 s is in force at 0.3 s: nothing ever flows."""
    stage = Stage(SLOW)
    stage.order(0.0, 30.0)
    stage.order(0.2, 0.0)
    assert stage.current_a(5.0) == 0.0


def test_an_order_down_does_not_queue() -> None:
    """10 A flow; more is under way for 3.5 s, zero for 3.2 s: it falls then."""
    stage = Stage(SLOW)
    stage.order(0.0, 10.0)
    assert stage.current_a(3.0) == 10.0
    stage.order(3.0, 30.0)
    stage.order(3.1, 0.0)
    assert [stage.current_a(t) for t in (3.2, 3.3, 3.4, 9.0)] == pytest.approx([10.0, 5.0, 0.0, 0.0])


def test_what_was_ordered_before_still_comes_first() -> None:
    """Up in force at 1 s; zero at 1.2 s is in force at 1.3 s: the output rises to 6 A, then falls."""
    stage = Stage(SLOW)
    stage.order(0.0, 30.0)
    stage.order(1.2, 0.0)
    assert [stage.current_a(t) for t in (1.25, 1.3, 1.36, 1.5)] == pytest.approx([5.0, 6.0, 3.0, 0.0])


def test_an_emergency_does_not_wait() -> None:
    """Down at once at 50 A/s, and orders that were under way are void."""
    stage = Stage(SLOW)
    stage.order(0.0, 30.0)
    assert stage.current_a(3.0) == 30.0
    stage.order(3.0, 60.0)
    stage.force(3.2)
    assert [stage.current_a(t) for t in (3.3, 3.8, 9.0)] == pytest.approx([25.0, 0.0, 0.0])


def test_through_zero_each_leg_has_its_rate() -> None:
    """From +10 A to -10 A: down at 50 A/s, up in size at 20 A/s."""
    stage = Stage(Slew())
    stage.order(0.0, 10.0)
    assert stage.current_a(1.0) == 10.0
    stage.order(1.0, -10.0)
    assert [stage.current_a(t) for t in (1.1, 1.2, 1.45, 1.7, 2.0)] == pytest.approx([5.0, 0.0, -5.0, -10.0, -10.0])


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0.0, 1.0), st.floats(-50.0, 125.0)), min_size=1, max_size=6),
    st.lists(st.floats(0.0, 8.0), max_size=12),
)
def test_looking_does_not_change_it(orders: list[tuple[float, float]], looks: list[float]) -> None:
    """However often it is looked at in between, the output at the end is the same, and within what was ordered."""
    seldom, often = Stage(SLOW), Stage(SLOW)
    times = []
    t = 0.0
    for gap, target_a in orders:
        t += gap
        times.append((t, target_a))
    events = sorted(
        [*((at, target_a) for at, target_a in times), *((at, None) for at in looks)], key=lambda one: one[0]
    )
    for at, order in events:
        if order is None:
            often.current_a(at)
        else:
            seldom.order(at, order)
            often.order(at, order)
    assert often.current_a(9.0) == pytest.approx(seldom.current_a(9.0), abs=1e-9)
    assert min(0.0, *(a for _t, a in times)) <= often.current_a(9.0) <= max(0.0, *(a for _t, a in times))
