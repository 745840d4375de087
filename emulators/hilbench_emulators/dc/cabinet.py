"""Which power modules of a cabinet serve which of its two outlets. Pure; only whole modules move.

``static``: each outlet keeps its share. ``dynamic``: an outlet gets as many as its car asks for; where both ask for
more than there are, each has at least half. What a car no longer needs it keeps for a while (hysteresis); what the
other is entitled to is taken at once, and serves there after ``switch_s``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeVar

from hilbench_emulators.dc.power_module import Bank, Module

_T = TypeVar("_T")
Pair = tuple[int, int]
Demands = tuple[float | None, float | None]
"""DC power [W] that the car of each outlet would take if it could; None: no car. Not its request, which is bounded by
what it is offered."""


@dataclass(frozen=True, slots=True)
class Cabinet:
    """``modules`` of one kind behind two outlets; raises ``ValueError`` for shares that do not fit.

    ``shares`` are those of ``static``. A module is given back once the demand has stayed ``margin_w`` [W] below what
    the others give for ``release_s`` [s]. ``controls_w`` [W] is what the cabinet takes beside its modules. The defaults
    of the four figures are chosen; no maker publishes them.
    """

    module: Module
    modules: int
    policy: Literal["static", "dynamic"] = "dynamic"
    shares: Pair = (0, 0)
    margin_w: float = 2_000.0
    release_s: float = 10.0
    switch_s: float = 2.0
    controls_w: float = 100.0

    def __post_init__(self) -> None:
        if self.modules < 2 or min(self.shares) < 0 or sum(self.shares) > self.modules:
            raise ValueError(f"{self.modules} modules cannot be shared as {self.shares}; give two or more")


@dataclass(frozen=True, slots=True)
class Split:
    """Modules that serve (``held``) and will serve in ``left_s`` (``coming``) each outlet.

    ``spare_s`` is for how long each has needed fewer than it holds.
    """

    held: Pair = (0, 0)
    coming: Pair = (0, 0)
    left_s: float = 0.0
    spare_s: tuple[float, float] = (0.0, 0.0)


def advance_split(cabinet: Cabinet, split: Split, wanted_w: Demands, dt_s: float) -> Split:
    """The split ``dt_s`` [s] later, called once per exchange of the outlets' loops."""
    if cabinet.policy == "static":
        return Split(cabinet.shares)
    split = _arrived(split, dt_s)
    needs = _each(lambda i: _modules_for(cabinet, wanted_w[i]))
    spare_s = _spare(cabinet, split, wanted_w, dt_s)
    kept = _each(lambda i: _kept(cabinet, split, i, wanted_w[i], spare_s[i]))
    coming = _each(lambda i: split.coming[i] if wanted_w[i] is not None else 0)
    if coming != (0, 0):
        return Split(kept, coming, split.left_s, spare_s)
    kept = _yielded(cabinet, kept, needs)
    coming = _granted(cabinet, kept, needs)
    return Split(kept, coming, cabinet.switch_s, spare_s)


def bank(cabinet: Cabinet, split: Split, outlet: int) -> Bank:
    """The modules that serve an outlet (0 or 1) now."""
    return Bank(cabinet.module, split.held[outlet])


def cabinet_ac_w(cabinet: Cabinet, split: Split, dc_w: tuple[float, float]) -> float:
    """AC power [W] of the whole cabinet at the DC power [W] of each outlet; idle modules are in standby."""
    idle = cabinet.modules - sum(split.held)
    serving = sum(bank(cabinet, split, i).ac_w(dc_w[i]) for i in (0, 1))
    return cabinet.controls_w + serving + Bank(cabinet.module, idle).ac_w(0.0)


def _each(of: Callable[[int], _T]) -> tuple[_T, _T]:
    return of(0), of(1)


def _arrived(split: Split, dt_s: float) -> Split:
    left_s = split.left_s - dt_s
    if left_s > 0.0:
        return Split(split.held, split.coming, left_s, split.spare_s)
    return Split(_each(lambda i: split.held[i] + split.coming[i]), spare_s=split.spare_s)


def _modules_for(cabinet: Cabinet, wanted_w: float | None) -> int:
    """Modules that give so much power: at least one for a car."""
    if wanted_w is None:
        return 0
    return min(max(math.ceil(wanted_w / cabinet.module.rated_w), 1), cabinet.modules)


def _spare(cabinet: Cabinet, split: Split, wanted_w: Demands, dt_s: float) -> tuple[float, float]:
    needed = _each(lambda i: _modules_for(cabinet, (wanted_w[i] or 0.0) + cabinet.margin_w))
    return _each(lambda i: split.spare_s[i] + dt_s if split.held[i] > needed[i] else 0.0)


def _kept(cabinet: Cabinet, split: Split, outlet: int, wanted_w: float | None, spare_s: float) -> int:
    """What an outlet keeps: nothing without a car, and what it needs once the hysteresis is over."""
    held = split.held[outlet]
    if wanted_w is None:
        return 0
    return held if spare_s < cabinet.release_s else min(held, _modules_for(cabinet, wanted_w + cabinet.margin_w))


def _fair(cabinet: Cabinet, held: Pair, needs: Pair) -> Pair:
    """Modules to which each outlet is entitled; an odd one stays where more are held."""
    if sum(needs) <= cabinet.modules:
        return needs
    half = cabinet.modules // 2
    if needs[0] <= half:
        return needs[0], cabinet.modules - needs[0]
    if needs[1] <= half:
        return cabinet.modules - needs[1], needs[1]
    first = cabinet.modules - half if held[0] >= held[1] else half
    return first, cabinet.modules - first


def _yielded(cabinet: Cabinet, held: Pair, needs: Pair) -> Pair:
    """What is left to each once it has yielded what the other is entitled to and lacks."""
    fair, free = _fair(cabinet, held, needs), cabinet.modules - sum(held)
    lacking = _each(lambda i: max(fair[i] - held[i], 0))
    return _each(lambda i: held[i] - min(max(lacking[1 - i] - free, 0), max(held[i] - fair[i], 0)))


def _granted(cabinet: Cabinet, held: Pair, needs: Pair) -> Pair:
    """Free modules that go to each outlet that is entitled to them; together they are never more than there are."""
    fair, free = _fair(cabinet, held, needs), cabinet.modules - sum(held)
    return _each(lambda i: min(max(fair[i] - held[i], 0), free))
