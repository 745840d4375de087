"""From a metric's name to a judged measurement: which signals, which window, which limit, which uncertainty.

The arithmetic is in ``hilbench.metrics``, the limits in ``hilbench.requirements``; this module only brings the
recorded signals of the running bench to both. Every extractor answers with the worst node and line, and says which.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from hilbench import clock
from hilbench.bench import Bench
from hilbench.errors import InputError
from hilbench.measuring import (
    costs,
    dc,
    documents,
    exposures,
    fallbacks,
    grid_limits,
    pilots,
    responses,
    shares,
    two_way,
    unbalances,
)
from hilbench.measuring.context import site_context
from hilbench.measuring.window import Extractor, Reading, Took, Window
from hilbench.metrics.catalogue import METRICS
from hilbench.requirements import load_requirements
from hilbench.signals import Event
from hilbench.verdict import Measurement, measurement

EXTRACTORS: dict[str, Extractor] = {
    "branch_ratio": documents.branch_ratio,
    "setting_ratio": documents.setting_ratio,
    "fallback_ratio": documents.fallback_ratio,
    "time_above_budget": exposures.against("budget", "longest_s"),
    "ampere_seconds_above_budget": exposures.against("budget", "worst_ampere_seconds"),
    "share_above_budget": exposures.against("budget", "share_above"),
    "time_above_rating": exposures.against("rating", "longest_s"),
    "ampere_seconds_above_rating": exposures.against("rating", "worst_ampere_seconds"),
    "peak_ratio": exposures.peak_ratio,
    "breaker_fraction": exposures.breaker_fraction,
    "transformer_hot_spot_c": exposures.transformer_hot_spot,
    "dead_time": responses.step("dead_time_s"),
    "t90": responses.step("t90_s"),
    "settling_time": responses.step("settling_s"),
    "overshoot_a": responses.step("overshoot"),
    "recovery_time": shares.recovery_time,
    "recovery_overshoot": exposures.recovery_overshoot,
    "resume_time": responses.resume_time,
    "false_shed": responses.false_shed,
    "reversals_per_hour": responses.reversals,
    "utilisation": shares.utilisation,
    "jain_index": shares.jain,
    "minimum_offer_a": responses.minimum_offer,
    "starvation_time": shares.starvation,
    "energy_satisfaction": shares.energy_satisfaction,
    "fallback_entry_time": fallbacks.fallback_entry,
    "fallback_level": fallbacks.fallback_level,
    "fallback_exit_time": fallbacks.fallback_exit,
    "boot_peak": fallbacks.boot_peak,
    "peak_import_kw": two_way.peak_import,
    "export_excess_kw": two_way.export_excess,
    "export_excess_time": two_way.export_excess_time,
    "given_kw": two_way.given,
    "least_soc": two_way.least_soc,
    "energy_at_departure": two_way.energy_at_departure,
    "limit_entry_time": grid_limits.entry_time,
    "time_above_limit": grid_limits.time_above,
    "limit_use": grid_limits.use,
    "rebound_ratio": grid_limits.rebound_ratio,
    "rebound_ramp": grid_limits.rebound_ramp,
    "limit_recovery_time": grid_limits.recovery_time,
    "unbalance_kva": unbalances.unbalance_kva,
    "cost_ratio": costs.cost_ratio,
    "pilot_duty_error": pilots.duty_error,
    "pilot_frequency_error": pilots.frequency_error,
    "pilot_level_error": pilots.level_error,
    "pilot_change_spacing": pilots.change_spacing,
    "pilot_gaps": pilots.gaps,
    "pilot_command_time": pilots.given,
    "pwm_off_time": pilots.given,
    "state_f_time": pilots.given,
    "unplug_open_time": pilots.given,
    "ev_reaction_time": pilots.reaction_time,
    "contactor_close_time": pilots.given,
    "contactor_open_time": pilots.given,
    "contactor_forced_time": pilots.given,
    "fault_open_time": pilots.given,
    "wake_up_time": pilots.given,
    "wake_up_pulse": pilots.given,
    "dc_offer_time": dc.offer_time,
    "dc_request_time": dc.following("request"),
    "dc_output_time": dc.following("output"),
    "dc_zero_time": dc.zero_time,
    "dc_grid_time": dc.grid_time,
    "dc_excess_a": dc.excess,
    "dc_sessions_lost": dc.sessions_lost,
    "dc_resume_time": dc.resume_time,
    "dc_cabinet_share": dc.cabinet_share,
    "dc_cabinet_load": dc.cabinet_load,
    "dc_wrong_way_w": dc.fed,
    "dc_give_time": dc.give_time,
    "dc_give_excess": dc.give_excess,
    "dc_silence_time": dc.zero_time,
    "dc_unallowed_w": dc.fed,
}
"""How each metric of the catalogue is taken from a bench."""


class Measure:
    """Measures by name and keeps what was found; ``results`` is in the order of the calls."""

    def __init__(self, bench: Bench, procedure: str = "") -> None:
        self._bench = bench
        self._procedure = procedure
        self._requirements = load_requirements(bench.rig.site.requirements)
        self.results: list[Measurement] = []

    def __call__(
        self,
        metric: str,
        *,
        since: Event | float | None = None,
        until: Event | float | None = None,
        timeout_s: float | None = None,
        note: str = "",
        **parameters: Any,
    ) -> Measurement:
        """Measure ``metric`` between two events or times (default: the whole record, until now) and judge it.

        Of several nodes, lines or stations the worst counts; the instrument's record that it was read from is kept.
        ``timeout_s`` replaces the rig's fallback time-out in limits that name it; ``parameters`` (``roles``, ``lines``,
        ``lost``, ``limit``) narrow what is looked at. Raises ``InputError`` for a metric that does not exist.
        """
        if metric not in EXTRACTORS:
            raise InputError("measure", f"no metric {metric!r}; there are {', '.join(EXTRACTORS)}")
        start, stop = _time_of(since, self._first_time()), _time_of(until, clock.time())
        window = Window(self._bench, self._requirements, start, stop, parameters)
        context = self._context(timeout_s)
        readings = EXTRACTORS[metric](window) or [Reading(math.nan, 0.0, "nothing was recorded to measure")]
        found = [(self._judged(window, metric, reading, context, note), reading) for reading in readings]
        worst, reading = max(found, key=lambda pair: _badness(pair[0]))
        names = filter(None, map(self._bench.record.keep, reading.shots))
        self.results.append(replace(worst, records=tuple(names)))
        return self.results[-1]

    def took(self, metric: str, took: Took | None, note: str) -> None:
        """Measure ``metric`` by what a procedure has watched; nothing where it could not see it."""
        if took is not None:
            self(metric, since=took.begun_s, value=took.seconds, uncertainty=took.uncertainty_s, note=note)

    def _judged(
        self, window: Window, metric: str, reading: Reading, context: dict[str, float], note: str
    ) -> Measurement:
        merged = {**context, **reading.context}
        clause = self._requirements.find(metric, self._procedure, merged) if reading.judged else None
        words = "; ".join(filter(None, (note, reading.note)))
        value = None if math.isnan(reading.value) else reading.value
        span = (window.start, window.stop)
        return measurement(
            metric, value, reading.uncertainty, clause, merged,
            note=words, signals=reading.signals, window=span, budget=reading.budget,
        )  # fmt: skip

    def _context(self, timeout_s: float | None) -> dict[str, float]:
        known = site_context(self._bench.rig, self._requirements)
        return known if timeout_s is None else {**known, "timeout_s": timeout_s}

    def _first_time(self) -> float:
        starts = [signal.rows(0, 1)[0] for signal in self._bench.record.signals.values() if len(signal)]
        return min((float(t[0]) for t in starts), default=0.0)


def _time_of(given: Event | float | None, default: float) -> float:
    if given is None:
        return default
    return given.t if isinstance(given, Event) else float(given)


def _badness(found: Measurement) -> tuple[int, float]:
    """Sort key: severity first, then how much of the limit is used."""
    better_low = METRICS[found.metric].direction == "lower"
    return found.verdict.severity, found.value if better_low else -found.value
