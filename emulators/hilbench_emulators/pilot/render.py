"""Records of the pilot: the wire's exact voltage at any time, and what an instrument makes of it. Deterministic."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from hilbench.errors import InputError, Problem
from hilbench.waveform import Accuracy, Waveform
from hilbench_emulators.pilot.circuit import Node, node_of
from hilbench_emulators.pilot.course import Piece, Source, course
from hilbench_emulators.pilot.edges import source_edges
from hilbench_emulators.pilot.wire import Change, PilotWire

Floats = NDArray[np.float64]
_CHUNK = 1 << 16
"""Samples at a time: as many as stay in a processor's cache."""
_LEAD_PERIODS = 3
_LEAD_TAUS = 40.0
_TEN_TO_NINETY = 0.8
"""Share of a straight edge between 10 and 90 %."""


@dataclass(frozen=True)
class Digitiser:
    """An instrument: samples per second, bits over ``range_v`` around ``centre_v`` (0 bits: none), and its errors.

    ``noise_v`` and ``jitter_s`` (of the time of each sample) are standard deviations; ``gain_error`` and
    ``clock_error`` are relative: a positive clock error takes its samples further apart than it says. ``accuracy`` is
    what its data sheet states, which goes with the record.
    """

    rate_hz: float = 1e6
    bits: int = 12
    range_v: float = 40.0
    centre_v: float = 0.0
    noise_v: float = 0.0
    jitter_s: float = 0.0
    gain_error: float = 0.0
    offset_v: float = 0.0
    clock_error: float = 0.0
    accuracy: Accuracy = field(default_factory=Accuracy)

    def __post_init__(self) -> None:
        if not (self.rate_hz > 0.0 and self.range_v > 0.0 and 0 <= self.bits <= 24 and self.clock_error > -1.0):
            raise InputError("digitiser", Problem("", "its rate, range or bits are none", "give positive ones"))
        if not (self.noise_v >= 0.0 and self.jitter_s >= 0.0):
            raise InputError("digitiser", Problem("", "noise and jitter are negative", "give standard deviations"))

    @property
    def lsb_v(self) -> float:
        """One step of the converter [V], 0 without one."""
        return self.range_v / 2**self.bits if self.bits else 0.0

    def drawn(self, seed: int) -> Digitiser:
        """One instrument of its kind: gain, offset and clock drawn from the stated accuracy."""
        gain, offset, clock = np.random.default_rng((seed, 3)).standard_normal(3).tolist()
        stated = self.accuracy
        return replace(
            self,
            gain_error=gain * stated.gain,
            offset_v=offset * stated.offset,
            clock_error=clock * stated.clock,
        )


@dataclass(frozen=True)
class _Track:
    """Pieces as arrays, and the times at which they begin [s after the base]."""

    starts: Floats
    levels: Floats
    slopes: Floats
    swings: Floats
    rates: Floats

    def at(self, x: Floats, of: Callable[[Floats], Floats]) -> Floats:
        """Voltages at ``x``; ``of`` takes a figure of each piece to the samples that lie in it."""
        since = x - of(self.starts)
        volts = of(self.rates)
        volts *= -since
        np.exp(volts, out=volts)
        volts *= of(self.swings)
        volts += of(self.levels)
        if self.slopes.any():
            volts += of(self.slopes) * since
        return volts


def voltage(wire: PilotWire, t0_s: float, dt_s: float, count: int, seed: int = 0) -> Floats:
    """The wire's true voltage [V] at ``count`` times from ``t0_s`` on; ``seed`` is that of the station's jitter."""
    track = _track(wire, t0_s, count * dt_s, seed)
    return np.concatenate([_uniform(track, dt_s, low, min(low + _CHUNK, count)) for low in range(0, count, _CHUNK)])


def _uniform(track: _Track, dt_s: float, low: int, high: int) -> Floats:
    x: Floats = np.arange(low, high, dtype=np.float64) * dt_s
    bounds = np.searchsorted(x, track.starts)
    counts = np.diff(np.append(bounds, high - low))
    return track.at(x, lambda figures: np.repeat(figures, counts))


def render(wire: PilotWire, digitiser: Digitiser, count: int, *, t0_s: float = 0.0, seed: int = 0) -> Waveform:
    """What ``digitiser`` records of ``count`` samples of the wire from ``t0_s`` on; the same for the same seed."""
    if count < 2:
        raise InputError("record", Problem("count", f"is {count}", "give two samples or more"))
    dt_s = 1.0 / digitiser.rate_hz
    rng = np.random.default_rng((seed, 2))
    true_dt_s = dt_s * (1.0 + digitiser.clock_error)
    if digitiser.jitter_s > 0.0:
        volts = _jittered(wire, t0_s, true_dt_s, count, digitiser.jitter_s * rng.standard_normal(count), seed)
    else:
        volts = voltage(wire, t0_s, true_dt_s, count, seed)
    volts = digitise(volts, digitiser, rng)
    return Waveform(volts, dt_s, t0_s, lsb=digitiser.lsb_v, accuracy=digitiser.accuracy, source="rendered pilot")


