"""Pilot records whose circuit, duty and instrument are known: what is measured is what was there, within U."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilbench.errors import InputError
from hilbench.metrics.pilot import Mode, Pilot, Reading, measure
from hilbench.waveform import Accuracy, Waveform
from tests.pilot_waves import (
    LOAD_OHM,
    Circuit,
    Scope,
    bound_pct,
    crossing_shift_s,
    illegal_circuits,
    legal_circuit,
    pwm,
)


def record(
    duty: float, circuit: Circuit, scope: Scope, hz: float = 1000.0, begin_s: float = -3.3e-4, seed: int = 1
) -> Waveform:
    """A record of the circuit at that duty."""
    jumps = pwm(duty, scope.duration_s, hz=hz, begin_s=begin_s, circuit=circuit)
    return scope.take(jumps, circuit, np.random.default_rng(seed))


def half_way(duty: float, circuit: Circuit, hz: float = 1000.0, level_v: float | None = None) -> float:
    """The duty that there is at a level, half way unless told."""
    level = (circuit.high_v + circuit.low_v) / 2.0 if level_v is None else level_v
    return duty + 100.0 * hz * crossing_shift_s(circuit, level)


def off(reading: Reading, truth: float) -> float:
    """Error in units of U: about one in twenty is above 1, one in 16000 above 2."""
    return abs(reading.value - truth) / reading.uncertainty


def assert_told(found: Pilot, duty: float, circuit: Circuit, hz: float = 1000.0, most: float = 2.3) -> None:
    """Every reading of a wave holds the truth within ``most`` times U."""
    assert found.pwm
    assert off(found.duty_pct, half_way(duty, circuit, hz)) < most
    assert off(found.source_duty_pct, duty) < most
    assert off(found.frequency_hz, hz) < most
    assert off(found.high_v, circuit.high_v) < most
    assert off(found.low_v, circuit.low_v) < most


@pytest.mark.parametrize("state", "ABCD")
@pytest.mark.parametrize("mode", ["careful", "fast"])
def test_each_state_is_told_with_its_wave(state: str, mode: Mode) -> None:
    """State, duty, frequency and levels of A2 to D2 in both modes."""
    circuit = Circuit(LOAD_OHM[state])
    found = measure(record(26.6, circuit, Scope()), mode)
    assert found.state == f"{state}2"
    assert_told(found, 26.6, circuit)
    assert found.current_a.value == pytest.approx(0.6 * found.duty_pct.value)
    assert found.steady
    assert found.notes == ()


def test_the_spread_is_close_to_the_bound_and_there_is_no_bias() -> None:
    """1 MS/s, 12 bit, 100 mV, 10 ms: 60 records spread at most 1.5 times the bound, their mean is off by less than
    0.0004 points."""
    circuit, scope, rng = Circuit(), Scope(), np.random.default_rng(4)
    error = []
    for _ in range(60):
        duty, begin_s = rng.uniform(10, 90), -rng.uniform(0, 1e-3)
        jumps = pwm(duty, scope.duration_s, begin_s=begin_s, circuit=circuit)
        error.append(measure(scope.take(jumps, circuit, rng)).duty_pct.value - half_way(duty, circuit))
    assert np.std(error) < 1.5 * bound_pct(circuit, 0.1, 1e6, 10.0)
    assert abs(np.mean(error)) < 0.0004


@pytest.mark.parametrize("duration_s", [2.5e-3, 3.21e-3, 10.5e-3, 50.5e-3])
@pytest.mark.parametrize("mode", ["careful", "fast"])
def test_records_need_not_be_whole_periods(duration_s: float, mode: Mode) -> None:
    """The part of a period at the end of a record moves nothing: the error stays within 0.006 points."""
    found = measure(record(30.0, Circuit(), Scope(duration_s=duration_s)), mode)
    assert_told(found, 30.0, Circuit())
    assert found.duty_pct.value == pytest.approx(half_way(30.0, Circuit()), abs=0.006)


@pytest.mark.parametrize("noise_v", [0.0, 0.005, 0.02, 0.1])
def test_eight_bits_are_enough(noise_v: float) -> None:
    """Steps of 0.16 V, dithered by noise or not: duty within 0.006 points, levels within their U."""
    found = measure(record(40.0, Circuit(), Scope(bits=8, noise_v=noise_v)))
    assert_told(found, 40.0, Circuit())
    assert found.duty_pct.value == pytest.approx(half_way(40.0, Circuit()), abs=0.006)


@pytest.mark.parametrize("hz", [1000.0, 1000.37])
@pytest.mark.parametrize("mode", ["careful", "fast"])
def test_a_slow_record_is_told_with_a_wide_uncertainty(hz: float, mode: Mode) -> None:
    """100 kS/s x 100 ms, with 10 us between samples and edges of 3 us: within 0.15 points and within U; the samples
    that wander through the period tell 50 times more than those that stand still in it."""
    found = measure(record(33.3, Circuit(), Scope(rate_hz=1e5, duration_s=0.1), hz=hz), mode)
    assert found.way == "sparse"
    assert_told(found, 33.3, Circuit(), hz)
    assert found.duty_pct.value == pytest.approx(half_way(33.3, Circuit(), hz), abs=0.15 if hz == 1000.0 else 0.004)


@settings(deadline=None, max_examples=60, derandomize=True)  # whether a truth lies within U is a matter of chance
@given(
    seed=st.integers(0, 10_000),
    duty=st.floats(5, 95),
    hz=st.floats(980, 1020),
    rate_hz=st.sampled_from([1e6, 2e6, 5e6]),
    bits=st.sampled_from([8, 10, 12]),
    mode=st.sampled_from(["careful", "fast"]),
)
def test_what_was_rendered_is_measured(
    seed: int, duty: float, hz: float, rate_hz: float, bits: int, mode: Mode
) -> None:
    """Any legal circuit, duty, frequency, rate and resolution: every truth lies within 2.8 U."""
    rng = np.random.default_rng(seed)
    circuit, scope = legal_circuit(rng), Scope(rate_hz=rate_hz, duration_s=rng.uniform(3e-3, 8e-3), bits=bits)
    found = measure(record(duty, circuit, scope, hz, -rng.uniform(0, 1e-3), seed), mode)
    assert_told(found, duty, circuit, hz, most=2.8)


@pytest.mark.parametrize("number", range(20))
def test_illegal_circuits_are_measured_as_they_are(number: int) -> None:
    """No diode, weak rails, wrong resistors, too much capacitance: what is there is told, not what should be."""
    circuit = illegal_circuits()[number]
    assert_told(measure(record(45.0, circuit, Scope())), 45.0, circuit)


def test_there_are_twenty_illegal_circuits() -> None:
    """All of them differ."""
    assert len(set(illegal_circuits())) == 20


def test_the_uncertainty_is_honest() -> None:
    """150 records with errors of gain, offset, clock and jitter: each truth is within U in 89 to 100 % of them."""
    rng, known = np.random.default_rng(11), Accuracy(gain=0.005, offset=0.02, clock=2e-5)
    inside: dict[str, list[bool]] = {}
    for _ in range(150):
        circuit, duty = legal_circuit(rng), rng.uniform(5, 95)
        gain, offset, clock = rng.standard_normal(3) * (known.gain, known.offset, known.clock)
        scope = Scope(gain=1 + gain, offset_v=offset, clock=1 + clock, accuracy=known, duration_s=8e-3)
        jitter = 30e-9 * rng.standard_normal((2, 20))
        jumps = pwm(duty, 9e-3, begin_s=-rng.uniform(0, 1e-3), circuit=circuit, jitter=jitter[0], rise_jitter=jitter[1])
        found = measure(scope.take(jumps, circuit, rng))
        truths = {
            "duty": (found.duty_pct, half_way(duty, circuit)),
            "source": (found.source_duty_pct, duty),
            "frequency": (found.frequency_hz, 1000.0),
            "high": (found.high_v, circuit.high_v),
            "low": (found.low_v, circuit.low_v),
            "tau": (found.tau_s, circuit.r1_ohm * circuit.farad),
        }
        for name, (reading, truth) in truths.items():
            inside.setdefault(name, []).append(off(reading, truth) <= 1.0)
    shares = {name: float(np.mean(held)) for name, held in inside.items()}
    assert all(0.89 <= share <= 1.0 for share in shares.values()), shares


@pytest.mark.parametrize("level_v", [-9.0, -3.0, 0.0, 3.0])
def test_the_threshold_is_where_the_duty_is_taken(level_v: float) -> None:
    """Capacitance moves the duty at 0 V by -0.1 points and at the middle by +0.05: each is told, and the source's."""
    circuit = Circuit()
    found = measure(record(50.0, circuit, Scope()), threshold_v=level_v)
    assert found.threshold_v == level_v
    assert off(found.duty_pct, half_way(50.0, circuit, level_v=level_v)) < 2.0
    assert found.rc_duty_pct == pytest.approx(100 * 1000 * crossing_shift_s(circuit, level_v), abs=0.003)


