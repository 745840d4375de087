"""The building as a test moves it: steps, ramps, swings and motor starts on top of its load."""

from __future__ import annotations

import math
from collections.abc import Mapping

from hilbench import clock
from hilbench.errors import InputError, Problem
from hilbench.signals import Event, Record
from hilbench_emulators.building import BuildingLoad
from hilbench_emulators.injections import Injection, Inrush, Ramp, Sine, Step
from hilbench_emulators.plant import Plant

Lines = tuple[str, ...] | None


class BaseLoadControl:
    """Injects load [A per line] into the building from now on; every call leaves an event to measure since.

    A step may also be made at a feeder (``node``) that declares something beside its stations.
    """

    def __init__(self, plant: Plant, loads: Mapping[str, BuildingLoad], record: Record) -> None:
        self._plant = plant
        self._loads = loads
        self._record = record
        self._injected: list[tuple[BuildingLoad, Injection]] = []

    def step(self, amps: float, lines: Lines = None, duration_s: float = math.inf, node: str = "service") -> Event:
        """Draw ``amps`` more in ``lines`` (all when None), at once, for ``duration_s`` or until cleared."""
        step = Step(clock.time(), amps, lines, duration_s)
        return self._inject("stimulus.step", step, node, amps=amps, lines=lines)

    def ramp(self, amps: float, over_s: float, lines: Lines = None, hold_s: float = math.inf) -> Event:
        """Draw ``amps`` more after ``over_s`` seconds of even rise, and hold it for ``hold_s`` or until cleared."""
        ramp = Ramp(clock.time(), amps, over_s, lines, hold_s)
        return self._inject("stimulus.ramp", ramp, "service", amps=amps, over_s=over_s, lines=lines)

    def sine(self, amps: float, period_s: float, lines: Lines = None, duration_s: float = 3600.0) -> Event:
        """Swing by +- ``amps`` with ``period_s`` for ``duration_s`` or until cleared."""
        sine = Sine(clock.time(), amps, period_s, duration_s, lines)
        return self._inject("stimulus.sine", sine, "service", amps=amps, period_s=period_s, lines=lines)

    def inrush(self, running_a: float, lines: Lines = None, run_s: float = math.inf) -> Event:
        """Start a motor that runs at ``running_a`` for ``run_s``: first six times as much, decaying within 0.5 s."""
        inrush = Inrush(clock.time(), running_a, lines, run_s=run_s)
        return self._inject("stimulus.inrush", inrush, "service", running_a=running_a, lines=lines)

    def clear(self) -> Event:
        """Take every injection away at once."""
        self._plant.touch()
        for load, injection in self._injected:
            load.remove(injection)
        self._injected.clear()
        return self._record.event(clock.time(), "stimulus.clear", "service")

    def _inject(self, kind: str, injection: Injection, node: str, **data: object) -> Event:
        if node not in self._loads:
            raise InputError("base load", Problem("node", f"{node!r} has none", f"there is: {', '.join(self._loads)}"))
        load = self._loads[node]
        self._plant.touch()
        self._injected.append((load, load.add(injection)))
        return self._record.event(clock.time(), kind, node, **data)
