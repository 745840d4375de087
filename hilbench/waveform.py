"""A record of one channel: equally spaced samples with what is known of the instrument that took them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hilbench.errors import InputError


@dataclass(frozen=True)
class Accuracy:
    """Standard uncertainties of an instrument: relative ``gain``, ``offset`` [unit of the record], relative ``clock``.

    All 0 where nothing is known, which whoever judges must say.
    """

    gain: float = 0.0
    offset: float = 0.0
    clock: float = 0.0


@dataclass(frozen=True)
class Waveform:
    """``values`` [``unit``] taken every ``dt_s`` from ``t0_s`` on; ``lsb`` is one step of the converter (0: unknown).

    Raises ``InputError`` for a record that is not one row of at least two samples, or without a positive ``dt_s``.
    """

    values: NDArray[np.floating]
    dt_s: float
    t0_s: float = 0.0
    unit: str = "V"
    lsb: float = 0.0
    accuracy: Accuracy = field(default_factory=Accuracy)
    source: str = ""

    def __post_init__(self) -> None:
        if self.values.ndim != 1 or len(self.values) < 2:
            raise InputError(self.source or "record", f"needs one row of samples, has the shape {self.values.shape}")
        if not (np.isfinite(self.dt_s) and self.dt_s > 0.0 and np.isfinite(self.t0_s)):
            raise InputError(
                self.source or "record", f"samples every {self.dt_s} s from {self.t0_s} s on are no record"
            )

    @property
    def duration_s(self) -> float:
        """From the first sample to the end of the last one's interval [s]."""
        return len(self.values) * self.dt_s

    def times(self) -> NDArray[np.float64]:
        """Time of each sample [s]."""
        return np.arange(len(self.values), dtype=np.float64) * self.dt_s + self.t0_s


@dataclass(frozen=True)
class Snapshot:
    """A record that a measurement rests on, taken at ``of``; ``about`` is what was read from it, as JSON holds it."""

    of: str
    record: Waveform
    about: Mapping[str, Any] = field(default_factory=dict)
