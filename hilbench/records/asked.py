"""What a reader of records is told beside the file, and what all readers do with it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hilbench.errors import InputError, Problem
from hilbench.waveform import Waveform

UNEVEN_SHARE = 0.6
"""Times may be off an even grid by that part of a step: files round them (policy-default)."""


@dataclass(frozen=True)
class Asked:
    """Time between samples [s], channel by name or number from 1, volts per unit of the file; None: not told."""

    dt_s: float | None = None
    channel: str | None = None
    volts_per_unit: float | None = None

    @property
    def scale(self) -> float:
        """Volts per unit, 1 where nothing was told."""
        return 1.0 if self.volts_per_unit is None else self.volts_per_unit

    def pick(self, path: Path, names: Sequence[str]) -> int:
        """Index of the channel among ``names``: the only one, or the one asked for; raises ``InputError``."""
        known = ", ".join(f"{number} ({name})" for number, name in enumerate(names, 1))
        if self.channel is None:
            if len(names) == 1:
                return 0
            raise InputError(str(path), Problem("", f"has the channels {known or 'none'}", "name one of them"))
        if self.channel in names:
            return list(names).index(self.channel)
        if self.channel.isdecimal() and 1 <= int(self.channel) <= len(names):
            return int(self.channel) - 1
        raise InputError(str(path), f"has no channel {self.channel!r}; it has {known or 'none'}")

    def step_s(self, path: Path) -> float:
        """The told time between samples; raises ``InputError`` when there is none."""
        if self.dt_s is None:
            raise InputError(
                str(path), Problem("", "says nothing about time", "give the time between samples or the rate")
            )
        return self.dt_s

    def record(
        self, path: Path, values: NDArray[np.floating], dt_s: float, t0_s: float = 0.0, lsb: float = 0.0
    ) -> Waveform:
        """The record of values in units of the file."""
        scaled = values if self.volts_per_unit is None else values * self.volts_per_unit
        return Waveform(scaled, dt_s, t0_s, lsb=lsb * abs(self.scale), source=str(path))


def even_times(path: Path, times: NDArray[np.float64]) -> tuple[float, float]:
    """First time and step of evenly spaced times [s]; raises ``InputError`` where they are not."""
    if len(times) < 2:
        raise InputError(str(path), "holds fewer than two samples")
    step = float(times[-1] - times[0]) / (len(times) - 1)
    if not (math.isfinite(step) and step > 0.0):
        raise InputError(str(path), "its times do not rise")
    off = np.abs(times - times[0] - step * np.arange(len(times)))
    worst = int(np.argmax(off))
    if not off[worst] <= UNEVEN_SHARE * step:
        raise InputError(str(path), f"its samples are not evenly spaced: sample {worst} is {off[worst]:.3g} s off")
    return float(times[0]), step
