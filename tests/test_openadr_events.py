"""OpenADR 3 events: what limit they mean when, and which of them are refused why."""

from __future__ import annotations

import json
import math
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilbench.controller.signals.events import Event, Rules, Span, limit_at, next_edge, read_events
from hilbench.controller.signals.values import RefusedError, duration
from tests.openadr_samples import EVENING, FEEDER_CAP, event, iso, payload

RULES = Rules((math.inf, 75.0, 50.0, 0.0))
T0 = EVENING.timestamp()


def one(raw: dict[str, Any], rules: Rules = RULES) -> Event:
    """The only event of ``raw``, which must not be refused."""
    events, refusals = read_events([raw], rules)
    assert refusals == ()
    return events[0]


def reason(raw: object) -> str:
    """Why ``raw`` is refused."""
    events, refusals = read_events([raw], RULES)
    assert events == ()
    return refusals[0].reason


def spans(raw: dict[str, Any], rules: Rules = RULES) -> list[tuple[float, float, float]]:
    """Start and end [s after 23:00] and limit of each span."""
    return [(span.start - T0, span.end - T0, span.limit_kw) for span in one(raw, rules).spans]


def test_the_feeder_cap_is_60_then_30_then_45_kw() -> None:
    """The example of the reference: the third interval has a period of its own."""
    assert spans(FEEDER_CAP) == [(0, 900, 60.0), (900, 1800, 30.0), (1800, 5400, 45.0)]
    moments = {-1: None, 0: 60.0, 899.9: 60.0, 900: 30.0, 1800: 45.0, 5399.9: 45.0, 5400: None}
    assert {after: limit_at([one(FEEDER_CAP)], T0 + after) for after in moments} == moments


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("P0Y0M0DT1H0M0S", 3600),
        ("PT15M", 900),
        ("PT0S", 0),
        ("P1D", 86_400),
        ("P1W", 604_800),
        ("PT1.5S", 1.5),
        ("PT0,5S", 0.5),
        ("P9999Y", math.inf),
    ],
)
def test_durations_of_the_standard_are_read(text: str, seconds: float) -> None:
    """ISO 8601, and the spelling for endless."""
    assert duration(text, "d") == seconds


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "P1DT", "15M", "PT-5M", "-PT5M", "P1M", "P1Y", "PT1H ", "PT١H", None, 5]
)
def test_what_is_no_fixed_duration_is_refused(text: object) -> None:
    """Nothing, half a duration, other signs, months and years."""
    with pytest.raises(RefusedError):
        duration(text, "d")


@settings(max_examples=50, deadline=None)
@given(st.tuples(*[st.integers(0, 500)] * 4))
def test_a_duration_is_the_sum_of_its_parts(parts: tuple[int, int, int, int]) -> None:
    """Any days, hours, minutes and seconds."""
    days, hours, minutes, seconds = parts
    expected = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds).total_seconds()
    assert duration(f"P0Y{days}DT{hours}H{minutes}M{seconds}S", "d") == expected


def test_an_interval_without_a_start_follows_the_one_before() -> None:
    """Also after one that has a period of its own, and with a length of its own."""
    raw = event(T0, 900, 60, 50, 40)
    raw["intervals"][1]["intervalPeriod"] = {"start": iso(T0 + 3600), "duration": "PT5M"}
    assert spans(raw) == [(0, 900, 60), (3600, 3900, 50), (3900, 4800, 40)]
    raw["intervals"][2]["intervalPeriod"] = {"duration": "PT1M"}
    assert spans(raw)[2] == (3900, 3960, 40)


def test_intervals_may_have_all_the_times() -> None:
    """Then the event needs no period."""
    raw = event(T0, 900, 60)
    raw["intervals"][0]["intervalPeriod"] = raw.pop("intervalPeriod")
    assert spans(raw) == [(0, 900, 60)]


def test_now_is_when_the_event_was_modified() -> None:
    """And not the time of the poll."""
    raw = event(T0, 900, 60, createdDateTime=iso(T0 - 50), modificationDateTime=iso(T0 + 5))
    raw["intervalPeriod"]["start"] = "0001-01-01T00:00:00Z"
    assert spans(raw) == [(5, 905, 60)]


def test_an_endless_interval_never_ends() -> None:
    """P9999Y, to be ended by a cancellation."""
    raw = event(T0, 900, 60)
    raw["intervalPeriod"]["duration"] = "P9999Y"
    assert limit_at([one(raw)], T0 + 1e11) == 60
    assert next_edge([one(raw)], T0) == math.inf


