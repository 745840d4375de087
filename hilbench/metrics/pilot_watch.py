"""A row of looks at a pilot: how far changes lie apart, and whether the PWM was away in between."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

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
