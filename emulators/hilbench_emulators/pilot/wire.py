"""What is on the pilot wire over time: changes of the station's side and of the car's, and whoever can tell them."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from hilbench.errors import InputError, Problem
from hilbench_emulators.pilot.circuit import Circuit, Load

STEADY = 100.0
"""Duty cycle [%] of a steady high level, state x1."""


@dataclass(frozen=True)
class Change:
    """From ``t`` [s] on: what the car puts on the wire, the station's duty cycle [%], and the circuit they share.

    100 % is a steady high level (x1), 0 % a steady low one (F). A duty cycle counts from the next period on, as
    timers with a shadow register do; a load counts at once.
    """

    t: float
    load: Load = "A"
    duty_pct: float = STEADY
    circuit: Circuit = field(default_factory=Circuit)

    def __post_init__(self) -> None:
        if not 0.0 <= self.duty_pct <= 100.0:
            raise InputError("pilot", Problem("duty_pct", f"is {self.duty_pct}", "give 0 to 100 %"))
        if not math.isfinite(self.t):
            raise InputError("pilot", Problem("t", f"is {self.t}", "give a time in seconds"))

    @property
    def state(self) -> str:
        """The state by name: A1 to D2, E or F; E also for a source without supply."""
        if self.load == "E" or (self.circuit.evse.high_v == 0.0 and self.circuit.evse.low_v == 0.0):
            return "E"
        if self.duty_pct == 0.0:
            return "F"
        return f"{self.load}{1 if self.duty_pct == STEADY else 2}"


class PilotWire(Protocol):
    """Answers what was on the wire at a time, and what has changed since one."""

    def at(self, t: float) -> Change:
        """What held at ``t``."""
        ...

    def since(self, t: float) -> tuple[Change, ...]:
        """What held at ``t``, and all changes after it, in order."""
        ...


class PilotHistory:
    """A :class:`PilotWire` that is told each change; forgets what is older than ``keep_s`` before the newest.

    Of an older time than it remembers it answers the oldest that it knows.
    """

    def __init__(self, first: Change, keep_s: float = 60.0) -> None:
        self._keep_s = keep_s
        self._changes = deque([first])

    @property
    def last(self) -> Change:
        """What holds now."""
        return self._changes[-1]

    def put(self, change: Change) -> None:
        """From ``change.t`` on this holds; raises ``InputError`` for a time before the last change."""
        last = self.last
        if change.t < last.t:
            raise InputError("pilot", Problem("t", f"{change.t} is before the last change at {last.t}"))
        if (change.load, change.duty_pct, change.circuit) == (last.load, last.duty_pct, last.circuit):
            return
        if change.t == last.t:
            self._changes.pop()
        self._changes.append(change)
        while len(self._changes) > 1 and self._changes[1].t <= change.t - self._keep_s:
            self._changes.popleft()

    def update(
        self, t: float, load: Load | None = None, duty_pct: float | None = None, circuit: Circuit | None = None
    ) -> None:
        """Change some of what holds; the rest stays."""
        last = self.last
        self.put(
            Change(
                t,
                last.load if load is None else load,
                last.duty_pct if duty_pct is None else duty_pct,
                last.circuit if circuit is None else circuit,
            )
        )

    def at(self, t: float) -> Change:
        """See :class:`PilotWire`."""
        return self.since(t)[0]

    def since(self, t: float) -> tuple[Change, ...]:
        """See :class:`PilotWire`."""
        return since(tuple(self._changes), t)


@dataclass(frozen=True)
class Script:
    """A :class:`PilotWire` that is known from the start; raises ``InputError`` for changes that are not in order."""

    changes: tuple[Change, ...]

    def __post_init__(self) -> None:
        times = [change.t for change in self.changes]
        if not times or sorted(times) != times:
            raise InputError("pilot", Problem("changes", "none, or not in the order of their times"))

    def at(self, t: float) -> Change:
        """See :class:`PilotWire`."""
        return self.since(t)[0]

    def since(self, t: float) -> tuple[Change, ...]:
        """See :class:`PilotWire`."""
        return since(self.changes, t)


def since(changes: Sequence[Change], t: float) -> tuple[Change, ...]:
    """What holds at ``t`` and the changes after it; before the first change the first one."""
    first = bisect_right(changes, t, key=lambda change: change.t) - 1
    return tuple(changes[max(first, 0) :])


def steady(load: Load, duty_pct: float, circuit: Circuit | None = None) -> Script:
    """A wire on which nothing changes."""
    return Script((Change(0.0, load, duty_pct, circuit if circuit is not None else Circuit()),))
