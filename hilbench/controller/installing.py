"""How limits get into one station: by the way that works there, which is looked for once. No I/O of its own.

A limit that is refused is tried in all ways, in their order (see ``abilities``), at most once per ``SEARCH_S`` for the
fallback and for leases each; what worked is used from then on, through new connections too. No answer ends a search:
then nobody knows what stands in the station.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal, NamedTuple

from hilbench import clock
from hilbench.controller.abilities import Abilities, Supply, Way, rate, variants, ways

FALLBACK_ID, LEASE_ID, TRANSACTION_ID = 1, 2, 3
BEHIND_S = 5.0
"""A station whose clock is behind by less than this follows a limit at once: for one that begins "now" by the
controller's clock it would stand on its fallback until then. Stations set their clocks by Heartbeat, to the second."""
SEARCH_S = 300.0
"""A station that refused every way is left in peace for so long (policy)."""
Kind = Literal["fallback", "lease"]
Counting = Literal["Relative", "Absolute"]
"""What a schedule counts from: the start of the transaction, or a date."""


class Limit(NamedTuple):
    """What a station shall have: ``limit_a`` for ``lease_s``, or as its fallback (None); below it ``fallback_a``."""

    limit_a: float
    lease_s: float | None
    fallback_a: float

    @property
    def kind(self) -> Kind:
        """Which of the two profiles it is."""
        return "fallback" if self.lease_s is None else "lease"


Transaction = int | str
"""Id of a transaction: a number in OCPP 1.6, text in 2.x."""


class Profile(NamedTuple):
    """A TxDefaultProfile: for the whole station (``outlet`` 0) or one, its kind, and its ``schedule`` in snake_case.

    With a ``transaction`` it is the TxProfile of that.
    """

    id: int
    outlet: int
    stack: int
    kind: Counting
    schedule: dict[str, Any]
    transaction: Transaction | None = None

    @property
    def purpose(self) -> dict[str, Any]:
        """What it is for, as fields of the profile."""
        if self.transaction is None:
            return {"charging_profile_purpose": "TxDefaultProfile"}
        return {"charging_profile_purpose": "TxProfile", "transaction_id": self.transaction}


class Outcome(NamedTuple):
    """What became of a limit: ``accepted_a`` as it was given (None: it was not), or no answer came at all."""

    accepted_a: float | None
    answered: bool = True


Send = Callable[[Profile], Awaitable[str]]
"""Sends a profile; the status, an error code, or nothing where no answer came."""


@dataclass
class Installer:
    """What is known of one station, and how limits are installed there.

    ``insists``: it ignored a TxDefaultProfile, so that in a transaction the limit is given as its TxProfile too, which
    overrules the other (OCPP 1.6 section 3.13.1, standard-text). Never alone: it leaves the start without a limit.
    ``dated``: its fallback stands only with a date, as it refused one that counts from the start of the transaction.
    """

    supply: Supply
    abilities: Abilities = field(default_factory=Abilities)
    asked: bool = False
    way: dict[Kind, Way] = field(default_factory=dict)
    searched: dict[Kind, float] = field(default_factory=dict)
    insists: bool = False
    dated: bool = False

    def begin_again(self) -> None:
        """It has booted: what it refused before it may take now."""
        self.searched.clear()

    async def put(self, limit: Limit, send: Send, discover: Callable[[], Awaitable[None]]) -> Outcome:
        """Install ``limit`` by the way that is known, or look for one; ``discover`` asks what the station can do."""
        known = self.way.get(limit.kind) or self.way.get("fallback") or ways(self.abilities, self.supply.dc)[0]
        if limit.kind not in self.way and clock.time() < self._rests_until(limit.kind):
            return Outcome(None)
        outcome = await self._along([known], limit, send)
        if outcome.accepted_a is not None or not outcome.answered:
            return outcome
        if clock.time() < self._rests_until(limit.kind):
            return outcome
        self.searched[limit.kind] = clock.time()
        await discover()
        return await self._along((way for way in ways(self.abilities, self.supply.dc) if way != known), limit, send)

    async def insist(self, limit: Limit, transaction: Transaction | None, send: Send) -> None:
        """Give a limit that was accepted once more, for the running transaction, where that is needed and helps."""
        way = self.way.get(limit.kind)
        if not self.insists or transaction is None or way is None or limit.lease_s is None:
            return
        again = profile(way, limit, self.supply)._replace(id=TRANSACTION_ID, outlet=1, transaction=transaction)
        self.insists = await send(again) in ("Accepted", "")

    def _rests_until(self, kind: Kind) -> float:
        return self.searched.get(kind, -math.inf) + SEARCH_S

    async def _along(self, tried: Iterable[Way], limit: Limit, send: Send) -> Outcome:
        for way in tried:
            if limit.lease_s is None and way.form == "periods":
                continue  # a fallback alone is the same in both forms
            for amps, dated in self._variants(limit):
                status = await send(profile(way, limit._replace(limit_a=amps), self.supply, dated))
                if status == "Accepted":
                    self.way[limit.kind] = way
                    self.dated |= dated and limit.lease_s is None
                    return Outcome(amps)
                if not status:
                    return Outcome(None, answered=False)
        return Outcome(None)

    def _variants(self, limit: Limit) -> list[tuple[float, bool]]:
        """What is tried in one way: a fallback first without a date, then what says the same as a limit."""
        dates = (True,) if self.dated or limit.lease_s is not None else (False, True)
        return [(amps, dated) for amps in variants(limit.limit_a, self.supply) for dated in dates]


def profile(way: Way, limit: Limit, supply: Supply, dated: bool = True) -> Profile:
    """The profile that gives ``limit`` in a ``way``; a fallback only with a date where it must be ``dated``.

    A station whose clock is wrong keeps a fallback without a date, and a lease ends or waits there: it is safe.
    """
    first = {"start_period": 0, **rate(way, limit.limit_a, supply)}
    schedule: dict[str, Any] = {"charging_rate_unit": way.unit, "charging_schedule_period": [first]}
    if not dated:
        return Profile(FALLBACK_ID, way.outlet, way.stack, "Relative", schedule)
    schedule["start_schedule"] = timestamp(-BEHIND_S)
    if limit.lease_s is None:
        return Profile(FALLBACK_ID, way.outlet, way.stack, "Absolute", schedule)
    ends = math.ceil(limit.lease_s + BEHIND_S)
    if way.form == "lease":
        return Profile(LEASE_ID, way.outlet, way.stack + 1, "Absolute", schedule | {"duration": ends})
    schedule["charging_schedule_period"] = [first, {"start_period": ends, **rate(way, limit.fallback_a, supply)}]
    return Profile(FALLBACK_ID, way.outlet, way.stack, "Absolute", schedule)


def timestamp(ahead_s: float = 0.0) -> str:
    """Now, or ``ahead_s`` later, as OCPP writes it."""
    moment = clock.now() + timedelta(seconds=ahead_s)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
