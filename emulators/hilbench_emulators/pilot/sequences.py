"""Both sides on one wire: an order of events played out in pure time, as changes of the wire and a log. Pure."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

from hilbench_emulators.pilot.circuit import Circuit, Load
from hilbench_emulators.pilot.ev_side import EvSide
from hilbench_emulators.pilot.events import (
    Available,
    EvOutput,
    EvseOutput,
    Offer,
    Pilot,
    Plug,
    Seen,
    SetContactor,
    SetLoad,
    SetPilot,
    Supply,
    Toggle,
    Want,
)
from hilbench_emulators.pilot.evse_side import EvseSide
from hilbench_emulators.pilot.levels import THRESHOLDS_V, levels
from hilbench_emulators.pilot.wire import STEADY, Change, PilotHistory, Script

Happening = Offer | Available | Want | Toggle | Plug
Said = EvseOutput | EvOutput
DIODE_V = -10.0
"""A low side above this is a missing diode (WARP evse.c, read-code)."""


def seen(change: Change) -> Seen:
    """What a station that measures the settled levels makes of the wire."""
    found = levels(change.circuit, change.load)
    low_shows = change.duty_pct < STEADY
    return Seen(_load_of(found.high_v), (found.low_v <= DIODE_V) if low_shows else None)


def _load_of(high_v: float) -> Load:
    if high_v > THRESHOLDS_V["A/B"]:
        return "A"
    if high_v > THRESHOLDS_V["B/C"]:
        return "B"
    if high_v > THRESHOLDS_V["C/D"]:
        return "C"
    return "D" if high_v > E_BELOW_V else "E"


E_BELOW_V = 1.8
"""Half-way between the corner windows of D and E (policy-default)."""


@dataclass(frozen=True)
class Played:
    """What was on the wire, and what both sides did, in order."""

    wire: Script
    log: tuple[Said, ...]

    def times(self, kind: type[Said], **values: object) -> list[float]:
        """When something of a kind with these values was done."""
        return [
            said.t
            for said in self.log
            if isinstance(said, kind) and all(getattr(said, name) == value for name, value in values.items())
        ]

    def first(self, kind: type[Said], after: float = -math.inf, **values: object) -> float:
        """When that was first done at or after a time; infinity if never."""
        return min((t for t in self.times(kind, **values) if t >= after), default=math.inf)


def play(
    evse: EvseSide,
    ev: EvSide,
    happenings: Sequence[tuple[float, Happening]],
    until_s: float,
    circuit: Circuit | None = None,
) -> Played:
    """Let both sides act on each other until ``until_s``, with what happens to them in order of time."""
    game = _Game(evse, ev, circuit if circuit is not None else Circuit())
    waiting = sorted(happenings, key=lambda pair: pair[0])
    while True:
        t = min(evse.due, ev.due, waiting[0][0] if waiting else math.inf)
        if t > until_s:
            return Played(Script(tuple(game.history.since(-math.inf))), tuple(game.log))
        game.step(t, waiting.pop(0)[1] if waiting and waiting[0][0] == t else None)


class _Game:
    """The wire between the two; what one says reaches the other in the order in which it was said."""

    def __init__(self, evse: EvseSide, ev: EvSide, circuit: Circuit) -> None:
        self.log: list[Said] = []
        self._evse = evse
        self._ev = ev
        self._whole = circuit
        self._queue: deque[Said] = deque()
        self.history = PilotHistory(Change(0.0, "A", evse.duty_pct, circuit), keep_s=math.inf)

    def step(self, t: float, happening: Happening | None) -> None:
        """What both do at ``t``, with what happens to one of them."""
        if isinstance(happening, Offer | Available):
            self._queue += self._evse.advance(t, happening)
        else:
            self._queue += self._ev.advance(t, happening)
        self._queue += self._evse.advance(t)
        while self._queue:
            said = self._queue.popleft()
            self.log.append(said)
            self._pass_on(said)

    def _pass_on(self, said: Said) -> None:
        if isinstance(said, SetPilot):
            cable = replace(self._whole.cable, broken=self._whole.cable.broken or said.broken)
            self.history.update(said.t, duty_pct=said.duty_pct, circuit=replace(self._whole, cable=cable))
            self._queue += self._ev.advance(said.t, Pilot(None if cable.broken else said.duty_pct))
            self._look(said.t)
        elif isinstance(said, SetContactor):
            self._queue += self._ev.advance(said.t, Supply(said.closed))
        elif isinstance(said, SetLoad):
            self.history.update(said.t, load=said.load)
            self._look(said.t)

    def _look(self, t: float) -> None:
        """The station measures the wire; in state F there is nothing of the car to see."""
        if self.history.last.duty_pct > 0.0:
            self._queue += self._evse.advance(t, seen(self.history.last))
