"""What stations do differently where OCPP leaves room: one knob each, with the choice that we stand for.

Sources: "standard-text" restates the OCA documents, "observed" is what public implementations do by their tests
(EVerest, MicroOcpp, open-ocpp; ``ocpp.md`` section 1.5), "chosen" is ours where neither decides.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from hilbench_emulators.smart_charging.model import Purpose, Unit, Version
from hilbench_emulators.smart_charging.times import Zone


class Gap(StrEnum):
    """How a composite schedule shows an interval in which no profile counts."""

    HARDWARE = "hardware"
    """What the outlet can carry (chosen)."""
    FILL = "fill"
    """A fixed figure of ``gap_fill_a`` or ``gap_fill_w`` (observed: EVerest, 48 A or 33120 W)."""
    MINUS_ONE = "minus one"
    """-1 (observed: MicroOcpp)."""
    REJECT = "reject"
    """No schedule at all (observed: open-ocpp, SAP simulator)."""
    SHORTEN = "shorten"
    """Only the first stretch without gaps, start moved and duration cut (observed: open-ocpp)."""


class Refusal(StrEnum):
    """Form of a refusal that OCPP 1.6 leaves open."""

    REJECTED = "Rejected"
    CALL_ERROR = "PropertyConstraintViolation"


class StationComposite(StrEnum):
    """What the composite schedule of connector or EVSE 0 is."""

    TOTAL = "total"
    """What all outlets together may draw, capped by its profiles (standard-text: 2.0.1 K08.FR.04, 1.6 5.7)."""
    OWN = "own"
    """The station's own profiles alone (observed)."""
    REJECT = "reject"
    """Refused (observed: steve #44, mobilityhouse/ocpp #444)."""


class RelativeFrom(StrEnum):
    """What a relative schedule is counted from."""

    POWER_PATH = "power path"
    """The moment at which energy can flow (standard-text: 2.1 K01.FR.42)."""
    TRANSACTION = "transaction"
    """The start of the transaction."""


class SameSlot(StrEnum):
    """What happens to a profile with the stack level and purpose of another one with a different id."""

    REPLACE = "replace"
    """It takes its place (standard-text: 1.6 5.16.2)."""
    REJECT = "reject"
    """It is refused when both can be valid at once (observed: EVerest for 2.x; 2.0.1 K01.FR.06 binds the CSMS only)."""


Delay = Callable[[str | int | None, int, int, float], float]
"""Seconds by which a period is put off, given transaction, profile id, index of the period and the most it may be."""


def no_delay(transaction_id: str | int | None, profile_id: int, period: int, most_s: float) -> float:
    """Start every period in time."""
    del transaction_id, profile_id, period, most_s
    return 0.0


