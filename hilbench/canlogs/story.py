"""A CHAdeMO session told in its moments: what changed, when, and who said so. Only what is on CAN is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from hilbench.canlogs.sessions import Said
from hilbench.chademo import (
    CarDischarge,
    CarFault,
    CarState,
    CarStatus,
    ChargerDischarge,
    ChargerLimits,
    ChargerState,
    ChargerStatus,
)
from hilbench.chademo.flags import words
from hilbench.chademo.frames import CAR_IDS, sender

LIVE_V = 30
"""More than that on an output before the contactor is closed is taken for the insulation test (policy-default)."""
SILENT_S = 1.0
"""A silence of one side that is worth telling: the time after which cars and chargers give up (timing.py)."""

_CAR_WORDS = {
    CarStatus.ENABLED: ("ready: 102.5.0 = 1", "no longer ready: 102.5.0 = 0"),
    CarStatus.NOT_IN_PARK: ("not in Park: 102.5.1 = 1", "in Park again: 102.5.1 = 0"),
    CarStatus.SYSTEM_FAULT: ("charging system fault: 102.5.2 = 1", "charging system fault gone: 102.5.2 = 0"),
    CarStatus.CONTACTOR_OPEN: ("contactor open: 102.5.3 = 1", "contactor closed: 102.5.3 = 0"),
    CarStatus.STOP_BEFORE_CHARGING: ("asks to stop before charging: 102.5.4 = 1", "takes that back: 102.5.4 = 0"),
}
_CHARGER_WORDS = {
    ChargerStatus.CHARGING: ("charging: 109.5.0 = 1", "not charging: 109.5.0 = 0"),
    ChargerStatus.CHARGER_MALFUNCTION: ("charger malfunction: 109.5.1 = 1", "charger malfunction gone: 109.5.1 = 0"),
    ChargerStatus.LOCKED: ("locked or energised: 109.5.2 = 1", "unlocked: 109.5.2 = 0"),
    ChargerStatus.BATTERY_INCOMPATIBLE: ("battery incompatible: 109.5.3 = 1", "battery compatible: 109.5.3 = 0"),
    ChargerStatus.SYSTEM_MALFUNCTION: ("system malfunction: 109.5.4 = 1", "system malfunction gone: 109.5.4 = 0"),
    ChargerStatus.STOP: ("stop control: 109.5.5 = 1", "stop control released: 109.5.5 = 0"),
}

_Table = Mapping[CarStatus, tuple[str, str]] | Mapping[ChargerStatus, tuple[str, str]]


@dataclass(frozen=True)
class Moment:
    """Something that changed at ``t`` [s] of the session; ``who`` is car, charger or log, ``kind`` what may repeat."""

    t: float
    who: str
    what: str
    kind: str = ""


def moments(said: Sequence[Said]) -> list[Moment]:
    """All of them, in order."""
    found = [*_firsts(said), *_car(said), *_charger(said), *_silences(said), *_discharging(said)]
    return sorted(found, key=lambda moment: moment.t)


def thinned(found: Sequence[Moment], most: int) -> list[Moment]:
    """Of each kind that repeats the first ``most``, and a word on how many more there are until when."""
    kept, more = list[Moment](), dict[str, list[Moment]]()
    seen = Counter[str]()
    for moment in found:
        seen[moment.kind] += bool(moment.kind)
        if seen[moment.kind] <= most:
            kept.append(moment)
        else:
            more.setdefault(moment.kind, []).append(moment)
    for kind, rest in more.items():
        what = f"... {kind} changes {len(rest)} times more, until {rest[-1].t:.3f} s"
        kept.append(Moment(rest[0].t, rest[0].who, what, kind))
    return sorted(kept, key=lambda moment: moment.t)


def _firsts(said: Sequence[Said]) -> Iterator[Moment]:
    """Each id as it comes for the first time, those of one round together."""
    first: dict[int, float] = {}
    for one in said:
        first.setdefault(one.id, one.t)
    for who in ("car", "charger"):
        rest = {can_id: t for can_id, t in first.items() if sender(can_id) == who}
        while rest:
            begin = min(rest.values())
            group = sorted(can_id for can_id, t in rest.items() if t < begin + 0.15)
            yield Moment(begin, who, f"first {', '.join(f'{can_id:X}' for can_id in group)}")
            rest = {can_id: t for can_id, t in rest.items() if can_id not in group}


def _car(said: Sequence[Said]) -> Iterator[Moment]:
    before: CarState | None = None
    requested = False
    for one in said:
        if isinstance(one.frame, CarState):
            now = one.frame
            yield from _edges(one.t, "car", _CAR_WORDS, before.status if before else None, now.status)
            yield from _faults(one.t, before.faults if before else 0, now.faults)
            if before and before.target_voltage_v != now.target_voltage_v:
                yield Moment(
                    one.t,
                    "car",
                    f"target voltage {before.target_voltage_v} V to {now.target_voltage_v} V",
                    "target voltage",
                )
            if now.request_a and not requested:
                requested = True
                yield Moment(one.t, "car", f"first request: {now.request_a} A")
            elif before and before.request_a and not now.request_a:
                yield Moment(one.t, "car", f"request {before.request_a} A to 0 A", "request")
            before = now


def _charger(said: Sequence[Said]) -> Iterator[Moment]:
    before: ChargerState | None = None
    offer: ChargerLimits | None = None
    for one in said:
        if isinstance(one.frame, ChargerState):
            now = one.frame
            yield from _edges(one.t, "charger", _CHARGER_WORDS, before.status if before else None, now.status)
            if now.current_a and not (before and before.current_a):
                yield Moment(one.t, "charger", f"current flows: {now.current_a} A at {now.voltage_v} V", "current")
            elif before and before.current_a and not now.current_a:
                yield Moment(one.t, "charger", "no current", "current")
            before = now
        elif isinstance(one.frame, ChargerLimits):
            if offer and offer.available_current_a != one.frame.available_current_a:
                change = f"{offer.available_current_a} A to {one.frame.available_current_a} A"
                yield Moment(one.t, "charger", f"offer {change} (108.3)", "offer")
            offer = one.frame
    yield from _test(said)


def _test(said: Sequence[Said]) -> Iterator[Moment]:
    """The output's voltage before charging and while the contactor is not told closed."""
    open_told, peak, begin = True, 0, 0.0
    for one in said:
        if isinstance(one.frame, CarState):
            open_told = bool(one.frame.status & CarStatus.CONTACTOR_OPEN)
        elif isinstance(one.frame, ChargerState):
            if one.frame.status & ChargerStatus.CHARGING:
                return
            live = one.frame.voltage_v > LIVE_V and open_told
            if live and not peak:
                begin = one.t
            if live:
                peak = max(peak, one.frame.voltage_v)
            elif peak:
                yield Moment(begin, "charger", f"output up to {peak} V for {one.t - begin:.1f} s: insulation test")
                return


