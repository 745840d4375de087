"""What happened in a scenario, line by line: what was done to the site, what the controller said, what stations did."""

from __future__ import annotations

from collections.abc import Iterator

from hilbench.evidence.happenings import happening, is_cause
from hilbench.metrics.exposure import excursions
from hilbench.rig import Rig
from hilbench.searching.judge import poles
from hilbench.searching.scenario import Act, Scenario
from hilbench.signals import Event, Record, line_current, offered_current, profile_limit

LEAST_CHANGE_A = 0.95
"""Smaller changes of a limit or an offer are not told."""
_SEEN = {
    "station.boot": "boots",
    "station.online": "online",
    "station.offline": "offline",
    "station.overcurrent": "opens its contactor: the car draws more than it is offered",
    "session.start": "session begins",
    "session.stop": "session ends",
}
Line = tuple[float, str, str]
"""Seconds since the scenario began, who, what."""


def story(scenario: Scenario, record: Record, start: float) -> list[Line]:
    """Everything of interest in the order of time."""
    rig = scenario.rig
    lines = [
        *_cars(scenario.acts),
        *((event.t - start, *words) for event in record.events if (words := _told(event))),
        *((t - start, who, what) for t, who, what in _limits(rig, record)),
        *((t - start, who, what) for t, who, what in _above(rig, record, start)),
    ]
    return sorted((line for line in lines if line[0] >= 0.0), key=lambda line: line[0])


def _cars(acts: tuple[Act, ...]) -> Iterator[Line]:
    for act in acts:
        if act.kind == "plug":
            wish = f"wants {act.facts['energy_kwh']} kWh" if "energy_kwh" in act.facts else f"at {act.facts['soc']:.0%}"
            yield act.t, act.subject, f"a car plugs in, {wish}"
        elif act.kind == "unplug":
            yield act.t, act.subject, "the car leaves"


def _told(event: Event) -> tuple[str, str] | None:
    if is_cause({"kind": event.kind}):
        row = {"kind": event.kind, "subject": event.subject, "data": event.data}
        return "bench", happening(row)
    return (event.subject, _SEEN[event.kind]) if event.kind in _SEEN else None


def _limits(rig: Rig, record: Record) -> Iterator[Line]:
    """Limits by which stations go, and what they offer where that differs."""
    for station in rig.stations:
        role = station.role
        for name, what in ((profile_limit(role), "limit"), (offered_current(role), "offers")):
            t, v = record.signals[name].rows()
            last = None
            for moment, amps in zip(t.tolist(), v.tolist(), strict=True):
                if last is None or abs(amps - last) >= LEAST_CHANGE_A:
                    yield moment, role, f"{what} {amps:.1f} A"
                    last = amps


def _above(rig: Rig, record: Record, start: float) -> Iterator[Line]:
    for pole in poles(rig):
        line = record.signals[line_current(pole.node, pole.line)].polyline(start)
        for stay in excursions(line, pole.rating_a):
            peak = f"up to {pole.rating_a + stay.peak_a:.1f} A on {pole.rating_a:g} A for {stay.duration_s:.2f} s"
            yield stay.start, f"{pole.node} {pole.line}", f"ABOVE ITS RATING: {peak}"
