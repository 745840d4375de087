"""Timing verdicts on a pilot over time: commands, spacing of changes, the car's reaction, the contactor."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from hilbench.metrics.pilot import NOTHING, Reading
from hilbench.metrics.pilot_stream import Stretch
from hilbench.metrics.pilot_table import Limit, Limits
from hilbench.metrics.pilot_verdicts import Check
from hilbench.metrics.pilot_watch import raises

Moves = Sequence[tuple[float, bool]]
"""Times [s] at which a contactor closed (True) or opened, on the clock of the records."""


def between(earlier_s: float, earlier_unsure_s: float, later_s: float, later_unsure_s: float) -> Reading:
    """Time between two events, each of which happened up to its ``unsure_s`` before it was seen."""
    centre = (later_s - later_unsure_s / 2.0) - (earlier_s - earlier_unsure_s / 2.0)
    return Reading(centre, (earlier_unsure_s + later_unsure_s) / 2.0)


Timing = Iterator[tuple[str, Callable[[Limit], Reading], str]]
"""Metric, how long it took when that is its limit, and a note."""


def time_checks(
    seen: Sequence[Stretch], limits: Limits, commands: Sequence[float] = (), contactor: Moves | None = None
) -> tuple[Check, ...]:
    """Every timing that the stretches show, judged by ``limits``; a metric that has none there is left out.

    ``commands`` are times [s] at which a new limit was sent. Without ``contactor`` nothing is said about it. What did
    not happen before the records end took ``inf`` when they last longer than the limit, else it has no value.
    """
    rows = (_after_commands(seen, commands), _spacing(seen), _car(seen), _faults(seen), _moves(seen, contactor))
    found = ((limits[metric], took, note) for row in rows for metric, took, note in row if metric in limits)
    return tuple(Check(took(limit), limit, note) for limit, took, note in found)


def _after_commands(seen: Sequence[Stretch], commands: Sequence[float]) -> Timing:
    for sent_s in commands:
        new = next((b for a, b in pairwise(seen) if b.begin_s > sent_s and _new_duty(a, b)), None)
        yield "pilot_command_time", _took(seen, sent_s, 0.0, new), f"sent at {sent_s:.3f} s"


def _took(seen: Sequence[Stretch], since_s: float, unsure_s: float, then: Stretch | None) -> Callable[[Limit], Reading]:
    """From an event to the begin of ``then``, which may never have come."""
    if then is None:
        return lambda limit: _never(since_s, seen, limit)
    return lambda _limit: between(since_s, unsure_s, then.begin_s, then.unsure_s)


def _never(since_s: float, seen: Sequence[Stretch], limit: Limit) -> Reading:
    """The time of what did not happen."""
    return Reading(math.inf, 0.0) if seen and seen[-1].end_s - since_s > limit.high else NOTHING


def _new_duty(before: Stretch, after: Stretch) -> bool:
    return before.pwm and after.pwm and abs(before.duty_pct.value - after.duty_pct.value) > 0.1


def _spacing(seen: Sequence[Stretch]) -> Timing:
    begun = {one.begin_s: one for one in seen}
    for before, move in raises([(one.begin_s, one.duty_pct.value) for one in seen]):
        earlier = begun[before.t]
        took = _took(seen, earlier.begin_s, earlier.unsure_s, begun[move.t])
        yield "pilot_change_spacing", took, f"at {move.t:.3f} s"


def _car(seen: Sequence[Stretch]) -> Timing:
    for k, (a, b) in enumerate(pairwise(seen)):
        if a.state[0] in "CD" and a.pwm and b.state[0] in "CD" and not b.pwm:
            left = next((c for c in seen[k + 2 :] if c.state[0] not in "CD"), None)
            yield "pwm_off_time", _took(seen, b.begin_s, b.unsure_s, left), f"PWM off at {b.begin_s:.3f} s"


def _faults(seen: Sequence[Stretch]) -> Timing:
    for one, after in pairwise(seen):
        if one.state == "F":
            yield "state_f_time", _took(seen, one.begin_s, one.unsure_s, after), f"from {one.begin_s:.3f} s"


def _ready(one: Stretch) -> bool:
    return one.state[0] in "CD"


_CAUSES: tuple[tuple[str, bool, Callable[[Stretch, Stretch], bool]], ...] = (
    ("contactor_close_time", True, lambda a, b: not _ready(a) and _ready(b) and b.pwm),
    ("contactor_open_time", False, lambda a, b: _ready(a) and b.state[0] == "B"),
    ("unplug_open_time", False, lambda a, b: _ready(a) and b.state[0] == "A"),
    ("fault_open_time", False, lambda a, b: _ready(a) and b.state == "E"),
)
"""Metric, what the contactor has to do, and the change of the pilot that asks for it."""


def _moves(seen: Sequence[Stretch], contactor: Moves | None) -> Timing:
    for a, b in pairwise(seen) if contactor is not None else ():
        for metric, closes, asks in _CAUSES:
            if asks(a, b):
                yield metric, _moved(seen, b, closes, contactor or ()), f"asked for at {b.begin_s:.3f} s"


def _moved(seen: Sequence[Stretch], asked: Stretch, closes: bool, contactor: Moves) -> Callable[[Limit], Reading]:
    """Time to the next move of that kind; one that was there already took no time."""
    earliest = asked.begin_s - asked.unsure_s
    before = [closed for at, closed in contactor if at < earliest]
    at = next((at for at, closed in contactor if at >= earliest and closed == closes), None)
    if before and before[-1] == closes:
        return lambda _limit: Reading(0.0, 0.0)
    if at is None:
        return lambda limit: _never(asked.begin_s, seen, limit)
    return lambda _limit: between(asked.begin_s, asked.unsure_s, at, 0.0)
