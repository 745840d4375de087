"""A moving mean over what is measured and what the stations draw, for meters whose currents are restless."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

Amps = Sequence[float]


class Seen(NamedTuple):
    """A sample by line [A]: measured, and the least and most that the stations drew when it was taken."""

    measured: Amps
    lower: Amps
    upper: Amps


class MovingMean:
    """The mean of the samples of the last ``filter_s``; 0 leaves every sample as it is.

    A step is half seen after ``filter_s`` / 2 and wholly after ``filter_s``: so much later the controller answers it.
    The stations' draw is averaged with the current that it is a part of, so that their own changes are no load.
    """

    def __init__(self, filter_s: float) -> None:
        self._filter_s = filter_s
        self._window: deque[tuple[float, Seen]] = deque()

    def mean(self, t: float, seen: Seen) -> Seen:
        """Take in a sample at ``t`` and return what to act on."""
        if self._filter_s == 0:
            return seen
        self._window.append((t, seen))
        while self._window[0][0] <= t - self._filter_s + 1e-6:
            self._window.popleft()
        kinds = zip(*(entry for _t, entry in self._window), strict=True)
        return Seen(*([sum(line) / len(line) for line in zip(*kind, strict=True)] for kind in kinds))
