"""The plant's time: one heap of events, energy counted up to each, and the record written exactly where it must be.

Between events every current has a closed form (``plant_core``); one timer waits for the next event of any car or of
the building, and nothing is stepped.
"""

from __future__ import annotations

import asyncio
import heapq
import math
from collections.abc import Callable

import numpy as np

from hilbench import clock
from hilbench.signals import (
    Record,
    Signal,
    base_current,
    demanded_current,
    exported_energy,
    line_current,
    node_power,
    state_of_charge,
    station_energy,
    station_power,
)
from hilbench.site import Site
from hilbench_emulators.building import BaseLoad
from hilbench_emulators.plant_core import Complex, PlantCore, Snapshot
from hilbench_emulators.plant_slot import Slot


class Timeline:
    """Events of the plant in their order. ``two_way`` also records the power of the service with its direction."""

    def __init__(self, site: Site, record: Record, *, two_way: bool = False) -> None:
        self.site = site
        self.record = record
        self._two_way = two_way
        self._core = PlantCore(site)
        self._slots = {
            branch.role: Slot(row, branch, site.voltage_v(branch)) for row, branch in enumerate(site.branches)
        }
        self._loads: dict[int, tuple[BaseLoad, list[int]]] = {}
        self._carriers: list[int] = []
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        self._timer: asyncio.TimerHandle | None = None
        self._t = 0.0
        self._energy = np.zeros(len(site.branches))
        self._exported = np.zeros(len(site.branches))
        self._volts = site.service.line_to_neutral_v
        self._conjugates = [site.service.phasor(line).conjugate() for line in site.lines]
        self._scale = np.zeros(len(site.branches))
        self._cache: Snapshot | None = None
        self._changed: dict[str, Slot] = {}
        self._occupied: dict[str, Slot] = {}
        self._stopped = False
        self._node_signals = [
            [record.signal(line_current(node.id, line), "A", "linear") for line in site.lines] for node in site.nodes
        ]
        for slot in self._slots.values():
            self._write_station_zero(slot)
        self._base_signals = {0: self._signals_of_base("service")}

    # events

    def _schedule(self, t: float, action: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._events, (max(t, self._t), self._count, action))

    def _later(self, slot: Slot, t: float, action: Callable[[], None]) -> None:
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
        return min(first, *(load.next_kink(self._t) for load, _rows in self._loads.values()), math.inf)

    def _settle_energy(self, t: float) -> None:
        """Add the energy since the last time. No current changes its direction in between: that is an event."""
        start, self._t = self._t, max(t, self._t)
        if t <= start or not self._occupied:
            return
        added = self._core.watts(start, t, self._scale) * ((t - start) / 3600.0)
        self._energy += np.maximum(added, 0.0)
        self._exported += np.maximum(-added, 0.0)
        for slot in self._occupied.values():
            slot.take(float(added[slot.row]))

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

    # record

    def _sample(self, t: float, before: bool = False) -> Snapshot:
        return self._core.at(t, self._base(t, before))

    def _base(self, t: float, before: bool) -> Complex | None:
        """Line phasors of all that is no car [node, line], as far down as there is any; None where nothing is."""
        if not self._loads:
            return None
        total = np.zeros((1 + max(self._carriers, default=0), len(self.site.lines)), dtype=np.complex128)
        for load, rows in self._loads.values():
            total[rows] += load.currents(t, before=before)
        return total

    def _signals_of_base(self, node: str) -> list[Signal]:
        return [self.record.signal(base_current(line, node), "A", "linear") for line in self.site.lines]

    def _at(self, t: float) -> Snapshot:
        if self._cache is None or self._cache.t != t:
            self._cache = self._sample(t)
        return self._cache

    def _mark(self, slot: Slot) -> None:
        """Record a car before its course changes, and once more after all that happens in this instant.

        Between two marks a car's current is straight, so that its samples do not depend on what others do.
        """
        if slot.branch.role not in self._changed:
            self._changed[slot.branch.role] = slot
            self._write_station(slot, self._t)

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
        base = self._base(t, before)
        amps = np.zeros((1, len(self.site.lines))) if base is None else np.abs(base)
        for row, signals in self._base_signals.items():
            for signal, value in zip(signals, amps[row].tolist(), strict=True):
                signal.append(t, value)
        if self._two_way:
            service = math.fsum(power.real for power in self._node_powers(snapshot, 0))
            self.record.signal(node_power(self.site.nodes[0].id), "W", "linear").append(t, service)

    def _node_powers(self, snapshot: Snapshot, index: int) -> list[complex]:
        """Complex power [VA] of each line at a node, into the site; the imaginary part is that of leading current."""
        phasors: list[complex] = snapshot.nodes[index].tolist()
        return [self._volts * phasor * unit for phasor, unit in zip(phasors, self._conjugates, strict=True)]

    def _write_station(self, slot: Slot, t: float) -> None:
        role = slot.branch.role
        amps, factor = self._core.draw(slot.row, t)
        for line, weight in zip(slot.lines, slot.weights, strict=True):
            self.record.signal(line_current(role, line), "A", "linear").append(t, abs(amps) * weight)
        watts = amps * factor * float(self._scale[slot.row])
        self.record.signal(station_power(role), "W", "linear").append(t, watts)
        self.record.signal(station_energy(role), "Wh", "linear").append(t, float(self._energy[slot.row]))
        if slot.two_way:
            self._write_battery(slot, t)

    def _write_battery(self, slot: Slot, t: float) -> None:
        role, soc = slot.branch.role, slot.soc
        self.record.signal(exported_energy(role), "Wh", "linear").append(t, float(self._exported[slot.row]))
        if soc is not None:
            self.record.signal(state_of_charge(role), "1", "linear").append(t, soc)

    def _write_station_zero(self, slot: Slot) -> None:
        """Begin every station's signals now, so that what comes later is not taken for what was before."""
        role, now = slot.branch.role, clock.time()
        self._t = now
        for line in slot.branch.lines:
            self.record.signal(line_current(role, line), "A", "linear").append(now, 0.0)
        self.record.signal(station_power(role), "W", "linear").append(now, 0.0)
        self.record.signal(station_energy(role), "Wh", "linear").append(now, 0.0)
        self._demand(slot, now)

    def _demand(self, slot: Slot, now: float) -> None:
        signal = self.record.signal(demanded_current(slot.branch.role), "A", "step")
        signal.append(now, slot.wish_a())
