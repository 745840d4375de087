"""A car at a charger that gives exactly what it is asked for: the same course however often it is looked at. Pure.

The car renews its request on a grid of :data:`TICK_S`, which begins anew when the offer changes; in between, its
current goes straight from one request to the next. Looking does not move the grid. What does not change costs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from hilbench_emulators.dc.battery import Cells
from hilbench_emulators.dc.battery import advance as advance_cells
from hilbench_emulators.dc.cars import Car
from hilbench_emulators.dc.request import Offer, Request, next_request

TICK_S = 0.25
"""A CCS car's loop (public logs: 0.17 to 0.26 s; measured)."""


@dataclass(frozen=True, slots=True)
class Charging:
    """``request`` and ``cells`` at the latest tick, ``offer`` since then, and the time ``since_s`` [s] it."""

    request: Request
    cells: Cells
    offer: Offer
    since_s: float = 0.0


def begin(soc: float) -> Charging:
    """A car that has just come, with nothing offered to it."""
    return Charging(Request(), Cells(soc), Offer(0.0))


def advance(car: Car, charging: Charging, offer: Offer, dt_s: float) -> Charging:
    """The state ``dt_s`` [s] later, ``offer`` having held throughout; at one offer, two steps are the same as one."""
    if offer != charging.offer:
        charging = Charging(*look(car, charging), offer)
    request, cells, since_s = charging.request, charging.cells, charging.since_s + dt_s
    while since_s >= TICK_S:
        later = _tick(car, request, cells, offer)
        if later == (request, cells):
            since_s = 0.0
            break
        (request, cells), since_s = later, since_s - TICK_S
    return Charging(request, cells, offer, since_s)


def look(car: Car, charging: Charging) -> tuple[Request, Cells]:
    """The request, which is also the current that flows, and the battery at this instant."""
    request, since_s = charging.request, charging.since_s
    if since_s == 0.0:
        return request, charging.cells
    coming, share = _next(car, charging.request, charging.cells, charging.offer), since_s / TICK_S
    amps = request.current_a + (coming.current_a - request.current_a) * share
    starved_s = min(request.starved_s + since_s, coming.starved_s)
    ended = coming.ended if starved_s == coming.starved_s else request.ended
    cells = advance_cells(car.battery, charging.cells, request.current_a, amps, since_s)
    return Request(amps, starved_s, ended), cells


def _next(car: Car, request: Request, cells: Cells, offer: Offer) -> Request:
    return next_request(car, request, cells.soc, offer, TICK_S)


def _tick(car: Car, request: Request, cells: Cells, offer: Offer) -> tuple[Request, Cells]:
    later = _next(car, request, cells, offer)
    return later, advance_cells(car.battery, cells, request.current_a, later.current_a, TICK_S)
