"""What stands behind a station's outlet: a fixed limit, or power modules with a limit on the grid side. Pure."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Protocol

from hilbench_emulators.ccs.figures import Limits
from hilbench_emulators.dc.outlet_law import Limit, Outlet, Policy, giving_offer, next_offer, next_setpoint
from hilbench_emulators.dc.power_module import Bank
from hilbench_emulators.dc.request import Offer


class Supply(Protocol):
    """Asked once per exchange of the loop: first for what is offered, then for what is given."""

    @property
    def ended(self) -> bool:
        """Whether the session must end for want of power."""
        ...

    def change(self, limit: Limits | Limit) -> None:
        """Take a new limit; one of another kind is refused with ``TypeError``."""
        ...

    def offer(self, t_s: float, voltage_v: float) -> Limits:
        """What a car at ``voltage_v`` [V] may have."""
        ...

    def give(self, t_s: float, voltage_v: float, asked_a: float) -> float:
        """What current [A] the outlet heads for when a car asks for ``asked_a``."""
        ...


class Fixed:
    """An outlet that has what its limits say, and gives no car more."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.ended = False

    def change(self, limit: Limits | Limit) -> None:
        """Take a new limit."""
        if not isinstance(limit, Limits):
            raise TypeError("a fixed supply takes Limits; a Limit on the grid side is for power modules")
        self.limits = limit

    def offer(self, t_s: float, voltage_v: float) -> Limits:  # noqa: ARG002 - a supply of modules needs both
        """The limits."""
        return self.limits

    def give(self, t_s: float, voltage_v: float, asked_a: float) -> float:  # noqa: ARG002 - as above
        """What is asked for, within the limits."""
        return clamped(self.limits, voltage_v, asked_a)


def clamped(limits: Limits, voltage_v: float, current_a: float) -> float:
    """A current [A] within limits of current and power; what is no number becomes 0."""
    if not math.isfinite(current_a):
        return 0.0
    volts = max(voltage_v, 1.0)
    high, low = min(limits.max_a, limits.max_w / volts), max(limits.low_a, limits.low_w / volts)
    return max(min(current_a, max(high, 0.0)), min(low, 0.0))


class Modules:
    """Power modules; a limit below 0 W asks the car to give (see :mod:`hilbench_emulators.dc.outlet_law`)."""

    def __init__(self, bank: Bank, limit: Limit, policy: Policy) -> None:
        self._bank, self._limit, self._policy = bank, limit, policy
        self._outlet = Outlet()
        self._offer = Offer(0.0, 0.0)
        self._offered_s: float | None = None
        self._given_s: float | None = None

    @property
    def ended(self) -> bool:
        """Whether the policy has ended the session."""
        return self._outlet.ended

    def change(self, limit: Limits | Limit) -> None:
        """Take a new limit on the grid side."""
        if not isinstance(limit, Limit):
            raise TypeError("power modules take a Limit on the grid side, not Limits of the outlet")
        self._limit = limit

    def serve(self, bank: Bank) -> None:
        """Other modules are behind the outlet from now on."""
        self._bank = bank

    def offered_a(self, voltage_v: float) -> float:
        """The latest offer as a current [A] at ``voltage_v`` [V], below 0 where the car is asked to give."""
        volts = max(voltage_v, 1.0)
        if self._offer.give_a > 0.0:
            return -min(self._offer.give_a, self._offer.give_w / volts)
        return min(self._offer.max_a, self._offer.max_w / volts)

    def offer(self, t_s: float, voltage_v: float) -> Limits:
        """What the modules may give within the grid's limit, or what the car is asked to give."""
        passed_s, self._offered_s = _passed(self._offered_s, t_s), t_s
        module = self._bank.module
        voltage_v = min(max(voltage_v, module.min_v), module.max_v)  # before there is a voltage, the least is meant
        around = Limits(0.0, 0.0, module.max_v, module.min_v)
        if self._limit.w is not None and self._limit.w < 0.0:
            self._offer = giving_offer(self._bank, voltage_v, self._limit.w)
            given = replace(around, low_a=-self._offer.give_a, low_w=-self._offer.give_w)
            return replace(given, target_w=-self._offer.give_w)
        self._offer, self._outlet = next_offer(self._bank, voltage_v, self._limit, self._policy, self._outlet, passed_s)
        return replace(around, max_a=self._offer.max_a, max_w=self._offer.max_w)

    def give(self, t_s: float, voltage_v: float, asked_a: float) -> float:
        """What the modules head for, patient for a while with a car that does not follow."""
        passed_s, self._given_s = _passed(self._given_s, t_s), t_s
        if self._offer.give_a > 0.0:
            return max(min(asked_a, 0.0), -self._offer.give_a) if math.isfinite(asked_a) else 0.0
        amps, self._outlet = next_setpoint(
            self._bank, voltage_v, self._offer, self._policy, self._outlet, asked_a, passed_s
        )
        return amps


def _passed(since_s: float | None, t_s: float) -> float:
    return 0.0 if since_s is None else max(t_s - since_s, 0.0)
