"""What an OCPP 1.6 station answers when its controller calls."""

from __future__ import annotations

from typing import Any

from ocpp.v16.enums import Action

from hilbench.ocppj import ChargePoint16, after, call_result, on, refusal
from hilbench_emulators.station.charging import purpose_of
from hilbench_emulators.station.handlers16_local import LocalHandlers16
from hilbench_emulators.station.handlers16_manage import ManagementHandlers16
from hilbench_emulators.station.handlers16_security import SecurityHandlers16

_LONGEST_SCHEDULE_S = 31_622_400
"""No composite schedule is made for more than a year: recurring profiles would fill it for ever."""
_TRIGGERS = (
    *("BootNotification", "Heartbeat", "MeterValues", "StatusNotification"),
    *("FirmwareStatusNotification", "DiagnosticsStatusNotification"),
)


class Handlers16(LocalHandlers16, ManagementHandlers16, SecurityHandlers16, ChargePoint16):
    """The station's end of one connection."""

    @on(Action.set_charging_profile)
    def on_set_charging_profile(self, connector_id: int, cs_charging_profiles: dict[str, Any]) -> Any:
        """Install it, or say why not by status or error code."""
        _known_connector(connector_id)
        answer = self._station.install(connector_id, cs_charging_profiles)
        if answer.call_error:
            raise refusal(answer.call_error, answer.description)
        return call_result.SetChargingProfile(status=answer.status)

    @on(Action.clear_charging_profile)
    def on_clear_charging_profile(
        self,
        id: int | None = None,  # noqa: A002 - the name on the wire
        connector_id: int | None = None,
        charging_profile_purpose: str | None = None,
        stack_level: int | None = None,
    ) -> Any:
        """Remove what matches."""
        purpose = None if charging_profile_purpose is None else purpose_of(charging_profile_purpose)
        answer = self._station.charging.store.clear(id, connector_id, purpose, stack_level)
        self._station.poke()
        return call_result.ClearChargingProfile(status=answer.status)

    @on(Action.get_composite_schedule)
    def on_get_composite_schedule(self, connector_id: int, duration: int, charging_rate_unit: str | None = None) -> Any:
        """What the installed profiles add up to from now on; startSchedule is left out (errata 3.57)."""
        short = 0 < duration <= _LONGEST_SCHEDULE_S
        schedule = self._station.composite(connector_id, float(duration), charging_rate_unit) if short else None
        if schedule is None:
            return call_result.GetCompositeSchedule(status="Rejected")
        return call_result.GetCompositeSchedule(
            status="Accepted",
            connector_id=connector_id,
            schedule_start=self._station.timestamp(),
            charging_schedule=schedule,
        )

    @on(Action.remote_start_transaction)
    def on_remote_start_transaction(
        self, id_tag: str, connector_id: int = 1, charging_profile: dict[str, Any] | None = None
    ) -> Any:
        """Start for the car that stands here, or that is to come."""
        good = connector_id == 1 and self._station.remote_start(id_tag, charging_profile)
        return call_result.RemoteStartTransaction(status="Accepted" if good else "Rejected")

    @on(Action.remote_stop_transaction)
    def on_remote_stop_transaction(self, transaction_id: int) -> Any:
        """Stop if it is this station's."""
        return call_result.RemoteStopTransaction(status=_accepted(self._may_stop(transaction_id)))

    @after(Action.remote_stop_transaction)
    def after_remote_stop_transaction(self, transaction_id: int) -> None:
        """Stop once the answer is out."""
        if self._may_stop(transaction_id):
            self._station.end("Remote")

    def _may_stop(self, transaction_id: int) -> bool:
        return not self._station.held and transaction_id == self._station.transaction_id

    @on(Action.get_configuration)
    def on_get_configuration(self, key: list[str] | None = None) -> Any:
        """Values of keys."""
        known, unknown = self._station.configuration.listed(key)
        return call_result.GetConfiguration(configuration_key=known, unknown_key=unknown)

    @on(Action.change_configuration)
    def on_change_configuration(self, key: str, value: str) -> Any:
        """Set one key."""
        status = self._station.change_key(key, value)
        self._station.configured()
        return call_result.ChangeConfiguration(status=status)

    @after(Action.change_configuration)
    def after_change_configuration(self, key: str, value: str) -> None:  # noqa: ARG002
        """Connect anew where that is what the key is about."""
        self._station.key_changed(key)

    @on(Action.trigger_message)
    def on_trigger_message(self, requested_message: str, connector_id: int | None = None) -> Any:
        """Say whether it will be sent."""
        return call_result.TriggerMessage(status=self._trigger_status(requested_message, connector_id))

    def _trigger_status(self, wanted: str, connector: int | None) -> str:
        """OCPP 1.6 section 5.17 (standard-text); a MeterValues without any reading would not be valid."""
        if connector not in (None, 0, 1):
            return "Rejected"
        if wanted not in _TRIGGERS:
            return "NotImplemented"
        return _accepted(wanted != "MeterValues" or self._station.measures)

    @after(Action.trigger_message)
    async def after_trigger_message(self, requested_message: str, connector_id: int | None = None) -> None:
        """Send it."""
        if self._trigger_status(requested_message, connector_id) != "Accepted":
            return
        if requested_message == "BootNotification":
            await self._station.register(self)
        else:
            await self.say(self._station.triggered(requested_message))

    @on(Action.reset)
    def on_reset(self, type: str) -> Any:  # noqa: A002, ARG002 - the name on the wire
        """Always possible."""
        return call_result.Reset(status="Accepted")

    @after(Action.reset)
    def after_reset(self, type: str) -> None:  # noqa: A002 - the name on the wire
        """Start again once the answer is out."""
        self._station.reboot(f"{type}Reset")

    @on(Action.change_availability)
    def on_change_availability(
        self,
        connector_id: int,
        type: str,  # noqa: A002 - the name on the wire
    ) -> Any:
        """At once, or after the transaction."""
        _known_connector(connector_id)
        return call_result.ChangeAvailability(status=self._station.change_availability(type == "Operative"))

    @on(Action.unlock_connector)
    def on_unlock_connector(self, connector_id: int) -> Any:
        """End the transaction and unlock."""
        if connector_id != 1:
            return call_result.UnlockConnector(status="NotSupported")
        self._station.end("UnlockCommand")
        return call_result.UnlockConnector(status="Unlocked")


def _accepted(good: bool) -> str:
    return "Accepted" if good else "Rejected"


def _known_connector(connector: int) -> None:
    if connector not in (0, 1):
        raise refusal("PropertyConstraintViolation", f"there is no connector {connector}")
