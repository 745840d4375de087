"""Smart charging messages that an OCPP 2.x station answers (2.0.1 block K; 2.1 K21, K28)."""

from __future__ import annotations

from typing import Any

from hilbench.ocppj import after, on, refusal
from hilbench_emulators.smart_charging import Answer
from hilbench_emulators.station.handlers2_base import HandlersBase2, accepted

_LONGEST_SCHEDULE_S = 31_622_400
"""No composite schedule is made for more than a year: recurring profiles would fill it for ever."""


class SmartHandlers2(HandlersBase2):
    """Profiles: set, clear, report, add up."""

    @on("SetChargingProfile")
    def on_set_charging_profile(self, evse_id: int, charging_profile: dict[str, Any], **_more: Any) -> Any:
        """Install it, or say why not."""
        answer = self._station.install(evse_id, charging_profile)
        if answer.call_error:
            raise refusal(answer.call_error, answer.description)
        return self._results.SetChargingProfile(status=answer.status, status_info=_info(answer))

    @on("ClearChargingProfile")
    def on_clear_charging_profile(
        self,
        charging_profile_id: int | None = None,
        charging_profile_criteria: dict[str, Any] | None = None,
        **_more: Any,
    ) -> Any:
        """Remove what matches."""
        answer = self._station.clear(charging_profile_id, charging_profile_criteria or {})
        return self._results.ClearChargingProfile(status=answer.status)

    @on("GetChargingProfiles")
    def on_get_charging_profiles(
        self, charging_profile: dict[str, Any], evse_id: int | None = None, **_more: Any
    ) -> Any:
        """Say whether there are any."""
        found = self._station.select(charging_profile, evse_id)
        return self._results.GetChargingProfiles(status="Accepted" if found else "NoProfiles")

    @after("GetChargingProfiles")
    async def after_get_charging_profiles(
        self, request_id: int, charging_profile: dict[str, Any], evse_id: int | None = None, **_more: Any
    ) -> None:
        """Report them, grouped by source and outlet (OCPP 2.0.1 K09, standard-text)."""
        found = self._station.select(charging_profile, evse_id)
        for number, report in enumerate(found, start=1):
            await self.call(
                self._requests.ReportChargingProfiles(
                    request_id=request_id,
                    charging_limit_source=report.source,
                    evse_id=report.evse,
                    charging_profile=self._station.written(report),
                    tbc=number < len(found),
                )
            )

    @on("GetCompositeSchedule")
    def on_get_composite_schedule(
        self, duration: int, evse_id: int, charging_rate_unit: str | None = None, **_more: Any
    ) -> Any:
        """What the installed profiles add up to from now on."""
        short = 0 < duration <= _LONGEST_SCHEDULE_S
        schedule = self._station.composite(evse_id, float(duration), charging_rate_unit) if short else None
        if schedule is None:
            return self._results.GetCompositeSchedule(status="Rejected")
        return self._results.GetCompositeSchedule(status="Accepted", schedule=schedule)


class SmartHandlers21(SmartHandlers2):
    """What OCPP 2.1 has beyond 2.0.1."""

    @on("UpdateDynamicSchedule")
    def on_update_dynamic_schedule(
        self, charging_profile_id: int, schedule_update: dict[str, Any], **_more: Any
    ) -> Any:
        """New figures for a dynamic profile, at once."""
        answer = self._station.update_dynamic(charging_profile_id, schedule_update)
        return self._results.UpdateDynamicSchedule(status=answer.status, status_info=_info(answer))

    @on("UsePriorityCharging")
    def on_use_priority_charging(self, transaction_id: str, activate: bool, **_more: Any) -> Any:
        """Let the PriorityCharging profile count instead of the transaction's, or end that."""
        answer = self._station.use_priority(transaction_id, activate)
        return self._results.UsePriorityCharging(status=answer.status, status_info=_info(answer))

    @on("NotifyAllowedEnergyTransfer")
    def on_notify_allowed_energy_transfer(
        self, transaction_id: str, allowed_energy_transfer: list[str], **_more: Any
    ) -> Any:
        """Which ways power may flow in a transaction, from now on."""
        done = self._station.allow_transfer(transaction_id, allowed_energy_transfer)
        return self._results.NotifyAllowedEnergyTransfer(status=accepted(done))

    @on("AFRRSignal")
    def on_afrr_signal(self, signal: int, **_more: Any) -> Any:
        """Whether it is followed."""
        return self._results.AFRRSignal(status=accepted(self._station.afrr(signal)))


def _info(answer: Answer) -> dict[str, str] | None:
    if not answer.reason_code:
        return None
    return {"reason_code": answer.reason_code[:20], "additional_info": answer.description[:512]}
