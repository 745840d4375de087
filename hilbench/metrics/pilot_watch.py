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


class WakeUp(NamedTuple):
    """Seconds from the first PWM to the pulse that wakes a car, how long it lasts, and what both are uncertain by.

    Infinity where there was none, or where it has not ended.
    """

    wait_s: float
    pulse_s: float
    uncertainty_s: float


def wake_up(looks: Sequence[tuple[float, str]]) -> WakeUp:
    """The first pulse in a row of states (``B1``, ``B2``, ``F``, ...) at their times [s].

    It begins when a car in state B is not to be seen any more (F, E or A), and ends when it is. Each change lies
    between two looks.
    """
    offers = _first(looks, "B2", 0)
    pulse = _first(looks, "AEF", offers)
    ends = _first(looks, "BCD", pulse)
    slack = max((b[0] - a[0] for a, b in pairwise(looks)), default=0.0)
    wait = _between(looks, offers, pulse)
    return WakeUp(wait, _between(looks, pulse, ends), slack if math.isfinite(wait) else 0.0)


def _first(looks: Sequence[tuple[float, str]], wanted: str, since: int) -> int:
    """Index of the first look from ``since`` on at a whole state, or at any with one of these letters."""
    whole = wanted[-1].isdigit()
    shows = (state == wanted if whole else state[0] in wanted for _t, state in looks[since:])
    return next((since + n for n, yes in enumerate(shows) if yes), len(looks))


def _between(looks: Sequence[tuple[float, str]], first: int, last: int) -> float:
    """Seconds between two changes that these looks were the first to see; infinity where one was not seen."""
    if last >= len(looks):
        return math.inf
    return _changed(looks, last) - _changed(looks, first)


def _changed(looks: Sequence[tuple[float, str]], at: int) -> float:
    return (looks[max(at - 1, 0)][0] + looks[at][0]) / 2.0
