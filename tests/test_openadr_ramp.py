"""The ramp of a limit: down at once, up late and slowly."""

from __future__ import annotations

import math
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from hilbench.controller.signals.ramp import Ramp, Slope, next_step, step

SLOPE = Slope(full_kw=100.0, kw_per_s=0.5, spread_s=60.0, seed=3)
ASKED = st.none() | st.sampled_from([0.0, 20.0, 50.0, 99.0, 150.0])


def play(asked: list[float | None], step_s: float = 5.0, slope: Slope = SLOPE) -> list[Ramp]:
    """A ramp that is moved every ``step_s``."""
    ramps = [Ramp(0.0)]
    for place, kw in enumerate(asked):
        ramps.append(step(ramps[-1], place * step_s, kw, slope))
    return ramps[1:]


def release_of(kw: float, slope: Slope = SLOPE) -> list[float]:
    """What is given out every 5 s after a limit of ``kw`` has ended at 0."""
    return [ramp.given_kw for ramp in play([kw] + [None] * 100, slope=slope)]


@settings(max_examples=50, deadline=None)
@given(st.lists(ASKED, min_size=1, max_size=30))
def test_what_is_given_out_is_never_above_what_is_asked_for(asked: list[float | None]) -> None:
    """Whatever is asked for in whatever order."""
    wanted = [math.inf if kw is None else kw for kw in asked]
    assert all(ramp.given_kw <= kw for ramp, kw in zip(play(asked), wanted, strict=True))


@settings(max_examples=50, deadline=None)
@given(st.lists(ASKED, min_size=1, max_size=30))
def test_a_rise_keeps_to_the_slope_until_no_limit_acts(asked: list[float | None]) -> None:
    """Two values 5 s apart are 2.5 kW apart at most, or the later one is above the site's own import."""
    given_kw = [ramp.given_kw for ramp in play(asked)]
    assert all(later <= earlier + 2.5 + 1e-9 or earlier + 2.5 >= SLOPE.full_kw for earlier, later in pairwise(given_kw))


@settings(max_examples=50, deadline=None)
@given(st.lists(ASKED, min_size=1, max_size=30), ASKED)
def test_it_arrives(before: list[float | None], last: float | None) -> None:
    """After the longest wait and the whole slope, what is asked for is given, and nothing more is due."""
    end = play(before + [last] * 60)[-1]
    assert end.limit_kw == last
    assert next_step(end, 5.0) == math.inf


def test_a_lower_limit_holds_at_once() -> None:
    """Also in the middle of a rise."""
    assert [ramp.limit_kw for ramp in play([50.0, 20.0])] == [50.0, 20.0]
    rising = play([20.0, *[None] * 20])
    assert 20.0 < rising[-1].given_kw < 100.0
    assert step(rising[-1], 200.0, 10.0, SLOPE).limit_kw == 10.0


def test_the_end_of_an_event_is_a_wait_and_a_straight_line() -> None:
    """The wait is within the spread; then 0.5 kW/s until the site's own import."""
    given_kw = release_of(20.0)
    wait = given_kw.count(20.0) - 1
    assert wait <= 60 / 5
    rising = given_kw[wait + 2 : given_kw.index(math.inf)]
    assert {round(later - earlier, 9) for earlier, later in pairwise(rising)} == {2.5}
    assert max(rising) < 100.0


def test_sites_with_other_seeds_come_back_at_other_times() -> None:
    """So that many sites make no new peak together."""
    ends = {release_of(20.0, Slope(100.0, 0.5, 60.0, seed)).count(20.0) for seed in range(30)}
    assert len(ends) > 5


def test_each_release_has_a_wait_of_its_own() -> None:
    """A site is not always the first."""
    ramps = play([20.0, *[None] * 60] * 2)
    waits = {
        round(ramp.rise_t - ramp.t, 6)
        for before, ramp in pairwise(ramps)
        if before.rise_t is None and ramp.rise_t is not None
    }
    assert len(waits) == 2


def test_the_next_step_is_the_end_of_the_wait_then_every_tick() -> None:
    """Without a rise nothing is due."""
    held, waiting = play([20.0, None])
    assert next_step(held, 5.0) == math.inf
    assert waiting.rise_t is not None
    assert next_step(waiting, 5.0) == waiting.rise_t
    begun = step(waiting, waiting.rise_t, None, SLOPE)
    assert (begun.given_kw, next_step(begun, 5.0)) == (20.0, waiting.rise_t + 5.0)
