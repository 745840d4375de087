"""Currents put on top of a building load: step, ramp, sine, motor inrush.

Each is a pure description: a start in bench time [s], amperes per line, and the lines it acts on (all when None).
``corners()`` gives it as a polyline that is zero before its start.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from hilbench.errors import InputError, Problem

Corners = list[tuple[float, float]]

SINE_KINKS = 40
"""Straight pieces per period: the largest error is 1 - cos(pi/40) = 0.31 % of the amplitude."""
_DECAY_PIECES = 6


class Injection(Protocol):
    """What can be added to a building load."""

    @property
    def lines(self) -> tuple[str, ...] | None:
        """Names of the lines that carry it; None for all."""

    def corners(self) -> Corners:
        """Corner points (bench time [s], amperes per line); equal times are a jump; held after the last."""
        ...


@dataclass(frozen=True)
class Step:
    """``amps`` more (or, negative, less) from ``start_s`` on, for ``duration_s`` or for good."""

    start_s: float
    amps: float
    lines: tuple[str, ...] | None = None
    duration_s: float = math.inf

    def __post_init__(self) -> None:
        _check(self, positive=("duration_s",), finite=("start_s", "amps"))

    def corners(self) -> Corners:
        """See :class:`Injection`."""
        rise: Corners = [(self.start_s, 0.0), (self.start_s, self.amps)]
        if math.isinf(self.duration_s):
            return rise
        end = self.start_s + self.duration_s
        return [*rise, (end, self.amps), (end, 0.0)]


@dataclass(frozen=True)
class Ramp:
    """From nothing to ``amps`` in ``rise_s``, then held for ``hold_s`` (or for good), then down in ``fall_s``."""

    start_s: float
    amps: float
    rise_s: float
    lines: tuple[str, ...] | None = None
    hold_s: float = math.inf
    fall_s: float = 0.0

    def __post_init__(self) -> None:
        _check(self, positive=("rise_s",), not_negative=("hold_s", "fall_s"), finite=("start_s", "amps", "rise_s"))

    def corners(self) -> Corners:
        """See :class:`Injection`."""
        top = self.start_s + self.rise_s
        rise: Corners = [(self.start_s, 0.0), (top, self.amps)]
        if math.isinf(self.hold_s):
            return rise
        end = top + self.hold_s
        return [*rise, (end, self.amps), (end + self.fall_s, 0.0)]


@dataclass(frozen=True)
class Sine:
    """``amps`` x sin of ``period_s`` for ``duration_s``, starting and (after whole periods) ending at zero."""

    start_s: float
    amps: float
    period_s: float
    duration_s: float
    lines: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        _check(self, positive=("period_s", "duration_s"), finite=("start_s", "amps", "period_s", "duration_s"))

    def corners(self) -> Corners:
        """See :class:`Injection`; straight pieces, ``SINE_KINKS`` per period."""
        pieces = max(1, math.ceil(self.duration_s / self.period_s * SINE_KINKS - 1e-9))
        points: Corners = []
        for k in range(pieces + 1):
            after = min(k * self.period_s / SINE_KINKS, self.duration_s)
            points.append((self.start_s + after, self.amps * math.sin(2 * math.pi * after / self.period_s)))
        return [*points, (points[-1][0], 0.0)]


@dataclass(frozen=True)
class Inrush:
    """A motor starts: ``factor`` x ``running_a`` that decays to ``running_a`` within ``duration_s``.

    Defaults 6x for 0.5 s are those of test 7.3 of the acceptance catalogue (policy-default). The decay is
    exponential-like in straight pieces: three time constants fit into ``duration_s``. Runs on for ``run_s``.
    """

    start_s: float
    running_a: float
    lines: tuple[str, ...] | None = None
    factor: float = 6.0
    duration_s: float = 0.5
    run_s: float = math.inf

    def __post_init__(self) -> None:
        _check(
            self,
            positive=("duration_s", "factor"),
            not_negative=("run_s", "running_a"),
            finite=("start_s", "running_a", "factor", "duration_s"),
        )

    def corners(self) -> Corners:
        """See :class:`Injection`."""
        extra = (self.factor - 1.0) * self.running_a
        points: Corners = [(self.start_s, 0.0)]
        for k in range(_DECAY_PIECES + 1):
            share = k / _DECAY_PIECES
            decay = (math.exp(-3.0 * share) - math.exp(-3.0)) / (1.0 - math.exp(-3.0))
            points.append((self.start_s + share * self.duration_s, self.running_a + extra * decay))
        if math.isinf(self.run_s):
            return points
        end = self.start_s + self.duration_s + self.run_s
        return [*points, (end, self.running_a), (end, 0.0)]


def _check(
    injection: Step | Ramp | Sine | Inrush,
    positive: tuple[str, ...] = (),
    not_negative: tuple[str, ...] = (),
    finite: tuple[str, ...] = (),
) -> None:
    problems = [
        Problem(name, f"{getattr(injection, name)} is no finite number")
        for name in finite
        if not math.isfinite(getattr(injection, name))
    ]
    problems += [
        Problem(name, f"{getattr(injection, name)} must be above 0")
        for name in positive
        if not getattr(injection, name) > 0
    ]
    problems += [
        Problem(name, f"{getattr(injection, name)} must be 0 or more")
        for name in not_negative
        if not getattr(injection, name) >= 0
    ]
    if problems:
        raise InputError(f"injection {type(injection).__name__.lower()}", problems)
