"""Step responses against functions whose times are known on paper."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilbench.metrics.polyline import Polyline
from hilbench.metrics.response import clear_time, hold_time, reach_time, settling_time, step_response


def line(*corners: tuple[float, float]) -> Polyline:
    """A polyline from its (time, value) corners."""
    t, v = zip(*corners, strict=True)
    return np.array(t, dtype=float), np.array(v, dtype=float)


def lag(y0: float, yf: float, t0: float, tau: float = 5.0, delay: float = 2.0, step: float = 0.01) -> Polyline:
    """First-order lag with delay after t0, as a fine polyline over 60 s."""
    t = np.arange(0.0, t0 + 60.0, step)
    x = np.maximum(t - t0 - delay, 0.0)
    return t, yf + (y0 - yf) * np.exp(-x / tau)


@pytest.mark.parametrize(("y0", "yf"), [(0.0, 1.0), (32.0, 6.0), (6.0, 80.0)])
def test_first_order_lag_has_its_analytic_times(y0: float, yf: float) -> None:
    """tau 5 s and 2 s delay: dead 2.26 s, t50 5.47 s, t90 13.51 s, settled 16.98 s, up or down alike."""
    found = step_response(lag(y0, yf, 7.0), 7.0, y0, yf)
    assert found.dead_time_s == pytest.approx(2 + 5 * math.log(1 / 0.95), abs=0.02)
    assert found.t50_s == pytest.approx(2 + 5 * math.log(2), abs=0.02)
    assert found.t90_s == pytest.approx(2 + 5 * math.log(10), abs=0.02)
    assert found.settling_s == pytest.approx(2 + 5 * math.log(20), abs=0.02)
    assert found.overshoot == 0.0


def test_straight_ramp_is_exact() -> None:
    """A ramp over 10 s from 20 A to 10 A reaches 5, 50, 90 and 95 % after 0.5, 5, 9 and 9.5 s."""
    found = step_response(line((0, 20), (3, 20), (13, 10), (30, 10)), 3.0, 20.0, 10.0)
    times = (found.dead_time_s, found.t50_s, found.t90_s, found.settling_s)
    assert times == pytest.approx((0.5, 5.0, 9.0, 9.5), abs=1e-12)


def test_overshoot_counts_in_amperes_percent_and_ampere_seconds() -> None:
    """A drop from 32 A to 16 A that dips to 12 A for 5 s: 4 A, 25 %, 20 A.s, settled when it is back."""
    found = step_response(line((0, 32), (2, 32), (2, 12), (7, 12), (7, 16), (20, 16)), 0.0, 32.0, 16.0)
    assert (found.overshoot, found.overshoot_pct, found.overshoot_s) == pytest.approx((4.0, 25.0, 20.0))
    assert found.t90_s == 2.0
    assert found.settling_s == 7.0


def test_what_never_happens_is_infinite() -> None:
    """A controller that does nothing has an infinite dead time, t90 and settling time, not a missing one."""
    found = step_response(line((0, 32), (60, 32)), 5.0, 32.0, 16.0)
    assert (found.dead_time_s, found.t90_s, found.settling_s) == (math.inf, math.inf, math.inf)


def test_a_response_before_the_stimulus_does_not_count() -> None:
    """Only what follows t0 is the response; an earlier swing is ignored."""
    assert step_response(line((0, 0), (1, 50), (2, 0), (5, 0), (6, 10), (9, 10)), 5.0, 0.0, 10.0).overshoot == 0.0


def test_no_step_is_refused() -> None:
    """Without a difference between start and end there is no response to measure."""
    with pytest.raises(ValueError, match="no step"):
        step_response(line((0, 10), (10, 10)), 0.0, 10.0, 10.0)


def test_settling_within_an_absolute_band() -> None:
    """+-1 A around 10 A is reached for good at the last exit, even after an earlier visit."""
    wobble = line((0, 20), (2, 10), (3, 10), (4, 12), (6, 10), (9, 10))
    assert settling_time(wobble, 0.0, 10.0, 1.0) == pytest.approx(5.0)
    assert settling_time(wobble, 0.0, 10.0, 3.0) == pytest.approx(1.4)
    assert settling_time(line((0, 20), (9, 20)), 0.0, 10.0, 1.0) == math.inf


def test_clear_time_is_the_last_return_below_the_limit() -> None:
    """Back at the limit after 4 s, above again until 8 s: clear after 7 s from t0 = 1 s."""
    swing = line((0, 50), (1, 50), (1, 90), (4, 90), (4, 70), (6, 70), (6, 85), (8, 85), (8, 80), (20, 80))
    assert clear_time(swing, 80.0, 1.0) == 7.0
    assert clear_time(swing, 80.0, 9.0) == 0.0
    assert clear_time(swing, 75.0, 1.0) == math.inf
    assert clear_time(swing, 80.0, 1.0, 5.0) == 3.0


def test_clear_time_follows_a_limit_that_changes() -> None:
    """A limit that falls to 60 A at 10 s is broken until the current follows at 13 s."""
    limit = line((0, 80), (10, 80), (10, 60), (30, 60))
    assert clear_time(line((0, 70), (13, 70), (13, 55), (30, 55)), limit, 10.0) == 3.0


def test_reaching_once_and_holding_are_different() -> None:
    """A current that touches 16 A after 2 s and stays there from 6 s on."""
    rise = line((0, 0), (2, 16), (3, 10), (6, 16), (10, 16))
    assert reach_time(rise, 16.0, 0.0) == 2.0
    assert hold_time(rise, 16.0, 0.0) == 6.0
    assert hold_time(rise, 17.0, 0.0) == math.inf


@settings(deadline=None)
@given(st.floats(0.1, 20), st.floats(0, 10), st.floats(-50, 50), st.floats(1, 50))
def test_times_are_ordered_and_scale_free(ramp: float, delay: float, y0: float, size: float) -> None:
    """dead <= t50 <= t90 <= settling on any delayed ramp, with the figures of the unit ramp."""
    response = line((0, y0), (delay + 1, y0), (delay + 1 + ramp, y0 + size), (100, y0 + size))
    found = step_response(response, 1.0, y0, y0 + size)
    expected = [delay + share * ramp for share in (0.05, 0.5, 0.9, 0.95)]
    assert [found.dead_time_s, found.t50_s, found.t90_s, found.settling_s] == pytest.approx(expected, abs=1e-6)
