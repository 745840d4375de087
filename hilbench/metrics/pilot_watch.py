"""A row of looks at a pilot: how far changes lie apart, and whether the PWM was away in between."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

CHANGED_PCT = 0.15
"""Two looks whose duty cycles [%] differ by less saw the same one: a tenth of an ampere, and noise (policy-default)."""


class Move(NamedTuple):
    """A change of the duty cycle: time [s] of the look that first saw it, the duty before and after [%].

    ``nan`` is no PWM.
    """

    t: float
    was_pct: float
    now_pct: float


def changes(looks: Sequence[tuple[float, float]]) -> list[Move]:
    """All changes in a row of times [s] and duty cycles [%]."""
    found = []
    for (_before, was), (t, now) in pairwise(looks):
        away = math.isnan(was) != math.isnan(now)
        if away or abs(now - was) > CHANGED_PCT:
            found.append(Move(t, was, now))
    return found


def raises(looks: Sequence[tuple[float, float]]) -> Iterator[tuple[Move, Move]]:
    """Each raise of the duty cycle, after the change before it: what must lie apart. Reductions may come at once."""
    return ((before, move) for before, move in pairwise(changes(looks)) if move.now_pct > move.was_pct)


def closest_raise(looks: Sequence[tuple[float, float]]) -> tuple[Move, Move] | None:
    """The raise that came soonest after the change before it, and that change; None without two such changes."""
    return min(raises(looks), key=lambda pair: pair[1].t - pair[0].t, default=None)


def gaps(pwm: Sequence[bool]) -> list[int]:
    """The looks that last saw no PWM, each time that it went and came back."""
    first_on = next((n for n, on in enumerate(pwm) if on), len(pwm))
    return [n for n in range(first_on, len(pwm) - 1) if not pwm[n] and pwm[n + 1]]
