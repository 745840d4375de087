"""The electrical half of an AC station: pilot, contactor and car, by timers of the loop and never by polling.

The station says what is allowed (:meth:`Outlet.allow`), the car says its state; the outlet acts on the plant.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import Any, Protocol

from hilbench import clock
from hilbench.signals import Record, contactor, offered_current
from hilbench.site import Branch
from hilbench_emulators.pilot import PilotWire
from hilbench_emulators.station.core import Offer, Watch, duty_of
from hilbench_emulators.station.pilot_guard import PilotGuard
from hilbench_emulators.station.settings import StationSettings
from hilbench_emulators.vehicles import load_vehicle

DIGITAL_PCT = 5.0
"""Duty cycle that offers nothing itself and says that the link tells the current (IEC 61851-1 Table A.7, recalled)."""


class Reading(Protocol):
    """Truth at a station: RMS current per line [A], voltage [V], power [W], energy [Wh], state of charge 0..1.

    The power is negative while the car discharges; energies are counted apart into and out of it.
    """

    @property
    def currents(self) -> dict[str, float]: ...  # noqa: D102
    @property
    def voltage_v(self) -> float: ...  # noqa: D102
    @property
    def power_w(self) -> float: ...  # noqa: D102
    @property
    def energy_wh(self) -> float: ...  # noqa: D102
    @property
    def soc(self) -> float | None: ...  # noqa: D102
    @property
    def exported_wh(self) -> float: ...  # noqa: D102


class PlantPort(Protocol):
    """What a station needs of the plant."""

    def plug_in(  # noqa: D102
        self,
        role: str,
        vehicle: Any,
        *,
        energy_kwh: float | None = None,
        soc: float | None = None,
        on_state: Callable[[str], None],
        on_current: Callable[[], None] | None = None,
    ) -> None: ...
    def unplug(self, role: str) -> None: ...  # noqa: D102
    def set_pilot(self, role: str, duty_pct: float | None) -> None: ...  # noqa: D102
    def set_supply(self, role: str, on: bool) -> None: ...  # noqa: D102
    def disconnect_pilot(self, role: str, open_: bool) -> None: ...  # noqa: D102
    def pilot_wire(self, role: str) -> PilotWire: ...  # noqa: D102
    def watch_pilot(self, role: str, on_change: Callable[[], None]) -> None: ...  # noqa: D102
    def order(self, role: str, current_a: float | None) -> None: ...  # noqa: D102
    def set_contactor(self, role: str, closed: bool) -> None: ...  # noqa: D102
    def station_reading(self, role: str) -> Reading: ...  # noqa: D102
    def drive(self, role: str, current_a: float, power_factor: float, over_s: float) -> None: ...  # noqa: D102
    def wish(self, role: str, current_a: float) -> None: ...  # noqa: D102


class Outlet:
    """One outlet. ``on_change`` is called after anything that a controller may want to hear of."""

    def __init__(
        self,
        branch: Branch,
        plant: PlantPort,
        settings: StationSettings,
        record: Record,
        on_change: Callable[[], None],
    ) -> None:
        self.role = branch.role
        self.car_state = "A"
        self.closed = False
        self.tripped = False
        self.powered = False
        self._plant = plant
        self._settings = settings
        self._signal = record.signal(offered_current(branch.role), "A")
        self._contactor = record.signal(contactor(branch.role), "1")
        self._record = record
        self._on_change = on_change
        self._allowed_a = 0.0
        self._wanted_order_a: float | None = None
        self._order_a: float | None = None
        self.car: Any = None
        self._offer = Offer(settings)
        self._watch = Watch(settings)
        self._guard = PilotGuard(settings.pilot, plant.pilot_wire(branch.role))
        self._told_fault: str | None = None
        plant.watch_pilot(branch.role, self._update)
        self._duty: float | None = 0.0
        self._withdrawn_at = math.inf
        self._timers: dict[str, asyncio.TimerHandle] = {}

    @property
    def offered_a(self) -> float:
        """What the pilot offers now [A], 0 without PWM."""
        return self._offer.offered_a

    @property
    def ordered_a(self) -> float | None:
        """What the car has been told over its link [A per phase], negative to discharge; None: the pilot counts."""
        return self._order_a

    @property
    def supplying(self) -> bool:
        """Something is offered on the pilot, or ordered over the link: then power may flow, either way."""
        return self.offered_a > 0 or self._order_a not in (None, 0.0)

    @property
    def plugged(self) -> bool:
        """A car is connected."""
        return self.car_state != "A"

    @property
    def fault(self) -> str | None:
        """What is wrong with the car's side of the pilot: "diode", "short", "ventilation" or nothing."""
        return self._guard.fault

    @property
    def faulted(self) -> bool:
        """Something is wrong that keeps it from charging."""
        return self.tripped or self.fault is not None

    @property
    def charging(self) -> bool:
        """The contactor is closed and the car asks for energy."""
        return self.closed and self.car_state in ("C", "D")

    def reading(self) -> Reading:
        """Truth at the outlet, now."""
        return self._plant.station_reading(self.role)

    def drawn_a(self) -> float:
        """Largest line current [A] now."""
        return max(self.reading().currents.values(), default=0.0)

    def power_up(self) -> None:
        """Supply is there: pilot at steady 12 V, contactor open."""
        self.powered = True
        self.tripped = False
        self._plant.set_supply(self.role, True)
        self._contactor.append(clock.time(), 0.0)
        self._update()

    def power_down(self) -> None:
        """Supply is gone: the contactor falls open, the pilot is dead."""
        self.powered = False
        self._cancel_timers()
        self._offer = Offer(self._settings)
        self._allowed_a = 0.0
        self._wanted_order_a = None
        self._open()
        self._guard.reset()
        self._plant.set_supply(self.role, False)
        self._send_duty(0.0)
        self._end_order()
        self._signal.append(clock.time(), 0.0)

    def plug_in(self, vehicle: Any, energy_kwh: float | None, soc: float | None) -> None:
        """Connect a car, which is a ``Vehicle`` or the name of one."""
        self.car = _car(vehicle)
        self._plant.plug_in(
            self.role, self.car, energy_kwh=energy_kwh, soc=soc, on_state=self._car_changed, on_current=self._look
        )
        if self.car_state == "A":
            self._car_changed("B")

    def unplug(self) -> None:
        """Disconnect the car; what it tripped is forgotten."""
        self._open()
        self._plant.unplug(self.role)
        self.tripped = False
        self._guard.reset()
        self.car = self._order_a = None
        self._car_changed("A")

    def allow(self, current_a: float, order_a: float | None = None, able: bool = True) -> None:  # noqa: ARG002 - for DC
        """Offer up to ``current_a`` per phase from now on; 0 pauses. ``order_a`` goes over the car's link instead."""
        self._allowed_a, self._wanted_order_a = current_a, order_a
        self._update()

    def _car_changed(self, state: str) -> None:
        self.car_state = state
        if self.powered:
            self._update()
        self._on_change()

    def _update(self) -> None:
        if not self.powered:
            return
        t = clock.time()
        self._guard.advance(t)
        self._offer_or_order(t)
        self._look_at_pilot(t)
        self._switch(t)

    def _offer_or_order(self, t: float) -> None:
        usable = self.plugged and not self.faulted
        if self._wanted_order_a is not None and usable:
            self._tell_order(t, self._wanted_order_a)
            return
        before = self._offer.offered_a
        self._at("offer", self._offer.step(t, self._allowed_a if usable else 0.0), self._update)
        if self._offer.offered_a != before:
            self._on_change()
            self._at("watch", t, self._look)  # starts the time that the car has to follow
        self._signal.append(t, self._offer.offered_a)
        self._send_duty(duty_of(self._offer.offered_a))
        self._end_order()

    def _look_at_pilot(self, t: float) -> None:
        self._guard.look(t, offers=self._duty not in (None, 0.0))
        self._at("pilot", self._guard.due, self._update)
        if self._guard.fault != self._told_fault:
            self._told_fault = self._guard.fault
            self._record.event(t, "station.pilot", self.role, fault=self._told_fault or "none")
            self._on_change()

    def _tell_order(self, t: float, current_a: float) -> None:
        """Order a current over the link, with the pilot at the duty cycle that says that the link counts."""
        self._offer.order(t, current_a)
        self._at("offer", math.inf, self._update)
        if current_a != self._order_a:
            self._order_a = current_a
            self._plant.order(self.role, current_a)
            self._on_change()
            self._at("watch", t, self._look)
        self._signal.append(t, self._offer.offered_a)
        self._send_duty(DIGITAL_PCT)

    def _end_order(self) -> None:
        """The pilot counts again."""
        if self._order_a is not None:
            self._order_a = None
            self._plant.order(self.role, None)
            self._on_change()

    def _send_duty(self, duty: float | None) -> None:
        """``duty``, unless the pilot shows a fault or wakes the car."""
        held = {"F": 0.0, "x1": None, "open": None}
        duty = held.get(self._guard.holds, duty) if self._guard.holds else duty
        self._plant.disconnect_pilot(self.role, self._guard.holds == "open")
        if duty != self._duty:
            self._duty = duty
            self._plant.set_pilot(self.role, duty)

    def _switch(self, t: float) -> None:
        """Contactor: closed for a car that asks and is offered something, open for one that does not ask."""
        wanted = self.car_state in ("C", "D")
        if not wanted or self.faulted or self._guard.load == "A":
            self._at("close", math.inf, self._close)
            self._soon("open", t, 0.0 if self.fault == "short" else self._settings.pilot.open_s, self._open)
        elif self._offer.offered_a > 0 or self._order_a is not None:
            self._withdrawn_at = math.inf
            self._at("pause", math.inf, self._open)
            self._at("open", math.inf, self._open)
            if self._guard.may_close:
                self._soon("close", t, self._settings.pilot.energise_s, self._close)
        elif self.closed and self._withdrawn_at == math.inf:
            self._withdrawn_at = t
            self._at("pause", t + self._settings.pilot.force_s, self._open)

    def _soon(self, name: str, t: float, delay_s: float, action: Callable[[], None]) -> None:
        """Let the contactor move after the time that it takes, counted from the first call."""
        if delay_s <= 0.0:
            action()
        elif name not in self._timers:
            self._at(name, t + delay_s, action)

    def _close(self) -> None:
        self._at("close", math.inf, self._close)
        if not self.closed:
            self.closed = True
            self._moved()

    def _open(self) -> None:
        self._withdrawn_at = math.inf
        for name in ("pause", "watch", "open", "close"):
            self._at(name, math.inf, self._look)
        self._watch = Watch(self._settings)
        if self.closed:
            self.closed = False
            self._moved()

    def _moved(self) -> None:
        self._plant.set_contactor(self.role, self.closed)
        self._contactor.append(clock.time(), float(self.closed))
        self._on_change()

    def _look(self) -> None:
        """Compare what is drawn with what is offered: when either changes, and in steps while it is too much."""
        if not self.closed:
            return
        t, drawn = clock.time(), self.drawn_a()
        granted = self._offer.offered_a if self._order_a is None else abs(self._order_a)
        if not self._watch.look(t, granted, drawn):
            self._at("watch", self._watch.next_look(t), self._look)
            return
        self.tripped = True
        self._record.event(t, "station.overcurrent", self.role, offered_a=granted, drawn_a=drawn)
        self._update()

    def _at(self, name: str, t: float, action: Callable[[], None]) -> None:
        """Replace the timer called ``name``; infinity only cancels it."""
        old = self._timers.pop(name, None)
        if old is not None:
            old.cancel()
        if t < math.inf:
            self._timers[name] = asyncio.get_running_loop().call_at(t, action)

    def _cancel_timers(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()


def _car(vehicle: Any) -> Any:
    return load_vehicle(vehicle) if isinstance(vehicle, str) else vehicle
