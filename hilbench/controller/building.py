"""What the building draws beside the stations, per line: as known, and moved only as far as a sample forces it."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence

import numpy as np

from hilbench.controller.allocate import Array
from hilbench.controller.peaks import Hold, Peaks

SLACK_A = 0.3
"""What a sample and the stations' draw may contradict each other without meaning anything (policy)."""
SLACK_SHARE = 0.005
RISE_SLACKS = 3.0
"""A load that comes or goes changes the building by more than so many times that (policy)."""


class BuildingEstimate:
    """The building's current [line] as it is and was; or its power, with a ``floor`` and a ``slack`` for that.

    Each sample says: measured current less what the stations draw, which is known within bounds only. The estimate
    moves when a sample proves it wrong by more than ``slack``, and then to the nearest value that the sample allows.
    Its history is that of ``hold.long_s``.
    """

    def __init__(self, lines: int, hold: Hold, *, slack: float = SLACK_A, floor: float = 0.0) -> None:
        self.base: Array = np.full(lines, np.nan)
        self._hold, self._slack, self._floor = hold, slack, floor
        self._forget()
        self._history: deque[tuple[float, Array]] = deque()
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
        self._note(t)

    def _forget(self) -> None:
        self._peaks = [Peaks(self._hold, RISE_SLACKS * self._slack) for _ in self.base]

    def _note(self, t: float) -> None:
        self._history.append((t, self.base))
        while self._history[0][0] < t - self._hold.long_s:
            self._history.popleft()
        for peaks, now in zip(self._peaks, self.base.tolist(), strict=True):
            peaks.add(t, now)

    def assume(self, t: float, base: Array) -> None:
        """Forget what was measured and take ``base`` as it is."""
        self.base = base
        self._history.clear()
        self._forget()
        self._note(t)

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

    def agreed_since(self, t: float) -> bool:
        """True when two samples have come after ``t``: what became known then is in what they agree on."""
        return len(self._history) >= 2 and self._history[-2][0] > t

    def lowest(self) -> Array:
        """The least of the last ``long_s``."""
        least: Array = np.array([base for _t, base in self._history]).min(axis=0)
        return least

    def highest(self) -> Array:
        """The most that headroom must be there beside."""
        return np.array([peaks.value for peaks in self._peaks])

    def _moved(self, known: float, measured: float, upper: float, lower: float) -> float:
        """As known, or as near to it as what was measured and is drawn (at most and at least) allow.

        What relative errors of the meters may be explains away a fall, but no rise.
        """
        low, high = max(measured - upper, self._floor), max(measured - lower, self._floor)
        if math.isnan(known):
            return high
        if known < low - self._slack:
            return low
        return high if known > high + self._slack + SLACK_SHARE * abs(measured) else known
