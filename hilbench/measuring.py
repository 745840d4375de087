"""From a metric's name to a judged measurement: which signals, which window, which limit, which uncertainty.

The arithmetic is in ``hilbench.metrics``, the limits in ``hilbench.requirements``; this module only brings the
recorded signals of the running bench to both. Every extractor answers with the worst node and line, and says which.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from hilbench import clock
from hilbench.bench import Bench
from hilbench.errors import InputError
from hilbench.metrics import allocation, breaker, exposure, fallback, response
from hilbench.metrics.catalogue import METRICS
from hilbench.metrics.polyline import Polyline, aligned, between, mean, minus
from hilbench.requirements import Requirements, load_requirements
from hilbench.signals import Event, base_current, demanded_current, line_current, offered_current
from hilbench.site import MINIMUM_CURRENT_A, Node
from hilbench.verdict import Measurement, measurement

RECOVERED = 0.85
"""Share of what they may that counts as recovered: real cars take up to 15 % less than they are offered (Tinkerforge/
warp-charger current_ramp logs), so a share nearer to 1 would test the cars."""


@dataclass(frozen=True)
class Reading:
    """A measured value before its verdict; ``context`` adds to what the limit may depend on (node, station)."""

    value: float
    uncertainty: float = 0.0
    note: str = ""
    signals: tuple[str, ...] = ()
    context: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Window:
    """What an extractor sees: the bench, the time span [s] and the parameters of the call."""

    bench: Bench
    requirements: Requirements
    start: float
    stop: float
    parameters: dict[str, Any] = field(default_factory=dict)

    def line(self, name: str) -> Polyline | None:
        """The signal ``name`` within the window, None when it was never recorded."""
        signal = self.bench.record.signals.get(name)
        if signal is None or not len(signal):
            return None
        return signal.polyline(self.start, self.stop)

    def must(self, name: str) -> Polyline:
        """The signal ``name`` within the window; raises ``InputError`` when it was never recorded."""
        found = self.line(name)
        if found is None:
            raise InputError("measure", f"signal {name} was never recorded, so nothing can be said about it")
        return found

    @property
    def roles(self) -> Sequence[str]:
        """Stations that the measurement is about: those of the call, or all."""
        given: Sequence[str] | None = self.parameters.get("roles")
        return list(self.bench.stations) if given is None else given

    def currents(self) -> Iterator[tuple[Node, str, Polyline]]:
        """True current of every line of every node."""
        for node in self.bench.site.nodes:
            for line in self.bench.site.lines:
                found = self.line(line_current(node.id, line))
                if found is not None:
                    yield node, line, found

    @property
    def time_u(self) -> float:
        """Expanded uncertainty of an interval between two recorded instants [s]."""
        return self.bench.time_uncertainty_s

    @property
    def average_u(self) -> float:
        """Expanded uncertainty of an average over the window, as a share of it: the window has uncertain ends."""
        return min(self.time_u / max(self.stop - self.start, 1e-9), 1.0)


Extractor = Callable[[Window], list[Reading]]


def _node_context(window: Window, node: Node) -> dict[str, float]:
    tolerance = window.requirements.tolerance_a(node.limit_a)
    return {"rating_a": node.rating_a, "budget_a": node.limit_a, "tolerance_a": tolerance}


def _against(
    level: Literal["budget", "rating"], pick: Literal["longest_s", "worst_ampere_seconds", "share_above"]
) -> Extractor:
    """Exposure of every line of every node above its budget (plus tolerance) or its rating."""

    def extract(window: Window) -> list[Reading]:
        found = []
        for node, line, current in window.currents():
            context = _node_context(window, node)
            limit, margin = (node.limit_a, context["tolerance_a"]) if level == "budget" else (node.rating_a, 0.0)
            result = exposure.exposure(current, limit, margin)
            u = window.time_u * (max(result.peak_a, 0.0) if pick == "worst_ampere_seconds" else 1.0)
            u = window.average_u if pick == "share_above" else u
            u = u if result.longest_s else 0.0
            found.append(
                Reading(getattr(result, pick), u, f"{node.id} {line}", (line_current(node.id, line),), context)
            )
        return found

    return extract


def _peak_ratio(window: Window) -> list[Reading]:
    return [
        Reading(float(v.max()) / node.rating_a, 0.0, f"{node.id} {line}", (line_current(node.id, line),))
        for node, line, (_t, v) in window.currents()
    ]


def _recovery_overshoot(window: Window) -> list[Reading]:
    return [
        Reading(
            max(float(v.max()) - node.limit_a, 0.0),
            0.0,
            f"{node.id} {line}",
            (line_current(node.id, line),),
            _node_context(window, node),
        )
        for node, line, (_t, v) in window.currents()
    ]


def _managed(window: Window, line: str) -> Polyline:
    """Current of all cars in one line of the service: what the line carries beyond the building."""
    return minus(window.must(line_current("service", line)), window.must(base_current(line)))


def _step_response(pick: str) -> Extractor:
    """Response of the cars' current to a stimulus at the window's start, towards its mean over the last 10 s."""

    def extract(window: Window) -> list[Reading]:
        found = []
        for line in window.parameters.get("lines") or window.bench.site.lines:
            managed = _managed(window, line)
            y0, yf = float(managed[1][0]), mean(between(managed, max(window.start, window.stop - 10.0), window.stop))
            if abs(yf - y0) < 1.0:
                found.append(Reading(math.inf, 0.0, f"{line}: the cars did not respond"))
                continue
            result = response.step_response(managed, window.start, y0, yf, max(1.0, 0.05 * abs(yf - y0)))
            u = 0.0 if pick == "overshoot" else window.time_u
            found.append(Reading(getattr(result, pick), u, f"{line}: {y0:.1f} to {yf:.1f} A"))
        return found

    return extract


def _recovery_time(window: Window) -> list[Reading]:
    """Time until the cars use 85 % of what the budget leaves them, or of what they ask for."""
    found = []
    for line in window.bench.site.lines:
        base = window.must(base_current(line))
        room = window.bench.site.nodes[0].limit_a - float(base[1][-1])
        target = min(room, float(_demand(window, line)[1][-1]))
        reached = response.reach_time(_managed(window, line), RECOVERED * target, window.start)
        found.append(Reading(reached, window.time_u, f"{line}: 85 % of {target:.1f} A"))
    return found


def _resume_time(window: Window) -> list[Reading]:
    """Time until the cars draw 90 % of what they drew before the loss at ``lost`` (an event or a time)."""
    before = window.parameters["lost"]
    t0 = before.t if isinstance(before, Event) else float(before)
    found = []
    for line in window.bench.site.lines:
        name = line_current("service", line)
        then = window.bench.record.signals[name].value_at(t0) - window.bench.record.signals[
            base_current(line)
        ].value_at(t0)
        reached = response.reach_time(_managed(window, line), 0.9 * then, window.start)
        found.append(Reading(reached, window.time_u, f"{line}: 90 % of {then:.1f} A"))
    return found


def _demand(window: Window, line: str) -> Polyline:
    """What all plugged-in cars would draw in one line of the service [A] if only the feeders limited them.

    Phases are counted as phasors; what a feeder cannot carry is nobody's to use.
    """
    site = window.bench.site
    wishes = [(branch, demanded_current(branch.role)) for branch in site.branches]
    wishes = [(branch, name) for branch, name in wishes if window.line(name) is not None]
    if not wishes:
        return np.array([window.start, window.stop]), np.zeros(2)
    t, values = aligned(*(window.must(name) for _branch, name in wishes))
    sums = {node.id: np.zeros(len(t), dtype=np.complex128) for node in site.nodes}
    for (branch, _name), wish in zip(wishes, values, strict=True):
        sums[branch.feeder] += site.unit_currents(branch).get(line, 0.0) * wish
    for node in sorted(site.nodes, key=lambda node: -len([*site.path(node.id)])):
        if node.parent is not None:
            size = np.maximum(np.abs(sums[node.id]), 1e-9)
            sums[node.parent] += sums[node.id] * np.minimum(1.0, node.limit_a / size)
    return t, np.abs(sums["service"])


def _utilisation(window: Window) -> list[Reading]:
    """Share of what the tree allowed and the cars wanted that was used, on the line that leaves the least room."""
    found = []
    for line in window.parameters.get("lines") or window.bench.site.lines:
        t, (own, wanted) = aligned(window.must(base_current(line)), _demand(window, line))
        current = window.must(line_current("service", line))
        share = exposure.utilisation(current, window.bench.site.nodes[0].limit_a, (t, own + wanted))
        found.append(Reading(share, window.average_u, line))
    return [max(found, key=lambda reading: reading.value)]


def _offers(window: Window) -> dict[str, Polyline]:
    return {role: found for role in window.roles if (found := window.line(offered_current(role))) is not None}


def _reversals(window: Window) -> list[Reading]:
    hysteresis = window.requirements.parameter("reversal_hysteresis_a")
    return [
        Reading(exposure.reversals_per_hour(line, hysteresis), 0.0, role, (offered_current(role),))
        for role, line in _offers(window).items()
    ]


def _false_shed(window: Window) -> list[Reading]:
    t, values = aligned(*_offers(window).values())
    stop = min(window.start + 60.0, window.stop)
    return [Reading(exposure.largest_drop((t, values.sum(axis=0)), window.start, stop), 0.0, "sum of offers")]


def _minimum_offer(window: Window) -> list[Reading]:
    least = {role: allocation.minimum_offer([line]) for role, line in _offers(window).items()}
    found = [Reading(value, 0.0, role, (offered_current(role),)) for role, value in least.items()]
    return [reading for reading in found if not math.isnan(reading.value)]


def _jain(window: Window) -> list[Reading]:
    shares = [max(_mean_current(window, role), 0.0) for role in window.roles]
    spread = f"{min(shares):.1f} to {max(shares):.1f} A over {len(shares)} cars"
    return [Reading(allocation.jain_index(shares), window.average_u, spread)]


def _mean_current(window: Window, role: str) -> float:
    found = window.line(line_current(role, window.bench.site.branch(role).lines[0]))
    return mean(found) if found is not None else 0.0


def _energy_satisfaction(window: Window) -> list[Reading]:
    played = [session for session in window.bench.sessions if session.role is not None]
    wanted = [window.bench.feasible_kwh(session) for session in played]
    got = [window.bench.delivered_kwh(session) for session in played]
    note = f"{sum(got):.1f} of {sum(wanted):.1f} kWh in {len(played)} sessions"
    return [Reading(allocation.energy_satisfaction(got, wanted), 0.0, note)]


def _starvation(window: Window) -> list[Reading]:
    found = [Reading(0.0)]
    for role in window.roles:
        line = window.bench.site.branch(role).lines[0]
        current, wanted = window.line(line_current(role, line)), window.line(demanded_current(role))
        if current is not None and wanted is not None:
            # a car whose battery takes less than 6 A starves of nothing; offered 6 A, cars draw up to 0.5 A less
            able = (wanted[0], np.where(wanted[1] >= MINIMUM_CURRENT_A, wanted[1], 0.0))
            found.append(Reading(allocation.starvation_time(current, able, 5.0), window.time_u, role))
    return found


def _fallbacks(window: Window) -> Iterator[tuple[str, float, fallback.Fallback]]:
    for role in window.roles:
        branch = window.bench.site.branch(role)
        for line in branch.lines:
            found = window.line(line_current(role, line))
            if found is not None:
                held = fallback.fallback(found, window.start, window.stop, branch.fallback_a, 1.0)
                yield f"{role} {line}", branch.fallback_a, held


def _fallback_entry(window: Window) -> list[Reading]:
    return [Reading(held.entry_s, window.time_u, where) for where, _level, held in _fallbacks(window)]


def _fallback_level(window: Window) -> list[Reading]:
    return [
        Reading(held.level_a, 0.0, where, context={"fallback_a": level}) for where, level, held in _fallbacks(window)
    ]


def _fallback_exit(window: Window) -> list[Reading]:
    """Earliest exit of any station; one that never leaves its fallback within the window says nothing."""
    found = []
    for role in window.roles:
        branch = window.bench.site.branch(role)
        current = window.line(line_current(role, branch.lines[0]))
        if current is not None:
            found.append(
                Reading(fallback.exit_time(current, window.start, branch.fallback_a, 1.0), window.time_u, role)
            )
    left = [reading for reading in found if math.isfinite(reading.value)]
    return left or [Reading(window.stop - window.start, window.time_u, "not left within the window")]


def _boot_peak(window: Window) -> list[Reading]:
    return [
        Reading(float(line[1].max()), 0.0, role, (offered_current(role),), {"fallback_a": _fallback_of(window, role)})
        for role, line in _offers(window).items()
    ]


def _fallback_of(window: Window, role: str) -> float:
    return window.bench.site.branch(role).fallback_a


def _breaker_fraction(window: Window) -> list[Reading]:
    """How far the service breaker's thermal memory filled since the start of the record."""
    service, found = window.bench.site.service, []
    european = service.frequency_hz == 50.0 and service.rating_a <= 125.0  # where IEC 60898-1 ends
    device = breaker.iec_60898(service.rating_a) if european else breaker.ul_489(service.rating_a)
    for line in window.bench.site.lines:
        signal = window.bench.record.signals.get(line_current("service", line))
        if signal is not None and len(signal):
            current = signal.polyline(None, window.stop)
            judged = breaker.assess(current, device)
            # the heat grows at most as fast as the largest current lets it
            per_s = (float(np.abs(current[1]).max()) / device.rating_a / device.slow.k) ** 2 / device.slow.tau_s
            note = f"{line}: the breaker {judged.outcome.replace('-', ' ')}"
            found.append(Reading(judged.fraction, window.time_u * per_s, note))
    return found


