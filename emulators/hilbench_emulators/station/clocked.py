"""What a station does by its clock: its own time of day, timers, tasks, and clock-aligned readings."""

from __future__ import annotations

import asyncio
import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from hilbench import clock
from hilbench.signals import Record
from hilbench_emulators.smart_charging.times import grid
from hilbench_emulators.station.settings import StationSettings

FIRST_YEAR, LAST_YEAR = 1970, 9000
"""Years that a clock takes (policy-default): dates of schedules a good while later can still be written."""


class Clocked(ABC):
    """Timers are the loop's; the time of day is ahead of the bench's by ``_ahead_s``."""

    role: str
    settings: StationSettings
    _record: Record
    _tasks: set[asyncio.Task[None]]
    _timers: dict[str, asyncio.TimerHandle]
    _since: dict[str, float]
    _ahead_s: float

    @abstractmethod
    def aligned_interval_s(self) -> float:
        """Seconds from one clock-aligned reading to the next, 0 for none."""

    @abstractmethod
    def tell_aligned(self) -> None:
        """Report a clock-aligned reading."""

    @abstractmethod
    def _refresh(self) -> None:
        """Look at everything again."""

    @abstractmethod
    def _clock_moved(self, by_s: float) -> None:
        """What has lasted for a while lasts as long as before, whatever the time of day is now."""

    def _utc(self) -> float:
        """UTC [s] on the grid of schedules, so that a timer for an edge of one is not a rounding error early."""
        return grid(clock.current().epoch.timestamp() + clock.time() + self._ahead_s)

    def timestamp(self) -> str:
        """Now by its own clock, as OCPP writes it."""
        moment = clock.now() + timedelta(seconds=self._ahead_s)
        return moment.isoformat(
            timespec="milliseconds" if self.settings.personality.reporting.milliseconds else "seconds"
        ).replace("+00:00", "Z")

    def set_clock(self, told: str) -> None:
        """Go by the controller's clock from now on (OCPP 1.6 section 4.6: the answer to Heartbeat should be used so).

        Differences of ``clock_step_s`` or less, what is no date, and a year in which a schedule could not be told
        leave the clock as it is.
        """
        try:
            moment = datetime.fromisoformat(told).astimezone(UTC)
        except (TypeError, ValueError, OverflowError):
            return
        if not FIRST_YEAR <= moment.year <= LAST_YEAR:
            return
        ahead_s = (moment - clock.now()).total_seconds()
        if abs(ahead_s - self._ahead_s) > self.settings.clock_step_s:
            self.jump_clock(ahead_s)
            self.clock_set()

    def jump_clock(self, ahead_s: float) -> None:
        """Its time of day is ``ahead_s`` ahead of the true one from now on, until a controller tells it the time."""
        moved_s, self._ahead_s = ahead_s - self._ahead_s, ahead_s
        self.event("station.clock", ahead_s=round(ahead_s, 3))
        self._clock_moved(grid(moved_s))
        self.next_aligned()
        self._refresh()

    def clock_set(self) -> None:  # noqa: B027 - nobody has to care
        """The clock has been set."""

    def next_aligned(self) -> None:
        """Set the timer for the next reading; they count from midnight UTC (1.6 section 9.1.7, 2.0.1 J01)."""
        self.at_clock("aligned", self.aligned_interval_s(), self._aligned)

    def at_clock(self, name: str, interval_s: float, action: Callable[[], None]) -> None:
        """Act at the next multiple of an interval since midnight UTC; 0: never."""
        today = round(self._utc() % 86_400.0, 3)
        left = min(interval_s - today % interval_s, 86_400.0 - today) if interval_s else math.inf
        self._at(name, clock.time() + left, action)

    def _aligned(self) -> None:
        self.tell_aligned()
        self.next_aligned()

    def event(self, kind: str, **data: Any) -> None:
        """Record something that happened here, now."""
        self._record.event(clock.time(), kind, self.role, **data)

    def begin_turn(self, name: str) -> None:
        """What happens regularly under a name has just happened: its next interval begins now."""
        self._since[name] = clock.time()

    def every(self, name: str, interval_s: float, action: Callable[[], None]) -> None:
        """Act when an interval is over since its turn began, at once where that is past; 0: never."""
        due = max(clock.time(), self._since.get(name, clock.time()) + interval_s)
        self._at(name, due if interval_s else math.inf, action)

    def _spawn(self, work: Any) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _at(self, name: str, t: float, action: Callable[[], None]) -> None:
        """Replace the timer called ``name``; infinity only cancels it."""
        old = self._timers.pop(name, None)
        if old is not None:
            old.cancel()
        if t < math.inf:
            self._timers[name] = asyncio.get_running_loop().call_at(t, action)
