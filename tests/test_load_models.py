"""Shipped models of building loads."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilbench.errors import InputError
from hilbench.site import Service
from hilbench_emulators.building import BuildingLoad
from hilbench_emulators.load_models import load_model_names, load_model_source, parametric_load

SPLIT = Service(rating_a=100, voltage_v=240, wiring="split-phase")
TUESDAY = datetime(2024, 6, 4, 7, tzinfo=UTC)  # midnight in Los Angeles
HOUR = 3600.0


def model(kind: str = "office", **options: Any) -> BuildingLoad:
    """A load of 60 A peak in Los Angeles from Tuesday midnight on."""
    known: dict[str, Any] = {"epoch": TUESDAY, "peak_a": 60.0, "timezone": "America/Los_Angeles"}
    return parametric_load(kind, SPLIT, **{**known, **options})


def values(load: BuildingLoad, start: float, stop: float) -> list[float]:
    """Amperes of L1 at every kink, before and after it."""
    found, t = [], start
    while (t := load.next_kink(t)) <= stop:
        found += [float(load.base_a(t, before=True)[0]), float(load.base_a(t)[0])]
    return found


def test_every_model_names_its_source() -> None:
    """What a report prints about a model says where it comes from and how sure it is."""
    assert set(load_model_names()) == {"office", "retail", "home", "workplace", "constant"}
    for name in load_model_names():
        assert load_model_source(name).endswith(("(read-code)", "(policy-default)"))


@pytest.mark.parametrize("kind", ["office", "retail", "home", "workplace", "constant"])
def test_a_model_stays_between_nothing_and_its_peak(kind: str) -> None:
    """Over a week no value leaves 0..peak, noise and cooktop included."""
    found = values(model(kind), 0.0, 7 * 24 * HOUR)
    assert min(found) >= 0.0
    assert max(found) <= 60.0 + 1e-9


def test_an_office_works_by_day_and_rests_at_night_and_on_sunday() -> None:
    """The fitted shape: a weekday afternoon near the peak, a fifth of it by night, less on Sunday."""
    office = model(fluctuation=0.0)
    tuesday = [float(office.base_a(h * HOUR)[0]) for h in (3, 15)]
    sunday = float(office.base_a((5 * 24 + 15) * HOUR)[0])
    assert tuesday == pytest.approx([0.2355 * 60, 0.989 * 60], rel=0.01)
    assert sunday == pytest.approx(0.2345 * 60, rel=0.01)


def test_hours_are_those_of_the_site() -> None:
    """The same instant is afternoon in Los Angeles and night in Berlin."""
    assert float(model(fluctuation=0.0).base_a(15 * HOUR)[0]) > 50.0
    assert float(model(fluctuation=0.0, timezone="Europe/Berlin").base_a(15 * HOUR)[0]) < 20.0


def test_power_scales_a_model_too() -> None:
    """24 kW at 240 V and power factor 0.8 is a peak of 125 A."""
    load = model("constant", peak_a=None, peak_kw=24.0, power_factor=0.8)
    assert load.base_a(0.0) == pytest.approx([125.0, 125.0])


def test_noise_has_its_size_and_memory() -> None:
    """Standard deviation 3 % of the peak; correlation near 1/e after ten minutes."""
    load = model("constant", fluctuation=0.03, peak_a=100.0)
    minutes = np.array([float(load.base_a(60.0 * k)[0]) for k in range(7 * 1440)])
    halved = model("workplace", fluctuation=0.0, peak_a=100.0)
    noisy = model("workplace", peak_a=100.0)
    night = [3 * HOUR + 60.0 * k + day * 24 * HOUR for day in range(30) for k in range(60)]
    differences = np.array([float(noisy.base_a(t)[0] - halved.base_a(t)[0]) for t in night])
    assert differences.std() == pytest.approx(3.0, rel=0.2)
    assert minutes.max() <= 100.0
    series = differences.reshape(30, 60)
    correlation = float((series[:, :-10] * series[:, 10:]).mean() / differences.var())
    assert correlation == pytest.approx(np.exp(-1.0), abs=0.15)


def test_a_seed_repeats_and_another_differs() -> None:
    """Equal seeds give equal loads, whatever was asked before."""
    one, two, other = model(seed=1), model(seed=1), model(seed=2)
    two.base_a(9 * 24 * HOUR)
    times = [k * 977.0 for k in range(300)]
    assert [one.base_a(t).tolist() for t in times] == [two.base_a(t).tolist() for t in times]
    assert [one.base_a(t).tolist() for t in times] != [other.base_a(t).tolist() for t in times]


def test_nothing_jumps_at_the_end_of_a_utc_day() -> None:
    """The pieces of which a model is made fit together."""
    load = model()
    for day in range(1, 8):
        midnight = 24 * HOUR * day - 7 * HOUR
        assert load.base_a(midnight, before=True) == pytest.approx(load.base_a(midnight))


def test_a_cooktop_switches_every_evening() -> None:
    """A home jumps by 30 % of its peak, dozens of times, in the evening and at no other time."""
    home = model("home")
    jumps, t = [], 0.0
    while (t := home.next_kink(t)) < 24 * HOUR:
        size = float((home.base_a(t) - home.base_a(t, before=True))[0])
        if abs(size) > 1.0:
            jumps.append((t / HOUR, size))
    assert len(jumps) >= 20
    assert all(17.0 < hour < 20.0 for hour, _size in jumps)
    assert [size for _hour, size in jumps] == pytest.approx([18.0, -18.0] * (len(jumps) // 2))


@given(st.integers(0, 400), st.sampled_from(["UTC", "Asia/Kolkata", "America/Los_Angeles", "Pacific/Auckland"]))
@settings(max_examples=20, deadline=None)
def test_every_day_in_every_zone_has_a_load(day: int, zone: str) -> None:
    """Half-hour zones and days of a clock change are served."""
    load = model("home", timezone=zone)
    found = values(load, day * 24 * HOUR, day * 24 * HOUR + 600.0)
    assert all(0.0 <= value <= 60.0 for value in found)


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"kind": "castle"}, "no load model 'castle'"),
        ({"peak_kw": 5.0}, "give the peak once"),
        ({"peak_a": None}, "give the peak once"),
        ({"peak_a": -1.0}, "must be 0 or more"),
        ({"timezone": "Nowhere"}, "no IANA time zone"),
    ],
)
def test_a_model_that_cannot_be_is_refused(options: dict[str, Any], what: str) -> None:
    """Unknown models, peaks given twice or not at all, and unknown zones are input errors."""
    with pytest.raises(InputError, match=what):
        model(**{"kind": "office", **options})
