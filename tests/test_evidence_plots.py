"""hilbench.evidence.svg, heatmap, bars and happenings: pictures that show what was recorded and nothing else."""

from __future__ import annotations

import math
import re
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilbench.evidence.bars import chart_of
from hilbench.evidence.happenings import happening, needs_no_close_up
from hilbench.evidence.heatmap import cell_means
from hilbench.evidence.svg import MANY, plot_svg, short_names
from hilbench.signals import Signal
from hilbench.verdict import Plot


def signal(name: str, *samples: tuple[float, float], kind: Any = "linear") -> Signal:
    """A signal in amperes."""
    made = Signal(name, "A", kind)
    for t, value in samples:
        made.append(t, value)
    return made


def numbers_of(path: str) -> list[float]:
    """All numbers of a path."""
    return [float(text) for text in re.findall(r"-?\d+\.?\d*", path)]


def test_a_plot_has_axes_units_limits_marks_and_a_legend() -> None:
    """Everything that a reader needs to read a value off is in the picture, as text."""
    drawn = {name: signal(name, (0.0, 10.0), (60.0, 90.0)) for name in ("current/service/L1", "current/service/L2")}
    plot = Plot("Current", "A", tuple(drawn), (("budget", 80.0), ("rating", 100.0)), ((10.0, "load +25 A"),))
    root = ElementTree.fromstring(plot_svg(plot, drawn))
    said = {text.text for text in root.iter("{http://www.w3.org/2000/svg}text")}
    wanted = {"Current [A]", "budget 80", "rating 100", "load +25 A", "service L1", "service L2", "bench time [s]"}
    assert wanted <= said
    assert {"0", "25", "50", "75", "100"} <= said


def test_a_peak_survives_in_a_long_signal() -> None:
    """One sample of 250 A among 100 000 reaches the top of the picture."""
    made = signal("x", *((float(t), 250.0 if t == 54321 else 10.0 + t % 2) for t in range(100_000)))
    source = plot_svg(Plot("x", "A", ("x",)), {"x": made})
    (path,) = re.findall(r'<path class="s c0" d="(M[^"]+)"><title>', source)
    assert len(source) < 60_000
    ups = [-float(found) for found in re.findall(r"(?:v|l-?[\d.]+ )(-[\d.]+)", path)]
    assert max(ups) > 0.8 * 250.0 / 300.0 * 250


@pytest.mark.parametrize("samples", [[], [(0.0, math.nan)], [(5.0, 1.0)], [(0.0, math.inf), (1.0, -math.inf)]])
def test_odd_signals_make_a_sound_picture(samples: list[tuple[float, float]]) -> None:
    """Nothing, only gaps, a single sample, infinite values: well-formed, and without a number that is none."""
    source = plot_svg(Plot("t", "A", ("x",), (("l", math.nan), ("m", 5.0))), {"x": signal("x", *samples)})
    ElementTree.fromstring(source)
    assert "nan" not in source
    assert "inf" not in source


def test_many_signals_are_a_map_with_a_row_each() -> None:
    """From MANY on every signal has a row with its name, and a scale says what the colours mean."""
    drawn = {f"offered/S{n}": signal(f"offered/S{n}", (0.0, 2.0 * n), (60.0, 2.0 * n)) for n in range(MANY)}
    root = ElementTree.fromstring(plot_svg(Plot("Offered", "A", tuple(drawn)), drawn))
    said = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    titles = [title.text for title in root.iter("{http://www.w3.org/2000/svg}title")]
    assert [f"S{n}" for n in range(MANY)] == [title for title in titles if title and title.startswith("S")]
    assert "A, mean over each cell" in said
    assert "20" in said


def test_a_map_shows_nothing_where_nothing_flows_and_grey_where_nothing_is_known() -> None:
    """Zero is left blank; before the first sample of a signal its row is grey."""
    drawn = {f"o/S{n}": signal(f"o/S{n}", (0.0, 0.0), (60.0, 0.0)) for n in range(MANY)}
    plot = Plot("Offered", "A", tuple(drawn))
    assert "<path" not in re.sub(r'<path class="(ax|mk)[^>]*>', "", plot_svg(plot, drawn))
    drawn["o/S0"] = signal("o/S0", (30.0, 0.0), (60.0, 0.0))
    assert 'class="void"' in plot_svg(plot, drawn)


polylines = st.lists(st.tuples(st.floats(0.01, 10.0), st.floats(-100.0, 100.0)), min_size=2, max_size=12)


@settings(deadline=None)
@given(polylines, st.integers(1, 9))
def test_cells_hold_the_mean_of_the_curve(pieces: list[tuple[float, float]], count: int) -> None:
    """The cells' means over their lengths add up to the area under the curve, and none leaves its range."""
    t = np.cumsum([width for width, _ in pieces])
    v = np.array([value for _, value in pieces])
    grid = np.linspace(float(t[0]), float(t[-1]), count + 1)
    cells = cell_means(t, v, grid)
    area = float(np.sum(np.diff(t) * (v[1:] + v[:-1]) / 2.0))
    assert math.isclose(
        float(np.sum(cells * np.diff(grid))),
        area,
        rel_tol=1e-6,
        abs_tol=1e-6,
    )
    assert float(cells.min()) >= float(v.min()) - 1e-6
    assert float(cells.max()) <= float(v.max()) + 1e-6


