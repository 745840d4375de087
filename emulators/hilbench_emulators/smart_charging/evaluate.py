"""What the installed profiles allow at an instant, why, and until when.

At each instant the profile of the highest stack level that has a period then speaks for its purpose, the outlet's own
before the station's. The limit is the least of what the station's maximum, an external constraint and the transaction
allow (OCPP 2.0.1 section K 3.5 and 3.6, 1.6 section 3.13; standard-text); locally generated power comes on top (2.1).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from hilbench_emulators.smart_charging.model import DEFAULT_PHASES, Period, Profile, Purpose, Rate, Schedule, Unit
from hilbench_emulators.smart_charging.rates import (
    Phases,
    amperes,
    flat,
    highest,
    limit_rate,
    lowest,
    setpoint_rate,
    total,
    watts,
)
from hilbench_emulators.smart_charging.selection import Selector, Situation, schedule_of
from hilbench_emulators.smart_charging.sharing import share
from hilbench_emulators.smart_charging.store import ProfileStore

_CAPS = (Purpose.MAX, Purpose.EXTERNAL)


@dataclass(frozen=True)
class Cause:
    """The profile and period that spoke for a purpose; ``decided`` when its limit is the one that holds on a phase."""

    purpose: Purpose
    profile_id: int
    evse: int
    stack: int
    period: int
    limit_a: Phases | None
    decided: bool = False


@dataclass(frozen=True)
class Decision:
    """What an outlet may do at an instant; None stands for no constraint.

    ``limit_w`` is the least total among limits given in watts. ``number_phases`` is the least of all periods that count
    (OCPP 2.1 K01.FR.140, standard-text), ``per_phase`` tells that one of them has figures for single phases.
    """

    limit_a: Phases | None = None
    limit_w: float | None = None
    setpoint_a: Phases | None = None
    discharge_a: Phases | None = None
    number_phases: int | None = None
    phase_to_use: int | None = None
    operation_mode: str | None = None
    per_phase: bool = False
    because: tuple[Cause, ...] = ()


@dataclass(frozen=True)
class Interval:
    """A decision and how long it holds."""

    start: float
    end: float
    decision: Decision


@dataclass(frozen=True)
class _Lead:
    """A period that speaks for its purpose."""

    profile: Profile
    schedule: Schedule
    index: int
    limit: Rate | None
    limit_a: Phases | None
    setpoint_a: Phases | None
    discharge_a: Phases | None

    @property
    def period(self) -> Period:
        return self.schedule.periods[self.index]

    def watts(self, voltage_v: float) -> float | None:
        """The total that a limit in watts gives."""
        if self.limit is None or self.limit_a is None or self.schedule.unit is not Unit.W:
            return None
        return watts(self.limit_a, self.period.phases, voltage_v) if self.limit.per_phase else self.limit.l1

    def cause(self, decided: bool) -> Cause:
        return Cause(
            self.profile.purpose,
            self.profile.id,
            self.profile.evse,
            self.profile.stack,
            self.index,
            self.limit_a,
            decided,
        )


class Evaluator:
    """Answers about the profiles of ``store``, none of which change it."""

    def __init__(self, store: ProfileStore) -> None:
        self.store = store
        self._select = Selector(store.options)

    def decide(self, evse: int, t: float, assumed: float | None = None) -> Decision:
        """What ``evse`` may do at ``t``; 0 asks for the station as a whole, as the grid sees it.

        Where no car charges, relative schedules count as if charging had begun at ``assumed``, or now.
        """
        if evse == 0:
            return self._whole(t, assumed)
        at = self.store.situation(evse, t if assumed is None else assumed)
        chosen = self._transaction(at, t)
        return self._combined([*self._leads(_CAPS, at, t), *chosen], self._leads((Purpose.LOCAL_GENERATION,), at, t))

    def station(self, t: float) -> Decision:
        """What the station's own maximum and external constraint leave, generation on top, whatever its outlets do."""
        at = self.store.situation(0, t)
        return self._combined(self._leads(_CAPS, at, t), self._leads((Purpose.LOCAL_GENERATION,), at, t))

    def next_change(self, evse: int, t: float, assumed: float | None = None) -> float:
        """The first instant after ``t`` at which the decision may differ; infinity when it never does of itself."""
        # A relative schedule of an idle outlet would begin now whenever one looks: it has no instant of its own.
        idle = math.inf if assumed is None else assumed
        outlets = (0, *self.store.facts.outlets) if evse == 0 else (evse,)
        return min((edge for outlet in outlets for edge in self._edges(outlet, t, idle)), default=math.inf)

    def explain(self, evse: int, t: float, duration_s: float) -> list[Interval]:
        """The decisions from ``t`` on for ``duration_s``, cut at every instant at which one may change."""
        found, at = list[Interval](), t
        while at < t + duration_s:
            end = min(self.next_change(evse, at, t), t + duration_s)
            found.append(Interval(at, end, self.decide(evse, at, t)))
            at = end
        return found

    def shared(self, t: float, wants_a: Mapping[int, float]) -> dict[int, float]:
        """Amperes for each outlet that wants some, within what the station may draw (OCPP 1.6 section 3.13.1).

        ``wants_a`` is per phase and within the outlet's own decision already. Phases are taken as equally loaded.
        """
        limit = self.station(t).limit_a
        cap_a = min(self.store.facts.max_a, math.inf if limit is None else min(limit))
        return share(cap_a, wants_a, self.store.options.minimum_a)

    def _edges(self, evse: int, t: float, idle: float) -> Iterator[float]:
        at = self.store.situation(evse, idle)
        for profile in self.store.profiles:
            if profile.evse in (0, evse):
                yield from self._select.edges(profile, at, t)

    def _transaction(self, at: Situation, t: float) -> list[_Lead]:
        """The one period that speaks for the transaction: priority charging, else its own, else the default."""
        outlet = self.store.outlets[at.evse]
        order = [Purpose.PRIORITY] if outlet.priority else []
        if outlet.transaction_id is not None:
            order.append(Purpose.TX)
        if outlet.transaction_id is not None or self.store.options.idle_default:
            order.append(Purpose.TX_DEFAULT)
        return next((found for purpose in order if (found := self._leads((purpose,), at, t))), [])

    def _leads(self, purposes: tuple[Purpose, ...], at: Situation, t: float) -> list[_Lead]:
        leads = (self._lead(purpose, at, t) for purpose in purposes)
        return [lead for lead in leads if lead is not None]

    def _lead(self, purpose: Purpose, at: Situation, t: float) -> _Lead | None:
        for profile in self.store.candidates(purpose, at.evse):
            # One of an earlier transaction may still be there: stored over a reboot, or kept by option.
            if purpose is Purpose.TX and profile.transaction_id not in (None, at.transaction_id):
                continue
            index = self._select.period_index(profile, at, t)
            if index is not None:
                return self._lead_of(profile, index, at)
        return None

    def _lead_of(self, profile: Profile, index: int, at: Situation) -> _Lead:
        schedule = schedule_of(profile, at)
        period, voltage_v = schedule.periods[index], self.store.facts.voltage_v
        limit = limit_rate(schedule, period, at.soc_pct)
        limit_a, setpoint_a, discharge_a = (
            amperes(rate, schedule.unit, period.phases, voltage_v)
            for rate in (limit, setpoint_rate(schedule, period, at.soc_pct), period.discharge)
        )
        return _Lead(profile, schedule, index, limit, limit_a, setpoint_a, discharge_a)

    def _combined(self, leads: list[_Lead], extra: list[_Lead]) -> Decision:
        if not leads:
            return Decision(because=tuple(lead.cause(False) for lead in extra))
        limit_a = lowest(lead.limit_a for lead in leads)
        discharge_a = highest(lead.discharge_a for lead in leads)
        periods, voltage_v = [lead.period for lead in leads], self.store.facts.voltage_v
        decision = Decision(
            limit_a=limit_a,
            limit_w=min((w for lead in leads if (w := lead.watts(voltage_v)) is not None), default=None),
            setpoint_a=_bounded(lowest(lead.setpoint_a for lead in leads), limit_a, discharge_a),
            discharge_a=discharge_a,
            number_phases=min(period.phases for period in periods),
            phase_to_use=next((period.phase_to_use for period in periods if period.phase_to_use is not None), None),
            operation_mode=periods[-1].mode,
            per_phase=any(period.limit is not None and period.limit.per_phase for period in periods),
            because=tuple(lead.cause(_decides(lead.limit_a, limit_a)) for lead in leads),
        )
        return _with_generation(decision, extra, voltage_v)

    def _whole(self, t: float, assumed: float | None) -> Decision:
        """The sum of what the outlets may draw, theirs by hardware where nothing limits, within the station's maximum.

        Single-phase outlets count on L1: which phase they are really wired to is not part of a profile.
        """
        facts, own = self.store.facts, self.station(t)
        decisions = {evse: self.decide(evse, t, assumed) for evse in facts.outlets}
        rates = [self._expected(evse, decision) for evse, decision in decisions.items()]
        caps = [flat(facts.max_a)] if own.limit_a is None else [own.limit_a, flat(facts.max_a)]
        limit_a = lowest([total(rates), *caps]) or flat(0.0)
        return replace(
            own,
            limit_a=limit_a,
            limit_w=watts(limit_a, DEFAULT_PHASES, facts.voltage_v),
            number_phases=max(outlet.phases for outlet in facts.outlets.values()),
            per_phase=any(decision.per_phase for decision in decisions.values()),
        )

    def _expected(self, evse: int, decision: Decision) -> Phases:
        outlet = self.store.facts.outlets[evse]
        most = flat(outlet.max_a)
        first, second, third = most if decision.limit_a is None else (lowest([most, decision.limit_a]) or most)
        return first, second if outlet.phases > 1 else 0.0, third if outlet.phases > 2 else 0.0


def _decides(limit_a: Phases | None, least: Phases | None) -> bool:
    return limit_a is not None and least is not None and any(a == b for a, b in zip(limit_a, least, strict=True))


def _bounded(setpoint: Phases | None, limit: Phases | None, discharge: Phases | None) -> Phases | None:
    """A set point within the limits of both directions (OCPP 2.1 K08.FR.08, standard-text)."""
    if setpoint is None:
        return None
    return highest([lowest([setpoint, limit]), discharge])


def _with_generation(decision: Decision, extra: list[_Lead], voltage_v: float) -> Decision:
    """Local generation on top of the limit (OCPP 2.1 section 3.6, standard-text)."""
    added = [lead.limit_a for lead in extra if lead.limit_a is not None]
    because = (*decision.because, *(lead.cause(False) for lead in extra))
    if decision.limit_a is None or not added:
        return replace(decision, because=because)
    more_w = sum(lead.watts(voltage_v) or 0.0 for lead in extra)
    return replace(
        decision,
        limit_a=total([decision.limit_a, *added]),
        limit_w=None if decision.limit_w is None else decision.limit_w + more_w,
        because=because,
    )
