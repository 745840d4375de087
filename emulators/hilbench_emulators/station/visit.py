"""What a driver wants who has plugged in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Visit:
    """``energy_kwh`` that the car shall take until ``departure``; None where nothing is said.

    ``arrival_soc`` is the state of charge, 0..1, that it came with, as far as the station can know.
    """

    energy_kwh: float | None = None
    departure: datetime | None = None
    arrival_soc: float = 0.0
