"""The electrical truth: what flows in every line of the site, recorded exactly where it changes its course.

Stations act on it (pilot, contactor), meters read it, cars live in it. Between events every current has a closed form
(``plant_core``); one timer waits for the next event of any car or of the building, and nothing is stepped.
"""

from __future__ import annotations

import asyncio
import heapq
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from hilbench import clock
from hilbench.errors import InputError, Problem
from hilbench.signals import (
    Record,
    base_current,
    demanded_current,
    line_current,
    station_energy,
    station_power,
)
from hilbench.site import Branch, Site
from hilbench_emulators.building import BaseLoad, ChangingLoad
from hilbench_emulators.onboard_charger import Move, OnboardCharger
from hilbench_emulators.plant_core import Complex, PlantCore, Snapshot
from hilbench_emulators.vehicles import Vehicle, load_vehicle

OnState = Callable[[str], None]
RAMP_PIECES = 4
"""Samples per ramp: phasors of different angle do not add up to straight lines."""
TAPER_SHARE = 0.1
"""Step between samples of a taper as a share of its time constant: linear interpolation errs by 0.04 A at 32 A."""
FULL_SHARE = 0.05
"""A car ends charging when its battery takes this share of the full power (policy-default)."""


@dataclass(frozen=True)
class NodeReading:
    """Truth at a node by line: RMS currents [A], voltages to neutral [V], active and reactive power [W, var]."""

    currents: dict[str, float]
    voltages_v: dict[str, float]
    power_w: dict[str, float]
    reactive_var: dict[str, float]


@dataclass(frozen=True)
class StationReading:
    """Truth at a station: RMS current per line [A], voltage [V], power [W], energy [Wh], state of charge 0..1."""

    currents: dict[str, float]
    voltage_v: float
    power_w: float
    energy_wh: float
    soc: float | None


@dataclass
class _Slot:
    """One station's outlet and the car in it."""

    row: int
    branch: Branch
    voltage_v: float
    charger: OnboardCharger | None = None
    on_state: OnState | None = None
    on_current: Callable[[], None] | None = None
    duty_pct: float | None = None
    contactor: bool = False
    remaining_wh: float = 0.0
    capacity_wh: float = 1.0
    taper_wh: float = 1.0
    version: int = 0
    lines: tuple[str, ...] = ()
    weights: tuple[float, ...] = ()


