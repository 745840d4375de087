"""All that a log says about its CHAdeMO sessions, as data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hilbench.canlogs.byte_order import HIGHEST_V
from hilbench.canlogs.ending import Ending, ending
from hilbench.canlogs.figures import Energy, Rhythm, Step, charge_pct, energy, last, of, ramp_a_per_s, rhythms, steps
from hilbench.canlogs.offers import Change, changes
from hilbench.canlogs.reading import Log
from hilbench.canlogs.sessions import Part, Said, likely, parts
from hilbench.canlogs.story import Moment, moments
from hilbench.chademo import (
    CarControl,
    CarDischarge,
    CarLimits,
    CarState,
    CarStatus,
    CarTimes,
    ChargerControl,
    ChargerLimits,
    ChargerState,
    Control,
    Opaque,
)
from hilbench.chademo.flags import protocol_word, words

UNSEEN = "d1, d2 and k, the lock's own contact and the result of the insulation test are lines, not frames"


@dataclass(frozen=True)
class Side:
    """What a car or a charger says that it is, one fact each."""

    facts: tuple[str, ...]


@dataclass(frozen=True)
class Session:
    """One session of a log."""

    part: Part
    car: Side | None
    charger: Side | None
    common: str | None
    charge_pct: tuple[float, float] | None
    ramp_a_per_s: float | None
    energy: Energy
    steps: tuple[Step, ...]
    changes: tuple[Change, ...]
    ending: Ending
    rhythms: tuple[Rhythm, ...]
    moments: tuple[Moment, ...]
    unsure: tuple[str, ...]


def sessions(log: Log, channel: str | None = None) -> tuple[list[Session], list[str]]:
    """The sessions of a log, and notes; raises ``InputError`` where there is no CHAdeMO in it."""
    found, notes = parts(log, channel)
    return [_session(part, log) for part in found], notes


def _session(part: Part, log: Log) -> Session:
    said = part.said
    ramp = ramp_a_per_s(said)
    return Session(
        part,
        _car(said),
        _charger(said),
        _common(said),
        charge_pct(said),
        ramp[0] if ramp and log.timed else None,
        energy(said),
        tuple(steps(said)),
        tuple(changes(said)),
        ending(said),
        tuple(rhythms(part)) if log.timed else (),
        tuple(moments(said)),
        tuple(_unsure(part, log)),
    )


def _car(said: Sequence[Said]) -> Side | None:
    state, limits, times = last(said, CarState), last(said, CarLimits), last(said, CarTimes)
    facts = []
    if state:
        targets = sorted({frame.target_voltage_v for _t, frame in of(said, CarState)})
        facts += [f"protocol {protocol_word(state.protocol)} (102.0 = {state.protocol})"]
        facts += [f"target {' and '.join(map(str, targets))} V"]
    if limits:
        facts += [f"at most {limits.max_voltage_v} V", f"from {limits.min_current_a} A"]
        facts += [f"at most {limits.max_current_a} A (100.1)"] if limits.max_current_a else []
        facts += [f"at least {limits.min_voltage_v} V"] if limits.min_voltage_v else []
    if times:
        facts += [f"capacity {times.capacity_100wh / 10:g} kWh"] if times.capacity_100wh else ["capacity not told"]
        facts += [f"at most {_minutes(times):g} min"] if _minutes(times) else []
        facts += [f"estimated {times.estimated_min} min"] if times.estimated_min else []
    if state and state.status & CarStatus.DISCHARGE:
        power = last(said, CarDischarge)
        facts.append(
            f"can discharge, {power.max_discharge_a} A from {power.min_voltage_v} V" if power else "can discharge"
        )
    control = last(said, CarControl)
    facts += [f"110: {', '.join(words(Control, control.control)) or 'nothing'}"] if control else []
    vendor = {one.frame.data.hex(" ") for one in said if isinstance(one.frame, Opaque) and one.id == 0x700}
    facts += [f"vendor id (700) {data}" for data in sorted(vendor)[:3]]
    return Side(tuple(facts)) if facts else None


def _common(said: Sequence[Said]) -> str | None:
    """The lower of both protocols, which counts."""
    car, charger = last(said, CarState), last(said, ChargerState)
    return protocol_word(min(car.protocol, charger.protocol)) if car and charger else None


def _minutes(times: CarTimes) -> float:
    return float(times.max_time_min) if times.max_time_10s == 255 else times.max_time_10s / 6.0


def _charger(said: Sequence[Said]) -> Side | None:
    state, limits = last(said, ChargerState), last(said, ChargerLimits)
    facts = []
    if state:
        facts.append(f"protocol {protocol_word(state.protocol)} (109.0 = {state.protocol})")
    if limits:
        offers = [frame.available_current_a for _t, frame in of(said, ChargerLimits)]
        span = f"{offers[-1]} A" if min(offers) == max(offers) else f"{min(offers)} A to {max(offers)} A"
        facts += [f"up to {_volts(limits.available_voltage_v)}", f"offers {span}"]
        facts += [
            f"stops at {_volts(limits.threshold_voltage_v)}",
            "" if limits.weld_detection else "no weld detection",
        ]
    if state and state.discharge & 1:
        facts.append("can take power back")
    control = last(said, ChargerControl)
    facts += [f"118: {', '.join(words(Control, control.control)) or 'nothing'}"] if control else []
    return Side(tuple(fact for fact in facts if fact)) if facts else None


def _volts(value: int) -> str:
    return f"{value} V{' (impossible)' if value > HIGHEST_V else ''}"


def _odd(said: Sequence[Said]) -> str:
    """The first of the frames that say what cannot be, in figures."""
    for one in said:
        frame = one.frame
        if isinstance(frame, CarState) and not likely(frame):
            return f"102 of {one.t:.3f} s: protocol {frame.protocol}, target {frame.target_voltage_v} V"
        if isinstance(frame, ChargerState) and not likely(frame):
            return f"109 of {one.t:.3f} s: protocol {frame.protocol}, output {frame.voltage_v} V"
    return ""


def _unsure(part: Part, log: Log) -> list[str]:
    """What this log cannot tell, or tells in a way that asks for doubt."""
    said = part.said
    found = [UNSEEN]
    if not log.timed:
        found.append("without time stamps all times here are counted; rhythm and rates are not known")
    if not of(said, CarState):
        found.append("no 102: what the car wanted is not known")
    if not of(said, ChargerState):
        found.append("no 109: what the charger did is not known")
    elif said and of(said, ChargerState)[0][0] <= of(said, CarState)[0][0] - 0.5 if of(said, CarState) else False:
        found.append("the charger speaks first: the log begins within a session, or lacks the car's first frames")
    first = of(said, CarState)
    if first and first[0][1].status & CarStatus.ENABLED:
        found.append("the car is ready in its first frame: the begin is not in the log")
    if part.unlikely:
        found.append(
            f"{part.unlikely} frames of 102 or 109 say what no car or charger says ({_odd(said)}): damaged, badly "
            "made, or of another bus; no energy is counted from them"
        )
    if part.misshapen:
        found.append(f"{part.misshapen} frames of CHAdeMO ids have not eight bytes and were left out")
    if charge_pct(said) is None and of(said, CarState):
        found.append("the state of charge: 102.6 and 100.6 do not give one")
    return found
