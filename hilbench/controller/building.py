"""What the building draws beside the stations, per line: as known, and moved only as far as a sample forces it."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence

import numpy as np

from hilbench.controller.allocate import Array

SLACK_A = 0.3
"""What a sample and the stations' draw may contradict each other without meaning anything (policy)."""
SLACK_SHARE = 0.005


class BuildingEstimate:
    """The building's current [line] over the last ``hold_s``; or its power, with a ``floor`` and a ``slack`` for that.

    Each sample says: measured current less what the stations draw, which is known within bounds only. The estimate
    moves when a sample proves it wrong, and then just as far as it must.
    """

    def __init__(self, lines: int, hold_s: float, *, slack: float = SLACK_A, floor: float = 0.0) -> None:
        self.base: Array = np.full(lines, np.nan)
        self._hold_s, self._slack, self._floor = hold_s, slack, floor
        self._history: deque[tuple[float, Array]] = deque()
        self._urgent = False
        self._rise: tuple[list[float], list[float]] | None = None

    @property
    def known(self) -> bool:
        """False until the first sample."""
        return bool(self._history)

    def update(self, t: float, measured: Sequence[float], drawn: tuple[Sequence[float], Sequence[float]]) -> None:
        """A sample [line] at ``t``, and the least and most that the stations draw then [line]."""
        lower, upper = drawn
        known = self._despiked(upper)
        was = self.base
        self.base = np.array([self._moved(*bound) for bound in zip(known, measured, upper, lower, strict=True)])
        self._rise = (was.tolist(), list(upper)) if (self.base > was).any() else None
        self._history.append((t, self.base))
        while self._history[0][0] < t - self._hold_s:
            self._history.popleft()

    def assume(self, t: float, base: Array) -> None:
        """Forget what was measured and take ``base`` as it is."""
        self.base = base
        self._history.clear()
        self._history.append((t, base))

    def _despiked(self, upper: Sequence[float]) -> list[float]:
        """The building as known before this sample: a rise that only the last one saw is not known yet.

        Unless more may be drawn than then: it would explain the rise away.
        """
        known: list[float] = self.base.tolist()
        if self._rise is None:
            return known
        return [
            min(now, before) if may <= might + 0.05 else now
            for now, before, may, might in zip(known, self._rise[0], upper, self._rise[1], strict=True)
        ]

    def confirmed(self, urgent: bool) -> Array:
        """What two samples agree on: a motor start is over before the second one. ``urgent``: the last one counts."""
        last = self._history[-1][1]
        if urgent or len(self._history) < 2:
            return last
        least: Array = np.minimum(last, self._history[-2][1])
        return least

    def lowest(self) -> Array:
        """The least of the last ``hold_s``."""
        least: Array = np.array([base for _t, base in self._history]).min(axis=0)
        return least

    def highest(self) -> Array:
        """The most of the last ``hold_s``."""
        most: Array = np.array([base for _t, base in self._history]).max(axis=0)
        return most

    def _moved(self, known: float, measured: float, upper: float, lower: float) -> float:
        """As known, or as far from it as what was measured and is drawn (at most and at least) force it."""
        slack = self._slack + SLACK_SHARE * abs(measured)
        low, high = max(measured - upper - slack, self._floor), max(measured - lower + slack, self._floor)
        return high if math.isnan(known) else min(max(known, low), max(low, high))
