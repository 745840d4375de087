"""What flows back and what cars are left with: known answers on records made by hand."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilbench import clock
from hilbench.bench import Bench
from hilbench.measuring import Measure
from hilbench.metrics.polyline import highest_mean
from hilbench.rig import load_rig
from hilbench.signals import Record, node_power, state_of_charge, station_power
from hilbench.verdict import Measurement, Verdict
from tests.rigs import trio

STOP = 7200.0
LIMITED = ("worst_base_a = 20", "worst_base_a = 20\nexport_limit_kw = 3")


def corners(record: Record, name: str, *points: tuple[float, float]) -> None:
    """Record a signal by its corners."""
    signal = record.signal(name, "1" if name.startswith("soc") else "W", "linear")
    for t, value in points:
        signal.append(t, value)


def measured(folder: Path, record: Record, metric: str, *changes: tuple[str, str]) -> Measurement:
    """``metric`` on ``record`` of a bench that was never started, over two hours."""

    async def main() -> Measurement:
        await clock.sleep_until(STOP)
        bench = Bench(load_rig(str(trio(folder, *changes))), record=record)
        bench.stations = dict.fromkeys("ABC")  # type: ignore[assignment]
        return Measure(bench)(metric, since=0.0)

    return clock.run(main())


@given(
    points=st.lists(st.tuples(st.floats(0.0, 100.0), st.floats(-50.0, 50.0)), min_size=2, max_size=12),
    window_s=st.floats(1.0, 60.0),
)
def test_the_highest_mean_is_that_of_a_fine_search(points: list[tuple[float, float]], window_s: float) -> None:
    """No window on a fine grid has a larger mean, and a near one has nearly as much; jumps are taken as they are."""
    t, v = (np.array(part) for part in zip(*sorted(points), strict=True))
    if t[-1] - t[0] < 1.0:
        return
    fine = np.linspace(t[0], t[-1], 4001)
    steps = np.interp(fine, t, v)
    sums = np.concatenate(([0.0], np.cumsum((steps[1:] + steps[:-1]) / 2.0 * np.diff(fine))))
    width = min(window_s, float(t[-1] - t[0]))
    starts = np.linspace(t[0], t[-1] - width, 2000)
    found = max((np.interp(starts + width, fine, sums) - np.interp(starts, fine, sums)) / width)
    assert highest_mean((t, v), window_s) == pytest.approx(found, abs=100.0 * 0.2 / width)


def test_a_jump_counts_with_both_its_values() -> None:
    """-10 until 10 s, 30 until 20 s, -10 after: over 10 s the mean is 30, over 20 s it is 10."""
    line = np.array([0.0, 10.0, 10.0, 20.0, 20.0, 60.0]), np.array([-10.0, -10.0, 30.0, 30.0, -10.0, -10.0])
    assert highest_mean(line, 10.0) == pytest.approx(30.0)
    assert highest_mean(line, 20.0) == pytest.approx(10.0)
    triangle = np.array([0.0, 10.0, 20.0]), np.array([0.0, 10.0, 0.0])
    assert highest_mean(triangle, 10.0) == pytest.approx(7.5)


@pytest.mark.parametrize(("contract", "limit_kw"), [("", 48 * 240 / 1000), ("\ncontract_kw = 9", 9.0)])
def test_the_peak_of_a_quarter_of_an_hour_counts(tmp_path: Path, contract: str, limit_kw: float) -> None:
    """12 kW for ten minutes on 6 kW are 10 kW in the worst quarter of an hour: below the budget, above a contract."""
    record = Record()
    corners(record, node_power("service"), (0, 6e3), (900, 6e3), (900, 12e3), (1500, 12e3), (1500, 6e3), (STOP, 6e3))
    found = measured(tmp_path, record, "peak_import_kw", ("worst_base_a = 20", f"worst_base_a = 20{contract}"))
    assert found.value == pytest.approx(10.0)
    assert found.limit_value == pytest.approx(limit_kw)
    assert found.verdict is (Verdict.FAIL if contract else Verdict.PASS)


@pytest.mark.parametrize(("export_w", "excess_kw", "verdict"), [(2e3, 0.0, Verdict.PASS), (5e3, 2.0, Verdict.FAIL)])
def test_export_counts_above_its_limit(tmp_path: Path, export_w: float, excess_kw: float, verdict: Verdict) -> None:
    """Half a minute of export; a spike of a second does not count as much."""
    record = Record()
    points = ((0, 1e3), (60, 1e3), (60, -export_w), (90, -export_w), (90, 1e3), (100, 1e3), (100, -9e3), (101, -9e3))
    corners(record, node_power("service"), *points, (101, 1e3), (STOP, 1e3))
    found = measured(tmp_path, record, "export_excess_kw", LIMITED)
    assert found.value == pytest.approx(excess_kw)
    assert found.verdict is verdict


def test_without_an_export_limit_nothing_is_judged(tmp_path: Path) -> None:
    """There is no value, and that is no PASS."""
    record = Record()
    corners(record, node_power("service"), (0, -9e3), (STOP, -9e3))
    found = measured(tmp_path, record, "export_excess_kw")
    assert math.isnan(found.value)
    assert found.verdict is not Verdict.PASS


def test_the_reserve_is_what_a_discharge_leaves(tmp_path: Path) -> None:
    """A car that comes empty and charges breaks nothing; one that is discharged to 25 % does."""
    record = Record()
    corners(record, state_of_charge("A"), (0, 0.1), (STOP, 0.5))
    corners(record, station_power("A"), (0, 5e3), (STOP, 5e3))
    assert measured(tmp_path, record, "least_soc").value == 1.0
    corners(record, state_of_charge("B"), (0, 0.5), (3600, 0.25), (STOP, 0.9))
    corners(record, station_power("B"), (0, -5e3), (3600, -5e3), (3600, 9e3), (STOP, 9e3))
    found = measured(tmp_path, record, "least_soc")
    assert found.value == pytest.approx(0.25)
    assert found.verdict is Verdict.FAIL
    assert "B" in found.note


@pytest.mark.parametrize(
    ("target", "departure", "value"),
    [(0.8, 3600.0, 0.5), (0.65, 3600.0, 1.0), (0.4, 3600.0, 1.0), (0.8, 9000.0, None), (0.8, None, None)],
)
def test_the_energy_at_departure_is_of_what_was_asked_for(
    tmp_path: Path, target: float, departure: float | None, value: float | None
) -> None:
    """From 50 % to 65 % at its departure; who has not left yet, or never says when, is not judged."""
    record = Record()
    corners(record, state_of_charge("A"), (0, 0.5), (3600, 0.65), (STOP, 0.9))
    record.event(0.0, "session.needs", "A", target_soc=target, arrival_soc=0.5, departure_t=departure)
    found = measured(tmp_path, record, "energy_at_departure")
    assert found.value == pytest.approx(math.nan if value is None else value, nan_ok=True)
    assert found.limit_value == pytest.approx(0.95)
