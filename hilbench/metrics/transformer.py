"""How hot an oil-immersed transformer gets: top oil and hot spot by the differential equations of IEC 60076-7.

Per interval with a constant load ``K`` [x of rated]: the top oil goes to ``ambient + rise * ((1 + R K^2) / (1 + R))^x``
with the time constant ``k11 * oil_min``, the hot spot above it to ``k21 * H * g * K^y`` with ``k22 * winding_min``,
less ``(k21 - 1) * H * g * K^y`` with ``oil_min / k22``. Within an interval both are exact. The equations are secondary:
read in alliander-opensource/transformer-thermal-model, with which ``benches/transformer_peer.py`` compares.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from hilbench.metrics.polyline import Polyline, checked, step_means
from hilbench.signals import Array

STEP_S = 60.0
"""Intervals into which a current is cut: short beside the shortest time constant, that of the winding (policy)."""
CYCLIC_C, SHORT_C = 120.0, 140.0
"""Hot spot that a distribution transformer bears every day, and for half an hour (IEC 60076-7 table 2; recalled)."""


@dataclass(frozen=True)
class Transformer:
    """Rises [K], time constants [min], exponents and ``loss_ratio`` R of load losses to no-load losses.

    The defaults are those of an ONAN distribution transformer (IEC 60076-7 table 4 as in transformer-thermal-model;
    read-code); the ratio is that of its example.
    """

    top_oil_rise_k: float = 60.0
    oil_min: float = 180.0
    winding_min: float = 4.0
    gradient_k: float = 23.0
    hot_spot_factor: float = 1.2
    loss_ratio: float = 6.5
    oil_exponent: float = 0.8
    winding_exponent: float = 1.6
    k11: float = 1.0
    k21: float = 1.0
    k22: float = 2.0

    def oil_rise_k(self, load: Array) -> Array:
        """Rise of the top oil above ambient that a load [x of rated] leads to in the end."""
        losses = (1.0 + self.loss_ratio * load**2) / (1.0 + self.loss_ratio)
        return np.asarray(self.top_oil_rise_k * losses**self.oil_exponent)

    def hot_spot_rise_k(self, load: Array) -> Array:
        """Rise of the hot spot above the top oil that a load leads to in the end."""
        return np.asarray(self.hot_spot_factor * self.gradient_k * np.abs(load) ** self.winding_exponent)


@dataclass(frozen=True)
class Heat:
    """Temperatures [C] at the end of every interval, with those at the start first, and the ageing within."""

    top_oil_c: Array
    hot_spot_c: Array
    aged_s: float

    @property
    def outcome(self) -> str:
        """What the hottest moment means."""
        hottest = float(self.hot_spot_c.max())
        return "cyclic" if hottest <= CYCLIC_C else "short-term" if hottest <= SHORT_C else "overheated"


def heated(
    minutes: Array, load: Array, ambient_c: Array | float, kind: Transformer, before: float | None = None
) -> Heat:
    """Run intervals of ``minutes`` with a ``load`` [x of rated] and an ambient each through a transformer.

    ``before`` is the load that it had for days; None: it is as cold as its surroundings. Raises ``ValueError`` where
    the three do not fit together.
    """
    load, ambient = np.asarray(load, dtype=np.float64), np.broadcast_to(np.asarray(ambient_c, np.float64), load.shape)
    if len(minutes) != len(load) or not len(load):
        raise ValueError(f"{len(minutes)} intervals and {len(load)} loads: give one load for each interval")
    oil_goal, hot_goal = ambient + kind.oil_rise_k(load), kind.hot_spot_rise_k(load)
    was = np.array([0.0 if before is None else before])
    oil_0 = float(ambient[0]) + (0.0 if before is None else float(kind.oil_rise_k(was)[0]))
    hot_0 = float(kind.hot_spot_rise_k(was)[0])
    oil = lagged(oil_goal, minutes, kind.k11 * kind.oil_min, oil_0)
    winding = lagged(kind.k21 * hot_goal, minutes, kind.k22 * kind.winding_min, kind.k21 * hot_0)
    late = lagged((kind.k21 - 1.0) * hot_goal, minutes, kind.oil_min / kind.k22, (kind.k21 - 1.0) * hot_0)
    hot_spot = oil + winding - late
    aged_s = float(60.0 * np.asarray(minutes) @ ageing(hot_spot[1:]))
    return Heat(oil, hot_spot, aged_s)


def lagged(goal: Array, minutes: Array, tau_min: float, start: float) -> Array:
    """A first-order lag towards ``goal`` over each interval, from ``start``."""
    values = [start]
    for end, keep in zip(goal.tolist(), np.exp(-np.asarray(minutes) / tau_min).tolist(), strict=True):
        values.append(end + (values[-1] - end) * keep)
    return np.array(values)


def ageing(hot_spot_c: Array) -> Array:
    """How many times as fast as at 98 C paper ages that is not thermally upgraded: twice for each 6 K (IEC 60076-7)."""
    return np.asarray(2.0 ** ((hot_spot_c - 98.0) / 6.0))


def assess(current: Polyline, rating_a: float, ambient_c: float, kind: Transformer | None = None) -> Heat:
    """Judge a ``current`` [A] that follows on a long time of its first value.

    One that ramps counts a little more than it heats: its square is taken to be straight between corners.
    """
    t, amps = checked(current)
    count = max(math.ceil((t[-1] - t[0]) / STEP_S), 1)
    step_s = float(t[-1] - t[0]) / count
    squares = step_means((t, amps**2), float(t[0]), step_s, count)
    load = np.sqrt(np.maximum(squares, 0.0)) / rating_a
    return heated(np.full(count, step_s / 60.0), load, ambient_c, kind or Transformer(), before=float(load[0]))
