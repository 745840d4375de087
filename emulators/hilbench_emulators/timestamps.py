"""Time stamps of input files: ISO 8601, with or without an offset, and ``MM/DD  HH:MM:SS`` as EnergyPlus writes."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hilbench.errors import InputError, Problem

_YEARLESS = re.compile(r"^\s*(\d{1,2})/(\d{1,2})\s+(\d{1,2}):(\d{2})(?::(\d{2}))?\s*$")


def zone_of(name: str) -> ZoneInfo:
    """The IANA time zone ``name``; raises ``InputError`` when there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        problem = Problem("timezone", f"{name!r} is no IANA time zone", "use a name like America/Los_Angeles or UTC")
        raise InputError("time zone", problem) from None


def plausible(year: int, text: str) -> None:
    """Raises ``ValueError`` for a year that no file can mean, near the ends of the calendar above all."""
    if not 1970 <= year < 2200:
        raise ValueError(f"{text} lies outside the years 1970 to 2199")


def is_yearless(text: str) -> bool:
    """True for a stamp of the form ``MM/DD  HH:MM:SS``."""
    return _YEARLESS.match(text) is not None


def parse_yearless(text: str, year: int) -> datetime:
    """Local time of a year-less stamp in ``year``; hour 24 is midnight of the next day.

    Raises ``ValueError`` saying what is wrong with it. 29 February in a year without one is an error too.
    """
    match = _YEARLESS.match(text)
    if not match:
        raise ValueError(f"{text!r} is no time stamp MM/DD HH:MM:SS")
    month, day, hour, minute, second = (int(part or 0) for part in match.groups())
    if hour > 24 or minute > 59 or second > 59 or (hour == 24 and (minute or second)):
        raise ValueError(f"{text!r} has no such time of day")
    try:
        midnight = datetime(year, month, day)
    except ValueError:
        raise ValueError(f"{text!r} is no day of the year {year}") from None
    return midnight + timedelta(hours=hour, minutes=minute, seconds=second)


def parse_iso(text: str) -> datetime:
    """A stamp in ISO 8601, aware or naive as written; raises ``ValueError`` saying what is wrong with it."""
    try:
        stamp = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(
            f"{text[:60]!r} is no time stamp (use 2024-06-04T13:00:00, with Z or +02:00 if you can, or MM/DD HH:MM:SS)"
        ) from None
    plausible(stamp.year, repr(text))
    return stamp


class LocalClock:
    """Turns naive local stamps, read in the order of a file, into UTC.

    In the hour that a clock change repeats, the second passage is recognised by time running backwards; a stamp
    in the hour that a clock change leaves out does not exist and is a ``ValueError``.
    """

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone
        self._last: datetime | None = None
        self._second_passage = False

    def utc(self, stamp: datetime) -> datetime:
        """UTC of ``stamp``; one with an offset is taken at its word."""
        if stamp.tzinfo is not None:
            return stamp.astimezone(UTC)
        early, late = (stamp.replace(tzinfo=self.zone, fold=fold) for fold in (0, 1))
        if early.utcoffset() == late.utcoffset():
            self._last, self._second_passage = stamp, False
            return early.astimezone(UTC)
        if early.astimezone(UTC).astimezone(self.zone).replace(tzinfo=None) != stamp:
            raise ValueError(
                f"{stamp} does not exist in {self.zone.key}: clocks went forward (write stamps with an offset)"
            )
        if self._last is not None and stamp <= self._last:
            self._second_passage = True
        self._last = stamp
        return (late if self._second_passage else early).astimezone(UTC)


def day_bounds(day: date, zone: ZoneInfo, days: int = 1) -> tuple[datetime, datetime]:
    """UTC of the local midnights at which ``day`` begins and the last of ``days`` ends; ``InputError`` far off."""
    try:
        plausible(day.year, str(day))
    except ValueError as error:
        raise InputError("day", Problem("", str(error), "check the date")) from None
    start = datetime(day.year, day.month, day.day, tzinfo=zone)
    end = datetime(day.year, day.month, day.day) + timedelta(days=days)
    return start.astimezone(UTC), end.replace(tzinfo=zone).astimezone(UTC)
