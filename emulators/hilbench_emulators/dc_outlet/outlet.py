"""The electrical half of a DC station: it lets its car's session run, and draws from the grid what that takes.

The station says what is allowed (:meth:`DcOutlet.allow`); the session is asked when something happens in it, by timers
of the loop and never by polling.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from hilbench import clock
from hilbench.errors import InputError, Problem
from hilbench.signals import Record, contactor, offered_current, state_of_charge
from hilbench.site import Branch
from hilbench_emulators.dc.cars import Car
from hilbench_emulators.dc.garage import find_car
from hilbench_emulators.dc.outlet_law import Limit
from hilbench_emulators.dc.power_module import Bank
from hilbench_emulators.dc_outlet.begin import begin
from hilbench_emulators.dc_outlet.head import Flow, Head
from hilbench_emulators.dc_outlet.quirks import station_quirks
from hilbench_emulators.dc_outlet.settings import DcSettings
from hilbench_emulators.dc_outlet.traces import DcTraces
from hilbench_emulators.dc_outlet.wire_log import WireLog
from hilbench_emulators.plant_slot import USUAL_SOC

GRID_S = 0.25
"""The grid side is renewed this often and follows evenly in between; a CCS loop's time (public logs; measured)."""
SMALL_A = 0.05
"""Changes below it stay until more has come together [A]."""
_ROUNDING_S = 1e-6
"""A session's own time and the bench's differ by rounding: what is due must not be due for ever."""


class DcPort(Protocol):
    """What a DC station needs of the plant."""

    def drive(self, role: str, current_a: float, power_factor: float, over_s: float) -> None: ...  # noqa: D102
    def wish(self, role: str, current_a: float) -> None: ...  # noqa: D102
    def set_supply(self, role: str, on: bool) -> None: ...  # noqa: D102
    def station_reading(self, role: str) -> Any: ...  # noqa: D102


@dataclass(frozen=True)
class DcReading:
    """Truth at a DC station: on the grid side as of an AC station, and ``dc`` at its outlet.

    Energies [Wh] are those of the outlet, where the meter is (EVerest, OCPP location Outlet; read-code).
    """

    currents: dict[str, float]
    voltage_v: float
    power_w: float
    energy_wh: float
    exported_wh: float
    soc: float | None
    dc: Flow


