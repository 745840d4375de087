"""Step response: dead time, t50, t90, settling, overshoot, and the time until a limit is respected for good.

Definitions: dead time is the first departure of 5 % of the step; t90 is the open loop response time of IEEE 1547-2018
(from the step until 90 % of the final change; secondary); settling is the last exit of the band around the end value.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from hilbench.metrics.polyline import (
    Level,
    Polyline,
    after,
    between,
    first_at_or_above,
    integral,
    last_above,
    minus,
    positive,
)

DEAD_SHARE = 0.05
"""Share of the step that counts as a reaction."""
SETTLING_SHARE = 0.05
"""Half width of the settling band as a share of the step."""


@dataclass(frozen=True)
class StepResponse:
    """Times [s] from the stimulus (``inf``: not within the signal) and overshoot past the end value.

    ``overshoot`` is in the signal's unit and never negative, ``overshoot_pct`` relates it to the step, and
    ``overshoot_s`` is its integral over time (A.s for a current).
    """

    y0: float
    yf: float
    dead_time_s: float
    t50_s: float
    t90_s: float
    settling_s: float
    overshoot: float
    overshoot_pct: float
    overshoot_s: float


def step_response(line: Polyline, t0: float, y0: float, yf: float, band: float | None = None) -> StepResponse:
    """How ``line`` goes from ``y0`` to ``yf`` after the stimulus at ``t0``.

    ``band`` is the half width of the settling band in the signal's unit (default 5 % of the step). Raises
    ``ValueError`` when there is no step (``y0 == yf``) or the signal ends before ``t0``.
    """
    step = yf - y0
    if not (math.isfinite(step) and step != 0):
        raise ValueError(f"no step between {y0} and {yf}: the response is not defined")
    t, v = after(line, t0)
    share = (t, (v - y0) / step)
    past = positive((t, share[1] - 1.0))
    overshoot = float(past[1].max())
    return StepResponse(
        y0=y0,
        yf=yf,
        dead_time_s=first_at_or_above(share, DEAD_SHARE) - t0,
        t50_s=first_at_or_above(share, 0.5) - t0,
        t90_s=first_at_or_above(share, 0.9) - t0,
        settling_s=settling_time((t, v), t0, yf, SETTLING_SHARE * abs(step) if band is None else band),
        overshoot=overshoot * abs(step),
        overshoot_pct=overshoot * 100.0,
        overshoot_s=integral(past) * abs(step),
    )


def settling_time(line: Polyline, t0: float, target: float, band: float) -> float:
    """Seconds from ``t0`` until the line is within ``target`` +- ``band`` for good; ``inf`` if outside at its end."""
    t, v = after(line, t0)
    return max(last_above((t, v), target + band), last_above((t, -v), band - target), t0) - t0


def clear_time(line: Polyline, limit: Level, t0: float, t1: float | None = None) -> float:
    """Seconds from ``t0`` until the line is at or below ``limit`` and stays so until ``t1`` (default: its end).

    0 when it is never above, ``inf`` when it is above at the end of the window.
    """
    window = after(line, t0) if t1 is None else between(line, t0, t1)
    return max(last_above(after(minus(window, limit), t0), 0.0), t0) - t0


def reach_time(line: Polyline, level: float, t0: float) -> float:
    """Seconds from ``t0`` until the line is first at or above ``level``; ``inf`` when it never is."""
    return first_at_or_above(after(line, t0), level) - t0


def hold_time(line: Polyline, level: float, t0: float) -> float:
    """Seconds from ``t0`` until the line is at or above ``level`` for good; ``inf`` if below it at its end."""
    t, v = after(line, t0)
    return max(last_above((t, -v), -level), t0) - t0
