"""Meter values of an OCPP 2.x station: sampled and clock-aligned, in its transactions and apart (2.0.1 block J)."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from hilbench_emulators.station import metering
from hilbench_emulators.station.charging import OUTLET
from hilbench_emulators.station.events2 import Transaction2
from hilbench_emulators.station.network2 import Networked2
from hilbench_emulators.station.recast import recast2

SAMPLED, ALIGNED = "SampledDataCtrlr", "AlignedDataCtrlr"
_WANTED = {
    "Transaction.Begin": (SAMPLED, "TxStartedMeasurands"),
    "Transaction.End": (SAMPLED, "TxEndedMeasurands"),
    "Sample.Periodic": (SAMPLED, "TxUpdatedMeasurands"),
    "Sample.Clock": (ALIGNED, "Measurands"),
    "Trigger": (SAMPLED, "TxUpdatedMeasurands"),
}
"""Which variable lists the measurands of an event with readings of a context (J02, F06; standard-text)."""


class Readings2(Networked2):
    """What ``SampledDataCtrlr`` and ``AlignedDataCtrlr`` say is measured, and when."""

    _transaction: Transaction2 | None

    @abstractmethod
    def transaction_event(self, kind: str, trigger: str, *, context: str = "", **more: Any) -> None:
        """Queue a TransactionEvent, with the readings of ``context``."""

    def readings(self, context: str) -> list[dict[str, Any]]:
        """What an event carries; its last also what was noted on the way (TxEndedMeasurands, standard-text)."""
        now = self.meter_value(context, *_WANTED[context]) if context else []
        if context == "Transaction.End" and self._transaction is not None:
            return [*self._transaction.data, *now]
        return now

    def meter_value(self, context: str, component: str, name: str) -> list[dict[str, Any]]:
        """A reading of the measurands that a variable lists; empty where there is nothing to say or it is disabled."""
        if self.device.value(component, "Enabled") != "true":
            return []
        wanted = metering.listed(self.device.value(component, name))
        read = metering.figures(self._branch, self._outlet.reading(), self.offered_a, wanted)
        value = metering.meter_value2(read, self.timestamp(), context)
        value = recast2(self.settings.personality.reporting, value)
        return [value] if value["sampled_value"] else []

    def asked_values(self) -> list[dict[str, Any]]:
        """What TriggerMessage of MeterValues sends (2.0.1 F06.FR.06: AlignedDataCtrlr.Measurands; recalled)."""
        return self.meter_value("Trigger", ALIGNED, "Measurands")

    # sampled

    def start_sampling(self) -> None:
        """A transaction begins."""
        self._note("Transaction.Begin", SAMPLED)
        for turn in ("sample", "note"):
            self.begin_turn(turn)
        self.next_sample()

    def stop_sampling(self) -> None:
        """It has ended."""
        self.every("sample", 0.0, self._sample)
        self.every("note", 0.0, self._sample_note)

    def next_sample(self) -> None:
        """Set the timers for it, after the intervals that hold now."""
        if self._transaction is None:
            return
        self.every("sample", self.settings.sample_every(self._seconds(SAMPLED, "TxUpdatedInterval")), self._sample)
        self.every("note", self._seconds(SAMPLED, "TxEndedInterval"), self._sample_note)

    def _seconds(self, component: str, name: str) -> float:
        return self.device.seconds(component, name) if self.device.value(component, "Enabled") == "true" else 0.0

    def _sample(self) -> None:
        self.transaction_event("Updated", "MeterValuePeriodic", context="Sample.Periodic")
        self.begin_turn("sample")
        self.next_sample()

    def _sample_note(self) -> None:
        self._note("Sample.Periodic", SAMPLED)
        self.begin_turn("note")
        self.next_sample()

    def _note(self, context: str, component: str) -> None:
        """Keep a reading for the last event; of too many, those after the first go (J02, recalled)."""
        if self._transaction is None:
            return
        kept = self._transaction.data
        kept.extend(self.meter_value(context, component, "TxEndedMeasurands"))
        if len(kept) > self.settings.queue_length:
            del kept[1]

    # clock-aligned

    def aligned_interval_s(self) -> float:
        """See :class:`AcStation`."""
        return self._seconds(ALIGNED, "Interval")

    def next_aligned(self) -> None:
        """See :class:`AcStation`; what the last event will carry has an interval of its own."""
        super().next_aligned()
        self.at_clock("aligned-note", self._seconds(ALIGNED, "TxEndedInterval"), self._aligned_note)

    def _aligned_note(self) -> None:
        self._note("Sample.Clock", ALIGNED)
        self.next_aligned()

    def tell_aligned(self) -> None:
        """See :class:`AcStation`: in the transaction, or apart while there is none (OCPP 2.0.1 J01, standard-text)."""
        idle_only = self.device.value(ALIGNED, "SendDuringIdle") == "true"
        if self._transaction is not None:
            if not idle_only:
                self.transaction_event("Updated", "MeterValueClock", context="Sample.Clock")
        elif self.connected:
            self.say_values(self.meter_value("Sample.Clock", ALIGNED, "Measurands"))

    def say_values(self, values: list[dict[str, Any]]) -> None:
        """MeterValues apart from any transaction, where there are any."""
        if values:
            self._uplink.say(self._uplink.messages.MeterValues(evse_id=OUTLET, meter_value=values))
