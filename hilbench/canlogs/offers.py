"""How car and charger answered changes of the offer (108.3) while a session ran: load management, measured."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from hilbench.canlogs.figures import of
from hilbench.canlogs.sessions import Said
from hilbench.chademo import CarState, CarStatus, ChargerLimits, ChargerState

NEAR_A = 1
"""The output is where it should be within a step of its own report (109.3 counts 1 A)."""


@dataclass(frozen=True)
class Change:
    """A change of the offer at ``t`` [s] and what followed until the next one.

    ``request_s``: until the request was at most the offer, or began to rise. ``output_s``: until the output stayed at
    most the offer (within :data:`NEAR_A`), or began to rise. ``peak_a``: the highest output after a fall. None: not
    seen. ``matters`` is False where the request was below both offers. Figures are as fine as frames are frequent.
    """

    t: float
    before_a: int
    after_a: int
    matters: bool
    request_s: float | None
    output_s: float | None
    peak_a: int | None


def changes(said: Sequence[Said]) -> list[Change]:
    """Every change of the offer while the car was ready and had requested."""
    offers, car, charger = of(said, ChargerLimits), of(said, CarState), of(said, ChargerState)
    edges = [
        (t, before.available_current_a, offer.available_current_a)
        for (_t, before), (t, offer) in pairwise(offers)
        if before.available_current_a != offer.available_current_a
    ]
    asked = next((t for t, frame in car if frame.request_a), math.inf)
    requests = Course([(t, frame.request_a if frame.status & CarStatus.ENABLED else None) for t, frame in car])
    output = Course([(t, frame.current_a) for t, frame in charger])
    found = []
    for (t, before_a, after_a), (end, *_rest) in pairwise([*edges, (math.inf, 0, 0)]):
        request_a = requests.at(t)
        if t > asked and request_a is not None:
            answer = _fall if after_a < before_a else _rise
            now_a = (request_a, output.at(t) or 0)
            found.append(answer(t, before_a, after_a, now_a, requests.after(t, end), output.after(t, end)))
    return found


_Samples = list[tuple[float, int]]


class Course:
    """What one side said over time; None where it does not count."""

    def __init__(self, samples: Sequence[tuple[float, int | None]]) -> None:
        self._samples = samples
        self._times = [t for t, _value in samples]

    def at(self, t: float) -> int | None:
        """The last word at ``t``."""
        index = bisect_right(self._times, t)
        return self._samples[index - 1][1] if index else None

    def after(self, t: float, end: float) -> _Samples:
        """What followed within ``t`` and ``end``, counted from ``t``."""
        part = self._samples[bisect_right(self._times, t) : bisect_right(self._times, end)]
        return [(at - t, value) for at, value in part if value is not None]


def _fall(t: float, before_a: int, after_a: int, now_a: tuple[int, int], car: _Samples, charger: _Samples) -> Change:
    request_s = next((s for s, request_a in car if request_a <= after_a), None)
    peak_a = max((a for _s, a in charger), default=None)
    return Change(t, before_a, after_a, now_a[0] > after_a, request_s, _settled(charger, after_a + NEAR_A), peak_a)


def _rise(t: float, before_a: int, after_a: int, now_a: tuple[int, int], car: _Samples, charger: _Samples) -> Change:
    request_s = next((s for s, request_a in car if request_a > now_a[0]), None)
    output_s = next((s for s, a in charger if a > now_a[1] + NEAR_A), None)
    return Change(t, before_a, after_a, now_a[0] >= before_a or not now_a[0], request_s, output_s, None)


def _settled(samples: _Samples, most_a: int) -> float | None:
    """From when on all samples are at most that; None when the last is not."""
    found = None
    for s, a in reversed(samples):
        if a > most_a:
            break
        found = s
    return found
