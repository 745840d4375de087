"""Pilots as the emulated wire renders them: what was rendered is measured, and the uncertainty is honest about it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benches.pilot_rendered import LOADS, WAVES, Case, illegal, legal, readings
from hilbench.metrics.pilot import Mode, measure
from hilbench.metrics.pilot_codes import resolved
from hilbench.metrics.pilot_edges import Edges, Level, unseen
from hilbench.metrics.pilot_shape import Shape
from hilbench.metrics.pilot_train import train
from hilbench.waveform import Waveform
from hilbench_emulators.pilot import Circuit, Digitiser, Evse, render, steady, voltage
from hilbench_emulators.pilot.circuit import Load, node_of


def off(case: Case, mode: Mode = "careful") -> dict[str, float]:
    """Errors in units of U: one in twenty is above 1."""
    shown = readings(measure(case.record(), mode))
    return {name: abs(shown[name].value - truth) / shown[name].uncertainty for name, truth in case.truths().items()}


def test_the_uncertainty_covers_random_records_of_the_renderer() -> None:
    """40 seeded records at 1 and 2 MS/s: nine in ten truths or more lie within U, and errors are not much smaller."""
    table = [off(legal(seed, (1e6, 2e6))) for seed in range(40)]
    for name in table[0]:
        errors = np.array([row[name] for row in table])
        assert np.mean(errors <= 1.0) >= 0.89, name
        assert np.mean(errors <= 1.0 / 3.0) <= 0.85, name


def test_the_uncertainty_covers_records_whose_edges_fall_between_samples() -> None:
    """8 seeded records at 100 to 250 kS/s: at most one truth in eight lies outside U, none outside 3 U."""
    errors = np.array([list(off(legal(seed, (1e5, 2e5, 2.5e5))).values()) for seed in range(8)])
    assert np.mean(errors <= 1.0) >= 0.87
    assert errors.max() < 3.0


@pytest.mark.parametrize("name", WAVES)
def test_every_illegal_circuit_with_a_wave_is_measured_as_it_is(name: str) -> None:
    """Weak rails, wrong parts, no diode, 20 us edges, 2 % of duty: every truth lies within 2.3 U."""
    assert max(off(illegal(name)).values()) < 2.3


@pytest.mark.parametrize("name", ["slow-edges", "cp-pe-80-ohm"])
def test_edges_far_from_those_of_a_pilot_are_measured_whatever_the_noise(name: str) -> None:
    """A source of 20 us and a wave of 0.9 V, four records with other noise each: the duty lies within 1.5 U."""
    assert max(off(illegal(name, seed))["duty"] for seed in (2, 3, 8, 16)) < 1.5


def test_a_search_that_ends_far_from_the_samples_is_begun_again() -> None:
    """250 kS/s in step with the wave, 14 bits, 5 mV: the first places lead to 72 times the noise, others do not."""
    case = legal(62468)
    found = measure(case.record())
    assert not found.notes
    assert off(case)["duty"] < 1.0


def test_a_pulse_of_six_samples_has_a_level() -> None:
    """Pulses of 60 us at 100 kS/s in step with it, one sample of each at rest: a wave, its truths within 1.5 U."""
    case = legal(20642)
    assert measure(case.record()).pwm
    assert max(off(case).values()) < 1.5


def test_jitter_of_few_edges_is_as_unsure_as_it_is() -> None:
    """400 trains of four pulses with jitter of 0 to 200 ns: the duty lies within U in 92 to 99 % of them."""
    rng, inside = np.random.default_rng(1), []
    starts = np.arange(4) * 1e-3
    for _ in range(400):
        jitter_s, own = rng.uniform(0.0, 200e-9), np.full(4, 20e-9)
        rises, falls = (begin + np.hypot(jitter_s, own) * rng.standard_normal(4) for begin in (starts, starts + 4e-4))
        found = train(1e-3 + rises, 1e-3 + falls, own, own)
        inside.append(abs(found.duty_pct - 40.0) <= 2.0 * found.duty_u_pct)
    assert 0.92 <= np.mean(inside) <= 0.99


@pytest.mark.parametrize("count", [9, 64, 1003])
def test_every_short_pulse_is_seen_wherever_it_lies(count: int) -> None:
    """Random samples on both sides of a level: each pair of turns is a pulse, as a plain look at all samples says."""
    values = np.random.default_rng(count).standard_normal(count)
    turns = np.flatnonzero(np.diff(values > 0.0)) + 1
    found = unseen(Waveform(values, 1.0), Edges(0.0, np.empty(0), True))
    assert found.ravel().tolist() == turns[: len(turns) // 2 * 2].tolist()


def test_at_least_twenty_illegal_circuits_have_a_wave() -> None:
    """All of them are measured above."""
    assert len(WAVES) >= 20


@settings(max_examples=12, deadline=None, derandomize=True)  # whether a truth lies within U is a matter of chance
@given(seed=st.integers(0, 100_000))
def test_what_was_rendered_is_measured(seed: int) -> None:
    """Any legal circuit and instrument at 1 or 2 MS/s: every truth lies within 3 U."""
    assert max(off(legal(seed, (1e6, 2e6))).values()) < 3.0


@pytest.mark.parametrize("load", LOADS)
@pytest.mark.parametrize("ramps_s", [(0.0, 0.0), (2e-6, 0.5e-6), (20e-6, 20e-6)])
def test_the_shape_of_an_edge_is_that_of_the_wire(load: Load, ramps_s: tuple[float, float]) -> None:
    """Sources that jump or take their time: both edges agree with the wire within a microvolt."""
    circuit = Circuit(evse=Evse(rise_s=ramps_s[0], fall_s=ramps_s[1]))
    node = node_of(circuit, load)
    ratio = node.share(True) / node.share(False)
    rise_s, fall_s = (seconds / 0.8 for seconds in ramps_s)
    levels = node.steady_v(12.0), node.steady_v(-12.0)
    shape = Shape(*levels, node.tau_s(False), ratio, rise_ramp_s=rise_s, fall_ramp_s=fall_s)
    wire, x = steady(load, 40.0, circuit), np.arange(8000, dtype=np.float64) * 1e-8 - 5e-6
    for edge, begin_s in ((shape.rise, 1.0), (shape.fall, 1.0004)):
        assert np.abs(edge.value(x) - voltage(wire, begin_s - 5e-6, 1e-8, 8000)).max() < 1e-6
        level_v = (shape.high_v + 2.0 * shape.low_v) / 3.0
        assert edge.value(np.array([edge.reaching(level_v)]))[0] == pytest.approx(level_v, abs=1e-6)


def test_different_edges_of_the_source_do_not_move_the_duty_beyond_its_uncertainty() -> None:
    """A source that rises in 2 us and falls in 0.2 us behind 1 nF: what is at the pin and what was sent are told."""
    circuit = replace(Circuit(evse=Evse(rise_s=2e-6, fall_s=0.2e-6))).with_capacity(1e-9)
    case = Case(circuit, "B", 30.0, Digitiser(2e6, noise_v=0.05), 10e-3, 1.0002, 3)
    found = measure(case.record())
    sent_pct = 30.0 + 100.0 * (0.2e-6 - 2e-6) / 0.8 / 2.0 / 1e-3
    assert abs(found.duty_pct.value - case.truths()["duty"]) < 1.5 * found.duty_pct.uncertainty
    assert abs(found.source_duty_pct.value - sent_pct) < 1.5 * found.source_duty_pct.uncertainty


def test_a_level_between_two_steps_is_as_unsure_as_its_codes_let_it_be() -> None:
    """300 levels at random places with noise of 0.03 to 0.6 steps: nine in ten or more lie within U, also at the border
    of two codes, where the codes spread without much noise."""
    rng, inside = np.random.default_rng(3), []
    for _ in range(300):
        noise, place = np.exp(rng.uniform(np.log(0.03), np.log(0.6))), rng.uniform(-0.5, 0.5)
        codes = np.rint(place + noise * rng.standard_normal(500))
        found = resolved(Level(float(codes.mean()), float(codes.std()), len(codes)), codes, 1.0)
        inside.append(abs(found.volts - place) <= 2.0 * found.statistical_v)
    assert np.mean(inside) >= 0.92


@pytest.mark.parametrize("mode", ["careful", "fast"])
@pytest.mark.parametrize("samples", [1, 10, 35])
def test_pulses_too_short_for_a_wave_are_counted_and_left_out(mode: Mode, samples: int) -> None:
    """A spike of 0.1 to 3.5 us at 10 MS/s is counted and noted; the duty stays what it was."""
    whole = render(steady("C", 40.0), Digitiser(1e7, noise_v=0.05), 50_000, t0_s=1.0, seed=2)
    values = whole.values.copy()
    values[6000 : 6000 + samples] = 5.0
    clean, spiked = measure(whole, mode), measure(replace(whole, values=values), mode)
    assert (clean.short_pulses, spiked.short_pulses) == (0, 1)
    assert "too short for a wave" in spiked.notes[-1]
    assert spiked.duty_pct.value == pytest.approx(clean.duty_pct.value, abs=1e-4)


def test_a_pulse_out_of_a_still_level_is_counted() -> None:
    """12 V with 2 us at 0 V is state A1 with a short pulse."""
    values = 12.0 + 0.05 * np.random.default_rng(1).standard_normal(20_000)
    values[700:720] = 0.0
    found = measure(Waveform(values, 1e-7), "fast")
    assert (found.state, found.short_pulses) == ("A1", 1)


def test_a_record_that_begins_within_an_edge_is_measured_like_any_other() -> None:
    """Records whose ends cut an edge at any place: every truth lies within 2.8 U."""
    case = Case(Circuit().with_capacity(5.4e-9), "C", 92.0, Digitiser(2e6, 8, noise_v=0.01), 5e-3, 1.0, 1)
    for late_s in np.arange(8) * 1.3e-6:
        errors = off(replace(case, t0_s=1.00092 + float(late_s)))
        assert max(errors.values()) < 2.8, late_s
