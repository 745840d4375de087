"""Charging sessions drawn from shipped models."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import groupby, pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from hilbench.errors import InputError
from hilbench_emulators.session_model import draw_sessions, session_model_names, session_model_source
from hilbench_emulators.sessions import Session

STATIONS = [f"S{number:02d}" for number in range(47)]
ZONE = "America/Los_Angeles"
FRIDAY = date(2019, 3, 1)


def month(model: str = "workplace", seed: int = 1) -> list[Session]:
    """March 2019 at as many stations as the model was fitted to."""
    days = [FRIDAY + timedelta(days=k) for k in range(31)]
    return [s for day in days for s in draw_sessions(STATIONS, day, timezone=ZONE, seed=seed, model=model)]


def hours(session: Session) -> float:
    """Length of a stay [h]."""
    return (session.departure - session.arrival).total_seconds() / 3600.0


def test_a_month_looks_like_the_one_it_was_fitted_to() -> None:
    """March 2019 at Caltech: 954 sessions, 8.9 MWh, median 6.67 kWh, quartile of stays 2.6 to 8.8 h, most by 10:00."""
    sessions = month()
    energies = [session.energy_kwh for session in sessions]
    assert len(sessions) == pytest.approx(954, rel=0.1)
    assert sum(energies) == pytest.approx(8900, rel=0.15)
    assert np.median(energies) == pytest.approx(6.67, rel=0.15)
    assert np.percentile([hours(s) for s in sessions], [25, 75]) == pytest.approx([2.6, 8.8], rel=0.35)
    local = [s.arrival.astimezone(ZoneInfo(ZONE)) for s in sessions]
    weekdays = [moment for moment in local if moment.weekday() < 5]
    assert np.mean([moment.hour < 10 for moment in weekdays]) == pytest.approx(0.47, abs=0.07)


def test_weekends_are_quiet() -> None:
    """A weekend day has about a third of the sessions of a weekday."""
    by_day = {day: len(list(group)) for day, group in groupby(month(), key=lambda s: s.arrival.date())}
    weekend = np.mean([count for day, count in by_day.items() if day.weekday() >= 5])
    weekday = np.mean([count for day, count in by_day.items() if day.weekday() < 5])
    assert weekend < 0.5 * weekday


@pytest.mark.parametrize("model", ["workplace", "public", "home"])
def test_a_station_holds_one_car_at_a_time(model: str) -> None:
    """Sessions of a day at one station never overlap; energies fit the time and the power."""
    for station in STATIONS[:20]:
        for day in range(14):
            drawn = draw_sessions([station], FRIDAY + timedelta(days=day), timezone=ZONE, model=model)
            assert all(a.departure <= b.arrival for a, b in pairwise(drawn))
            for session in drawn:
                assert 0 <= session.energy_kwh <= (session.max_power_kw or 0) * hours(session) + 1e-3


def test_arrivals_are_on_the_local_day_and_in_order() -> None:
    """Every session begins on the day that was asked for, in local time."""
    drawn = draw_sessions(STATIONS, FRIDAY, timezone=ZONE, seed=5)
    assert {s.arrival.astimezone(ZoneInfo(ZONE)).date() for s in drawn} == {FRIDAY}
    assert drawn == sorted(drawn, key=lambda s: (s.arrival, s.station))


def test_one_more_station_changes_nothing_at_the_others() -> None:
    """Each station has its own random numbers."""
    few = draw_sessions(["A", "B"], FRIDAY, seed=3)
    many = draw_sessions(["A", "B", "C"], FRIDAY, seed=3)
    assert [s for s in many if s.station != "C"] == few


def test_seeds_and_models_differ() -> None:
    """Another seed is another day; the same seed is the same."""
    assert month(seed=1)[:50] == month(seed=1)[:50]
    assert month(seed=1)[:50] != month(seed=2)[:50]


def test_every_model_names_its_source() -> None:
    """What a report prints says where the figures come from and how sure they are."""
    assert session_model_names() == ("workplace", "public", "home")
    assert "954 sessions" in session_model_source("workplace")
    assert session_model_source("home").endswith("(policy-default)")


def test_an_unknown_model_is_refused() -> None:
    """The error lists the models."""
    with pytest.raises(InputError, match="use one of workplace, public, home"):
        draw_sessions(["A"], FRIDAY, model="airport")