class Plant:
    """The site's currents. All methods act at the running loop's time; call them from within the loop."""

    def __init__(self, site: Site, record: Record, *, seed: int = 0) -> None:
        self.site = site
        self.record = record
        self.seed = seed
        self._core = PlantCore(site)
        self._slots = {
            branch.role: _Slot(row, branch, site.voltage_v(branch)) for row, branch in enumerate(site.branches)
        }
        self._load: BaseLoad | None = None
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        self._timer: asyncio.TimerHandle | None = None
        self._t = 0.0
        self._energy = np.zeros(len(site.branches))
        self._node_index = {node.id: index for index, node in enumerate(site.nodes)}
        self._volts = site.service.line_to_neutral_v
        self._conjugates = [site.service.phasor(line).conjugate() for line in site.lines]
        self._scale = np.zeros(len(site.branches))
        self._cache: Snapshot | None = None
        self._changed: dict[str, _Slot] = {}
        self._occupied: dict[str, _Slot] = {}
        self._stopped = False
        self._node_signals = [
            [record.signal(line_current(node.id, line), "A", "linear") for line in site.lines] for node in site.nodes
        ]
        for slot in self._slots.values():
            self._write_station_zero(slot)
        self._base_signals = [record.signal(base_current(line), "A", "linear") for line in site.lines]

    # stations

    def plug_in(
        self,
        role: str,
        vehicle: Vehicle | str,
        *,
        energy_kwh: float | None = None,
        soc: float | None = None,
        on_state: OnState,
        on_current: Callable[[], None] | None = None,
    ) -> None:
        """Connect a car that wants ``energy_kwh`` or is at ``soc`` (default 0.3); raises ``InputError`` if occupied.

        ``on_state`` hears each state of the pilot, ``on_current`` whenever the car's current has taken a new course.
        """
        slot = self._slots[role]
        if slot.charger is not None:
            raise InputError(f"station {role}", Problem("", "a car is already plugged in", "unplug it first"))
        model = load_vehicle(vehicle) if isinstance(vehicle, str) else vehicle
        now = self._advance()
        phases = 1 if slot.branch.line_to_line else len(slot.branch.lines)
        slot.charger = OnboardCharger(model, phases, slot.branch.max_a)
        slot.on_state, slot.on_current = on_state, on_current
        slot.capacity_wh = model.battery_kwh * 1000.0
        wanted = (1.0 - (0.3 if soc is None else soc)) * slot.capacity_wh if energy_kwh is None else energy_kwh * 1000.0
        slot.capacity_wh = max(slot.capacity_wh, wanted)
        slot.remaining_wh = wanted
        slot.taper_wh = (1.0 - model.taper_soc) * slot.capacity_wh
        self._occupied[role] = slot
        self._connect(slot)
        self._demand(slot, now)
        self._say(slot, "B", now)
        self._apply(slot, slot.charger.offer(now, slot.duty_pct))
        self._arm()

    def unplug(self, role: str) -> None:
        """Disconnect the car, under load if need be."""
        slot = self._slots[role]
        if slot.charger is None:
            return
        now = self._advance()
        self._before(now)
        self._interrupt(slot, now)
        slot.charger, slot.version = None, slot.version + 1
        del self._occupied[role]
        self._after(now)
        self._demand(slot, now)
        self._say(slot, "A", now)
        slot.on_state = slot.on_current = None
        self._arm()

    def set_pilot(self, role: str, duty_pct: float | None) -> None:
        """Put a duty cycle [%] on the pilot; None or 100 is a steady pilot without PWM, 0 is state F."""
        slot = self._slots[role]
        slot.duty_pct = None if duty_pct is None or duty_pct >= 100.0 else duty_pct
        if slot.charger is not None:
            now = self._advance()
            self._apply(slot, slot.charger.offer(now, slot.duty_pct))
            self._arm()

    def set_contactor(self, role: str, closed: bool) -> None:
        """Close or open the contactor; opening interrupts the current at once."""
        slot = self._slots[role]
        if slot.contactor == closed:
            return
        slot.contactor = closed
        if slot.charger is None:
            return
        now = self._advance()
        if not closed:
            self._before(now)
            self._interrupt(slot, now)
            self._after(now)
        self._apply(slot, slot.charger.energise(now, closed))
        self._arm()

    def pilot_state(self, role: str) -> str:
        """State of the pilot: A no car, B connected, C ready, F when the duty cycle is 0."""
        slot = self._slots[role]
        if slot.charger is None:
            return "A"
        return "F" if slot.duty_pct == 0.0 else slot.charger.state

    def ignore_pilot(self, role: str, current_a: float | None) -> None:
        """Fault: the car draws ``current_a`` per phase whatever the pilot says; None ends it."""
        slot = self._slots[role]
        if slot.charger is not None:
            now = self._advance()
            slot.charger.stuck_a = current_a
            self._apply(slot, [Move(now, None, slot.charger.target_a())])
            self._arm()

    def demand_a(self, role: str) -> float:
        """Current [A per phase] that the car would draw now if it were offered everything."""
        self._advance()
        return self._wish_a(self._slots[role])

    # building and readings

    def set_base_load(self, load: BaseLoad) -> None:
        """Let ``load`` draw at the service from now on; it may tell of changes through ``on_change``."""
        now = self._advance()
        self._before(now)
        self._load = load
        if isinstance(load, ChangingLoad):
            load.on_change = self._base_changed
        self._after(now)
        self._arm()

    def _base_changed(self) -> None:
        now = clock.time()
        # the load has changed already: what stood before is what the last evaluation extrapolates to
        self._settle_energy(now)
        self._after(now)
        self._arm()

    def touch(self) -> None:
        """Record everything as it is now: before the building is changed, and before anybody reads the record."""
        now = self._advance()
        self._before(now)
        for slot in self._slots.values():
            self._write_station(slot, now)

    def reading(self, node_id: str) -> NodeReading:
        """Truth at a node now; raises ``KeyError`` for an unknown node."""
        now = self._run_due()
        index = self._node_index[node_id]
        phasors: list[complex] = self._at(now).nodes[index].tolist()
        power = [self._volts * phasor * unit for phasor, unit in zip(phasors, self._conjugates, strict=True)]
        lines = self.site.lines
        return NodeReading(
            currents=dict(zip(lines, map(abs, phasors), strict=True)),
            voltages_v=dict.fromkeys(lines, self._volts),
            power_w={line: value.real for line, value in zip(lines, power, strict=True)},
            reactive_var={line: -value.imag for line, value in zip(lines, power, strict=True)},
        )

    def station_reading(self, role: str) -> StationReading:
        """Truth at a station now."""
        now = self._advance()
        slot = self._slots[role]
        amps, factor = self._core.draw(slot.row, now)
        soc = None if slot.charger is None else 1.0 - slot.remaining_wh / slot.capacity_wh
        drawn = {line: amps * weight for line, weight in zip(slot.lines, slot.weights, strict=True)}
        return StationReading(
            currents={line: drawn.get(line, 0.0) for line in slot.branch.lines},
            voltage_v=slot.voltage_v,
            power_w=amps * factor * float(self._scale[slot.row]),
            energy_wh=float(self._energy[slot.row]),
            soc=soc,
        )

    def stop(self) -> None:
        """Record the last values and end the timer."""
        if not self._stopped:
            self.touch()
            self._stopped = True
            if self._timer is not None:
                self._timer.cancel()

    # inside

    def _connect(self, slot: _Slot) -> None:
        """Wire the car's phases to the site's lines."""
        assert slot.charger is not None
        charger, branch = slot.charger, slot.branch
        units = self.site.unit_currents(branch, charger.phases)
        factors = charger.response.asymmetry
        if branch.line_to_line:
            weights = [1.0, 1.0]
        else:
            weights = [factors[min(k, len(factors) - 1)] for k in range(charger.phases)]
        slot.lines, slot.weights = tuple(units), tuple(weights)
        names = list(self.site.lines)
        self._core.set_units(
            slot.row,
            {names.index(line): unit * weight for (line, unit), weight in zip(units.items(), weights, strict=True)},
            charger.response.capacitive,
        )
        self._scale[slot.row] = slot.voltage_v * (1.0 if branch.line_to_line else math.fsum(weights))
        self._cache = None

    def _apply(self, slot: _Slot, moves: list[Move]) -> None:
        charger = slot.charger
        for move in moves:
            self._schedule(move.t, partial(self._move, slot, charger, move))

    def _move(self, slot: _Slot, charger: OnboardCharger | None, move: Move) -> None:
        if charger is None or slot.charger is not charger:
            return
        now = self._t
        if move.state == "C":
            if charger.state == "C" or not charger.wants_power():
                return
            charger.state = "C"
            self._say(slot, "C", now)
            if charger.energised:
                self._apply(slot, charger.energise(now, True))
        elif move.state == "B" and charger.state != "B":
            charger.state = "B"
            self._say(slot, "B", now)
        if move.target_a is not None and charger.energised:
            self._ramp(slot, move.target_a)

    def _ramp(self, slot: _Slot, target_a: float) -> None:
        charger = slot.charger
        assert charger is not None
        now, row, core = self._t, slot.row, self._core
        present = core.current(row, now)
        limit = self._taper_limit_a(slot)
        aim = min(target_a, limit)
        if abs(aim - present) < 1e-9 and math.isinf(core.tau[row]):
            self._plan(slot, now)
            return
        factor = charger.response.power_factor
        self._mark(slot)
        core.ramp(row, now, aim, charger.vehicle.slew_a_per_s, (factor(present or aim), factor(aim or present)))
        slot.version += 1
        end = core.ramp_end(row)
        for piece in range(1, RAMP_PIECES):
            self._later(slot, now + (end - now) * piece / RAMP_PIECES, partial(self._mark, slot))
        self._later(slot, end, lambda: self._plan(slot, self._t))

    def _plan(self, slot: _Slot, now: float) -> None:
        """At a steady current: wait for the taper, for the end, or go back to B when the car has ramped to nothing."""
        charger = slot.charger
        if charger is None:
            return
        self._mark(slot)
        power = self._power_w(slot)
        if power <= 1.0:
            if charger.state == "C" and charger.offered_a < 6.0:
                charger.state = "B"
                self._say(slot, "B", now)
                self._retry(slot, now)
            return
        limit_wh = slot.taper_wh * power / self._full_power_w(slot)
        if slot.remaining_wh > limit_wh + 1e-6:
            self._later(slot, now + (slot.remaining_wh - limit_wh) / power * 3600.0, lambda: self._plan(slot, self._t))
            return
        tau = slot.remaining_wh / power * 3600.0
        self._core.decline(slot.row, now, tau)
        slot.version += 1
        self._taper(slot, now, tau)

    def _retry(self, slot: _Slot, now: float) -> None:
        assert slot.charger is not None
        self._apply(slot, slot.charger.offer(now, slot.duty_pct))

    def _taper(self, slot: _Slot, now: float, tau: float) -> None:
        self._mark(slot)
        if slot.remaining_wh <= FULL_SHARE * slot.taper_wh:
            self._finish(slot)
            return
        self._demand(slot, now)
        self._later(slot, now + TAPER_SHARE * tau, lambda: self._taper(slot, self._t, tau))

    def _finish(self, slot: _Slot) -> None:
        charger = slot.charger
        assert charger is not None
        charger.full = True
        slot.remaining_wh = 0.0
        self._demand(slot, self._t)
        self._core.ramp(slot.row, self._t, 0.0, charger.vehicle.slew_a_per_s, (1.0, 1.0))
        slot.version += 1
        end = self._core.ramp_end(slot.row)
        self._schedule(end, lambda: self._move(slot, charger, Move(end, "B")))

    def _full_power_w(self, slot: _Slot) -> float:
        assert slot.charger is not None
        most = slot.charger.response.drawn_a(slot.charger.max_a)
        return max(most * slot.charger.response.power_factor(most) * float(self._scale[slot.row]), 1.0)

    def _taper_limit_a(self, slot: _Slot) -> float:
        assert slot.charger is not None
        most = slot.charger.response.drawn_a(slot.charger.max_a)
        return most * min(1.0, slot.remaining_wh / slot.taper_wh)

    def _power_w(self, slot: _Slot) -> float:
        amps, factor = self._core.draw(slot.row, self._t)
        return amps * factor * float(self._scale[slot.row])

    def _interrupt(self, slot: _Slot, now: float) -> None:
        self._mark(slot)
        self._core.interrupt(slot.row, now)

    def _mark(self, slot: _Slot) -> None:
        """Record a car before its course changes, and once more after all that happens in this instant.

        Between two marks a car's current is straight, so that its samples do not depend on what others do.
        """
        if slot.branch.role not in self._changed:
            self._changed[slot.branch.role] = slot
            self._write_station(slot, self._t)

    def _say(self, slot: _Slot, state: str, now: float) -> None:
        self.record.event(now, "vehicle.state", slot.branch.role, state=state)
        if slot.on_state is not None:
            # never re-entrant: the station hears of it after this instant's work
            asyncio.get_running_loop().call_soon(slot.on_state, state)

    def _demand(self, slot: _Slot, now: float) -> None:
        signal = self.record.signal(demanded_current(slot.branch.role), "A", "step")
        signal.append(now, self._wish_a(slot))

    def _wish_a(self, slot: _Slot) -> float:
        """What the car would draw if it were offered everything: less while its battery limits it."""
        return 0.0 if slot.charger is None else min(slot.charger.unmanaged_a(), self._taper_limit_a(slot))

    # time

    def _schedule(self, t: float, action: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._events, (max(t, self._t), self._count, action))

    def _later(self, slot: _Slot, t: float, action: Callable[[], None]) -> None:
        """Schedule what only holds as long as the car keeps its present course."""
        version = slot.version

        def act() -> None:
            if slot.version == version:
                action()

        self._schedule(t, act)

    def _advance(self) -> float:
        """Bring the truth to now: run what is due, and integrate energy up to now."""
        now = self._run_due()
        self._settle_energy(now)
        return now

    def _run_due(self) -> float:
        """Run what is due and record its corners; returns now, to which energy is not yet counted."""
        now = clock.time()
        while (due := self._next()) <= now:
            self._settle_energy(due)
            self._before(due)
            while self._events and self._events[0][0] <= due:
                heapq.heappop(self._events)[2]()
            self._after(due)
        return now

    def _next(self) -> float:
        first = self._events[0][0] if self._events else math.inf
        return min(first, math.inf if self._load is None else self._load.next_kink(self._t))

    def _settle_energy(self, t: float) -> None:
        """Add the energy since the last time."""
        start, self._t = self._t, max(t, self._t)
        if t <= start or not self._occupied:
            return
        added = self._core.watts(start, t, self._scale) * ((t - start) / 3600.0)
        self._energy += added
        for slot in self._occupied.values():
            slot.remaining_wh = max(slot.remaining_wh - float(added[slot.row]), 0.0)

    def _sample(self, t: float, before: bool = False) -> Snapshot:
        base: Complex | None = None
        if self._load is not None:
            base = self._load.currents(t, before=before)
        return self._core.at(t, base)

    def _at(self, t: float) -> Snapshot:
        if self._cache is None or self._cache.t != t:
            self._cache = self._sample(t)
        return self._cache

    def _before(self, t: float) -> None:
        self._write(self._sample(t, before=True), before=True)

    def _after(self, t: float) -> None:
        self._cache = None
        self._write(self._at(t))
        for slot in self._changed.values():
            self._write_station(slot, t)
            if slot.on_current is not None:
                asyncio.get_running_loop().call_soon(slot.on_current)
        self._changed.clear()

    def _write(self, snapshot: Snapshot, before: bool = False) -> None:
        t = snapshot.t
        for signals, amps in zip(self._node_signals, np.abs(snapshot.nodes).tolist(), strict=True):
            for signal, value in zip(signals, amps, strict=True):
                signal.append(t, value)
        phasors = None if self._load is None else self._load.currents(t, before=before)
        base = np.zeros(len(self.site.lines)) if phasors is None else np.abs(phasors)
        for signal, value in zip(self._base_signals, base.tolist(), strict=True):
            signal.append(t, value)

    def _write_station(self, slot: _Slot, t: float) -> None:
        role = slot.branch.role
        amps, factor = self._core.draw(slot.row, t)
        for line, weight in zip(slot.lines, slot.weights, strict=True):
            self.record.signal(line_current(role, line), "A", "linear").append(t, amps * weight)
        watts = amps * factor * float(self._scale[slot.row])
        self.record.signal(station_power(role), "W", "linear").append(t, watts)
        self.record.signal(station_energy(role), "Wh", "linear").append(t, float(self._energy[slot.row]))

    def _write_station_zero(self, slot: _Slot) -> None:
        """Begin every station's signals now, so that what comes later is not taken for what was before."""
        role, now = slot.branch.role, clock.time()
        self._t = now
        for line in slot.branch.lines:
            self.record.signal(line_current(role, line), "A", "linear").append(now, 0.0)
        self.record.signal(station_power(role), "W", "linear").append(now, 0.0)
        self.record.signal(station_energy(role), "Wh", "linear").append(now, 0.0)
        self._demand(slot, now)

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self._next()
        if due < math.inf and not self._stopped:
            self._timer = asyncio.get_running_loop().call_at(due, self._fire)

    def _fire(self) -> None:
        self._timer = None
        self._advance()
        self._arm()