def test_cells_count_only_what_is_known() -> None:
    """A gap does not pull a mean to zero, and a cell that is all gap has no value."""
    t = np.array([0.0, 1.0, 2.0, 3.0, 4.0])
    v = np.array([8.0, 8.0, math.nan, 6.0, 6.0])
    assert cell_means(t, v, np.array([0.0, 2.0, 4.0])).tolist() == [8.0, 6.0]
    assert np.isnan(cell_means(t, v, np.array([1.0, 3.0]))).all()


SESSIONS: dict[str, Any] = {
    "columns": ["station", "arrival", "departure", "requested kWh", "delivered kWh", "share %"],
    "rows": [["A", "08:00", "09:00", "20.00", "10.00", "50"], ["B", "08:00", "12:00", "5.00", "5.00", "100"]],
}
PEAKS: dict[str, Any] = {
    "columns": ["node", "line", "peak A", "budget A", "rating A", "at"],
    "rows": [["service", "L1", "40.0", "80.0", "100.0", "x"], ["pod", "L2", "99.0", "80.0", "100.0", "x"]],
}


def _bars(source: str, kind: str, size: str) -> list[float]:
    return [float(found) for found in re.findall(rf'<rect class="{kind}"[^>]* {size}="([\d.]+)"', source)]


def test_sessions_are_bars_of_energy() -> None:
    """Outline and filling have the heights of what was asked for and given, and the sum is in the title."""
    source = chart_of(SESSIONS)
    ElementTree.fromstring(source)
    asked, got = _bars(source, "ask", "height"), _bars(source, "got", "height")
    assert got[0] == pytest.approx(asked[0] / 2, rel=0.01)
    assert got[1] == pytest.approx(asked[1], rel=0.01)
    assert "15.0 of 25.0 kWh" in source
    assert "10.00 of 20.00 kWh" in source


def test_peaks_are_bars_against_their_budget() -> None:
    """Each bar is as long as its share of the budget."""
    source = chart_of(PEAKS)
    ElementTree.fromstring(source)
    first, second = _bars(source, "got", "width")
    assert second / first == pytest.approx(99.0 / 40.0, rel=0.01)
    assert "40.0 A of 80 A (rating 100 A)" in source


@pytest.mark.parametrize(
    "table", [{}, {"columns": ["a"], "rows": [["b"]]}, {**SESSIONS, "rows": []}, {**SESSIONS, "rows": [["short"]]}]
)
def test_other_tables_have_no_picture(table: dict[str, Any]) -> None:
    """Unknown columns, no rows and torn rows."""
    assert chart_of(table) == ""


@pytest.mark.parametrize(
    ("kind", "subject", "data", "said"),
    [
        ("stimulus.step", "service", {"amps": 25.0, "lines": None}, "load +25 A"),
        ("stimulus.step", "service", {"amps": 25.0, "lines": ["L1", "L2"]}, "load +25 A on L1 L2"),
        ("stimulus.ramp", "service", {"amps": 25.0, "over_s": 60.0}, "load +25 A in 60 s"),
        ("stimulus.sine", "service", {"amps": 5.0, "period_s": 20.0}, "load ±5 A every 20 s"),
        ("stimulus.inrush", "service", {"running_a": 10.0, "lines": ["L1"]}, "a motor of 10 A starts on L1"),
        ("stimulus.clear", "service", {}, "load removed"),
        ("stimulus.none", "site", {}, "observation begins"),
        ("stimulus.step", "service", {}, "step"),
        ("stimulus.new", "service", {"size_a": 3.0}, "new size 3 A"),
        ("fault.link", "A", {"how": "half-open"}, "link of A cut (half-open)"),
        ("fault.meter", "service", {"fault": "frozen"}, "meter frozen"),
        ("fault.controller", "controller", {"how": "kill"}, "controller kill"),
        ("fault.power", "A", {"off_s": 30.0}, "A without power for 30 s"),
        ("fault.gremlin", "A", {"n": 1}, "gremlin n 1"),
        ("heal.link", "A", {}, "link of A restored"),
        ("heal.controller", "controller", {"how": "resume"}, "controller resume"),
    ],
)
def test_events_are_told_in_words(kind: str, subject: str, data: dict[str, Any], said: str) -> None:
    """What the bench did reads as a person would say it; an unknown kind keeps its name and its data."""
    assert happening({"kind": kind, "subject": subject, "data": data}) == said


def test_close_ups_are_for_disturbances() -> None:
    """What disturbs nothing or takes a disturbance back gets none."""
    assert needs_no_close_up("the day begins")
    assert needs_no_close_up("load removed")
    assert needs_no_close_up("link of A restored")
    assert not needs_no_close_up("load +25 A")


def test_shared_parts_of_names_are_left_out() -> None:
    """Family and, among many, the line that all share; never so much that two become one."""
    assert short_names(["current/service/L1", "current/service/L2"]) == ["service L1", "service L2"]
    assert short_names([f"current/S{n}/L1" for n in range(MANY)]) == [f"S{n}" for n in range(MANY)]
    names = [f"current/S{n // 2}/L{n % 2}" for n in range(2 * MANY)]
    assert len(set(short_names(names))) == len(names)
