"""The installed profiles of a station, the transactions they act on, and what becomes of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from hilbench_emulators.smart_charging.facts import Facts
from hilbench_emulators.smart_charging.fields import rate
from hilbench_emulators.smart_charging.model import Kind, Profile, Purpose, Rate, Version
from hilbench_emulators.smart_charging.options import Options, RelativeFrom, options_for
from hilbench_emulators.smart_charging.read import read, write
from hilbench_emulators.smart_charging.rules import (
    ACCEPTED,
    STORED_BY_21,
    Answer,
    Request,
    by_error,
    check,
    lacks_first_phase,
    rejected,
    replaced,
    strange_modes,
)
from hilbench_emulators.smart_charging.selection import Situation, offline_end
from hilbench_emulators.smart_charging.times import grid

_NOT_OF_THE_CSMS = (Purpose.EXTERNAL, Purpose.LOCAL_GENERATION)
CSO = "CSO"
"""Source of what the CSMS installs (OCPP 2.0.1 ChargingLimitSource, standard-text)."""


@dataclass
class OutletState:
    """What goes on at an outlet."""

    transaction_id: str | int | None = None
    since: float | None = None
    power_since: float | None = None
    soc_pct: float | None = None
    choice: int = 0
    priority: bool = False


@dataclass(frozen=True)
class Report:
    """Profiles of one source and outlet, as one report tells them (OCPP 2.0.1 K09.FR.02, standard-text)."""

    source: str
    evse: int
    profiles: tuple[Profile, ...]


class ProfileStore:
    """Profiles under the rules of ``version``; times are given by the caller, there is no clock in here."""

    def __init__(self, version: Version, options: Options | None = None, facts: Facts | None = None) -> None:
        self.version = version
        self.options = options_for(version) if options is None else options
        self.facts = Facts() if facts is None else facts
        self.profiles: tuple[Profile, ...] = ()
        self.outlets = {evse: OutletState() for evse in self.facts.outlets}
        self.offline_since: float | None = None
        self._lapsed = frozenset[int]()
        self._sources = dict[int, str]()
        self._last_set = dict[Purpose, float]()

    # Installing and removing

    def install(self, profile: Profile, evse: int, t: float, *, starting: bool = False) -> Answer:
        """Take ``profile`` in at ``t``, in place of those that it replaces, or say why not.

        ``starting`` is for one that came with the request to start a transaction (1.6 errata 3.42, 2.0.1 K05): it waits
        for the next one on ``evse``.
        """
        request = self._request(replace(profile, evse=evse), t, starting)
        refusal = check(request)
        if refusal is not None:
            return refusal
        leaving = replaced(request)
        self.profiles = (*(old for old in self.profiles if old not in leaving), self._stamped(request.profile, t))
        self._lapsed -= {profile.id}
        self._last_set[profile.purpose] = t
        return ACCEPTED

    def _request(self, profile: Profile, t: float, starting: bool) -> Request:
        last = self._last_set.get(profile.purpose, -math.inf)
        active = {e: s.transaction_id for e, s in self.outlets.items() if s.transaction_id is not None}
        return Request(self.version, self.options, self.facts, profile, self.profiles, active, t, last, starting)

    def _stamped(self, profile: Profile, t: float) -> Profile:
        """A dynamic profile counts from when it came (OCPP 2.1 K28.FR.05, standard-text)."""
        if profile.kind is not Kind.DYNAMIC or profile.dyn_update_time is not None:
            return profile
        return replace(profile, dyn_update_time=grid(t))

    def clear(
        self,
        profile_id: int | None = None,
        evse: int | None = None,
        purpose: Purpose | None = None,
        stack: int | None = None,
    ) -> Answer:
        """Remove what matches all criteria; an id decides alone (1.6 5.5, 2.0.1 K10; standard-text).

        External constraints stay, in 2.1 local generation too (2.0.1 K10.FR.08, 2.1 K10.FR.04; standard-text).
        ``evse`` 0 means the station's own profiles.
        """
        if not self.options.smart_charging:
            return by_error("NotSupported", "no smart charging")
        ids = None if profile_id is None else (profile_id,)
        found = self._matching(ids, *((None, None, None) if ids else (evse, purpose, stack)))
        removed = [profile for profile in found if profile.purpose not in _NOT_OF_THE_CSMS]
        self._drop(removed)
        return ACCEPTED if removed else Answer("Unknown")

    def _drop(self, removed: Iterable[Profile]) -> None:
        gone = tuple(removed)
        self.profiles = tuple(profile for profile in self.profiles if profile not in gone)

    def _matching(
        self, ids: tuple[int, ...] | None, evse: int | None, purpose: Purpose | None, stack: int | None
    ) -> list[Profile]:
        return [
            profile
            for profile in self.profiles
            if (ids is None or profile.id in ids)
            and evse in (None, profile.evse)
            and purpose in (None, profile.purpose)
            and stack in (None, profile.stack)
        ]

    def select(
        self,
        *,
        ids: tuple[int, ...] | None = None,
        evse: int | None = None,
        purpose: Purpose | None = None,
        stack: int | None = None,
        sources: tuple[str, ...] | None = None,
    ) -> list[Report]:
        """What GetChargingProfiles asks for, by source and outlet; nothing is NoProfiles (2.0.1 K09, standard-text).

        With ``ids`` only ``evse`` and ``sources`` count besides.
        """
        found = self._matching(ids, evse, *((None, None) if ids else (purpose, stack)))
        groups = dict[tuple[str, int], list[Profile]]()
        for profile in found:
            source = self.source(profile)
            if sources is None or source in sources:
                groups.setdefault((source, profile.evse), []).append(profile)
        return [Report(source, at, tuple(group)) for (source, at), group in sorted(groups.items(), key=lambda g: g[0])]

    def source(self, profile: Profile) -> str:
        """Who set it."""
        return self._sources.get(profile.id, CSO) if profile.purpose is Purpose.EXTERNAL else CSO

    # Transactions

    def begin_transaction(self, evse: int, transaction_id: str | int, since: float, soc: float | None = None) -> None:
        """A transaction has begun; profiles that waited for it are its own from now on."""
        self.outlets[evse] = OutletState(transaction_id, grid(since), soc_pct=soc)
        self.profiles = tuple(
            replace(profile, transaction_id=transaction_id) if self._waits(profile, evse) else profile
            for profile in self.profiles
        )

    def _waits(self, profile: Profile, evse: int) -> bool:
        return profile.purpose is Purpose.TX and profile.evse == evse and profile.transaction_id is None

    def power_path(self, evse: int, t: float | None) -> None:
        """Energy can flow since ``t``: the car is connected and its driver authorised (2.1 K01.FR.42)."""
        self.outlets[evse].power_since = None if t is None else grid(t)

    def state_of_charge(self, evse: int, soc_pct: float | None) -> None:
        """What the car says; None when it says nothing."""
        self.outlets[evse].soc_pct = soc_pct

    def choose_schedule(self, evse: int, index: int) -> None:
        """The car has taken that schedule of those that profiles offer, from 0 (2.0.1 K15)."""
        self.outlets[evse].choice = index

    def end_transaction(self, evse: int) -> None:
        """It is over, and its TxProfiles with it unless an option keeps them."""
        self.outlets[evse] = OutletState()
        if not self.options.keep_unused:
            self._drop(self._matching(None, evse, Purpose.TX, None))

    def use_priority(self, evse: int, transaction_id: str | int, activate: bool) -> Answer:
        """Priority charging on or off (OCPP 2.1 K21, standard-text)."""
        outlet = self.outlets.get(evse)
        if outlet is None or outlet.transaction_id is None or outlet.transaction_id != transaction_id:
            return rejected("TxNotFound", f"no transaction {transaction_id} on outlet {evse}")
        if activate and not self.candidates(Purpose.PRIORITY, evse):
            return Answer("NoProfile")
        outlet.priority = activate
        return ACCEPTED

    # Connection, external systems, dynamic profiles

    def went_offline(self, t: float) -> None:
        """The connection to the CSMS is lost since ``t``, if it was not before."""
        if self.offline_since is None:
            self.offline_since = grid(t)

    def came_online(self, t: float) -> None:
        """It is back: what was invalid is valid again unless it says otherwise (2.1 K01.FR.102, standard-text)."""
        now = Situation(0, t, offline_since=self.offline_since)
        self._lapsed |= {p.id for p in self.profiles if p.invalid_after_offline and t >= offline_end(p, now)}
        self.offline_since = None

    def set_external(self, profile: Profile, evse: int, source: str = "EMS") -> None:
        """A limit by another system than the CSMS, in place of one with its id (2.0.1 K11 to K13, standard-text).

        Raises ``ValueError`` where only later phases have a figure, and for an operation mode that is none of its
        purpose (2.1 K01.FR.112, standard-text).
        """
        external = replace(profile, evse=evse, purpose=Purpose.EXTERNAL)
        if lacks_first_phase(profile):
            raise ValueError("figures of single phases need that of the first")
        if modes := strange_modes(external):
            raise ValueError(f"operationMode {modes[0]} is not allowed")
        self.clear_external(profile.id)
        self.profiles = (*self.profiles, external)
        self._sources[profile.id] = source

    def clear_external(self, profile_id: int | None = None) -> bool:
        """Forget that limit, or all of them; whether there was one."""
        found = self._matching(None if profile_id is None else (profile_id,), None, Purpose.EXTERNAL, None)
        self._drop(found)
        return bool(found)

    def update_dynamic(self, profile_id: int, t: float, update: Mapping[str, Any]) -> Answer:
        """New figures for a dynamic profile, from ``schedule_update`` in snake_case (OCPP 2.1 K28, standard-text).

        What the update does not name stays. Raises ``ValueError`` for figures beyond use, and as :meth:`set_external`.
        """
        old = next((p for p in self.profiles if p.id == profile_id and p.kind is Kind.DYNAMIC), None)
        if old is None:
            return rejected("InvalidProfile", f"there is no dynamic profile {profile_id}")
        new = _updated(old, update, grid(t))
        if lacks_first_phase(new):
            raise ValueError("figures of single phases need that of the first")
        self.profiles = tuple(new if profile is old else profile for profile in self.profiles)
        return ACCEPTED

    def clock_moved(self, by_s: float) -> None:
        """The station's clock was set: transactions and time offline began as long ago as before by the new one."""
        for outlet in self.outlets.values():
            outlet.since = None if outlet.since is None else outlet.since + by_s
            outlet.power_since = None if outlet.power_since is None else outlet.power_since + by_s
        self.offline_since = None if self.offline_since is None else self.offline_since + by_s

    # What the evaluation asks

    def candidates(self, purpose: Purpose, evse: int) -> list[Profile]:
        """Profiles of a purpose that act on ``evse``, those that stand before others first."""
        found = (p for p in self.profiles if p.purpose is purpose and p.evse in (0, evse))
        return sorted(found, key=lambda profile: (-profile.stack, -profile.evse))

    def situation(self, evse: int, idle: float) -> Situation:
        """What an outlet is in the middle of; relative schedules count from ``idle`` where no car charges yet."""
        outlet = self.outlets.get(evse, OutletState())
        began = outlet.power_since
        if began is None and self.options.relative_from is RelativeFrom.TRANSACTION:
            began = outlet.since
        return Situation(
            evse,
            idle if began is None else began,
            outlet.transaction_id,
            outlet.soc_pct,
            outlet.choice,
            self.offline_since,
            self._lapsed,
        )

    # Storage

    def to_json(self) -> list[dict[str, Any]]:
        """What survives a reboot: all from the CSMS (1.6 errata 3.37, 2.0.1 K01.FR.27), of 2.1 some (K01.FR.27)."""
        kept = frozenset(Purpose) - {Purpose.EXTERNAL}
        if self.version is Version.V21:
            kept = STORED_BY_21 | self.options.persistent
        return [
            {"evse": profile.evse, "source": self.source(profile), "profile": write(self.version, profile)}
            for profile in self.profiles
            if profile.purpose in kept
        ]

    def from_json(self, data: list[dict[str, Any]]) -> None:
        """Put back what :meth:`to_json` gave, in place of all there is; raises ``ValueError`` as :func:`read` does."""
        found = [read(self.version, entry["profile"], entry["evse"]) for entry in data]
        self.profiles = tuple(found)
        self._sources = {profile.id: entry["source"] for profile, entry in zip(found, data, strict=True)}


def _updated(profile: Profile, update: Mapping[str, Any], t: float) -> Profile:
    schedule = profile.schedules[0]
    period = schedule.periods[0]
    new = replace(
        period,
        limit=_newer(period.limit, rate(update, "limit", lowest=0)),
        setpoint=_newer(period.setpoint, rate(update, "setpoint")),
        discharge=_newer(period.discharge, rate(update, "discharge_limit", highest=0)),
    )
    return replace(profile, schedules=(replace(schedule, periods=(new,)),), dyn_update_time=t)


def _newer(old: Rate | None, new: Rate | None) -> Rate | None:
    """The new figures where there are any; a phase that they do not name keeps its own."""
    if new is None or old is None:
        return old if new is None else new
    return Rate(
        old.l1 if math.isnan(new.l1) else new.l1,
        old.l2 if new.l2 is None else new.l2,
        old.l3 if new.l3 is None else new.l3,
    )