def test_the_duration_of_an_event_repeats_and_cuts_its_intervals() -> None:
    """40 minutes of 2 times 15 minutes; 20 minutes of the same; 0 is what 3.0 has for none."""
    assert spans(event(T0, 900, 60, 50, duration="PT40M")) == [(0, 900, 60), (900, 1800, 50), (1800, 2400, 60)]
    assert spans(event(T0, 900, 60, 50, duration="PT20M")) == [(0, 900, 60), (900, 1200, 50)]
    endless = event(T0, 900, 60, duration="PT1H")
    endless["intervalPeriod"]["duration"] = "P9999Y"
    assert spans(endless) == [(0, 3600, 60)]
    assert spans(event(T0, 900, 60, duration="PT0S")) == [(0, 900, 60)]


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 50), st.integers(1, 3600))
def test_a_random_start_is_one_delay_for_the_whole_event(seed: int, spread_s: int) -> None:
    """Between 0 and its range, for all intervals alike, and the same whenever the event is read again."""
    raw = FEEDER_CAP | {"intervalPeriod": FEEDER_CAP["intervalPeriod"] | {"randomizeStart": f"PT{spread_s}S"}}
    rules = Rules(RULES.levels_kw, seed=seed)
    shifts = {
        round(moved.start - plain.start, 3)
        for moved, plain in zip(one(raw, rules).spans, one(FEEDER_CAP).spans, strict=True)
    }
    assert len(shifts) == 1
    assert 0 <= shifts.pop() <= spread_s
    assert one(raw, rules) == one(raw, rules)


def test_an_interval_may_have_a_random_start_of_its_own() -> None:
    """The draw is the event's, the range is the interval's: twice the range is twice the delay."""
    raw = event(T0, 900, 60, 50)
    raw["intervalPeriod"]["randomizeStart"] = "PT5M"
    raw["intervals"][1]["intervalPeriod"] = {"randomizeStart": "PT10M"}
    (first, _, _), (second, _, _) = spans(raw)
    assert 0 < first < 300
    assert second - 900 == pytest.approx(2 * first)


def test_sites_with_other_seeds_start_at_other_times() -> None:
    """That is what a random start is for."""
    raw = event(T0, 900, 60, id="e")
    raw["intervalPeriod"]["randomizeStart"] = "PT10M"
    assert len({one(raw, Rules(RULES.levels_kw, seed=seed)).spans for seed in range(20)}) == 20


def test_priority_0_goes_before_1_and_that_before_none() -> None:
    """The higher priority holds even when it allows more."""
    events = [one(event(T0, 900, 20, id="c")), one(event(T0, 900, 80, id="a", priority=0))]
    events.append(one(event(T0, 1800, 40, id="b", priority=1)))
    assert limit_at(events, T0) == 80
    assert limit_at(events, T0 + 900) == 40
    assert limit_at(events[:1], T0) == 20


def test_within_a_priority_the_lowest_limit_holds() -> None:
    """Events that overlap, and two payloads of one interval."""
    raw = event(T0, 900, 60)
    raw["intervals"][0]["payloads"].append(payload(2, "SIMPLE"))
    assert limit_at([one(raw)], T0) == 50.0
    assert limit_at([one(event(T0, 900, 30)), one(raw)], T0) == 30


def test_simple_levels_are_limits_of_the_table() -> None:
    """Level 0 is no limit; as said by a higher priority it lifts the lower one's."""
    raw = event(T0, 900, 0, 1, 2, 3, kind="SIMPLE", priority=0)
    assert [limit_at([one(raw)], T0 + after) for after in (0, 900, 1800, 2700)] == [None, 75.0, 50.0, 0.0]
    assert limit_at([one(raw), one(event(T0, 900, 10, priority=1))], T0) is None


@pytest.mark.parametrize("kind", ["PRICE", "GHG", "CHARGE_STATE_SETPOINT", "EXPORT_CAPACITY_LIMIT", "x-own"])
def test_other_payloads_are_ignored_by_name(kind: str) -> None:
    """They limit nothing and hide no limit, and the event says that they are ignored."""
    read = one(event(T0, 900, 0.2, kind=kind, priority=0))
    assert (read.spans, read.ignored) == ((), (kind,))
    assert limit_at([read, one(event(T0, 900, 40))], T0) == 40


def test_events_of_other_programs_and_targets_are_for_others() -> None:
    """Targets of 3.1 and of 3.0; an event without targets is for all."""
    rules = Rules(RULES.levels_kw, "site-dr", ("evse-site-7",))
    old = [{"type": "GROUP", "values": ["evse-site-7", "x"]}]
    for_us: list[Any] = [None, [], ["evse-site-7"], old]
    assert [len(read_events([event(T0, 9, 1, targets=t)], rules)[0]) for t in for_us] == [1, 1, 1, 1]
    others = [
        event(T0, 9, 1, targets=["b"]),
        event(T0, 9, 1, programID="b"),
        event(T0, 9, 1, targets=[old[0] | {"values": ["b"]}]),
    ]
    assert read_events(others, rules) == ((), ())


def altered(path: str, value: object) -> dict[str, Any]:
    """The feeder cap with another value at ``path``; a value of ``...`` takes it out."""
    raw: dict[str, Any] = json.loads(json.dumps(FEEDER_CAP))
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    inner: Any = raw
    for part in parents:
        inner = inner[part]
    if value is ...:
        del inner[last]
    else:
        inner[last] = value
    return raw