EXTRACTORS: dict[str, Extractor] = {
    "time_above_budget": _against("budget", "longest_s"),
    "ampere_seconds_above_budget": _against("budget", "worst_ampere_seconds"),
    "share_above_budget": _against("budget", "share_above"),
    "time_above_rating": _against("rating", "longest_s"),
    "ampere_seconds_above_rating": _against("rating", "worst_ampere_seconds"),
    "peak_ratio": _peak_ratio,
    "breaker_fraction": _breaker_fraction,
    "dead_time": _step_response("dead_time_s"),
    "t90": _step_response("t90_s"),
    "settling_time": _step_response("settling_s"),
    "overshoot_a": _step_response("overshoot"),
    "recovery_time": _recovery_time,
    "recovery_overshoot": _recovery_overshoot,
    "resume_time": _resume_time,
    "false_shed": _false_shed,
    "reversals_per_hour": _reversals,
    "utilisation": _utilisation,
    "jain_index": _jain,
    "minimum_offer_a": _minimum_offer,
    "starvation_time": _starvation,
    "energy_satisfaction": _energy_satisfaction,
    "fallback_entry_time": _fallback_entry,
    "fallback_level": _fallback_level,
    "fallback_exit_time": _fallback_exit,
    "boot_peak": _boot_peak,
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

        Of several nodes, lines or stations the worst counts. ``timeout_s`` replaces the rig's fallback time-out in
        limits that name it; ``parameters`` (``roles``, ``lines``, ``lost``) narrow what is looked at. Raises
        ``InputError`` for a metric that does not exist.
        """
        if metric not in EXTRACTORS:
            raise InputError("measure", f"no metric {metric!r}; there are {', '.join(EXTRACTORS)}")
        start, stop = _time_of(since, self._first_time()), _time_of(until, clock.time())
        window = Window(self._bench, self._requirements, start, stop, parameters)
        context = self._context(timeout_s)
        found = [self._judged(metric, reading, context, note) for reading in EXTRACTORS[metric](window)]
        if not found:
            found = [self._judged(metric, Reading(math.nan, 0.0, "nothing was recorded to measure"), context, note)]
        self.results.append(max(found, key=_badness))
        return self.results[-1]

    def _judged(self, metric: str, reading: Reading, context: dict[str, float], note: str) -> Measurement:
        merged = {**context, **reading.context}
        clause = self._requirements.find(metric, self._procedure, merged)
        words = "; ".join(filter(None, (note, reading.note)))
        value = None if math.isnan(reading.value) else reading.value
        return measurement(metric, value, reading.uncertainty, clause, merged, note=words, signals=reading.signals)

    def _context(self, timeout_s: float | None) -> dict[str, float]:
        root = self._bench.site.nodes[0]
        return {
            "rating_a": root.rating_a,
            "budget_a": root.limit_a,
            "tolerance_a": self._requirements.tolerance_a(root.limit_a),
            "timeout_s": self._bench.fallback_timeout_s if timeout_s is None else timeout_s,
            "meter_interval_s": self._bench.meter_interval_s,
            "stations": float(len(self._bench.stations)),
            "fallback_a": max(branch.fallback_a for branch in self._bench.site.branches),
        }

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
