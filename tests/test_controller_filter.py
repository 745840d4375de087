"""The moving mean of a restless meter: its delay, and what it leaves alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hilbench.controller.filtering import MovingMean, Seen
from hilbench.controller.settings import ControllerSettings
from tests.controller_toy import Toy, toy

AMPS = st.floats(0.0, 500.0)


def one(amps: float, lower: float = 0.0, upper: float = 0.0) -> Seen:
    """A sample of one line."""
    return Seen([amps], [lower], [upper])


@given(st.lists(st.tuples(AMPS, AMPS, AMPS), min_size=1))
def test_without_a_window_every_sample_is_as_it_is(samples: list[tuple[float, float, float]]) -> None:
    """The default changes nothing."""
    mean = MovingMean(0.0)
    assert all(mean.mean(float(t), one(*sample)) == one(*sample) for t, sample in enumerate(samples))


@given(st.lists(AMPS, min_size=1, max_size=30), st.integers(1, 10))
def test_the_mean_is_that_of_the_last_filter_s(samples: list[float], window: int) -> None:
    """A sample a second: as many as the window has seconds, fewer at the beginning."""
    mean = MovingMean(float(window))
    for t, amps in enumerate(samples):
        last = samples[max(0, t + 1 - window) : t + 1]
        assert mean.mean(float(t), one(amps)).measured[0] == pytest.approx(sum(last) / len(last))


def test_a_step_is_half_seen_after_half_the_window_and_then_wholly() -> None:
    """The delay that is stated: filter_s / 2 to the half, filter_s to all of it."""
    mean = MovingMean(8.0)
    for t in range(8):
        mean.mean(float(t), one(20.0))
    seen = [mean.mean(8.0 + t, one(60.0)).measured[0] for t in range(9)]
    assert seen[3] == pytest.approx(40.0)
    assert seen[7:] == pytest.approx([60.0, 60.0])


def base_of(site_toy: Toy) -> float:
    """The building as the core takes it to be."""
    return float(site_toy.core.building.base[0])


def test_a_base_load_step_is_known_later_by_the_window() -> None:
    """Two sites with the same step and nobody to be reduced: the filtered estimate reaches it 4 to 8 s later."""
    times = []
    for filter_s in (0.0, 8.0):
        site_toy = toy(1, base_a=20.0, cars=0, settings=ControllerSettings(filter_s=filter_s))
        site_toy.plug("s0", demand_a=10.0)
        site_toy.run(120)
        site_toy.base_a = dict.fromkeys(site_toy.base_a, 40.0)
        began = site_toy.t
        while base_of(site_toy) < 38.0:
            site_toy.run(1)
        times.append(site_toy.t - began)
    assert 4.0 <= times[1] - times[0] <= 8.0


def test_a_current_above_the_rating_is_not_averaged() -> None:
    """There is no time: the estimate is that of the sample."""
    site_toy = toy(2, base_a=20.0, settings=ControllerSettings(filter_s=30.0))
    site_toy.run(120)
    site_toy.base_a = dict.fromkeys(site_toy.base_a, 90.0)
    site_toy.run(1)
    assert base_of(site_toy) > 85.0


def test_what_stations_do_themselves_is_no_load() -> None:
    """Cars that start, rise and stop under a long window leave the estimate of a constant building where it is."""
    site_toy = toy(3, base_a=20.0, settings=ControllerSettings(filter_s=20.0))
    found = []
    for step in range(400):
        if step == 250:
            site_toy.unplug("s0", "s1")
        site_toy.run(1)
        found.append(base_of(site_toy))
    assert min(found) >= 19.0
    assert max(site_toy.totals) <= 81.0


@pytest.mark.parametrize("filter_s", [-1.0, 61.0])
def test_a_window_out_of_range_is_refused(filter_s: float) -> None:
    """0 to 60 s."""
    with pytest.raises(ValidationError):
        ControllerSettings(filter_s=filter_s)
