"""How DC metrics are taken: known answers on records made by hand, and none where nothing happened."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any, cast

import pytest

from hilbench.bench import Bench
from hilbench.measuring import dc
from hilbench.measuring.window import Reading, Window
from hilbench.requirements import Requirements, load_requirements
from hilbench.signals import Record, dc_current, dc_offered, dc_requested, dc_voltage, station_power

START, STOP = 10.0, 40.0
Points = list[tuple[float, float]]


def steady(value: float) -> Points:
    """It stands still."""
    return [(0.0, value), (STOP, value)]


def falls(before: float, after: float, at: float) -> Points:
    """It goes down at once."""
    return [(0.0, before), (at, before), (at, after), (STOP, after)]


def window(lines: dict[str, Points], roles: tuple[str, ...] = ("A",), **parameters: Any) -> Window:
    """What is seen from 10 to 40 s of these signals."""
    record = Record()
    for name, points in lines.items():
        signal = record.signal(name, "A", "linear")
        for t, value in points:
            signal.append(t, value)
    bench = cast("Bench", SimpleNamespace(record=record, time_uncertainty_s=0.0))
    requirements: Requirements = load_requirements(["generic-v0"])
    return Window(bench, requirements, START, STOP, {"roles": roles, **parameters})


def loop(offered: Points, requested: Points, output: Points) -> dict[str, Points]:
    """A charging loop of station A."""
    return {dc_offered("A"): offered, dc_requested("A"): requested, dc_current("A"): output}


def value(readings: list[Reading]) -> float:
    """Of the only reading."""
    (found,) = readings
    return found.value


def test_both_instants_count_from_the_message() -> None:
    """Message after 0.2 s, request 0.1 s later, output 0.5 s later."""
    seen = window(loop(falls(100.0, 40.0, 10.2), falls(80.0, 40.0, 10.3), falls(80.0, 40.0, 10.7)))
    assert value(dc.offer_time(seen)) == pytest.approx(0.2)
    assert value(dc.following("request")(seen)) == pytest.approx(0.1)
    assert value(dc.following("output")(seen)) == pytest.approx(0.5)


def test_an_output_that_falls_first_is_in_time() -> None:
    """A charger may hold its output before the message is out."""
    seen = window(loop(falls(100.0, 40.0, 10.2), falls(80.0, 40.0, 10.3), falls(80.0, 40.0, 10.1)))
    assert value(dc.following("output")(seen)) == 0.0


def test_an_offer_that_never_falls_is_no_answer() -> None:
    """Infinity and not 0, though request and output are within the offer all the time."""
    seen = window(loop(steady(100.0), steady(80.0), steady(80.0)))
    assert value(dc.offer_time(seen)) == math.inf
    assert value(dc.following("request")(seen)) == math.inf
    assert value(dc.following("output")(seen)) == math.inf
    assert value(dc.zero_time(seen)) == math.inf


def test_an_offer_that_comes_back_is_no_answer() -> None:
    """A message that swings between the old limit and the new one never keeps the new one."""
    swings = [*falls(100.0, 40.0, 11.0)[:3], (36.0, 40.0), (36.1, 100.0), (38.0, 40.0), (39.0, 100.0), (STOP, 100.0)]
    seen = window(loop(swings, steady(80.0), steady(80.0)))
    assert value(dc.offer_time(seen)) == value(dc.following("request")(seen)) == math.inf


def test_an_output_that_ends_untold_does_not_follow_an_offer() -> None:
    """Nothing flows any more, but no message ever offered nothing."""
    seen = window(loop(steady(100.0), steady(80.0), falls(80.0, 0.0, 20.0)))
    assert value(dc.zero_time(seen)) == math.inf


def test_the_end_of_an_output_counts_from_silence_where_there_is_no_message() -> None:
    """A silent car: 1.5 s from the window's start, whatever is offered; the note has what flowed."""
    seen = window(loop(steady(100.0), steady(80.0), falls(80.0, 0.0, 11.5)), told=False, patience_s=0.5)
    (found,) = dc.zero_time(seen)
    assert found.value == pytest.approx(1.5)
    assert found.note == "A: from 80 A at most"
    assert found.context == {"dc_patience_s": 0.5}


@pytest.mark.parametrize(
    ("held_a", "then_a", "before_a", "seconds"),
    [
        (0.0, 6.0, 90.0, 5.0),
        (0.0, 2.0, 4.0, 5.0),
        (0.0, 5.0, 90.0, math.inf),
        (7.0, 7.0, 90.0, math.inf),
        (7.0, 9.6, 90.0, 5.0),
        (7.0, 7.5, 8.0, 5.0),
    ],
)
def test_a_car_resumes_above_what_it_was_held_at(held_a: float, then_a: float, before_a: float, seconds: float) -> None:
    """6 A, or half of a small current; a station that holds 7 A must give 2.5 A more, or nearly what it gave before."""
    output = [(0.0, held_a), (15.0, held_a), (15.0, then_a), (STOP, then_a)]
    seen = window(loop(steady(100.0), steady(80.0), output), before_a={"A": before_a})
    assert value(dc.resume_time(seen)) == pytest.approx(seconds)


def test_the_load_of_a_cabinet_is_the_largest_sum() -> None:
    """40 and 20 kW, then 15 and 30 kW: never both of the largest; 60 kW of 50 kW are 1.2."""
    lines = {
        dc_voltage("A"): steady(400.0),
        dc_current("A"): falls(100.0, 37.5, 20.0),
        dc_voltage("B"): steady(800.0),
        dc_current("B"): falls(25.0, 37.5, 20.0),
    }
    (found,) = dc.cabinet_load(window(lines, ("A", "B"), rated_w=50_000.0))
    assert found.value == pytest.approx(1.2)
    assert found.note == "A and B: 60.0 of 50.0 kW"


def test_what_is_fed_is_the_most_that_flows_out() -> None:
    """3 kW for a moment; a station that only takes feeds nothing."""
    out = {station_power("A"): [(0.0, 500.0), (20.0, -3000.0), (30.0, 500.0), (STOP, 500.0)]}
    assert value(dc.fed(window(out))) == pytest.approx(3000.0)
    assert value(dc.fed(window({station_power("A"): steady(500.0)}))) == 0.0
