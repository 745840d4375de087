"""The station port: a central system that does what a load manager needs and survives what stations send.

Every output is a dead-man pair. The *fallback* (TxDefaultProfile, stack level 0, no end) is installed at every
connect; the *lease* (TxDefaultProfile, stack level 1) lasts ``lease_s`` and must be renewed. When controller or link
dies, the lease runs out and the station stands on its fallback. TxDefaultProfile is used for both because a TxProfile
leaves the start of a transaction without a limit (bmw-wallbox-ha#15). Stations that do not take it so are told in
another way (see ``installing``).
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from ssl import SSLContext
from typing import Any, Protocol

from hilbench import clock
from hilbench.controller.abilities import Abilities, Supply, in_words
from hilbench.controller.installing import Installer, Limit, Profile
from hilbench.controller.readback import Composite, asked_s, composite_of
from hilbench.controller.readings import MEASURANDS, TWO_WAY_MEASURANDS, Counted, counted, reported_currents
from hilbench.controller.settings import ControllerSettings
from hilbench.errors import DeviceError, HilbenchError
from hilbench.ocppj import VERSIONS, CallFailed, listen, server_context

LOGGER = logging.getLogger(__name__)
REFUSALS = ("NotSupported", "NotImplemented", "PropertyConstraintViolation")
"""Codes by which a station refuses a profile; with any other nobody knows what stands in it."""


class Listener(Protocol):
    """What the runtime wants to hear of stations."""

    def on_online(self, role: str) -> None:
        """The link of a station is up and its fallback is installed (or was refused)."""

    def on_offline(self, role: str) -> None:
        """The link of a station is gone."""

    def on_status(self, role: str, status: str) -> None:
        """State of the station's connector."""

    def on_report(self, role: str, currents: Mapping[str, float]) -> None:
        """Reported current per terminal [A]."""

    def on_counted(self, role: str, counted: Counted) -> None:
        """Reported energy and state of charge."""

    def on_needs(self, role: str, needs: Mapping[str, Any]) -> bool:
        """What the car there needs (ChargingNeeds, snake_case); True where a schedule will come of it."""
        ...

    def on_confirmed(self, role: str, limit_a: float, lease_s: float) -> None:
        """A limit stands in the station."""

    def on_refused(self, role: str, fallback: bool) -> None:
        """The station refuses its fallback, or a lease, in every way."""

    def on_unanswered(self, role: str, limit_a: float, lease_s: float) -> None:
        """A limit was sent and no answer came: it may stand in the station."""

    def on_said(self, role: str, said: Composite | None) -> None:
        """What the station says is in force, as it was asked to; None where it does not say."""


