"""Heat in a transformer: what its equations say in the end, on the way, and what is made of it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilbench.metrics.transformer import Transformer, ageing, assess, heated

ONAN = Transformer()
DAY = np.full(24 * 60, 1.0)


def test_rated_load_ends_at_its_rated_temperatures() -> None:
    """20 C, 60 K of oil and 27.6 K of hot spot above it, after days."""
    found = heated(np.full(5, 1440.0), np.ones(5), 20.0, ONAN)
    assert found.top_oil_c[-1] == pytest.approx(80.0, abs=0.01)
    assert found.hot_spot_c[-1] == pytest.approx(80.0 + 1.2 * 23.0, abs=0.01)


def test_an_hour_of_one_and_a_half() -> None:
    """After ten hours at 80 % and 20 C, 150 % for 60 min leads to 134 C (a figure of another implementation)."""
    load = np.concatenate((np.full(600, 0.8), np.full(60, 1.5), np.full(240, 0.8)))
    found = heated(np.ones(900), load, 20.0, ONAN)
    assert found.hot_spot_c.max() == pytest.approx(134.0, abs=0.5)
    assert found.outcome == "short-term"


def test_one_time_constant_is_63_percent() -> None:
    """The oil of a cold transformer after 180 min at rated load."""
    found = heated(np.array([180.0]), np.array([1.0]), 0.0, ONAN)
    assert found.top_oil_c[-1] == pytest.approx(60.0 * (1.0 - math.exp(-1.0)))


@given(st.lists(st.tuples(st.floats(0.1, 100.0), st.floats(0.0, 2.0)), min_size=1, max_size=20), st.integers(2, 5))
def test_intervals_may_be_cut(pieces: list[tuple[float, float]], parts: int) -> None:
    """The same load in shorter intervals ends at the same temperatures."""
    minutes, load = np.array(pieces).T
    whole = heated(minutes, load, 20.0, Transformer(k21=2.0, k11=0.5))
    cut = heated(np.repeat(minutes / parts, parts), np.repeat(load, parts), 20.0, Transformer(k21=2.0, k11=0.5))
    assert cut.hot_spot_c[-1] == pytest.approx(whole.hot_spot_c[-1], abs=1e-9)


@given(st.lists(st.floats(0.0, 2.0), min_size=1, max_size=30))
def test_more_load_is_never_cooler(load: list[float]) -> None:
    """A tenth more in every interval."""
    minutes = np.full(len(load), 10.0)
    less, more = (heated(minutes, factor * np.array(load), 20.0, ONAN) for factor in (1.0, 1.1))
    assert np.all(more.hot_spot_c >= less.hot_spot_c - 1e-9)


def test_ageing_doubles_every_6_kelvin() -> None:
    """As fast as usual at 98 C, twice as fast at 104 C."""
    assert ageing(np.array([92.0, 98.0, 104.0])).tolist() == pytest.approx([0.5, 1.0, 2.0])


def test_a_current_is_judged() -> None:
    """216 A for a day on a transformer of 216 A: cyclic; three times as much overheats it."""
    steady = np.array([0.0, 86_400.0]), np.array([216.0, 216.0])
    assert assess(steady, 216.0, 20.0).outcome == "cyclic"
    assert assess((steady[0], 2.0 * steady[1]), 216.0, 20.0).outcome == "overheated"


def test_what_does_not_fit_is_refused() -> None:
    """Two intervals and one load."""
    with pytest.raises(ValueError, match="give one load"):
        heated(DAY[:2], np.array([1.0]), 20.0, ONAN)
