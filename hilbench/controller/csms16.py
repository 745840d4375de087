"""The station port: an OCPP 1.6 central system that does what a load manager needs and survives what stations send.

Every output is a dead-man pair. The *fallback* (TxDefaultProfile, stack level 0, no end) is installed at every
connect; the *lease* (TxDefaultProfile, stack level 1) lasts ``lease_s`` and must be renewed. When controller or link
dies, the lease runs out and the station stands on its fallback. TxDefaultProfile is used for both because a TxProfile
leaves the start of a transaction without a limit (bmw-wallbox-ha#15).
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any, Protocol

from ocpp.v16.enums import Action

from hilbench import clock
from hilbench.controller.settings import ControllerSettings
from hilbench.errors import HilbenchError
from hilbench.ocppj import CallFailed, ChargePoint16, Connection, after, call, call_result, listen, on

LOGGER = logging.getLogger(__name__)
FALLBACK_ID, LEASE_ID = 1, 2
BEHIND_S = 5.0
"""A station whose clock is behind by less than this follows a limit at once: for one that begins "now" by the
controller's clock it would stand on its fallback until then. Stations set their clocks by Heartbeat, to the second."""
_MEASURANDS = "Current.Import,Power.Active.Import,Energy.Active.Import.Register"


class Listener(Protocol):
    """What the runtime wants to hear of stations."""

    def on_online(self, role: str) -> None:
        """The link of a station is up and its fallback is installed (or was refused)."""

    def on_offline(self, role: str) -> None:
        """The link of a station is gone."""

    def on_status(self, role: str, status: str) -> None:
        """State of the station's connector."""

    def on_report(self, role: str, currents: Mapping[str, float]) -> None:
        """Reported current per terminal [A]."""

    def on_confirmed(self, role: str, limit_a: float, lease_s: float) -> None:
        """A limit stands in the station."""


