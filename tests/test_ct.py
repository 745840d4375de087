"""CTs: errors within their class, saturation, noise and resolution, and how the meter's channels combine them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilbench.errors import InputError
from hilbench_emulators.ct import LIMITS, CtChain, CtSettings, draw_chain, expanded_uncertainty_a

CLASSES = sorted(LIMITS)


@settings(deadline=None)
@given(st.sampled_from(CLASSES), st.integers(0, 1000), st.floats(1.0, 120.0))
def test_a_drawn_ct_is_within_its_class(name: str, seed: int, current_a: float) -> None:
    """Between the lowest and the highest current of the class its ratio error is at most the class's largest limit."""
    chain = draw_chain(CtSettings(accuracy_class=name, rated_a=100.0), np.random.default_rng(seed))  # type: ignore[arg-type]
    limit = max(point[1] for point in LIMITS[name])
    assert abs(chain.reading_a(current_a) - current_a) <= limit / 100.0 * current_a + 1e-9


@pytest.mark.parametrize(("share", "percent", "minutes"), LIMITS["1"])
def test_the_worst_ct_of_class_1_errs_by_the_limit(share: float, percent: float, minutes: float) -> None:
    """At each current that IEC 61869-2 lists, a CT at the edge of the class has just that error."""
    chain = CtChain(CtSettings(accuracy_class="1", rated_a=100.0), 1.0, 1.0)
    assert chain.ratio_error(100.0 * share) == pytest.approx(percent / 100.0)
    assert chain.phase_error_rad(100.0 * share) == pytest.approx(math.radians(minutes / 60.0))


def test_an_ideal_ct_reads_what_flows() -> None:
    """No error at any current, and no saturation."""
    chain = CtChain(CtSettings(accuracy_class="ideal", rated_a=10.0), 1.0, 1.0)
    assert [chain.reading_a(amps) for amps in (0.0, 3.3, 10.0, 500.0)] == [0.0, 3.3, 10.0, 500.0]


def test_a_saturated_ct_hides_most_of_an_overload() -> None:
    """Above the knee only three tenths of what is more comes through."""
    chain = CtChain(CtSettings(accuracy_class="1", rated_a=100.0, knee=1.5))
    assert chain.reading_a(150.0) == pytest.approx(150.0)
    assert chain.reading_a(250.0) == pytest.approx(150.0 + 0.3 * 100.0)


@given(st.floats(0.0, 100.0))
def test_a_reading_is_a_multiple_of_the_resolution(current_a: float) -> None:
    """With a resolution of 0.5 A there is nothing in between."""
    reading = CtChain(CtSettings(accuracy_class="ideal", resolution_a=0.5)).reading_a(current_a)
    assert reading % 0.5 == 0.0
    assert abs(reading - current_a) <= 0.25 + 1e-9


def test_noise_never_makes_a_magnitude_negative() -> None:
    """A draw far below zero is read as its magnitude."""
    assert CtChain(CtSettings(accuracy_class="ideal", noise_a=1.0)).reading_a(0.5, noise=-3.0) == pytest.approx(2.5)


def test_the_uncertainty_of_a_class_is_stated_by_gum() -> None:
    """Class 1 at its rated 100 A: a rectangular 1 A, so 2 x 1 / sqrt 3; noise adds in squares."""
    assert expanded_uncertainty_a(CtSettings(accuracy_class="1", rated_a=100.0)) == pytest.approx(2.0 / math.sqrt(3))
    noisy = CtSettings(accuracy_class="ideal", rated_a=100.0, noise_a=0.5)
    assert expanded_uncertainty_a(noisy) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"accuracy_class": "7"}, "class"),
        ({"rated_a": 0.0}, "rated_a"),
        ({"rated_a": math.inf}, "rated_a"),
        ({"noise_a": -1.0}, "noise_a"),
        ({"resolution_a": math.nan}, "resolution_a"),
        ({"knee": 0.0}, "knee"),
    ],
)
def test_figures_out_of_range_are_named(changes: dict[str, object], key: str) -> None:
    """An impossible CT is refused with the key of the wrong figure."""
    with pytest.raises(InputError, match=key):
        CtSettings(**changes)  # type: ignore[arg-type]
