"""Charging sessions drawn from shipped models fitted to real ones; figures and sources: ``models/sessions.toml``."""

from __future__ import annotations

import math
import tomllib
import zlib
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from hilbench.errors import InputError, Problem
from hilbench_emulators.sessions import Session
from hilbench_emulators.timestamps import zone_of

_ATTEMPTS = 50
"""So often a station's day is drawn anew until no two cars overlap; then the later one of a clash stays away."""


@cache
def _figures() -> dict[str, Any]:
    return tomllib.loads(resources.files("hilbench_emulators").joinpath("models/sessions.toml").read_text("utf-8"))


def session_model_names() -> tuple[str, ...]:
    """Names of the shipped models."""
    return tuple(name for name in _figures() if name != "quantiles")


def session_model_source(model: str) -> str:
    """Where the figures of a model come from, for the report; raises ``KeyError``."""
    figures = _figures()[model]
    return f"{figures['title']}: {figures['source']} ({figures['confidence']})"


def draw_sessions(
    stations: Sequence[str], day: date, *, timezone: str = "UTC", seed: int = 0, model: str = "workplace"
) -> list[Session]:
    """Sessions that arrive at ``stations`` (roles) on the local ``day``, in the order of arrival, station.

    Each station has its own random numbers, so that one more station changes nothing at the others. Raises
    ``InputError`` for an unknown model or zone.
    """
    if model not in session_model_names():
        names = ", ".join(session_model_names())
        raise InputError("sessions", Problem("model", f"no session model {model!r}", f"use one of {names}"))
    zone = zone_of(timezone)
    sessions = [session for station in stations for session in _station_day(station, day, zone, seed, model)]
    return sorted(sessions, key=lambda session: (session.arrival, session.station))


def _station_day(station: str, day: date, zone: ZoneInfo, seed: int, model: str) -> list[Session]:
    rng = np.random.default_rng([seed, zlib.crc32(f"{model}/{station}".encode()), day.toordinal()])
    figures = _figures()[model]
    kind = figures["weekday" if day.weekday() < 5 else "weekend"]
    shares = np.cumsum(kind["sessions"])
    count = int(np.searchsorted(shares, rng.random() * shares[-1]))
    habits = kind["alone" if count == 1 else "shared"] if count else {}
    drawn: list[Session] = []
    for _ in range(_ATTEMPTS):
        drawn = sorted((_draw(rng, habits, figures, station, day, zone) for _ in range(count)), key=lambda s: s.arrival)
        if all(first.departure <= second.arrival for first, second in pairwise(drawn)):
            return drawn
    return _without_clashes(drawn)


def _without_clashes(drawn: list[Session]) -> list[Session]:
    kept: list[Session] = []
    for session in drawn:
        if not kept or kept[-1].departure <= session.arrival:
            kept.append(session)
    return kept


def _draw(
    rng: np.random.Generator, habits: dict[str, Any], figures: dict[str, Any], station: str, day: date, zone: ZoneInfo
) -> Session:
    shares = np.cumsum(habits["hours"])
    hour = int(np.searchsorted(shares, rng.random() * shares[-1]))
    band = next(band for band in habits["bands"] if band["from"] <= hour < band["to"])
    rank = rng.random()
    # with this chance stay and energy have the same rank: then their rank correlation is that of the data
    energy_rank = rank if rng.random() < band["rank_correlation"] else rng.random()
    stay_h = _quantile(rank, band["stay_h"])
    most_kwh = figures["max_power_kw"] * stay_h
    local = datetime(day.year, day.month, day.day, hour, tzinfo=zone)
    arrival = local.astimezone(UTC) + timedelta(seconds=int(rng.integers(3600)))
    return Session(
        arrival=arrival,
        departure=arrival + timedelta(seconds=math.ceil(3600 * stay_h)),
        station=station,
        energy_kwh=round(min(_quantile(energy_rank, band["energy_kwh"]), most_kwh), 3),
        max_power_kw=figures["max_power_kw"],
    )


def _quantile(rank: float, values: list[float]) -> float:
    return float(np.interp(rank, _figures()["quantiles"], values))
