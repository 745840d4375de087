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
from ssl import SSLContext

from hilbench.controller.signals.events import Event, Refusal, Rules, read_events
from hilbench.controller.signals.follow import Follower, OnLimit
from hilbench.controller.signals.settings import SignalSettings
from hilbench.controller.signals.vtn_client import VtnClient, VtnError

LOGGER = logging.getLogger(__name__)
OnNote = Callable[[str], None]


class Ven:
    """Polls the VTN at ``url`` and calls ``on_limit`` with each new limit [kW], None for no limit.

    There is no limit before the first call. ``on_note`` gets a line for what a person may want to know: the VTN goes
    and comes, an event is refused, a payload type is ignored; each is said once. ``events`` are those that
    count now, ``away`` says that the last poll failed. ``prices``: PRICE and GHG count and are no ignored types;
    ``tls`` is for https.
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
        tls: SSLContext | None = None,
    ) -> None:
        self.away = False
        self._client = VtnClient(url, client_id, client_secret, settings.answer_s, tls)
        self._settings, self._rules, self._on_note = settings, rules_of(settings, prices), on_note
        self._follower = Follower(settings, on_limit)
        self._failures = 0
        self._draws = random.Random(f"{settings.seed}:retry")
        self._said: frozenset[str] = frozenset()

    @property
    def events(self) -> tuple[Event, ...]:
        """Those that count now."""
        return self._follower.events

    async def run(self) -> None:
        """Poll and follow the events until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._poll())
            group.create_task(self._follower.run())

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
        events, refusals = read_events(items, self._rules)
        self._say(notes_of(events, refusals))
        self._follower.know(events)

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


def rules_of(settings: SignalSettings, prices: bool = False) -> Rules:
    """What the site makes of events; a share of 1 is no limit. ``prices``: PRICE and GHG count too."""
    none, moderate, high, special = (
        math.inf if share == 1.0 else share * settings.full_kw for share in settings.level_shares
    )
    return Rules((none, moderate, high, special), settings.program_id, settings.targets, settings.seed, prices)


def backoff_s(failures: int, draw: float, settings: SignalSettings) -> float:
    """Wait [s] after so many failed fetches in a row (at least one); ``draw`` from 0 to 1 spreads it."""
    doubled_s = settings.retry_s * 2.0 ** min(failures - 1, 32)
    return min(doubled_s, settings.retry_most_s) * (0.5 + 0.5 * draw)


def notes_of(events: Iterable[Event], refusals: Iterable[Refusal]) -> frozenset[str]:
    """A line for each event that is refused or that has payload types which do not count."""
    refused = {f"event {refusal.id} is refused: {refusal.reason}" for refusal in refusals}
    return frozenset(refused | {f"event {event.id}: {kind} is ignored" for event in events for kind in event.ignored})


__all__ = ["Ven", "backoff_s", "notes_of", "rules_of"]
