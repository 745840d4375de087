"""The electrical truth: what flows in every line of the site, recorded exactly where it changes its course.

Stations act on it (pilot, contactor, orders to a car with a link), meters read it, cars live in it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from hilbench import clock
from hilbench.errors import InputError, Problem
from hilbench.signals import Record, state_of_charge
from hilbench.site import Site
from hilbench_emulators.building import BaseLoad, ChangingLoad
from hilbench_emulators.onboard_charger import Move, OnboardCharger
from hilbench_emulators.pilot import Circuit, PilotWire
from hilbench_emulators.plant_cars import Cars
from hilbench_emulators.plant_slot import NodeReading as NodeReading
from hilbench_emulators.plant_slot import OnState, Slot
from hilbench_emulators.plant_slot import StationReading as StationReading
from hilbench_emulators.vehicles import Vehicle, load_vehicle


class Plant(Cars):
    """The site's currents. All methods act at the running loop's time; call them from within the loop."""

    def __init__(self, site: Site, record: Record, *, seed: int = 0, two_way: bool = False) -> None:
        super().__init__(site, record, two_way=two_way)
        self.seed = seed
        self._node_index = {node.id: index for index, node in enumerate(site.nodes)}

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

        Of a car that can discharge only ``soc`` counts where both are given: what it wants is no end for it.
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
        slot.fill(model, energy_kwh, soc)
        self._occupied[role] = slot
        self._connect(slot)
        self._begin_battery(slot, now)
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
        now = self._advance() if slot.charger is not None else clock.time()
        slot.show(now)
        if slot.charger is not None:
            self._apply(slot, slot.charger.offer(now, None if slot.pilot_open else slot.duty_pct))
            self._arm()

    def order(self, role: str, current_a: float | None) -> None:
        """Tell the car over its link to take ``current_a`` per phase, negative to give it; None: only the pilot counts.

        A car that cannot discharge takes a negative order for 0 A. What is ordered counts instead of the pilot.
        """
        slot = self._slots[role]
        if slot.charger is not None:
            now = self._advance()
            self._apply(slot, slot.charger.order(now, current_a))
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

    def pilot_wire(self, role: str) -> PilotWire:
        """What is on the pilot of a station and what has changed in the last minute, for probes; it stays current."""
        return self._slots[role].wire

    def set_supply(self, role: str, on: bool) -> None:
        """The station has supply or not: without it the wire is dead."""
        slot = self._slots[role]
        slot.supplied = on
        slot.show(clock.time())

    def disconnect_pilot(self, role: str, open_: bool) -> None:
        """The station opens the relay in its pilot, or closes it: an open one leaves the car without any voltage."""
        slot = self._slots[role]
        if slot.pilot_open != open_:
            slot.pilot_open = open_
            self.set_pilot(role, slot.duty_pct)

    def set_circuit(self, role: str, circuit: Circuit) -> None:
        """Another pilot circuit: parts that are off, or faults; probes and the station see it, the car does not."""
        slot = self._slots[role]
        slot.circuit = circuit
        slot.show(clock.time())
        if slot.on_pilot is not None:
            asyncio.get_running_loop().call_soon(slot.on_pilot)

    def watch_pilot(self, role: str, on_change: Callable[[], None]) -> None:
        """Let a station hear of each change of its pilot's circuit; of its car's states it hears by ``plug_in``."""
        self._slots[role].on_pilot = on_change

    def pause(self, role: str, paused: bool) -> None:
        """The car at a station wants no energy for now: it ramps down and goes to state B, or asks again."""
        slot = self._slots[role]
        if slot.charger is not None:
            now = self._advance()
            self._apply(slot, slot.charger.pause(now, paused))
            self._arm()

    def ignore_pilot(self, role: str, current_a: float | None) -> None:
        """Fault: the car draws ``current_a`` per phase whatever the pilot says; None ends it."""
        slot = self._slots[role]
        if slot.charger is not None:
            now = self._advance()
            slot.charger.stuck_a = current_a
            self._apply(slot, [Move(now, None, slot.charger.target_a())])
            self._arm()

    # DC stations

    def drive(self, role: str, current_a: float, power_factor: float, over_s: float) -> None:
        """A DC station draws ``current_a`` in each line ``over_s`` [s] from now; until then it goes there evenly.

        A negative current is one that it gives. ``power_factor`` is that at ``current_a``.
        """
        slot, core = self._slots[role], self._core
        now = self._advance()
        self._before(now)
        if not slot.lines:
            self._connect_station(slot)
        self._mark(slot)
        present, factor = core.draw(slot.row, now)
        rate = abs(current_a - present) / over_s if over_s > 0.0 else 1e9
        core.ramp(slot.row, now, current_a, max(rate, 1e-9), (factor if present else power_factor, power_factor))
        slot.version += 1
        if current_a * present < 0.0:
            self._later(slot, core.zero_crossing(slot.row), partial(self._mark, slot))
        self._later(slot, core.ramp_end(slot.row), partial(self._mark, slot))
        self._after(now)
        self._arm()

    def wish(self, role: str, current_a: float) -> None:
        """What a DC station's car would draw from the grid in each line if it were offered everything."""
        slot = self._slots[role]
        if slot.wished_a != current_a:
            slot.wished_a = current_a
            self._demand(slot, clock.time())

    def demand_a(self, role: str) -> float:
        """Current [A per phase] that the car would draw now if it were offered everything."""
        self._advance()
        return self._slots[role].wish_a()

    # building and readings

    def set_base_load(self, load: BaseLoad, node_id: str = "service") -> None:
        """Let ``load`` draw at a node, and through all that feed it, from now on, instead of the one that drew there.

        It may tell of changes through ``on_change``. Raises ``KeyError`` for an unknown node.
        """
        rows = [self._node_index[one] for one in self.site.path(node_id)]
        now = self._advance()
        self._before(now)
        self._loads[rows[0]] = load, rows
        self._carriers = sorted({row for _load, path in self._loads.values() for row in path} - {0})
        for row in self._carriers:
            self._base_signals[row] = self._signals_of_base(self.site.nodes[row].id)
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
        snapshot = self._at(now)
        phasors: list[complex] = snapshot.nodes[index].tolist()
        power = self._node_powers(snapshot, index)
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
        drawn = {line: abs(amps) * weight for line, weight in zip(slot.lines, slot.weights, strict=True)}
        return StationReading(
            currents={line: drawn.get(line, 0.0) for line in slot.branch.lines},
            voltage_v=slot.voltage_v,
            power_w=amps * factor * float(self._scale[slot.row]),
            energy_wh=float(self._energy[slot.row]),
            soc=slot.soc,
            exported_wh=float(self._exported[slot.row]),
        )

    def stop(self) -> None:
        """Record the last values and end the timer."""
        if not self._stopped:
            self.touch()
            self._stopped = True
            if self._timer is not None:
                self._timer.cancel()

    # inside

    def _begin_battery(self, slot: Slot, now: float) -> None:
        """A car that can discharge begins its signals; what the last car left holds until now."""
        if slot.two_way:
            signal = self.record.signal(state_of_charge(slot.branch.role), "1", "linear")
            signal.append(now, (slot.soc or 0.0) if signal.last() is None else signal.last() or 0.0)
            self._write_battery(slot, now)
