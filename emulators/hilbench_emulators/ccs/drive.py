"""What a car does behind its messages: how much it asks for, what its battery takes, in which ways it misbehaves. Pure.

A DC car follows the request law of :mod:`hilbench_emulators.dc`; an AC car takes what its charger can within the limit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

from hilbench_emulators.ccs import services
from hilbench_emulators.ccs.figures import Limits
from hilbench_emulators.ccs.quirks import Quirks
from hilbench_emulators.dc.battery import Cells
from hilbench_emulators.dc.battery import advance as advance_cells
from hilbench_emulators.dc.cars import Car
from hilbench_emulators.dc.request import LONGEST_LOOP_S, Offer, Request, next_request, own_limit_a


@dataclass(frozen=True, slots=True)
class OnBoard:
    """An AC charger: ``min_a`` to ``max_a`` [A] in each of ``phases``; ``giving_a`` [A] back (chosen figures)."""

    phases: int = 3
    nominal_v: float = 230.0
    min_a: float = 6.0
    max_a: float = 16.0
    giving_a: float = 0.0
    efficiency: float = 0.9

    @property
    def volts(self) -> float:
        """Power [W] per ampere."""
        return self.phases * self.nominal_v


@dataclass(frozen=True, slots=True)
class Vehicle:
    """A car with its battery at ``soc``; ``protocols`` are those that it offers, the best first.

    It sends a request of its loop ``period_s`` after the last (public logs: 0.17 to 0.26 s; measured). ``session_id``
    is that of a session to join, eight zeros for a new one. It leaves at ``target_soc``.
    """

    car: Car
    soc: float = 0.2
    protocols: tuple[services.Protocol, ...] = services.PROTOCOLS
    service: services.Service = field(default_factory=services.Service)
    on_board: OnBoard = field(default_factory=OnBoard)
    quirks: Quirks = field(default_factory=Quirks)
    target_soc: float = 1.0
    period_s: float = 0.25
    evcc_id: bytes = bytes.fromhex("0011223344aa")
    session_id: bytes = bytes(8)
    epoch_s: int = 1_717_516_800


class Drive:
    """The state of a car at a station. ``finished`` says why it wants to leave, if it does."""

    def __init__(self, vehicle: Vehicle) -> None:
        self.vehicle, self.car = vehicle, vehicle.car
        self.cells, self.request = Cells(vehicle.soc), Request()
        self.current_a = 0.0
        self.power_w = 0.0
        self.finished = ""
        self.offered: Limits | None = None
        self._seen_s: float | None = None
        self._first = True
        self._winding = self._locked = False
        self._told_max_v: float | None = None

    @property
    def voltage_v(self) -> float:
        """Terminal voltage [V] of the battery."""
        return self.car.battery.voltage_v(self.cells.soc, self.current_a)

    @property
    def target_v(self) -> float:
        """The voltage [V] that it asks for in its loop."""
        quirks = self.vehicle.quirks
        if self._first and quirks.first_v is not None:
            return quirks.first_v
        return self.car.max_v if quirks.target_v is None else quirks.target_v

    @property
    def told_max_v(self) -> float:
        """The highest voltage [V] that it tells the station in its loop."""
        return self.car.max_v if self._told_max_v is None else self._told_max_v

    @property
    def target_a(self) -> float:
        """The current [A] that it asks for, negative where it gives."""
        quirks = self.vehicle.quirks
        if self._first and quirks.first_a is not None:
            return quirks.first_a
        return float(math.trunc(self.request.current_a)) if quirks.whole_amperes else self.request.current_a

    @property
    def own_a(self) -> float:
        """The most current [A] that its battery takes now; nothing while it winds down or is locked up."""
        return 0.0 if self._winding or self._locked else own_limit_a(self.car, self.cells.soc)

    @property
    def low_a(self) -> float:
        """The most current [A, 0 or below] that it gives."""
        discharge = self.car.discharge
        if discharge is None or self._winding or self.cells.soc <= discharge.reserve_soc:
            return 0.0
        return -discharge.max_a

    def wanted_wh(self) -> float:
        """Energy [Wh] that its battery still takes."""
        battery = self.car.battery
        return max(battery.stored_j(self.vehicle.target_soc) - battery.stored_j(self.cells.soc), 0.0) / 3600.0

    def begin(self, t_s: float) -> None:
        """The loop begins."""
        self.request, self._winding, self._first = Request(), False, True
        self._seen_s, self.current_a = t_s, 0.0
        above_v = self.vehicle.quirks.told_above_v
        self._told_max_v = None if above_v is None else self.voltage_v + above_v

    def wind_down(self) -> None:
        """Head for no current, at the car's own pace."""
        self._winding = True

    def cut(self) -> None:
        """Ask for nothing at once."""
        self._winding, self.request = True, Request()

    def exchange_dc(self, t_s: float, limits: Limits, current_a: float) -> None:
        """A response of the loop: what is allowed, and what flows."""
        passed_s = self._pass(t_s, current_a)
        offer = self._offer(self._believed(limits))
        nothing = (offer.max_a <= 0.0 or offer.max_w <= 0.0) and offer.give_a <= 0.0
        if nothing and not self._winding:
            self._meet_nothing()
        if self._locked:
            offer = Offer(0.0, 0.0)
        if self._winding:
            self.request = replace(self.request, ended=self.request.ended or "full")
        self.request = next_request(self.car, self.request, self.cells.soc, offer, min(passed_s, LONGEST_LOOP_S))
        self._first = False
        if not self._winding:
            self._finish(self.request.ended)

    def _meet_nothing(self) -> None:
        """It is offered nothing."""
        quirks = self.vehicle.quirks
        self._locked = self._locked or quirks.locks_at_zero
        if quirks.stops_at_zero:
            self._finish("offered nothing")

    def exchange_ac(self, t_s: float, target_w: float) -> None:
        """A response of the loop with the power [W] that is allowed, or wanted of the car where it is negative."""
        board = self.vehicle.on_board
        if self.vehicle.quirks.stops_at_zero and target_w == 0.0:
            self._finish("offered nothing")
        if self.vehicle.quirks.ignores_lowered_limit:
            target_w = max(target_w, self.offered.max_w if self.offered else 0.0)
        self.offered = Limits(math.inf, target_w)
        watts = max(min(target_w, board.max_a * board.volts), -board.giving_a * board.volts)
        if self._winding or 0.0 < watts < board.min_a * board.volts:
            watts = 0.0
        self.power_w = watts
        inside_w = watts * (board.efficiency if watts > 0.0 else 1.0 / board.efficiency)
        self._pass(t_s, self.car.battery.current_a(self.cells.soc, inside_w))

    def _pass(self, t_s: float, current_a: float) -> float:
        """Time passes until a current flows; returns how much."""
        passed_s = 0.0 if self._seen_s is None else max(t_s - self._seen_s, 0.0)
        self.cells = advance_cells(self.car.battery, self.cells, self.current_a, current_a, passed_s)
        self._seen_s, self.current_a = t_s, current_a
        if self.cells.soc >= self.vehicle.target_soc:
            self._finish("full")
        return passed_s

    def _finish(self, why: str) -> None:
        self.finished = self.finished or why

    def _believed(self, limits: Limits) -> Limits:
        """The limits, or the highest so far for a car that ignores lower ones."""
        if self.vehicle.quirks.ignores_lowered_limit and self.offered is not None:
            limits = replace(
                limits, max_a=max(limits.max_a, self.offered.max_a), max_w=max(limits.max_w, self.offered.max_w)
            )
        self.offered = limits
        return limits

    def _offer(self, limits: Limits) -> Offer:
        """In Scheduled control a station that offers nothing but a discharge asks for it (chosen)."""
        nothing = limits.max_a <= 0.0 or limits.max_w <= 0.0
        give_a = -limits.low_a if nothing and self.vehicle.service.giving else 0.0
        return Offer(limits.max_a, limits.max_w, limits.max_v, give_a=give_a, give_w=-limits.low_w)
