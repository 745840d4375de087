"""Would any OCPD of the tree have tripped? Every pole of service, feeders and branch circuits, on true currents."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from hilbench.metrics import breaker, exposure, ocpd
from hilbench.metrics.polyline import Polyline
from hilbench.ocpd_file import device_at
from hilbench.rig import Rig
from hilbench.signals import Record, line_current

RANK: tuple[breaker.Outcome, ...] = ("cannot-trip", "indeterminate", "must-trip")
"""Outcomes from harmless to severe."""
DIGITS = 4
"""Decimals of a share of the trip heat that mean something."""


@dataclass(frozen=True)
class Pole:
    """One pole of an OCPD: whose it is, its rating [A], what flowed long before [A], and what device it is."""

    node: str
    line: str
    rating_a: float
    preload_a: float
    device: ocpd.Device


@dataclass(frozen=True)
class Found:
    """What a pole has been through.

    ``fraction`` is the heat of the slowest permitted breaker as a share of what trips it, ``rise`` how far that is
    above where it began, ``peak_ratio`` the largest current by its rating, ``above_s`` and ``above_as`` the time [s]
    and the charge [A.s] above the rating.
    """

    where: str
    outcome: breaker.Outcome
    fraction: float
    rise: float
    peak_ratio: float
    above_s: float
    above_as: float

    @property
    def badness(self) -> tuple[int, float, float]:
        """What is worse, for comparison: the outcome, then the heat that came in, then the largest current."""
        return RANK.index(self.outcome), round(self.rise, DIGITS), self.peak_ratio


def poles(rig: Rig) -> Iterator[Pole]:
    """Every pole of the rig that an OCPD protects; a transformer's rating is nobody's trip.

    All have been warm for long when the scenario begins, as in a site in service: nodes by their budget, branches by
    the station's nameplate.
    """
    site, frequency = rig.electrical, rig.site.service.frequency_hz
    fused = {"service", *(feeder.id for feeder in rig.feeders if feeder.rating_a is not None)}
    for node in site.nodes:
        if node.id in fused:
            named = bool(site.ocpd_of(node.id)[1])
            device = device_at(site, node.id) if named else breaker.usual_breaker(node.rating_a, frequency)
            yield from (Pole(node.id, line, device.rating_a, node.limit_a, device) for line in site.lines)
    for branch in site.branches:
        device = breaker.usual_breaker(branch.branch_a, frequency)
        yield from (Pole(branch.role, line, branch.branch_a, branch.max_a, device) for line in branch.lines)


def judge(rig: Rig, record: Record, start: float, stop: float) -> Found:
    """The worst pole of the rig between two bench times [s].

    A branch circuit counts only where it may trip: it carries one car, whose nameplate is its own affair. Poles that
    cannot be the worst by their largest current alone are not worked out.
    """
    nodes = {node.id for node in rig.electrical.nodes}
    worst: Found | None = None
    for most, pole, line in sorted(_bounded(rig, record, start, stop), key=lambda one: one[0], reverse=True):
        if worst is not None and most < worst.badness[1:]:
            break
        found = _pole(pole, line)
        if pole.node in nodes or found.outcome != "cannot-trip":
            worst = found if worst is None or found.badness > worst.badness else worst
    assert worst is not None, "the service is always recorded"
    return worst


def _bounded(
    rig: Rig, record: Record, start: float, stop: float
) -> Iterator[tuple[tuple[float, float], Pole, Polyline]]:
    """Each pole with what ``rise`` and ``peak_ratio`` cannot exceed; infinity for what was above its rating."""
    for pole in poles(rig):
        line = record.signals[line_current(pole.node, pole.line)].polyline(start, stop)
        peak = float(np.max(np.abs(line[1]))) / pole.rating_a
        before, most = pole.preload_a / pole.rating_a, ocpd.holds_a(pole.device) / pole.rating_a
        rise = (max(peak, before) ** 2 - before**2) / most**2
        yield (np.inf if peak > min(1.0, most) else round(rise, DIGITS), peak), pole, line


def _pole(pole: Pole, line: Polyline) -> Found:
    judged = ocpd.assess(line, pole.device, pole.preload_a)
    warm = (pole.preload_a / ocpd.holds_a(pole.device)) ** 2 if isinstance(pole.device, breaker.Breaker) else 0.0
    above = exposure.exposure(line, pole.rating_a)
    return Found(
        where=f"{pole.node} {pole.line}",
        outcome=judged.outcome,
        fraction=judged.fraction,
        rise=max(0.0, round(judged.fraction - warm, 9)),
        peak_ratio=float(np.max(np.abs(line[1]))) / pole.rating_a,
        above_s=above.time_above_s,
        above_as=above.ampere_seconds,
    )
