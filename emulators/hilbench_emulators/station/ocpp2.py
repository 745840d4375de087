"""An AC charging station with one outlet that speaks OCPP 2.0.1 or 2.1.

A transaction starts when the car is connected and the driver is authorised, in whichever order
(TxStartPoint ``Authorized,EVConnected``, OCPP 2.0.1 E01, standard-text), and ends when the car leaves.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from hilbench import clock
from hilbench.ocppj import CallFailed
from hilbench_emulators.smart_charging import Answer, Purpose, Report, Version, write
from hilbench_emulators.station import metering2
from hilbench_emulators.station.base import AcStation
from hilbench_emulators.station.charging import OUTLET, Charging, purpose_of
from hilbench_emulators.station.device_model import DeviceModel
from hilbench_emulators.station.events2 import EventQueue, Transaction2
from hilbench_emulators.station.recast import recast2
from hilbench_emulators.station.uplink import LINK_LOST, Uplink
from hilbench_emulators.station.uplink2 import Uplink2

_STOPPED = {"EVDisconnected": "EVCommunicationLost", "Remote": "RemoteStop", "DeAuthorized": "Deauthorized"}
"""Trigger of the last TransactionEvent for a reason; all others are AbnormalCondition or said by name."""


class AcStation2(AcStation):
    """OCPP 2.x. ``transaction_id`` is the station's own id or None; ``queue`` what the controller still has to hear."""

    _uplink: Uplink2
    version = "2.0.1"

    def new_uplink(self, url: str | Callable[[], str], rng: np.random.Generator) -> Uplink:
        """See :class:`AcStation`."""
        return Uplink2(self, url, rng)

    def reset_state(self, voltage_v: float) -> None:
        """See :class:`AcStation`."""
        self.charging = Charging(Version(self.version), self._branch, voltage_v, self.settings)
        self.device = DeviceModel(self.settings, self._branch)
        self.device.live["SmartChargingCtrlr", "Entries"] = lambda: str(len(self.charging.store.profiles))
        self.device.live["EVSE", "AvailabilityState"] = self._connector_status
        self.device.live["EVSE", "Power"] = lambda: f"{self._outlet.reading().power_w:.0f}"
        self.queue = EventQueue(self.settings)
        self._transaction: Transaction2 | None = None
        self._inoperative_next = self._reset_waits = False
        self._told = ""
        self.queued = asyncio.Event()

    def saved(self) -> dict[str, Any]:
        """See :class:`AcStation`."""
        return {
            "profiles": self.charging.store.to_json(),
            "device": [[*key, value] for key, value in self.device.changed.items()],
            "queue": list(self.queue.entries),
            "operative": self._operative,
            "local_id": self._local_id,
        }

    def restore(self, data: dict[str, Any]) -> None:
        """See :class:`AcStation`."""
        self.charging.store.from_json(data["profiles"])
        self.charging.store.clear(purpose=Purpose.TX)
        self.device.changed = {(component, name): value for component, name, value in data["device"]}
        self.queue.entries = list(data["queue"])
        self._operative, self._local_id = data["operative"], data["local_id"]

    @property
    def transaction_id(self) -> str | None:
        """Id of the running transaction."""
        return None if self._transaction is None else self._transaction.id

    @property
    def charging_allowed(self) -> bool:
        """See :class:`AcStation`."""
        return self._transaction is not None and self._operative

    # -- status

    def _connector_status(self) -> str:
        """ConnectorStatus of the outlet (OCPP 2.0.1 G01, standard-text)."""
        if self._outlet.tripped:
            return "Faulted"
        if not self._operative:
            return "Unavailable"
        return "Occupied" if self._outlet.plugged else "Available"

    def charging_state(self) -> str:
        """ChargingState of the transaction (OCPP 2.0.1 E02, standard-text)."""
        if not self._outlet.plugged:
            return "Idle"
        if self._outlet.offered_a <= 0:
            return "SuspendedEVSE"
        return "Charging" if self._outlet.charging else "SuspendedEV"

    def tell_status(self) -> None:
        """See :class:`AcStation`."""
        status = self._connector_status()
        if status != self._told:
            self._told = status
            if self.connected:
                self._uplink.say(self.status_message())
        transaction = self._transaction
        if transaction is not None and transaction.state != self.charging_state():
            self.transaction_event("Updated", "ChargingStateChanged")

    def status_message(self) -> Any:
        """What the outlet shows now."""
        self._told = self._connector_status()
        return self._uplink.messages.StatusNotification(
            timestamp=self.timestamp(), connector_status=self._told, evse_id=1, connector_id=1
        )

    # -- transactions

    def present_tag(self) -> None:
        """See :class:`AcStation`."""
        tag = self.settings.id_tag or f"TAG-{self.role}"[:36]
        self._spawn(self._authorise(tag))

    async def _authorise(self, tag: str) -> None:
        """Ask the controller; alone, charge anyway (OfflineTxForUnknownIdEnabled)."""
        token = {"id_token": tag, "type": "ISO14443"}
        if self.connected and self._uplink.link is not None:
            try:
                answer = await self._uplink.link.call(self._uplink.messages.Authorize(id_token=token))
            except CallFailed as error:
                if error.code not in LINK_LOST:
                    return
            else:
                if answer.id_token_info["status"] != "Accepted":
                    return
        self.begin(token, "Authorized")

    def begin(self, token: dict[str, Any], trigger: str, remote_start_id: int | None = None) -> str | None:
        """Start a transaction for the car that stands here; returns its id, or None where nothing can start."""
        if self._transaction is not None or not self._outlet.plugged or not self._operative:
            return None
        self._local_id += 1
        transaction_id = f"{self.identity}-{int(self._utc())}-{self._local_id}"[:36]
        meter = round(self._outlet.reading().energy_wh)
        self._transaction = Transaction2(transaction_id, token, self._utc(), meter, remote_start_id)
        self.charging.store.begin_transaction(OUTLET, transaction_id, self._transaction.since)
        self.charging.store.power_path(OUTLET, self._transaction.since)
        self.transaction_event("Started", trigger, context="Transaction.Begin")
        self.event("session.start", id_tag=token["id_token"])
        self._next_sample()
        self._refresh()
        return transaction_id

    def end(self, reason: str) -> None:
        """See :class:`AcStation`; ``reason`` as OCPP 1.6 or 2.x call it."""
        transaction = self._transaction
        if transaction is None:
            return
        transaction.reason = {"HardReset": "ImmediateReset", "SoftReset": "ImmediateReset"}.get(reason, reason)
        if transaction.reason == "UnlockCommand":
            transaction.reason = "Other"
        self.transaction_event("Ended", _STOPPED.get(reason, "AbnormalCondition"), context="Transaction.End")
        used = round(self._outlet.reading().energy_wh) - transaction.meter_start_wh
        self._transaction = None
        self.charging.store.end_transaction(OUTLET)
        self._at("sample", math.inf, self._sample)
        self.event("session.stop", reason=reason, energy_wh=used)
        self._operative = self._operative and not self._inoperative_next
        self._refresh()
        if self._reset_waits:
            self._reset_waits = False
            self.reboot("Reset")

    def transaction_event(self, kind: str, trigger: str, *, context: str = "") -> None:
        """Queue a TransactionEvent, with meter values when ``context`` says which."""
        transaction = self._transaction
        assert transaction is not None
        transaction.state = self.charging_state()
        entry = transaction.event(kind, trigger, self.timestamp(), offline=not self.connected)
        if context:
            entry["meter_value"] = [self.meter_value(context)]
        self.queue.put(entry)
        if kind != "Updated":
            self.save()
        self.queued.set()

    def change_availability(self, operative: bool) -> str:
        """Answer to ChangeAvailability."""
        if not operative and self._transaction is not None:
            self._inoperative_next = True
            return "Scheduled"
        self._operative, self._inoperative_next = operative, False
        self.save()
        self.poke()
        return "Accepted"

    def remote_start(self, token: dict[str, Any], remote_start_id: int, raw: dict[str, Any] | None) -> str | None:
        """Begin a transaction with its profile, if there is a car and nothing forbids it; returns its id."""
        if raw is not None and not self.charging.would_install(OUTLET, raw, self._utc()):
            return None
        started = self.begin(token, "RemoteStart", remote_start_id)
        if started is not None and raw is not None:
            self.install(OUTLET, raw)
        return started

    def reset_when(self, *, idle: bool) -> None:
        """Restart now, or when the running transaction has ended."""
        if idle and self._transaction is not None:
            self._reset_waits = True
        else:
            self.reboot("Reset")

    # -- what the controller asks

    def install(self, evse: int, raw: dict[str, Any]) -> Answer:
        """Install a charging profile, or say why not."""
        answer, profile = self.charging.install(evse, raw, self._utc())
        if profile is not None:
            self.installed(profile)
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

    def triggered(self, message: str) -> Any:
        """The message that TriggerMessage asks for."""
        said = self._uplink.messages
        if message == "MeterValues":
            return said.MeterValues(evse_id=OUTLET, meter_value=[self.meter_value("Trigger")])
        if message == "BootNotification":
            return self.boot_message("Triggered")
        return said.Heartbeat() if message == "Heartbeat" else self.status_message()

    # -- meter

    def _next_sample(self) -> None:
        interval = self.settings.sample_every(self.device.seconds("SampledDataCtrlr", "TxUpdatedInterval"))
        if self._transaction is not None:
            self._at("sample", clock.time() + interval if interval else math.inf, self._sample)

    def _sample(self) -> None:
        self.transaction_event("Updated", "MeterValuePeriodic", context="Sample.Periodic")
        self._next_sample()

    def meter_value(self, context: str) -> dict[str, Any]:
        """A reading of all measurands that the controller wants."""
        names = self.device.value("SampledDataCtrlr", "TxUpdatedMeasurands").split(",")
        measurands = [name.strip() for name in names]
        reading = self._outlet.reading()
        value = metering2.meter_value(self._branch, reading, self.offered_a, measurands, self.timestamp(), context)
        return recast2(self.settings.personality.reporting, value)

    def configured(self) -> None:
        """A variable has been set."""
        heartbeat = self.device.seconds("OCPPCommCtrlr", "HeartbeatInterval")
        self._uplink.heartbeat_s = heartbeat or self._uplink.heartbeat_s
        self._next_sample()
        self.save()

    def boot_message(self, reason: str) -> Any:
        """What it says of itself."""
        settings = self.settings
        station = {
            "model": settings.model,
            "vendor_name": settings.vendor,
            "serial_number": self.identity[:25],
            "firmware_version": settings.firmware,
        }
        return self._uplink.messages.BootNotification(charging_station=station, reason=reason)


class AcStation201(AcStation2):
    """OCPP 2.0.1."""


class AcStation21(AcStation2):
    """OCPP 2.1."""

    version = "2.1"
