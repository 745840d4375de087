"""From a limit on the grid side to what a DC outlet offers its car, how it treats a car that does not follow. Pure.

OCPP limits are on the grid side (W, or A in each phase); None is no limit, and 0 is a limit of nothing: a charger that
read it as none gave a car all it had (EVerest/everest-core pull request 1509; secondary). A limit below the least power
that the outlet charges with is a matter of policy, as 0 W is no pause for many cars.

``next_offer`` and ``next_setpoint`` are called once per exchange of the charging loop, in this order: a new limit is in
the very next answer to the car.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from hilbench_emulators.dc.power_module import Bank
from hilbench_emulators.dc.request import Offer

Below = Literal["hold", "standby", "end"]


@dataclass(frozen=True, slots=True)
class Limit:
    """The most that an outlet may take from the grid: ``w`` [W] and ``a`` [A in each phase]; None: no such limit."""

    w: float | None = None
    a: float | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """How an outlet treats small limits and cars that do not follow.

    A limit that leaves less than ``least_w`` [W DC]: ``hold`` offers ``least_w`` all the same, beyond the limit;
    ``standby`` offers nothing and keeps the session; ``end`` does so and ends it after ``end_after_s`` [s]. A car
    beyond a lowered offer by more than ``tolerance_a`` [A] and ``tolerance`` (share of the offer) is held to it after
    ``clamp_after_s`` [s].

    Sources: ``least_w`` evcc-io/evcc pull request 32023 (1 kW; secondary); ``end_after_s`` EVerest/everest-core
    hlc_charge_loop_without_energy_timeout_s, ``clamp_after_s`` its DC_ENFORCE_TARGET_LIMITS_INTERVAL_MS (both
    read-code); tolerance: IEC 61851-23 Annex AA accuracy of regulation (recalled).
    """

    below: Below = "standby"
    least_w: float = 1_000.0
    end_after_s: float = 5.0
    clamp_after_s: float = 5.0
    tolerance_a: float = 2.5
    tolerance: float = 0.05


@dataclass(frozen=True, slots=True)
class Outlet:
    """State of an outlet.

    ``below_s`` is for how long its limit has left too little, ``ended`` that it has ended the session for that;
    ``allowed_a`` [A] is what its modules let a car have, ``beyond_s`` for how long the car has asked for too much.
    """

    below_s: float = 0.0
    ended: bool = False
    allowed_a: float = 0.0
    beyond_s: float = 0.0


def limited_dc_w(modules: Bank, limit: Limit) -> float:
    """The most DC power [W] that keeps a limit; a limit that is no number counts as nothing."""
    by_power = modules.rated_w if limit.w is None else modules.dc_w(limit.w)
    by_current = modules.rated_w if limit.a is None else modules.dc_w_for_current(limit.a)
    return min(by_power, by_current)


def next_offer(
    modules: Bank, voltage_v: float, limit: Limit, policy: Policy, outlet: Outlet, dt_s: float
) -> tuple[Offer, Outlet]:
    """What is offered to a car at ``voltage_v`` [V] ``dt_s`` [s] after the last offer, and the new state."""
    dc_w, max_v = limited_dc_w(modules, limit), modules.module.max_v
    enough = dc_w >= policy.least_w
    below_s = 0.0 if enough else outlet.below_s + dt_s
    ended = outlet.ended or (policy.below == "end" and not enough and below_s >= policy.end_after_s)
    if ended:
        dc_w = 0.0
    elif not enough:
        dc_w = min(policy.least_w, modules.rated_w) if policy.below == "hold" else 0.0
    offer = Offer(modules.most_a(voltage_v, dc_w), dc_w, max_v)
    return offer, Outlet(below_s, ended, outlet.allowed_a, outlet.beyond_s)


def giving_offer(modules: Bank, voltage_v: float, ac_w: float) -> Offer:
    """Asks a car at ``voltage_v`` [V] to give what feeds at most ``-ac_w`` [W] into the grid; nothing from 0 up."""
    dc_w = -modules.giving_dc_w(ac_w)
    return Offer(0.0, 0.0, modules.module.max_v, give_a=modules.most_a(voltage_v, dc_w), give_w=dc_w)


def next_setpoint(
    modules: Bank, voltage_v: float, offer: Offer, policy: Policy, outlet: Outlet, asked_a: float, dt_s: float
) -> tuple[float, Outlet]:
    """What current [A] the modules head for when the car asks for ``asked_a``, and the new state.

    A car that has not yet followed a lowered offer keeps what it had, never more, until ``clamp_after_s``; at once it
    is held to what the modules can give at all.
    """
    offered_a = min(offer.max_a, modules.most_a(voltage_v, offer.max_w))
    most_a = modules.most_a(voltage_v)
    beyond = asked_a > offered_a + max(policy.tolerance_a, policy.tolerance * offered_a)
    beyond_s = outlet.beyond_s + dt_s if beyond else 0.0
    patient = beyond and beyond_s < policy.clamp_after_s and not outlet.ended
    allowed_a = max(offered_a, min(outlet.allowed_a, asked_a)) if patient else offered_a
    setpoint_a = max(0.0, min(asked_a, allowed_a, most_a)) if math.isfinite(asked_a) else 0.0
    return setpoint_a, Outlet(outlet.below_s, outlet.ended, allowed_a, beyond_s)
