"""Charging profiles of an OCPP 2.x station, and limits that other systems than its controller set."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

from hilbench import clock
from hilbench.ocppj import CallFailed
from hilbench_emulators.smart_charging import Answer, Kind, Report, read, write
from hilbench_emulators.station.charging import OUTLET, purpose_of
from hilbench_emulators.station.remote2 import Remote2

_EXTERNAL_ID = -1
"""Id of the profile that stands for an external limit: below 0, where no controller's are (OCPP 2.0.1 K11)."""


class Smart2(Remote2):
    """What block K of OCPP 2.0.1 asks of a station."""

    def install(self, evse: int, raw: dict[str, Any], *, starting: bool = False) -> Answer:
        """Install a charging profile, or say why not; ``starting`` before the transaction that it came with."""
        answer, profile = self.charging.install(evse, raw, self._utc(), starting=starting)
        if profile is not None:
            self.installed(profile)
            self._watch_dynamic()
        return answer

    def clear(self, profile_id: int | None, criteria: dict[str, Any]) -> Answer:
        """Remove profiles by id or by criteria."""
        named = criteria.get("charging_profile_purpose")
        answer = self.charging.store.clear(
            profile_id,
            criteria.get("evse_id"),
            None if named is None else purpose_of(named),
            criteria.get("stack_level"),
        )
        self.save()
        self.poke()
        return answer

    def select(self, criteria: dict[str, Any], evse: int | None) -> list[Report]:
        """Profiles that match GetChargingProfiles."""
        named, sources = criteria.get("charging_profile_purpose"), criteria.get("charging_limit_source")
        ids = criteria.get("charging_profile_id")
        return self.charging.store.select(
            ids=None if ids is None else tuple(ids),
            evse=evse,
            purpose=None if named is None else purpose_of(named),
            stack=criteria.get("stack_level"),
            sources=None if sources is None else tuple(sources),
        )

    def update_dynamic(self, profile_id: int, update: dict[str, Any]) -> Answer:
        """New figures for a dynamic profile (2.1)."""
        try:
            answer = self.charging.store.update_dynamic(profile_id, self._utc(), update)
        except ValueError as error:
            return Answer("Rejected", "InvalidSchedule", str(error))
        self._refresh()
        return answer

    def use_priority(self, transaction_id: str, activate: bool) -> Answer:
        """Priority charging on or off (2.1)."""
        answer = self.charging.store.use_priority(OUTLET, transaction_id, activate)
        self._refresh()
        return answer

    def written(self, report: Report) -> list[dict[str, Any]]:
        """Profiles of a report in snake_case."""
        return [write(self.charging.version, profile) for profile in report.profiles]

    def composite(self, evse: int, duration_s: float, unit: str | None) -> dict[str, Any] | None:
        """Schedule from now on, the nameplate where no profile limits; None where there is none."""
        return self.charging.schedule(evse, self._utc(), duration_s, unit)

    # limits of other systems

    def external_limit(self, limit_a: float | None, source: str = "EMS") -> None:
        """Another system than the controller limits the station to ``limit_a`` per phase; None takes that back.

        Told when it changes what may flow by more than LimitChangeSignificance (OCPP 2.0.1 K12, K13; standard-text).
        """
        before = self._wanted_a()
        store = self.charging.store
        if limit_a is None:
            if not store.clear_external(_EXTERNAL_ID):
                return
        else:
            store.set_external(read(self.charging.version, _external(limit_a)), 0, source)
        self.event("command.external", limit_a=limit_a, source=source)
        self._refresh()
        if self._significant(before, self._wanted_a()):
            self._tell_external(limit_a, source)

    def _significant(self, before: float, after: float) -> bool:
        least = float(self.device.value("SmartChargingCtrlr", "LimitChangeSignificance"))
        return abs(after - before) * 100 > least * max(before, after)

    def _tell_external(self, limit_a: float | None, source: str) -> None:
        said = self._uplink.messages
        if limit_a is None:
            self._uplink.say(said.ClearedChargingLimit(charging_limit_source=source))
        else:
            schedules = None
            if self.device.value("SmartChargingCtrlr", "NotifyChargingLimitWithSchedules") == "true":
                schedules = _external(limit_a)["charging_schedule"]
            limit = {"charging_limit_source": source}
            self._uplink.say(said.NotifyChargingLimit(charging_limit=limit, charging_schedule=schedules))
        if self._transaction is not None:
            self.transaction_event("Updated", "ChargingRateChanged")

    # dynamic profiles and priority (2.1)

    def _watch_dynamic(self) -> None:
        """Set timers for the profiles whose figures the station must fetch (OCPP 2.1 K28, standard-text)."""
        there = {f"pull {profile.id}" for profile in self.charging.store.profiles}
        for gone in [name for name in self._timers if name.startswith("pull ") and name not in there]:
            self._at(gone, math.inf, self._refresh)
        for profile in self.charging.store.profiles:
            name, interval = f"pull {profile.id}", profile.dyn_update_interval_s
            if profile.kind is Kind.DYNAMIC and interval and name not in self._timers:
                self._at(name, clock.time() + interval, partial(self._pull, profile.id))

    def _pull(self, profile_id: int) -> None:
        self._timers.pop(f"pull {profile_id}", None)
        if any(profile.id == profile_id for profile in self.charging.store.profiles):
            self._spawn(self._pulled(profile_id))
            self._watch_dynamic()

    async def _pulled(self, profile_id: int) -> None:
        link = self._uplink.link
        if not self.connected or link is None:
            return
        request = self._uplink.messages.PullDynamicScheduleUpdate(charging_profile_id=profile_id)
        try:
            answer = await link.call(request)
        except CallFailed:
            return
        if answer.status == "Accepted" and answer.schedule_update:
            self.update_dynamic(profile_id, answer.schedule_update)

    def choose_priority(self, activate: bool) -> bool:
        """A driver asks for priority charging, or ends it, at the station (OCPP 2.1 K22, standard-text)."""
        transaction_id = self.transaction_id
        if transaction_id is None or not self.use_priority(transaction_id, activate).accepted:
            return False
        told = self._uplink.messages.NotifyPriorityCharging(transaction_id=transaction_id, activated=activate)
        self._uplink.say(told)
        return True

    def afrr(self, signal: int) -> bool:
        """A signal to reserves (OCPP 2.1 Q08): taken where the operation mode in force follows it, which none does."""
        self.event("command.afrr", signal=signal)
        return False


def _external(limit_a: float) -> dict[str, Any]:
    schedule = {
        "id": 1,
        "charging_rate_unit": "A",
        "charging_schedule_period": [{"start_period": 0, "limit": limit_a}],
        "start_schedule": "1970-01-01T00:00:00Z",
    }
    return {
        "id": _EXTERNAL_ID,
        "stack_level": 0,
        "charging_profile_purpose": "ChargingStationExternalConstraints",
        "charging_profile_kind": "Absolute",
        "charging_schedule": [schedule],
    }
