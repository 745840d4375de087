"""What both state machines share: when they want to be looked at next, and the rhythm of their frames."""

from __future__ import annotations

import math
import random

from hilbench.chademo import Frame

TOLERANCE_S = 1e-9
"""Times that differ by less are the same instant: sums of periods are not exact."""


class Rhythm:
    """When frames are due: all together each ``period_s``, or one after the other when ``rotates``.

    ``jitter_s``: each time comes later by up to that, without drift, from ``seed``.
    """

    def __init__(self, period_s: float, rotates: bool = False, jitter_s: float = 0.0, seed: int = 1) -> None:
        self.period_s, self.rotates, self.jitter_s = period_s, rotates, jitter_s
        self.next_t = math.inf
        self._nominal_t = math.inf
        self._turn = 0
        self._random = random.Random(seed)

    def begin(self, t: float) -> None:
        """The first frames are due at ``t``."""
        self.next_t = self._nominal_t = t

    def end(self) -> None:
        """No more frames."""
        self.next_t = math.inf

    def due(self, t: float) -> bool:
        """Frames go out at ``t``."""
        return t >= self.next_t - TOLERANCE_S

    def take(self, frames: list[Frame]) -> list[Frame]:
        """Those of ``frames`` whose turn it is; the next turn is a period, or its part, later."""
        turns = len(frames) if self.rotates else 1
        self._nominal_t += self.period_s / turns
        self.next_t = self._nominal_t + (self._random.uniform(0.0, self.jitter_s) if self.jitter_s else 0.0)
        if not self.rotates:
            return frames
        self._turn = (self._turn + 1) % turns
        return [frames[self._turn]]


class Machine:
    """A state machine that is asked at ``due_t`` at the latest; subclasses name their waits with :meth:`passed`."""

    def __init__(self, rhythm: Rhythm) -> None:
        self.rhythm = rhythm
        self.reason: str | None = None
        self._waits_t = math.inf

    @property
    def due_t(self) -> float:
        """The next time [s] at which something happens without any event."""
        return min(self._waits_t, self.rhythm.next_t)

    def passed(self, t: float, at: float) -> bool:
        """Whether ``at`` has come; if not, :attr:`due_t` is no later than it."""
        if t >= at - TOLERANCE_S:
            return True
        self._waits_t = min(self._waits_t, at)
        return False
