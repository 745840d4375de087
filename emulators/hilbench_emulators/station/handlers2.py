"""What an OCPP 2.x station answers when its controller calls."""

from __future__ import annotations

from typing import Any

from hilbench.ocppj import ChargePoint21, ChargePoint201, after, on
from hilbench_emulators.station.handlers2_base import HandlersBase2, accepted, few
from hilbench_emulators.station.handlers2_local import LocalHandlers2
from hilbench_emulators.station.handlers2_manage import ManagementHandlers2
from hilbench_emulators.station.handlers2_security import SecurityHandlers2
from hilbench_emulators.station.handlers2_smart import SmartHandlers2, SmartHandlers21

_TRIGGERS = (
    *("BootNotification", "Heartbeat", "MeterValues", "StatusNotification", "TransactionEvent"),
    *("FirmwareStatusNotification", "LogStatusNotification", "SignChargingStationCertificate"),
)


class CoreHandlers2(HandlersBase2):
    """Transactions, variables, triggers, availability."""

    @on("RequestStartTransaction")
    def on_request_start_transaction(
        self,
        id_token: dict[str, Any],
        remote_start_id: int,
        evse_id: int = 1,
        charging_profile: dict[str, Any] | None = None,
        **_more: Any,
    ) -> Any:
        """Start with its profile, for the car that stands here or is to come."""
        good, running = False, None
        if evse_id == 1:
            good, running = self._station.remote_start(id_token, remote_start_id, charging_profile)
        return self._results.RequestStartTransaction(status=accepted(good), transaction_id=running)

    @on("RequestStopTransaction")
    def on_request_stop_transaction(self, transaction_id: str, **_more: Any) -> Any:
        """Stop if it is this station's."""
        return self._results.RequestStopTransaction(status=accepted(self._may_stop(transaction_id)))

    @after("RequestStopTransaction")
    def after_request_stop_transaction(self, transaction_id: str, **_more: Any) -> None:
        """Stop once the answer is out."""
        if self._may_stop(transaction_id):
            self._station.end("Remote")

    def _may_stop(self, transaction_id: str) -> bool:
        """Not while Pending (OCPP 2.0.1 B02.FR.05, standard-text)."""
        return not self._station.held and transaction_id == self._station.transaction_id

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
        return self._results.GetVariables(get_variable_result=self._station.device.get(few(get_variable_data)))

    @on("SetVariables")
    def on_set_variables(self, set_variable_data: list[dict[str, Any]], **_more: Any) -> Any:
        """Set them, each on its own."""
        results = self._station.device.set(few(set_variable_data))
        self._station.configured()
        return self._results.SetVariables(set_variable_result=results)

    @after("SetVariables")
    def after_set_variables(self, **_more: Any) -> None:
        """Connect with a new password (A01, standard-text)."""
        self._station.renew_credentials()

    # everything else

    @on("TriggerMessage")
    def on_trigger_message(self, requested_message: str, evse: dict[str, Any] | None = None, **_more: Any) -> Any:
        """Say whether it will be sent."""
        return self._results.TriggerMessage(status=self._trigger_status(requested_message, evse))

    def _trigger_status(self, wanted: str, evse: dict[str, Any] | None) -> str:
        """OCPP 2.0.1 F06, standard-text: a station that is accepted boots no more (FR.17)."""
        if wanted not in _TRIGGERS:
            return "NotImplemented"
        mute = wanted == "MeterValues" and not self._station.asked_values()
        elsewhere = evse is not None and (evse["id"] not in (0, 1) or evse.get("connector_id", 1) != 1)
        keyless = wanted == "SignChargingStationCertificate" and not self._station.can_sign
        idle = wanted == "TransactionEvent" and self._station.transaction_id is None
        booted = wanted == "BootNotification" and self._station.connected
        return accepted(not (idle or booted or keyless or mute or elsewhere))

    @after("TriggerMessage")
    async def after_trigger_message(
        self, requested_message: str, evse: dict[str, Any] | None = None, **_more: Any
    ) -> None:
        """Send it."""
        if self._trigger_status(requested_message, evse) != "Accepted":
            return
        if requested_message == "TransactionEvent":
            self._station.transaction_event("Updated", "Trigger", context="Trigger")
        elif requested_message == "BootNotification":
            await self._station.register(self)
        else:
            await self.say(self._station.triggered(requested_message))

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


class Handlers201(
    CoreHandlers2, LocalHandlers2, ManagementHandlers2, SecurityHandlers2, SmartHandlers2, ChargePoint201
):
    """OCPP 2.0.1."""


class Handlers21(CoreHandlers2, LocalHandlers2, ManagementHandlers2, SecurityHandlers2, SmartHandlers21, ChargePoint21):
    """OCPP 2.1, with what it has beyond 2.0.1."""
