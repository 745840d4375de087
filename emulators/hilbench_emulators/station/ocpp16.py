"""An AC charging station with one outlet that speaks OCPP 1.6: boots, follows profiles, keeps them when alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from hilbench.ocppj import CallFailed, call
from hilbench_emulators.smart_charging import Purpose, Version
from hilbench_emulators.station.charging import Charging
from hilbench_emulators.station.configuration import Configuration
from hilbench_emulators.station.metering import Figure, meter_value16
from hilbench_emulators.station.pilot_guard import PILOT_FAULT
from hilbench_emulators.station.tokens import INVALID, Info, Reservation, info_of
from hilbench_emulators.station.transacting16 import Transacting16
from hilbench_emulators.station.transactions import Queue
from hilbench_emulators.station.uplink import LINK_LOST, Uplink
from hilbench_emulators.station.uplink16 import Uplink16

_SWITCHES = {
    "list": "LocalAuthListEnabled",
    "cache": "AuthorizationCacheEnabled",
    "pre": "LocalPreAuthorize",
    "offline": "LocalAuthorizeOffline",
    "unknown": "AllowOfflineTxForUnknownId",
}
_PILOT_FAULT = {"vendor_id": "https://chargex.inl.gov", "vendor_error_code": PILOT_FAULT}
"""How EVerest names one in OCPP 1.6 (``MREC14PilotFault`` in its ``error_mapping.hpp``, read-code)."""


class AcStation16(Transacting16):
    """OCPP 1.6J."""

    tells_cancelled = False
    _uplink: Uplink16

    def new_uplink(self, url: str | Callable[[], str], rng: np.random.Generator) -> Uplink:
        """See :class:`AcStation`."""
        return Uplink16(self, url, rng)

    def reset_state(self, voltage_v: float) -> None:
        """See :class:`AcStation`."""
        self.charging = Charging(Version.V16, self._branch, voltage_v, self.settings)
        self.configuration = Configuration(self.settings)
        self.queue = Queue(self.settings)
        self.reset_drivers()
        self.reset_jobs()
        self.former_profile = None
        self._transaction = None
        self._inoperative_next = False
        self._told: tuple[str, str] | None = None
        self.queued = asyncio.Event()

    def saved(self) -> dict[str, Any]:
        """See :class:`AcStation`."""
        return super().saved() | {
            "profiles": self.charging.store.to_json(),
            "configuration": dict(self.configuration.changed),
            "queue": self.queue.to_json(),
            "operative": self._operative,
            "local_id": self._local_id,
        }

    def restore(self, data: dict[str, Any]) -> None:
        """See :class:`AcStation`."""
        super().restore(data)
        self.charging.store.from_json(data["profiles"])
        self.charging.store.clear(purpose=Purpose.TX)
        self.configuration.changed = dict(data["configuration"])
        self.queue.from_json(data["queue"])
        self._operative = data["operative"]
        self._local_id = data["local_id"]

    @property
    def waiting(self) -> list[dict[str, Any]]:
        """See :class:`AcStation`."""
        return self.queue.entries

    @property
    def status(self) -> str:
        """See :class:`AcStation`."""
        return self._status()[0]

    def _status(self) -> tuple[str, str]:
        """ChargePointStatus and error code of the outlet (OCPP 1.6 section 4.9, standard-text)."""
        outlet = self._outlet
        if outlet.tripped:
            return "Faulted", "OverCurrentFailure"
        if outlet.fault is not None:
            return "Faulted", "OtherError"
        if not self._operative:
            return "Unavailable", "NoError"
        if not outlet.plugged and self.expected is not None:
            return "Preparing", "NoError"
        if not outlet.plugged:
            return "Available" if self.reservation is None else "Reserved", "NoError"
        if self._transaction is None:
            return "Finishing" if self._told and self._told[0] not in (
                "Available",
                "Reserved",
                "Preparing",
            ) else "Preparing", "NoError"
        if outlet.offered_a <= 0:
            return "SuspendedEVSE", "NoError"
        return "Charging" if outlet.charging else "SuspendedEV", "NoError"

    def tell_status(self) -> None:
        """See :class:`AcStation`."""
        status = self._status()
        if status == self._told:
            return
        self._told = status
        if self.connected and self._uplink.link is not None:
            self._uplink.link.spawn(self._uplink.link.call(self.status_message()))

    def status_message(self) -> Any:
        """What the outlet shows now."""
        status, error = self._told = self._status()
        more = {} if error != "OtherError" else {"info": f"pilot: {self._outlet.fault}", **_PILOT_FAULT}
        return call.StatusNotification(
            connector_id=1, error_code=error, status=status, timestamp=self.timestamp(), **more
        )

    # -- drivers

    async def ask(self, tag: str) -> Info | None:
        """See :class:`DriverStation`."""
        link = self._uplink.link
        try:
            answer = None if link is None else await link.call(call.Authorize(id_tag=tag))
        except CallFailed as error:
            return None if error.code in LINK_LOST else INVALID
        return None if answer is None else info_of(answer.id_tag_info)

    def switch(self, name: str) -> bool:
        """See :class:`DriverStation`."""
        return self.configuration.on(_SWITCHES[name])

    def reservation_over(self, reservation: Reservation) -> None:
        """The status says it (OCPP 1.6 section 5.13, standard-text)."""

    # -- management

    def firmware_message(self) -> Any:
        """See :class:`ManagedStation`; signed firmware has a message of its own."""
        status, request_id = self.firmware_status
        if request_id is None:
            return call.FirmwareStatusNotification(status=status)
        return call.SignedFirmwareStatusNotification(status=status, request_id=request_id)

    def log_message(self) -> Any:
        """See :class:`ManagedStation`; logs that GetLog asks for have a message of their own."""
        status, request_id = self.log_status
        if request_id is None:
            return call.DiagnosticsStatusNotification(status=status)
        return call.LogStatusNotification(status=status, request_id=request_id)

    def security_event(self, kind: str) -> None:
        """Tell it, where the station has a security profile: without one it does not speak of security (chosen)."""
        if self.security_profile and self.connected:
            self._uplink.say(call.SecurityEventNotification(type=kind, timestamp=self.timestamp(), tech_info=None))

    def tell_main_meter(self, read: Sequence[Figure]) -> None:
        """See :class:`AcStation`."""
        if self.connected:
            value = meter_value16(read, self.timestamp(), "Sample.Periodic", "Inlet")
            self._uplink.say(call.MeterValues(connector_id=0, meter_value=[value]))

    # -- what the controller asks

    def composite(self, connector: int, duration_s: float, unit: str | None) -> dict[str, Any] | None:
        """Schedule from now on, the nameplate where no profile limits; None where there is none."""
        return self.charging.schedule(connector, self._utc(), duration_s, unit)

    def configured(self) -> None:
        """A key has changed; an interval of 0 leaves the heartbeat as it is."""
        self._uplink.pace(self.configuration.seconds("HeartbeatInterval"))
        self.next_sample()
        self.next_aligned()
        self.save()

    def triggered(self, message: str) -> Any:
        """The message that TriggerMessage asks for."""
        if message == "MeterValues":
            values = self.meter_value("MeterValuesSampledData", "Trigger")
            return call.MeterValues(connector_id=1, meter_value=[values], transaction_id=self.transaction_id)
        return {
            "Heartbeat": call.Heartbeat,
            "StatusNotification": self.status_message,
            "FirmwareStatusNotification": lambda: call.FirmwareStatusNotification(
                status=self.firmware_status[0] if self.firmware_status[1] is None else "Idle"
            ),
            "DiagnosticsStatusNotification": lambda: call.DiagnosticsStatusNotification(
                status=self.log_status[0] if self.log_status[1] is None else "Idle"
            ),
        }[message]()

    def triggered_by_extension(self, message: str) -> Any:
        """The message that ExtendedTriggerMessage asks for."""
        if message == "FirmwareStatusNotification":
            return call.SignedFirmwareStatusNotification(**_of_request(self.firmware_status, "Installed"))
        if message == "LogStatusNotification":
            return call.LogStatusNotification(**_of_request(self.log_status, "Uploaded"))
        return self.certificate_request() if message == "SignChargePointCertificate" else self.triggered(message)

    def ping_interval_s(self) -> float:
        """See :class:`AcStation`."""
        return self.configuration.seconds("WebSocketPingInterval")

    def heartbeat_told(self, interval_s: int) -> None:
        """See :class:`AcStation`."""
        self.configuration.changed["HeartbeatInterval"] = str(interval_s)

    def boot_message(self, reason: str = "") -> Any:  # noqa: ARG002 - 1.6 has no word for it
        """See :class:`AcStation`."""
        settings = self.settings
        return call.BootNotification(
            charge_point_vendor=settings.vendor,
            charge_point_model=settings.model,
            charge_point_serial_number=self.identity[:25],
            firmware_version=self.firmware,
        )


def _of_request(told: tuple[str, int | None], last: str) -> dict[str, Any]:
    """A status with the number of its request; Idle without one, or where ``last`` has been reached."""
    status, request_id = told
    if request_id is None or status == last:
        return {"status": "Idle", "request_id": None}
    return {"status": status, "request_id": request_id}
