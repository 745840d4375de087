"""How much current a car asks a DC charger for: its law, called once per exchange of its charging loop. Pure.

A CCS loop exchanges messages every 0.25 s, a CHAdeMO car sends every 0.1 s. Up to :data:`LONGEST_LOOP_S` per call the
battery ends at its full state or its reserve without passing it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from hilbench_emulators.dc.cars import Car, Discharge
from hilbench_emulators.dc.piecewise import ramped

LONGEST_LOOP_S = 0.5
_EASE_S = 2.0
"""Time constant with which a car eases off at the end of its battery: a few loops, so that a late answer does not pass
it (chosen)."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What a charger offers: at most ``max_a`` [A], ``max_w`` [W] and ``max_v`` [V] at the outlet; below 0 counts as 0.

    With ``give_a`` [A] above 0 it asks the car to give so much instead, at most ``give_w`` [W].
    """

    max_a: float
    max_w: float = math.inf
    max_v: float = math.inf
    give_a: float = 0.0
    give_w: float = math.inf


@dataclass(frozen=True, slots=True)
class Request:
    """What a car asks for [A], negative where it gives; how long it has been offered too little; why it has ended."""

    current_a: float = 0.0
    starved_s: float = 0.0
    ended: Literal["", "full", "starved"] = ""


def own_limit_a(car: Car, soc: float) -> float:
    """The most current [A] that the car wants, whatever is offered."""
    battery = car.battery
    return max(
        0.0,
        min(
            car.max_a,
            battery.current_a(soc, car.curve_w.at(soc)),
            (car.max_v - battery.open_v(soc)) / battery.resistance_ohm,
            _easing_a((1.0 - soc) * battery.capacity_c, car.down_a_per_s),
        ),
    )


def minimum_a(car: Car, soc: float) -> float:
    """The least current [A] with which the car charges."""
    return max(car.min_a, car.battery.current_a(soc, car.min_w))


def offered_a(car: Car, soc: float, offer: Offer) -> float:
    """What current [A] an offer comes to at the battery's voltage."""
    battery = car.battery
    by_power = battery.current_a(soc, offer.max_w) if offer.max_w < math.inf else math.inf
    by_voltage = (offer.max_v - battery.open_v(soc)) / battery.resistance_ohm
    return max(0.0, min(offer.max_a, by_power, by_voltage))


def given_a(car: Car, soc: float, offer: Offer) -> float:
    """Current [A, not negative] that the car gives to an offer with ``give_a``; 0 where it cannot."""
    discharge, battery = car.discharge, car.battery
    if discharge is None:
        return 0.0
    by_power = -battery.current_a(soc, -offer.give_w) if offer.give_w < math.inf else math.inf
    return max(0.0, min(offer.give_a, by_power, _most_given_a(car, discharge, soc)))


def _most_given_a(car: Car, discharge: Discharge, soc: float) -> float:
    battery = car.battery
    by_voltage = (battery.open_v(soc) - discharge.min_v) / battery.resistance_ohm
    above_reserve = (soc - discharge.reserve_soc) * battery.capacity_c
    return min(discharge.max_a, by_voltage, _easing_a(above_reserve, car.down_a_per_s))


def _easing_a(left_c: float, down_a_per_s: float) -> float:
    """The current [A] from which half of the allowed ramp, and then easing off, ends within ``left_c`` [C]."""
    return min(math.sqrt(down_a_per_s * left_c), left_c / _EASE_S) if left_c > 0.0 else 0.0


def next_request(car: Car, request: Request, soc: float, offer: Offer, dt_s: float) -> Request:
    """What the car asks for ``dt_s`` [s] after ``request``, its battery being at ``soc`` and ``offer`` known to it."""
    if request.ended:
        return replace(request, current_a=ramped(request.current_a, 0.0, car.up_a_per_s, car.down_a_per_s, dt_s))
    target, starved, full = _target(car, soc, offer)
    current_a = ramped(request.current_a, target, car.up_a_per_s, car.down_a_per_s, dt_s)
    if full and car.discharge is None:
        return Request(current_a, ended="full")
    if not starved or car.below_minimum != "ends":
        return Request(current_a)
    starved_s = min(request.starved_s + dt_s, car.gives_up_s)
    return Request(current_a, starved_s, "starved" if starved_s >= car.gives_up_s else "")


def _target(car: Car, soc: float, offer: Offer) -> tuple[float, bool, bool]:
    """Where the request heads for [A], whether the offer is too little, and whether the battery is full."""
    if offer.give_a > 0.0:
        return -given_a(car, soc, offer), False, False
    own, least, offered = own_limit_a(car, soc), minimum_a(car, soc), offered_a(car, soc, offer)
    if own < least:
        return 0.0, False, True
    if offered >= least:
        return min(own, offered), False, False
    return (least if car.below_minimum == "takes-minimum" else 0.0), True, False
