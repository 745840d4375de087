"""The OpenADR 2.0b port: a VEN of openleadr (extra ``openadr2``), whose events become the same limit as those of 3.

openleadr registers, polls as often as the VTN says, and speaks HTTP with aiohttp on the machine's own clock: it runs
in real time only. What it tells of an event counts until it tells otherwise.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from hilbench import clock
from hilbench.controller.signals.events import Event, limit_at
from hilbench.controller.signals.events2 import read_event2
from hilbench.controller.signals.follow import Follower, OnLimit
from hilbench.controller.signals.settings import SignalSettings
from hilbench.controller.signals.values import RefusedError
from hilbench.controller.signals.ven import rules_of
from hilbench.errors import InputError, Problem
from hilbench.site import RelativePath

LOGGER = logging.getLogger(__name__)


class OpenAdr2Settings(SignalSettings):
    """``[controller.openadr2]``: a VTN of OpenADR 2.0b; ``poll_s``, ``targets``, ``program_id`` do not count here."""

    url: Annotated[str, Field(min_length=1)]
    """Address of the VTN up to ``/OpenADR2/Simple/2.0b``."""
    ven_name: Annotated[str, Field(min_length=1, max_length=128)]
    certificate: RelativePath | None = None
    """PEM file that signs messages and is shown in TLS, with ``key`` and ``ca_file``; none: neither."""
    key: RelativePath | None = None
    ca_file: RelativePath | None = None


class Signals2:
    """A VEN whose limit goes to ``on_limit`` [kW], and what its events will ask for later.

    Raises ``InputError`` where openleadr is missing, and on a clock that is not the machine's.
    """

    def __init__(self, settings: OpenAdr2Settings, on_limit: OnLimit) -> None:
        if clock.current().factor != 1.0:
            raise InputError("controller.openadr2", Problem("", "needs the machine's clock", "use --time real"))
        self._library = _library()
        self._settings, self._rules = settings, rules_of(settings)
        self._follower = Follower(settings, on_limit)
        self._known: dict[str, Event] = {}

    async def run(self) -> None:
        """Register, poll and follow the events until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._poll())
            group.create_task(self._follower.run())

    def limit_at(self, t: float) -> float | None:
        """The limit of the site's import [kW] that known events set at ``t`` (UTC [s]); None for none."""
        return limit_at(self._follower.events, t)

    def price_at(self, _t: float, _kind: str) -> float | None:
        """Prices of 2.0b do not count."""
        return None

    async def _poll(self) -> None:
        """Stay registered: a VTN that is away at first is tried again."""
        while True:
            client = self._client()
            try:
                await client.run()
                if client.registration_id:
                    await asyncio.Event().wait()
            except (KeyError, TypeError, AttributeError) as error:  # openleadr reads an answer that did not come
                LOGGER.warning("OpenADR 2.0b: no registration: %r", error)
            finally:
                await _closed(client)
            await asyncio.sleep(self._settings.retry_s)

    def _client(self) -> Any:
        given = self._settings
        paths = (given.certificate, given.key, given.ca_file)
        certificate, key, ca_file = (None if path is None else str(path) for path in paths)
        client = self._library.OpenADRClient(
            given.ven_name, given.url, cert=certificate, key=key, ca_file=ca_file, show_fingerprint=False
        )
        client.add_handler("on_event", self._told)
        client.add_handler("on_update_event", self._told)
        return client

    async def _told(self, raw: Mapping[str, Any]) -> str:
        """An event, or a change of one; the answer is whether the site takes part."""
        name = str(raw["event_descriptor"]["event_id"])
        try:
            event = read_event2(raw, self._rules, self._settings.full_kw)
        except RefusedError as reason:
            LOGGER.warning("OpenADR 2.0b: event %s is refused: %s", name, reason)
            self._known.pop(name, None)
        else:
            self._known[name] = event
            for kind in event.ignored:
                LOGGER.warning("OpenADR 2.0b: event %s: %s is ignored", name, kind)
        self._follower.know(tuple(self._known.values()))
        return "optIn" if name in self._known and self._known[name].spans else "optOut"


async def _closed(client: Any) -> None:
    """End a client, of which some parts may never have begun."""
    if client.scheduler.running:
        client.scheduler.shutdown(wait=False)
    if client.client_session is not None:
        await client.client_session.close()


def _library() -> Any:
    try:
        return importlib.import_module("openleadr")
    except ImportError:
        remedy = "pip install 'hilbench[openadr2]'"
        raise InputError(
            "controller.openadr2", Problem("", "needs openleadr, which is not installed", remedy)
        ) from None


__all__ = ["OpenAdr2Settings", "Signals2"]
