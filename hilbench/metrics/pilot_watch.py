"""A row of looks at a pilot: how far changes lie apart, and whether the PWM was away in between."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

CHANGED_PCT = 0.15
"""Two looks whose duty cycles [%] differ by less saw the same one: a tenth of an ampere, and noise (policy-default)."""


def changes(looks: Sequence[tuple[float, float]]) -> list[tuple[float, float, float]]:
    """Times [s] of the looks that first saw another duty cycle, with that before and after [%]; ``nan``: no PWM."""
    found = []
    for (_before, was), (t, now) in pairwise(looks):
        away = math.isnan(was) != math.isnan(now)
        if away or abs(now - was) > CHANGED_PCT:
            found.append((t, was, now))
    return found


def raise_spacing(looks: Sequence[tuple[float, float]]) -> float:
    """Least time [s] from a change of the duty cycle to the next raise; infinity without two such changes."""
    seen = changes(looks)
    pairs = pairwise(seen)
    return min((later[0] - earlier[0] for earlier, later in pairs if later[2] > later[1]), default=math.inf)


def gaps(pwm: Sequence[bool]) -> int:
    """How often the PWM went and came back."""
    first_on = next((n for n, on in enumerate(pwm) if on), len(pwm))
    rows = list(pwm[first_on:])
    return sum(not was and now for was, now in pairwise(rows))


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
