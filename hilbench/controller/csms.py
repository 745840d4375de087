"""The station port: a central system that does what a load manager needs and survives what stations send.

Every output is a dead-man pair. The *fallback* (TxDefaultProfile, stack level 0, no end) is installed at every
connect; the *lease* (TxDefaultProfile, stack level 1) lasts ``lease_s`` and must be renewed. When controller or link
dies, the lease runs out and the station stands on its fallback. TxDefaultProfile is used for both because a TxProfile
leaves the start of a transaction without a limit (bmw-wallbox-ha#15).
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from datetime import timedelta
from ssl import SSLContext
from typing import Any, Protocol

from hilbench import clock
from hilbench.controller.settings import ControllerSettings
from hilbench.errors import DeviceError, HilbenchError
from hilbench.ocppj import VERSIONS, CallFailed, listen, server_context

LOGGER = logging.getLogger(__name__)
FALLBACK_ID, LEASE_ID = 1, 2
BEHIND_S = 5.0
"""A station whose clock is behind by less than this follows a limit at once: for one that begins "now" by the
controller's clock it would stand on its fallback until then. Stations set their clocks by Heartbeat, to the second."""
MEASURANDS = "Current.Import,Power.Active.Import,Energy.Active.Import.Register"


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

    def on_confirmed(self, role: str, limit_a: float, lease_s: float) -> None:
        """A limit stands in the station."""


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

    @abstractmethod
    async def set_limit(self, profile_id: int, stack_level: int, limit_a: float, duration_s: float | None) -> bool:
        """Install a TxDefaultProfile for the whole station; True when the station accepted it."""

    @abstractmethod
    async def ask_for_reports(self) -> None:
        """Ask for currents every ``sample_s``, for the state of the connector and for a reading at once."""

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
        if self.csms.with_fallback:
            limit = self.csms.fallback_of(self.role)
            if await self.set_limit(FALLBACK_ID, 0, limit, None):
                self.listener.on_confirmed(self.role, limit, math.inf)
        self.listener.on_online(self.role)
        await self.ask_for_reports()
        if self._wanted is not None:
            self._wake.set()

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
            lease = self.csms.settings.lease_s
            if await self.set_limit(LEASE_ID, 1, limit, lease):
                self.listener.on_confirmed(self.role, limit, lease)
            elif self._wanted == limit:
                self._wanted = None  # so that the next decision asks for it again

    async def attempt(self, payload: Any) -> Any:
        """Call the station; None, with a warning, when that fails."""
        try:
            return await self.link.call(payload)
        except CallFailed as error:
            LOGGER.warning("station %s: %s", self.role, error)
            return None


def schedule(limit_a: float, duration_s: float | None) -> dict[str, Any]:
    """A schedule of one period that has begun, and ends after ``duration_s`` or never."""
    found: dict[str, Any] = {
        "charging_rate_unit": "A",
        "charging_schedule_period": [{"start_period": 0, "limit": round(limit_a, 1)}],
        "start_schedule": timestamp(-BEHIND_S),
    }
    if duration_s is not None:
        found["duration"] = math.ceil(duration_s + BEHIND_S)
    return found


class Speak(Protocol):
    """Makes the conversation with one station."""

    def __call__(self, role: str, identity: str, connection: Any, csms: Csms, /) -> Conversation:
        """See the class."""
        ...


class Csms:
    """Listens for the stations of ``identities`` (role to identity) and carries limits to them.

    ``speak`` makes the conversation for a connection, in the version that was agreed on. ``passwords`` (by identity)
    are asked for in security profiles 1 and 2; a station without one is refused there.
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
    ) -> None:
        self._speak = speak
        self.settings = settings
        self.fallback_of = fallback_of
        self.listener = listener
        self.with_fallback = with_fallback
        self._passwords = dict(passwords or {})
        self._roles = {identity: role for role, identity in identities.items()}
        self._conversations: dict[str, Conversation] = {}
        self._transactions = 0

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


def reported_currents(meter_value: list[dict[str, Any]]) -> dict[str, float]:
    """Current.Import per phase of the newest entry that has any; values that are no numbers are left out."""
    for entry in reversed(meter_value):
        found: dict[str, float] = {}
        for sample in entry.get("sampled_value", ()):
            if sample.get("measurand") != "Current.Import":
                continue
            try:
                amps = float(sample.get("value", "nan"))
            except (TypeError, ValueError):
                continue
            if math.isfinite(amps):
                found[str(sample.get("phase", "L1"))[:2]] = amps
        if found:
            return found
    return {}


def timestamp(ahead_s: float = 0.0) -> str:
    """Now, or ``ahead_s`` later, as OCPP writes it."""
    moment = clock.now() + timedelta(seconds=ahead_s)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
