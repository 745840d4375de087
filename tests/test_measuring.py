"""From a metric's name to a judged value: known answers on records made by hand, the worst line, and its limit."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from hilbench import clock
from hilbench.bench import Bench
from hilbench.errors import InputError
from hilbench.measuring import EXTRACTORS, Measure
from hilbench.metrics.catalogue import METRICS
from hilbench.rig import load_rig
from hilbench.signals import Record, base_current, demanded_current, line_current, offered_current
from hilbench.verdict import Measurement, Verdict
from tests.rigs import trio

STOP = 100.0


def corners(record: Record, name: str, points: list[tuple[float, float]], kind: Any = "linear") -> None:
    """Record a signal by its corners."""
    signal = record.signal(name, "A", kind)
    for t, value in points:
        signal.append(t, value)


def flat(record: Record, name: str, value: float, kind: Any = "linear") -> None:
    """A signal that stands still."""
    corners(record, name, [(0.0, value), (STOP, value)], kind)


def measured(folder: Path, record: Record, metric: str, dc: str = "", **parameters: Any) -> Measurement:
    """``metric`` on ``record`` of a bench that was never started, at bench time 100 s; stations in ``dc`` are DC."""

    async def main() -> Measurement:
        await clock.sleep_until(STOP)
        bench = Bench(load_rig(str(trio(folder))), record=record)
        kinds = {role: {"kind": "dc" if role in dc else "ac"} for role in "ABC"}
        branches = tuple(one.model_copy(update=kinds[one.role]) for one in bench.site.branches)
        bench.site = bench.site.model_copy(update={"branches": branches})
        bench.stations = dict.fromkeys("ABC")  # type: ignore[assignment]
        return Measure(bench)(metric, **{"since": 0.0, **parameters})

    return clock.run(main())


def quiet(record: Record) -> Record:
    """Nothing flows anywhere on the small rig."""
    for name in (line_current("service", line) for line in ("L1", "L2")):
        if name not in record.signals:
            flat(record, name, 0.0)
    for line in ("L1", "L2"):
        flat(record, base_current(line), 0.0)
    return record


def test_the_longest_time_above_the_budget_counts_and_names_its_line(tmp_path: Path) -> None:
    """60 A for 4 s and later for 7 s on L2 of a 48 A budget: 7 s, on L2, within 10 s."""
    record = Record()
    steps = [(0.0, 40.0), (10.0, 40.0), (10.0, 60.0), (14.0, 60.0), (14.0, 40.0)]
    steps += [(50.0, 40.0), (50.0, 60.0), (57.0, 60.0), (57.0, 40.0), (STOP, 40.0)]
    corners(record, line_current("service", "L2"), steps)
    found = measured(tmp_path, quiet(record), "time_above_budget")
    assert found.value == pytest.approx(7.0)
    assert "L2" in found.note
    assert found.verdict is Verdict.PASS


def test_a_value_beyond_its_limit_fails(tmp_path: Path) -> None:
    """59 s above the budget are more than any clause allows."""
    record = Record()
    corners(record, line_current("service", "L1"), [(0.0, 40.0), (10.0, 40.0), (10.0, 55.0), (69.0, 55.0), (69.0, 0.0)])
    assert measured(tmp_path, quiet(record), "time_above_budget").verdict is Verdict.FAIL


def test_ampere_seconds_and_peak_are_those_of_the_rectangle(tmp_path: Path) -> None:
    """75 A for 4 s on a 60 A service: 60 A.s above the rating, peak 1.25 of it."""
    record = Record()
    rectangle = [(0.0, 0.0), (10.0, 0.0), (10.0, 75.0), (14.0, 75.0), (14.0, 0.0), (STOP, 0.0)]
    corners(record, line_current("service", "L1"), rectangle)
    quiet(record)
    assert measured(tmp_path, record, "ampere_seconds_above_rating").value == pytest.approx(60.0)
    assert measured(tmp_path, record, "peak_ratio").value == pytest.approx(1.25)


def test_t90_is_of_the_cars_not_of_the_building(tmp_path: Path) -> None:
    """Cars that ramp from 40 to 20 A between 2 and 12 s reach 90 % at 11 s, whatever the building does."""
    record = Record()
    for line in ("L1", "L2"):
        corners(record, line_current("service", line), [(0.0, 60.0), (2.0, 60.0), (12.0, 40.0), (STOP, 40.0)])
        flat(record, base_current(line), 20.0)
    assert measured(tmp_path, record, "t90").value == pytest.approx(11.0, abs=1e-6)


def test_cars_that_do_not_respond_never_reach_it(tmp_path: Path) -> None:
    """No change of the cars' current: infinity, which no limit allows."""
    record = Record()
    for line in ("L1", "L2"):
        flat(record, line_current("service", line), 40.0)
        flat(record, base_current(line), 0.0)
    found = measured(tmp_path, record, "t90")
    assert found.value == math.inf
    assert found.verdict is Verdict.FAIL


