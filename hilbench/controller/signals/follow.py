"""From events that are known to the limit that is given out as time goes by, whoever told the events."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

from hilbench import clock
from hilbench.controller.signals.events import Event, limit_at, next_edge
from hilbench.controller.signals.ramp import Ramp, Slope, next_step, step
from hilbench.controller.signals.settings import SignalSettings

LONGEST_SLEEP_S = 3600.0
OnLimit = Callable[[float | None], None]


class Follower:
    """Calls ``on_limit`` with each new limit [kW], None for no limit; every rise goes through :mod:`.ramp`."""

    def __init__(self, settings: SignalSettings, on_limit: OnLimit) -> None:
        self.events: tuple[Event, ...] = ()
        self._tick_s, self._slope, self._on_limit = settings.tick_s, slope_of(settings), on_limit
        self._news = asyncio.Event()
        self._ramp = Ramp(-math.inf)

    def know(self, events: tuple[Event, ...]) -> None:
        """These events count from now on, and no others."""
        self.events = events
        self._news.set()

    async def run(self) -> None:
        """Follow the events until cancelled."""
        while True:
            self._news.clear()
            pause_s = self._move(clock.now().timestamp())
            try:
                async with asyncio.timeout(pause_s):
                    await self._news.wait()
            except TimeoutError:
                pass

    def _move(self, t: float) -> float:
        """Give out what holds at ``t``; seconds until it may change by itself."""
        before = self._ramp
        self._ramp = step(before, t, limit_at(self.events, t), self._slope)
        if self._ramp.given_kw != before.given_kw:
            self._on_limit(self._ramp.limit_kw)
        due = min(next_edge(self.events, t), next_step(self._ramp, self._tick_s))
        return min(max(due - t, 1e-3), LONGEST_SLEEP_S)  # bench time as UTC is rounded to microseconds


def slope_of(settings: SignalSettings) -> Slope:
    """How the site takes up a limit that rises."""
    return Slope(settings.full_kw, settings.full_kw / settings.release_s, settings.release_spread_s, settings.seed)


__all__ = ["Follower", "OnLimit", "slope_of"]
