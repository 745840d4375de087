"""The controller's end of an OCPP 2.0.1 or 2.1 connection."""

from __future__ import annotations

from collections.abc import Callable
from types import MethodType
from typing import Any

from hilbench.controller.abilities import Abilities, from_variables, variables_wanted
from hilbench.controller.conversation import Conversation
from hilbench.controller.csms import Csms
from hilbench.controller.installing import Profile, timestamp
from hilbench.ocppj import ChargePoint21, ChargePoint201, Connection, after, messages, on

TRANSFERS = ("AC_single_phase", "AC_three_phase", "AC_BPT")
"""Energy transfers of AC, in both directions (OCPP 2.1 EnergyTransferModeEnumType, standard-text)."""
DC_TRANSFERS = ("DC", "DC_BPT")
"""And those of DC (likewise)."""
_EVSE = {"id": 1, "connector_id": 1}
_NOTES = (
    "NotifyReport", "NotifyEvent", "NotifyMonitoringReport", "FirmwareStatusNotification", "LogStatusNotification",
    "SecurityEventNotification", "ReportChargingProfiles", "NotifyChargingLimit", "ClearedChargingLimit",
    "NotifyCustomerInformation", "NotifyDisplayMessages", "ReservationStatusUpdate", "NotifyPriorityCharging",
)  # fmt: skip
"""Requests whose answer is empty, and of which a load manager takes no note."""


class Conversation2(Conversation):
    """What is said to a station that speaks OCPP 2.x."""

    def __init__(self, role: str, identity: str, connection: Connection, csms: Csms) -> None:
        super().__init__(role, csms)
        kind = Session201 if connection.subprotocol == messages("2.0.1").subprotocol else Session21
        self._call: Any = messages(kind.version).call
        self.link = kind(identity, connection, self)

    def profile_message(self, profile: Profile) -> Any:
        """See :class:`Conversation`."""
        raw = {
            "id": profile.id,
            "stack_level": profile.stack,
            **profile.purpose,
            "charging_profile_kind": profile.kind,
            "charging_schedule": [{"id": profile.id, **profile.schedule}],
        }
        return self._call.SetChargingProfile(evse_id=profile.outlet, charging_profile=raw)

    async def ask_for_reports(self) -> None:
        """See :class:`Conversation`."""
        values = {"TxUpdatedMeasurands": self.measurands, "TxUpdatedInterval": str(self.csms.settings.sample_s)}
        wanted = [
            {"attribute_value": value, "component": {"name": "SampledDataCtrlr"}, "variable": {"name": name}}
            for name, value in values.items()
        ]
        await self.attempt(self._call.SetVariables(set_variable_data=wanted))
        await self.attempt(self._call.TriggerMessage(requested_message="StatusNotification", evse=_EVSE))
        await self.ask_for_reading()

    async def ask_for_reading(self) -> None:
        """See :class:`Conversation`."""
        await self.attempt(self._call.TriggerMessage(requested_message="TransactionEvent", evse={"id": 1}))

    async def ask_for_heartbeat(self) -> None:
        """See :class:`Conversation`."""
        await self.attempt(self._call.TriggerMessage(requested_message="Heartbeat"))

    async def ask_to_stop(self, transaction: Any) -> Any:
        """See :class:`Conversation`."""
        return await self.attempt(self._call.RequestStopTransaction(transaction_id=transaction))

    async def ask_composite(self, duration_s: int) -> Any:
        """See :class:`Conversation`."""
        answer = await self.attempt(self._call.GetCompositeSchedule(evse_id=1, duration=duration_s))
        return None if answer is None else answer.schedule

    async def ask_abilities(self) -> Abilities | None:
        """See :class:`Conversation`."""
        answer = await self.attempt(self._call.GetVariables(get_variable_data=variables_wanted()))
        return None if answer is None else from_variables(answer.get_variable_result)