@dataclass(frozen=True)
class Options:
    """Knobs of a station's smart charging; :func:`options_for` gives the defaults of a version."""

    smart_charging: bool = True
    """False answers every request with CALLERROR NotSupported (standard-text: 2.0.1 K01.FR.29)."""
    units: frozenset[Unit] = frozenset(Unit)
    """Units that are accepted (standard-text: 1.6 ChargingScheduleAllowedChargingRateUnit, 2.0.1 K01.FR.26)."""
    default_unit: Unit = Unit.A
    """Unit of a composite schedule that is asked for without one (standard-text: the station's choice)."""
    max_stack: int = 10
    """Highest stack level (standard-text: 1.6 ChargeProfileMaxStackLevel, 2.x ProfileStackLevel; figure chosen)."""
    max_periods: int = 100
    """Most periods of a schedule (standard-text: 1.6 ChargingScheduleMaxPeriods; figure chosen)."""
    max_profiles: int = 100
    """Most installed profiles (standard-text: 1.6 MaxChargingProfilesInstalled; figure chosen)."""
    count_after_replacement: bool = True
    """Whether a replacement fits into a full station (chosen; observed: EVerest 1.6 refuses it)."""
    over_limit: Refusal = Refusal.REJECTED
    """Form of the answer beyond one of the limits in 1.6 (standard-text: not said)."""
    tx_without_transaction: Refusal = Refusal.REJECTED
    """Form of the answer to a 1.6 TxProfile without transaction (observed: TC_058_1 takes either)."""
    same_slot: SameSlot = SameSlot.REPLACE
    """See :class:`SameSlot`."""
    replace_per_connector: bool = True
    """Whether a 1.6 profile replaces only on its own connector (chosen: else a default per connector cannot exist)."""
    absolute_without_start: bool = True
    """Whether an absolute 1.6 schedule without start is relative (standard-text: 1.6 7.13; observed: EVerest no)."""
    start_window_s: float = math.inf
    """Farthest that startSchedule may be from now, either way (standard-text: no bound; for stations with one)."""
    relative_max: bool = True
    """Whether 1.6 takes a relative maximum (standard-text: not forbidden; 2.x forbids it in K01.FR.38)."""
    refuse_zero_duration: bool = False
    """Whether a schedule of 0 s is refused instead of being without effect (observed: EVerest #1169 asks)."""
    many_schedules: bool = True
    """Whether 2.x takes more than one schedule (standard-text: K01.FR.34 allows it with ISO 15118 only)."""
    more_phases: bool = True
    """Whether numberPhases beyond those of the outlet is accepted, limit unchanged (standard-text: K01.FR.45 MAY)."""
    fewer_phases: bool = True
    """Whether the station can hold numberPhases below its own (standard-text: Phases3to1, K01.FR.43)."""
    choose_phase: bool = False
    """Whether the phase can be chosen (standard-text: ACPhaseSwitchingSupported, K01.FR.46 and FR.48)."""
    dc_input_phases: bool = False
    """Whether a DC outlet takes phases (standard-text: 2.1 DCInputPhaseControl, K01.FR.44)."""
    backwards: bool = False
    """Whether recurrences reach back before the start (standard-text: no, K01.FR.30; observed: EVerest yes)."""
    relative_from: RelativeFrom = RelativeFrom.POWER_PATH
    """See :class:`RelativeFrom`."""
    idle_default: bool = True
    """Whether TxDefaultProfiles count without a transaction (standard-text: 2.0.1 K08.FR.03; 1.6 silent)."""
    keep_unused: bool = False
    """Whether TxProfiles outlast their transaction (standard-text: 1.6 SHOULD delete them)."""
    rounding: float = 0.1
    """Step to which composite limits are rounded down (standard-text: 1.6 multipleOf 0.1; down is chosen)."""
    gap: Gap = Gap.HARDWARE
    """See :class:`Gap`."""
    gap_fill_a: float = 48.0
    """Amperes of :attr:`Gap.FILL` (observed: EVerest)."""
    gap_fill_w: float = 33_120.0
    """Watts of :attr:`Gap.FILL` (observed: EVerest)."""
    cap_by_hardware: bool = True
    """Whether limits of a composite schedule end at what the hardware carries (chosen; 2.0.1 allows local limits)."""
    empty_composite: bool = True
    """Whether there is a composite schedule with nothing installed (standard-text: 2.0.1 K08.FR.02, TC_K_39)."""
    station_composite: StationComposite = StationComposite.TOTAL
    """See :class:`StationComposite`."""
    start_in_answer: bool = False
    """Whether the schedule of a 1.6 answer has a startSchedule (standard-text: errata 3.57 no; observed: most do)."""
    minimum_a: float = 6.0
    """Below this a shared maximum gives an outlet nothing (IEC 61851-1 lowest duty; 0 switches it off)."""
    zone: Zone = field(default_factory=Zone)
    """Local time (standard-text: 2.1 K01.FR.90)."""
    delay: Delay = no_delay
    """Randomised delay; to be fixed for a transaction it may depend on nothing but its arguments (2.1 K01.FR.93)."""
    purposes: frozenset[Purpose] = frozenset({Purpose.PRIORITY, Purpose.LOCAL_GENERATION})
    """Additional purposes of 2.1 (standard-text: SupportedAdditionalPurposes, K01.FR.120)."""
    dynamic: bool = True
    """Whether 2.1 takes dynamic profiles (standard-text: SupportsDynamicProfiles, K01.FR.121)."""
    local_time: bool = True
    """Whether 2.1 takes useLocalTime (standard-text: SupportsUseLocalTime, K01.FR.123)."""
    randomized_delay: bool = True
    """Whether 2.1 takes randomizedDelay (standard-text: SupportsRandomizedDelay, K01.FR.124)."""
    limit_at_soc: bool = True
    """Whether 2.1 takes limitAtSoC (standard-text: SupportsLimitAtSoC, K01.FR.125)."""
    evse_sleep: bool = False
    """Whether 2.1 takes evseSleep (standard-text: SupportsEvseSleep, K01.FR.126)."""
    operation_modes: frozenset[str] = frozenset({"ChargingOnly"})
    """Operation modes that 2.1 takes (standard-text: V2XSupportedOperationModes, K01.FR.115)."""
    max_external_id: int | None = None
    """Highest id that is the station's own in 2.1 (standard-text: MaxExternalConstraintsId, K01.FR.81)."""
    update_rate_limit_s: float | None = None
    """Seconds between two profiles of a stored purpose in 2.1 (standard-text: K01.FR.56)."""
    persistent: frozenset[Purpose] = frozenset()
    """Purposes that 2.1 keeps over a reboot beyond those it must (standard-text: K01.FR.27 and FR.55)."""


def options_for(version: Version) -> Options:
    """What the text of a version suggests."""
    if version is Version.V16:
        return Options(relative_from=RelativeFrom.TRANSACTION)
    return Options(same_slot=SameSlot.REJECT)
