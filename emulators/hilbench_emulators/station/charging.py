"""The charging profiles of a station with one outlet, as its shell needs them."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from hilbench.site import Branch
from hilbench_emulators.smart_charging import (
    Answer,
    Evaluator,
    Facts,
    Outlet,
    Profile,
    ProfileStore,
    Purpose,
    Unit,
    Version,
    composite,
    purpose_name,
    read,
)
from hilbench_emulators.smart_charging.rules import SETPOINT_MODES
from hilbench_emulators.station.character import Followed, misread, refusal
from hilbench_emulators.station.settings import StationSettings

OUTLET = 1
"""Number of the only outlet."""


class Charging:
    """What is installed (``store``) and what it allows; times are UTC seconds since 1970."""

    def __init__(self, version: Version, branch: Branch, voltage_v: float, settings: StationSettings) -> None:
        self.version = version
        self.phases = 3 if len(branch.lines) == 3 else 1
        self.behaviour = settings.personality.behaviour
        facts = Facts({OUTLET: Outlet(self.phases, branch.max_a)}, branch.max_a, voltage_v)
        self.store = ProfileStore(version, settings.options(version), facts)
        self._evaluator = Evaluator(self.store)

    def followed_a(self, utc: float, *, online: bool) -> float | None:
        """Amperes per phase by the profiles that this make of station follows; None where none says anything."""
        behaviour, without = self.behaviour, self.behaviour.ignored
        if behaviour.ignores_default_offline and not online:
            without |= {Purpose.TX_DEFAULT}
        limits = [self._least_a(self._without(without), utc)]
        if behaviour.least_of_tx_and_default:
            limits.append(self._least_a(self._without(without | {Purpose.TX}), utc))
        return min((limit for limit in limits if limit is not None), default=None)

    def mode(self, utc: float) -> str:
        """Operation mode of the profile that speaks for the outlet (OCPP 2.1), ChargingOnly where none does."""
        return self._without(self.behaviour.ignored).decide(OUTLET, utc).operation_mode or "ChargingOnly"

    def ordered_a(self, utc: float) -> float | None:
        """Amperes per phase that a set point orders, negative to discharge; 0 in Idle, None where only limits count.

        Of set points that differ from phase to phase it is the one nearest to 0: a car has one for all of them.
        """
        decision = self._without(self.behaviour.ignored).decide(OUTLET, utc)
        if decision.operation_mode == "Idle":
            return 0.0
        if decision.operation_mode not in SETPOINT_MODES or decision.setpoint_a is None:
            return None
        return min(decision.setpoint_a[: self.phases], key=abs)

    def _without(self, purposes: frozenset[Purpose]) -> Evaluator:
        """What it goes by, if it does not know some purposes."""
        return Evaluator(Followed(self.store, purposes)) if purposes else self._evaluator

    def _least_a(self, evaluator: Evaluator, utc: float) -> float | None:
        phases = evaluator.decide(OUTLET, utc).limit_a
        return None if phases is None else min(phases[: self.phases])

    def forget_on(self, occasion: str, *, anyway: bool = False) -> bool:
        """Lose all profiles, if this make does on that occasion or this one does ``anyway``; whether there were any."""
        lost = (anyway or occasion in self.behaviour.forgets) and bool(self.store.profiles)
        if lost:
            self.store.profiles = ()
        return lost

    def next_change(self, utc: float) -> float:
        """The first instant after ``utc`` at which the limit may differ; infinity when it never does."""
        return self._evaluator.next_change(OUTLET, utc)

    def name_transaction(self, transaction_id: int) -> None:
        """The controller has numbered the running transaction (1.6): profiles may name it from now on."""
        outlet = self.store.outlets[OUTLET]
        old, outlet.transaction_id = outlet.transaction_id, transaction_id
        self.store.profiles = tuple(
            replace(one, transaction_id=transaction_id) if old is not None and one.transaction_id == old else one
            for one in self.store.profiles
        )

    def install(
        self, evse: int, raw: dict[str, Any], utc: float, *, starting: bool = False
    ) -> tuple[Answer, Profile | None]:
        """Take a profile in from its snake_case payload; None with the answer for one that was refused.

        ``starting``: it came with the request to start a transaction, and waits for that.
        """
        try:
            profile = read(self.version, raw, evse)
        except ValueError as error:
            return Answer("Rejected", "InvalidSchedule", str(error)), None
        answer = refusal(self.behaviour, profile, evse) or self.store.install(
            misread(self.behaviour, profile), evse, utc, starting=starting
        )
        return answer, profile if answer.accepted else None

    def would_install(self, evse: int, raw: dict[str, Any], utc: float) -> bool:
        """Whether a TxProfile may come with the request to start a transaction."""
        try:
            profile = read(self.version, raw, evse)
        except ValueError:
            return False
        if profile.purpose is not Purpose.TX or profile.transaction_id is not None:
            return False
        trial = ProfileStore(self.version, self.store.options, self.store.facts)
        trial.profiles = self.store.profiles
        return trial.install(profile, evse, utc, starting=True).accepted

    def schedule(self, evse: int, utc: float, duration_s: float, unit: str | None) -> dict[str, Any] | None:
        """The composite schedule in snake_case, None where the answer is Rejected."""
        made = composite(self._evaluator, evse, utc, duration_s, None if unit is None else Unit(unit))
        return None if made is None else made.wire(self.version, with_start=self.store.options.start_in_answer)

    def describe(self, profile: Profile, utc: float) -> dict[str, Any]:
        """Data of the event ``command.profile``: what the profile says now, or first; a set point with its sign."""
        alone = ProfileStore(self.version, self.store.options, self.store.facts)
        alone.profiles = (profile,)
        alone.outlets = self.store.outlets
        decision = Evaluator(alone).decide(OUTLET, utc)
        phases, setpoint = decision.limit_a, decision.setpoint_a
        first = profile.schedules[0].periods[0].limit
        limit = math.nan if first is None else first.l1
        told = {
            "id": profile.id,
            "connector": profile.evse,
            "purpose": purpose_name(self.version, profile.purpose),
            "stack": profile.stack,
            "limit_a": limit if phases is None else min(phases[: self.phases]),
        }
        return told if setpoint is None else told | {"setpoint_a": min(setpoint[: self.phases], key=abs)}


def purpose_of(name: str) -> Purpose:
    """A purpose by the name that any version gives it; raises ``ValueError`` for others."""
    return Purpose.MAX if name == "ChargePointMaxProfile" else Purpose(name)
