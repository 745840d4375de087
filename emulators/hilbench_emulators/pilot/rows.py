"""Rows of the pilot's tables: a name, the range that is allowed, and where the figures come from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Confidence = Literal["standard-text", "vendor-doc", "read-code", "secondary", "recalled", "policy-default"]


@dataclass(frozen=True)
class Row:
    """``low`` to ``high`` [``unit``], both ends included; infinity where a side has no limit."""

    name: str
    low: float
    high: float
    unit: str
    source: str
    confidence: Confidence

    def holds(self, value: float) -> bool:
        """True for a value within the row; no value that is no number is."""
        return self.low <= value <= self.high

    def edges(self) -> tuple[float, ...]:
        """The finite ends."""
        return tuple(edge for edge in (self.low, self.high) if math.isfinite(edge))

    def __str__(self) -> str:
        low, high = f"{self.low:g}", f"{self.high:g}"
        span = (
            f"{low} to {high}" if len(self.edges()) == 2 else (f">= {low}" if math.isinf(self.high) else f"<= {high}")
        )
        return f"{self.name}: {span} {self.unit} ({self.source}; {self.confidence})"
