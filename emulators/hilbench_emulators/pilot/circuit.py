"""The control pilot as a circuit: the station's source and R1, the capacities, the car's diode and resistors.

One node, the pilot contact of the connector. The car's branch conducts on one side of its diode's knee only, so the
node's voltage is a row of exponentials, each with its own end value and time constant (see ``course``). A plug that
goes in or out does not move the node's charge: its voltage is continuous.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from typing import Literal

from hilbench.errors import InputError, Problem

Load = Literal["A", "B", "C", "D", "E"]
"""What the car's side puts on the wire: nothing, R2, R2 beside R3, R2 beside R3 with ventilation, a short to PE."""
Diode = Literal["fitted", "shorted", "open", "reversed"]
LOADS: tuple[Load, ...] = ("A", "B", "C", "D", "E")
LOAD_OF: dict[str, Load] = {load: load for load in LOADS}
"""A load by the letter of its state."""


@dataclass(frozen=True)
class Evse:
    """The station's source [V], its R1 and capacity, its edges (10 to 90 %), frequency, and errors of its pulses.

    ``width_error_s`` makes every pulse longer; ``jitter_s`` is the standard deviation of each edge.
    """

    high_v: float = 12.0
    low_v: float = -12.0
    r1_ohm: float = 1000.0
    c_f: float = 300e-12
    rise_s: float = 0.0
    fall_s: float = 0.0
    frequency_hz: float = 1000.0
    width_error_s: float = 0.0
    jitter_s: float = 0.0


@dataclass(frozen=True)
class Cable:
    """The cable's capacity, a leak or short from pilot to PE, and whether the pilot conductor is broken."""

    c_f: float = 700e-12
    short_ohm: float = math.inf
    broken: bool = False


@dataclass(frozen=True)
class Ev:
    """The car's diode, R2 and R3 (without and with ventilation), its short in state E, and its capacity."""

    diode: Diode = "fitted"
    diode_v: float = 0.7
    r2_ohm: float = 2740.0
    r3_ohm: float = 1300.0
    r3_ventilated_ohm: float = 270.0
    short_ohm: float = 0.1
    c_f: float = 800e-12


@dataclass(frozen=True)
class Circuit:
    """The whole pilot circuit; with the defaults 1.8 nF in all (policy-default).

    Raises ``InputError`` for resistors, capacities or a frequency that are not positive, and for other nonsense.
    """

    evse: Evse = field(default_factory=Evse)
    cable: Cable = field(default_factory=Cable)
    ev: Ev = field(default_factory=Ev)

    def __post_init__(self) -> None:
        problems = list(_problems("evse", self.evse, signed=("high_v", "low_v", "width_error_s")))
        problems += _problems("cable", self.cable, signed=())
        problems += _problems("ev", self.ev, signed=())
        if problems:
            raise InputError("pilot circuit", problems)

    def unpowered(self) -> Circuit:
        """The same with a dead source: 0 V behind R1."""
        return replace(self, evse=replace(self.evse, high_v=0.0, low_v=0.0))

    def with_capacity(self, total_f: float) -> Circuit:
        """The same with ``total_f`` in all while a car is plugged in; cable and car share what the station leaves."""
        rest = max(total_f - self.evse.c_f, 0.0) / 2.0
        return replace(self, cable=replace(self.cable, c_f=rest), ev=replace(self.ev, c_f=rest))


def _problems(part: str, values: Evse | Cable | Ev, signed: tuple[str, ...]) -> Iterator[Problem]:
    for entry in fields(values):
        name, value = entry.name, getattr(values, entry.name)
        if not isinstance(value, float | int) or isinstance(value, bool) or name in signed:
            continue
        least_open = name.endswith("_ohm") or name in ("frequency_hz",) or (part == "evse" and name == "c_f")
        endless = math.isinf(value) and name != "short_ohm"
        if not value >= 0.0 or endless or (least_open and value == 0.0):
            yield Problem(f"{part}.{name}", f"is {value}", "give a positive figure")


@dataclass(frozen=True)
class Node:
    """What hangs on the source: R1 and C, a leak to PE, and a branch that conducts beyond ``knee_v``.

    ``side`` is +1 where the branch conducts above the knee, -1 below it, 0 where it always does.
    """

    r1_ohm: float
    c_f: float
    leak_s: float = 0.0
    branch_s: float = 0.0
    knee_v: float = 0.0
    side: int = 0

    def end_v(self, source_v: float, conducting: bool) -> float:
        """Where the voltage heads for while the branch conducts, or does not."""
        branch = self.branch_s if conducting else 0.0
        return (source_v / self.r1_ohm + branch * self.knee_v) / (1.0 / self.r1_ohm + self.leak_s + branch)

    def share(self, conducting: bool) -> float:
        """Share of a change of the source that arrives in the end."""
        return 1.0 / (1.0 + self.r1_ohm * (self.leak_s + (self.branch_s if conducting else 0.0)))

    def tau_s(self, conducting: bool) -> float:
        """Time constant [s]."""
        return self.c_f * self.r1_ohm * self.share(conducting)

    def conducts(self, volts: float, source_v: float) -> bool:
        """Whether the branch conducts at ``volts``; at the knee itself, where the source pulls counts."""
        if self.side == 0 or abs(volts - self.knee_v) > 1e-9:
            return self.side == 0 or (volts - self.knee_v) * self.side > 0.0
        return (self.end_v(source_v, conducting=False) - self.knee_v) * self.side > 0.0

    def steady_v(self, source_v: float) -> float:
        """Voltage [V] once everything has settled."""
        idle = self.end_v(source_v, conducting=False)
        conducting = self.side == 0 or (idle - self.knee_v) * self.side > 0.0
        return self.end_v(source_v, conducting)


@lru_cache(maxsize=4096)
def node_of(circuit: Circuit, load: Load) -> Node:
    """The node while the car puts ``load`` on the wire."""
    evse, cable, ev = circuit.evse, circuit.cable, circuit.ev
    if load == "A" or cable.broken:
        reach = cable.c_f if load != "A" else 0.0
        return Node(evse.r1_ohm, evse.c_f + reach, leak_s=1.0 / cable.short_ohm)
    if load == "E":
        leak = 1.0 / cable.short_ohm + 1.0 / ev.short_ohm
        return Node(evse.r1_ohm, evse.c_f + cable.c_f + ev.c_f, leak_s=leak)
    knee, side = _knee(ev)
    branch = 0.0 if ev.diode == "open" else _branch_s(ev, load)
    return Node(evse.r1_ohm, evse.c_f + cable.c_f + ev.c_f, 1.0 / cable.short_ohm, branch, knee, side)


def _branch_s(ev: Ev, load: Load) -> float:
    """Conductance [S] of the car's resistors."""
    third = {"C": ev.r3_ohm, "D": ev.r3_ventilated_ohm}.get(load, math.inf)
    return 1.0 / ev.r2_ohm + 1.0 / third


def _knee(ev: Ev) -> tuple[float, int]:
    if ev.diode == "fitted":
        return ev.diode_v, 1
    return (-ev.diode_v, -1) if ev.diode == "reversed" else (0.0, 0)
