"""The pilot between an emulated EVSE board and what is plugged into it, for probes that look at it."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import deque
from dataclasses import replace

from hilbench import clock
from hilbench_emulators.openevse import EmulatedOpenEvse
from hilbench_emulators.openevse_board import Pilot
from hilbench_emulators.pilot import Change, Circuit, Load
from hilbench_emulators.pilot.circuit import LOAD_OF
from hilbench_emulators.pilot.wire import STEADY

_HISTORY = 10_000
"""Changes of the car's side that are kept, as many as of the board's."""


class BoardWire:
    """The pilot of ``board``: what it drives and what an EV simulator loads it with, now and in the past.

    To the simulator it is the outlet that it is plugged into, to a probe a ``PilotWire``.
    """

    def __init__(self, board: EmulatedOpenEvse, circuit: Circuit | None = None) -> None:
        self._board, self._circuit = board, circuit or Circuit()
        self._loads: deque[tuple[float, Load, bool]] = deque([(-math.inf, "A", True)], _HISTORY)

    @property
    def pilot(self) -> Pilot:
        """What the board drives now."""
        return self._board.pilot

    def load(self, state: str, *, diode: bool = True) -> None:
        """The simulator has switched its relays."""
        self._loads.append((clock.time(), LOAD_OF[state], diode))
        self._board.load(state, diode=diode)

    def at(self, t: float) -> Change:
        """See ``PilotWire``."""
        return self.since(t)[0]

    def since(self, t: float) -> tuple[Change, ...]:
        """See ``PilotWire``."""
        drives, loads = list(self._board.core.pilots), list(self._loads)
        later = {one.t for one in drives if one.t > t} | {one[0] for one in loads if one[0] > t}
        return tuple(self._held(drives, loads, moment) for moment in (t, *sorted(later)))

    def _held(self, drives: list[Pilot], loads: list[tuple[float, Load, bool]], t: float) -> Change:
        drive = drives[max(bisect_right(drives, t, key=lambda one: one.t) - 1, 0)]
        _since, load, diode = loads[max(bisect_right(loads, t, key=lambda one: one[0]) - 1, 0)]
        circuit = self._circuit
        if not diode:
            circuit = replace(circuit, ev=replace(circuit.ev, diode="shorted"))
        return Change(t, load, _duty_pct(drive), circuit)


def _duty_pct(drive: Pilot) -> float:
    if drive.level == "PWM":
        return drive.duty_pct or 0.0
    return STEADY if drive.level == "P12" else 0.0
