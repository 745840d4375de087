"""OpenADR 3 events as data: from what a VTN says to the limit of the site's import, and to prices, at any time.

Times are seconds since 1970 (UTC), powers kW; an infinite limit is none. Field names are those of OpenADR 3.1, read
in openleadr-rs (``openleadr-wire``); targets may also have the shape of 3.0. Where the sources leave room:

- ``randomizeStart`` delays and never advances; one draw per event moves all of its intervals alike.
- ``duration`` of an event repeats its intervals from its start until it is over, or cuts them short.
- A start of "now" is when the VTN last modified the event, so that it does not move from poll to poll.
- Without ``units`` a limit is in kW; any other unit is refused.
- EXPORT_PRICE is what energy is paid that the site feeds in (recalled); PRICE what it costs to take it.
- Without ``units`` a price is per kWh, and greenhouse gas in g/kWh (units KWH and GHG; recalled); MWH is understood.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hilbench.controller.signals.values import RefusedError, array, duration, instant, is_now, mapping, number

LIMIT, SIMPLE, PRICE, EXPORT_PRICE, GHG = "IMPORT_CAPACITY_LIMIT", "SIMPLE", "PRICE", "EXPORT_PRICE", "GHG"
_MONEY = {"": 1.0, "KWH": 1.0, "MWH": 1e-3}
PER_KWH = {PRICE: _MONEY, EXPORT_PRICE: _MONEY, GHG: {"": 1e-3, "GHG": 1e-3, "KWH": 1e-3}}
"""Units of prices [1/kWh] and of greenhouse gas [kg/kWh], and what a value counts in them."""
MOST_SPANS = 10_000
"""An event that repeats into more is refused (policy-default: 15-minute intervals of 100 days)."""


@dataclass(frozen=True)
class Span:
    """A limit [kW] from ``start`` to just before ``end``; infinite: the event asks for no limit there.

    Of ``kind`` PRICE and EXPORT_PRICE [1/kWh] and GHG [kg/kWh] the value is no limit.
    """

    start: float
    end: float
    limit_kw: float
    kind: str = LIMIT


@dataclass(frozen=True)
class Event:
    """What counts of an event: ``priority`` 0 is the highest, infinite when it has none; ``ignored`` payload types.

    ``spans`` are its limits, ``prices`` what it says of PRICE, EXPORT_PRICE and GHG.
    """

    id: str
    priority: float
    spans: tuple[Span, ...]
    ignored: tuple[str, ...] = ()
    prices: tuple[Span, ...] = ()


@dataclass(frozen=True)
class Refusal:
    """An event that does not count, and why."""

    id: str
    reason: str


@dataclass(frozen=True)
class Rules:
    """What a site makes of events: ``levels_kw`` are the limits of SIMPLE 0 to 3; see ``SignalSettings``.

    ``prices``: whether PRICE, EXPORT_PRICE and GHG count.
    """

    levels_kw: tuple[float, float, float, float]
    program_id: str = ""
    targets: tuple[str, ...] = ()
    seed: int = 0
    prices: bool = False


def read_events(items: Iterable[object], rules: Rules) -> tuple[tuple[Event, ...], tuple[Refusal, ...]]:
    """The events that are for this site, and those that cannot be used; of several with one id the last counts."""
    events, refusals = dict[str, Event](), list[Refusal]()
    for place, item in enumerate(items):
        name = _name(item, place)
        try:
            raw = mapping(item, "the event")
            if _concerns(raw, rules):
                events[name] = _event(name, raw, rules)
        except RefusedError as reason:
            refusals.append(Refusal(name, str(reason)))
    return tuple(events.values()), tuple(refusals)


def limit_at(events: Iterable[Event], t: float) -> float | None:
    """The limit [kW] at ``t``: of the highest priority that says anything then, the lowest; None is no limit."""
    said = [(event.priority, span.limit_kw) for event in events for span in event.spans if span.start <= t < span.end]
    limit_kw = min(said)[1] if said else math.inf
    return None if limit_kw == math.inf else limit_kw


def price_at(events: Iterable[Event], t: float, kind: str) -> float | None:
    """PRICE, EXPORT_PRICE [1/kWh] or GHG [kg/kWh] at ``t``, of the highest priority that says it; None without one."""
    said = [
        (event.priority, span.limit_kw)
        for event in events
        for span in event.prices
        if span.kind == kind and span.start <= t < span.end
    ]
    return min(said)[1] if said else None


def next_edge(events: Iterable[Event], t: float) -> float:
    """The first time after ``t`` at which a span begins or ends; infinite when there is none."""
    edges = (edge for event in events for span in event.spans for edge in (span.start, span.end))
    return min((edge for edge in edges if edge > t), default=math.inf)


def _name(item: object, place: int) -> str:
    name = item.get("id") if isinstance(item, dict) else None
    return name if isinstance(name, str) and name else f"#{place}"


def _concerns(raw: Mapping[str, Any], rules: Rules) -> bool:
    if rules.program_id and raw.get("programID") != rules.program_id:
        return False
    targets = list(_targets(raw.get("targets") or []))
    return not targets or not rules.targets or not set(rules.targets).isdisjoint(targets)


def _targets(targets: object) -> Iterator[str]:
    """Strings (3.1), or the values of objects with a type (3.0)."""
    for target in array(targets, "targets") if targets else []:
        if isinstance(target, str):
            yield target
        else:
            yield from map(str, array(mapping(target, "a target").get("values"), "the values of a target"))


def _event(name: str, raw: Mapping[str, Any], rules: Rules) -> Event:
    if raw.get("objectType", "EVENT") != "EVENT":
        raise RefusedError(f"objectType is {raw['objectType']!r}, not EVENT")
    priority = math.inf if raw.get("priority") is None else number(raw["priority"], "priority")
    if priority != math.inf and priority != int(priority):
        raise RefusedError(f"priority {priority} is no whole number")
    units, ignored = _units(raw), dict[str, None]()
    draw = random.Random(f"{rules.seed}:{name}").random()
    spans = [
        Span(start, end, value, kind)
        for start, end, payloads in _timed(raw, draw)
        for kind, value in _values(payloads, rules, units, ignored)
    ]
    whole = tuple(_repeated(spans, raw))
    limits = tuple(span for span in whole if span.kind == LIMIT)
    return Event(name, priority, limits, tuple(ignored), tuple(span for span in whole if span.kind != LIMIT))


def _units(raw: Mapping[str, Any]) -> dict[str, str]:
    """The units of payload types, in capitals; those are missing that are not given."""
    descriptors = raw.get("payloadDescriptors")
    items = [
        mapping(item, "a payloadDescriptor")
        for item in (array(descriptors, "payloadDescriptors") if descriptors else [])
    ]
    return {str(item.get("payloadType")): str(item["units"]).upper() for item in items if item.get("units")}


def _timed(raw: Mapping[str, Any], draw: float) -> Iterator[tuple[float, float, list[Any]]]:
    """Start, end and payloads of each interval; one without a start of its own follows the one before."""
    general = mapping(raw.get("intervalPeriod") or {}, "intervalPeriod")
    reached = _start(general, raw)
    delay_s = draw * _randomize(general)
    for item in array(raw.get("intervals"), "intervals"):
        interval = mapping(item, "an interval")
        own = mapping(interval.get("intervalPeriod") or {}, "the intervalPeriod of an interval")
        own_start = _start(own, raw)
        start = reached if own_start is None else own_start
        if start is None:
            raise RefusedError("neither the event nor its first interval says when it starts")
        reached = start + _length(own.get("duration") or general.get("duration"))
        shift_s = draw * _randomize(own) if own.get("randomizeStart") else delay_s
        yield start + shift_s, reached + shift_s, array(interval.get("payloads"), "payloads")


def _start(period: Mapping[str, Any], raw: Mapping[str, Any]) -> float | None:
    start = period.get("start")
    if is_now(start):
        return instant(raw.get("modificationDateTime") or raw.get("createdDateTime"), 'the event\'s time for "now"')
    return None if start is None else instant(start, "start")


def _randomize(period: Mapping[str, Any]) -> float:
    spread_s = duration(period.get("randomizeStart") or "PT0S", "randomizeStart")
    if spread_s == math.inf:
        raise RefusedError("randomizeStart is endless")
    return spread_s


def _length(value: object) -> float:
    length_s = duration(value, "duration")
    if length_s <= 0:
        raise RefusedError("an interval lasts 0 s")
    return length_s


def _values(
    payloads: list[Any], rules: Rules, units: Mapping[str, str], ignored: dict[str, None]
) -> Iterator[tuple[str, float]]:
    """Limits [kW] and prices of an interval, with their kind; payload types that are none are added to ``ignored``."""
    for item in payloads:
        payload = mapping(item, "a payload")
        kind = payload.get("type")
        if kind == LIMIT:
            yield LIMIT, _limit(payload, units.get(LIMIT, "KW"))
        elif kind == SIMPLE:
            yield LIMIT, rules.levels_kw[_level(payload)]
        elif isinstance(kind, str) and kind in PER_KWH and rules.prices:
            yield kind, _price(payload, units.get(kind, ""))
        elif isinstance(kind, str) and kind:
            ignored[kind] = None
        else:
            raise RefusedError(f"a payload's type is {kind!r}")


def _value(payload: Mapping[str, Any], *, signed: bool = False) -> float:
    values = array(payload.get("values"), "values")
    if len(values) != 1:
        raise RefusedError(f"{payload['type']} has {len(values)} values, not one")
    return number(values[0], str(payload["type"]), signed=signed)


def _limit(payload: Mapping[str, Any], units: str) -> float:
    if units != "KW":
        raise RefusedError(f"{LIMIT} is in {units}, not in KW")
    return _value(payload)


def _price(payload: Mapping[str, Any], units: str) -> float:
    kind = str(payload["type"])
    if units not in PER_KWH[kind]:
        raise RefusedError(f"{kind} is in {units}, not in {' or '.join(filter(None, PER_KWH[kind]))}")
    return _value(payload, signed=True) * PER_KWH[kind][units]


def _level(payload: Mapping[str, Any]) -> int:
    level = _value(payload)
    if level not in (0, 1, 2, 3):
        raise RefusedError(f"SIMPLE level {level:g} is none of 0, 1, 2, 3")
    return int(level)


def _repeated(spans: Sequence[Span], raw: Mapping[str, Any]) -> Iterator[Span]:
    """The spans as often as fit into the duration of the event, the last one cut; just the spans without one."""
    whole_s = duration(raw.get("duration") or "PT0S", "the event's duration")
    if not spans or not whole_s:  # 0 s is what 3.0 has for a duration that was not given
        yield from spans
        return
    first = min(span.start for span in spans)
    length_s = max(span.end for span in spans) - first
    rounds = 1.0 if length_s == math.inf else whole_s / length_s
    if rounds * len(spans) > MOST_SPANS:
        raise RefusedError(f"the event's duration repeats its intervals into more than {MOST_SPANS}")
    for turn in range(math.ceil(rounds)):
        shift_s = turn * length_s if turn else 0.0
        for span in spans:
            if span.start + shift_s < first + whole_s:
                yield replace(span, start=span.start + shift_s, end=min(span.end + shift_s, first + whole_s))


__all__ = [
    "EXPORT_PRICE",
    "GHG",
    "PRICE",
    "Event",
    "Refusal",
    "Rules",
    "Span",
    "limit_at",
    "next_edge",
    "price_at",
    "read_events",
]
