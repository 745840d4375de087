"""Limits that the grid operator sets: who is heard, what holds when nobody is, and what it leaves each station.

The state machine is that of the EEBUS use case "limitation of power consumption" at the side that is limited, by the
numbers of its requirements as EVerest (modules/EnergyManagement/EEBUS) and evcc (hems/eebus) name them in their tests
(read-code); the use case itself is not public. Pure: time comes in, the limit comes out.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from enum import Enum
from typing import Annotated

import numpy as np
from pydantic import Field

from hilbench.controller.allocate import Array
from hilbench.site import Model, Number, Seconds


class Guard(Enum):
    """Who decides on the limit now."""

    INIT = "not heard yet"
    UNLIMITED_CONTROLLED = "heard, no limit"
    LIMITED = "limited"
    FAILSAFE = "no longer heard"
    UNLIMITED_AUTONOMOUS = "left alone"


class DimmingSettings(Model):
    """``[controller.operator]``: times [s] and the limit [kW] that holds without contact."""

    failsafe_kw: Annotated[Number, Field(ge=0)] = 4.2
    """Section 14a EnWG, BK6-22-300 (regulation-text)."""
    failsafe_least_s: Seconds = 7200.0
    """Fail-safe duration minimum, 2 h (evcc and EVerest, read-code)."""
    heartbeat_s: Seconds = 120.0
    """A heartbeat is lost after so long (LPC-031, LPC-911; read-code)."""
    contact_s: Seconds = 120.0
    """So long a start waits for contact (LPC-906), and a return for a limit (LPC-921); read-code."""
    stay_safe: Annotated[bool, Field(strict=True)] = True
    """Without heartbeat stay in fail-safe for good, as evcc does; else leave after ``failsafe_least_s`` (LPC-922)."""


class EnergyGuard:
    """Limit [kW] for all stations together; None for none. Feed it, then ``advance``.

    It starts in fail-safe until it is heard (LPC-TS-017), and a limit counts only from somebody who is heard.
    """

    def __init__(self, settings: DimmingSettings, t: float) -> None:
        self.settings = settings
        self.state = Guard.INIT
        self._since = t
        self._heard = -math.inf
        self._returned = math.inf
        self._wanted_kw: float | None = None
        self._ends = math.inf

    @property
    def limit_kw(self) -> float | None:
        """What holds now."""
        if self.state in (Guard.INIT, Guard.FAILSAFE):
            return self.settings.failsafe_kw
        return self._wanted_kw if self.state is Guard.LIMITED else None

    def heartbeat(self, t: float) -> None:
        """The operator's box is alive."""
        self.advance(t)
        self._heard = t
        self._returned = min(self._returned, t)

    def limit(self, t: float, limit_kw: float | None, duration_s: float = math.inf) -> bool:
        """A limit for ``duration_s``, or its release; False when nobody is heard who could set one."""
        self.advance(t)
        if not self.is_heard(t) or (limit_kw is not None and not (math.isfinite(limit_kw) and limit_kw >= 0)):
            return False
        self._wanted_kw, self._ends = limit_kw, t + duration_s
        self._go(Guard.UNLIMITED_CONTROLLED if limit_kw is None else Guard.LIMITED, t)
        return True

    def advance(self, t: float) -> None:
        """Let time-outs happen, each at its own moment."""
        while t >= self.next_t:
            self._time_out(self.next_t)

    @property
    def next_t(self) -> float:
        """When the state changes by itself."""
        if self.state is Guard.INIT:
            return self._since + self.settings.contact_s
        if self.state is Guard.FAILSAFE:
            again = math.inf if self.settings.stay_safe else self._since + self.settings.failsafe_least_s
            return min(again, self._returned + self.settings.contact_s)
        if self.state is Guard.UNLIMITED_AUTONOMOUS:
            return math.inf
        lost = self._heard + self.settings.heartbeat_s
        return min(lost, self._ends) if self.state is Guard.LIMITED else lost

    def _time_out(self, t: float) -> None:
        if self.state is Guard.LIMITED and t >= self._ends and t < self._heard + self.settings.heartbeat_s:
            self._go(Guard.UNLIMITED_CONTROLLED, t)
        elif self.state in (Guard.LIMITED, Guard.UNLIMITED_CONTROLLED):
            self._returned = math.inf
            self._go(Guard.FAILSAFE, t)
        elif self.state is Guard.FAILSAFE and self.settings.stay_safe and not self.is_heard(t):
            self._returned = math.inf  # it came back and went again before it said anything
        elif self.state is Guard.INIT and self.settings.stay_safe and not self.is_heard(t):
            self._returned = math.inf
            self._go(Guard.FAILSAFE, t)
        else:
            self._go(Guard.UNLIMITED_AUTONOMOUS, t)

    def _go(self, state: Guard, t: float) -> None:
        self.state, self._since = state, t

    def is_heard(self, t: float) -> bool:
        """There was a heartbeat in time."""
        return t - self._heard < self.settings.heartbeat_s


