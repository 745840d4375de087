"""The building of a scenario: swings, ramps, steps and motor starts that stay within what the site is fair with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from hilbench.searching.scenario import Act

KINDS = ("step", "drop", "ramp", "sine", "inrush", "calm")
WEIGHTS = (40, 10, 15, 15, 10, 10)
ONE_LINE_SHARE = 0.3
"""Share of stimuli on one line alone (policy)."""


@dataclass(frozen=True)
class Range:
    """The building draws ``quiet_a`` and may draw up to ``most_a`` [A per line]."""

    quiet_a: float
    most_a: float
    lines: tuple[str, ...]

    @property
    def headroom_a(self) -> float:
        """What a stimulus may add [A]."""
        return self.most_a - self.quiet_a


def draw_building(rng: Random, bounds: Range, duration_s: float, worst: tuple[float, float]) -> Iterator[Act]:
    """Stimuli one after the other, never two at a time; from ``worst`` (start, length) on the building is at its most.

    A motor's inrush of six times its running current passes beyond ``bounds`` for half a second, as motors do.
    """
    worst_at_s, worst_s = worst
    t = rng.uniform(5.0, 60.0)
    while t < duration_s - 20.0:
        if t <= worst_at_s < t + 30.0:
            t, length = worst_at_s, worst_s
            yield _step(t, length, bounds.headroom_a, bounds.lines)
        else:
            length = min(rng.uniform(10.0, 120.0), max(worst_at_s - t, 10.0) if t < worst_at_s else 120.0)
            yield from _stimulus(rng, bounds, t, length)
        t += length + rng.uniform(1.0, 20.0)


def _stimulus(rng: Random, bounds: Range, t: float, length: float) -> Iterator[Act]:
    amps = bounds.headroom_a * (1.0 - 0.7 * rng.random() ** 2)
    lines = (rng.choice(bounds.lines),) if rng.random() < ONE_LINE_SHARE else bounds.lines
    kind = rng.choices(KINDS, WEIGHTS)[0]
    if kind == "step":
        yield _step(t, length, amps, lines)
    elif kind == "drop":
        yield _step(t, length, -bounds.quiet_a * rng.uniform(0.3, 1.0), lines)
    elif kind == "ramp":
        rise = length * rng.uniform(0.1, 0.6)
        yield _act(t, "ramp", amps, lines, over_s=round(rise, 2), hold_s=round(length - rise, 2))
    elif kind == "sine":
        amps = min(amps, bounds.quiet_a)
        yield _act(t, "sine", amps, lines, period_s=round(rng.uniform(15.0, 90.0), 2), duration_s=round(length, 2))
    elif kind == "inrush":
        yield Act(t, "inrush", "", {"running_a": round(amps / 3.0, 2), "lines": lines, "run_s": round(length, 2)})


def _step(t: float, length: float, amps: float, lines: tuple[str, ...]) -> Act:
    return _act(t, "step", amps, lines, duration_s=round(length, 2))


def _act(t: float, kind: str, amps: float, lines: tuple[str, ...], **more: Any) -> Act:
    return Act(t, kind, "", {"amps": round(amps, 2), "lines": lines, **more})