def test_edges_have_their_times() -> None:
    """Rise and fall from 10 to 90 % of a pin in state A are 2.2 time constants."""
    circuit = Circuit(LOAD_OHM["A"])
    found = measure(record(50.0, circuit, Scope()))
    assert found.rise_s.value == pytest.approx(math.log(9) * 3.1e-6, rel=0.02)
    assert found.fall_s.value == pytest.approx(math.log(9) * 3.1e-6, rel=0.02)
    assert off(found.tau_s, 3.1e-6) < 2.0


def test_jitter_is_told_apart_from_noise() -> None:
    """100 ns on every edge are found as 100 ns, none as less than 10 ns."""
    rng, circuit, scope = np.random.default_rng(2), Circuit(), Scope(duration_s=50e-3)
    shifts = 1e-7 * rng.standard_normal((2, 60))
    jumps = pwm(30.0, 51e-3, begin_s=-1e-4, circuit=circuit, jitter=shifts[0], rise_jitter=shifts[1])
    assert measure(scope.take(jumps, circuit, rng)).jitter_s == pytest.approx(1e-7, rel=0.25)
    assert measure(record(30.0, circuit, scope)).jitter_s < 1e-8


@pytest.mark.parametrize(
    ("level_v", "state"), [(12.0, "A1"), (9.0, "B1"), (6.0, "C1"), (3.0, "D1"), (0.0, "E"), (-12.0, "F")]
)
@pytest.mark.parametrize("mode", ["careful", "fast"])
def test_a_still_level_is_a_state_without_wave(level_v: float, state: str, mode: Mode) -> None:
    """Without edges there is a state and no duty, and nothing may be drawn."""
    values = level_v + 0.1 * np.random.default_rng(1).standard_normal(5000)
    found = measure(Waveform(values, 1e-6), mode)
    assert (found.state, found.pwm, found.current_a.value) == (state, False, 0.0)
    assert math.isnan(found.duty_pct.value)
    assert off(found.high_v, level_v) < 2.5