def dimmed(
    shares_a: Array, watts_per_a: Array, order: Sequence[int], limit_w: float, minimum_a: float | Array
) -> Array:
    """Shares [station] that together draw no more than ``limit_w``, as even as they were.

    Who stands last in ``order`` goes without when not all can have ``minimum_a`` [for all, or station]; the others
    are cut at one level, but not below that: what max-min fairness makes of one more constraint that all share.
    """
    shares, least = shares_a.copy(), 0.0
    needs = minimum_a * watts_per_a
    for column in order:
        if shares[column] <= 0.0:
            continue
        least += needs[column]
        if least > limit_w + 1e-6:
            shares[column], least = 0.0, least - needs[column]
    if float(shares @ watts_per_a) <= limit_w + 1e-6:
        return shares
    floors = np.minimum(shares, minimum_a)
    return np.minimum(shares, np.maximum(floors, _level(shares, floors, watts_per_a, limit_w)))


def _level(shares: Array, floors: Array, watts_per_a: Array, limit_w: float) -> float:
    """The cut [A] at which the shares draw ``limit_w`` when none goes below its floor: the sum is straight between."""
    ends = np.concatenate([floors, shares])
    rank = np.argsort(ends, kind="stable")
    ends, slopes = ends[rank], np.cumsum(np.concatenate([watts_per_a, -watts_per_a])[rank])
    sums = float(floors @ watts_per_a) + np.concatenate([[0.0], np.cumsum(slopes[:-1] * np.diff(ends))])
    after = max(int(np.argmax(sums >= limit_w)), 1)
    return float(ends[after] - (sums[after] - limit_w) / slopes[after - 1])


class Delays:
    """Starts of ``count`` stations wait for 0 to ``most_s`` whole seconds, reductions for nothing.

    UK SI 2021/1467 reg. 11 wants 600 s, and 1800 s where a charge point is told so (regulation-text, quoted). One delay
    stands until the start is no longer wanted; ``skip`` is the owner's right to override it. ``seed`` draws them.
    """

    def __init__(self, count: int, most_s: int, seed: str) -> None:
        self._draws = random.Random(f"{seed}:delay")
        self._most_s = most_s
        self._until: list[float | None] = [None] * count

    def want(self, column: int, t: float, wanted: bool) -> None:
        """A start is wanted, or no longer."""
        if not self._most_s:
            return
        if not wanted:
            self._until[column] = None
        elif self._until[column] is None:
            self._until[column] = t + self._draws.randint(0, self._most_s)

    def over(self, column: int, t: float) -> bool:
        """True when the station may have current, as far as delays go."""
        until = self._until[column]
        return not self._most_s or (until is not None and t >= until)

    def skip(self, column: int) -> None:
        """The owner does not want to wait this time."""
        self._until[column] = -math.inf
