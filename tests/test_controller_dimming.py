"""Limits of the grid operator: the named requirements, fair cuts, and delays that never delay safety."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilbench.controller.dimming import Delays, DimmingSettings, EnergyGuard, Guard, dimmed

LEAVES = DimmingSettings(stay_safe=False)


def controlled(settings: DimmingSettings = LEAVES, limit_kw: float | None = 10.0) -> EnergyGuard:
    """One that was heard at 0 and told a limit."""
    guard = EnergyGuard(settings, 0.0)
    guard.heartbeat(0.0)
    assert guard.limit(0.0, limit_kw)
    return guard


def state(guard: EnergyGuard, t: float) -> Guard:
    """The state at ``t``."""
    guard.advance(t)
    return guard.state


def test_lpc_ts_017_it_starts_in_fail_safe() -> None:
    """Until somebody is heard, 4.2 kW hold."""
    assert EnergyGuard(LEAVES, 0.0).limit_kw == 4.2


@pytest.mark.parametrize(("stays", "then"), [(False, Guard.UNLIMITED_AUTONOMOUS), (True, Guard.FAILSAFE)])
def test_lpc_906_without_contact(stays: bool, then: Guard) -> None:
    """After 120 s nobody is waited for: left alone, or safe for good."""
    guard = EnergyGuard(DimmingSettings(stay_safe=stays), 0.0)
    assert state(guard, 119.9) is Guard.INIT
    assert state(guard, 120.0) is then


@pytest.mark.parametrize("limit_kw", [10.0, None])
def test_lpc_911_a_lost_heartbeat_is_fail_safe(limit_kw: float | None) -> None:
    """120 s after the last heartbeat 4.2 kW hold, with and without a limit before."""
    guard = controlled(limit_kw=limit_kw)
    guard.heartbeat(60.0)
    assert state(guard, 179.9) is not Guard.FAILSAFE
    assert state(guard, 180.0) is Guard.FAILSAFE
    assert guard.limit_kw == 4.2


def test_a_limit_ends_with_its_duration() -> None:
    """After it there is no limit, while the heartbeat goes on."""
    guard = EnergyGuard(LEAVES, 0.0)
    guard.heartbeat(0.0)
    guard.limit(0.0, 7.0, 90.0)
    assert guard.limit_kw == 7.0
    assert state(guard, 90.0) is Guard.UNLIMITED_CONTROLLED
    assert guard.limit_kw is None


def test_a_limit_that_outlives_its_sender_does_not_end_in_nothing() -> None:
    """Heartbeat and limit end together: fail-safe, not unlimited."""
    guard = EnergyGuard(LEAVES, 0.0)
    guard.heartbeat(0.0)
    guard.limit(0.0, 7.0, 120.0)
    assert state(guard, 120.0) is Guard.FAILSAFE


@pytest.mark.parametrize(("limit_kw", "then"), [(8.0, Guard.LIMITED), (None, Guard.UNLIMITED_CONTROLLED)])
def test_lpc_916_fail_safe_is_left_by_heartbeat_and_a_fresh_limit(limit_kw: float | None, then: Guard) -> None:
    """A limit from nobody is not taken; after a heartbeat it is."""
    guard = controlled()
    assert state(guard, 200.0) is Guard.FAILSAFE
    assert not guard.limit(210.0, limit_kw)
    guard.heartbeat(220.0)
    assert guard.limit_kw == 4.2
    assert guard.limit(230.0, limit_kw)
    assert guard.state is then


def test_lpc_921_a_return_without_a_limit_leaves_it_alone_after_120_s() -> None:
    """The window runs from the first heartbeat after the loss."""
    guard = controlled()
    guard.advance(200.0)
    for t in range(300, 420, 10):
        guard.heartbeat(float(t))
    assert guard.state is Guard.FAILSAFE
    assert state(guard, 420.0) is Guard.UNLIMITED_AUTONOMOUS


def test_lpc_921_a_return_that_ends_again_stays_safe() -> None:
    """One heartbeat and silence is no return, where fail-safe is kept."""
    guard = controlled(DimmingSettings())
    guard.advance(200.0)
    guard.heartbeat(300.0)
    assert state(guard, 10_000.0) is Guard.FAILSAFE


@pytest.mark.parametrize(("stays", "then"), [(False, Guard.UNLIMITED_AUTONOMOUS), (True, Guard.FAILSAFE)])
def test_lpc_922_after_two_hours_without_anybody(stays: bool, then: Guard) -> None:
    """The minimum of 2 h is kept to the second; whether it is also the most is a setting."""
    guard = controlled(DimmingSettings(stay_safe=stays))
    assert state(guard, 120.0 + 7199.9) is Guard.FAILSAFE
    assert state(guard, 120.0 + 7200.0) is then


def test_lpc_918_to_920_left_alone_it_is_taken_over_again() -> None:
    """Heartbeat and limit lead from autonomy back to control."""
    guard = EnergyGuard(LEAVES, 0.0)
    guard.advance(500.0)
    assert not guard.limit(500.0, 5.0)
    guard.heartbeat(501.0)
    assert guard.limit(501.0, 5.0)
    assert guard.limit_kw == 5.0


@pytest.mark.parametrize("limit_kw", [math.nan, math.inf, -1.0])
def test_a_limit_that_is_none_is_refused(limit_kw: float) -> None:
    """Nonsense changes nothing."""
    guard = controlled()
    assert not guard.limit(1.0, limit_kw)
    assert guard.limit_kw == 10.0


@given(
    st.lists(
        st.tuples(st.floats(0.1, 400.0), st.sampled_from(["heartbeat", "limit", "release", "nothing"])), max_size=40
    ),
    st.booleans(),
)
def test_whatever_comes_without_a_heartbeat_for_120_s_nothing_above_fail_safe_holds(
    steps: list[tuple[float, str]], stays: bool
) -> None:
    """A limit above fail-safe, or none, needs a heartbeat of the last 120 s, or to have been left alone."""
    guard, t, heard = EnergyGuard(DimmingSettings(stay_safe=stays), 0.0), 0.0, -math.inf
    for wait, what in steps:
        t += wait
        if what == "heartbeat":
            guard.heartbeat(t)
            heard = t
        elif what != "nothing":
            guard.limit(t, 50.0 if what == "limit" else None)
        guard.advance(t)
        free = guard.limit_kw is None or guard.limit_kw > 4.2
        assert not free or t - heard < 120.0 or guard.state is Guard.UNLIMITED_AUTONOMOUS


SHARES = st.lists(st.tuples(st.one_of(st.just(0.0), st.floats(6.0, 32.0)), st.sampled_from([1, 2, 3])), max_size=12)


@given(SHARES, st.floats(0.0, 100_000.0))
def test_a_cut_keeps_its_limit_and_wastes_nothing(shares: list[tuple[float, int]], limit_w: float) -> None:
    """No more than the limit, nobody above what he had or below 6 A; what is left over is too little for the next."""
    amps = np.array([amps for amps, _phases in shares])
    watts = np.array([230.0 * phases for _amps, phases in shares])
    order = list(range(len(shares)))
    found = dimmed(amps, watts, order, limit_w, 6.0)
    assert float(found @ watts) <= limit_w + 1e-3
    assert (found <= amps + 1e-9).all()
    assert all(share == 0.0 or share >= 6.0 - 1e-9 for share in found)
    full = float(found @ watts) >= limit_w - 1e-3 or np.allclose(found[found > 0], amps[found > 0])
    assert full
    cut = found[(found > 0) & (found < amps - 1e-6)]
    assert cut.size == 0 or np.allclose(cut, cut[0])
    out = [column for column in order if amps[column] > 0 and found[column] == 0.0]
    kept = float((np.where(found > 0, 6.0, 0.0) * watts).sum())
    assert all(kept + 6.0 * watts[column] > limit_w for column in out)


def test_who_stands_last_goes_without() -> None:
    """5 kW are enough for three cars of 6 A on one phase; the fourth in order waits."""
    found = dimmed(np.full(4, 16.0), np.full(4, 230.0), [3, 2, 1, 0], 5000.0, 6.0)
    assert found == pytest.approx([0.0, 5000 / 690, 5000 / 690, 5000 / 690])


def start_of(delays: Delays, column: int) -> float:
    """When a start that is wanted at 0 may happen."""
    delays.want(column, 0.0, True)
    return next(float(t) for t in range(601) if delays.over(column, float(t)))


def test_starts_wait_for_up_to_ten_minutes() -> None:
    """Of a hundred starts none waits longer than 600 s, all by whole seconds, and they spread."""
    delays = Delays(100, 600, "a site")
    waits = [start_of(delays, column) for column in range(100)]
    assert 200.0 < np.mean(waits) < 400.0
    assert len(set(waits)) > 60


def test_what_is_no_longer_wanted_ends_the_wait() -> None:
    """A start that is taken back before its time does not happen afterwards; a new one waits anew."""
    delays = Delays(1, 600, "a site")
    delays.want(0, 0.0, True)
    delays.want(0, 1.0, False)
    assert not delays.over(0, 10_000.0)
    delays.want(0, 10_000.0, True)
    assert delays.over(0, 10_600.0)


def test_the_owner_may_skip_the_wait() -> None:
    """Then it may start at once."""
    delays = Delays(1, 600, "a site")
    delays.want(0, 0.0, True)
    delays.skip(0)
    assert delays.over(0, 0.0)


def test_without_a_delay_nobody_waits() -> None:
    """0 seconds is no delay at all."""
    assert Delays(1, 0, "a site").over(0, 0.0)
