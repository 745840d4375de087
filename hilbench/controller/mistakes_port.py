"""Mistakes in what a controller tells stations: central systems that differ from the good one in one place."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from hilbench import clock
from hilbench.controller.abilities import ways
from hilbench.controller.csms import Csms
from hilbench.controller.installing import Installer, Limit, Outcome, Send, Transaction

LATE_S = 120.0
"""So long a transaction runs before it is limited (bmw-wallbox-ha#15: about 2 min)."""


class DatedFallback(Csms):
    """Gives the fallback a date, and takes no notice of what time it is for stations."""

    checks_clocks = False

    def installer(self, role: str) -> Installer:
        """One that does not even try without a date."""
        found = super().installer(role)
        found.dated = True
        return found


class InstallsOnce(Csms):
    """Gives a station its fallback when it first connects, and takes it to be there ever after."""

    def with_fallback_for(self, role: str) -> bool:
        """Only before the first installation."""
        return "fallback" not in self.installer(role).way


class RenewsTooLate(Csms):
    """Renews a limit when it has run out: two of three renewals are left out."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._left_out: Counter[str] = Counter()

    def want(self, role: str, limit_a: float, renew: bool = False) -> None:
        """Every third renewal is sent."""
        self._left_out[role] += renew
        if not renew or self._left_out[role] % 3 == 0:
            super().want(role, limit_a, renew)


class TransactionOnly(Csms):
    """Gives limits for running transactions only, so that each begins without one."""

    def with_fallback_for(self, role: str) -> bool:
        """Never: a fallback is for no transaction."""
        return False

    def installer(self, role: str) -> Installer:
        """One that sends TxProfiles alone."""
        if role not in self._installers:
            self._installers[role] = TransactionInstaller(self._supply_of(role))
        return self._installers[role]


class TransactionInstaller(Installer):
    """Takes a limit for given before there is a transaction that it could be given to."""

    async def put(self, limit: Limit, send: Send, discover: Callable[[], Awaitable[None]]) -> Outcome:
        """Nothing is sent: what follows gives the limit to the transaction, where there is one."""
        self.way[limit.kind] = ways(self.abilities, self.supply.dc)[0]
        return Outcome(limit.limit_a)

    _transaction: Transaction | None = None
    _since = -math.inf

    async def insist(self, limit: Limit, transaction: Transaction | None, send: Send) -> None:
        """Not before ``LATE_S`` of the transaction."""
        if transaction != self._transaction:
            self._transaction, self._since = transaction, clock.time()
        if clock.time() - self._since < LATE_S:
            return
        self.insists = True
        await super().insist(limit, transaction, send)
        self.insists = False


PORTS: dict[str, type[Csms]] = {
    "trusts-the-clock": DatedFallback,
    "no-reinstall-after-boot": InstallsOnce,
    "renews-too-late": RenewsTooLate,
    "tx-profile-only": TransactionOnly,
}
"""By the id of the defect."""