class StationSession(ChargePoint16):
    """The controller's end of one station's connection."""

    def __init__(self, role: str, identity: str, connection: Connection, csms: Csms) -> None:
        super().__init__(identity, connection, response_timeout_s=csms.settings.call_timeout_s)
        self.role = role
        self._csms = csms
        self._listener = csms.listener
        self._wake = asyncio.Event()
        self._wanted: float | None = None
        self._renew = False

    # what stations send

    @on(Action.boot_notification)
    def on_boot(self, **_details: Any) -> Any:
        """Accept every known station."""
        return call_result.BootNotification(
            current_time=_timestamp(), interval=self._csms.settings.heartbeat_s, status="Accepted"
        )

    @after(Action.boot_notification)
    def after_boot(self, **_details: Any) -> None:
        """A station that booted may have lost everything: install it again."""
        self.spawn(self.install())

    @on(Action.heartbeat)
    def on_heartbeat(self) -> Any:
        """Tell the time."""
        return call_result.Heartbeat(current_time=_timestamp())

    @on(Action.authorize)
    def on_authorize(self, **_details: Any) -> Any:
        """Everybody may charge."""
        return call_result.Authorize(id_tag_info={"status": "Accepted"})

    @on(Action.start_transaction)
    def on_start_transaction(self, **_details: Any) -> Any:
        """Number the transaction."""
        return call_result.StartTransaction(
            transaction_id=self._csms.next_transaction(), id_tag_info={"status": "Accepted"}
        )

    @on(Action.stop_transaction)
    def on_stop_transaction(self, **_details: Any) -> Any:
        """Take note."""
        return call_result.StopTransaction()

    @on(Action.status_notification)
    def on_status_notification(self, connector_id: int, status: str, **_more: Any) -> Any:
        """Hand on the state of the connector; connector 0 is the station as a whole."""
        if connector_id > 0:
            self._listener.on_status(self.role, status)
        return call_result.StatusNotification()

    @on(Action.meter_values)
    def on_meter_values(self, meter_value: list[dict[str, Any]], **_more: Any) -> Any:
        """Hand on the currents of the newest value."""
        currents = reported_currents(meter_value)
        if currents:
            self._listener.on_report(self.role, currents)
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

    # what stations are told

    async def install(self) -> None:
        """Fallback first, then ask for reports and for the state."""
        if self._csms.with_fallback:
            limit = self._csms.fallback_of(self.role)
            if await self._set(FALLBACK_ID, 0, limit, None):
                self._listener.on_confirmed(self.role, limit, math.inf)
        self._listener.on_online(self.role)
        settings = self._csms.settings
        await self._try(call.ChangeConfiguration(key="MeterValuesSampledData", value=_MEASURANDS))
        await self._try(call.ChangeConfiguration(key="MeterValueSampleInterval", value=str(settings.sample_s)))
        await self._try(call.TriggerMessage(requested_message="StatusNotification", connector_id=1))
        await self._try(call.TriggerMessage(requested_message="MeterValues", connector_id=1))
        if self._wanted is not None:
            self._wake.set()

    def want(self, limit_a: float, renew: bool = False) -> None:
        """Let the station have ``limit_a`` as soon as it can be told; a newer wish replaces an older one."""
        if limit_a != self._wanted or renew:
            self._wanted = limit_a
            self._wake.set()

    async def tell(self) -> None:
        """Send wishes as they come, one at a time, until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            limit = self._wanted
            if limit is None:
                continue
            lease = self._csms.settings.lease_s
            if await self._set(LEASE_ID, 1, limit, lease):
                self._listener.on_confirmed(self.role, limit, lease)
            elif self._wanted == limit:
                self._wanted = None  # so that the next decision asks for it again

    async def _set(self, profile_id: int, stack_level: int, limit_a: float, duration_s: float | None) -> bool:
        schedule: dict[str, Any] = {
            "charging_rate_unit": "A",
            "charging_schedule_period": [{"start_period": 0, "limit": round(limit_a, 1)}],
            "start_schedule": _timestamp(-BEHIND_S),
        }
        if duration_s is not None:
            schedule["duration"] = math.ceil(duration_s + BEHIND_S)
        profile = {
            "charging_profile_id": profile_id,
            "stack_level": stack_level,
            "charging_profile_purpose": "TxDefaultProfile",
            "charging_profile_kind": "Absolute",
            "charging_schedule": schedule,
        }
        answer = await self._try(call.SetChargingProfile(connector_id=0, cs_charging_profiles=profile))
        if answer is not None and answer.status != "Accepted":
            LOGGER.warning("station %s: profile with %.1f A was %s", self.role, limit_a, answer.status)
        return answer is not None and answer.status == "Accepted"

    async def _try(self, payload: Any) -> Any:
        try:
            return await self.call(payload)
        except CallFailed as error:
            LOGGER.warning("station %s: %s", self.role, error)
            return None


class Csms:
    """Listens for the stations of ``identities`` (role to identity) and carries limits to them."""

    def __init__(
        self,
        settings: ControllerSettings,
        identities: Mapping[str, str],
        fallback_of: Callable[[str], float],
        listener: Listener,
        *,
        with_fallback: bool = True,
    ) -> None:
        self.settings = settings
        self.fallback_of = fallback_of
        self.listener = listener
        self.with_fallback = with_fallback
        self._roles = {identity: role for role, identity in identities.items()}
        self._sessions: dict[str, StationSession] = {}
        self._transactions = 0

    def next_transaction(self) -> int:
        """A transaction id; unique for this run of the controller by its start in seconds."""
        self._transactions += 1
        return int(clock.now().timestamp()) % 1_000_000 * 1000 + self._transactions % 1000

    async def serve(self, host: str, port: int, stack: AsyncExitStack) -> None:
        """Listen until ``stack`` is closed."""
        ping = self.settings.ping_s
        await stack.enter_async_context(
            listen(host, port, self._accept, ping_interval_s=ping, ping_timeout_s=ping / 2.0)
        )

    async def _accept(self, connection: Any, identity: str) -> None:
        role = self._roles.get(identity)
        if role is None:
            LOGGER.warning("unknown station %r refused", identity)
            await connection.close(1008, "unknown station")
            return
        session = StationSession(role, identity, connection, self)
        self._sessions[role] = session
        session.spawn(session.install())
        session.spawn(session.tell())
        try:
            await session.start()
        except HilbenchError as error:
            LOGGER.warning("station %s: %s", role, error)
        finally:
            if self._sessions.get(role) is session:
                del self._sessions[role]
                self.listener.on_offline(role)

    def want(self, role: str, limit_a: float, renew: bool = False) -> None:
        """Let station ``role`` have ``limit_a``; nothing happens while it is not connected."""
        session = self._sessions.get(role)
        if session is not None:
            session.want(limit_a, renew)


def reported_currents(meter_value: list[dict[str, Any]]) -> dict[str, float]:
    """Current.Import per phase of the newest entry that has any; values that are no numbers are left out."""
    for entry in reversed(meter_value):
        found: dict[str, float] = {}
        for sample in entry.get("sampled_value", ()):
            if sample.get("measurand") != "Current.Import":
                continue
            try:
                amps = float(sample.get("value", "nan"))
            except (TypeError, ValueError):
                continue
            if math.isfinite(amps):
                found[str(sample.get("phase", "L1"))[:2]] = amps
        if found:
            return found
    return {}


def _timestamp(ahead_s: float = 0.0) -> str:
    moment = clock.now() + timedelta(seconds=ahead_s)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
