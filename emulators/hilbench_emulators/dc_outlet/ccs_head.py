"""A CCS session behind a DC outlet: station and car exchange real messages, the modules follow their set point."""

from __future__ import annotations

from hilbench_emulators.ccs import Evcc, Modules, Secc, Station, Vehicle
from hilbench_emulators.ccs import events as ev
from hilbench_emulators.ccs.drive import Drive
from hilbench_emulators.ccs.pair import OnBytes, Pair
from hilbench_emulators.dc.outlet_law import Limit, Policy
from hilbench_emulators.dc.power_module import Bank
from hilbench_emulators.dc.request import own_limit_a
from hilbench_emulators.dc.stage import Slew, Stage
from hilbench_emulators.dc_outlet.head import Flow


class CcsHead:
    """See :class:`hilbench_emulators.dc_outlet.head.Head`."""

    def __init__(
        self,
        vehicle: Vehicle,
        station: Station,
        bank: Bank,
        limit: Limit,
        policy: Policy,
        on_bytes: OnBytes | None = None,
    ) -> None:
        self.supply = Modules(bank, limit, policy)
        self.pair = Pair(Secc(station, self.supply), Evcc(vehicle), on_bytes=on_bytes)
        self.stage = Stage(Slew(bank.module.up_a_per_s, bank.module.down_a_per_s))
        self._joined = False
        self._reason = ""

    @property
    def ended(self) -> str | None:
        """Both ends are through."""
        both = (self.pair.secc.closed, self.pair.evcc.closed)
        if None in both:
            return None
        return self._reason or self._drive.finished or both[0] or both[1] or "the session is over"

    @property
    def due_s(self) -> float:
        """See :class:`Head`."""
        return self.pair.due_s

    @property
    def _drive(self) -> Drive:
        return self.pair.evcc.drive

    @property
    def soc(self) -> float:
        """See :class:`Head`."""
        return self._drive.cells.soc

    @property
    def wish_w(self) -> float:
        """See :class:`Head`."""
        drive = self._drive
        if self.pair.evcc.closed is not None or drive.finished:
            return 0.0
        most_a = own_limit_a(drive.car, drive.cells.soc)
        return most_a * drive.car.battery.voltage_v(drive.cells.soc, most_a)

    def run(self, t_s: float) -> Flow:
        """See :class:`Head`."""
        before = self._flow(t_s)
        self.pair.station(ev.Measured(before.voltage_v, before.current_a))
        self.pair.run(until_s=t_s)
        for said in self.pair.said:
            self._hear(said.t_s, said.of_car, said.output)
        self.pair.said.clear()
        return self._flow(t_s)

    def _hear(self, t_s: float, of_car: bool, output: ev.Output) -> None:
        match output:
            case ev.Setpoint(_volts, amps) if not of_car:
                self.stage.order(t_s, amps)
            case ev.Contactor(closed):
                self._joined = closed and (of_car or self._joined)
                if not closed:
                    self.stage.cut()
            case _:
                pass

    def _flow(self, t_s: float) -> Flow:
        secc, drive = self.pair.secc, self._drive
        if not self._joined:
            return Flow(secc.setpoint.voltage_v, offered_a=self._offered_a(secc.setpoint.voltage_v))
        amps = self.stage.current_a(t_s)
        volts = drive.car.battery.voltage_v(drive.cells.soc, amps)
        return Flow(volts, amps, self._offered_a(volts), secc.asked_a, self.pair.evcc.looping)

    def _offered_a(self, volts: float) -> float:
        return self.supply.offered_a(volts) if self.pair.evcc.looping else 0.0

    def limit(self, limit: Limit) -> None:
        """See :class:`Head`."""
        self.pair.station(ev.NewLimit(limit))

    def serve(self, bank: Bank) -> None:
        """See :class:`Head`."""
        self.supply.serve(bank)

    def silence_car(self) -> None:
        """See :class:`Head`."""
        self.pair.mute_car()

    def close(self) -> None:
        """See :class:`Head`; nothing outlives it."""

    def stop(self) -> None:
        """See :class:`Head`; a car that has not come as far as its loop is left alone."""
        self._reason = self._reason or "stopped by the station"
        self.pair.station(ev.Wish("stop"))
        if not self.pair.evcc.looping:
            self.pair.car(ev.Wish("stop"))
