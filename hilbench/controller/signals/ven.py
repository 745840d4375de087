"""The OpenADR 3 port: polls a VTN and says which limit of the site's import holds.

While the VTN is away, the events that are known run on to their ends, and after them there is no limit from the grid:
what no one ordered does not bind, and the site's own limits hold anyway. An event that is no longer in the list, or
that cannot be used any more, ends at once. Every rise of the limit goes through :mod:`.ramp`, a fall does not. A port
that starts anew knows no event until its first answer.
"""

from __future__ import annotations

import asyncio
import logging
import math
import random
from collections.abc import Callable, Iterable

from hilbench import clock
from hilbench.controller.signals.events import Event, Refusal, Rules, limit_at, next_edge, read_events
from hilbench.controller.signals.ramp import Ramp, Slope, next_step, step
from hilbench.controller.signals.settings import SignalSettings
from hilbench.controller.signals.vtn_client import VtnClient, VtnError

LOGGER = logging.getLogger(__name__)
LONGEST_SLEEP_S = 3600.0
OnLimit = Callable[[float | None], None]
OnNote = Callable[[str], None]


class Ven:
    """Polls the VTN at ``url`` and calls ``on_limit`` with each new limit [kW], None for no limit.

    There is no limit before the first call. ``on_note`` gets a line for what a person may want to know: the VTN goes
    and comes, an event is refused, a payload type is ignored; each is said once. ``events`` are those that
    count now, ``away`` says that the last poll failed. ``prices``: PRICE and GHG count and are no ignored types.
    """

    def __init__(
        self,
        url: str,
        client_id: str,
        client_secret: str,
        settings: SignalSettings,
        on_limit: OnLimit,
        on_note: OnNote = LOGGER.info,
        *,
        prices: bool = False,
    ) -> None:
        self.events: tuple[Event, ...] = ()
        self.away = False
        self._client = VtnClient(url, client_id, client_secret, settings.answer_s)
        self._settings, self._rules, self._slope = settings, rules_of(settings, prices), slope_of(settings)
        self._on_limit, self._on_note = on_limit, on_note
        self._failures = 0
        self._draws = random.Random(f"{settings.seed}:retry")
        self._news = asyncio.Event()
        self._ramp = Ramp(-math.inf)
        self._said: frozenset[str] = frozenset()

    async def run(self) -> None:
        """Poll and follow the events until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._poll())
            group.create_task(self._follow())

    async def _poll(self) -> None:
        while True:
            await self._fetch()
            await asyncio.sleep(self._pause_s())

    async def _fetch(self) -> None:
        targets = self._settings.targets if self._settings.version == "3.1" else ()
        try:
            items = await self._client.events(self._settings.program_id, targets)
        except VtnError as error:
            self._failed(str(error))
            return
        if self.away:
            self._on_note("the VTN answers again")
        self.away, self._failures = False, 0
        self.events, refusals = read_events(items, self._rules)
        self._say(notes_of(self.events, refusals))
        self._news.set()

    def _failed(self, reason: str) -> None:
        if not self.away:
            self._on_note(f"the VTN is away: {reason}; known events run on to their ends")
        self.away, self._failures = True, self._failures + 1

    def _pause_s(self) -> float:
        if not self._failures:
            return self._settings.poll_s
        return backoff_s(self._failures, self._draws.random(), self._settings)

    def _say(self, notes: frozenset[str]) -> None:
        for note in sorted(notes - self._said):
            self._on_note(note)
        self._said = notes

    async def _follow(self) -> None:
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
        due = min(next_edge(self.events, t), next_step(self._ramp, self._settings.tick_s))
        return min(max(due - t, 1e-3), LONGEST_SLEEP_S)  # bench time as UTC is rounded to microseconds


def rules_of(settings: SignalSettings, prices: bool = False) -> Rules:
    """What the site makes of events; a share of 1 is no limit. ``prices``: PRICE and GHG count too."""
    none, moderate, high, special = (
        math.inf if share == 1.0 else share * settings.full_kw for share in settings.level_shares
    )
    return Rules((none, moderate, high, special), settings.program_id, settings.targets, settings.seed, prices)


def slope_of(settings: SignalSettings) -> Slope:
    """How the site takes up a limit that rises."""
    return Slope(settings.full_kw, settings.full_kw / settings.release_s, settings.release_spread_s, settings.seed)


def backoff_s(failures: int, draw: float, settings: SignalSettings) -> float:
    """Wait [s] after so many failed fetches in a row (at least one); ``draw`` from 0 to 1 spreads it."""
    doubled_s = settings.retry_s * 2.0 ** min(failures - 1, 32)
    return min(doubled_s, settings.retry_most_s) * (0.5 + 0.5 * draw)


def notes_of(events: Iterable[Event], refusals: Iterable[Refusal]) -> frozenset[str]:
    """A line for each event that is refused or that has payload types which do not count."""
    refused = {f"event {refusal.id} is refused: {refusal.reason}" for refusal in refusals}
    return frozenset(refused | {f"event {event.id}: {kind} is ignored" for event in events for kind in event.ignored})


__all__ = ["Ven", "backoff_s", "notes_of", "rules_of", "slope_of"]