def test_one_edge_is_too_little() -> None:
    """A record with a single edge says so and claims no current."""
    found = measure(Waveform(np.repeat([12.0, -12.0], 300), 1e-6))
    assert (found.pwm, found.steady) == (False, False)
    assert math.isnan(found.current_a.value)
    assert "no wave of three whole edges" in found.notes[0]


@pytest.mark.parametrize("rate_hz", [1e6, 2.5e5])
@pytest.mark.parametrize("duty", [3.5, 96.5])
@pytest.mark.parametrize("mode", ["careful", "fast"])
def test_short_pulses_of_a_long_record_are_found(rate_hz: float, duty: float, mode: Mode) -> None:
    """Half a second of pulses of 35 us, whose period is a whole number of samples."""
    found = measure(record(duty, Circuit(), Scope(rate_hz=rate_hz, duration_s=0.5)), mode)
    assert found.state == "C2"
    assert_told(found, duty, Circuit())


def test_a_change_within_the_record_is_not_steady() -> None:
    """A record over a change of state or duty is marked, for its mean is neither."""
    values = np.concatenate(
        [record(30.0, Circuit(LOAD_OHM[state]), Scope(duration_s=5e-3)).values for state in ("B", "C")]
    )
    assert not measure(Waveform(values, 1e-6)).steady
    values = np.concatenate([record(duty, Circuit(), Scope(duration_s=5e-3)).values for duty in (30.0, 31.0)])
    assert not measure(Waveform(values, 1e-6)).steady


def test_an_offer_near_an_edge_of_the_table_is_as_unsure_as_the_table_is_steep() -> None:
    """8 % +- 0.1 may mean 6 A or nothing; 50 % +- 0.1 is 30 A +- 0.06."""
    from hilbench.metrics.pilot import offer
    from hilbench.metrics.pilot_table import duty_table

    rules = duty_table("iec2017")
    assert offer(Reading(8.05, 0.1), rules) == Reading(6.0, 6.0)
    assert offer(Reading(50.0, 0.1), rules).uncertainty == pytest.approx(0.06, abs=1e-6)
    assert offer(Reading(96.9, 0.2), rules).uncertainty == 80.0


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_samples_that_are_no_numbers_are_refused(bad: float) -> None:
    """The error counts them and names the first."""
    whole = record(30.0, Circuit(), Scope())
    values = whole.values.copy()
    values[[17, 900]] = bad
    with pytest.raises(InputError, match="2 samples are no numbers, the first is sample 17"):
        measure(replace(whole, values=values))


def test_a_record_of_amperes_is_refused() -> None:
    """A pilot is a voltage."""
    with pytest.raises(InputError, match="measured in V"):
        measure(Waveform(np.zeros(10), 1e-6, unit="A"))


def test_the_same_record_gives_the_same_result() -> None:
    """Also where the result is drawn from an ensemble."""
    slow = record(33.3, Circuit(), Scope(rate_hz=1e5, duration_s=0.1))
    assert measure(slow) == measure(slow)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(-15, 15), min_size=2, max_size=200), st.sampled_from(["careful", "fast"]), st.booleans())
def test_any_numbers_are_measured_without_a_traceback(values: list[float], mode: Mode, repeated: bool) -> None:
    """Records that are no pilot give some result, never an exception."""
    data = np.repeat(values, 40) if repeated else np.array(values)
    assert measure(Waveform(data, 1e-6), mode).state[0] in "ABCDEF"
