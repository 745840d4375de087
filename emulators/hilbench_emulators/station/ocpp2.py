"""An AC charging station with one outlet that speaks OCPP 2.0.1 or 2.1.

A transaction starts when the car is connected and the driver is authorised, in whichever order
(TxStartPoint ``PowerPathClosed``, OCPP 2.0.1 E01, standard-text), and ends when either is no longer so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from hilbench.ocppj import CallFailed
from hilbench_emulators.smart_charging import Purpose, Version
from hilbench_emulators.station.charging import OUTLET, Charging
from hilbench_emulators.station.device_model import DeviceModel
from hilbench_emulators.station.events2 import EventQueue
from hilbench_emulators.station.linked2 import Linked2
from hilbench_emulators.station.metering import Figure, meter_value2
from hilbench_emulators.station.pilot_guard import PILOT_FAULT
from hilbench_emulators.station.tokens import INVALID, Info, Reservation, info_of
from hilbench_emulators.station.transacting2 import token_of
from hilbench_emulators.station.uplink import LINK_LOST, Uplink
from hilbench_emulators.station.uplink2 import Uplink2

_SWITCHES = {
    "list": ("LocalAuthListCtrlr", "Enabled"),
    "cache": ("AuthCacheCtrlr", "Enabled"),
    "pre": ("AuthCtrlr", "LocalPreAuthorize"),
    "offline": ("AuthCtrlr", "LocalAuthorizeOffline"),
    "unknown": ("AuthCtrlr", "OfflineTxForUnknownIdEnabled"),
}


class AcStation2(Linked2):
    """OCPP 2.x."""

    version = "2.0.1"

    def new_uplink(self, url: str | Callable[[], str], rng: np.random.Generator) -> Uplink:
        """See :class:`AcStation`."""
        return Uplink2(self, url, rng)

    def reset_state(self, voltage_v: float) -> None:
        """See :class:`AcStation`."""
        self.charging = Charging(Version(self.version), self._branch, voltage_v, self.settings)
        self.device = DeviceModel(self.settings, self._branch, Version(self.version))
        self.device.live["SmartChargingCtrlr", "Entries"] = lambda: str(len(self.charging.store.profiles))
        self.device.live["EVSE", "AvailabilityState"] = self._connector_status
        self.device.live["EVSE", "Power"] = lambda: f"{self._outlet.reading().power_w:.0f}"
        self.queue = EventQueue(self.settings)
        self.reset_drivers()
        self.reset_jobs()
        self.reset_networks()
        self.reset_link()
        self._security = [{"type": "StartupOfTheDevice", "timestamp": self.timestamp()}]
        self.device.live["LocalAuthListCtrlr", "Entries"] = lambda: str(len(self.tokens.listed))
        self._transaction = None
        self._inoperative_next = self._reset_waits = False
        self._told = ""
        self._fault_told: str | None = None
        self._event_id = 0
        self.device.live["CPPWMController", "Problem"] = lambda: str(self._outlet.fault is not None).lower()
        self.queued = asyncio.Event()

    def saved(self) -> dict[str, Any]:
        """See :class:`AcStation`."""
        return super().saved() | {
            "profiles": self.charging.store.to_json(),
            "device": [[*key, value] for key, value in self.device.changed.items()],
            "queue": list(self.queue.entries),
            "operative": self._operative,
            "local_id": self._local_id,
        }

    def restore(self, data: dict[str, Any]) -> None:
        """See :class:`AcStation`."""
        super().restore(data)
        self.charging.store.from_json(data["profiles"])
        self.charging.store.clear(purpose=Purpose.TX)
        self.device.changed = {(component, name): value for component, name, value in data["device"]}
        self.queue.entries = list(data["queue"])
        self._operative, self._local_id = data["operative"], data["local_id"]

    @property
    def waiting(self) -> list[dict[str, Any]]:
        """See :class:`AcStation`."""
        return self.queue.entries

    # -- status

    @property
    def status(self) -> str:
        """See :class:`AcStation`; with a transaction its ChargingState says more."""
        return self._connector_status() if self._transaction is None or self._outlet.faulted else self.charging_state()

    def _connector_status(self) -> str:
        """ConnectorStatus of the outlet (OCPP 2.0.1 G01, standard-text)."""
        if self._outlet.faulted:
            return "Faulted"
        if not self._operative:
            return "Unavailable"
        if self._outlet.plugged:
            return "Occupied"
        return "Available" if self.reservation is None else "Reserved"

    def tell_status(self) -> None:
        """See :class:`AcStation`."""
        status = self._connector_status()
        if status != self._told:
            self._told = status
            if self.connected:
                self._uplink.say(self.status_message())
        if self._fault_told != self._outlet.fault and self.connected:
            self._uplink.say(self._fault_message())
        self.tell_mode()
        transaction = self._transaction
        if transaction is not None and transaction.state != self.charging_state():
            self.transaction_event("Updated", "ChargingStateChanged")

    def status_message(self) -> Any:
        """What the outlet shows now."""
        self._told = self._connector_status()
        return self._uplink.messages.StatusNotification(
            timestamp=self.timestamp(), connector_status=self._told, evse_id=1, connector_id=1
        )

    def _fault_message(self) -> Any:
        """That the pilot shows a fault of the car, or no longer (OCPP 2.0.1 N07 and appendix 3.2.21, standard-text)."""
        fault, self._fault_told = self._outlet.fault, self._outlet.fault
        self._event_id += 1
        told = {
            "event_id": self._event_id,
            "timestamp": self.timestamp(),
            "trigger": "Alerting",
            "actual_value": self.device.value("CPPWMController", "Problem"),
            "tech_code": PILOT_FAULT,
            "tech_info": f"pilot: {fault or 'no fault'}",
            "cleared": fault is None,
            "event_notification_type": "HardWiredNotification",
            "component": {"name": "CPPWMController", "evse": {"id": OUTLET}},
            "variable": {"name": "Problem"},
        }
        return self._uplink.messages.NotifyEvent(generated_at=self.timestamp(), seq_no=0, event_data=[told])

    # -- drivers

    async def ask(self, tag: str) -> Info | None:
        """See :class:`DriverStation`."""
        link = self._uplink.link
        try:
            answer = None if link is None else await link.call(self._uplink.messages.Authorize(id_token=token_of(tag)))
        except CallFailed as error:
            return None if error.code in LINK_LOST else INVALID
        if answer is None:
            return None
        self.authorised_transfers(getattr(answer, "allowed_energy_transfer", None))
        return info_of(answer.id_token_info)

    def switch(self, name: str) -> bool:
        """See :class:`DriverStation`."""
        return self.device.value(*_SWITCHES[name]) == "true"

    def reservation_over(self, reservation: Reservation) -> None:
        """See :class:`DriverStation` (OCPP 2.0.1 H04, standard-text)."""
        self._uplink.say(
            self._uplink.messages.ReservationStatusUpdate(
                reservation_id=reservation.id, reservation_update_status="Expired"
            )
        )

    # -- management

    def firmware_message(self) -> Any:
        """See :class:`ManagedStation`."""
        status, request_id = self.firmware_status
        return self._uplink.messages.FirmwareStatusNotification(status=status, request_id=request_id)

    def log_message(self) -> Any:
        """See :class:`ManagedStation`."""
        status, request_id = self.log_status
        return self._uplink.messages.LogStatusNotification(status=status, request_id=request_id)

    def security_event(self, kind: str) -> None:
        """Tell it, or keep it until the controller can be heard (OCPP 2.0.1 A04, standard-text)."""
        self._security.append({"type": kind, "timestamp": self.timestamp()})
        if self.connected:
            self._tell_security()

    def _tell_security(self) -> None:
        for told in self._security:
            self._uplink.say(self._uplink.messages.SecurityEventNotification(**told))
        self._security.clear()

    def came_online(self) -> None:
        """See :class:`AcStation`."""
        super().came_online()
        self._tell_security()
        self._tell_needs()

    def organisation(self) -> str:
        """See :class:`SecuredStation`."""
        return self.device.value("SecurityCtrlr", "OrganizationName")

    def sign_message(self, csr: str) -> Any:
        """See :class:`SecuredStation`."""
        return self._uplink.messages.SignCertificate(csr=csr, certificate_type="ChargingStationCertificate")

    def clock_set(self) -> None:
        """See :class:`AcStation`."""
        self.security_event("SettingSystemTime")

    def reset_when(self, *, idle: bool) -> None:
        """Restart now, or when the running transaction has ended."""
        if idle and self._transaction is not None:
            self._reset_waits = True
        else:
            self.reboot("ImmediateReset", "ScheduledReset" if idle else "RemoteReset")

    def tell_main_meter(self, read: Sequence[Figure]) -> None:
        """See :class:`AcStation`."""
        value = meter_value2(read, self.timestamp(), "Sample.Periodic", "Inlet")
        if self.connected and value["sampled_value"]:
            self._uplink.say(self._uplink.messages.MeterValues(evse_id=0, meter_value=[value]))

    # -- what the controller asks

    def triggered(self, message: str) -> Any:
        """The message that TriggerMessage asks for."""
        said = self._uplink.messages
        if message == "MeterValues":
            return said.MeterValues(evse_id=OUTLET, meter_value=self.asked_values())
        return {
            "Heartbeat": said.Heartbeat,
            "StatusNotification": self.status_message,
            "FirmwareStatusNotification": self.firmware_message,
            "LogStatusNotification": self.log_message,
            "SignChargingStationCertificate": self.certificate_request,
        }[message]()

    def configured(self) -> None:
        """A variable has been set."""
        self._uplink.pace(self.device.seconds("OCPPCommCtrlr", "HeartbeatInterval"))
        self.next_sample()
        self.next_aligned()
        self.save()
        if self.settings.iso15118:
            self.poke()

    def ping_interval_s(self) -> float:
        """See :class:`AcStation`."""
        return self.device.seconds("OCPPCommCtrlr", "WebSocketPingInterval")

    def heartbeat_told(self, interval_s: int) -> None:
        """See :class:`AcStation`."""
        self.device.changed["OCPPCommCtrlr", "HeartbeatInterval"] = str(interval_s)

    def boot_message(self, reason: str = "") -> Any:
        """See :class:`AcStation`."""
        settings = self.settings
        station = {
            "model": settings.model,
            "vendor_name": settings.vendor,
            "serial_number": self.identity[:25],
            "firmware_version": self.firmware,
        }
        return self._uplink.messages.BootNotification(charging_station=station, reason=reason or self.boot_reason)


class AcStation201(AcStation2):
    """OCPP 2.0.1."""


class AcStation21(AcStation2):
    """OCPP 2.1."""

    version = "2.1"
