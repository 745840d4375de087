"""A limit that falls at once and rises late and slowly: the end of an event makes no new peak.

Many sites get the same event, and all that waited want to charge when it ends. So a lower limit holds at once; a
higher one, or none, is taken up after a wait that each site draws for itself, and then along a slope. What is given
out is never above what is asked for. The rule holds for every rise, also between two intervals of one event.
Wait and slope are policy-default (``release_spread_s``, ``release_s``): no source was found that states figures.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Slope:
    """How limits rise: wait up to ``spread_s``, then ``kw_per_s``; at ``full_kw`` a limit that is to end, ends."""

    full_kw: float
    kw_per_s: float
    spread_s: float
    seed: int = 0


@dataclass(frozen=True)
class Ramp:
    """The limit given out [kW] (infinite: none) as of ``t`` [s], and from when on it may rise (None: it need not)."""

    t: float
    given_kw: float = math.inf
    rise_t: float | None = None
    releases: int = 0

    @property
    def limit_kw(self) -> float | None:
        """The limit given out; None is no limit."""
        return None if self.given_kw == math.inf else self.given_kw


def step(ramp: Ramp, t: float, asked_kw: float | None, slope: Slope) -> Ramp:
    """The ramp at ``t``, not before ``ramp.t``, when ``asked_kw`` (None: no limit) has been asked for since then."""
    asked = math.inf if asked_kw is None else asked_kw
    if asked <= ramp.given_kw:
        return replace(ramp, t=t, given_kw=asked, rise_t=None)
    if ramp.rise_t is None:
        return _release(ramp, t, slope)
    given = min(asked, ramp.given_kw + slope.kw_per_s * max(0.0, t - max(ramp.t, ramp.rise_t)))
    if given >= slope.full_kw:
        given = asked  # above the site's own import no limit acts
    return replace(ramp, t=t, given_kw=given, rise_t=None if given == asked else ramp.rise_t)


def _release(ramp: Ramp, t: float, slope: Slope) -> Ramp:
    """A rise begins to wait."""
    wait_s = random.Random(f"{slope.seed}:{ramp.releases}").uniform(0.0, slope.spread_s)
    return replace(ramp, t=t, rise_t=t + wait_s, releases=ramp.releases + 1)


def next_step(ramp: Ramp, tick_s: float) -> float:
    """When the limit moves next by itself: infinite when it does not, else the end of the wait or a tick later."""
    if ramp.rise_t is None:
        return math.inf
    return ramp.rise_t if ramp.t < ramp.rise_t else ramp.t + tick_s


__all__ = ["Ramp", "Slope", "next_step", "step"]
