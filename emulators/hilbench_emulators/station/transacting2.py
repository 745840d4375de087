"""Transactions of an OCPP 2.x station, its TransactionEvents, and meter values."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from typing import Any

from hilbench_emulators.smart_charging import Answer
from hilbench_emulators.station.charging import OUTLET
from hilbench_emulators.station.events2 import EventQueue, Transaction2
from hilbench_emulators.station.readings2 import Readings2

Token = dict[str, Any]
_STOPPED = {
    "EVDisconnected": "EVCommunicationLost",
    "Remote": "RemoteStop",
    "DeAuthorized": "Deauthorized",
    "Local": "StopAuthorized",
    "ImmediateReset": "ResetCommand",
    "Timeout": "EVConnectTimeout",
    "StoppedByEV": "ChargingStateChanged",
    "SOCLimitReached": "ChargingStateChanged",
}
"""Trigger of the last TransactionEvent for a reason; of all others AbnormalCondition (OCPP 2.0.1 E06, E07, E09)."""
_DRIVERS = ("Remote", "Local", "DeAuthorized")
"""Reasons that leave the car connected, and nobody authorised."""


def token_of(tag: str) -> Token:
    """An IdToken for a tag."""
    return {"id_token": tag, "type": "ISO14443"}


class Transacting2(Readings2):
    """``transaction_id`` is the station's own id or None; ``queue`` what the controller still has to hear."""

    queue: EventQueue
    queued: asyncio.Event
    _inoperative_next: bool
    _reset_waits: bool

    @abstractmethod
    def install(self, evse: int, raw: dict[str, Any], *, starting: bool = False) -> Answer:
        """Install a charging profile, or say why not; ``starting`` before the transaction that it came with."""

    @property
    def transaction_id(self) -> str | None:
        """Id of the running transaction."""
        return None if self._transaction is None else self._transaction.id

    @property
    def charging_allowed(self) -> bool:
        """See :class:`AcStation`."""
        return self._transaction is not None and self._transaction.token is not None and self._operative

    def charging_state(self) -> str:
        """ChargingState of the transaction (OCPP 2.0.1 E02, standard-text); a car that discharges is Charging too."""
        if not self._outlet.plugged:
            return "Idle"
        if not self.charging_allowed and self._operative:
            return "EVConnected"
        if not self._outlet.supplying:
            return "SuspendedEVSE"
        return "Charging" if self._outlet.charging else "SuspendedEV"

    @property
    def stops_invalid(self) -> bool:
        """A transaction ends when its driver turns out to be refused (TxCtrlr.StopTxOnInvalidId)."""
        return self.device.value("TxCtrlr", "StopTxOnInvalidId") == "true"

    # beginning

    def present_tag(self) -> None:
        """See :class:`AcStation`; with TxStartPoint EVConnected the cable alone begins a transaction."""
        if self.device.value("TxCtrlr", "TxStartPoint") == "EVConnected" and self.expected is None:
            self._cable_begins()
        super().present_tag()

    def _cable_begins(self) -> None:
        """A transaction begins for a car whose driver is not known, unless the outlet is reserved."""
        if self._awaits_driver() and self._transaction is None and self.reservation is None:
            self._begin(None, "CablePluggedIn")

    def begin_by(self, tag: str) -> None:
        """See :class:`DriverStation`."""
        self.authorised(token_of(tag), "Authorized")

    def authorised(self, token: Token, trigger: str, remote_start_id: int | None = None) -> str | None:
        """Charge for a driver, in a transaction that waits for one or a new one; returns its id or None."""
        running = self._transaction
        if not self._awaits_driver():
            return None
        if running is None:
            return self._begin(token, trigger, remote_start_id)
        running.token = token
        self._opened(running)
        self.transaction_event("Updated", trigger, id_token=token, remote_start_id=remote_start_id)
        self._refresh()
        return running.id

    def _begin(self, token: Token | None, trigger: str, remote_start_id: int | None = None) -> str:
        self._local_id += 1
        own = f"-{int(self._utc())}-{self._local_id}"
        transaction_id = f"{self.identity[: 36 - len(own)]}{own}"
        meter = round(self._outlet.reading().energy_wh)
        self._transaction = Transaction2(transaction_id, token, self._utc(), meter)
        self.charging.store.begin_transaction(OUTLET, transaction_id, self._transaction.since)
        if token is not None and self._outlet.plugged:
            self._opened(self._transaction)
        more = {"id_token": token, "remote_start_id": remote_start_id, "reservation_id": self.use_reservation()}
        self.transaction_event("Started", trigger, context="Transaction.Begin", **more)
        self.start_sampling()
        self._refresh()
        return transaction_id

    def _opened(self, transaction: Transaction2) -> None:
        """Car and driver are both there."""
        assert transaction.token is not None
        transaction.opened = True
        self.charging.store.power_path(OUTLET, self._utc())
        self.event("session.start", id_tag=transaction.token["id_token"])

    def _awaits_driver(self) -> bool:
        """A car stands here for which nobody has been authorised."""
        running = self._transaction
        waits = running is None or (running.token is None and not running.reason)
        return waits and self._outlet.plugged and self._operative

    # ending

    def end(self, reason: str) -> None:
        """See :class:`AcStation`; ``reason`` as OCPP 2.x calls it. With TxStopPoint EVConnected the car ends it."""
        transaction = self._transaction
        if transaction is None:
            return
        stays = reason in _DRIVERS and self.device.value("TxCtrlr", "TxStopPoint") == "EVConnected"
        transaction.reason = transaction.reason or reason
        if stays:
            self._deauthorise(transaction, _STOPPED[reason])
        else:
            self._end(transaction, reason)

    def car_ended(self, reason: str) -> None:
        """See :class:`AcStation`."""
        self.end("SOCLimitReached" if reason == "full" else "StoppedByEV")

    def _deauthorise(self, transaction: Transaction2, trigger: str) -> None:
        transaction.token = None
        self._refresh()
        self.transaction_event("Updated", trigger)

    def _end(self, transaction: Transaction2, reason: str) -> None:
        self.transaction_event("Ended", _STOPPED.get(reason, "AbnormalCondition"), context="Transaction.End")
        used = round(self._outlet.reading().energy_wh) - transaction.meter_start_wh
        self._transaction = None
        self.expect_nobody()
        self.charging.store.end_transaction(OUTLET)
        self.stop_sampling()
        if transaction.opened:
            self.event("session.stop", reason=reason, energy_wh=used)
        self._operative = self._operative and not self._inoperative_next
        self._refresh()
        if self._reset_waits:
            self._reset_waits = False
            self.reboot("ImmediateReset", "ScheduledReset")

    # what is told

    def transaction_event(self, kind: str, trigger: str, *, context: str = "", **more: Any) -> None:
        """Queue a TransactionEvent, with meter values when ``context`` says which."""
        transaction = self._transaction
        assert transaction is not None
        transaction.state = self.charging_state()
        entry = transaction.event(kind, trigger, self.timestamp(), offline=not self.connected, **more)
        values = self.readings(context)
        if values:
            entry["meter_value"] = values
        self.queue.put(entry)
        if kind != "Updated":
            self.save()
        self.queued.set()
