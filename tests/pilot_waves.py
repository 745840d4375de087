"""Pilot records to test the measurement with: a circuit solved by segments that shares nothing with the emulators."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from hilbench.waveform import Accuracy, Waveform

Volts = NDArray[np.float64]
LOAD_OHM = {"A": math.inf, "B": 2740.0, "C": 882.2, "D": 246.5, "E": 0.001}


@dataclass(frozen=True)
class Circuit:
    """Source of ``up_v`` and ``down_v`` behind ``r1_ohm``, ``farad`` at the node, and a diode before ``load_ohm``."""

    load_ohm: float = LOAD_OHM["C"]
    up_v: float = 12.0
    down_v: float = -12.0
    r1_ohm: float = 1000.0
    farad: float = 3.1e-9
    diode_v: float = 0.7
    diode: bool = True

    @property
    def high_v(self) -> float:
        """Where the node comes to rest while the source is up."""
        return self._rest(self.up_v)

    @property
    def low_v(self) -> float:
        """Where the node comes to rest while the source is down."""
        return self._rest(self.down_v)

    @property
    def share(self) -> float:
        """Load over load and source resistance."""
        return 1.0 if math.isinf(self.load_ohm) else self.load_ohm / (self.r1_ohm + self.load_ohm)

    def conducts(self, volts: float) -> bool:
        """True when the load carries current at this voltage of the node."""
        return volts > self.diode_v or not self.diode

    def _rest(self, source_v: float) -> float:
        return self.target(source_v, self.conducts(source_v))[0]

    def target(self, source_v: float, conducting: bool) -> tuple[float, float]:
        """Voltage that the node heads for, and the time constant [s]."""
        if not conducting or math.isinf(self.load_ohm):
            return source_v, self.r1_ohm * self.farad
        drop, share = self.diode_v if self.diode else 0.0, self.share
        return drop + (source_v - drop) * share, share * self.r1_ohm * self.farad

    def follow(self, source_v: float, from_v: float) -> list[tuple[float, float, float, float]]:
        """Segments (begin [s], start, target, time constant) after the source jumps; the last one never ends."""
        target, tau = self.target(source_v, self.conducts(from_v + math.copysign(1e-9, source_v - from_v)))
        knee, first = self.diode_v, (0.0, from_v, target, tau)
        if not self.diode or (from_v - knee) * (target - knee) >= 0.0 or abs(from_v - knee) < 1e-9:
            return [first]
        begin = tau * math.log((from_v - target) / (knee - target))
        return [first, (begin, knee, *self.target(source_v, source_v > knee))]


@dataclass(frozen=True)
class Scope:
    """How the record is taken; ``bits`` over ``range_v``, 0 bits for no converter, with these errors."""

    rate_hz: float = 1e6
    duration_s: float = 10e-3
    bits: int = 12
    range_v: float = 40.0
    noise_v: float = 0.1
    gain: float = 1.0
    offset_v: float = 0.0
    clock: float = 1.0
    accuracy: Accuracy = field(default_factory=Accuracy)

    def take(self, edges: list[tuple[float, float]], circuit: Circuit, rng: np.random.Generator) -> Waveform:
        """Sample the node while the source goes through ``edges`` (time [s], source [V])."""
        times = np.arange(round(self.rate_hz * self.duration_s)) / (self.rate_hz * self.clock)
        values = node(times, edges, circuit) * self.gain + self.offset_v
        values += self.noise_v * rng.standard_normal(len(values))
        lsb = self.range_v / 2**self.bits if self.bits else 0.0
        values = np.clip(np.round(values / lsb) * lsb, -self.range_v / 2, self.range_v / 2) if lsb else values
        return Waveform(values, 1.0 / self.rate_hz, lsb=lsb, accuracy=self.accuracy)


def node(times: Volts, edges: list[tuple[float, float]], circuit: Circuit) -> Volts:
    """Voltage of the node at ``times``: every segment is an exponential, solved exactly."""
    volts = circuit._rest(edges[0][1])
    rows = [(-math.inf, volts, volts, 1.0)]
    for index, (moment, source_v) in enumerate(edges[1:], 1):
        until = edges[index + 1][0] if index + 1 < len(edges) else math.inf
        parts = [(moment + part[0], *part[1:]) for part in circuit.follow(source_v, volts)]
        parts = [part for part in parts if part[0] < until]
        rows += parts
        begin, start, target, tau = parts[-1]
        volts = target + (start - target) * math.exp(-(until - begin) / tau)
    begin, start, target, tau = np.array(rows).T[:, np.searchsorted([row[0] for row in rows], times, "right") - 1]
    age = np.where(np.isfinite(begin), times - begin, 0.0)
    return np.asarray(target + (start - target) * np.exp(-age / tau))


def pwm(
    duty_pct: float,
    duration_s: float,
    hz: float = 1000.0,
    begin_s: float = 0.0,
    circuit: Circuit | None = None,
    jitter: Volts | None = None,
    rise_jitter: Volts | None = None,
) -> list[tuple[float, float]]:
    """Jumps of the source over the duration; ``begin_s`` (not positive) is the first rise, the jitters shift edges."""
    place, period = circuit or Circuit(), 1.0 / hz
    count = math.ceil((duration_s - begin_s) / period) + 1
    rises = begin_s - period + period * np.arange(count + 1)
    falls = rises + duty_pct / 100.0 * period + (0.0 if jitter is None else jitter[: count + 1])
    rises = rises + (0.0 if rise_jitter is None else rise_jitter[: count + 1])
    times = np.stack([rises, falls], axis=1).ravel()
    levels = [place.up_v, place.down_v] * (count + 1)
    return [(-math.inf, place.down_v), *zip(times.tolist(), levels, strict=True)]


def crossing_shift_s(circuit: Circuit, level_v: float) -> float:
    """By how much the time above ``level_v`` exceeds that of the source [s], for settled plateaus."""
    up = _reach(circuit.follow(circuit.up_v, circuit.low_v), level_v)
    return _reach(circuit.follow(circuit.down_v, circuit.high_v), level_v) - up


def _reach(segments: list[tuple[float, float, float, float]], level_v: float) -> float:
    for begin, start, target, tau in reversed(segments):
        ratio = (start - target) / (level_v - target)
        if ratio >= 1.0 - 1e-12:
            return begin + tau * math.log(ratio)
    raise ValueError("never reached")


def bound_pct(circuit: Circuit, noise_v: float, rate_hz: float, cycles: float, period_s: float = 1e-3) -> float:
    """Cramer-Rao bound [points] of the duty for edges of known shape: var >= noise^2 / (rate integral s'^2 dt)."""
    x = np.arange(0.0, 60e-6, 1e-9)
    total = 0.0
    for source, rest, opposite in (
        (circuit.up_v, circuit.low_v, circuit.down_v),
        (circuit.down_v, circuit.high_v, circuit.up_v),
    ):
        del rest
        slope = np.gradient(node(x, [(-math.inf, opposite), (0.0, source)], circuit), x)
        total += noise_v**2 / (rate_hz * float(np.sum(slope**2) * 1e-9))
    return 100.0 * math.sqrt(total / cycles) / period_s


def legal_circuit(rng: np.random.Generator) -> Circuit:
    """A circuit of state A to D anywhere within its tolerances."""
    return Circuit(
        load_ohm=LOAD_OHM[str(rng.choice(list("ABCD")))] * rng.uniform(0.97, 1.03),
        up_v=rng.uniform(11.4, 12.6),
        down_v=-rng.uniform(11.4, 12.6),
        r1_ohm=rng.uniform(970.0, 1030.0),
        farad=rng.uniform(0.6e-9, 5.5e-9),
        diode_v=rng.uniform(0.55, 0.85),
    )


def illegal_circuits() -> list[Circuit]:
    """Twenty circuits that no edition allows, all of them with a wave to measure."""
    whole = Circuit()
    bad = [replace(whole, load_ohm=LOAD_OHM[state], diode=False) for state in "BCD"]
    bad += [replace(whole, down_v=volts) for volts in (-11.2, -10.7, -9.0, -6.0)]
    bad += [replace(whole, up_v=volts) for volts in (10.5, 11.0, 13.5, 15.0)]
    bad += [replace(whole, load_ohm=ohm) for ohm in (6000.0, 1500.0, 500.0, 350.0)]
    bad += [replace(whole, r1_ohm=ohm) for ohm in (500.0, 1500.0)]
    bad += [replace(whole, farad=8e-9), replace(whole, diode_v=1.1), replace(whole, load_ohm=math.inf, down_v=-10.0)]
    return bad
