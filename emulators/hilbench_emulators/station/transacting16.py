"""Transactions and meter values of an OCPP 1.6 station."""

from __future__ import annotations

import asyncio
from typing import Any

from hilbench.ocppj import call
from hilbench_emulators.smart_charging import Answer
from hilbench_emulators.station import metering
from hilbench_emulators.station.charging import OUTLET
from hilbench_emulators.station.expecting import Expected
from hilbench_emulators.station.network16 import Networked16
from hilbench_emulators.station.recast import recast16
from hilbench_emulators.station.tokens import info_of
from hilbench_emulators.station.transactions import Queue, Transaction

UNNAMED = -1
"""Id of a transaction to which the controller has given none yet; no profile can name it."""


class Transacting16(Networked16):
    """``transaction_id`` is the controller's id or None; ``queue`` what it still has to hear."""

    queue: Queue
    queued: asyncio.Event
    _transaction: Transaction | None
    _inoperative_next: bool

    @property
    def transaction_id(self) -> int | None:
        """The controller's id of the running transaction, None before it answered."""
        return None if self._transaction is None else self._transaction.id

    @property
    def charging_allowed(self) -> bool:
        """See :class:`AcStation`."""
        return self._transaction is not None and self._operative

    def remote_start(self, id_tag: str, raw: dict[str, Any] | None) -> bool:
        """Begin a transaction with its profile, or wait for the car; whether nothing forbids it."""
        if not self._is_free() or self.held or self._outlet.faulted or not self.admits(id_tag):
            return False
        if raw is not None and not self.charging.would_install(OUTLET, raw, self._utc()):
            return False
        driver = Expected(id_tag, raw)
        if self._outlet.plugged:
            self.begin_expected(driver)
        else:
            self.expect(driver)
        return True

    def begin_expected(self, driver: Expected) -> None:
        """See :class:`ExpectingStation`."""
        if not self._is_free():
            return
        if driver.profile is not None:
            self.install(OUTLET, driver.profile, starting=True)
        self.begin_by(driver.token)

    def expected_in_vain(self) -> None:
        """See :class:`ExpectingStation`: the status says it."""

    def connection_timeout_s(self) -> float:
        """See :class:`ExpectingStation`."""
        return self.configuration.seconds("ConnectionTimeOut")

    def _is_free(self) -> bool:
        return self._transaction is None and self.expected is None and self._operative

    def _may_begin(self) -> bool:
        return self._is_free() and self._outlet.plugged

    def begin_by(self, tag: str) -> None:
        """See :class:`DriverStation`."""
        if not self._may_begin():
            return
        self._local_id += 1
        meter = round(self._outlet.reading().energy_wh)
        self._transaction = Transaction(self._local_id, tag, self._utc(), meter)
        self.charging.store.begin_transaction(OUTLET, UNNAMED, self._transaction.since)
        payload = {"connector_id": 1, "id_tag": tag, "meter_start": meter, "timestamp": self.timestamp()}
        reservation = self.use_reservation()
        self._enqueue("StartTransaction", payload | ({} if reservation is None else {"reservation_id": reservation}))
        self._note("StopTxnSampledData", "Transaction.Begin")
        self.event("session.start", id_tag=tag)
        self.begin_turn("sample")
        self.next_sample()
        self._refresh()

    def end(self, reason: str) -> None:
        """End the running transaction, if any, for an OCPP ``Reason``."""
        transaction = self._transaction
        if transaction is None:
            return
        meter = round(self._outlet.reading().energy_wh)
        self._note("StopTxnSampledData", "Transaction.End")
        payload = {"meter_stop": meter, "timestamp": self.timestamp(), "reason": reason, "id_tag": transaction.id_tag}
        self._enqueue("StopTransaction", payload | ({"transaction_data": transaction.data} if transaction.data else {}))
        self._transaction = None
        self.charging.store.end_transaction(OUTLET)
        self.every("sample", 0.0, self._sample)
        self.event("session.stop", reason=reason, energy_wh=meter - transaction.meter_start_wh)
        self._operative = self._operative and not self._inoperative_next
        self._refresh()

    def _enqueue(self, action: str, payload: dict[str, Any]) -> None:
        assert self._transaction is not None
        self.queue.put(action, self._transaction.local_id, payload)
        if action != "MeterValues":
            self.save()
        self.queued.set()

    def delivered(self, entry: dict[str, Any], answer: Any) -> None:
        """The controller has answered a transaction message."""
        info = getattr(answer, "id_tag_info", None)
        if info is not None:
            self.learn(entry["payload"]["id_tag"], info_of(info))
        if entry["action"] != "StartTransaction":
            return
        self.queue.ids[entry["local_id"]] = answer.transaction_id
        running = self._transaction
        if running is not None and running.local_id == entry["local_id"]:
            running.id = answer.transaction_id
            self.charging.name_transaction(answer.transaction_id)
            if answer.id_tag_info["status"] != "Accepted" and self.configuration.on("StopTransactionOnInvalidId"):
                self.end("DeAuthorized")

    def install(self, connector: int, raw: dict[str, Any], *, starting: bool = False) -> Answer:
        """Install a charging profile, or say why not; ``starting`` before the transaction that it came with."""
        answer, profile = self.charging.install(connector, raw, self._utc(), starting=starting)
        if profile is not None:
            self.installed(profile)
        return answer

    # meter values

    def sample_interval_s(self) -> float:
        """Seconds between samples in a transaction, 0 for none."""
        return self.settings.sample_every(self.configuration.seconds("MeterValueSampleInterval"))

    def next_sample(self) -> None:
        """Set the timer for it."""
        if self._transaction is not None:
            self.every("sample", self.sample_interval_s(), self._sample)

    def _sample(self) -> None:
        self._tell("MeterValuesSampledData", "Sample.Periodic")
        self._note("StopTxnSampledData", "Sample.Periodic")
        self.begin_turn("sample")
        self.next_sample()

    def aligned_interval_s(self) -> float:
        """See :class:`AcStation`."""
        return self.configuration.seconds("ClockAlignedDataInterval")

    def tell_aligned(self) -> None:
        """See :class:`AcStation`; without a transaction only while the controller can be heard."""
        self._tell("MeterValuesAlignedData", "Sample.Clock")
        self._note("StopTxnAlignedData", "Sample.Clock")

    def _tell(self, key: str, context: str) -> None:
        values = self.meter_value(key, context)
        if not values["sampled_value"]:
            return
        if self._transaction is not None:
            self._enqueue("MeterValues", {"connector_id": 1, "meter_value": [values]})
        elif self.connected:
            self._uplink.say(call.MeterValues(connector_id=1, meter_value=[values]))

    def _note(self, key: str, context: str) -> None:
        """Keep a reading for StopTransaction (OCPP 1.6 sections 9.1.31 and 9.1.33, standard-text)."""
        values = self.meter_value(key, context)
        if self._transaction is not None and values["sampled_value"]:
            self._transaction.data.append(values)

    @property
    def measures(self) -> bool:
        """There is something to tell in a MeterValues that is asked for."""
        return bool(self.meter_value("MeterValuesSampledData", "Trigger")["sampled_value"])

    def meter_value(self, key: str, context: str) -> dict[str, Any]:
        """A reading of the measurands that a configuration key lists."""
        wanted = metering.listed(self.configuration.value(key))
        read = metering.figures(self._branch, self._outlet.reading(), self.offered_a, wanted)
        value = metering.meter_value16(read, self.timestamp(), context)
        return recast16(self.settings.personality.reporting, value)
