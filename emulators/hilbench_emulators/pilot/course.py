"""The node's voltage after an edge or a switch, exact: end values and exponentials, cut at the diode's knee."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from hilbench_emulators.pilot.circuit import Node

_INSTANT_S = 1e-15
"""A piece that begins at the knee leaves it; crossings so soon after its start are that start."""
_HALVINGS = 60


@dataclass(frozen=True)
class Source:
    """The source's voltage now, where it heads for, and how long its straight edge still lasts."""

    volts: float
    target_v: float
    left_s: float = 0.0

    @property
    def slope(self) -> float:
        """Change [V/s] while the edge lasts."""
        return (self.target_v - self.volts) / self.left_s if self.left_s > 0.0 else 0.0

    def after(self, elapsed_s: float) -> Source:
        """The source ``elapsed_s`` later."""
        if elapsed_s >= self.left_s:
            return Source(self.target_v, self.target_v)
        return Source(self.volts + self.slope * elapsed_s, self.target_v, self.left_s - elapsed_s)


class Piece(NamedTuple):
    """From ``start_s`` on the voltage is ``level + slope x + swing exp(-x / tau)``, ``x`` being the time since."""

    start_s: float
    level: float
    slope: float
    swing: float
    tau: float

    def at(self, x: float) -> float:
        """Voltage [V], ``x`` seconds after its start."""
        return self.level + self.slope * x + self.swing * math.exp(-x / self.tau)

    def turning(self) -> float:
        """Where a piece with a slope turns; not positive where it does not."""
        ratio = self.swing / (self.slope * self.tau)
        return self.tau * math.log(ratio) if ratio > 0.0 else -1.0


@lru_cache(maxsize=4096)
def course(node: Node, source: Source, volts: float) -> tuple[Piece, ...]:
    """The pieces that follow while the node stays as it is and the source only ends its edge; the last has no end."""
    conducting = node.conducts(volts, source.volts if source.left_s > 0.0 else source.target_v)
    pieces: list[Piece] = []
    x = 0.0
    while True:
        piece = _piece(node, source, x, volts, conducting)
        pieces.append(piece)
        end = source.left_s if source.left_s > 0.0 else math.inf
        hit = None if node.side == 0 or node.branch_s == 0.0 else _crossing(piece, node.knee_v, end)
        if hit is None and math.isinf(end):
            return tuple(pieces)
        step = end if hit is None else hit
        volts = piece.at(step) if hit is None else node.knee_v
        conducting = conducting if hit is None else not conducting
        source, x = source.after(step), x + step


def _piece(node: Node, source: Source, start_s: float, volts: float, conducting: bool) -> Piece:
    tau = node.tau_s(conducting)
    slope = source.slope * node.share(conducting)
    now_v = source.volts if source.left_s > 0.0 else source.target_v
    level = node.end_v(now_v, conducting) - slope * tau
    return Piece(start_s, level, slope, volts - level, tau)


def _crossing(piece: Piece, knee_v: float, until: float) -> float | None:
    """First time at which a piece passes through the knee, before ``until``."""
    if until <= _INSTANT_S:
        return None
    if piece.slope == 0.0:
        gap = knee_v - piece.level
        ratio = gap / piece.swing if piece.swing else 0.0
        x = -piece.tau * math.log(ratio) if 0.0 < ratio < 1.0 else -1.0
        return x if _INSTANT_S < x < until else None
    turn = piece.turning()
    stops = [_INSTANT_S, *([turn] if _INSTANT_S < turn < until else []), until]
    for low, high in pairwise(stops):
        if (piece.at(low) > knee_v) != (piece.at(high) > knee_v):
            return _bisect(piece, knee_v, low, high)
    return None


def _bisect(piece: Piece, knee_v: float, low: float, high: float) -> float:
    above = piece.at(low) > knee_v
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        if (piece.at(middle) > knee_v) == above:
            low = middle
        else:
            high = middle
    return high
