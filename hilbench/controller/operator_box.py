"""The grid operator's box: who sends heartbeats and limits over HTTP, and what holds when it falls silent.

Gateways of EEBUS, digital inputs and others translate into two requests; the state machine is in ``dimming``.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable
from typing import Any

from hilbench import clock
from hilbench.controller.dimming import DimmingSettings, EnergyGuard

LOGGER = logging.getLogger(__name__)


class OperatorBox:
    """Gives ``on_limit`` the limit of all stations [kW] whenever it changes, None for none."""

    def __init__(self, settings: DimmingSettings, on_limit: Callable[[float | None], None]) -> None:
        self._guard = EnergyGuard(settings, clock.time())
        self._on_limit = on_limit
        self._news = asyncio.Event()
        self._given: float | None = math.inf

    @property
    def state(self) -> str:
        """Who decides on the limit now, in words."""
        return self._guard.state.value

    @property
    def heard(self) -> bool:
        """True when a limit would be taken: there was a heartbeat in time."""
        return self._guard.is_heard(clock.time())

    def heartbeat(self) -> None:
        """The box is alive."""
        self._guard.heartbeat(clock.time())
        self._news.set()

    def limit(self, limit_kw: float | None, duration_s: float = math.inf) -> bool:
        """A limit, or its release; False when no heartbeat was heard in time."""
        taken = self._guard.limit(clock.time(), limit_kw, duration_s)
        self._news.set()
        return taken

    async def run(self) -> None:
        """Follow the state until cancelled."""
        while True:
            self._news.clear()
            self._guard.advance(clock.time())
            self._give(self._guard.limit_kw)
            try:
                async with asyncio.timeout_at(None if math.isinf(self._guard.next_t) else self._guard.next_t):
                    await self._news.wait()
            except TimeoutError:
                pass

    def _give(self, limit_kw: float | None) -> None:
        if limit_kw != self._given:
            self._given = limit_kw
            said: Any = "none" if limit_kw is None else f"{limit_kw:g} kW"
            LOGGER.warning("grid operator: %s, limit of the stations: %s", self.state, said)
            self._on_limit(limit_kw)
