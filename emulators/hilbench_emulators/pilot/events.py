"""What the two sides of the pilot hear and say, and the timers that both keep."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from hilbench_emulators.pilot.circuit import Load

_ROUNDING_S = 1e-9


@dataclass(frozen=True)
class Seen:
    """The station reads a state off the wire; ``diode_ok`` is None where the low side did not show (x1)."""

    load: Load
    diode_ok: bool | None = None


@dataclass(frozen=True)
class Offer:
    """The station may offer ``current_a`` per phase from now on; 0 ends the PWM."""

    current_a: float


@dataclass(frozen=True)
class Available:
    """The station is available or not (state F)."""

    yes: bool


@dataclass(frozen=True)
class Pilot:
    """The car reads a duty cycle off the wire [%], 100 steady high, 0 steady low; None: no voltage."""

    duty_pct: float | None


@dataclass(frozen=True)
class Supply:
    """The car sees that its supply comes or goes."""

    on: bool


@dataclass(frozen=True)
class Want:
    """The car wants energy or not."""

    yes: bool


@dataclass(frozen=True)
class Toggle:
    """The car shows itself by B-C-B so many times (sequence 11)."""

    times: int


@dataclass(frozen=True)
class Plug:
    """A plug goes in or out."""

    into: bool


@dataclass(frozen=True)
class SetPilot:
    """From ``t`` on the station sends a duty cycle [%]; ``broken`` means that it holds the pilot's relay open."""

    t: float
    duty_pct: float
    broken: bool = False


@dataclass(frozen=True)
class SetContactor:
    """From ``t`` on the contactor is closed or open."""

    t: float
    closed: bool


@dataclass(frozen=True)
class Fault:
    """At ``t`` the station finds a fault: "diode", "short" or "ventilation"."""

    t: float
    name: str


@dataclass(frozen=True)
class SetLoad:
    """From ``t`` on the car puts ``load`` on the wire."""

    t: float
    load: Load


@dataclass(frozen=True)
class SetCurrent:
    """From ``t`` on the car draws ``current_a`` per phase."""

    t: float
    current_a: float


EvseEvent = Seen | Offer | Available
EvEvent = Pilot | Supply | Want | Toggle | Plug
EvseOutput = SetPilot | SetContactor | Fault
EvOutput = SetLoad | SetCurrent


class Timers:
    """Named points in time with what is due at them; setting one again replaces it."""

    def __init__(self) -> None:
        self._due: dict[str, tuple[float, Callable[[float], None]]] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._due

    def set(self, name: str, t: float, action: Callable[[float], None]) -> None:
        """At ``t`` do ``action``, which takes the time."""
        self._due[name] = (t, action)

    def cancel(self, *names: str) -> None:
        """These are not due any more."""
        for name in names:
            self._due.pop(name, None)

    def keep(self, *names: str) -> None:
        """Only these are still due."""
        self._due = {name: self._due[name] for name in names if name in self._due}

    @property
    def due(self) -> float:
        """When the next is due, infinity when none is."""
        return min((t for t, _action in self._due.values()), default=math.inf)

    def run(self, t: float) -> None:
        """Do what is due until ``t``, in order of time."""
        while self.due <= t + _ROUNDING_S:
            name = min(self._due, key=lambda key: self._due[key][0])
            at, action = self._due.pop(name)
            action(min(at, t))
