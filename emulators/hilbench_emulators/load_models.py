"""Building loads from shipped models: a daily and weekly shape, scaled to a peak, with a seeded minute-scale noise.

Figures and their sources: ``models/loads.toml``. A model never exceeds its peak, so the peak is the worst base load
that a site has to reckon with.
"""

from __future__ import annotations

import math
import tomllib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from hilbench.errors import InputError, Problem
from hilbench.site import Service
from hilbench_emulators.building import BuildingLoad, amps_per_kw, line_shares
from hilbench_emulators.curves import Array, Polyline
from hilbench_emulators.timestamps import zone_of

_DAY_S = 86400
_MINUTES = 1440
_SUMMER = range(5, 11)


@cache
def _figures() -> dict[str, Any]:
    return tomllib.loads(resources.files("hilbench_emulators").joinpath("models/loads.toml").read_text("utf-8"))


def load_model_names() -> tuple[str, ...]:
    """Names of the shipped models."""
    return tuple(name for name in _figures() if name != "fluctuation")


def load_model_source(kind: str) -> str:
    """Where the figures of a model come from, for the report; raises ``KeyError``."""
    figures = _figures()[kind]
    return f"{figures['title']}: {figures['source']} ({figures['confidence']})"


def parametric_load(
    kind: str,
    service: Service,
    *,
    epoch: datetime,
    peak_kw: float | None = None,
    peak_a: float | None = None,
    timezone: str = "UTC",
    seed: int = 0,
    shares: Mapping[str, float] | None = None,
    power_factor: float = 0.95,
    fluctuation: float | None = None,
) -> BuildingLoad:
    """A building of model ``kind``; bench time 0 is ``epoch`` (UTC), days and hours are those of ``timezone``.

    Its peak is ``peak_kw`` (all lines together, split evenly or by ``shares``) or ``peak_a`` (per line).
    ``fluctuation`` is the noise's standard deviation as share of the peak (None: the model's own figure). Equal
    arguments give equal loads. Raises ``InputError`` for an unknown kind or zone and for a peak that is not one.
    """
    _check(kind, peak_kw, peak_a)
    if peak_a is not None:
        amps = np.full(len(service.lines), peak_a)
    else:
        amps = (peak_kw or 0.0) * amps_per_kw(service, line_shares(service, shares), power_factor)
    sigma = _figures()["fluctuation"]["sigma"] if fluctuation is None else fluctuation
    sigma = 0.0 if kind == "constant" and fluctuation is None else sigma
    model = ModelCurve(kind, amps, epoch, zone_of(timezone), seed, sigma)
    return BuildingLoad(model, service, power_factor=power_factor)


def _check(kind: str, peak_kw: float | None, peak_a: float | None) -> None:
    problems = []
    if kind not in load_model_names():
        problems.append(Problem("model", f"no load model {kind!r}", f"use one of {', '.join(load_model_names())}"))
    if (peak_kw is None) == (peak_a is None):
        problems.append(Problem("peak_kw", "give the peak once", "either peak_kw (all lines) or peak_a (per line)"))
    for name, value in (("peak_kw", peak_kw), ("peak_a", peak_a)):
        if value is not None and not (0 <= value < math.inf):
            problems.append(Problem(name, f"{value} must be 0 or more"))
    if problems:
        raise InputError("building", problems)


