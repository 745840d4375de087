"""The controller's end of an OCPP 1.6 connection."""

from __future__ import annotations

from typing import Any

from ocpp.v16.enums import Action

from hilbench.controller.abilities import KEYS16, Abilities, from_configuration
from hilbench.controller.conversation import Conversation
from hilbench.controller.csms import Csms
from hilbench.controller.installing import Profile, timestamp
from hilbench.ocppj import ChargePoint16, Connection, after, call, call_result, on


class Conversation16(Conversation):
    """What is said to a station that speaks OCPP 1.6."""

    def __init__(self, role: str, identity: str, connection: Connection, csms: Csms) -> None:
        super().__init__(role, csms)
        self.link = Session16(identity, connection, self)

    def profile_message(self, profile: Profile) -> Any:
        """See :class:`Conversation`."""
        raw = {
            "charging_profile_id": profile.id,
            "stack_level": profile.stack,
            **profile.purpose,
            "charging_profile_kind": profile.kind,
            "charging_schedule": profile.schedule,
        }
        return call.SetChargingProfile(connector_id=profile.outlet, cs_charging_profiles=raw)

    async def ask_for_reports(self) -> None:
        """See :class:`Conversation`."""
        sample_s = str(self.csms.settings.sample_s)
        await self.attempt(call.ChangeConfiguration(key="MeterValuesSampledData", value=self.measurands))
        await self.attempt(call.ChangeConfiguration(key="MeterValueSampleInterval", value=sample_s))
        await self.attempt(call.TriggerMessage(requested_message="StatusNotification", connector_id=1))
        await self.ask_for_reading()

    async def ask_for_reading(self) -> None:
        """See :class:`Conversation`."""
        await self.attempt(call.TriggerMessage(requested_message="MeterValues", connector_id=1))

    async def ask_for_heartbeat(self) -> None:
        """See :class:`Conversation`."""
        await self.attempt(call.TriggerMessage(requested_message="Heartbeat"))

    async def ask_to_stop(self, transaction: Any) -> Any:
        """See :class:`Conversation`."""
        return await self.attempt(call.RemoteStopTransaction(transaction_id=transaction))

    async def ask_composite(self, duration_s: int) -> Any:
        """See :class:`Conversation`."""
        answer = await self.attempt(call.GetCompositeSchedule(connector_id=1, duration=duration_s))
        return None if answer is None else answer.charging_schedule

    async def ask_abilities(self) -> Abilities | None:
        """See :class:`Conversation`."""
        answer = await self.attempt(call.GetConfiguration(key=list(KEYS16)))
        return None if answer is None else from_configuration(answer.configuration_key)


class Session16(ChargePoint16):
    """The controller's end of one station's connection."""

    def __init__(self, identity: str, connection: Connection, conversation: Conversation16) -> None:
        super().__init__(identity, connection, response_timeout_s=conversation.csms.settings.call_timeout_s)
        self._conversation = conversation
        self._csms = conversation.csms
        self._listener = conversation.listener
        self._role = conversation.role

    @on(Action.boot_notification)
    def on_boot(self, **_details: Any) -> Any:
        """Accept every known station."""
        return call_result.BootNotification(
            current_time=timestamp(), interval=self._csms.settings.heartbeat_s, status="Accepted"
        )

    @after(Action.boot_notification)
    def after_boot(self, **_details: Any) -> None:
        """A station that booted may have lost everything: install it again."""
        self.spawn(self._conversation.booted())

    @on(Action.heartbeat)
    def on_heartbeat(self) -> Any:
        """Tell the time."""
        return call_result.Heartbeat(current_time=timestamp())

    @on(Action.authorize)
    def on_authorize(self, **_details: Any) -> Any:
        """Everybody may charge."""
        return call_result.Authorize(id_tag_info={"status": "Accepted"})

    @on(Action.start_transaction)
    def on_start_transaction(self, **_details: Any) -> Any:
        """Number the transaction."""
        number = self._conversation.transaction = self._csms.next_transaction()
        return call_result.StartTransaction(transaction_id=number, id_tag_info={"status": "Accepted"})

    @after(Action.start_transaction)
    def after_start_transaction(self, **_details: Any) -> None:
        """Now that the station knows the number, a limit may name it."""
        self._conversation.begins()

    @on(Action.stop_transaction)
    def on_stop_transaction(self, **_details: Any) -> Any:
        """Take note."""
        self._conversation.transaction = None
        return call_result.StopTransaction()

    @on(Action.status_notification)
    def on_status_notification(self, connector_id: int, status: str, **_more: Any) -> Any:
        """Hand on the state of the connector; connector 0 is the station as a whole."""
        if connector_id > 0:
            self._listener.on_status(self._role, status)
        return call_result.StatusNotification()

    @on(Action.meter_values)
    def on_meter_values(
        self, meter_value: list[dict[str, Any]], connector_id: int, transaction_id: int | None = None, **_more: Any
    ) -> Any:
        """Hand on the newest values; connector 0 is the main meter, which may be the site's.

        A transaction from before a restart makes itself known by it.
        """
        self._conversation.transaction = transaction_id or self._conversation.transaction
        if connector_id > 0 or not self._conversation.read_main(meter_value):
            self._conversation.read(meter_value)
        return call_result.MeterValues()

    @on(Action.data_transfer)
    def on_data_transfer(self, **_details: Any) -> Any:
        """No vendor is known."""
        return call_result.DataTransfer(status="UnknownVendorId")

    @on(Action.firmware_status_notification)
    def on_firmware_status(self, **_details: Any) -> Any:
        """Take note."""
        return call_result.FirmwareStatusNotification()

    @on(Action.diagnostics_status_notification)
    def on_diagnostics_status(self, **_details: Any) -> Any:
        """Take note."""
        return call_result.DiagnosticsStatusNotification()
