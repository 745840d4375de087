"""Piecewise-linear functions of bench time: what a building load is made of."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


class Curve(Protocol):
    """Amperes per line as a function of bench time, straight between its kinks."""

    def at(self, t: float, *, before: bool = False) -> Array:
        """Values [A] per line at ``t``: just after a jump there, or just ``before`` it."""
        ...

    def next_kink(self, t: float) -> float:
        """The first bench time after ``t`` where the slope or the value changes; infinity if none."""
        ...


class Polyline:
    """A function given by its corners; a time that occurs twice is a jump. Held before the first and after the last.

    ``times`` [s] has shape (k,), ``values`` (k, n) or (k,) for n = 1. Raises ``ValueError`` when there is no corner,
    when times run backwards or when a number is not finite.
    """

    def __init__(self, times: Sequence[float] | Array, values: ArrayLike) -> None:
        t = np.asarray(times, dtype=float)
        v = np.asarray(values, dtype=float)
        if not len(t) or not np.isfinite(t).all() or not np.isfinite(v).all():
            raise ValueError("a curve needs at least one corner, and only finite numbers")
        v = v.reshape(len(t), -1).copy()
        v.flags.writeable = False
        steps = np.diff(t)
        if (steps < 0).any():
            raise ValueError("the corners of a curve must be in the order of time")
        self._times: list[float] = t.tolist()
        self._values: list[Array] = list(v)
        self._slopes: list[Array] = list(np.diff(v, axis=0) / np.where(steps > 0, steps, math.inf)[:, None])

    def at(self, t: float, *, before: bool = False) -> Array:
        """Values at ``t``, shape (n,); see :class:`Curve`."""
        index = bisect_left(self._times, t) if before else bisect_right(self._times, t)
        if index == 0:
            return self._values[0]
        if index == len(self._times):
            return self._values[-1]
        return self._values[index - 1] + self._slopes[index - 1] * (t - self._times[index - 1])

    def next_kink(self, t: float) -> float:
        """The first corner after ``t``; infinity after the last."""
        index = bisect_right(self._times, t)
        return self._times[index] if index < len(self._times) else math.inf

    @property
    def corners(self) -> tuple[Array, Array]:
        """Copies of the corners: times (k,) and values (k, n)."""
        return np.array(self._times), np.array(self._values)
