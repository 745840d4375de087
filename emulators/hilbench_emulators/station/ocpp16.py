"""An AC charging station with one outlet that speaks OCPP 1.6: boots, follows profiles, keeps them when alone."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from hilbench import clock
from hilbench.ocppj import CallFailed, call
from hilbench_emulators.smart_charging import Answer, Purpose, Version
from hilbench_emulators.station import metering16
from hilbench_emulators.station.base import AcStation
from hilbench_emulators.station.charging import OUTLET, Charging
from hilbench_emulators.station.configuration import Configuration
from hilbench_emulators.station.recast import recast16
from hilbench_emulators.station.transactions import Queue, Transaction
from hilbench_emulators.station.uplink import LINK_LOST, Uplink
from hilbench_emulators.station.uplink16 import Uplink16

UNNAMED = -1
"""Id of a transaction to which the controller has given none yet; no profile can name it."""


class AcStation16(AcStation):
    """OCPP 1.6J. ``transaction_id`` is the controller's id or None; ``queue`` what it still has to hear."""

    _uplink: Uplink16

    def new_uplink(self, url: str | Callable[[], str], rng: np.random.Generator) -> Uplink:
        """See :class:`AcStation`."""
        return Uplink16(self, url, rng)

    def reset_state(self, voltage_v: float) -> None:
        """See :class:`AcStation`."""
        self.charging = Charging(Version.V16, self._branch, voltage_v, self.settings)
        self.configuration = Configuration(self.settings)
        self.queue = Queue(self.settings)
        self._transaction: Transaction | None = None
        self._inoperative_next = False
        self._told: tuple[str, str] | None = None
        self.queued = asyncio.Event()

    def saved(self) -> dict[str, Any]:
        """See :class:`AcStation`."""
        return {
            "profiles": self.charging.store.to_json(),
            "configuration": dict(self.configuration.changed),
            "queue": self.queue.to_json(),
            "operative": self._operative,
            "local_id": self._local_id,
        }

    def restore(self, data: dict[str, Any]) -> None:
        """See :class:`AcStation`."""
        self.charging.store.from_json(data["profiles"])
        self.charging.store.clear(purpose=Purpose.TX)
        self.configuration.changed = dict(data["configuration"])
        self.queue.from_json(data["queue"])
        self._operative = data["operative"]
        self._local_id = data["local_id"]

    @property
    def transaction_id(self) -> int | None:
        """The controller's id of the running transaction, None before it answered."""
        return None if self._transaction is None else self._transaction.id

    @property
    def charging_allowed(self) -> bool:
        """See :class:`AcStation`."""
        return self._transaction is not None and self._operative

    def _status(self) -> tuple[str, str]:
        """ChargePointStatus and error code of the outlet (OCPP 1.6 section 4.9, standard-text)."""
        outlet = self._outlet
        if outlet.tripped:
            return "Faulted", "OverCurrentFailure"
        if not self._operative:
            return "Unavailable", "NoError"
        if not outlet.plugged:
            return "Available", "NoError"
        if self._transaction is None:
            return "Finishing" if self._told and self._told[0] not in (
                "Available",
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
        return call.StatusNotification(connector_id=1, error_code=error, status=status, timestamp=self.timestamp())

    # -- transactions

    def present_tag(self) -> None:
        """See :class:`AcStation`."""
        tag = self.settings.id_tag or f"TAG-{self.role}"[:20]
        self._spawn(self._authorise(tag))

    async def _authorise(self, tag: str) -> None:
        """Ask the controller; alone, charge anyway (AllowOfflineTxForUnknownId)."""
        if self.connected and self._uplink.link is not None:
            try:
                answer = await self._uplink.link.call(call.Authorize(id_tag=tag))
            except CallFailed as error:
                if error.code not in LINK_LOST:
                    return
            else:
                if answer.id_tag_info["status"] != "Accepted":
                    return
        self._begin(tag)

    def remote_start(self, id_tag: str, raw: dict[str, Any] | None) -> bool:
        """Begin a transaction with its profile, if there is a car and nothing forbids it."""
        if not self._outlet.plugged or self._transaction is not None or not self._operative:
            return False
        if raw is not None and not self.charging.would_install(OUTLET, raw, self._utc()):
            return False
        self._begin(id_tag)
        return raw is None or self.install(OUTLET, raw).accepted

    def _begin(self, tag: str) -> None:
        if self._transaction is not None or not self._outlet.plugged or not self._operative:
            return
        self._local_id += 1
        meter = round(self._outlet.reading().energy_wh)
        self._transaction = Transaction(self._local_id, tag, self._utc(), meter)
        self.charging.store.begin_transaction(OUTLET, UNNAMED, self._transaction.since)
        payload = {"connector_id": 1, "id_tag": tag, "meter_start": meter, "timestamp": self.timestamp()}
        self._enqueue("StartTransaction", payload)
        self.event("session.start", id_tag=tag)
        self._next_sample()
        self._refresh()

    def end(self, reason: str) -> None:
        """End the running transaction, if any, for an OCPP ``Reason``."""
        transaction = self._transaction
        if transaction is None:
            return
        meter = round(self._outlet.reading().energy_wh)
        payload = {"meter_stop": meter, "timestamp": self.timestamp(), "reason": reason, "id_tag": transaction.id_tag}
        self._enqueue("StopTransaction", payload)
        self._transaction = None
        self.charging.store.end_transaction(OUTLET)
        self._at("sample", math.inf, self._sample)
        self.event("session.stop", reason=reason, energy_wh=meter - transaction.meter_start_wh)
        self._operative = self._operative and not self._inoperative_next
        self._refresh()

    def change_availability(self, operative: bool) -> str:
        """Answer to ChangeAvailability."""
        if not operative and self._transaction is not None:
            self._inoperative_next = True
            return "Scheduled"
        self._operative, self._inoperative_next = operative, False
        self.save()
        self.poke()
        return "Accepted"

    def _next_sample(self) -> None:
        interval = self.settings.sample_every(self.configuration.seconds("MeterValueSampleInterval"))
        if self._transaction is not None:
            self._at("sample", clock.time() + interval if interval else math.inf, self._sample)

    def _sample(self) -> None:
        self._enqueue("MeterValues", {"connector_id": 1, "meter_value": [self._meter_value("Sample.Periodic")]})
        self._next_sample()

    def _meter_value(self, context: str) -> dict[str, Any]:
        names = self.configuration.value("MeterValuesSampledData").split(",")
        measurands = [name.strip() for name in names]
        reading = self._outlet.reading()
        value = metering16.meter_value(self._branch, reading, self.offered_a, measurands, self.timestamp(), context)
        return recast16(self.settings.personality.reporting, value)

    def _enqueue(self, action: str, payload: dict[str, Any]) -> None:
        assert self._transaction is not None
        self.queue.put(action, self._transaction.local_id, payload)
        if action != "MeterValues":
            self.save()
        self.queued.set()

    # -- what the controller asks

    def install(self, connector: int, raw: dict[str, Any]) -> Answer:
        """Install a charging profile, or say why not."""
        answer, profile = self.charging.install(connector, raw, self._utc())
        if profile is not None:
            self.installed(profile)
        return answer

    def composite(self, connector: int, duration_s: float, unit: str | None) -> dict[str, Any] | None:
        """Schedule from now on, the nameplate where no profile limits; None where there is none."""
        return self.charging.schedule(connector, self._utc(), duration_s, unit)

    def configured(self) -> None:
        """A key has changed."""
        self._uplink.heartbeat_s = self.configuration.seconds("HeartbeatInterval") or self._uplink.heartbeat_s
        self._next_sample()
        self.save()

    def triggered(self, message: str) -> Any:
        """The message that TriggerMessage asks for."""
        if message == "MeterValues":
            return call.MeterValues(
                connector_id=1, meter_value=[self._meter_value("Trigger")], transaction_id=self.transaction_id
            )
        return {
            "BootNotification": self.boot_message,
            "Heartbeat": call.Heartbeat,
            "StatusNotification": self.status_message,
        }[message]()

    def boot_message(self) -> Any:
        """What it says of itself."""
        settings = self.settings
        return call.BootNotification(
            charge_point_vendor=settings.vendor,
            charge_point_model=settings.model,
            charge_point_serial_number=self.identity[:25],
            firmware_version=settings.firmware,
        )

    def delivered(self, entry: dict[str, Any], answer: Any) -> None:
        """The controller has answered a transaction message."""
        if entry["action"] != "StartTransaction":
            return
        self.queue.ids[entry["local_id"]] = answer.transaction_id
        running = self._transaction
        if running is not None and running.local_id == entry["local_id"]:
            running.id = answer.transaction_id
            self.charging.name_transaction(answer.transaction_id)
            if answer.id_tag_info["status"] != "Accepted":
                self.end("DeAuthorized")
