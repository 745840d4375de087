"""The pilot as a circuit: levels, tolerances, windows, and edges against an integration that knows no closed form."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilbench.errors import InputError
from hilbench_emulators.pilot import Cable, Circuit, Ev, Evse, Load, steady, voltage
from hilbench_emulators.pilot.circuit import Diode, node_of
from hilbench_emulators.pilot.course import Source, course
from hilbench_emulators.pilot.levels import (
    EVSE_AND_CABLE,
    IEC_FREQUENCY,
    IEC_WIDTH,
    LOW_SIDE,
    PARAMETERS,
    THRESHOLDS_V,
    WINDOWS,
    corners,
    levels,
    outside,
    window_state,
    with_parameters,
)
from hilbench_emulators.pilot.rows import Row

LOADS: tuple[Load, ...] = ("A", "B", "C", "D")
ALL_WINDOWS = [
    ("corner", "A", 11.40, 12.60),
    ("corner", "B", 8.369, 9.595),
    ("corner", "C", 5.472, 6.532),
    ("corner", "D", 2.589, 3.282),
    ("corner", "E", -1.0, 1.0),
    ("corner", "F", -12.60, -11.40),
    ("openevse", "A", 11.40, 12.60),
    ("openevse", "B", 8.36, 9.56),
    ("openevse", "C", 5.48, 6.49),
    ("openevse", "D", 2.62, 3.25),
    ("openevse", "F", -12.60, -11.40),
    ("iec", "A", 11.0, 13.0),
    ("iec", "B", 8.0, 10.0),
    ("iec", "C", 5.0, 7.0),
    ("iec", "D", 2.0, 4.0),
    ("iec", "F", -13.0, -11.0),
]
PARTS = {
    "evse.high_v": (11.4, 12.6),
    "evse.low_v": (-12.6, -11.4),
    "evse.r1_ohm": (970.0, 1030.0),
    "evse.c_f": (300e-12, 1600e-12),
    "evse.rise_s": (0.0, 2e-6),
    "evse.fall_s": (0.0, 2e-6),
    "evse.frequency_hz": (980.0, 1020.0),
    "evse.width_error_s": (-25e-6, 25e-6),
    "cable.c_f": (0.0, 1500e-12),
    "ev.c_f": (0.0, 2400e-12),
    "ev.diode_v": (0.55, 0.85),
    "ev.r2_ohm": (2657.8, 2822.2),
    "ev.r3_ohm": (1261.0, 1339.0),
    "ev.r3_ventilated_ohm": (261.9, 278.1),
}


def just_inside_and_outside(row: Row) -> list[tuple[float, bool]]:
    """Both edges of a row: on the edge it holds, a millionth beyond it does not."""
    step = 1e-6 * max(abs(edge) for edge in row.edges())
    pairs = [(row.low, row.low - step)] if math.isfinite(row.low) else []
    pairs += [(row.high, row.high + step)] if math.isfinite(row.high) else []
    return [case for edge, beyond in pairs for case in ((edge, True), (beyond, False))]


@pytest.mark.parametrize(("load", "volts"), [("A", 12.0), ("B", 8.98), ("C", 6.00), ("D", 2.93), ("E", 0.0)])
def test_nominal_parts_give_the_nominal_levels(load: Load, volts: float) -> None:
    """12, 9, 6, 3 and 0 V with -12 V below, which the diode keeps but for a short."""
    found = levels(Circuit(), load)
    assert found.high_v == pytest.approx(volts, abs=0.006)
    assert found.low_v == pytest.approx(0.0 if load == "E" else -12.0, abs=0.006)


@pytest.mark.parametrize("load", LOADS)
def test_the_corners_of_the_tolerances_are_the_edges_of_the_windows(load: Load) -> None:
    """Every legal corner lies in its window, and the extreme ones touch its edges within a millivolt."""
    row = WINDOWS["corner"][load]
    highs = [levels(circuit, load).high_v for circuit in corners(load)]
    assert all(row.holds(volts) for volts in highs)
    assert (min(highs), max(highs)) == pytest.approx(row.edges(), abs=1e-3)


@pytest.mark.parametrize(("windows", "state", "low_v", "high_v"), ALL_WINDOWS)
def test_a_window_ends_at_its_edges(windows: str, state: str, low_v: float, high_v: float) -> None:
    """On either edge a level is in the state, a millionth beyond it is in none or another."""
    assert WINDOWS[windows][state].edges() == (low_v, high_v)
    for volts, holds in just_inside_and_outside(WINDOWS[windows][state]):
        assert (window_state(volts, windows) == state) is holds


def test_no_window_and_no_part_is_without_a_test() -> None:
    """The tables have the rows that are tested here, and no other."""
    assert [case[:2] for case in ALL_WINDOWS] == [(name, state) for name, table in WINDOWS.items() for state in table]
    assert list(PARTS) == list(PARAMETERS)


@pytest.mark.parametrize("windows", WINDOWS)
def test_the_low_side_ends_at_its_edges(windows: str) -> None:
    """The low side of x2 is in the window of state F, both ends included."""
    for volts, holds in just_inside_and_outside(LOW_SIDE[windows]):
        assert LOW_SIDE[windows].holds(volts) is holds


@pytest.mark.parametrize(("pair", "volts"), THRESHOLDS_V.items())
def test_fixed_thresholds_are_the_middle_of_the_gaps(pair: str, volts: float) -> None:
    """A/B, B/C and C/D are told apart best half-way between the windows."""
    upper, lower = (WINDOWS["corner"][name] for name in pair.split("/"))
    assert volts == pytest.approx((upper.low + lower.high) / 2.0, abs=0.006)


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_parameter_is_legal_up_to_its_edges(name: str) -> None:
    """A circuit with the edge of a row is legal, with a millionth more the row is named."""
    assert PARAMETERS[name].edges() == pytest.approx(PARTS[name])
    for value, legal in just_inside_and_outside(PARAMETERS[name]):
        if value < 0.0 and PARAMETERS[name].low == 0.0:
            continue  # no circuit has it: see the test of nonsense
        assert outside(with_parameters({name: value})) == ([] if legal else [name])


@pytest.mark.parametrize(
    ("row", "edges"), [(IEC_FREQUENCY, (995.0, 1005.0)), (IEC_WIDTH, (-5e-6, 5e-6))], ids=("frequency", "width")
)
def test_the_closer_rows_of_iec_end_at_their_edges(row: Row, edges: tuple[float, float]) -> None:
    """IEC allows less of frequency and pulse width than SAE."""
    assert row.edges() == edges
    for value, legal in just_inside_and_outside(row):
        circuit = with_parameters({row.name: value})
        assert outside(circuit, iec=True) == ([] if legal else [row.name])
        assert outside(circuit) == []


def test_the_capacities_of_station_and_cable_count_together() -> None:
    """3.1 nF in all is legal, a part more is not, though each is legal for itself."""
    both = Circuit(evse=Evse(c_f=1600e-12), cable=Cable(c_f=1500e-12))
    assert outside(both) == []
    more = Circuit(evse=Evse(c_f=1600e-12), cable=Cable(c_f=1500.01e-12))
    assert EVSE_AND_CABLE.name in outside(more)


@pytest.mark.parametrize(
    ("part", "values"),
    [
        ("evse", {"r1_ohm": 0.0}),
        ("evse", {"c_f": 0.0}),
        ("evse", {"frequency_hz": -1.0}),
        ("evse", {"rise_s": math.inf}),
        ("cable", {"short_ohm": 0.0}),
        ("ev", {"r2_ohm": math.nan}),
        ("ev", {"c_f": -1e-12}),
    ],
)
def test_nonsense_is_refused_by_name(part: str, values: dict[str, float]) -> None:
    """Parts that cannot be give an error that names them."""
    parts = {"evse": Evse(), "cable": Cable(), "ev": Ev()}
    with pytest.raises(InputError, match=f"{part}.{next(iter(values))}"):
        Circuit(**{**parts, part: replace(parts[part], **values)})  # type: ignore[arg-type,type-var]


def test_an_unknown_parameter_or_window_is_answered_with_those_there_are() -> None:
    """Wrong names list the right ones."""
    with pytest.raises(InputError, match=r"evse\.high_v"):
        with_parameters({"evse.voltage": 12.0})
    with pytest.raises(InputError, match="corner, openevse, iec"):
        window_state(9.0, "mine")


# edges


def _crossings_us(load: Load, capacity_f: float, at_mid: bool) -> float:
    """How much longer than 500 us the pulse is at 0 V or at mid-level, found on samples a nanosecond apart."""
    circuit = Circuit().with_capacity(capacity_f)
    found = levels(circuit, load)
    threshold = (found.high_v + found.low_v) / 2.0 if at_mid else 0.0
    volts = voltage(steady(load, 50.0, circuit), -50e-6, 2e-9, 320_000)
    return (_cross(volts, threshold) - _start(volts, threshold)) * 2e-3 - 500.0


def _start(volts: np.ndarray, threshold: float) -> float:
    index = int(np.flatnonzero((volts[:-1] < threshold) & (volts[1:] >= threshold))[0])
    return index + float((threshold - volts[index]) / (volts[index + 1] - volts[index]))


def _cross(volts: np.ndarray, threshold: float) -> float:
    index = int(np.flatnonzero((volts[:-1] >= threshold) & (volts[1:] < threshold))[0])
    return index + float((threshold - volts[index]) / (volts[index + 1] - volts[index]))


@pytest.mark.parametrize(
    ("load", "capacity_nf", "at_zero_us", "at_mid_us"),
    [
        ("A", 5.5, 0.0, 0.0),
        ("B", 1.8, -0.31, 0.15),
        ("B", 3.1, -0.53, 0.26),
        ("B", 5.5, -0.94, 0.46),
        ("C", 1.8, -0.61, 0.31),
        ("C", 3.1, -1.05, 0.54),
        ("C", 5.5, -1.86, 0.95),
        ("D", 1.8, -0.92, 0.51),
        ("D", 3.1, -1.58, 0.88),
        ("D", 5.5, -2.81, 1.56),
    ],
)
def test_loads_shift_the_pulse_as_was_computed_before(
    load: Load, capacity_nf: float, at_zero_us: float, at_mid_us: float
) -> None:
    """Resistors and capacities move the crossings of a pulse by the microseconds of the table of the reference."""
    assert _crossings_us(load, capacity_nf * 1e-9, at_mid=False) == pytest.approx(at_zero_us, abs=0.006)
    assert _crossings_us(load, capacity_nf * 1e-9, at_mid=True) == pytest.approx(at_mid_us, abs=0.006)


def _integrated(circuit: Circuit, load: Load, source: Source, volts: float, until: float) -> list[float]:
    """The node by small steps of its equation."""
    node, evse = node_of(circuit, load), circuit.evse
    steps = 20_000
    dt, found = until / steps, [volts]
    for k in range(steps):
        supply = source.after((k + 0.5) * dt).volts
        on = node.branch_s and (node.side == 0 or (volts - node.knee_v) * node.side > 0.0)
        branch = node.branch_s * (volts - node.knee_v) if on else 0.0
        volts += dt * ((supply - volts) / evse.r1_ohm - node.leak_s * volts - branch) / node.c_f
        found.append(volts)
    return found


@settings(max_examples=25, deadline=None)
@given(
    load=st.sampled_from(LOADS),
    diode=st.sampled_from(["fitted", "shorted", "open", "reversed"]),
    volts=st.floats(-13.0, 13.0),
    supply=st.floats(-12.0, 12.0),
    target=st.sampled_from([-12.0, 0.0, 12.0]),
    ramp_us=st.sampled_from([0.0, 0.5, 2.5, 25.0]),
    leak_ohm=st.sampled_from([math.inf, 3000.0]),
)
def test_the_closed_form_is_the_equation(
    load: Load, diode: Diode, volts: float, supply: float, target: float, ramp_us: float, leak_ohm: float
) -> None:
    """From any voltage, with any diode and edge, the pieces follow the integrated equation of the node."""
    circuit = Circuit(cable=Cable(short_ohm=leak_ohm), ev=Ev(diode=diode))
    source = Source(supply if ramp_us else target, target, ramp_us * 1e-6)
    until = 30e-6
    pieces = course(node_of(circuit, load), source, volts)
    stepped = _integrated(circuit, load, source, volts, until)
    for k in range(0, 20_001, 500):
        x = k * until / 20_000
        piece = next(p for p in reversed(pieces) if p.start_s <= x)
        assert piece.at(x - piece.start_s) == pytest.approx(stepped[k], abs=0.02)


def test_pieces_join() -> None:
    """Where one piece ends the next begins with the same voltage, at the knee with 0.7 V."""
    pieces = course(node_of(Circuit(), "C"), Source(12.0, -12.0, 2.5e-6), 6.0)
    assert len(pieces) >= 3
    for first, second in pairwise(pieces):
        assert first.at(second.start_s - first.start_s) == pytest.approx(second.at(0.0), abs=1e-9)
    assert any(piece.at(0.0) == pytest.approx(0.7, abs=1e-9) for piece in pieces[1:])


def test_rising_takes_a_charge_time_of_the_loaded_pin() -> None:
    """With 3.1 nF a pin in state C takes 3.66 us up and 6.73 us down from 10 to 90 %: two time constants each way.

    By hand: up 3.1 us ln(22.2/11.3) + 1.453 us ln(5.3/1.8), down 1.453 us ln(9.45/5.95) + 3.1 us ln(12.7/1.8).
    """
    volts = voltage(steady("C", 50.0, Circuit().with_capacity(3.1e-9)), -50e-6, 1e-9, 700_000)
    found = levels(Circuit(), "C")
    low, high = (found.low_v + share * (found.high_v - found.low_v) for share in (0.1, 0.9))
    assert (_start(volts, high) - _start(volts, low)) * 1e-3 == pytest.approx(3.66, abs=0.01)
    assert (_cross(volts, low) - _cross(volts, high)) * 1e-3 == pytest.approx(6.73, abs=0.01)


def test_a_sources_edge_takes_its_time() -> None:
    """Without a load and with next to no capacity the edge takes the 10 to 90 % time that was set."""
    circuit = Circuit(evse=Evse(c_f=1e-14, rise_s=2e-6, fall_s=4e-6))
    volts = voltage(steady("A", 50.0, circuit), -50e-6, 1e-9, 700_000)
    assert (_start(volts, 9.6) - _start(volts, -9.6)) * 1e-3 == pytest.approx(2.0, abs=0.01)
    assert (_cross(volts, -9.6) - _cross(volts, 9.6)) * 1e-3 == pytest.approx(4.0, abs=0.01)
