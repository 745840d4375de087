"""A month of a garage on paper, in steps of 5 minutes: sessions, building, feeders, and who charges how much.

No protocol, no car model: a car takes what it is offered until it has its energy, as in ACN-Sim. What is compared are
plans, so everything else is the same for all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from hilbench.rig import load_rig
from hilbench.site import Site
from hilbench_emulators.sessions import Session, read_sessions
from hilbench_emulators.tables import read_table

Array = NDArray[np.float64]
Ints = NDArray[np.intp]
Hourly = dict[tuple[str, int], float]
STEP_MIN = 5
STEP_H = STEP_MIN / 60.0
DAY = 24 * 60 // STEP_MIN
SHIFT_DAYS = 2
"""The typical year begins on a Sunday: its 3 March is a Friday, as is 1 March 2019."""


@dataclass(frozen=True)
class Month:
    """Sessions as arrays [session] in steps of the month, and the building's mean load [step, kW]."""

    site: Site
    start: datetime
    steps: int
    begins: Ints
    until: Ints
    energy_kwh: Array
    column: Ints
    base_kw: Array
    past_kw: Array
    """The building on the days before, without the cars [day, step of the day]."""

    @property
    def volts(self) -> float:
        """Across a station's terminals: all are between two lines."""
        return self.site.service.voltage_v

    @property
    def most_kw(self) -> float:
        """What one station gives."""
        return self.site.branches[0].max_a * self.volts / 1000.0

    def present(self, step: int) -> Ints:
        """Sessions whose car is there."""
        found: Ints = np.flatnonzero((self.begins <= step) & (self.until > step))
        return found


def read_month(sessions_csv: Path, load_csv: Path, first: date, days: int) -> Month:
    """The garage with real sessions and a real building."""
    rig = load_rig("garage-54")
    site = rig.electrical
    start = datetime.combine(first, datetime.min.time(), rig.zone).astimezone(UTC)
    end = datetime.combine(first + timedelta(days=days), datetime.min.time(), rig.zone).astimezone(UTC)
    steps = round((end - start).total_seconds() / 60 / STEP_MIN)
    sessions = [one for one in read_sessions(sessions_csv, timezone=site.timezone) if start <= one.arrival < end]
    columns = {branch.role: column for column, branch in enumerate(site.branches)}
    by_hour = _hourly_kw(load_csv)

    def step(moment: datetime) -> int:
        return int((moment - start).total_seconds() // (60 * STEP_MIN))

    kept = [one for one in sessions if min(step(one.departure), steps) > step(one.arrival)]
    return Month(
        site,
        start,
        steps,
        np.array([step(one.arrival) for one in kept]),
        np.array([min(step(one.departure), steps) for one in kept]),
        np.array([_possible(one, site) for one in kept]),
        np.array([columns[one.station] for one in kept]),
        _building(by_hour, start, steps, rig.zone),
        _past(by_hour, first, rig.zone),
    )


def _past(by_hour: Hourly, first: date, zone: ZoneInfo) -> Array:
    """The days of the year before the first one, as far as the file has them."""
    days = [first - timedelta(days=ago) for ago in range((first - date(first.year, 1, 1)).days - SHIFT_DAYS, 0, -1)]
    start = datetime.combine(days[0], datetime.min.time(), zone).astimezone(UTC)
    return _building(by_hour, start, len(days) * DAY, zone).reshape(len(days), DAY)


def _possible(session: Session, site: Site) -> float:
    """What a session wants, at most what its station can give in its time."""
    hours = int((session.departure - session.arrival).total_seconds() // (60 * STEP_MIN)) * STEP_H
    return min(session.energy_kwh, hours * site.branches[0].max_a * site.service.voltage_v / 1000.0)


def _hourly_kw(path: Path) -> Hourly:
    """The means of a typical year by date and hour."""
    table = read_table(path)
    column = next(index for index, name in enumerate(table.header) if "Electricity:Facility" in name)
    found = {}
    for _number, row in table.rows:
        day, clock = row[0].split()
        found[day, int(clock[:2]) - 1] = float(row[column])
    return found


def _building(by_hour: Hourly, start: datetime, steps: int, zone: ZoneInfo) -> Array:
    """The load of every step; the year's days are shifted so that weekends fall on weekends."""
    local = [(start + timedelta(minutes=STEP_MIN * number)).astimezone(zone) for number in range(steps)]
    shifted = [moment + timedelta(days=SHIFT_DAYS) for moment in local]
    return np.array([by_hour[f"{moment:%m/%d}", moment.hour] for moment in shifted])
