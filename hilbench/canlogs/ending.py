"""How a CHAdeMO session ended: who moved first, as far as frames of both sides can tell."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from hilbench.canlogs.figures import charge_pct, of
from hilbench.canlogs.sessions import Said
from hilbench.chademo import CarFault, CarState, CarStatus, ChargerState, ChargerStatus
from hilbench.chademo.flags import CAR_STOPS, CHARGER_FAULTS, words
from hilbench.chademo.timing import PERIOD_S

_SILENT_S = 1.0
_FULL_PCT = 95.0
"""From that charge on "full" is named as the likely reason (policy-default)."""

_Car = list[tuple[float, CarState]]
_Charger = list[tuple[float, ChargerState]]


@dataclass(frozen=True)
class Ending:
    """The first sign of the end at ``t`` [s]; ``sure`` is False where the order of the two sides cannot be told."""

    t: float | None
    who: str
    why: str
    sure: bool = True


@dataclass(frozen=True)
class _Sign:
    t: float
    who: str
    why: str


def ending(said: Sequence[Said]) -> Ending:
    """Of a session that charged, what ended it; of another, how far it came."""
    car, charger = of(said, CarState), of(said, ChargerState)
    if not car or not charger:
        return Ending(None, "log", f"only the {'car' if car else 'charger'} is in the log")
    begin = next((t for t, frame in charger if frame.status & ChargerStatus.CHARGING), None)
    if begin is None:
        return _before_charging(car, charger, said)
    signs = sorted(_signs(said, car, charger, begin), key=lambda sign: sign.t)
    if not signs:
        return Ending(None, "log", "the log ends while charging")
    first = signs[0]
    same = [sign for sign in signs if sign.t <= first.t + 1e-9 and sign.who == first.who]
    why = ", ".join(dict.fromkeys(sign.why for sign in same))
    rival = next((sign for sign in signs if sign.who not in (first.who, "log") and sign.t - first.t < PERIOD_S), None)
    if rival:
        why += f"; the {rival.who} {rival.t - first.t:.3f} s later ({rival.why}): within one period, so that either may"
        why += " have been first"
    return Ending(first.t, first.who, why + _guess(said, first, same), rival is None)


def _guess(said: Sequence[Said], first: _Sign, same: Sequence[_Sign]) -> str:
    """What a stop without a fault may mean."""
    if len(same) > 1 or not first.why.startswith(("not ready", "stop control")):
        return ""
    charge = charge_pct(said)
    if charge and charge[1] >= _FULL_PCT:
        return f"; no fault told, at {charge[1]:.0f} %: probably full"
    who = "the user, the car's own limits, or k off" if first.who == "car" else "the user, payment, or its own limits"
    return f"; no fault told: {who}"


def _signs(said: Sequence[Said], car: _Car, charger: _Charger, begin: float) -> Iterator[_Sign]:
    for (_before, was), (t, now) in pairwise(car):
        if t > begin:
            yield from _car_signs(t, was, now)
    for (_before, stood), (t, stands) in pairwise(charger):
        if t > begin:
            yield from _charger_signs(t, stood, stands)
    stopped = next((t for t, frame in charger if t > begin and not frame.status & ChargerStatus.CHARGING), math.inf)
    for who, times in (("car", [t for t, _ in car]), ("charger", [t for t, _ in charger])):
        for last, t in pairwise([*times, said[-1].t]):
            if begin < last < stopped and t - last > _SILENT_S and _other_talks(said, who, last, t):
                yield _Sign(last, "log", f"nothing from the {who} for {t - last:.2f} s while the other side talked")


def _other_talks(said: Sequence[Said], who: str, begin: float, end: float) -> bool:
    """In the middle of the silence: at its edges a hole in the recording looks the same."""
    kind = ChargerState if who == "car" else CarState
    edge = _SILENT_S / 2.0
    return any(begin + edge <= one.t <= end - edge and isinstance(one.frame, kind) for one in said)


def _car_signs(t: float, a: CarState, b: CarState) -> Iterator[_Sign]:
    faults, stops = b.faults & ~a.faults, b.status & ~a.status & CAR_STOPS
    if faults:
        yield _Sign(t, "car", f"fault {', '.join(words(CarFault, faults))} (102.4)")
    if stops:
        yield _Sign(t, "car", f"{', '.join(words(CarStatus, stops))} (102.5)")
    if a.status & ~b.status & CarStatus.ENABLED:
        yield _Sign(t, "car", "not ready (102.5.0 = 0)")


def _charger_signs(t: float, a: ChargerState, b: ChargerState) -> Iterator[_Sign]:
    risen = b.status & ~a.status
    if risen & CHARGER_FAULTS:
        yield _Sign(t, "charger", f"{', '.join(words(ChargerStatus, risen & CHARGER_FAULTS))} (109.5)")
    if risen & ChargerStatus.STOP:
        yield _Sign(t, "charger", "stop control (109.5.5 = 1)")
    elif a.status & ~b.status & ChargerStatus.CHARGING and not b.status & ChargerStatus.STOP:
        yield _Sign(t, "charger", "not charging (109.5.0 = 0) without stop control")


def _before_charging(car: _Car, charger: _Charger, said: Sequence[Said]) -> Ending:
    faults = 0
    for _t, frame in car:
        faults |= frame.faults
    refused = 0
    for _t, state in charger:
        refused |= state.status & CHARGER_FAULTS
    reached = _reached(car, charger)
    told = words(CarFault, faults) if faults else []
    told += words(ChargerStatus, refused) if refused else []
    why = f"never charged: {reached}"
    why += f"; told: {', '.join(told)}" if told else "; no fault told, the log or the try ends there"
    return Ending(said[-1].t, "log", why, bool(told))


def _reached(car: _Car, charger: _Charger) -> str:
    if any(frame.request_a for _t, frame in car):
        return "the car requested, the charger did not begin"
    if any(frame.status & ChargerStatus.LOCKED for _t, frame in charger):
        return "the charger locked or energised, the car did not request"
    if any(frame.status & CarStatus.ENABLED for _t, frame in car):
        return "the car was ready, the charger did not lock"
    return "both talked, the car was not ready"