class Session2:
    """What stations send, mixed into the protocol class of a version."""

    version: str
    route_map: dict[str, Any]
    spawn: Any
    _charging = ""

    def __init__(self, identity: str, connection: Connection, conversation: Conversation2) -> None:
        timeout_s = conversation.csms.settings.call_timeout_s
        super().__init__(identity, connection, response_timeout_s=timeout_s)  # type: ignore[call-arg]  # a mixin
        self._conversation = conversation
        self._results: Any = messages(self.version).call_result
        known = (action for action in _NOTES if hasattr(self._results, action))
        self.route_map |= {action: {"_on_action": MethodType(_noted(action), self)} for action in known}

    @on("BootNotification")
    def on_boot(self, **_details: Any) -> Any:
        """Accept every known station."""
        interval = self._conversation.csms.settings.heartbeat_s
        return self._results.BootNotification(current_time=timestamp(), interval=interval, status="Accepted")

    @after("BootNotification")
    def after_boot(self, **_details: Any) -> None:
        """A station that booted may have lost everything: install it again."""
        self.spawn(self._conversation.booted())

    @on("Heartbeat")
    def on_heartbeat(self, **_details: Any) -> Any:
        """Tell the time."""
        return self._results.Heartbeat(current_time=timestamp())

    @on("Authorize")
    def on_authorize(self, **_details: Any) -> Any:
        """Everybody may charge, and with V2G discharge."""
        both = self.version == "2.1" and self._conversation.csms.settings.policy == "v2g"
        known = DC_TRANSFERS if self._conversation.dc else TRANSFERS
        more = {"allowed_energy_transfer": list(known)} if both else {}
        return self._results.Authorize(id_token_info={"status": "Accepted"}, **more)

    @on("StatusNotification")
    def on_status_notification(self, connector_status: str, evse_id: int, **_more: Any) -> Any:
        """Hand on the state of the connector; what a car does in it is said by TransactionEvent."""
        if connector_status == "Occupied":
            self._say(self._charging or "Preparing")
        elif evse_id > 0:
            self._charging = ""
            self._say(connector_status)
        return self._results.StatusNotification()

    @on("TransactionEvent")
    def on_transaction_event(
        self,
        event_type: str,
        transaction_info: dict[str, Any],
        id_token: dict[str, Any] | None = None,
        meter_value: list[dict[str, Any]] | None = None,
        **_more: Any,
    ) -> Any:
        """Hand on charging state and currents; an ended transaction leaves a car that wants nothing."""
        state = str(transaction_info.get("charging_state", "") or "")
        self._conversation.transaction = None if event_type == "Ended" else transaction_info["transaction_id"]
        if event_type == "Started":
            self._conversation.begins()
        if event_type == "Ended":
            self._charging = "Finishing"
        elif state:
            self._charging = "Preparing" if state in ("EVConnected", "Idle") else state
        self._say(self._charging)
        self._conversation.read(meter_value or [])
        accepted = {"status": "Accepted"} if id_token else None
        return self._results.TransactionEvent(id_token_info=accepted)

    def _say(self, status: str) -> None:
        self._conversation.listener.on_status(self._conversation.role, status)

    @on("MeterValues")
    def on_meter_values(self, meter_value: list[dict[str, Any]], evse_id: int, **_more: Any) -> Any:
        """Hand on the currents of the newest value; those of evse 0 are the main meter's, which may be the site's."""
        if evse_id > 0:
            self._conversation.read(meter_value)
        else:
            self._conversation.read_main(meter_value)
        return self._results.MeterValues()

    @on("DataTransfer")
    def on_data_transfer(self, **_details: Any) -> Any:
        """No vendor is known."""
        return self._results.DataTransfer(status="UnknownVendorId")

    @on("NotifyEVChargingNeeds")
    def on_needs(self, charging_needs: dict[str, Any], **_more: Any) -> Any:
        """Hand on what the car needs; without a plan no schedule is made for one car alone."""
        planned = self._conversation.listener.on_needs(self._conversation.role, charging_needs)
        return self._results.NotifyEVChargingNeeds(status="Accepted" if planned else "Rejected")

    @on("NotifyEVChargingSchedule")
    def on_schedule(self, **_details: Any) -> Any:
        """A car may do less than it is offered."""
        return self._results.NotifyEVChargingSchedule(status="Accepted")


def _noted(action: str) -> Callable[..., Any]:
    """A handler that answers ``action`` with nothing."""

    def handler(self: Session2, **_details: Any) -> Any:
        return getattr(self._results, action)()

    return handler


class Session201(Session2, ChargePoint201):
    """OCPP 2.0.1."""


class Session21(Session2, ChargePoint21):
    """OCPP 2.1."""
