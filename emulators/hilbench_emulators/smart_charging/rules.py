"""Why a station refuses a profile: one small check for each rule, in the order in which they are asked.

A check returns the refusal or None. Reason codes are those of the OCPP 2.1 appendix (standard-text); 1.6 sends only the
status.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from hilbench_emulators.smart_charging.facts import Facts, Outlet
from hilbench_emulators.smart_charging.model import Kind, Period, Profile, Purpose, Unit, Version
from hilbench_emulators.smart_charging.options import Options, Refusal, SameSlot
from hilbench_emulators.smart_charging.rates import amperes, highest, lowest

CHARGING_ONLY = frozenset({"ChargingOnly"})
SETPOINT_MODES = frozenset({"CentralSetpoint", "CentralFrequency"})
"""Operation modes whose set point the controller gives (OCPP 2.1 part 2 Q 2.2, standard-text)."""
_MODES = {
    Purpose.PRIORITY: CHARGING_ONLY,
    Purpose.MAX: CHARGING_ONLY,
    Purpose.LOCAL_GENERATION: CHARGING_ONLY | {"ExternalLimits"},
    Purpose.EXTERNAL: CHARGING_ONLY | {"ExternalLimits", "ExternalSetpoint"},
}
"""Operation modes of purposes that have not all of them (OCPP 2.1 K01.FR.111 to FR.113, standard-text)."""
STORED_BY_21 = frozenset({Purpose.MAX, Purpose.TX_DEFAULT, Purpose.PRIORITY})
"""Purposes that OCPP 2.1 keeps over a reboot (K01.FR.27, standard-text)."""


@dataclass(frozen=True)
class Answer:
    """What goes back: a status with a reason, or a CALLERROR of code ``call_error``."""

    status: str
    reason_code: str = ""
    description: str = ""
    call_error: str = ""

    @property
    def accepted(self) -> bool:
        """Whether it was done."""
        return self.status == "Accepted"


ACCEPTED = Answer("Accepted")


def rejected(reason_code: str, description: str) -> Answer:
    """A refusal by status."""
    return Answer("Rejected", reason_code, description)


def by_error(code: str, description: str) -> Answer:
    """A refusal by CALLERROR."""
    return Answer("", description=description, call_error=code)


@dataclass(frozen=True)
class Request:
    """A profile that wants in, and what it is judged by.

    ``active`` maps outlets to their transactions; ``t`` is now, ``last_set`` when a profile of the purpose came before;
    ``starting`` tells that the profile came with the request to start its transaction.
    """

    version: Version
    options: Options
    facts: Facts
    profile: Profile
    installed: tuple[Profile, ...]
    active: dict[int, str | int]
    t: float
    last_set: float
    starting: bool

    @property
    def old(self) -> bool:
        """Whether the rules of 1.6 count."""
        return self.version is Version.V16

    @property
    def periods(self) -> list[Period]:
        """Periods of all schedules."""
        return [period for schedule in self.profile.schedules for period in schedule.periods]

    def outlets(self) -> Iterator[Outlet]:
        """Those that the profile is about."""
        for number, outlet in self.facts.outlets.items():
            if self.profile.evse in (0, number):
                yield outlet


def slot_taken(request: Request, other: Profile) -> bool:
    """Whether ``other`` has the stack level, purpose and place of the new profile."""
    new = request.profile
    everywhere = request.old and not request.options.replace_per_connector
    same_place = everywhere or other.evse == new.evse
    return same_place and (other.stack, other.purpose) == (new.stack, new.purpose)


def replaced(request: Request) -> tuple[Profile, ...]:
    """Those that the new one takes the place of: by id (2.0.1 K01.FR.05), and by option by slot (1.6 5.16.2)."""
    by_slot = request.options.same_slot is SameSlot.REPLACE
    return tuple(
        other
        for other in request.installed
        if other.purpose is not Purpose.EXTERNAL
        and (other.id == request.profile.id or (by_slot and slot_taken(request, other)))
    )


def _supported(request: Request) -> Answer | None:
    return None if request.options.smart_charging else by_error("NotSupported", "no smart charging")


def _known_evse(request: Request) -> Answer | None:
    if request.profile.evse in (0, *request.facts.outlets):
        return None
    what = f"there is no outlet {request.profile.evse}"
    return by_error("PropertyConstraintViolation", what) if request.old else rejected("UnknownEvse", what)


def _purpose(request: Request) -> Answer | None:
    new = request.profile
    if new.purpose is Purpose.EXTERNAL:
        return rejected("InvalidProfile", "external constraints are not set by the CSMS")
    additional = new.purpose in (Purpose.PRIORITY, Purpose.LOCAL_GENERATION)
    if additional and (request.version is not Version.V21 or new.purpose not in request.options.purposes):
        return rejected("UnsupportedPurpose", f"{new.purpose.value} is not supported")
    if new.purpose is Purpose.MAX and new.evse != 0:
        return rejected("InvalidProfile", "a maximum is of the station, evse 0")
    if request.starting and (new.purpose is not Purpose.TX or new.transaction_id is not None):
        return rejected("InvalidProfile", "a transaction starts with a TxProfile without transactionId")
    return None


def _kind(request: Request) -> Answer | None:
    new, options = request.profile, request.options
    if new.kind is Kind.DYNAMIC and (request.version is not Version.V21 or not options.dynamic):
        return rejected("UnsupportedKind", "dynamic profiles are not supported")
    allowed = request.old and options.relative_max
    if new.purpose is Purpose.MAX and new.kind is Kind.RELATIVE and not allowed:
        return rejected("InvalidProfile", "a maximum cannot be relative")
    return None


def _start(request: Request) -> Answer | None:
    window_s = request.options.start_window_s
    if any(s.start is not None and abs(s.start - request.t) > window_s for s in request.profile.schedules):
        return rejected("InvalidSchedule", f"startSchedule is more than {window_s:g} s from now")
    kind, starts = request.profile.kind, [schedule.start for schedule in request.profile.schedules]
    optional = request.old and request.options.absolute_without_start
    if kind in (Kind.ABSOLUTE, Kind.RECURRING) and None in starts and not optional:
        return rejected("InvalidSchedule", f"{kind.value} needs startSchedule")
    if kind is Kind.RELATIVE and not request.old and any(start is not None for start in starts):
        return rejected("InvalidSchedule", "Relative has no startSchedule")
    return None


def _transaction(request: Request) -> Answer | None:
    new = request.profile
    if new.purpose is not Purpose.TX:
        return None
    if new.evse == 0:
        return _no_transaction(request, "a TxProfile is of one outlet", "InvalidProfile")
    if request.starting:
        return None
    if new.evse not in request.active:
        return _no_transaction(request, f"no transaction on outlet {new.evse}", "TxNotFound")
    if new.transaction_id is None:
        return None if request.old else rejected("MissingParam", "transactionId is missing")
    if new.transaction_id != request.active[new.evse]:
        return rejected("TxNotFound", f"no transaction {new.transaction_id} on outlet {new.evse}")
    return None


def _no_transaction(request: Request, what: str, reason: str) -> Answer:
    if request.old and request.options.tx_without_transaction is Refusal.CALL_ERROR:
        return by_error("PropertyConstraintViolation", what)
    return rejected(reason, what)


def _unit(request: Request) -> Answer | None:
    bad = [schedule.unit for schedule in request.profile.schedules if schedule.unit not in request.options.units]
    return rejected("UnsupportedRateUnit", f"{bad[0].value} is not supported") if bad else None


def _limits(request: Request) -> Answer | None:
    new, options = request.profile, request.options
    if new.stack > options.max_stack:
        return _over(request, "InvalidStackLevel", f"stackLevel is above {options.max_stack}")
    if any(len(schedule.periods) > options.max_periods for schedule in new.schedules):
        return _over(request, "TooManyElements", f"more than {options.max_periods} periods")
    leaving = len(replaced(request)) if options.count_after_replacement else 0
    count = sum(other.purpose is not Purpose.EXTERNAL for other in request.installed)
    if count - leaving >= options.max_profiles:
        return _over(request, "TooManyElements", f"{options.max_profiles} profiles are installed")
    return None


def _over(request: Request, reason: str, what: str) -> Answer:
    if request.old and request.options.over_limit is Refusal.CALL_ERROR:
        return by_error("PropertyConstraintViolation", what)
    return rejected(reason, what)


def _duplicate(request: Request) -> Answer | None:
    """2.0.1 K01.FR.52 and FR.53 of defaults on the station and on an outlet; FR.06 and FR.39 of the rest by option."""
    if request.old:
        return None
    new = request.profile
    for other in request.installed:
        alike = other.id != new.id and (other.stack, other.purpose) == (new.stack, new.purpose)
        if alike and new.purpose is Purpose.TX_DEFAULT and (other.evse == 0) != (new.evse == 0):
            return rejected("DuplicateProfile", f"profile {other.id} has this stackLevel on evse {other.evse}")
        refuse = request.options.same_slot is SameSlot.REJECT and alike and slot_taken(request, other)
        if refuse and (new.purpose is Purpose.TX or new.overlaps(other)):
            return rejected("DuplicateProfile", f"profile {other.id} has this stackLevel and purpose")
    return None


def _reserved(request: Request) -> Answer | None:
    """An id of an external constraint cannot be taken (2.0.1 K01.FR.05, K11.FR.06)."""
    if any(other.id == request.profile.id and other.purpose is Purpose.EXTERNAL for other in request.installed):
        return rejected("InvalidProfileId", "the id is that of an external constraint")
    return None


def _duration(request: Request) -> Answer | None:
    if request.options.refuse_zero_duration and any(s.duration_s == 0 for s in request.profile.schedules):
        return rejected("InvalidSchedule", "duration is 0")
    return None


def _count(request: Request) -> Answer | None:
    if len(request.profile.schedules) > 1 and not request.options.many_schedules:
        return rejected("InvalidSchedule", "more than one chargingSchedule")
    return None


def _phases(request: Request) -> Answer | None:
    if request.old:
        return None
    for period in request.periods:
        if period.phase_to_use is not None and period.number_phases != 1:
            return rejected("InvalidSchedule", "phaseToUse goes with numberPhases 1 only")
        for outlet in request.outlets():
            found = _dc_phases(request, period) if outlet.dc else _ac_phases(request.options, period, outlet)
            if found is not None:
                return found
    return None


def _dc_phases(request: Request, period: Period) -> Answer | None:
    """2.0.1 K01.FR.44 lets a DC outlet ignore phases, 2.1 refuses them unless it can choose its input phases."""
    said = period.number_phases is not None or period.phase_to_use is not None
    if said and request.version is Version.V21 and not request.options.dc_input_phases:
        return rejected("NoPhaseForDC", "a DC outlet has no phases to choose")
    return None


def _ac_phases(options: Options, period: Period, outlet: Outlet) -> Answer | None:
    """2.0.1 K01.FR.43, FR.45 and FR.48."""
    phases = period.number_phases
    if phases is not None and phases > outlet.phases and not options.more_phases:
        return rejected("InvalidSchedule", f"the outlet has {outlet.phases} phases")
    if phases is not None and phases < outlet.phases and not options.fewer_phases:
        return rejected("InvalidSchedule", f"the outlet cannot hold {phases} of {outlet.phases} phases")
    if period.phase_to_use is not None and not options.choose_phase and (outlet.phases, period.phase_to_use) != (1, 1):
        return rejected("InvalidSchedule", "the phase cannot be chosen")
    return None


def _first(checks: Iterable[Callable[[Request], Answer | None]], request: Request) -> Answer | None:
    return next((found for ask in checks if (found := ask(request)) is not None), None)


def _only_21(request: Request) -> Answer | None:
    return _first(_CHECKS_21, request) if request.version is Version.V21 else None


def _ids(request: Request) -> Answer | None:
    highest = request.options.max_external_id
    if highest is not None and request.profile.id <= highest:
        return rejected("InvalidProfileId", f"ids up to {highest} are the station's own")
    return None


def _rate_limit(request: Request) -> Answer | None:
    least_s = request.options.update_rate_limit_s
    stored = request.profile.purpose in STORED_BY_21 | request.options.persistent
    wait_s = 0.0 if least_s is None else request.last_set + least_s - request.t
    if stored and wait_s > 0:
        # The wording of the description is that of 2.1 K01.FR.57 (errata 2025-09, standard-text).
        return rejected("RateLimitExceeded", f"{math.ceil(wait_s)} seconds before retry")
    return None


def _priority(request: Request) -> Answer | None:
    if request.profile.purpose is not Purpose.PRIORITY:
        return None
    if any(math.isfinite(schedule.duration_s) for schedule in request.profile.schedules):
        return rejected("InvalidSchedule", "priority charging has no duration")
    if any(period.mode != "ChargingOnly" for period in request.periods):
        return rejected("InvalidSchedule", "priority charging is ChargingOnly")
    return None


def _dynamic(request: Request) -> Answer | None:
    new = request.profile
    if new.kind is not Kind.DYNAMIC:
        if new.dyn_update_time is not None or new.dyn_update_interval_s is not None:
            return rejected("InvalidProfile", "dynUpdateTime and dynUpdateInterval are of dynamic profiles only")
        return None
    if len(new.schedules) != 1 or len(request.periods) != 1:
        return rejected("InvalidSchedule", "a dynamic profile has one schedule of one period")
    return None


def _features(request: Request) -> Answer | None:
    new, options = request.profile, request.options
    delayed = any(schedule.randomized_delay_s > 0 for schedule in new.schedules)
    wanted = {
        "useLocalTime": any(schedule.use_local_time for schedule in new.schedules) and not options.local_time,
        "randomizedDelay": delayed and not options.randomized_delay,
        "limitAtSoC": any(schedule.soc_limit for schedule in new.schedules) and not options.limit_at_soc,
        "evseSleep": any(period.evse_sleep for period in request.periods) and not options.evse_sleep,
    }
    missing = [name for name, bad in wanted.items() if bad]
    if missing:
        return rejected("InvalidSchedule", f"{missing[0]} is not supported")
    if delayed and new.purpose not in (Purpose.TX, Purpose.TX_DEFAULT):
        return rejected("InvalidSchedule", "randomizedDelay is of TxProfile and TxDefaultProfile only")
    return None


def _modes(request: Request) -> Answer | None:
    supported = request.options.operation_modes | CHARGING_ONLY
    bad = [*strange_modes(request.profile), *(p.mode for p in request.periods if p.mode not in supported)]
    return rejected("InvalidOperationMode", f"operationMode {bad[0]} is not allowed") if bad else None


def strange_modes(profile: Profile) -> list[str]:
    """Operation modes of its periods that are none of its purpose."""
    modes = [period.mode for schedule in profile.schedules for period in schedule.periods]
    return [mode for mode in modes if mode not in _MODES.get(profile.purpose, modes)]


def _phase_conflict(request: Request) -> Answer | None:
    limits = [period.limit for period in request.periods if period.limit is not None and period.limit.per_phase]
    if limits and request.profile.purpose is not Purpose.TX:
        return rejected("PhaseConflict", "limits of single phases are of a TxProfile only")
    if lacks_first_phase(request.profile):
        return rejected("PhaseConflict", "figures of single phases need that of the first")
    return _other_phase(request)


def lacks_first_phase(profile: Profile) -> bool:
    """Whether a later phase has a figure where the first has none (OCPP 2.1 K01.FR.145, standard-text)."""
    rates = (
        rate
        for schedule in profile.schedules
        for period in schedule.periods
        for rate in (period.limit, period.setpoint, period.discharge)
    )
    return any(rate is not None and math.isnan(rate.l1) for rate in rates)


def _other_phase(request: Request) -> Answer | None:
    """2.1 K01.FR.141: another profile that acts on the same outlet names another phase."""
    asked = {period.phase_to_use for period in request.periods} - {None}
    new = request.profile
    for other in request.installed:
        meets = other.id != new.id and (new.evse == 0 or other.evse in (0, new.evse)) and new.overlaps(other)
        used = {p.phase_to_use for schedule in other.schedules for p in schedule.periods} - {None}
        if meets and asked and used and asked != used:
            return rejected("PhaseConflict", f"profile {other.id} uses another phase")
    return None


def _setpoints(request: Request) -> Answer | None:
    """A set point where the mode needs one (2.1 part 2 Q 2.2), and within its own limits (V2X.05; standard-text)."""
    for period in request.periods:
        if period.mode in SETPOINT_MODES and period.setpoint is None:
            return rejected("InvalidSchedule", f"{period.mode} needs a setpoint")
        if not _encloses(period):
            return rejected("InvalidSchedule", "setpoint is not between dischargeLimit and limit")
    return None


def _encloses(period: Period) -> bool:
    """Whether the set point of a period lies between its limits, on every phase."""
    point, top, floor = (amperes(rate, Unit.A, 1, 1.0) for rate in (period.setpoint, period.limit, period.discharge))
    if point is None:
        return True
    return lowest([point, top]) == point == highest([point, floor])


_CHECKS_21 = (_ids, _rate_limit, _priority, _dynamic, _features, _modes, _setpoints, _phase_conflict)
_CHECKS = (
    *(_supported, _known_evse, _purpose, _kind, _transaction, _unit, _limits, _start, _duration, _count, _phases),
    *(_only_21, _reserved, _duplicate),
)


def check(request: Request) -> Answer | None:
    """The first refusal, or None when the profile may be installed."""
    return _first(_CHECKS, request)
