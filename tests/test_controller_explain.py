"""What the reference controller says of a limit is true: the constraint is full, the hold holds."""

from __future__ import annotations

import copy
import math
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilbench.controller.core import RAISE_LEAST_A, Core
from hilbench.controller.explain import KINDS, Why, in_words, why
from hilbench.controller.planning.coordinator import Orders
from hilbench.controller.settings import ControllerSettings
from tests.controller_toy import Toy, site, toy
from tests.test_controller_invariants import ANY, EVENTS, Wire, busy, move, moves_of

TOLERANCE_A = 0.05


def row_of(core: Core, found: Why) -> int:
    """The constraint that an answer names."""
    assert found.constraint is not None
    return core.tree.keys.index((found.constraint.node, found.constraint.line))


def shares(core: Core, t: float, base: Any) -> tuple[Any, Any]:
    """Room and shares as the decision works them out."""
    free = core.free(core.look(t))
    return core.room(free, base), core.shares(free, base, core.look(t).caps, core.order(t))


def is_full(core: Core, found: Why, t: float, base: Any) -> bool:
    """True when the named constraint has nothing left, or less than the least current for one that has nothing."""
    room, amps = shares(core, t, base)
    row, column = row_of(core, found), core.stations[found.role].column
    if amps[column] > 0:
        return bool(abs(core.tree.load(amps)[row]) >= room[row] - TOLERANCE_A)
    least = np.where(amps > 0, core.settings.minimum_a, 0.0)
    least[column] = core.settings.minimum_a
    return bool(abs(core.tree.load(least)[row]) > room[row])


def withheld(core: Core, found: Why, t: float) -> bool:
    """True when raises of this moment leave less than the least step: in flight, or in the named constraint."""
    raised = [max(a - core.stations[role].granted_a, 0.0) for role, a in core._targets(t).items()]
    free = (
        core.raise_budget(core.look(t))
        if found.constraint is None
        else float(core.beside(core.look(t))[row_of(core, found)])
    )
    return free - math.fsum(raised) < max(RAISE_LEAST_A, core.settings.minimum_a - found.granted_a)


def is_true(core: Core, found: Why, t: float) -> bool:
    """Check an answer against the state, each kind by its own meaning."""
    station, rules = core.stations[found.role], core.settings
    column = station.column
    known = core.building.known
    now, later = (core.confirmed_base(), core.highest_base()) if known else (None, None)
    match found.kind:
        case "link-lost":
            return not station.online
        case "no-car":
            return station.online and not station.wants
        case "stopped":
            return not station.wants and station.trust.stopped in in_words(found)[1]
        case "astray":
            return bool(station.trust.flaw) and core.look(t).caps[column] == 0.0
        case "meter-lost" | "starting":
            return not copy.deepcopy(core)._may_act(t)
        case "cap" | "use":
            return bool(shares(core, t, now)[1][column] >= core.look(t).caps[column] - TOLERANCE_A)
        case "full" | "rotation":
            return is_full(core, found, t, now)
        case "hold-raise":
            more = shares(core, t, now)[1][column] > shares(core, t, later)[1][column]
            return bool(more) and is_full(core, found, t, later)
        case "dimmed":
            amps = shares(core, t, now)[1]
            watts = np.array([core.watts_per_a(one) for one in core._by_column])
            least = 0.0 if amps[column] > 0 else rules.minimum_a * watts[column]
            return bool(amps @ watts + least > 1000.0 * core.power.left_w(0.0) / 1000.0 - 1.0)
        case "plan":
            return bool(core.look(t).caps[column] == station.plan_a)
        case "delay":
            return not core.delays.over(column, t)
        case "unbalance":
            assert now is not None
            lines = np.abs(core.tree.load(shares(core, t, now)[1]))[core._root] + now.amps
            return bool(lines.max() - lines.min() > core.site.spread_a - core.settings.minimum_a)
        case "hold-resume":
            return t - station.paused_t < rules.resume_hold_s and station.granted_a < rules.minimum_a
        case "hold-answer":
            return not core.answered(station, t)
        case "hold-flight" | "hold-reserve":
            return withheld(core, found, t)
        case _:
            return found.kind == "rising" and core._targets(t)[found.role] > station.granted_a


def known(core: Core) -> bytes:
    """All that it knows; the columns of stations that it keeps say nothing more."""
    core._columns.clear()
    return pickle.dumps(core)


def check(core: Core, t: float) -> set[str]:
    """Every station's answer is true and changes nothing; returns the kinds of them."""
    before = known(core)
    answers = [why(core, role, t) for role in core.stations]
    assert known(core) == before
    for found in answers:
        assert is_true(core, found, t), found
        assert in_words(found)[0].startswith(f"{found.role}: limit ")
    return {found.kind for found in answers}