def digitise(volts: Floats, digitiser: Digitiser, rng: np.random.Generator) -> Floats:
    """Gain, offset, noise and converter of an instrument on a voltage [V]."""
    seen: Floats = volts * (1.0 + digitiser.gain_error) + digitiser.offset_v
    if digitiser.noise_v > 0.0:
        seen += digitiser.noise_v * rng.standard_normal(len(seen))
    if digitiser.bits:
        half = 2 ** (digitiser.bits - 1)
        codes = np.rint((seen - digitiser.centre_v) / digitiser.lsb_v)
        seen = np.clip(codes, -half, half - 1) * digitiser.lsb_v + digitiser.centre_v
    return seen


def _jittered(wire: PilotWire, t0_s: float, dt_s: float, count: int, shifts: Floats, seed: int) -> Floats:
    early = min(float(shifts.min()), 0.0)
    track = _track(wire, t0_s + early, count * dt_s - early + float(shifts.max()), seed)
    x: Floats = np.arange(count, dtype=np.float64) * dt_s + shifts - early
    index = np.clip(np.searchsorted(track.starts, x, side="right") - 1, 0, None)
    return track.at(x, lambda figures: figures[index])


def _track(wire: PilotWire, base: float, duration_s: float, seed: int) -> _Track:
    """The course of the wire from ``base`` on, begun early enough that what was before has settled."""
    held = wire.at(base).circuit
    slowest = max(node_of(held, load).tau_s(conducting=False) for load in ("A", "C"))
    lead = max(_LEAD_PERIODS / held.evse.frequency_hz, _LEAD_TAUS * slowest)
    changes = wire.since(base - lead)
    pieces = _pieces(changes, base, -lead, duration_s, seed)
    kept = _cut(pieces)
    table = np.array(kept, dtype=np.float64)
    return _Track(table[:, 0], table[:, 1], table[:, 2], table[:, 3], 1.0 / table[:, 4])


def _cut(pieces: list[Piece]) -> list[Piece]:
    """Only what reaches into the record; the piece that holds at its start begins there."""
    first = max((index for index, piece in enumerate(pieces) if piece.start_s <= 0.0), default=0)
    head = pieces[first]
    x = -head.start_s
    moved = Piece(0.0, head.level + head.slope * x, head.slope, head.at(x) - head.level - head.slope * x, head.tau)
    return [moved, *pieces[first + 1 :]]


def _pieces(changes: Sequence[Change], base: float, start: float, stop: float, seed: int) -> list[Piece]:
    edges = source_edges(changes, base, start, stop, seed)
    events: list[tuple[float, bool | Change]] = list(zip(edges.times.tolist(), edges.highs.tolist(), strict=True))
    events += [(change.t - base, change) for change in changes[1:] if change.t - base < stop]
    events.sort(key=lambda event: (event[0], isinstance(event[1], bool)))
    run = _Run(changes[0], start)
    for t, what in events:
        run.to(t)
        if isinstance(what, Change):
            run.turn(what)
        else:
            run.edge(what)
    run.to(stop)
    return run.pieces


class _Run:
    """The node's voltage from event to event."""

    def __init__(self, first: Change, start: float) -> None:
        self.pieces: list[Piece] = []
        self._t = start
        self._evse = first.circuit.evse
        self._node: Node = node_of(first.circuit, first.load)
        self._high = first.duty_pct == 100.0
        volts = self._rail()
        self._source = Source(volts, volts)
        self._volts = self._node.steady_v(volts)

    def _rail(self) -> float:
        return self._evse.high_v if self._high else self._evse.low_v

    def turn(self, change: Change) -> None:
        """The circuit or the load is another one; rails that are others are so at once."""
        self._node = node_of(change.circuit, change.load)
        if change.circuit.evse != self._evse:
            self._evse = change.circuit.evse
            self._source = Source(self._rail(), self._rail())

    def edge(self, high: bool) -> None:
        """The source turns, in its own time."""
        if high != self._high:
            self._high = high
            ramp = (self._evse.rise_s if high else self._evse.fall_s) / _TEN_TO_NINETY
            target = self._rail()
            self._source = Source(self._source.volts if ramp > 0.0 else target, target, ramp)

    def to(self, t: float) -> None:
        """Let it run until ``t``."""
        span = t - self._t
        if span <= 0.0:
            return
        for piece in course(self._node, self._source, self._volts):
            if piece.start_s >= span:
                break
            self.pieces.append(piece._replace(start_s=self._t + piece.start_s))
            self._volts = piece.at(span - piece.start_s)
        self._source = self._source.after(span)
        self._t = t
