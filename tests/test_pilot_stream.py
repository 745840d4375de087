"""Streams of pilot records: states over time and the verdicts on their timing, at both edges of every limit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from hilbench.metrics.pilot import Reading
from hilbench.metrics.pilot_stream import Stretch, stretches
from hilbench.metrics.pilot_times import between, time_checks
from hilbench.pilot_limits import WANTED, pilot_limits
from hilbench.waveform import Waveform
from tests.pilot_waves import LOAD_OHM, Circuit, Scope, pwm

NONE = Reading(math.nan, math.nan)
LIMITS = pilot_limits("iec2017")


def phase(state: str, duty: float | None, duration_s: float, rate_hz: float = 1e6, seed: int = 1) -> Waveform:
    """A stretch of one state, with PWM or without."""
    circuit, scope = Circuit(LOAD_OHM.get(state, math.inf)), Scope(rate_hz=rate_hz, duration_s=duration_s)
    if duty is None:
        source = circuit.down_v if state == "F" else circuit.up_v
        return scope.take([(-math.inf, source)], circuit, np.random.default_rng(seed))
    return scope.take(pwm(duty, duration_s, circuit=circuit), circuit, np.random.default_rng(seed))


def joined(*phases: Waveform) -> Waveform:
    """One record after the other, as one."""
    return Waveform(np.concatenate([one.values for one in phases]), phases[0].dt_s, lsb=phases[0].lsb)


def states(found: Sequence[Stretch]) -> list[str]:
    """Their names."""
    return [one.state for one in found]


def test_a_session_is_told_in_its_states() -> None:
    """Plug in, offer, charge, change, stop, unplug: every state with its time and duty."""
    session = joined(
        phase("A", None, 0.02), phase("B", None, 0.03), phase("B", 26.6, 0.02), phase("C", 26.6, 0.05),
        phase("C", 50.0, 0.04), phase("C", None, 0.02), phase("B", None, 0.02), phase("A", None, 0.02),
    )  # fmt: skip
    found = stretches([session])
    assert states(found) == ["A1", "B1", "B2", "C2", "C2", "C1", "B1", "A1"]
    begins = [0.0, 0.02, 0.05, 0.07, 0.12, 0.16, 0.18, 0.2]
    assert [one.begin_s for one in found] == pytest.approx(begins, abs=2.5e-3)
    assert all(one.begin_s - one.unsure_s <= begin + 1e-3 for one, begin in zip(found, begins, strict=True))
    assert [one.duty_pct.value for one in found if one.pwm] == pytest.approx([26.6, 26.6, 50.0], abs=0.1)
    assert max(one.duty_pct.uncertainty for one in found if one.pwm) < 0.02


@pytest.mark.parametrize("state", ["E", "F"])
def test_faults_have_no_suffix(state: str) -> None:
    """A short and an unavailable station after B2."""
    assert states(stretches([joined(phase("B", 20.0, 0.02), phase(state, None, 0.02))])) == ["B2", state]


def test_a_stretch_goes_on_over_the_gap_between_records() -> None:
    """The same wave seen twice, 1 s apart, is one stretch; another one began somewhere in the gap."""
    first, later = phase("C", 20.0, 0.02), phase("C", 20.0, 0.02)
    assert len(stretches([first, replace(later, t0_s=1.0)])) == 1
    _, new = stretches([first, replace(phase("C", 30.0, 0.02), t0_s=1.0)])
    assert new.begin_s == pytest.approx(1.0, abs=2e-3)
    assert new.unsure_s == pytest.approx(0.98, abs=4e-3)


def test_a_slow_record_is_enough_for_states() -> None:
    """100 kS/s tell B2 from C2 and 20 % from 30 %."""
    record = joined(phase("B", 20.0, 0.05, 1e5), phase("C", 20.0, 0.05, 1e5), phase("C", 30.0, 0.05, 1e5))
    assert states(stretches([record])) == ["B2", "C2", "C2"]


def test_a_single_false_cycle_is_shown() -> None:
    """One cycle of another duty in the midst of a steady wave is a stretch of its own."""
    record = joined(phase("C", 20.0, 0.02), phase("C", 40.0, 0.001), phase("C", 20.0, 0.02))
    assert [one.cycles > 5 for one in stretches([record])][::2] == [True, True]
    assert len(stretches([record])) == 3


def stretch(state: str, begin_s: float, end_s: float, duty: float | None = None, unsure_s: float = 1e-3) -> Stretch:
    """A stretch that was seen."""
    shown = NONE if duty is None else Reading(duty, 0.01)
    return Stretch(begin_s, end_s, state, shown, Reading(9.0, 0.1), 0 if duty is None else 10, unsure_s)


def verdict(seen: Sequence[Stretch], name: str, **more: object) -> bool | None:
    """The verdict of the only check of that name."""
    judged = time_checks(seen, LIMITS, **more)  # type: ignore[arg-type]
    (found,) = [check for check in judged if check.limit is LIMITS[name]]
    return found.kept


EDGES = [(-0.01, True), (0.0, None), (0.01, False)]


@pytest.mark.parametrize(("over_s", "kept"), [(0.0, True), (0.0005, None), (0.0011, False)])
def test_a_command_has_five_seconds_to_reach_the_pilot(over_s: float, kept: bool | None) -> None:
    """From the command to the first cycle of the new duty, which began up to 1 ms before."""
    seen = [stretch("C2", 0, 10 + over_s, 50.0), stretch("C2", 10 + over_s, 20, 20.0)]
    assert verdict(seen, "pilot_command_time", commands=[5.0]) is kept


@pytest.mark.parametrize(("over_s", "kept"), [(-0.01, False), (0.0, None), (0.01, True)])
def test_changes_are_five_seconds_apart(over_s: float, kept: bool | None) -> None:
    """A station that changes its duty sooner fails."""
    later = 7 + over_s
    seen = [stretch("C2", 0, 2, 50.0), stretch("C2", 2, later, 20.0), stretch("C2", later, 20, 30.0)]
    assert verdict(seen, "pilot_change_spacing") is kept


@pytest.mark.parametrize(("over_s", "kept"), EDGES)
def test_a_car_leaves_c_within_three_seconds(over_s: float, kept: bool | None) -> None:
    """From the last cycle of PWM until S2 is open."""
    seen = [stretch("C2", 0, 2, 50.0), stretch("C1", 2, 5 + over_s), stretch("B1", 5 + over_s, 9)]
    assert verdict(seen, "pwm_off_time") is kept


@pytest.mark.parametrize(("name", "before", "after", "limit_s", "moves"), [
    ("contactor_close_time", "B2", "C2", 3.0, True), ("contactor_open_time", "C2", "B2", 0.1, False),
    ("unplug_open_time", "C2", "A2", 0.1, False), ("fault_open_time", "D2", "E", 3.0, False),
])  # fmt: skip
@pytest.mark.parametrize(("over_s", "kept"), EDGES)
def test_a_contactor_has_its_time(
    name: str, before: str, after: str, limit_s: float, moves: bool, over_s: float, kept: bool | None
) -> None:
    """Every cause that closes or opens it, at its limit."""
    seen = [stretch(before, 0, 4, 20.0), stretch(after, 4, 20, None if after == "E" else 20.0)]
    contactor = [(0.5, not moves), (4 + limit_s + over_s, moves)]
    assert verdict(seen, name, contactor=contactor) is kept


@pytest.mark.parametrize(("over_s", "kept"), [(-0.01, False), (0.0, None), (0.01, True)])
def test_state_f_lasts_long_enough_to_be_seen(over_s: float, kept: bool | None) -> None:
    """300 ms at least."""
    seen = [stretch("B2", 0, 2, 20.0), stretch("F", 2, 2.3 + over_s), stretch("B1", 2.3 + over_s, 9)]
    assert verdict(seen, "state_f_time") is kept


def test_every_time_of_the_table_is_judged_somewhere() -> None:
    """The names of the tests above are all that there are."""
    assert set(WANTED) - {"pilot_duty_error", "pilot_frequency_error"} == {
        "pilot_command_time", "pilot_change_spacing", "pwm_off_time", "contactor_close_time",
        "contactor_open_time", "unplug_open_time", "fault_open_time", "state_f_time",
    }  # fmt: skip


def test_reductions_may_come_at_once() -> None:
    """As in procedure 3.6: only a raise must wait, and what has no limit is not judged."""
    down = [stretch("C2", 0, 2, 50.0), stretch("C2", 2, 3, 40.0), stretch("C2", 3, 20, 30.0)]
    up = [stretch("C2", 0, 2, 50.0), stretch("C2", 2, 3, 20.0), stretch("C2", 3, 20, 30.0)]
    assert [len(time_checks(seen, LIMITS)) for seen in (down, up)] == [0, 1]
    assert time_checks(up, {}) == ()


def test_what_never_happens_is_missed_when_there_was_time() -> None:
    """A contactor that stays closed fails after 0.1 s of record, and is open before."""
    long = [stretch("C2", 0, 4, 20.0), stretch("B2", 4, 20, 20.0)]
    short = [stretch("C2", 0, 4, 20.0), stretch("B2", 4, 4.05, 20.0)]
    assert verdict(long, "contactor_open_time", contactor=[(0.5, True)]) is False
    assert verdict(short, "contactor_open_time", contactor=[(0.5, True)]) is None


def test_a_contactor_that_was_open_already_took_no_time() -> None:
    """It opened before C ended."""
    seen = [stretch("C2", 0, 4, 20.0), stretch("B2", 4, 20, 20.0)]
    assert verdict(seen, "contactor_open_time", contactor=[(0.5, True), (3.0, False)]) is True


def test_without_a_contactor_nothing_is_said_about_it() -> None:
    """Only its own record can tell."""
    assert time_checks([stretch("C2", 0, 4, 20.0), stretch("B2", 4, 20, 20.0)], LIMITS) == ()


def test_a_time_between_gaps_is_as_unsure_as_they_are() -> None:
    """Events within 1 s and 2 s before they were seen are 9.5 +- 1.5 s apart."""
    assert between(10.0, 1.0, 20.0, 2.0) == Reading(9.5, 1.5)