def _edges(t: float, who: str, table: _Table, before: int | None, now: int) -> Iterator[Moment]:
    """Bits that changed; at the begin those that are set."""
    for bit, (risen, fallen) in table.items():
        if now & bit and not (before or 0) & bit:
            yield Moment(t, who, risen, f"{who} bit {int(bit)}")
        elif before is not None and before & bit and not now & bit:
            yield Moment(t, who, fallen, f"{who} bit {int(bit)}")


def _faults(t: float, before: int, now: int) -> Iterator[Moment]:
    for name, bits in (("fault", now & ~before), ("fault gone", before & ~now)):
        if bits:
            yield Moment(t, "car", f"{name}: {', '.join(words(CarFault, bits))} (102.4)", "fault")


def _silences(said: Sequence[Said]) -> Iterator[Moment]:
    last: dict[str, float] = {}
    for one in said:
        who = "car" if one.id in CAR_IDS else "charger"
        gap = one.t - last.get(who, one.t)
        if gap > SILENT_S:
            yield Moment(last[who], "log", f"nothing from the {who} for {gap:.2f} s", f"speech of the {who}")
        last[who] = one.t


def _discharging(said: Sequence[Said]) -> Iterator[Moment]:
    drawn, allowed = 0, 0
    for one in said:
        if isinstance(one.frame, ChargerDischarge):
            if bool(one.frame.discharge_a) != bool(drawn):
                text = f"draws {one.frame.discharge_a} A from the car" if one.frame.discharge_a else "draws nothing"
                yield Moment(one.t, "charger", f"{text} (208.0)", "discharge")
            drawn = one.frame.discharge_a
        elif isinstance(one.frame, CarDischarge):
            if one.frame.max_discharge_a and not allowed:
                yield Moment(one.t, "car", "begins to allow discharge (200.0)")
            allowed = one.frame.max_discharge_a
