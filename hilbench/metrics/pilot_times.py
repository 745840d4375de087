"""Timing verdicts on a pilot over time: commands, spacing of changes, the car's reaction, the contactor."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from hilbench.metrics.pilot import NOTHING, Reading
from hilbench.metrics.pilot_stream import Stretch
from hilbench.metrics.pilot_table import Limit
from hilbench.metrics.pilot_verdicts import Check

TIMES = {
    limit.name: limit
    for limit in (
        Limit(
            "command to new duty",
            0.0,
            5.0,
            "s",
            "bench policy; a station may hold a change back for 5 s",
            "policy-default",
        ),
        Limit(
            "between changes of duty",
            5.0,
            math.inf,
            "s",
            "EVerest Charger.cpp, IEC_PWM_MAX_UPDATE_INTERVAL: at most every 5 s",
            "read-code",
        ),
        Limit("car stops after PWM off", 0.0, 3.0, "s", "IEC 61851-1 seq. 10.1, WARP evse.c", "read-code"),
        Limit("contactor closes after C", 0.0, 3.0, "s", "IEC 61851-1 seq. 4, EVerest and WARP", "read-code"),
        Limit(
            "contactor opens after C ends", 0.0, 0.1, "s", "IEC 61851-1 seq. 8.1 and 8.2, EVerest and WARP", "read-code"
        ),
        Limit("contactor opens after unplugging", 0.0, 0.1, "s", "IEC 61851-1 seq. 2.1 and 2.2, OpenEVSE", "read-code"),
        Limit("contactor opens after E", 0.0, 3.0, "s", "EN 61851-1:2019 A.4.9, SmartEVSE-3.5 #133", "secondary"),
        Limit(
            "state F lasts", 0.3, math.inf, "s", "IEC 61851-1 Table A.5, EVerest state_F_after_fault_ms", "read-code"
        ),
    )
}
"""Limits of times by name."""
Moves = Sequence[tuple[float, bool]]
"""Times [s] at which a contactor closed (True) or opened, on the clock of the records."""


def between(earlier_s: float, earlier_unsure_s: float, later_s: float, later_unsure_s: float) -> Reading:
    """Time between two events, each of which happened up to its ``unsure_s`` before it was seen."""
    centre = (later_s - later_unsure_s / 2.0) - (earlier_s - earlier_unsure_s / 2.0)
    return Reading(centre, (earlier_unsure_s + later_unsure_s) / 2.0)


def time_checks(
    seen: Sequence[Stretch], commands: Sequence[float] = (), contactor: Moves | None = None
) -> tuple[Check, ...]:
    """Every timing that the stretches show, judged; ``commands`` are times [s] at which a new limit was sent.

    Without ``contactor`` nothing is said about it. What did not happen before the records end took ``inf`` when they
    last longer than the limit, else it has no value.
    """
    return (*_after_commands(seen, commands), *_spacing(seen), *_car(seen), *_faults(seen), *_moves(seen, contactor))


def _after_commands(seen: Sequence[Stretch], commands: Sequence[float]) -> Iterator[Check]:
    for sent_s in commands:
        new = next((b for a, b in pairwise(seen) if b.begin_s > sent_s and _new_duty(a, b)), None)
        limit = TIMES["command to new duty"]
        reading = between(sent_s, 0.0, new.begin_s, new.unsure_s) if new else _never(sent_s, seen, limit)
        yield Check(reading, limit, f"sent at {sent_s:.3f} s")


def _never(since_s: float, seen: Sequence[Stretch], limit: Limit) -> Reading:
    """The time of what did not happen."""
    return Reading(math.inf, 0.0) if seen and seen[-1].end_s - since_s > limit.high else NOTHING


def _new_duty(before: Stretch, after: Stretch) -> bool:
    return before.pwm and after.pwm and abs(before.duty_pct.value - after.duty_pct.value) > 0.1


def _spacing(seen: Sequence[Stretch]) -> Iterator[Check]:
    changes = [b for a, b in pairwise(seen) if _new_duty(a, b)]
    for one, other in pairwise(changes):
        reading = between(one.begin_s, one.unsure_s, other.begin_s, other.unsure_s)
        yield Check(reading, TIMES["between changes of duty"], f"at {other.begin_s:.3f} s")


def _car(seen: Sequence[Stretch]) -> Iterator[Check]:
    for k, (a, b) in enumerate(pairwise(seen)):
        if a.state[0] in "CD" and a.pwm and b.state[0] in "CD" and not b.pwm:
            left = next((c for c in seen[k + 2 :] if c.state[0] not in "CD"), None)
            limit = TIMES["car stops after PWM off"]
            never = _never(b.begin_s, seen, limit)
            reading = between(b.begin_s, b.unsure_s, left.begin_s, left.unsure_s) if left else never
            yield Check(reading, limit, f"PWM off at {b.begin_s:.3f} s")


def _faults(seen: Sequence[Stretch]) -> Iterator[Check]:
    for one, after in pairwise(seen):
        if one.state == "F":
            reading = between(one.begin_s, one.unsure_s, after.begin_s, after.unsure_s)
            yield Check(reading, TIMES["state F lasts"], f"from {one.begin_s:.3f} s")


def _ready(one: Stretch) -> bool:
    return one.state[0] in "CD"


_CAUSES: tuple[tuple[str, bool, Callable[[Stretch, Stretch], bool]], ...] = (
    ("contactor closes after C", True, lambda a, b: not _ready(a) and _ready(b) and b.pwm),
    ("contactor opens after C ends", False, lambda a, b: _ready(a) and b.state[0] == "B"),
    ("contactor opens after unplugging", False, lambda a, b: _ready(a) and b.state[0] == "A"),
    ("contactor opens after E", False, lambda a, b: _ready(a) and b.state == "E"),
)
"""Name of the limit, what the contactor has to do, and the change of the pilot that asks for it."""


def _moves(seen: Sequence[Stretch], contactor: Moves | None) -> Iterator[Check]:
    for a, b in pairwise(seen) if contactor is not None else ():
        for name, closes, asks in _CAUSES:
            if asks(a, b):
                reading = _move(b, closes, contactor or ()) or _never(b.begin_s, seen, TIMES[name])
                yield Check(reading, TIMES[name], f"asked for at {b.begin_s:.3f} s")


def _move(asked: Stretch, closes: bool, contactor: Moves) -> Reading | None:
    """Time to the next move of that kind; one that was there already took no time."""
    earliest = asked.begin_s - asked.unsure_s
    before = [closed for at, closed in contactor if at < earliest]
    if before and before[-1] == closes:
        return Reading(0.0, 0.0)
    at = next((at for at, closed in contactor if at >= earliest and closed == closes), None)
    return None if at is None else between(asked.begin_s, asked.unsure_s, at, 0.0)