def test_jain_index_of_one_car_that_has_everything(tmp_path: Path) -> None:
    """One of three takes all: a third."""
    record = quiet(Record())
    for role, amps in (("A", 30.0), ("B", 0.0), ("C", 0.0)):
        flat(record, line_current(role, "L1"), amps)
    assert measured(tmp_path, record, "jain_index").value == pytest.approx(1.0 / 3.0)


def test_fallback_is_entered_when_the_last_station_is_there(tmp_path: Path) -> None:
    """Stations at their 6 A after 10, 20 and 30 s: 30 s, level 6 A."""
    record = quiet(Record())
    for role, t in (("A", 10.0), ("B", 20.0), ("C", 30.0)):
        for line in ("L1", "L2"):
            corners(record, line_current(role, line), [(0.0, 12.0), (t, 12.0), (t, 6.0), (STOP, 6.0)])
    found = measured(tmp_path, record, "fallback_entry_time")
    assert found.value == pytest.approx(30.0)
    assert "C" in found.note
    assert measured(tmp_path, record, "fallback_level").value == pytest.approx(6.0)


def test_the_least_offer_ignores_pauses(tmp_path: Path) -> None:
    """Offers of 0 are pauses; 5.5 A is an offer that no pilot can make."""
    record = quiet(Record())
    for role, amps in (("A", 0.0), ("B", 5.5), ("C", 16.0)):
        flat(record, offered_current(role), amps, "step")
    found = measured(tmp_path, record, "minimum_offer_a")
    assert found.value == pytest.approx(5.5)
    assert found.verdict is Verdict.FAIL


def test_what_a_dc_station_offers_is_no_pilot(tmp_path: Path) -> None:
    """4 A of the grid are an offer there; the least of the others is that of the AC stations."""
    record = quiet(Record())
    for role, amps in (("A", 6.0), ("B", 4.0), ("C", 16.0)):
        flat(record, offered_current(role), amps, "step")
    assert measured(tmp_path, record, "minimum_offer_a", dc="B").value == pytest.approx(6.0)
    assert measured(tmp_path, record, "minimum_offer_a").value == pytest.approx(4.0)


@pytest.mark.parametrize(("drawn_a", "dc", "starved_s"), [(4.5, "", 100.0), (4.5, "A", 0.0), (4.0, "A", 100.0)])
def test_a_car_starves_below_the_least_of_its_station(
    tmp_path: Path, drawn_a: float, dc: str, starved_s: float
) -> None:
    """4.5 A are enough where 5 A are the least, for a sixth less is; they are none where the least is 6 A."""
    record = busy(quiet(Record()), {"A": drawn_a}, {})
    assert measured(tmp_path, record, "starvation_time", dc=dc).value == pytest.approx(starved_s)


def busy(record: Record, amps: dict[str, float], service: dict[str, float], base_a: float = 0.0) -> Record:
    """Each car draws its amperes of 20 A that it wants; the lines of the service carry what is given."""
    for line, value in service.items():
        flat(record, line_current("service", line), value)
        flat(record, base_current(line), base_a)
    for role, value in amps.items():
        flat(record, demanded_current(role), 20.0, "step")
        for line in ("L1", "L2"):
            flat(record, line_current(role, line), value)
    return record


def test_utilisation_is_how_full_that_is_which_limits_the_cars(tmp_path: Path) -> None:
    """Cars that get 10 of 20 A while the site carries 24 of 48 A: half of what could be, for every one."""
    record = busy(Record(), {"A": 10.0, "B": 10.0, "C": 4.0}, {"L1": 24.0, "L2": 24.0})
    assert measured(tmp_path, record, "utilisation").value == pytest.approx(0.5)


def test_one_full_line_excuses_the_cars_that_use_it(tmp_path: Path) -> None:
    """L1 at its budget: cars between L1 and L2 could not have more, however much L2 has left."""
    record = busy(Record(), {"A": 16.0, "B": 16.0, "C": 6.0}, {"L1": 48.0, "L2": 30.0})
    assert measured(tmp_path, record, "utilisation").value == pytest.approx(1.0)


def test_a_site_left_half_empty_has_not_recovered(tmp_path: Path) -> None:
    """Beside 28 A of building, 10 A of cars are half of what is left, though the site carries 38 of 48 A."""
    record = busy(Record(), {"A": 6.0, "B": 4.0}, {"L1": 38.0, "L2": 38.0}, base_a=28.0)
    assert measured(tmp_path, record, "recovery_time").value == math.inf
    assert measured(tmp_path, record, "utilisation").value == pytest.approx(38.0 / 48.0)


def test_nothing_recorded_is_no_pass(tmp_path: Path) -> None:
    """Without any sample, a measurement is an error or a clear refusal, never a PASS."""
    assert measured(tmp_path, Record(), "time_above_budget").verdict is Verdict.ERROR
    with pytest.raises(InputError, match="never recorded"):
        measured(tmp_path, Record(), "t90")


def test_an_unknown_metric_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    """A misspelt metric does not pass for measured."""
    with pytest.raises(InputError, match="time_above_budget"):
        measured(tmp_path, Record(), "time_over_budget")


def test_every_metric_of_the_catalogue_can_be_taken() -> None:
    """The catalogue and the extractors name the same metrics."""
    assert set(EXTRACTORS) == set(METRICS)