@settings(deadline=None, max_examples=30)
@given(moves_of(ANY), st.sampled_from([0.0, 6.0]))
def test_what_binds_a_limit_does_bind_it(moves: list[tuple[int, tuple[Any, ...]]], fallback_a: float) -> None:
    """Whatever cars and building do, the named constraint is full or the named hold holds, for every station."""
    made = busy(fallback_a)
    for seconds, event in moves:
        move(made, event)
        for _ in range(0, seconds, 6):
            made.run(6)
            check(made.core, made.t)


@settings(deadline=None, max_examples=40)
@given(EVENTS, st.sampled_from([0.0, 6.0]))
def test_there_is_a_true_answer_in_every_state(events: list[tuple[Any, ...]], fallback_a: float) -> None:
    """No sequence of events, NaN and huge values among them, leaves a station without a true answer."""
    wire = Wire(fallback_a)
    for event in events:
        wire.happen(event)
        wire.core.decide(wire.t)
        check(wire.core, wire.t)


def kinds_over(made: Toy, seconds: int, meter: bool = True) -> set[str]:
    """All kinds of answers in the next seconds."""
    found = set()
    for _ in range(0, seconds, 2):
        made.run(2, meter=meter)
        found |= check(made.core, made.t)
    return found


def test_a_day_at_a_site_has_every_kind_of_answer() -> None:
    """Each kind is met: none of the checks above passes for never being asked."""
    found = check(Core(site(1), ControllerSettings(), 0.0), 0.0)
    made = Toy(site(6, 80.0, rating_a=100.0), ControllerSettings(raise_hold_s=20.0, resume_hold_s=60.0))
    made.core.online("s0", 0.0)
    made.core.status("s0", 0.0, "Charging")
    found |= kinds_over(made, 20)
    made.connect()
    found |= kinds_over(made, 60)
    made.plug("s0", "s1", "s2", "s3")
    made.plug("s4", demand_a=10.0)
    found |= kinds_over(made, 200)
    for base, seconds in ((55.0, 60), (75.0, 16), (20.0, 120), (0.0, 60)):
        made.base_a["L1"] = base
        found |= kinds_over(made, seconds)
    made.unplug("s0", "s1", "s2")
    found |= kinds_over(made, 120)
    made.plug("s0", "s1", "s5")
    found |= kinds_over(made, 200)
    made.core.dim(8.0)
    found |= kinds_over(made, 30)
    made.core.dim(None)
    made.core.plan(Orders(dict.fromkeys(made.cars, 1.84)))
    found |= kinds_over(made, 60)
    found |= kinds_over(made, 30, meter=False)
    stubborn = toy(2, cars=1)
    stubborn.plug("s1", stubborn_a=30.0)
    found |= kinds_over(stubborn, 60)
    stubborn.core.stations["s1"].trust.stopped = "draws 30.0 A against its limit"
    stubborn.core.status("s1", stubborn.t, "Finishing")
    found |= check(stubborn.core, stubborn.t)
    shared = toy(3, 40.0, base_a=10.0)
    shared.run(200)
    shared.core.set_cap("s0", 6.0)
    found |= kinds_over(shared, 8)
    found |= kinds_over(toy(1, settings=ControllerSettings(random_delay_s=600)), 30)
    found |= kinds_over(toy(2, wiring="three-phase", connections=("L1-N", "L1-N"), unbalance_a=20.0), 60)
    assert found == set(KINDS)


def test_a_full_line_is_named_with_who_shares_it() -> None:
    """Three cars on a line of 40 A with 10 A building and 2 A margin: each may draw a third of what is left."""
    made = toy(3, 40.0, base_a=10.0)
    made.run(300)
    found = why(made.core, "s1", made.t)
    assert found.kind == "full"
    assert found.limit_a == pytest.approx(28.0 / 3, abs=0.6)
    full = found.constraint
    assert full is not None
    assert (full.node, full.line, full.limit_a, full.margin_a) == ("service", "L1", 40.0, 2.0)
    assert full.building_a == pytest.approx(10.0, abs=0.8)
    assert [share.role for share in full.by] == ["s0", "s1", "s2"]
    assert math.fsum(share.amps for share in full.by) == pytest.approx(full.room_a, abs=1.0)
    text = "\n".join(in_words(found))
    assert "service L1: 40.0 A - 2.0 A margin" in text
    assert "s2" in text


def test_who_waits_for_a_turn_is_told_whose_it_is() -> None:
    """Where one of three can have its minimum, the others' answer names the one that has it."""
    made = toy(3, 10.0)
    made.run(300)
    found = why(made.core, "s1", made.t)
    assert (found.kind, found.limit_a) == ("rotation", 0.0)
    assert found.constraint is not None
    assert [share.role for share in found.constraint.by if share.amps >= 6.0] == ["s0"]


def test_a_role_that_is_not_there_is_an_error() -> None:
    """Asked for a station that the site has not, it raises."""
    with pytest.raises(KeyError):
        why(toy(1).core, "nobody", 5.0)
