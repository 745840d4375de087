"""Rates of periods as amperes on each of three phases, and how those of several profiles combine."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from hilbench_emulators.smart_charging.model import Period, Rate, Schedule, Unit

Phases = tuple[float, float, float]
"""Amperes on L1, L2 and L3."""
_SLACK = 1e-6  # of a floor to one decimal: 16.1 is stored as 16.0999...


def amperes(rate: Rate | None, unit: Unit, phases: int, voltage_v: float) -> Phases | None:
    """Amperes per phase of ``rate``; watts are split over ``phases``, whatever the outlet has.

    I = P / (V x numberPhases) with the nominal voltage (OCPP 2.0.1 K01.FR.50, 1.6 errata 3.34; standard-text). A rate
    with figures for single phases gives those of each phase, and that of the first where one is missing.
    """
    if rate is None:
        return None
    shares = 1 if rate.per_phase else phases
    per_a = voltage_v * shares if unit is Unit.W else 1.0
    l2 = rate.l1 if rate.l2 is None else rate.l2
    l3 = rate.l1 if rate.l3 is None else rate.l3
    return rate.l1 / per_a, l2 / per_a, l3 / per_a


def limit_rate(schedule: Schedule, period: Period, soc_pct: float | None) -> Rate | None:
    """The limit of a period, capped above a state of charge (OCPP 2.1 K01.FR.100, standard-text)."""
    cap = schedule.soc_limit
    if cap is None or soc_pct is None or soc_pct < cap.soc_pct:
        return period.limit
    return Rate(cap.limit) if period.limit is None else _each(min, period.limit, cap.limit)


def setpoint_rate(schedule: Schedule, period: Period, soc_pct: float | None) -> Rate | None:
    """The set point of a period, capped likewise."""
    cap = schedule.soc_limit
    if cap is None or soc_pct is None or soc_pct < cap.soc_pct or period.setpoint is None:
        return period.setpoint
    return _each(min, period.setpoint, cap.limit)


def _each(function: Callable[[float, float], float], rate: Rate, other: float) -> Rate:
    l2, l3 = (None if value is None else function(value, other) for value in (rate.l2, rate.l3))
    return Rate(function(rate.l1, other), l2, l3)


def lowest(rates: Iterable[Phases | None]) -> Phases | None:
    """The least on each phase of those that are given; None when none is."""
    given = [rate for rate in rates if rate is not None]
    return _by_phase(min, given) if given else None


def highest(rates: Iterable[Phases | None]) -> Phases | None:
    """The greatest on each phase: of discharge limits, which are negative, the one that allows least."""
    given = [rate for rate in rates if rate is not None]
    return _by_phase(max, given) if given else None


def total(rates: Iterable[Phases]) -> Phases:
    """The sum on each phase."""
    return _by_phase(math.fsum, list(rates))


def _by_phase(function: Callable[[list[float]], float], rates: list[Phases]) -> Phases:
    first, second, third = ([rate[phase] for rate in rates] for phase in range(3))
    return function(first), function(second), function(third)


def flat(value: float) -> Phases:
    """The same on all phases."""
    return value, value, value


def watts(rate: Phases, phases: int, voltage_v: float) -> float:
    """Total of the first ``phases`` phases."""
    return math.fsum(rate[:phases]) * voltage_v


def floored(value: float, step: float) -> float:
    """``value`` down to a multiple of ``step``; unchanged when the step is 0."""
    if step == 0 or math.isinf(value):
        return value
    return round(math.floor(value / step + _SLACK) * step, 9)
