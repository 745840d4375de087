"""What a three-phase meter makes of the truth: CT chains, averaging, energy, and faults of the wiring; no I/O."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from hilbench.errors import InputError, Problem
from hilbench.site import Service
from hilbench_emulators.ct import AccuracyClass, CtSettings, draw_chain


class Reading(Protocol):
    """The truth at a node: RMS currents [A], voltages to neutral [V], active [W] and reactive [var] power by line."""

    @property
    def currents(self) -> Mapping[str, float]:
        """RMS currents [A]."""
        ...

    @property
    def voltages_v(self) -> Mapping[str, float]:
        """Voltages to neutral [V]."""
        ...

    @property
    def power_w(self) -> Mapping[str, float]:
        """Active power [W], negative for export."""
        ...

    @property
    def reactive_var(self) -> Mapping[str, float]:
        """Reactive power [var], positive for lagging currents."""
        ...


@dataclass(frozen=True)
class MeterSettings:
    """A meter: its CTs and its timing.

    A sample is taken every ``interval_s`` (0.1 to 15) on the UTC grid shifted by ``phase_s``, averaged over the last
    ``averaging_s`` (0: not at all) and seen in the registers ``latency_s`` later. ``rated_a`` None is the rating of
    the metered node. Raises ``InputError`` for figures that are out of range.
    """

    accuracy_class: AccuracyClass = "1"
    rated_a: float | None = None
    interval_s: float = 1.0
    phase_s: float = 0.0
    latency_s: float = 0.0
    averaging_s: float = 0.0
    noise_a: float = 0.0
    resolution_a: float = 0.0
    knee: float = 1.5

    def __post_init__(self) -> None:
        ranges = {
            "interval_s": (0.1, 15.0),
            "phase_s": (0.0, 15.0),
            "latency_s": (0.0, 60.0),
            "averaging_s": (0.0, 60.0),
        }
        problems = [
            Problem(name, f"{getattr(self, name)} is not in {low:g}..{high:g} s")
            for name, (low, high) in ranges.items()
            if not low <= getattr(self, name) <= high
        ]
        if problems:
            raise InputError("meter", problems)

    def ct(self, node_rating_a: float) -> CtSettings:
        """The CTs of this meter at a node; raises ``InputError`` for figures that are out of range."""
        return CtSettings(
            accuracy_class=self.accuracy_class,
            rated_a=node_rating_a if self.rated_a is None else self.rated_a,
            noise_a=self.noise_a,
            resolution_a=self.resolution_a,
            knee=self.knee,
        )


@dataclass(frozen=True)
class WiringFault:
    """CTs that are mounted backwards (``reversed_lines``) or two whose places are exchanged (``swapped_lines``)."""

    reversed_lines: frozenset[str] = frozenset()
    swapped_lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Sample:
    t: float
    voltages_v: tuple[float, ...]
    currents_a: tuple[float, ...]
    power_w: tuple[float, ...]
    reactive_var: tuple[float, ...]


class MeterCore:
    """Turns readings into register values; the caller says when."""

    def __init__(self, service: Service, ct: CtSettings, averaging_s: float, rng: np.random.Generator) -> None:
        self.lines = service.lines
        self.wiring = WiringFault()
        self._frequency_hz = service.frequency_hz
        self._angles = {line: math.atan2(service.phasor(line).imag, service.phasor(line).real) for line in self.lines}
        self._chains = {line: draw_chain(ct, rng) for line in self.lines}
        self._noisy = ct.noise_a > 0
        self._averaging_s = averaging_s
        self._rng = rng
        self._window: deque[_Sample] = deque()
        self._last: _Sample | None = None
        self.import_wh = 0.0
        self.export_wh = 0.0

    def sample(self, t: float, reading: Reading) -> None:
        """Take in the truth at ``t`` [s]; energy is counted by the trapezoid of power between samples."""
        measured = [self._line(line, reading) for line in self.lines]
        sample = _Sample(
            t,
            tuple(reading.voltages_v[line] for line in self.lines),
            tuple(current for current, _power, _reactive in measured),
            tuple(power for _current, power, _reactive in measured),
            tuple(reactive for _current, _power, reactive in measured),
        )
        self._count(sample)
        self._window.append(sample)
        while self._window[0].t < t - self._averaging_s + 1e-9 and len(self._window) > 1:
            self._window.popleft()

    def _line(self, line: str, reading: Reading) -> tuple[float, float, float]:
        """Current [A], active [W] and reactive power [var] that the channel of ``line`` sees."""
        source = self._source(line)
        current = reading.currents[source]
        # the angle by which the current lags its own voltage, then seen from the voltage of this channel
        angle = math.atan2(reading.reactive_var[source], reading.power_w[source])
        angle += self._angles[line] - self._angles[source]
        if line in self.wiring.reversed_lines:
            angle += math.pi
        chain = self._chains[line]
        angle -= chain.phase_error_rad(current)
        measured = chain.reading_a(current, float(self._rng.standard_normal()) if self._noisy else 0.0)
        apparent = reading.voltages_v[line] * measured
        return measured, apparent * math.cos(angle), apparent * math.sin(angle)

    def _source(self, line: str) -> str:
        """The line whose current the CT of ``line`` carries."""
        swapped = self.wiring.swapped_lines
        return swapped[1 - swapped.index(line)] if line in swapped else line

    def _count(self, sample: _Sample) -> None:
        if self._last is not None:
            mean_w = (math.fsum(sample.power_w) + math.fsum(self._last.power_w)) / 2.0
            energy_wh = mean_w * (sample.t - self._last.t) / 3600.0
            self.import_wh += max(0.0, energy_wh)
            self.export_wh += max(0.0, -energy_wh)
        self._last = sample

    def values(self) -> dict[str, float]:
        """Register values by name, averaged over the window; empty before the first sample."""
        if not self._window:
            return {}
        voltages, currents, powers, reactives = (
            _means([getattr(sample, name) for sample in self._window])
            for name in ("voltages_v", "currents_a", "power_w", "reactive_var")
        )
        values = _totals(voltages, currents, math.fsum(powers), math.fsum(reactives))
        values |= {
            "frequency": self._frequency_hz,
            "import_energy": self.import_wh / 1000.0,
            "export_energy": self.export_wh / 1000.0,
        }
        for number, channel in enumerate(zip(voltages, currents, powers, reactives, strict=True), 1):
            values |= _channel(number, *channel)
        return values


def _means(rows: list[tuple[float, ...]]) -> tuple[float, ...]:
    if len(rows) == 1:
        return rows[0]
    return tuple(math.fsum(column) / len(rows) for column in zip(*rows, strict=True))


def _channel(number: int, voltage_v: float, current_a: float, power_w: float, reactive_var: float) -> dict[str, float]:
    return {
        f"voltage_l{number}": voltage_v,
        f"current_l{number}": current_a,
        f"power_l{number}": power_w,
        f"apparent_power_l{number}": voltage_v * current_a,
        f"reactive_power_l{number}": reactive_var,
        f"power_factor_l{number}": power_factor(power_w, reactive_var),
        f"phase_angle_l{number}": math.degrees(math.atan2(reactive_var, power_w)),
    }


def _totals(
    voltages: tuple[float, ...], currents: tuple[float, ...], power_w: float, reactive_var: float
) -> dict[str, float]:
    return {
        "average_voltage": math.fsum(voltages) / len(voltages),
        "average_current": math.fsum(currents) / len(currents),
        "total_current": math.fsum(currents),
        "total_power": power_w,
        "total_apparent_power": math.fsum(u * i for u, i in zip(voltages, currents, strict=True)),
        "total_reactive_power": reactive_var,
        "total_power_factor": power_factor(power_w, reactive_var),
        "total_phase_angle": math.degrees(math.atan2(reactive_var, power_w)),
    }


def power_factor(power_w: float, reactive_var: float) -> float:
    """Power factor with the sign of the power; 1 when nothing flows."""
    apparent = math.hypot(power_w, reactive_var)
    return power_w / apparent if apparent else 1.0
