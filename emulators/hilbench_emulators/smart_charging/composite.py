"""Composite schedules: what an outlet or the station may draw over a time, for GetCompositeSchedule."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from hilbench_emulators.smart_charging.evaluate import Decision, Evaluator, Interval
from hilbench_emulators.smart_charging.facts import Outlet
from hilbench_emulators.smart_charging.model import DEFAULT_PHASES, Period, Rate, Unit, Version
from hilbench_emulators.smart_charging.options import Gap, Options, StationComposite
from hilbench_emulators.smart_charging.rates import Phases, flat, floored, lowest, watts
from hilbench_emulators.smart_charging.read import whole, write_period
from hilbench_emulators.smart_charging.times import timestamp

MOST_PERIODS = 1024
"""Periods of an answer: as many as a ChargingSchedule of 2.x may have (2.0.1 part 2, standard-text). Recurring profiles
would fill a year with so many that the message is longer than controllers take."""


@dataclass(frozen=True)
class Composite:
    """A schedule from ``start`` on; its periods carry limits in ``unit``, rounded down."""

    evse: int
    start: float
    duration_s: float
    unit: Unit
    periods: tuple[Period, ...]

    def wire(self, version: Version, *, with_start: bool = False) -> dict[str, Any]:
        """The ``charging_schedule`` of a 1.6 answer, or the ``schedule`` of a 2.x one.

        In 1.6 ``startSchedule`` is left out (errata 3.57, standard-text) unless ``with_start``.
        """
        schedule = {
            "duration": whole(self.duration_s),
            "charging_rate_unit": self.unit.value,
            "charging_schedule_period": [write_period(period) for period in _whole_seconds(self.periods)],
        }
        if version is Version.V16:
            return schedule | ({"start_schedule": timestamp(self.start)} if with_start else {})
        return schedule | {"evse_id": self.evse, "schedule_start": timestamp(self.start)}


def composite(
    evaluator: Evaluator, evse: int, t: float, duration_s: float, unit: Unit | None = None
) -> Composite | None:
    """The composite schedule of ``evse`` from ``t`` on; None is the status Rejected.

    Rejected are unknown outlets, units that the station does not take, and what options refuse (2.0.1 K08.FR.02 to
    FR.07, 1.6 5.7; standard-text). It ends before its time where it would have more than ``MOST_PERIODS``.
    """
    options = evaluator.store.options
    unit = options.default_unit if unit is None else unit
    if not _possible(evaluator, evse, unit) or duration_s <= 0:
        return None
    intervals = _intervals(evaluator, evse, t, duration_s)
    gap = options.gap if evse else Gap.HARDWARE
    if gap is Gap.REJECT and any(interval.decision.limit_a is None for interval in intervals):
        return None
    if gap is Gap.SHORTEN:
        intervals = _first_stretch(intervals)
        if not intervals:
            return None
    form = _Form(options, _outlet(evaluator, evse), evaluator.store.facts.voltage_v, unit, gap)
    start, end = intervals[0].start, intervals[-1].end
    periods = tuple(islice(_merged(form, intervals), MOST_PERIODS + 1))
    if len(periods) > MOST_PERIODS:
        return Composite(evse, start, periods[-1].start_s, unit, periods[:-1])
    return Composite(evse, start, end - start, unit, periods)


def _possible(evaluator: Evaluator, evse: int, unit: Unit) -> bool:
    store = evaluator.store
    if evse not in (0, *store.facts.outlets) or unit not in store.options.units or not store.options.smart_charging:
        return False
    if evse == 0 and store.options.station_composite is StationComposite.REJECT:
        return False
    acting = any(evse == 0 or profile.evse in (0, evse) for profile in store.profiles)
    return acting or store.options.empty_composite


def _intervals(evaluator: Evaluator, evse: int, t: float, duration_s: float) -> list[Interval]:
    found = evaluator.explain(evse, t, duration_s)
    if evse == 0 and evaluator.store.options.station_composite is StationComposite.OWN:
        return [replace(interval, decision=evaluator.station(interval.start)) for interval in found]
    return found


def _first_stretch(intervals: list[Interval]) -> list[Interval]:
    """The first intervals in a row that have a limit."""
    found = list[Interval]()
    for interval in intervals:
        if interval.decision.limit_a is not None:
            found.append(interval)
        elif found:
            break
    return found


def _outlet(evaluator: Evaluator, evse: int) -> Outlet:
    """The hardware of an outlet within that of the station, or all outlets as one."""
    facts = evaluator.store.facts
    if evse:
        outlet = facts.outlets[evse]
        return replace(outlet, max_a=min(outlet.max_a, facts.max_a))
    every = facts.outlets.values()
    most_a = math.fsum(outlet.max_a for outlet in every)
    return Outlet(max(outlet.phases for outlet in every), min(most_a, facts.max_a))


@dataclass(frozen=True)
class _Form:
    """How a decision is written."""

    options: Options
    outlet: Outlet
    voltage_v: float
    unit: Unit
    gap: Gap

    def period(self, decision: Decision) -> Period:
        phases = self.phases(decision)
        if decision.limit_a is None and self.gap in (Gap.FILL, Gap.MINUS_ONE):
            limit = Rate(self.filled())
        else:
            limit = self.rate(self.capped(decision.limit_a), phases, decision.per_phase)
        return Period(
            0.0,
            limit,
            setpoint=self.optional(decision.setpoint_a, phases, decision),
            discharge=self.discharge(decision, phases),
            number_phases=phases,
            phase_to_use=decision.phase_to_use,
            operation_mode=None if decision.operation_mode == "ChargingOnly" else decision.operation_mode,
        )

    def phases(self, decision: Decision) -> int:
        said = DEFAULT_PHASES if decision.number_phases is None else decision.number_phases
        return min(said, self.outlet.phases)

    def filled(self) -> float:
        if self.gap is Gap.MINUS_ONE:
            return -1.0
        return self.options.gap_fill_a if self.unit is Unit.A else self.options.gap_fill_w

    def capped(self, limit_a: Phases | None) -> Phases:
        most = flat(self.outlet.max_a)
        if limit_a is None:
            return most
        return lowest([limit_a, most]) or most if self.options.cap_by_hardware else limit_a

    def discharge(self, decision: Decision, phases: int) -> Rate | None:
        """Negative, and rounded so that it allows no more than before."""
        if decision.discharge_a is None:
            return None
        first, second, third = decision.discharge_a
        made = self.rate((-first, -second, -third), phases, decision.per_phase)
        return Rate(-made.l1, None if made.l2 is None else -made.l2, None if made.l3 is None else -made.l3)

    def optional(self, rate_a: Phases | None, phases: int, decision: Decision) -> Rate | None:
        return None if rate_a is None else self.rate(rate_a, phases, decision.per_phase)

    def rate(self, rate_a: Phases, phases: int, per_phase: bool) -> Rate:
        step = self.options.rounding
        if not per_phase:
            value = rate_a[0] if self.unit is Unit.A else watts(rate_a, phases, self.voltage_v)
            return Rate(floored(value, step))
        per_a = 1.0 if self.unit is Unit.A else self.voltage_v
        l1, l2, l3 = (floored(value * per_a, step) for value in rate_a)
        return Rate(l1, l2 if phases > 1 else None, l3 if phases > 2 else None)


def _merged(form: _Form, intervals: list[Interval]) -> Iterator[Period]:
    """Periods of the intervals, equal neighbours as one."""
    last: Period | None = None
    for interval in intervals:
        period = form.period(interval.decision)
        if period != last:
            yield replace(period, start_s=interval.start - intervals[0].start)
        last = period


def _whole_seconds(periods: tuple[Period, ...]) -> Iterator[Period]:
    """Periods on whole seconds; of those within one second the last stands for all."""
    by_second = {float(math.floor(period.start_s)): period for period in periods}
    yield from (replace(period, start_s=start_s) for start_s, period in by_second.items())
