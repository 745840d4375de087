"""A CHAdeMO session behind a DC outlet: 108.3 is what the limit leaves, renewed with every frame of the charger."""

from __future__ import annotations

import math
from dataclasses import replace

from hilbench_emulators.chademo import ChargerModel
from hilbench_emulators.chademo.charger import Phase
from hilbench_emulators.chademo.plug import Available, ChargerEvent, Draw, Stop
from hilbench_emulators.dc.outlet_law import Limit, Outlet, Policy, giving_offer, next_offer
from hilbench_emulators.dc.power_module import Bank
from hilbench_emulators.dc.request import Offer
from hilbench_emulators.dc.stage import Slew
from hilbench_emulators.dc_outlet.chademo_wire import Wire
from hilbench_emulators.dc_outlet.head import Flow
from hilbench_emulators.dc_outlet.pack import CarPack

_STARVED = "the station's limit leaves too little"


class ChademoHead:
    """See :class:`hilbench_emulators.dc_outlet.head.Head`."""

    def __init__(
        self, pack: CarPack, wire: Wire, bank: Bank, limit: Limit, policy: Policy, most_a: float = math.inf
    ) -> None:
        self._most_a = most_a
        self.pack, self._bank, self._limit, self._policy = pack, bank, limit, policy
        self.wire = wire
        self._outlet, self._offer = Outlet(), Offer(0.0, 0.0)
        self._law_s = 0.0
        self._told: dict[type, ChargerEvent] = {}
        self._tell()

    @property
    def ended(self) -> str | None:
        """The charger is through, and why."""
        charger = self.wire.charger
        return (charger.reason or "the session is over") if charger.phase is Phase.DONE else None

    @property
    def due_s(self) -> float:
        """See :class:`Head`."""
        return self.wire.due_s

    @property
    def soc(self) -> float:
        """See :class:`Head`."""
        return self.pack.cells.soc

    @property
    def wish_w(self) -> float:
        """See :class:`Head`."""
        if self.wire.car.reason is not None:
            return 0.0
        most_a = min(self.pack.wanted_a(self.wire.t), float(self.wire.car.model.max_current_a), self._most_a)
        return most_a * self.pack.car.battery.voltage_v(self.pack.cells.soc, most_a)

    def run(self, t_s: float) -> Flow:
        """See :class:`Head`."""
        self.wire.run(t_s)
        self._follow_limit(t_s)
        return self._flow(t_s)

    def _follow_limit(self, t_s: float) -> None:
        """What the limit leaves at the voltage of now."""
        dt_s, self._law_s = t_s - self._law_s, t_s
        volts = self.pack.voltage_v(self.wire.t)
        if self._limit.w is not None and self._limit.w < 0.0:
            self._offer = giving_offer(self._bank, volts, self._limit.w)
        else:
            self._offer, self._outlet = next_offer(self._bank, volts, self._limit, self._policy, self._outlet, dt_s)
        self._tell()
        if self._outlet.ended and self.wire.charger.reason is None:
            self._do(Stop(_STARVED))

    def _tell(self) -> None:
        offer = self._offer
        volts = max(self.pack.voltage_v(self.wire.t), 1.0)
        given_a = min(offer.give_a, offer.give_w / volts) if offer.give_a > 0.0 else 0.0
        self._once(Draw(math.floor(10.0 * given_a) / 10.0))  # in steps: the voltage moves with every ampere
        self._once(Available(float(int(min(offer.max_a, offer.max_w / volts)))))

    def _once(self, event: Draw | Available) -> None:
        if self._told.get(type(event)) != event:
            self._told[type(event)] = event
            self._do(event)

    def _do(self, event: ChargerEvent) -> None:
        self.wire.do(event)

    def _flow(self, t_s: float) -> Flow:
        charger = self.wire.charger
        volts = charger.output.voltage_v(t_s)
        if not charger.car.contactor:
            return Flow(volts)
        amps = charger.output.current_a(t_s)
        heard = self.wire.car.limits
        offered_a = -charger.draw_a if charger.draw_a else float(heard.available_current_a if heard else 0)
        return Flow(volts, amps, offered_a, float(charger.requested_a), charger.charges)

    def limit(self, limit: Limit) -> None:
        """See :class:`Head`."""
        self._limit = limit
        self._follow_limit(self._law_s)

    def serve(self, bank: Bank) -> None:
        """See :class:`Head`."""
        self._bank = bank

    def stop(self) -> None:
        """See :class:`Head`."""
        self._do(Stop("stopped by the station"))

    def silence_car(self) -> None:
        """See :class:`Head`."""
        self.wire.car.mute()

    def close(self) -> None:
        """See :class:`Head`."""
        self.wire.close()


def charger_model(bank: Bank, *, gives: bool, discharge_a: float = 0.0) -> ChargerModel:
    """A CHAdeMO charger with these modules; ``gives``: it takes power back from a car, at most ``discharge_a`` [A]."""
    module = bank.module
    model = ChargerModel(
        max_current_a=min(int(bank.count * module.max_a), 255),
        min_voltage_v=int(module.min_v),
        max_voltage_v=min(int(module.max_v), 500),
        slew=Slew(module.up_a_per_s, module.down_a_per_s),
    )
    return replace(model, max_discharge_a=int(discharge_a)) if gives and module.bidirectional else model
