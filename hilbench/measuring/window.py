"""What an extractor sees, and what it answers with."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from hilbench.bench import Bench
from hilbench.errors import InputError
from hilbench.metrics.polyline import Polyline, minus
from hilbench.metrics.uncertainty import COVERAGE, Part
from hilbench.requirements import Requirements
from hilbench.signals import base_current, line_current, offered_current
from hilbench.site import Node
from hilbench.waveform import Snapshot


class Took(NamedTuple):
    """Seconds from an act to what it brought about, what they are uncertain by, and bench time of the act [s]."""

    seconds: float
    uncertainty_s: float
    begun_s: float


@dataclass(frozen=True)
class Reading:
    """A measured value before its verdict; ``context`` adds to what the limit may depend on (node, station).

    ``shots`` are the records of an instrument that it was read from. One that is not ``judged`` only informs.
    ``parts`` are what the uncertainty consists of, where that is more than one thing.
    """

    value: float
    uncertainty: float = 0.0
    note: str = ""
    signals: tuple[str, ...] = ()
    context: Mapping[str, float] = field(default_factory=dict)
    shots: tuple[Snapshot, ...] = ()
    judged: bool = True
    parts: tuple[Part, ...] = ()

    @property
    def budget(self) -> tuple[Part, ...]:
        """What the uncertainty consists of: ``parts``, or one instrument, or the clock alone; nothing without one."""
        if self.parts or not 0.0 < self.uncertainty < math.inf:
            return self.parts if self.uncertainty else ()
        return ((scope_part if self.shots else clock_part)(self.uncertainty),)


def clock_part(u: float) -> Part:
    """What the clock of the bench contributes, from an expanded uncertainty."""
    how = "0.02 s, and twice the greatest lateness that was seen, for the bench and for the controller"
    return Part("clock of the bench", u / COVERAGE, how)


def scope_part(u: float) -> Part:
    """What an oscilloscope contributes, from an expanded uncertainty."""
    return Part("oscilloscope", u / COVERAGE, "its ranges, its samples and its noise, as its records show them")


@dataclass(frozen=True)
class Window:
    """What an extractor sees: the bench, the time span [s] and the parameters of the call."""

    bench: Bench
    requirements: Requirements
    start: float
    stop: float
    parameters: dict[str, Any] = field(default_factory=dict)

    def line(self, name: str) -> Polyline | None:
        """The signal ``name`` within the window, None when it was never recorded."""
        signal = self.bench.record.signals.get(name)
        if signal is None or not len(signal):
            return None
        return signal.polyline(self.start, self.stop)

    def must(self, name: str) -> Polyline:
        """The signal ``name`` within the window; raises ``InputError`` when it was never recorded."""
        found = self.line(name)
        if found is None:
            raise InputError("measure", f"signal {name} was never recorded, so nothing can be said about it")
        return found

    @property
    def roles(self) -> Sequence[str]:
        """Stations that the measurement is about: those of the call, or all."""
        given: Sequence[str] | None = self.parameters.get("roles")
        return list(self.bench.stations) if given is None else given

    def currents(self) -> Iterator[tuple[Node, str, Polyline]]:
        """True current of every line of every node."""
        for node in self.bench.site.nodes:
            for line in self.bench.site.lines:
                found = self.line(line_current(node.id, line))
                if found is not None:
                    yield node, line, found

    @property
    def time_u(self) -> float:
        """Expanded uncertainty of an interval between two recorded instants [s]."""
        return self.bench.time_uncertainty_s

    @property
    def average_u(self) -> float:
        """Expanded uncertainty of an average over the window, as a share of it: the window has uncertain ends."""
        return min(self.time_u / max(self.stop - self.start, 1e-9), 1.0)


Extractor = Callable[[Window], list[Reading]]
"""Takes one metric from a window: a reading for each node, line or station; the worst of them counts."""


def managed(window: Window, line: str) -> Polyline:
    """Current of all cars in one line of the service: what the line carries beyond the building."""
    return minus(window.must(line_current("service", line)), window.must(base_current(line)))


def offers(window: Window) -> dict[str, Polyline]:
    """What each station offered its car."""
    return {role: found for role in window.roles if (found := window.line(offered_current(role))) is not None}
