"""Injections on top of a building load."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilbench.errors import InputError
from hilbench_emulators.curves import Polyline
from hilbench_emulators.injections import SINE_KINKS, Injection, Inrush, Ramp, Sine, Step


def at(injection: Injection, t: float, *, before: bool = False) -> float:
    """Amperes that an injection adds at ``t``."""
    times, amps = zip(*injection.corners(), strict=True)
    return float(Polyline(times, amps).at(t, before=before)[0])


def test_a_step_is_a_jump_that_stays() -> None:
    """A step adds nothing just before its start and all of it from then on."""
    step = Step(100.0, 40.0)
    assert at(step, 100.0, before=True) == 0.0
    assert [at(step, t) for t in (0, 100, 1e6)] == [0, 40, 40]


def test_a_step_with_a_duration_ends() -> None:
    """A rectangle of 30 A for 4 s adds 120 A.s and is gone afterwards."""
    step = Step(10.0, 30.0, duration_s=4.0)
    assert [at(step, t) for t in (9, 10, 13.9, 14, 20)] == [0, 30, 30, 0, 0]


def test_a_ramp_rises_holds_and_falls() -> None:
    """A ramp is straight up, flat for its hold and straight down."""
    ramp = Ramp(0.0, 20.0, rise_s=10.0, hold_s=5.0, fall_s=4.0)
    assert [at(ramp, t) for t in (0, 5, 10, 15, 17, 19, 30)] == [0, 10, 20, 20, 10, 0, 0]


def test_a_sine_follows_its_period_within_its_pieces() -> None:
    """40 pieces a period keep a sine within 0.31 % of its amplitude."""
    sine = Sine(5.0, 10.0, period_s=20.0, duration_s=60.0)
    times = np.linspace(5.0, 64.9, 1000)
    errors = [abs(at(sine, t) - 10.0 * math.sin(2 * math.pi * (t - 5.0) / 20.0)) for t in times]
    assert max(errors) <= 10.0 * (1 - math.cos(math.pi / SINE_KINKS)) + 1e-9
    assert len(sine.corners()) == 3 * SINE_KINKS + 2
    assert at(sine, 70.0) == 0.0


def test_a_sine_that_is_cut_off_mid_period_ends_at_zero() -> None:
    """A quarter of a period ends at the crest and then adds nothing."""
    sine = Sine(0.0, 10.0, period_s=20.0, duration_s=5.0)
    assert at(sine, 5.0, before=True) == pytest.approx(10.0)
    assert at(sine, 5.0) == 0.0


def test_a_motor_takes_six_times_its_current_for_half_a_second() -> None:
    """Inrush starts at 6x, has decayed to 1x after 0.5 s, and falls faster at first."""
    inrush = Inrush(0.0, 10.0)
    assert at(inrush, 0.0, before=True) == 0.0
    assert at(inrush, 0.0) == pytest.approx(60.0)
    assert at(inrush, 0.5) == pytest.approx(10.0)
    assert at(inrush, 0.25) < 35.0  # the middle of a straight fall


def test_a_motor_that_stops_leaves_nothing() -> None:
    """After its run a motor's current is gone."""
    assert at(Inrush(0.0, 10.0, run_s=60.0), 60.5) == 0.0


@pytest.mark.parametrize(
    "make",
    [
        lambda: Step(0.0, math.nan),
        lambda: Step(0.0, 1.0, duration_s=0.0),
        lambda: Ramp(0.0, 1.0, rise_s=0.0),
        lambda: Ramp(0.0, 1.0, rise_s=1.0, hold_s=-1.0),
        lambda: Sine(0.0, 1.0, period_s=0.0, duration_s=1.0),
        lambda: Sine(0.0, 1.0, period_s=1.0, duration_s=math.inf),
        lambda: Inrush(0.0, -1.0),
        lambda: Inrush(math.inf, 1.0),
    ],
)
def test_an_injection_that_cannot_be_is_refused(make: object) -> None:
    """Times that are no times and currents that are no currents name their field."""
    with pytest.raises(InputError, match="injection"):
        make()  # type: ignore[operator]


@given(
    st.one_of(
        st.builds(Step, st.floats(0, 1e5), st.floats(-100, 100), duration_s=st.floats(0.1, 1e4)),
        st.builds(Ramp, st.floats(0, 1e5), st.floats(-100, 100), st.floats(0.1, 1e3), hold_s=st.floats(0, 1e3)),
        st.builds(Sine, st.floats(0, 1e5), st.floats(-100, 100), st.floats(0.5, 1e3), st.floats(0.1, 1e3)),
        st.builds(Inrush, st.floats(0, 1e5), st.floats(0, 100), run_s=st.floats(0, 1e3)),
    )
)
def test_every_injection_begins_and_ends_at_nothing(injection: Injection) -> None:
    """Corners are in the order of time, finite, and zero at both ends of a bounded injection."""
    times, amps = zip(*injection.corners(), strict=True)
    assert list(times) == sorted(times)
    assert all(math.isfinite(value) for value in (*times, *amps))
    assert amps[0] == amps[-1] == 0.0
