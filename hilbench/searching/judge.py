"""Would any OCPD of the tree have tripped? Every pole of service, feeders and branch circuits, on true currents."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hilbench.metrics import breaker, exposure
from hilbench.metrics.polyline import Polyline
from hilbench.rig import Rig
from hilbench.signals import Record, line_current

RANK: tuple[breaker.Outcome, ...] = ("cannot-trip", "indeterminate", "must-trip")
"""Outcomes from harmless to severe."""


@dataclass(frozen=True)
class Pole:
    """One pole of an OCPD: whose it is, its rating [A] and what flowed long before [A]."""

    node: str
    line: str
    rating_a: float
    preload_a: float


@dataclass(frozen=True)
class Found:
    """What a pole has been through.

    ``fraction`` is the heat of the slowest permitted breaker as a share of what trips it, ``peak_ratio`` the largest
    current by its rating, ``above_s`` and ``above_as`` the time [s] and the charge [A.s] above the rating.
    """

    where: str
    outcome: breaker.Outcome
    fraction: float
    peak_ratio: float
    above_s: float
    above_as: float

    @property
    def badness(self) -> tuple[int, float, float]:
        """What is worse, for comparison: the outcome, then the heat, then what was above the rating."""
        return RANK.index(self.outcome), self.fraction, self.above_as


def poles(rig: Rig) -> Iterator[Pole]:
    """Every pole of the rig that an OCPD protects; a transformer's rating is nobody's trip.

    Nodes have carried their budget for long before the scenario begins, as a site in service does; branches nothing.
    """
    site = rig.electrical
    fused = {"service", *(feeder.id for feeder in rig.feeders if feeder.rating_a is not None)}
    for node in site.nodes:
        if node.id in fused:
            yield from (Pole(node.id, line, node.rating_a, node.limit_a) for line in site.lines)
    for branch in site.branches:
        yield from (Pole(branch.role, line, branch.branch_a, 0.0) for line in branch.lines)


def judge(rig: Rig, record: Record, start: float, stop: float) -> list[Found]:
    """Every pole of the rig between two bench times [s], the worst first."""
    frequency = rig.site.service.frequency_hz
    found = []
    for pole in poles(rig):
        signal = record.signals.get(line_current(pole.node, pole.line))
        if signal is not None and len(signal):
            found.append(_pole(pole, signal.polyline(start, stop), frequency))
    return sorted(found, key=lambda one: one.badness, reverse=True)


def _pole(pole: Pole, line: Polyline, frequency_hz: float) -> Found:
    judged = breaker.assess(line, breaker.usual_breaker(pole.rating_a, frequency_hz), pole.preload_a)
    above = exposure.exposure(line, pole.rating_a)
    peak = (above.peak_a + pole.rating_a) / pole.rating_a
    where = f"{pole.node} {pole.line}"
    return Found(where, judged.outcome, judged.fraction, peak, above.time_above_s, above.ampere_seconds)
