"""From a rig and a seed to a scenario; the same for the same seed, on every machine.

Faults of different kinds are drawn on their own and overlap freely; about half of them gather around one instant, at
which the building also goes to its worst. Of one kind only one is on at a time, so that its end is its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any, get_args
from urllib.parse import urlsplit

from hilbench.bench import QUIET_SHARE
from hilbench.devices import LinkFault, MeterFault
from hilbench.errors import InputError, Problem
from hilbench.rig import ReferenceController, Rig
from hilbench.searching import fair
from hilbench.searching.building import Range, draw_building
from hilbench.searching.scenario import Act, Scenario
from hilbench.searching.sites import draw_rig
from hilbench_emulators.vehicles import vehicle_names

SHORTEST_S, LONGEST_S = 300.0, 1200.0
LONG_SHARE = 0.05
"""Share of scenarios that last longest, with a heavy building that is at its worst nearly all the time: half too much
needs a quarter of an hour to trip a breaker (UL 489, see ``hilbench.metrics.breaker``)."""
WORST_S = (120.0, 420.0)
"""How long the building is at its worst in the others [s]."""
BEYOND_SHARE = 0.15
"""Share of scenarios whose building draws more than was declared (policy)."""
GATHERED_SHARE = 0.5
"""Share of faults that come with others (policy)."""
LATEST_LATENCY_S = 3.0
COMMON_SHARE = 0.25
"""Share of scenarios in which one cut takes the links of all stations at once: a switch or an access point (policy)."""
_SPREAD_S = 40.0

Span = tuple[float, float]


def check_rig(rig: Rig) -> None:
    """Raise ``InputError`` for a rig that cannot be searched: all of it must be emulated, to run in virtual time."""
    if rig.real_parts or not isinstance(rig.controller, ReferenceController):
        what = f"{', '.join(rig.real_parts)} is real, and thousands of scenarios need virtual time"
        raise InputError(rig.source, Problem("", what, "search with an emulated copy of the rig"))


def draw(rig: Rig, seed: int) -> Scenario:
    """The scenario of ``seed``; raises ``InputError`` for a rig that cannot be searched."""
    check_rig(rig)
    rng = Random(f"hilbench scenario {rig.name} {seed}")
    long = rng.random() < LONG_SHARE
    varied, least = draw_rig(rig, rng, vehicle_names(), long)
    duration = LONGEST_S if long else round(min(SHORTEST_S + rng.expovariate(1.0 / 50.0), LONGEST_S), 1)
    worst_s = 0.1 * duration if long else rng.uniform(0.25, 0.6) * duration
    held_s = duration if long else rng.uniform(*WORST_S)
    return _Timeline(rng, varied, least, duration, (round(worst_s, 2), held_s)).scenario(seed)


class _Timeline:
    """Draws what happens to one site."""

    def __init__(
        self, rng: Random, rig: Rig, least: dict[str, float], duration_s: float, worst: tuple[float, float]
    ) -> None:
        self.rng, self.rig, self.least, self.duration_s = rng, rig, least, duration_s
        self.roles = [station.role for station in rig.stations]
        self.worst_s, self.held_s = worst

    def scenario(self, seed: int) -> Scenario:
        site = self.rig.electrical
        room = fair.room_a(site, self.least)
        beyond = self.rng.random() < BEYOND_SHARE and room > site.worst_base_a + 1.0
        most = room if beyond else site.worst_base_a
        bounds = Range(QUIET_SHARE * site.worst_base_a, most, site.lines)
        common = self._common_cut()
        worst = self.worst_s + self.rng.uniform(0.0, 30.0), self.held_s
        acts = list(draw_building(self.rng, bounds, self.duration_s, worst))
        for role in self.roles:
            acts += self._station(role, common)
        acts += [*self._meter(fair.bears_exchange(site, most)), *self._controller()]
        acts = [Act(round(act.t, 3), act.kind, act.subject, act.facts) for act in acts if act.t < self.duration_s]
        ordered = tuple(sorted(acts, key=lambda act: act.t))
        return Scenario(seed, self.rig, ordered, self.duration_s, beyond, self.least)

    # when

    def _moment(self) -> float:
        """Any time, or near the worst one."""
        if self.rng.random() < GATHERED_SHARE:
            return max(self.worst_s + self.rng.uniform(-_SPREAD_S, _SPREAD_S), 1.0)
        return self.rng.uniform(15.0, self.duration_s - 30.0)

    def _spans(self, counts: Sequence[int], weights: Sequence[int], mean_s: float) -> list[Span]:
        """Stretches of time that do not touch each other."""
        found: list[Span] = []
        for _ in range(self.rng.choices(counts, weights)[0]):
            start = self._moment()
            stop = start + 2.0 + self.rng.expovariate(1.0 / mean_s)
            if all(stop + 1.0 < other[0] or start > other[1] + 1.0 for other in found):
                found.append((start, stop))
        return sorted(found)

    # what

    def _common_cut(self) -> Span | None:
        """When no station has a link."""
        if self.rng.random() >= COMMON_SHARE:
            return None
        start = self._moment()
        return start, start + 30.0 + self.rng.expovariate(1.0 / 150.0)

    def _station(self, role: str, common: Span | None) -> Iterator[Act]:
        stays = self._stays()
        for start, stop in stays:
            yield Act(start, "plug", role, self._car())
            yield Act(stop, "unplug", role)
        if urlsplit(self.rig.controller.ocpp).scheme == "ws":
            yield from self._link(role, common)
        yield from self._power(role, stays)

    def _stays(self) -> list[Span]:
        """When cars are there: mostly all the time, else two of them with a gap."""
        first = self.rng.choice((0.0, 0.0, round(self.rng.uniform(0.0, 60.0), 2), self.worst_s))
        if self.rng.random() < 0.7:
            return [(first, self.duration_s + 1.0)]
        leaves = self.rng.uniform(first + 30.0, max(self.duration_s, first + 60.0))
        again = leaves + self.rng.uniform(5.0, 60.0)
        return [(first, leaves), (again, self.duration_s + 1.0)]

    def _car(self) -> dict[str, Any]:
        """Hungry where there is much time."""
        if self.duration_s == LONGEST_S:
            return {"soc": round(self.rng.uniform(0.05, 0.3), 3)}
        if self.rng.random() < 0.7:
            return {"soc": round(self.rng.uniform(0.05, 0.8), 3)}
        return {"energy_kwh": round(self.rng.uniform(0.1, 8.0), 2)}

    def _link(self, role: str, common: Span | None) -> Iterator[Act]:
        for start, stop in [common] if common else self._spans((0, 1, 2), (50, 40, 10), 120.0):
            if common is None and self.rng.random() < 0.2:
                yield Act(start, "link-latency", role, {"seconds": round(self.rng.uniform(0.1, LATEST_LATENCY_S), 2)})
                yield Act(stop, "link-latency-ends", role)
            else:
                yield Act(start, "link-cut", role, {"how": self.rng.choice(get_args(LinkFault))})
                yield Act(stop, "link-restored", role)

    def _power(self, role: str, stays: list[Span]) -> Iterator[Act]:
        """Its supply fails while a car stands there, and is back before that leaves."""
        for start, stop in self._spans((0, 1), (75, 25), 20.0):
            if any(arrival + 1.0 < start and stop + 1.0 < leaves for arrival, leaves in stays):
                yield Act(start, "power-cycle", role, {"off_s": round(stop - start, 2)})

    def _meter(self, may_exchange: bool) -> Iterator[Act]:
        kinds = [kind for kind in get_args(MeterFault) if kind != "swapped" or may_exchange]
        lines = self.rig.electrical.lines
        for start, stop in self._spans((0, 1, 2), (35, 45, 20), 90.0):
            kind = self.rng.choice(kinds if len(lines) > 1 else [one for one in kinds if one != "swapped"])
            facts: dict[str, Any] = {"how": kind}
            if kind in ("reversed", "swapped"):
                count = 2 if kind == "swapped" else self.rng.randint(1, len(lines))
                facts["lines"] = tuple(sorted(self.rng.sample(lines, count)))
            yield Act(start, "meter", "", facts)
            yield Act(stop, "meter-healed")

    def _controller(self) -> Iterator[Act]:
        for start, stop in self._spans((0, 1, 2), (50, 40, 10), 70.0):
            how = self.rng.choice(("suspend", "kill"))
            yield Act(start, "controller", "", {"how": how})
            yield Act(stop, "controller-back", "", {"how": "resume" if how == "suspend" else "restart"})
