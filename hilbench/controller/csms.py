"""The station port: a central system that does what a load manager needs and survives what stations send.

Every output is a dead-man pair. The *fallback* (TxDefaultProfile, stack level 0, no date and no end) is installed at
every connect; the *lease* (TxDefaultProfile, stack level 1) lasts ``lease_s`` and must be renewed. When controller or
link dies, the lease runs out and the station stands on its fallback. TxDefaultProfile is used for both because a
TxProfile leaves the start of a transaction without a limit (bmw-wallbox-ha#15). Stations that do not take it so are
told in another way, and those that ignore it get a TxProfile beside it (see ``installing``).
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from ssl import SSLContext
from typing import Any, Protocol

from hilbench import clock
from hilbench.controller.abilities import Supply
from hilbench.controller.conversation import Conversation, Listener
from hilbench.controller.installing import Installer
from hilbench.controller.settings import ControllerSettings
from hilbench.errors import DeviceError, HilbenchError
from hilbench.ocppj import VERSIONS, listen, server_context

LOGGER = logging.getLogger(__name__)


class Speak(Protocol):
    """Makes the conversation with one station."""

    def __call__(self, role: str, identity: str, connection: Any, csms: Csms, /) -> Conversation:
        """See the class."""
        ...


class Csms:
    """Listens for the stations of ``identities`` (role to identity) and carries limits to them.

    ``speak`` makes the conversation for a connection, in the version that was agreed on. ``passwords`` (by identity)
    are asked for in security profiles 1 and 2; a station without one is refused there. ``supply_of`` (by role) is asked
    for stations that take only watts. The main meter of the station with ``meter_role`` is the site's.
    ``checks_clocks``: stations that report with a wrong time are told the right one.
    """

    checks_clocks = True

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
        meter_role: str | None = None,
    ) -> None:
        self._speak = speak
        self.meter_role = meter_role
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
            self._installers[role] = Installer(self._supply_of(role))
        return self._installers[role]

    def with_fallback_for(self, role: str) -> bool:  # noqa: ARG002 - every station gets one
        """Whether a station that connects or boots is given its fallback."""
        return self.with_fallback

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
        if (conversation := self._conversations.get(role)) is not None:
            conversation.want(limit_a, renew)

    def ask(self, role: str) -> None:
        """Let station ``role`` report now; nothing happens while it is not connected."""
        if (conversation := self._conversations.get(role)) is not None:
            conversation.ask()

    def insist(self, role: str) -> None:
        """Give station ``role`` its limits as TxProfile too; nothing happens while it is not connected."""
        if (conversation := self._conversations.get(role)) is not None:
            conversation.insist()

    def stop(self, role: str) -> None:
        """End the session at station ``role``; nothing happens while it is not connected."""
        if (conversation := self._conversations.get(role)) is not None:
            conversation.stop()

    def restore(self, role: str) -> None:
        """Install the fallback of station ``role`` once more; nothing happens while it is not connected."""
        if (conversation := self._conversations.get(role)) is not None:
            conversation.restore()

    def read_back(self, role: str) -> None:
        """Let station ``role`` say which limits are in force; nothing happens while it is not connected."""
        if (conversation := self._conversations.get(role)) is not None:
            conversation.read_back()
