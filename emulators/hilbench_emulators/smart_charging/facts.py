"""The hardware that profiles act upon."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Outlet:
    """One EVSE or connector: the phases it can use, what it can carry, and whether it gives direct current."""

    phases: int = 3
    max_a: float = 32.0
    dc: bool = False


@dataclass(frozen=True)
class Facts:
    """A station: its outlets by number from 1, the most it may draw per phase, and the voltage set for the area.

    ``voltage_v`` is nominal, not measured (OCPP 2.0.1 K01.FR.50, standard-text).
    """

    outlets: Mapping[int, Outlet] = field(default_factory=lambda: {1: Outlet()})
    max_a: float = float("inf")
    voltage_v: float = 230.0
