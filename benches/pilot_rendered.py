"""Records of random pilots as the emulated wire renders them, with what is true of them: any legal part, any scope.

Shared by the campaign of ``benches.pilot_measure`` and the test of ``tests/test_pilot_rendered.py``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from hilbench.metrics.pilot import Pilot, Reading
from hilbench.waveform import Accuracy, Waveform
from hilbench_emulators.pilot.circuit import Cable, Circuit, Ev, Evse, Load, Node, node_of
from hilbench_emulators.pilot.course import Source, course
from hilbench_emulators.pilot.illegal import ILLEGAL
from hilbench_emulators.pilot.render import Digitiser, render
from hilbench_emulators.pilot.wire import steady

WAVES = tuple(
    name
    for name, one in ILLEGAL.items()
    if 0.0 < one.duty_pct < 100.0
    and node_of(one.circuit, one.load).steady_v(one.circuit.evse.high_v)
    - node_of(one.circuit, one.load).steady_v(one.circuit.evse.low_v)
    > 1.0
)
"""The illegal circuits with a wave to measure."""
RATES_HZ = (1e5, 2e5, 2.5e5, 5e5, 1e6, 2e6)
LOADS: tuple[Load, ...] = ("A", "B", "C", "D")
TEN_TO_NINETY = 0.8
"""Share of a straight edge between 10 and 90 %."""
SHORTEST_S, LONGEST_S, LONGEST_SAMPLES = 3e-3, 0.1, 20_000


@dataclass(frozen=True)
class Case:
    """A steady pilot, the instrument, and how long and from when on it looks."""

    circuit: Circuit
    load: Load
    duty_pct: float
    digitiser: Digitiser
    duration_s: float
    t0_s: float
    seed: int

    def record(self) -> Waveform:
        """What the instrument takes."""
        count = round(self.duration_s * self.digitiser.rate_hz)
        wire = steady(self.load, self.duty_pct, self.circuit)
        return render(wire, self.digitiser, count, t0_s=self.t0_s, seed=self.seed)

    def truths(self) -> dict[str, float]:
        """Duty half way [%], frequency [Hz] and both resting levels [V] of the wire, without jitter."""
        node, evse = node_of(self.circuit, self.load), self.circuit.evse
        high_v, low_v, period = node.steady_v(evse.high_v), node.steady_v(evse.low_v), 1.0 / evse.frequency_hz
        up = _ramp(evse.low_v, evse.high_v, evse.rise_s)
        down = _ramp(evse.high_v, evse.low_v, evse.fall_s)
        high_s = self.duty_pct / 100.0 * period + evse.width_error_s
        bottom_v = top_v = low_v
        for _ in range(3):  # short pulses do not come to rest: let them settle from period to period
            top_v = _voltage(node, up, bottom_v, high_s)
            begin_v, bottom_v = bottom_v, _voltage(node, down, top_v, period - high_s)
        middle_v = (high_v + low_v) / 2.0
        later_s = _reach_s(node, down, top_v, middle_v, False) - _reach_s(node, up, begin_v, middle_v, True)
        duty_pct = 100.0 * (high_s + later_s) / period
        return {"duty": duty_pct, "frequency": evse.frequency_hz, "high level": high_v, "low level": low_v}


def readings(found: Pilot) -> dict[str, Reading]:
    """What was measured, by the names of the truths."""
    return {
        "duty": found.duty_pct,
        "frequency": found.frequency_hz,
        "high level": found.high_v,
        "low level": found.low_v,
    }


def _ramp(from_v: float, to_v: float, seconds: float) -> Source:
    return Source(from_v, to_v, seconds / TEN_TO_NINETY) if seconds > 0.0 else Source(to_v, to_v)


def _voltage(node: Node, source: Source, start_v: float, after_s: float) -> float:
    piece = [one for one in course(node, source, start_v) if one.start_s < after_s][-1]
    return piece.at(after_s - piece.start_s)


def _reach_s(node: Node, source: Source, start_v: float, level_v: float, rising: bool) -> float:
    """When the node passes the level after the source begins to move, by halving [s]."""
    low_s, high_s = 0.0, 2e-4
    for _ in range(60):
        middle_s = (low_s + high_s) / 2.0
        passed = (_voltage(node, source, start_v, middle_s) > level_v) == rising if middle_s else False
        low_s, high_s = (low_s, middle_s) if passed else (middle_s, high_s)
    return high_s


def _evse(rng: np.random.Generator) -> Evse:
    """Any legal station; three in ten jump at once, half have jitter, one in four runs in step with the instrument."""
    jumps, jitters, in_step = rng.random() < 0.3, rng.random() < 0.5, rng.random() < 0.25
    rise_s, fall_s = (0.0, 0.0) if jumps else rng.uniform(0.0, 2e-6, 2).tolist()
    return Evse(
        high_v=rng.uniform(11.4, 12.6),
        low_v=-rng.uniform(11.4, 12.6),
        r1_ohm=rng.uniform(970.0, 1030.0),
        c_f=rng.uniform(0.3e-9, 1.6e-9),
        rise_s=rise_s,
        fall_s=fall_s,
        frequency_hz=1000.0 if in_step else rng.uniform(980.0, 1020.0),
        jitter_s=rng.uniform(0.0, 0.2e-6) if jitters else 0.0,
    )


def _circuit(rng: np.random.Generator) -> Circuit:
    """Any legal circuit, and every other one with up to 3 nF more in its cable."""
    beyond_f = rng.uniform(0.0, 3e-9) if rng.random() < 0.5 else 0.0
    r2, r3, r3_ventilated = (np.array([2740.0, 1300.0, 270.0]) * rng.uniform(0.97, 1.03, 3)).tolist()
    ev = Ev("fitted", rng.uniform(0.55, 0.85), r2, r3, r3_ventilated, c_f=rng.uniform(0.0, 2.4e-9))
    return Circuit(_evse(rng), Cable(c_f=rng.uniform(0.0, 1.5e-9) + beyond_f), ev)


def _digitiser(rng: np.random.Generator, rate_hz: float) -> Digitiser:
    """8 to 14 bits, 5 to 150 mV of noise; half of the instruments have errors as their data sheets say."""
    known = Accuracy(gain=0.005, offset=0.02, clock=2e-5) if rng.random() < 0.5 else Accuracy()
    return Digitiser(
        rate_hz,
        int(rng.choice([8, 10, 12, 14])),
        noise_v=float(np.exp(rng.uniform(math.log(0.005), math.log(0.15)))),
        jitter_s=rng.uniform(0.0, 50e-9) if rng.random() < 0.5 else 0.0,
        accuracy=known,
    ).drawn(int(rng.integers(1 << 30)))


def legal(seed: int, rates_hz: tuple[float, ...] = ()) -> Case:
    """A record of any legal pilot; its rate is one of these, else any from 100 kS/s to 2 MS/s."""
    rng = np.random.default_rng((seed, 9))
    even = rng.random() < 0.5
    rate_hz = float(rng.choice(rates_hz or RATES_HZ) if even or rates_hz else np.exp(rng.uniform(*np.log([1e5, 2e6]))))
    longest_s = min(LONGEST_S, LONGEST_SAMPLES / rate_hz)
    duration_s = float(np.exp(rng.uniform(math.log(SHORTEST_S), math.log(longest_s))))
    load = LOADS[int(rng.integers(4))]
    place, duty_pct, digitiser = _circuit(rng), rng.uniform(5.0, 95.0), _digitiser(rng, rate_hz)
    return Case(place, load, duty_pct, digitiser, duration_s, rng.uniform(1.0, 2.0), int(rng.integers(1 << 30)))


def illegal(name: str, seed: int = 1) -> Case:
    """One of the circuits that no standard allows, 10.5 ms at 1 MS/s and 12 bits with 50 mV of noise."""
    broken = ILLEGAL[name]
    return Case(broken.circuit, broken.load, broken.duty_pct, Digitiser(1e6, noise_v=0.05), 10.5e-3, 1.0003, seed)
