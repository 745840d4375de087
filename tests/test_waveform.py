"""Records of one channel."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hilbench.errors import InputError
from hilbench.waveform import Waveform


def test_a_record_knows_its_times() -> None:
    """Samples stand at t0 + k dt, and the last one lasts as long as the others."""
    record = Waveform(np.zeros(4), 0.5, t0_s=1.0)
    assert record.times().tolist() == [1.0, 1.5, 2.0, 2.5]
    assert record.duration_s == 2.0


@pytest.mark.parametrize(
    ("shape", "dt_s"), [((1,), 1.0), ((2, 2), 1.0), ((3,), 0.0), ((3,), -1.0), ((3,), math.nan), ((3,), math.inf)]
)
def test_what_is_no_record_is_refused(shape: tuple[int, ...], dt_s: float) -> None:
    """One sample, a table, or no time between samples: a clear error that names the source."""
    with pytest.raises(InputError, match="probe 1"):
        Waveform(np.zeros(shape), dt_s, source="probe 1")