class DcOutlet:
    """One outlet, as :class:`hilbench_emulators.station.outlet.Outlet` is for AC.

    ``on_change`` is called after anything that a controller may want to hear of, ``on_end`` with the reason when a
    session ends that the station did not end.
    """

    def __init__(
        self,
        branch: Branch,
        plant: DcPort,
        settings: DcSettings,
        record: Record,
        on_change: Callable[[], None],
        on_end: Callable[[str], None],
        two_way: bool = False,
    ) -> None:
        self.role, self.settings, self.two_way = branch.role, settings, two_way
        self.powered = False
        self.car: Car | None = None
        self.flow = Flow()
        self.soc: float | None = None
        self.target_soc = 1.0
        self._branch, self._plant, self._record = branch, plant, record
        self._on_change, self._on_end = on_change, on_end
        self._volts = 0.0
        self._bank, self._idle_w = Bank(settings.supplied.module, 0), 0.0
        self._traces = DcTraces(record, branch.role)
        self._offered = record.signal(offered_current(branch.role), "A")
        self._contactor = record.signal(contactor(branch.role), "1")
        self._log = WireLog(settings.log_folder, branch.role)
        self._head: Head | None = None
        self._begun_t = 0.0
        self._over = self._spent = False
        self._able = False
        self._quirks = station_quirks(settings.quirks)
        self._limit = Limit(a=0.0)
        self._energy_wh = self._exported_wh = 0.0
        self._looked_t = 0.0
        self._grid_a, self._grid_t = 0.0, -math.inf
        self._timers: dict[str, asyncio.TimerHandle] = {}

    # what a station asks

    @property
    def plugged(self) -> bool:
        """A car is connected."""
        return self.car is not None

    @property
    def charging(self) -> bool:
        """Power may flow."""
        return self.flow.charging

    @property
    def fault(self) -> str | None:
        """What is wrong with the car's side of the pilot: of a DC outlet, nothing is known."""
        return None

    @property
    def faulted(self) -> bool:
        """Something is wrong that keeps it from charging: never, as all that is wrong ends the session instead."""
        return False

    tripped = faulted

    @property
    def offered_a(self) -> float:
        """What the car is offered, as a current on the grid side [A per line]."""
        if not self.charging or self.flow.offered_a <= 0.0:
            return 0.0
        return self._grid_side(self.flow.offered_a * self.flow.voltage_v)[0]

    @property
    def supplying(self) -> bool:
        """Something is offered or ordered: then power may flow, either way."""
        return self.charging and self.flow.offered_a != 0.0

    def reading(self) -> DcReading:
        """Truth at the station, now."""
        if self._head is not None:
            self._look()
        grid = self._plant.station_reading(self.role)
        return DcReading(
            grid.currents,
            grid.voltage_v,
            grid.power_w,
            self._energy_wh,
            self._exported_wh,
            self.soc,
            self.flow,
        )

    def drawn_a(self) -> float:
        """Largest line current [A] now."""
        return max(self._plant.station_reading(self.role).currents.values(), default=0.0)

    # what is done to it

    def power_up(self) -> None:
        """Supply is there; the modules are in standby."""
        self.powered = True
        self._plant.set_supply(self.role, True)
        self._volts = self._plant.station_reading(self.role).voltage_v
        self._contactor.append(clock.time(), 0.0)
        self._offered.append(clock.time(), 0.0)
        self._take_bank()
        self._draw(0.0)
        self._update()

    def power_down(self) -> None:
        """Supply is gone: what ran ends at once."""
        self._drop()
        self.powered = self._able = False
        self._plant.set_supply(self.role, False)
        self._grid_a = 0.0
        self._plant.drive(self.role, 0.0, 1.0, 0.0)

    def plug_in(self, vehicle: Any, energy_kwh: float | None, soc: float | None) -> None:
        """Connect a car, by name, path or as a ``Car``; the session begins once the station allows it."""
        self.car = car = find_car(vehicle) if isinstance(vehicle, str) else _a_car(vehicle)
        stored = car.battery.stored_j
        first = _soc_before(car, energy_kwh) if soc is None else soc
        self.soc = first
        wanted_j = stored(1.0) if energy_kwh is None else stored(first) + energy_kwh * 3.6e6
        self.target_soc = 1.0 if wanted_j >= stored(1.0) else _soc_of(car, wanted_j)
        self._over = False
        self._record.signal(state_of_charge(self.role), "1", "linear").append(clock.time(), first)
        self._say("B")
        self._wish()
        self._update()
        self._on_change()

    def unplug(self) -> None:
        """Disconnect the car, whatever its session does."""
        self._drop()
        self.car = self.soc = None
        self._over = self._spent = False
        self._say("A")
        self._plant.wish(self.role, 0.0)
        self._on_change()

    def allow(self, current_a: float, order_a: float | None = None, able: bool = True) -> None:
        """Take up to ``current_a`` per line from now on; ``order_a`` below 0 lets the car give so much.

        ``able``: somebody is allowed to charge here; without it the session ends.
        """
        watts = None if order_a is None or order_a >= 0.0 else order_a * self._phase_volts
        self._limit = self._believed(current_a if order_a is None else min(current_a, max(order_a, 0.0)), watts)
        if able and not self._able:
            self._over = self._spent
        self._able = able
        if self._head is not None:
            self._head.limit(self._limit)
        self._update()

    def _believed(self, current_a: float, watts: float | None) -> Limit:
        """The limit as this station takes it."""
        if watts is None:
            mistaken = self._quirks.mistaken(current_a, self._phase_volts, self.settings.supplied.rated_w)
            if mistaken is not None:
                return mistaken
        most_a = math.inf if self._quirks.cable_a is None else self._quirks.cable_a
        beside_a = self._idle_w / self._phase_volts if self._phase_volts else 0.0
        return Limit(a=max(min(current_a, most_a) - beside_a, 0.0), w=watts)

    def silence_car(self) -> None:
        """Nothing more comes from the car, whose plug stays in."""
        if self._head is not None:
            self._head.silence_car()

    # the session

    def _update(self) -> None:
        wanted = self.powered and self._able and self.car is not None and not self._over
        if self._head is None and wanted:
            if "begin" not in self._timers:
                self._at("begin", clock.time() + self.settings.prepare_s, self._begin)
        else:
            self._at("begin", math.inf, self._begin)
            if self._head is not None and not wanted:
                self._head.stop()
            self._step()

    def _begin(self) -> None:
        assert self.car is not None
        assert self.soc is not None
        self._timers.pop("begin", None)
        self._begun_t = self._looked_t = clock.time()
        self._take_bank()
        self._head = begin(
            self.settings, self.car, self.soc, self.target_soc, self._bank, self._limit, self.two_way, self._log
        )
        self._record.event(clock.time(), "dc.begin", self.role, car=self.car.name, connector=self.settings.connector)
        self._step()

    def _step(self) -> None:
        """Let the session run up to now, take over what it says, and wait for what comes next in it."""
        head = self._head
        if head is None:
            return
        before = self.flow
        self._look()
        if head.ended is not None:
            self._end(head.ended)
            return
        self._renew(before)
        if (before.charging, before.offered_a > 0.0) != (self.flow.charging, self.flow.offered_a > 0.0):
            self._changed(before)
        self._at("step", max(self._begun_t + head.due_s, clock.time()), self._step)

    def _look(self) -> None:
        """What flows now; energy is counted up to here."""
        head, t = self._head, clock.time()
        assert head is not None
        before, self.flow = self.flow, head.run(t - self._begun_t + _ROUNDING_S)
        self.soc = head.soc
        added_wh = (before.power_w + self.flow.power_w) / 2.0 * (t - self._looked_t) / 3600.0
        self._energy_wh += max(added_wh, 0.0)
        self._exported_wh += max(-added_wh, 0.0)
        self._looked_t = t
        self._traces.note(t, self.flow, head.soc)

    def _changed(self, before: Flow) -> None:
        if before.charging != self.flow.charging:
            self._contactor.append(clock.time(), float(self.flow.charging))
            self._say("C" if self.flow.charging else "B")
        self._on_change()

    def _end(self, reason: str) -> None:
        self._record.event(clock.time(), "dc.end", self.role, reason=reason)
        ours = not self._able
        self._drop()
        self._over = True
        self._spent = self._quirks.one_session and not ours
        self._wish()
        if not ours:
            self._on_end(reason)
        self._on_change()

    def _drop(self) -> None:
        """No session any more; the modules fall back to standby."""
        before = self.flow
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        if self._head is not None:
            self._head.close()
        self._head, self.flow = None, Flow()
        self._log.close()
        self._traces.note(clock.time(), self.flow, self.soc)
        if before.charging:
            self._changed(before)
        if self.powered:
            self._offered.append(clock.time(), 0.0)
            self._take_bank()
            self._draw(0.0)

    # the grid side

    def _take_bank(self) -> Bank:
        """The modules that are there for its car now."""
        self._bank = self.settings.supplied.bank(clock.time(), None if self.car is None else self._wished_w())
        self._idle_w = self.settings.supplied.idle_w()
        return self._bank

    def _renew(self, before: Flow) -> None:
        """Take over what has changed, at once where the way of the current was opened, else on a grid."""
        t, opened = clock.time(), before.charging and not self.flow.charging
        if before.offered_a != self.flow.offered_a or before.charging != self.flow.charging:
            self._tell_offer(t)
        if not opened and t < self._grid_t + GRID_S - _ROUNDING_S:
            return
        self._grid_t = t
        assert self._head is not None
        self._head.serve(self._take_bank())
        self._wish()
        self._draw(self.flow.power_w, 0.0 if opened else GRID_S)

    def _wished_w(self) -> float:
        """What the car would take of the whole station [W DC]."""
        if self._head is None:
            return 0.0 if self._over or self.car is None else self.settings.supplied.rated_w
        return min(self._head.wish_w, self.settings.supplied.rated_w)

    def _wish(self) -> None:
        """Tell the plant what the car would draw; small changes are left out."""
        if self.car is None:
            return
        watts = self._wished_w()
        if self._head is None and not self._over:
            watts = min(watts, self.car.curve_w.at(self.soc or 0.0))
        amps = self._grid_side(watts)[0] if watts > 0.0 else 0.0
        self._plant.wish(self.role, round(amps, 1))

    def _grid_side(self, dc_w: float) -> tuple[float, float]:
        """Current [A per line] and power factor at a DC power."""
        bank, idle_w, volts = self._bank, self._idle_w, self._phase_volts
        amps = bank.ac_a(dc_w) + idle_w / volts
        watts = bank.ac_w(dc_w) + idle_w
        if watts < 0.0:
            return -amps, min(-watts / (amps * volts), 1.0)
        return amps, min(watts / (amps * volts), 1.0) if amps > 0.0 else 1.0

    @property
    def _phase_volts(self) -> float:
        """Power [W] per ampere in each line."""
        return self._volts * len(self._branch.lines)

    def _tell_offer(self, t: float) -> None:
        offered_a = round(self.offered_a, 3)
        if self._offered.last() != offered_a:
            self._offered.append(t, offered_a)

    def _draw(self, dc_w: float, over_s: float = 0.0) -> None:
        amps, factor = self._grid_side(dc_w)
        if abs(amps - self._grid_a) > SMALL_A or over_s == 0.0:
            self._grid_a = amps
            self._plant.drive(self.role, amps, factor, over_s)

    def _say(self, state: str) -> None:
        self._record.event(clock.time(), "vehicle.state", self.role, state=state)

    def _at(self, name: str, t: float, action: Callable[[], None]) -> None:
        """Replace the timer called ``name``; infinity only cancels it."""
        old = self._timers.pop(name, None)
        if old is not None:
            old.cancel()
        if t < math.inf:
            self._timers[name] = asyncio.get_running_loop().call_at(t, action)


def _a_car(vehicle: Any) -> Car:
    if not isinstance(vehicle, Car):
        what = f"{type(vehicle).__name__} is no DC car"
        raise InputError("vehicle", Problem("", what, "give one of hilbench_emulators.dc"))
    return vehicle


def _soc_before(car: Car, energy_kwh: float | None) -> float:
    """State of charge of a car that lacks an energy to be full."""
    if energy_kwh is None:
        return USUAL_SOC
    return _soc_of(car, max(car.battery.stored_j(1.0) - energy_kwh * 3.6e6, 0.0))


def _soc_of(car: Car, stored_j: float) -> float:
    """State of charge at which so much is stored, by halving."""
    low, high = 0.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2.0
        low, high = (middle, high) if car.battery.stored_j(middle) < stored_j else (low, middle)
    return high
