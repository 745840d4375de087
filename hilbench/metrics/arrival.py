"""Charging on arrival, as something to compare a plan with: whoever comes first has all that the site has left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Stay:
    """A car that was there from ``start`` to ``stop`` [s], takes up to ``power_kw`` and took ``energy_kwh``."""

    start: float
    stop: float
    power_kw: float
    energy_kwh: float


def on_arrival(stays: Sequence[Stay], room_kw: Array, start: float, step_s: float) -> Array:
    """Power [step, kW] of all cars when each takes its energy as early as it can, within ``room_kw`` [step].

    Steps of ``step_s`` from ``start`` [s] on. A car gets nothing in the steps in which it comes and goes, and what
    does not fit into its stay is left out.
    """
    taken = np.zeros(len(room_kw))
    for stay in sorted(stays, key=lambda one: one.start):
        first, last = int(np.ceil((stay.start - start) / step_s)), int((stay.stop - start) // step_s)
        most = np.clip(room_kw[max(first, 0) : last] - taken[max(first, 0) : last], 0.0, stay.power_kw)
        before = np.concatenate(([0.0], np.cumsum(most)[:-1])) if len(most) else most
        wanted = stay.energy_kwh * 3600.0 / step_s
        taken[max(first, 0) : last] += np.clip(wanted - before, 0.0, most)
    return taken


__all__ = ["Stay", "on_arrival"]
