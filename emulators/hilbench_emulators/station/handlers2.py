"""What an OCPP 2.x station answers when its controller calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hilbench.ocppj import ChargePoint21, ChargePoint201, Connection, after, messages, on, refusal
from hilbench_emulators.smart_charging import Answer
from hilbench_emulators.station import reports2

if TYPE_CHECKING:
    from hilbench_emulators.station.ocpp2 import AcStation2

_LONGEST_SCHEDULE_S = 31_622_400
"""No composite schedule is made for more than a year: recurring profiles would fill it for ever."""
_TRIGGERS = ("BootNotification", "Heartbeat", "MeterValues", "StatusNotification", "TransactionEvent")


class Handlers2:
    """The station's end of one connection, mixed into the protocol class of a version."""

    version: str
    call: Any

    def __init__(self, station: AcStation2, connection: Connection) -> None:
        super().__init__(  # type: ignore[call-arg]  # a mixin
            station.identity,  # pyright: ignore[reportCallIssue] - as above
            connection,
            response_timeout_s=station.settings.message_timeout_s,
            on_frame=station.trace,
            first_id=station.next_id,
        )
        self._station = station
        self._results: Any = messages(self.version).call_result
        self._requests: Any = messages(self.version).call

    # smart charging

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

    # transactions

    @on("RequestStartTransaction")
    def on_request_start_transaction(
        self,
        id_token: dict[str, Any],
        remote_start_id: int,
        evse_id: int = 1,
        charging_profile: dict[str, Any] | None = None,
        **_more: Any,
    ) -> Any:
        """Start for the car that stands here, with its profile."""
        started = None if evse_id != 1 else self._station.remote_start(id_token, remote_start_id, charging_profile)
        return self._results.RequestStartTransaction(status=_accepted(started is not None), transaction_id=started)

    @on("RequestStopTransaction")
    def on_request_stop_transaction(self, transaction_id: str, **_more: Any) -> Any:
        """Stop if it is this station's."""
        return self._results.RequestStopTransaction(status=_accepted(transaction_id == self._station.transaction_id))

    @after("RequestStopTransaction")
    def after_request_stop_transaction(self, transaction_id: str, **_more: Any) -> None:
        """Stop once the answer is out."""
        if transaction_id == self._station.transaction_id:
            self._station.end("Remote")

    @on("GetTransactionStatus")
    def on_get_transaction_status(self, transaction_id: str | None = None, **_more: Any) -> Any:
        """Whether it runs, and whether messages about it wait."""
        running = None if transaction_id is None else transaction_id == self._station.transaction_id
        waiting = self._station.queue.waiting(transaction_id)
        return self._results.GetTransactionStatus(messages_in_queue=waiting, ongoing_indicator=running)

    # device model

    @on("GetVariables")
    def on_get_variables(self, get_variable_data: list[dict[str, Any]], **_more: Any) -> Any:
        """Values."""
        return self._results.GetVariables(get_variable_result=self._station.device.get(get_variable_data))

    @on("SetVariables")
    def on_set_variables(self, set_variable_data: list[dict[str, Any]], **_more: Any) -> Any:
        """Set them, each on its own."""
        results = self._station.device.set(set_variable_data)
        self._station.configured()
        return self._results.SetVariables(set_variable_result=results)

    @on("GetBaseReport")
    def on_get_base_report(self, report_base: str, **_more: Any) -> Any:
        """Full and configuration inventory are the same here; a summary is not made."""
        status = "NotSupported" if report_base == "SummaryInventory" else "Accepted"
        return self._results.GetBaseReport(status=status)

    @after("GetBaseReport")
    async def after_get_base_report(self, request_id: int, report_base: str, **_more: Any) -> None:
        """Report, in parts."""
        if report_base != "SummaryInventory":
            for part in reports2.device_reports(request_id, self._station.device.report(), self._station.timestamp()):
                await self.call(self._requests.NotifyReport(**part))

    # everything else

    @on("TriggerMessage")
    def on_trigger_message(self, requested_message: str, evse: dict[str, Any] | None = None, **_more: Any) -> Any:
        """Say whether it will be sent."""
        if evse is not None and evse["id"] not in (0, 1):
            return self._results.TriggerMessage(status="Rejected")
        if requested_message == "TransactionEvent" and self._station.transaction_id is None:
            return self._results.TriggerMessage(status="Rejected")
        return self._results.TriggerMessage(status="Accepted" if requested_message in _TRIGGERS else "NotImplemented")

    @after("TriggerMessage")
    async def after_trigger_message(
        self, requested_message: str, evse: dict[str, Any] | None = None, **_more: Any
    ) -> None:
        """Send it."""
        known = evse is None or evse["id"] in (0, 1)
        if requested_message == "TransactionEvent" and known and self._station.transaction_id is not None:
            self._station.transaction_event("Updated", "Trigger", context="Trigger")
        elif requested_message in _TRIGGERS and requested_message != "TransactionEvent" and known:
            await self.call(self._station.triggered(requested_message))

    @on("Reset")
    def on_reset(self, type: str, evse_id: int | None = None, **_more: Any) -> Any:  # noqa: A002 - the name on the wire
        """At once, or when the transaction has ended (OCPP 2.0.1 B11 and B12, standard-text)."""
        if evse_id not in (None, 0):
            return self._results.Reset(status="Rejected")
        waits = type == "OnIdle" and self._station.transaction_id is not None
        return self._results.Reset(status="Scheduled" if waits else "Accepted")

    @after("Reset")
    def after_reset(self, type: str, evse_id: int | None = None, **_more: Any) -> None:  # noqa: A002 - as on_reset
        """Start again once the answer is out."""
        if evse_id in (None, 0):
            self._station.reset_when(idle=type == "OnIdle")

    @on("ChangeAvailability")
    def on_change_availability(self, operational_status: str, evse: dict[str, Any] | None = None, **_more: Any) -> Any:
        """At once, or after the transaction."""
        if evse is not None and evse["id"] != 1:
            return self._results.ChangeAvailability(status="Rejected")
        status = self._station.change_availability(operational_status == "Operative")
        return self._results.ChangeAvailability(status=status)

    @on("UnlockConnector")
    def on_unlock_connector(self, evse_id: int, connector_id: int, **_more: Any) -> Any:
        """Unlock where nobody charges."""
        if (evse_id, connector_id) != (1, 1):
            return self._results.UnlockConnector(status="UnknownConnector")
        running = self._station.transaction_id is not None
        return self._results.UnlockConnector(status="OngoingAuthorizedTransaction" if running else "Unlocked")

    @on("DataTransfer")
    def on_data_transfer(self, **_details: Any) -> Any:
        """No vendor is known."""
        return self._results.DataTransfer(status="UnknownVendorId")

    @on("ClearCache")
    def on_clear_cache(self, **_details: Any) -> Any:
        """There is no cache, so it is clear."""
        return self._results.ClearCache(status="Accepted")

    @on("CostUpdated")
    def on_cost_updated(self, **_details: Any) -> Any:
        """Take note."""
        return self._results.CostUpdated()


class Handlers201(Handlers2, ChargePoint201):
    """OCPP 2.0.1."""


class Handlers21(Handlers2, ChargePoint21):
    """OCPP 2.1, with what it has beyond 2.0.1."""

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


def _accepted(good: bool) -> str:
    return "Accepted" if good else "Rejected"


def _info(answer: Answer) -> dict[str, str] | None:
    if not answer.reason_code:
        return None
    return {"reason_code": answer.reason_code[:20], "additional_info": answer.description[:512]}