class Conversation(ABC):
    """What is said to one station, in the words of its version; ``link`` is the controller's end of the connection."""

    link: Any

    def __init__(self, role: str, csms: Csms) -> None:
        self.role = role
        self.csms = csms
        self.listener = csms.listener
        self._wake = asyncio.Event()
        self._wanted: float | None = None
        self._installing = self._install_again = False
        self._installer = csms.installer(role)
        self._putting = asyncio.Lock()

    @abstractmethod
    def profile_message(self, profile: Profile) -> Any:
        """The SetChargingProfile for ``profile``."""

    @abstractmethod
    async def ask_for_reports(self) -> None:
        """Ask for currents every ``sample_s``, for the state of the connector and for a reading at once."""

    @abstractmethod
    async def ask_for_reading(self) -> None:
        """Ask for a reading at once."""

    @abstractmethod
    async def ask_abilities(self) -> Abilities | None:
        """Ask what the station can do; None without an answer."""

    @abstractmethod
    async def ask_composite(self, duration_s: int) -> Any:
        """Ask which limits are in force from now on: a schedule in snake_case; None without one."""

    async def install(self) -> None:
        """Fallback first, then ask for reports and for the state; what boots meanwhile gets it once more, not so often.

        A station that boots without end and answers nothing would otherwise pile up installations.
        """
        self._install_again = True
        if self._installing:
            return
        self._installing = True
        try:
            while self._install_again:
                self._install_again = False
                await self._install()
        finally:
            self._installing = False

    async def _install(self) -> None:
        await self._restore()
        self.listener.on_online(self.role)
        await self.ask_for_reports()
        await self._discover()
        if self._wanted is not None:
            self._wake.set()

    def restore(self) -> None:
        """Install the fallback once more."""
        self.link.spawn(self._restore())

    async def _restore(self) -> None:
        if self.csms.with_fallback:
            await self._put(self.csms.fallback_of(self.role), None)

    def want(self, limit_a: float, renew: bool = False) -> None:
        """Let the station have ``limit_a`` as soon as it can be told; a newer wish replaces an older one."""
        if limit_a != self._wanted or renew:
            self._wanted = limit_a
            self._wake.set()

    async def tell(self) -> None:
        """Send wishes as they come, one at a time, until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            limit = self._wanted
            if limit is None:
                continue
            if not await self._put(limit, self.csms.settings.lease_s) and self._wanted == limit:
                self._wanted = None  # so that the next decision asks for it again

    async def _put(self, limit_a: float, lease_s: float | None) -> bool:
        """Install a limit in a way that the station takes, and say what became of it; True when it stands there."""
        limit, lasts_s = Limit(limit_a, lease_s, self.csms.fallback_of(self.role)), lease_s or math.inf
        async with self._putting:
            accepted_a, answered = await self._installer.put(limit, self._send, self._discover)
        if accepted_a is not None:
            self.listener.on_confirmed(self.role, accepted_a, lasts_s)
        elif answered:
            self.listener.on_refused(self.role, lease_s is None)
        else:
            self.listener.on_unanswered(self.role, limit_a, lasts_s)
        return accepted_a is not None

    async def _send(self, profile: Profile) -> str:
        """Send a profile; its status, or the code of an error, or nothing where no answer can be used."""
        try:
            status = str((await self.link.call(self.profile_message(profile))).status)
        except CallFailed as error:
            LOGGER.warning("station %s: %s", self.role, error)
            return error.code if error.code in REFUSALS else ""
        if status != "Accepted":
            first = profile.schedule["charging_schedule_period"][0]["limit"]
            what = f"{first:.1f} {profile.schedule['charging_rate_unit']}, stack level {profile.stack}"
            LOGGER.warning("station %s: profile with %s was %s", self.role, what, status)
        return status

    async def _discover(self) -> None:
        """Ask once, when all that matters more has been said, or when the usual way is refused."""
        known = self._installer
        if not self.csms.settings.discover or known.asked:
            return
        found = await self.ask_abilities()
        if found is not None:
            known.asked, known.abilities = True, found
            level = logging.WARNING if found.smart_charging is False else logging.INFO
            LOGGER.log(level, "station %s says: %s", self.role, in_words(found), extra={"station": self.role})

    @property
    def measurands(self) -> str:
        """What stations shall report."""
        return TWO_WAY_MEASURANDS if self.csms.settings.policy == "v2g" else MEASURANDS

    def read(self, meter_value: list[dict[str, Any]]) -> None:
        """Hand on what was reported."""
        if currents := reported_currents(meter_value):
            self.listener.on_report(self.role, currents)
        if (found := counted(meter_value)) != Counted():
            self.listener.on_counted(self.role, found)

    def ask(self) -> None:
        """Let the station report now, where it can be asked to."""
        if self._installer.abilities.triggers is not False:
            self.link.spawn(self.ask_for_reading())

    def read_back(self) -> None:
        """Let the station say which limits are in force, and hand that on."""
        self.link.spawn(self._read_back())

    async def _read_back(self) -> None:
        asked = asked_s(self.csms.settings)
        found = composite_of(await self.ask_composite(asked), asked, self._installer.supply)
        self.listener.on_said(self.role, found)

    async def attempt(self, payload: Any) -> Any:
        """Call the station; None, with a warning, when that fails."""
        try:
            return await self.link.call(payload)
        except CallFailed as error:
            LOGGER.warning("station %s: %s", self.role, error)
            return None


class Speak(Protocol):
    """Makes the conversation with one station."""

    def __call__(self, role: str, identity: str, connection: Any, csms: Csms, /) -> Conversation:
        """See the class."""
        ...


class Csms:
    """Listens for the stations of ``identities`` (role to identity) and carries limits to them.

    ``speak`` makes the conversation for a connection, in the version that was agreed on. ``passwords`` (by identity)
    are asked for in security profiles 1 and 2; a station without one is refused there. ``supply_of`` (by role) is asked
    for stations that take only watts.
    """

    def __init__(
        self,
        settings: ControllerSettings,
        identities: Mapping[str, str],
        fallback_of: Callable[[str], float],
        listener: Listener,
        speak: Speak,
        *,
        with_fallback: bool = True,
        passwords: Mapping[str, str] | None = None,
        supply_of: Callable[[str], Supply] = lambda _role: Supply(230.0, 3),
    ) -> None:
        self._speak = speak
        self._supply_of = supply_of
        self._installers: dict[str, Installer] = {}
        self.settings = settings
        self.fallback_of = fallback_of
        self.listener = listener
        self.with_fallback = with_fallback
        self._passwords = dict(passwords or {})
        self._roles = {identity: role for role, identity in identities.items()}
        self._conversations: dict[str, Conversation] = {}
        self._transactions = 0

    def installer(self, role: str) -> Installer:
        """What is known of how station ``role`` takes limits; it outlives connections."""
        if role not in self._installers:
            self._installers[role] = Installer(self._supply_of(role), self.settings.minimum_a)
        return self._installers[role]

    def next_transaction(self) -> int:
        """A transaction id; unique for this run of the controller by its start in seconds."""
        self._transactions += 1
        return int(clock.now().timestamp()) % 1_000_000 * 1000 + self._transactions % 1000

    async def serve(self, host: str, port: int, stack: AsyncExitStack) -> None:
        """Listen until ``stack`` is closed; raises ``DeviceError`` for certificate files that cannot be used."""
        ping = self.settings.ping_s
        server = listen(
            host,
            port,
            self._accept,
            versions=VERSIONS,
            known=self._knows,
            authenticate=self._authenticate if self.settings.security_profile in (1, 2) else None,
            ssl=self._tls(),
            compression=True,  # a CSMS of 2.x must have it for stations that ask
            ping_interval_s=ping,
            ping_timeout_s=ping / 2.0,
        )
        await stack.enter_async_context(server)

    def _knows(self, identity: str) -> bool:
        if identity not in self._roles:
            LOGGER.warning("unknown station %r refused", identity)
        return identity in self._roles

    def _authenticate(self, identity: str, password: str | None) -> bool:
        wanted = self._passwords.get(identity)
        good = None not in (wanted, password) and hmac.compare_digest(str(wanted).encode(), str(password).encode())
        if not good:
            LOGGER.warning("station %s refused: %s", identity, "wrong password" if password else "no password")
        return good

    def _tls(self) -> SSLContext | None:
        settings = self.settings
        if settings.security_profile < 2 or settings.certificate is None or settings.key is None:
            return None
        client_ca = settings.client_ca if settings.security_profile == 3 else None
        try:
            return server_context(settings.certificate, settings.key, client_ca)
        except OSError as error:
            raise DeviceError(f"certificate files of the controller: {error}") from error

    async def _accept(self, connection: Any, identity: str) -> None:
        role = self._roles[identity]  # others were refused before the handshake
        conversation = self._speak(role, identity, connection, self)
        self._conversations[role] = conversation
        conversation.link.spawn(conversation.install())
        conversation.link.spawn(conversation.tell())
        try:
            await conversation.link.start()
        except HilbenchError as error:
            LOGGER.warning("station %s: %s", role, error)
        finally:
            if self._conversations.get(role) is conversation:
                del self._conversations[role]
                self.listener.on_offline(role)

    def want(self, role: str, limit_a: float, renew: bool = False) -> None:
        """Let station ``role`` have ``limit_a``; nothing happens while it is not connected."""
        conversation = self._conversations.get(role)
        if conversation is not None:
            conversation.want(limit_a, renew)

    def ask(self, role: str) -> None:
        """Let station ``role`` report now; nothing happens while it is not connected."""
        conversation = self._conversations.get(role)
        if conversation is not None:
            conversation.ask()

    def restore(self, role: str) -> None:
        """Install the fallback of station ``role`` once more; nothing happens while it is not connected."""
        conversation = self._conversations.get(role)
        if conversation is not None:
            conversation.restore()

    def read_back(self, role: str) -> None:
        """Let station ``role`` say which limits are in force; nothing happens while it is not connected."""
        conversation = self._conversations.get(role)
        if conversation is not None:
            conversation.read_back()