@dataclass
class ModelCurve:
    """Amperes per line of a model as a curve; made day by day (UTC) when asked for, with no end.

    ``peak_a`` [A] has shape (lines,).
    """

    kind: str
    peak_a: Array
    epoch: datetime
    zone: ZoneInfo
    seed: int
    sigma: float

    def __post_init__(self) -> None:
        self._zero = self.epoch.timestamp()
        self._day = 0
        self._chunk: Polyline | None = None

    def at(self, t: float, *, before: bool = False) -> Array:
        """See ``Curve``."""
        amps: Array = self._of(self._day_of(t, before)).at(t, before=before) * self.peak_a
        return amps

    def next_kink(self, t: float) -> float:
        """See ``Curve``; at the latest the end of the UTC day."""
        return self._of(self._day_of(t, before=False)).next_kink(t)

    def _day_of(self, t: float, before: bool) -> int:
        days = (t + self._zero) / _DAY_S
        return math.ceil(days) - 1 if before else math.floor(days)

    def _of(self, day: int) -> Polyline:
        if self._chunk is None or day != self._day:
            self._day, self._chunk = day, self._make(day)
        return self._chunk

    def _make(self, day: int) -> Polyline:
        """Share of the peak over UTC day number ``day`` since 1970, as a polyline in bench time."""
        start = day * _DAY_S - self._zero
        times = np.linspace(start, start + _DAY_S, _MINUTES + 1)
        cooktop = _figures()[self.kind].get("cooktop")
        shape = self._shape(day) + self.sigma * self._noise(day)
        if cooktop is None:
            return Polyline(times, np.clip(shape, 0.0, 1.0))
        base = np.clip(shape, 0.0, 1.0) * (1.0 - cooktop["share"])
        return _with_switching(times, base, self._cooking(day, cooktop), cooktop["share"])

    def _shape(self, day: int) -> Array:
        """The model's share of the peak at each minute of a UTC day, ends included."""
        figures = _figures()[self.kind]
        if figures.get("flat"):
            return np.ones(_MINUTES + 1)
        first = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day)
        local = [(first + timedelta(hours=hour)).astimezone(self.zone) for hour in range(25)]
        shape = np.empty(_MINUTES + 1)
        for hour, moment in enumerate(local):
            width = min(60, _MINUTES + 1 - 60 * hour)
            minutes = moment.hour * 60 + moment.minute + np.arange(float(width))
            shape[60 * hour : 60 * hour + width] = _day_shape(figures, moment.date(), minutes)
        return shape

    def _noise(self, day: int) -> Array:
        """Noise of unit variance at each minute of a UTC day; the last value is the first of the next day."""
        memory = _figures()["fluctuation"]["memory_min"]
        taps = int(6 * memory)
        weights = np.exp(-np.arange(taps) / memory)
        weights /= math.sqrt(float((weights**2).sum()))
        draws = np.concatenate((self._draws(day - 1)[-(taps - 1) :], self._draws(day), self._draws(day + 1)[:1]))
        return np.asarray(np.convolve(draws, weights, mode="valid"), dtype=float)

    def _draws(self, day: int) -> Array:
        return self._rng("noise", day).standard_normal(_MINUTES)

    def _rng(self, purpose: str, day: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, zlib.crc32(f"{self.kind}/{purpose}".encode()), day])

    def _cooking(self, day: int, cooktop: dict[str, Any]) -> list[tuple[float, float]]:
        """When the cooktop is on in a UTC day: bench times (on, off) in order, of cookings that begin in it."""
        start = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day)
        spans: list[tuple[float, float]] = []
        for offset in (-1, 0, 1):
            local = start.astimezone(self.zone).date() + timedelta(days=offset)
            spans += _cook(self._rng("cooktop", local.toordinal()), cooktop, self._bench(local))
        low, high = day * _DAY_S - self._zero, (day + 1) * _DAY_S - self._zero
        return [(max(on, low), min(off, high)) for on, off in spans if off > low and on < high]

    def _bench(self, day: date) -> float:
        return datetime(day.year, day.month, day.day, tzinfo=self.zone).timestamp() - self._zero


def _day_shape(figures: dict[str, Any], day: date, minutes: Array) -> Array:
    """Share of the peak at ``minutes`` of a local day: straight between the model's hourly points."""
    before, after = day - timedelta(days=1), day + timedelta(days=1)
    points = [_points(figures, before)[-1], *_points(figures, day), *_points(figures, after)[:2]]
    at = figures["minute"] + 60.0 * np.arange(-1, 26)
    shape: Array = np.interp(minutes, at, points)
    return shape


def _points(figures: dict[str, Any], day: date) -> list[float]:
    season = figures["summer" if day.month in _SUMMER else "winter"]
    kind = {5: "saturday", 6: "sunday"}.get(day.weekday(), "weekday")
    points: list[float] = season[kind]
    return points


def _cook(rng: np.random.Generator, cooktop: dict[str, Any], midnight: float) -> list[tuple[float, float]]:
    shortest, longest = cooktop["cook_min"]
    start = midnight + 3600.0 * (cooktop["start_h"] + rng.uniform(-1.0, 1.0) * cooktop["spread_h"])
    end = start + 60.0 * rng.uniform(shortest, longest)
    on = start + cooktop["full_s"] + cooktop["off_s"]
    cycles = np.arange(on, end, cooktop["on_s"] + cooktop["off_s"])
    return [(start, start + cooktop["full_s"]), *((float(c), float(c) + cooktop["on_s"]) for c in cycles)]


def _with_switching(times: Array, base: Array, spans: list[tuple[float, float]], size: float) -> Polyline:
    """``base`` plus ``size`` during ``spans``: each switching is a jump."""
    t, v = times.tolist(), base.tolist()
    added = [0.0] * len(t)
    for on, off in spans:
        for index in np.flatnonzero((times > on) & (times < off)):
            added[index] += size
    corners = [(when, 1, value + extra) for when, value, extra in zip(t, v, added, strict=True)]
    for on, off in spans:
        low, high = (float(np.interp(when, times, base)) for when in (on, off))
        corners += [(on, 0, low), (on, 2, low + size), (off, 0, high + size), (off, 2, high)]
    corners.sort(key=lambda corner: corner[:2])
    return Polyline([corner[0] for corner in corners], [corner[2] for corner in corners])