WRONG = [
    ("objectType", "PROGRAM", "objectType is 'PROGRAM'"),
    ("priority", -1, "priority is -1"),
    ("priority", True, "priority is True"),
    ("priority", 1.5, "priority 1.5 is no whole number"),
    ("targets", [5], "a target is no object"),
    ("targets", "evse-site-7", "targets is no list"),
    ("payloadDescriptors", 7, "payloadDescriptors is no list"),
    ("payloadDescriptors.0.units", "KVA", "is in KVA, not in KW"),
    ("intervalPeriod.start", ..., "neither the event nor its first interval"),
    ("intervalPeriod.start", "yesterday", "no RFC 3339 time"),
    ("intervalPeriod.start", "2026-07-15T23:00:00", "no offset from UTC"),
    ("intervalPeriod.duration", ..., "duration None is no ISO 8601"),
    ("intervalPeriod.duration", "PT0S", "lasts 0 s"),
    ("intervalPeriod.duration", "P1M", "no fixed length"),
    ("intervalPeriod.randomizeStart", "P9999Y", "randomizeStart is endless"),
    ("intervalPeriod.start", "0000-00-00", 'time for "now"'),
    ("intervals", [], "intervals is no list with something in it"),
    ("intervals", ..., "intervals is no list with something in it"),
    ("intervals.1", "x", "an interval is no object"),
    ("intervals.1.payloads", [], "payloads is no list with something in it"),
    ("intervals.1.payloads.0.values", [], "values is no list"),
    ("intervals.1.payloads.0.values", [1, 2], "2 values, not one"),
    ("intervals.1.payloads.0.values", ["30"], "'30', not a number"),
    ("intervals.1.payloads.0.values", [-5], "-5, not a number from 0 up"),
    ("intervals.1.payloads.0.values", [10**400], "too large"),
    ("intervals.1.payloads.0.type", "", "type is ''"),
    ("intervals.1.payloads.0.type", "SIMPLE", "SIMPLE level 30 is none of"),
    ("duration", "P9999Y", "into more than 10000"),
    ("duration", "soon", "'soon' is no ISO 8601 duration"),
]


@pytest.mark.parametrize(("path", "value", "words"), WRONG)
def test_a_wrong_event_is_refused_with_the_reason_and_nothing_else_is_lost(
    path: str, value: object, words: str
) -> None:
    """The events before and after it count."""
    items = [event(T0, 900, 70, id="a"), altered(path, value), event(T0, 900, 80, id="b")]
    events, refusals = read_events(items, RULES)
    assert [found.id for found in events] == ["a", "b"]
    assert [(refusal.id, words in refusal.reason) for refusal in refusals] == [("cap", True)], refusals


def test_what_is_no_event_at_all_is_refused_by_its_place() -> None:
    """It has no id to name it by."""
    _events, refusals = read_events([FEEDER_CAP, 5, {"id": 3}], RULES)
    assert [refusal.id for refusal in refusals] == ["#1", "#2"]
    assert reason(5) == "the event is no object"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
PATHS = ["id", *dict.fromkeys(path for path, _value, _words in WRONG), "intervals.0.intervalPeriod", "intervalPeriod"]


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(PATHS), JSON)
def test_no_json_stops_the_reader_or_costs_another_event(path: str, value: object) -> None:
    """Any value anywhere: the event is read or refused, and the others stand."""
    events, refusals = read_events([event(T0, 900, 70, id="sound"), altered(path, value)], RULES)
    assert "sound" in [found.id for found in events]
    assert len(events) + len(refusals) == 2


SPANS = st.builds(
    lambda start, length, kw: Span(start, start + length, kw),
    st.integers(0, 40),
    st.integers(1, 20),
    st.sampled_from([0.0, 10.0, 20.0, 30.0, math.inf]),
)
EVENTS = st.lists(
    st.builds(
        lambda priority, found: Event("e", priority, tuple(found)),
        st.sampled_from([0.0, 1.0, math.inf]),
        st.lists(SPANS, max_size=4),
    ),
    max_size=5,
)


def slow_limit(events: list[Event], t: float) -> float | None:
    """The rule said step by step."""
    for priority in (0.0, 1.0, math.inf):
        limits = []
        for found in events:
            if found.priority == priority:
                limits += [span.limit_kw for span in found.spans if not (t < span.start or t >= span.end)]
        if limits:
            return None if min(limits) == math.inf else min(limits)
    return None


@settings(max_examples=50, deadline=None)
@given(EVENTS, st.integers(-1, 61))
def test_the_limit_is_the_lowest_of_the_highest_priority(events: list[Event], t: int) -> None:
    """Against the rule said step by step."""
    assert limit_at(events, t) == slow_limit(events, t)


@settings(max_examples=50, deadline=None)
@given(EVENTS, st.integers(-1, 61))
def test_between_edges_the_limit_stands_still(events: list[Event], t: int) -> None:
    """So it is enough to look at each edge."""
    edge = next_edge(events, t)
    assert edge > t
    last = min(edge, 100.0)
    assert {limit_at(events, t + share * (last - t)) for share in (0.0, 0.3, 0.999)} == {limit_at(events, t)}
