"""What a metric is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Direction = Literal["lower", "higher"]


@dataclass(frozen=True)
class Metric:
    """A quantity: its unit (``1`` for a ratio), which ``direction`` is better, and how it is measured."""

    name: str
    unit: str
    direction: Direction
    title: str
    definition: str
