"""Records of the pilot: what an instrument makes of the wire, always the same for the same seed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilbench.errors import InputError
from hilbench.waveform import Accuracy
from hilbench_emulators.pilot import Change, Circuit, Digitiser, Evse, Load, Script, render, steady, voltage
from hilbench_emulators.pilot.illegal import ILLEGAL, illegal
from hilbench_emulators.pilot.levels import levels, outside, window_state

EXACT = Digitiser(1e6, bits=0)


def duty_pct(volts: np.ndarray, threshold: float) -> float:
    """Share of samples above a threshold, in percent: whole periods of a million samples a second."""
    return 100.0 * float(np.mean(volts > threshold))


@settings(max_examples=40, deadline=None)
@given(
    duty=st.floats(3.0, 97.0), load=st.sampled_from(["A", "B", "C", "D"]), late=st.sampled_from([0.0, 3.7, 86_400.5])
)
def test_a_steady_pilot_has_its_duty_and_its_levels(duty: float, load: Load, late: float) -> None:
    """Ten periods, at any time of the bench, show the duty cycle within a sample and both levels."""
    volts = voltage(steady(load, duty), late, 1e-6, 10_000)
    found = levels(Circuit(), load)
    assert duty_pct(volts, (found.high_v + found.low_v) / 2.0) == pytest.approx(duty, abs=0.2)
    assert (volts.max(), volts.min()) == pytest.approx((found.high_v, found.low_v), abs=0.01)


def test_a_record_does_not_depend_on_where_it_begins() -> None:
    """Two records that overlap agree where they do, also where an edge or a change lies before one of them."""
    wire = Script((Change(0.0, "B", 20.0), Change(0.0104, "C", 20.0), Change(0.0121, "C", 53.0)))
    whole = voltage(wire, 0.0, 1e-7, 200_000)
    for first in (50_000, 104_010, 121_305, 130_000):
        part = voltage(wire, first * 1e-7, 1e-7, 5_000)
        assert np.abs(part - whole[first : first + 5_000]).max() < 1e-6


def test_a_record_may_begin_within_an_edge() -> None:
    """While the source ramps, a record that begins there agrees with one that began before."""
    wire = steady("C", 40.0, Circuit(evse=Evse(rise_s=20e-6, fall_s=20e-6)))
    whole = voltage(wire, 0.0, 1e-7, 20_000)
    for first in (10_000, 10_050, 10_120, 14_060):
        part = voltage(wire, first * 1e-7, 1e-7, 500)
        assert np.abs(part - whole[first : first + 500]).max() < 1e-6


def test_a_duty_cycle_counts_from_the_next_period_on_and_a_load_at_once() -> None:
    """S2 closes in the middle of a pulse and is seen there; the new duty cycle comes with the next rise."""
    wire = Script((Change(0.0, "B", 50.0), Change(0.0022, "C", 80.0)))
    volts = voltage(wire, 0.0, 1e-6, 4000)
    assert volts[2190] == pytest.approx(8.98, abs=0.01)
    assert volts[2230] == pytest.approx(5.99, abs=0.01)
    assert volts[2600] == pytest.approx(-12.0, abs=0.01)
    assert volts[3700] == pytest.approx(5.99, abs=0.01)


@pytest.mark.parametrize(("duty", "volts"), [(100.0, 8.98), (0.0, -12.0)])
def test_steady_levels_have_no_edges(duty: float, volts: float) -> None:
    """x1 is a steady high level, F a steady low one."""
    assert voltage(steady("B", duty), 5.0, 1e-6, 5000) == pytest.approx(np.full(5000, volts), abs=0.01)


def test_pwm_begins_and_ends_on_the_grid() -> None:
    """From x1 to x2 to F: each begins with a period."""
    wire = Script((Change(0.0, "B", 100.0), Change(0.0015, "B", 50.0), Change(0.0035, "B", 0.0)))
    low = voltage(wire, 0.0, 1e-6, 6000) < 0.0
    assert not low[:2500].any()
    assert low[2510:2999].all()
    assert not low[3010:3499].any()
    assert low[3510:].all()


@pytest.mark.parametrize(("error_us", "seen_pct"), [(-28.0, 37.2), (0.0, 40.0), (25.0, 42.5)])
def test_errors_of_the_pulse_show_in_the_duty(error_us: float, seen_pct: float) -> None:
    """A pulse that is 28 us short lowers the duty cycle by 2.8 points."""
    circuit = Circuit(evse=Evse(width_error_s=error_us * 1e-6))
    assert duty_pct(voltage(steady("A", 40.0, circuit), 0.0, 1e-6, 10_000), 0.0) == pytest.approx(seen_pct, abs=0.1)


def test_the_frequency_is_the_stations_own() -> None:
    """970 Hz give 97 rises in 100 ms."""
    volts = voltage(steady("A", 40.0, Circuit(evse=Evse(frequency_hz=970.0))), -1e-5, 1e-6, 100_000)
    assert int(((volts[:-1] < 0.0) & (volts[1:] >= 0.0)).sum()) == 97


def test_edges_jitter_as_much_as_was_set() -> None:
    """The widths of 900 pulses spread by the square root of two times the jitter of an edge, around their mean."""
    circuit = Circuit(evse=Evse(c_f=1e-13, jitter_s=1e-6))
    volts = voltage(steady("A", 40.0, circuit), -1e-4, 1e-7, 9_000_000, seed=3)
    rises = np.flatnonzero((volts[:-1] < 0.0) & (volts[1:] >= 0.0))
    falls = np.flatnonzero((volts[:-1] >= 0.0) & (volts[1:] < 0.0))
    widths = (falls - rises) * 1e-7
    assert widths.std() == pytest.approx(1.414e-6, rel=0.08)
    assert widths.mean() == pytest.approx(400e-6, abs=0.2e-6)


# instruments


def test_the_same_seed_gives_the_same_record() -> None:
    """Noise, jitter of station and instrument are those of the seed; another seed gives others."""
    noisy = Digitiser(1e6, noise_v=0.1, jitter_s=1e-7)
    wire = steady("C", 40.0, Circuit(evse=Evse(jitter_s=1e-6)))
    first, again, other = (render(wire, noisy, 5000, seed=seed).values for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


@pytest.mark.parametrize(("bits", "levels_most"), [(8, 256), (12, 4096), (16, 65536)])
def test_a_converter_has_steps_and_ends(bits: int, levels_most: int) -> None:
    """All values are whole steps, and none lies beyond the range."""
    record = render(steady("A", 40.0), Digitiser(1e6, bits=bits, range_v=20.0, noise_v=0.5), 20_000)
    codes = record.values / record.lsb
    assert np.allclose(codes, np.rint(codes))
    assert len(set(codes.tolist())) <= levels_most
    assert record.values.min() == -10.0
    assert record.values.max() == pytest.approx(10.0 - record.lsb)


def test_noise_gain_and_offset_are_those_of_the_instrument() -> None:
    """A steady level shows the gain and offset in its mean, and the noise in its spread."""
    seen = render(steady("A", 100.0), Digitiser(1e6, bits=0, noise_v=0.1, gain_error=0.02, offset_v=-0.3), 100_000)
    assert seen.values.mean() == pytest.approx(12.0 * 1.02 - 0.3, abs=0.002)
    assert seen.values.std() == pytest.approx(0.1, rel=0.02)


def test_a_clock_that_runs_late_sees_more_periods() -> None:
    """With 1 % more between samples than it says, a record of 100 ms holds 101 rises."""
    record = render(steady("A", 40.0), Digitiser(1e6, bits=0, clock_error=0.01), 100_000, t0_s=-1e-5)
    high = record.values > 0.0
    assert int((~high[:-1] & high[1:]).sum()) == 101
    assert record.dt_s == pytest.approx(1e-6)


def test_jitter_of_samples_shows_at_edges_only() -> None:
    """Samples of the same edge scatter by slope times jitter; levels stay."""
    still = render(steady("A", 40.0), EXACT, 20_000).values
    moved = render(steady("A", 40.0), Digitiser(1e6, bits=0, jitter_s=2e-7), 20_000, seed=5).values
    settled = np.abs(np.abs(still) - 12.0) < 1e-9
    assert np.abs(moved - still)[settled & np.roll(settled, 1) & np.roll(settled, -1)].max() < 1e-3
    assert np.abs(moved - still)[~settled].max() > 0.1


def test_instruments_of_a_kind_differ_as_their_data_sheet_says() -> None:
    """Errors drawn for a thousand instruments have the stated standard uncertainties; the record carries them."""
    kind = Digitiser(accuracy=Accuracy(gain=0.01, offset=0.05, clock=20e-6))
    drawn = [kind.drawn(seed) for seed in range(1000)]
    assert np.std([one.gain_error for one in drawn]) == pytest.approx(0.01, rel=0.08)
    assert np.std([one.offset_v for one in drawn]) == pytest.approx(0.05, rel=0.08)
    assert np.std([one.clock_error for one in drawn]) == pytest.approx(20e-6, rel=0.08)
    assert render(steady("A", 40.0), drawn[0], 10).accuracy == kind.accuracy


@pytest.mark.parametrize(
    "values", [{"rate_hz": 0.0}, {"bits": 30}, {"range_v": -1.0}, {"noise_v": -0.1}, {"clock_error": -1.0}]
)
def test_an_instrument_that_cannot_be_is_refused(values: dict[str, float]) -> None:
    """No rate, no range, too many bits, negative noise."""
    with pytest.raises(InputError):
        Digitiser(**values)  # type: ignore[arg-type]


def test_a_record_of_one_sample_is_refused() -> None:
    """A clear error, no record."""
    with pytest.raises(InputError, match="two samples"):
        render(steady("A", 40.0), EXACT, 1)


# illegal circuits


def test_there_are_at_least_twenty_illegal_circuits() -> None:
    """Each by its own name; an unknown name lists them."""
    assert len(ILLEGAL) >= 20
    with pytest.raises(InputError, match="diode-shorted-c"):
        illegal("diode")


@pytest.mark.parametrize("name", ILLEGAL)
def test_an_illegal_circuit_renders_and_breaks_what_it_says(name: str) -> None:
    """It gives a record, and what it breaks is found on its parts, its levels or its duty cycle."""
    case = ILLEGAL[name]
    record = render(case.wire(), Digitiser(1e6, noise_v=0.02), 10_000, seed=1)
    assert np.isfinite(record.values).all()
    assert np.abs(record.values).max() < 14.0
    if case.breaks == "duty":
        assert case.duty_pct < 3.0 or 7.0 < case.duty_pct < 8.0 or case.duty_pct > 97.0
    elif case.breaks == "level":
        assert window_state(levels(case.circuit, case.load).high_v) in ("E", None)
    else:
        assert case.breaks in outside(case.circuit)


@pytest.mark.parametrize(
    ("name", "high_v", "low_v"),
    [
        ("diode-shorted-b", 8.79, -8.79),
        ("diode-shorted-c", 5.62, -5.62),
        ("diode-open", 12.0, -12.0),
        ("diode-reversed", 12.0, -8.98),
        ("between-a-and-b", 10.49, -12.0),
        ("between-b-and-c", 7.48, -12.0),
        ("between-c-and-d", 4.36, -12.0),
        ("cp-pe-80-ohm", 0.874, -0.889),
        ("cp-pe-leak", 9.0, -9.0),
        ("no-negative-rail", 8.98, 0.0),
    ],
)
def test_illegal_levels_are_those_of_the_divider(name: str, high_v: float, low_v: float) -> None:
    """What a probe sees of a fault, computed by hand."""
    volts = render(illegal(name).wire(), EXACT, 10_000).values
    assert (volts.max(), volts.min()) == pytest.approx((high_v, low_v), abs=0.015)
