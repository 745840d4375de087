"""The courses that cars take: ramp to what is offered or ordered, taper, end, or stop at the reserve."""

from __future__ import annotations

import asyncio
import math
from functools import partial

from hilbench_emulators.onboard_charger import Move, OnboardCharger
from hilbench_emulators.plant_slot import Slot
from hilbench_emulators.plant_time import Timeline

RAMP_PIECES = 4
"""Samples per ramp: phasors of different angle do not add up to straight lines."""
TAPER_SHARE = 0.1
"""Step between samples of a taper as a share of its time constant: linear interpolation errs by 0.04 A at 32 A."""
FULL_SHARE = 0.05
"""A car ends charging when its battery takes this share of the full power (policy-default)."""


class Cars(Timeline):
    """What happens to the cars after something has been said to them."""

    def _connect(self, slot: Slot) -> None:
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

    def _connect_station(self, slot: Slot) -> None:
        """Wire a DC station to the site's lines: it is one load on all of them, whoever its car is."""
        units, names = self.site.unit_currents(slot.branch, len(slot.branch.lines)), list(self.site.lines)
        slot.lines, slot.weights = tuple(units), (1.0,) * len(units)
        self._core.set_units(slot.row, {names.index(line): unit for line, unit in units.items()}, False)
        self._scale[slot.row] = slot.voltage_v * (1.0 if slot.branch.line_to_line else len(units))
        self._occupied[slot.branch.role] = slot
        slot.two_way = self._two_way
        self._cache = None

    def _apply(self, slot: Slot, moves: list[Move]) -> None:
        charger = slot.charger
        for move in moves:
            self._schedule(move.t, partial(self._move, slot, charger, move))

    def _move(self, slot: Slot, charger: OnboardCharger | None, move: Move) -> None:
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

    def _ramp(self, slot: Slot, target_a: float) -> None:
        charger = slot.charger
        assert charger is not None
        now, row, core = self._t, slot.row, self._core
        present = core.current(row, now)
        aim = self._reachable_a(slot, target_a)
        if max(abs(aim - present), abs(aim - float(core.target[row]))) < 1e-9 and math.isinf(core.tau[row]):
            self._plan(slot, now)
            return
        factor = charger.power_factor
        self._mark(slot)
        core.ramp(row, now, aim, charger.vehicle.slew_a_per_s, (factor(present or aim), factor(aim or present)))
        slot.version += 1
        end = core.ramp_end(row)
        for piece in range(1, RAMP_PIECES):
            self._later(slot, now + (end - now) * piece / RAMP_PIECES, partial(self._mark, slot))
        if aim * present < 0.0:
            self._later(slot, core.zero_crossing(row), partial(self._mark, slot))
        if min(aim, present) < 0.0:
            charger.full = False
            self._demand(slot, now)
        self._later(slot, end, lambda: self._plan(slot, self._t))

    def _reachable_a(self, slot: Slot, target_a: float) -> float:
        """What of a target the battery lets the car reach: less in a taper, nothing to give near the reserve."""
        if target_a >= 0.0:
            return min(target_a, slot.taper_limit_a())
        return target_a if slot.room_wh > 2.0 * self._run_down_wh(slot, target_a) else 0.0

    def _run_down_wh(self, slot: Slot, current_a: float) -> float:
        """Energy at the meter of a ramp from a discharge to nothing, at unity power factor."""
        assert slot.charger is not None
        seconds = abs(current_a) / slot.charger.vehicle.slew_a_per_s
        return abs(current_a) * float(self._scale[slot.row]) * seconds / 2.0 / 3600.0

    def _plan(self, slot: Slot, now: float) -> None:
        """At a steady current: wait for the taper, for the end, or go back to B when the car has ramped to nothing."""
        charger = slot.charger
        if charger is None:
            return
        self._mark(slot)
        power = self._power_w(slot)
        if power < -1.0:
            self._plan_reserve(slot, now, -power)
            return
        if power <= 1.0:
            if charger.state == "C" and charger.withdrawn:
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

    def _plan_reserve(self, slot: Slot, now: float, power_w: float) -> None:
        """Discharging steadily: end it so that the ramp to nothing ends at the reserve."""
        left_wh = slot.room_wh - self._run_down_wh(slot, self._core.current(slot.row, now))
        if left_wh > 1e-6:
            self._later(slot, now + left_wh / power_w * 3600.0, lambda: self._plan(slot, self._t))
            return
        self._ramp(slot, 0.0)

    def _retry(self, slot: Slot, now: float) -> None:
        assert slot.charger is not None
        self._apply(slot, slot.charger.offer(now, slot.duty_pct))

    def _taper(self, slot: Slot, now: float, tau: float) -> None:
        self._mark(slot)
        if slot.remaining_wh <= FULL_SHARE * slot.taper_wh:
            self._finish(slot)
            return
        self._demand(slot, now)
        self._later(slot, now + TAPER_SHARE * tau, lambda: self._taper(slot, self._t, tau))

    def _finish(self, slot: Slot) -> None:
        charger = slot.charger
        assert charger is not None
        charger.full = True
        slot.remaining_wh = 0.0
        self._demand(slot, self._t)
        self._core.ramp(slot.row, self._t, 0.0, charger.vehicle.slew_a_per_s, (1.0, 1.0))
        slot.version += 1
        end = self._core.ramp_end(slot.row)
        self._schedule(end, lambda: self._move(slot, charger, Move(end, "B")))

    def _full_power_w(self, slot: Slot) -> float:
        assert slot.charger is not None
        most = slot.most_a()
        return max(most * slot.charger.response.power_factor(most) * float(self._scale[slot.row]), 1.0)

    def _power_w(self, slot: Slot) -> float:
        amps, factor = self._core.draw(slot.row, self._t)
        return amps * factor * float(self._scale[slot.row])

    def _interrupt(self, slot: Slot, now: float) -> None:
        self._mark(slot)
        self._core.interrupt(slot.row, now)

    def _say(self, slot: Slot, state: str, now: float) -> None:
        self.record.event(now, "vehicle.state", slot.branch.role, state=state)
        slot.show(now, state)
        if slot.on_state is not None:
            # never re-entrant: the station hears of it after this instant's work
            asyncio.get_running_loop().call_soon(slot.on_state, state)
