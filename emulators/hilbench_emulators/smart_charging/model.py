"""What a charging profile says, in one form for OCPP 1.6, 2.0.1 and 2.1.

Values, no behaviour beyond naming them. Times are UTC seconds since 1970. A rate in amperes is per phase, one in watts
is the total of all phases (OCPP 2.0.1 K01.FR.50 and FR.51, 1.6 errata 3.34; standard-text).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

DEFAULT_PHASES = 3
"""Phases of a period that does not say them (OCPP 2.0.1 K01.FR.49, standard-text)."""


class Version(StrEnum):
    """Edition of OCPP whose rules count."""

    V16 = "1.6"
    V201 = "2.0.1"
    V21 = "2.1"


class Purpose(StrEnum):
    """What a profile is for, by the names of OCPP 2.1; 1.6 writes the first ``ChargePointMaxProfile``."""

    MAX = "ChargingStationMaxProfile"
    TX_DEFAULT = "TxDefaultProfile"
    TX = "TxProfile"
    EXTERNAL = "ChargingStationExternalConstraints"
    LOCAL_GENERATION = "LocalGeneration"
    PRIORITY = "PriorityCharging"


class Kind(StrEnum):
    """What the start of a schedule is counted from."""

    ABSOLUTE = "Absolute"
    RECURRING = "Recurring"
    RELATIVE = "Relative"
    DYNAMIC = "Dynamic"


class Unit(StrEnum):
    """Amperes per phase, or watts in total."""

    A = "A"
    W = "W"


class Recurrency(StrEnum):
    """How often a recurring schedule starts again."""

    DAILY = "Daily"
    WEEKLY = "Weekly"

    @property
    def period_s(self) -> float:
        """Seconds from one start to the next."""
        return 86_400.0 if self is Recurrency.DAILY else 604_800.0


@dataclass(frozen=True)
class Rate:
    """One figure for all phases, or ``l1`` with its own figures for the second and third (OCPP 2.1 K01.FR.145)."""

    l1: float
    l2: float | None = None
    l3: float | None = None

    @property
    def per_phase(self) -> bool:
        """Whether a phase has a figure of its own; then watts are of each phase."""
        return self.l2 is not None or self.l3 is not None


@dataclass(frozen=True)
class Period:
    """What holds from ``start_s`` after the start of the schedule to the next period.

    ``more`` is what came over the wire and counts for nothing here; it goes back unchanged.
    """

    start_s: float
    limit: Rate | None = None
    setpoint: Rate | None = None
    discharge: Rate | None = None
    number_phases: int | None = None
    phase_to_use: int | None = None
    operation_mode: str | None = None
    evse_sleep: bool = False
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def phases(self) -> int:
        """Phases that the period counts with."""
        return DEFAULT_PHASES if self.number_phases is None else self.number_phases

    @property
    def mode(self) -> str:
        """Operation mode, ``ChargingOnly`` when none is said (OCPP 2.1 K01.FR.110, standard-text)."""
        return "ChargingOnly" if self.operation_mode is None else self.operation_mode


@dataclass(frozen=True)
class SocLimit:
    """From a state of charge of ``soc_pct`` on no rate exceeds ``limit`` (OCPP 2.1 K01.FR.100, standard-text)."""

    soc_pct: float
    limit: float


@dataclass(frozen=True)
class Schedule:
    """Periods in order of time. ``min_rate`` only advises (OCPP 2.0.1 K01.FR.21, standard-text)."""

    unit: Unit
    periods: tuple[Period, ...]
    start: float | None = None
    duration_s: float = math.inf
    id: int | None = None
    min_rate: float | None = None
    use_local_time: bool = False
    randomized_delay_s: float = 0.0
    soc_limit: SocLimit | None = None
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Profile:
    """A charging profile; ``evse`` is where it was installed, 0 for the station as a whole.

    With ``use_local_time`` the ``start`` of a schedule counts local seconds since local 1970.
    """

    id: int
    stack: int
    purpose: Purpose
    kind: Kind
    schedules: tuple[Schedule, ...]
    evse: int = 0
    recurrency: Recurrency | None = None
    valid_from: float = -math.inf
    valid_to: float = math.inf
    transaction_id: str | int | None = None
    max_offline_s: float | None = None
    invalid_after_offline: bool = False
    dyn_update_time: float | None = None
    dyn_update_interval_s: float | None = None
    more: Mapping[str, Any] = field(default_factory=dict)

    def overlaps(self, other: Profile) -> bool:
        """Whether there is an instant at which both are valid."""
        return self.valid_from < other.valid_to and other.valid_from < self.valid_to
