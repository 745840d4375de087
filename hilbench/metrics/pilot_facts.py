"""What was read from a record of the pilot as plain data: for JSON, and for whoever draws the record."""

from __future__ import annotations

import math
from typing import Any

from hilbench.metrics.pilot import Pilot, Reading

PLAIN = ("state", "pwm", "table", "cycles", "way", "steady", "notes")
NUMBERS = ("threshold_v", "jitter_s", "noise_v", "begin_s")
READINGS = (
    "duty_pct",
    "source_duty_pct",
    "frequency_hz",
    "high_v",
    "low_v",
    "rise_s",
    "fall_s",
    "tau_s",
    "current_a",
)


def number(value: float) -> float | None:
    """The value, None for what JSON has no number for."""
    return value if math.isfinite(value) else None


def reading(found: Reading) -> dict[str, float | None]:
    """Value and expanded uncertainty."""
    return {"value": number(found.value), "uncertainty": number(found.uncertainty)}


def facts(pilot: Pilot) -> dict[str, Any]:
    """Everything that was measured, units in the names; None is what could not be."""
    return {
        **{key: getattr(pilot, key) for key in PLAIN},
        **{key: number(getattr(pilot, key)) for key in NUMBERS},
        **{key: reading(getattr(pilot, key)) for key in READINGS},
    }
