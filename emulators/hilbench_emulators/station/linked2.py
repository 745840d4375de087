"""A station of OCPP 2.x with a link to the car: needs told, an energy transfer agreed, set points of 2.1 followed.

The messages of ISO 15118 are not played: the car says what it needs, and does what it is ordered.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from hilbench import clock
from hilbench.ocppj import CallFailed
from hilbench_emulators.dc.cars import Car
from hilbench_emulators.smart_charging import Version
from hilbench_emulators.smart_charging.times import timestamp
from hilbench_emulators.station.charging import OUTLET
from hilbench_emulators.station.events2 import Transaction2
from hilbench_emulators.station.needs2 import Needs, bidirectional_transfer, charging_transfer
from hilbench_emulators.station.needs_dc import DcNeeds
from hilbench_emulators.station.smart2 import Smart2
from hilbench_emulators.station.variables2 import two_way
from hilbench_emulators.vehicles import Vehicle

_ENABLED = ("V2XChargingCtrlr", "Enabled")
PROTOCOLS = {False: "urn:iso:15118:2:2013:MsgDef,2,0", True: "urn:iso:std:iso:15118:-20:AC,1,0"}
"""What car and station speak, by whether the car can discharge (ConnectedEV.ProtocolAgreed; recalled)."""
DC_PROTOCOLS = {
    "din": "urn:din:70121:2012:MsgDef,2,0",
    "iso2": "urn:iso:15118:2:2013:MsgDef,2,0",
    "iso20": "urn:iso:std:iso:15118:-20:DC,1,0",
}
"""The same of a DC station with CCS."""


class Linked2(Smart2):
    """``transfer`` is the energy transfer that is agreed with the car, empty before; all of it only with iso15118."""

    version: str
    transfer: str
    _allowed: frozenset[str]
    _needs_told: bool

    def reset_link(self) -> None:
        """Nothing is agreed."""
        self.transfer, self._allowed = "", frozenset()
        self._needs_told = False
        if self.settings.iso15118:
            self.device.live["ConnectedEV", "Available"] = lambda: str(self._car is not None).lower()
            self.device.live["ConnectedEV", "VehicleId"] = self._evccid
            for name in ("ProtocolAgreed", "ProtocolSupportedByEV"):
                self.device.live["ConnectedEV", name] = self._protocol

    @property
    def _two_way(self) -> bool:
        return two_way(self.settings, Version(self.version))

    @property
    def _v2x_enabled(self) -> bool:
        return self._two_way and self.device.value(*_ENABLED) == "true"

    @property
    def _both_ways(self) -> str:
        return bidirectional_transfer(self._branch)

    @property
    def _car(self) -> Vehicle | Car | None:
        """The car that speaks over the link."""
        car = self._outlet.car if self.settings.iso15118 else None
        return car if isinstance(car, Vehicle | Car) else None

    def _evccid(self) -> str:
        """Name of the car's controller on the link (policy-default: made of the station's)."""
        return "" if self._car is None else f"EV-{self.identity}"

    def _protocol(self) -> str:
        if self._car is None:
            return ""
        if self.settings.dc is not None:
            return DC_PROTOCOLS[self.settings.dc.protocol] if self.settings.dc.connector == "ccs" else "CHAdeMO"
        return PROTOCOLS[self._car.discharge is not None and self._two_way]

    # needs

    async def plug_in(self, vehicle: Any, **wishes: Any) -> None:
        """See :class:`AcStation`; what the car is at when it comes is where its needs count from."""
        await super().plug_in(vehicle, **wishes)
        if self._car is not None:
            self.visit = replace(self.visit, arrival_soc=self._outlet.reading().soc or 0.0)
            needs, leaves = self._needs(), self.visit.departure
            self.event(
                "session.needs",
                target_soc=needs.target_soc,
                arrival_soc=self.visit.arrival_soc,
                energy_wh=(needs.target_soc - self.visit.arrival_soc) * needs.capacity_wh,
                departure_t=None if leaves is None else clock.seconds_since_epoch(leaves),
            )

    def _end(self, transaction: Transaction2, reason: str) -> None:
        """See :class:`Transacting2`; what was agreed ends with it."""
        super()._end(transaction, reason)
        self.transfer, self._allowed = "", frozenset()

    def _opened(self, transaction: Transaction2) -> None:
        """See :class:`Transacting2`: from now on car and station negotiate."""
        super()._opened(transaction)
        self._negotiate()

    def _negotiate(self) -> None:
        """Agree on an energy transfer and tell the controller the needs, after the time that the link takes."""
        if self._car is not None:
            self._needs_told = False
            self._at("needs", clock.time() + self.settings.link_s, self._tell_needs)

    def _tell_needs(self) -> None:
        running = self._transaction
        if self._car is None or self._needs_told or running is None or not running.opened or not self.connected:
            return
        self._needs_told = True
        transfer = self._best_transfer()
        self._spawn(self._needs_exchanged(running, transfer, self._needs_message(transfer)))

    async def _needs_exchanged(self, running: Transaction2, transfer: str, message: Any) -> None:
        """Tell them; where the controller refuses to let the car discharge, agree to charge only (2.1 Q01.FR.05).

        Of a car that only charges Rejected says that no schedule will come (K15.FR.04, standard-text).
        """
        link = self._uplink.link
        try:
            answer = None if link is None else await link.call(message)
        except CallFailed:
            answer = None
        if self._transaction is not running:
            return
        if answer is None:
            self._needs_told = False
        elif answer.status == "Rejected" and transfer == self._both_ways:
            self._allow(self._allowed - {self._both_ways})
        else:
            self.transfer = transfer
            self._refresh()

    def _needs_message(self, transfer: str) -> Any:
        needs, said = self._needs(), self._uplink.messages
        leaves = self.visit.departure
        departure = None if leaves is None else timestamp(leaves.timestamp())
        if self.version == "2.0.1":
            wire = needs.wire201(transfer, departure)
            return said.NotifyEVChargingNeeds(evse_id=OUTLET, charging_needs=wire)
        wire = needs.wire(transfer, self._available(), departure)
        return said.NotifyEVChargingNeeds(evse_id=OUTLET, charging_needs=wire, timestamp=self.timestamp())

    def _needs(self) -> Needs | DcNeeds:
        car, reading = self._car, self._outlet.reading()
        assert car is not None
        if isinstance(car, Car):
            assert self.settings.dc is not None
            return DcNeeds(car, self.visit, self.settings.dc.supplied.rated_w, reading.soc or 0.0)
        return Needs(car, self.visit, self._branch, reading.voltage_v, reading.soc or 0.0)

    # energy transfer

    def _available(self) -> list[str]:
        """What car and station can both do."""
        able = self._car is not None and self._car.discharge is not None
        return [charging_transfer(self._branch), *([self._both_ways] if able and self._v2x_enabled else [])]

    def _best_transfer(self) -> str:
        """The one to ask for: without the controller's word only to charge (2.1 Q02.FR.04, standard-text)."""
        return next((one for one in reversed(self._available()) if one in self._allowed), self._available()[0])

    def allow_transfer(self, transaction_id: str, transfers: Iterable[str]) -> bool:
        """The controller says what the car may do from now on; whether it is of this transaction (Q02.FR.06)."""
        if not self.settings.iso15118 or transaction_id != self.transaction_id:
            return False
        self._allow(frozenset(transfers))
        return True

    def authorised_transfers(self, transfers: Iterable[str] | None) -> None:
        """What the answer to Authorize allows; None: it does not say (2.1 Q01.FR.08, standard-text)."""
        self._allowed = frozenset(transfers or ())

    def _allow(self, transfers: frozenset[str]) -> None:
        self._allowed = transfers
        if self.transfer and self.transfer not in transfers:
            self.transfer = ""
            self._refresh()
        self._negotiate()

    # set points

    @property
    def _may_order(self) -> bool:
        """Both directions are agreed on, and V2X has not been switched off."""
        return self.transfer == self._both_ways and self.charging_allowed and self._v2x_enabled

    def order_a(self, offered_a: float) -> float | None:
        """See :class:`Limited`: a set point in force, within what may charge now and what the station can carry."""
        if not self._may_order or self._override_a < math.inf:
            return None
        ordered = self.charging.ordered_a(self._utc()) if self._deaf_a is None else self._deaf_order_a
        return None if ordered is None else max(min(ordered, offered_a), -self._branch.max_a)

    @property
    def _deaf_order_a(self) -> float | None:
        return None if self._deaf_a is None or self._deaf_a >= 0.0 else self._deaf_a

    def _wanted_a(self) -> float:
        """See :class:`Limited`; where the car only charges, a set point is as good as a limit."""
        limit_a = super()._wanted_a()
        ordered = self.charging.ordered_a(self._utc()) if self._two_way and not self._may_order else None
        return limit_a if ordered is None else min(limit_a, max(ordered, 0.0))

    def tell_mode(self) -> None:
        """Report an operation mode that has changed (2.1 TransactionEvent, OperationModeChanged)."""
        running = self._transaction
        if running is not None and self._two_way and running.mode != (mode := self.charging.mode(self._utc())):
            before, running.mode = running.mode, mode
            if before:
                self.transaction_event("Updated", "OperationModeChanged")

    def transaction_event(self, kind: str, trigger: str, *, context: str = "", **more: Any) -> None:
        """See :class:`Transacting2`; the first one names the car beside its driver (2.1 Q01.FR.02, standard-text)."""
        token, running = more.get("id_token"), self._transaction
        if kind == "Started" and self._two_way and self._car is not None and token is not None:
            named = [{"additional_id_token": self._evccid(), "type": "EVCCID"}]
            more["id_token"] = token | {"additional_info": [*token.get("additional_info", []), *named]}
        if kind == "Started" and self._two_way and running is not None:
            running.mode = self.charging.mode(self._utc())
        super().transaction_event(kind, trigger, context=context, **more)
