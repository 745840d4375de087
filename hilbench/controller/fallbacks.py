"""What holds when something is lost, as one table: the design of the fallbacks, with the figures of a site. Pure.

Every time here is a setting that the code acts on; ``proc`` names the procedure that shows it on the bench.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from hilbench.controller.settings import ControllerSettings
from hilbench.site import Site


class Loss(NamedTuple):
    """What is lost, what holds then and after how long [s], what ends it, and which procedure shows it."""

    lost: str
    holds: str
    after_s: float
    ends: str
    proc: str


class Sum(NamedTuple):
    """All fallbacks of a node [A per line] beside what else it carries, against its limit."""

    node: str
    fallbacks_a: float
    building_a: float
    limit_a: float

    @property
    def kept(self) -> bool:
        """The site stays within the limit on fallbacks alone."""
        return self.fallbacks_a + self.building_a <= self.limit_a + 1e-6


def sums(site: Site) -> list[Sum]:
    """The sum of fallbacks of every node, beside what the site declares that it carries."""
    return [Sum(node.id, site.fallback_sum_a(node.id), site.base_a(node.id), node.limit_a) for node in site.nodes]


def losses(site: Site, settings: ControllerSettings) -> Iterator[Loss]:
    """The table for a site and the settings of its controller."""
    own = "its fallback: " + _amps({branch.fallback_a for branch in site.branches})
    every = own.replace("its", "each station its")
    lease, settle, recover = settings.lease_s, settings.settle_s, settings.recover_s
    back = f"a lease, once every station is known and the meter good for {recover:g} s"
    yield Loss("controller (stopped, killed, hung)", every, lease, back, "4.1")
    latest = f"{back}, at the latest after {lease + settle:g} s"
    yield Loss("controller restarts, or is updated", every, 0.0, latest, "4.6")
    known = "its state is known again"
    others = "the others make room for what it was given, then for its fallback"
    yield Loss("link of a station", f"{own}; {others}", lease, known, "4.2")
    yield Loss("station restarts, or is updated", f"{own}, installed again when it boots", 0.0, known, "4.7")
    yield Loss("station's clock jumps", own, 0.0, "a lease that its clock, set by Heartbeat, takes", "4.9")
    yield Loss("station ignores its limit", "its draw, or its nameplate, is kept free", settings.reaction_s,
               f"it has obeyed for {settings.believe_s:g} s", "3.2")  # fmt: skip
    yield Loss("meter silent, implausible", every, settings.stale_s, f"{recover:g} s of good values", "4.4")
    yield Loss("meter frozen", every, settings.frozen_s, f"{recover:g} s of good values", "4.4b")
    yield from _outside(settings)


def _outside(settings: ControllerSettings) -> Iterator[Loss]:
    """What is lost of those who set limits from outside, where there are any."""
    if settings.openadr is not None:
        spread, release = settings.openadr.release_spread_s, settings.openadr.release_s
        yield Loss("VTN, or the WAN", "events that are known, to their ends; then no limit of the grid", 0.0,
                   f"an answer; limits rise after up to {spread:g} s, over {release:g} s", "9.2")  # fmt: skip
    if settings.operator is not None:
        box = settings.operator
        left = "for good" if box.stay_safe else f"{box.failsafe_least_s:g} s"
        ends = f"a heartbeat and a limit, or {box.contact_s:g} s after a heartbeat; without: {left}"
        yield Loss("grid operator's box", f"all stations together {box.failsafe_kw:g} kW", box.heartbeat_s, ends, "")
    if settings.plans:
        yield Loss("solver late or failed", "the heuristic's plan, within all limits", settings.plan.solver_s,
                   "the next plan", "")  # fmt: skip


def _amps(values: set[float]) -> str:
    return "/".join(f"{value:g}" for value in sorted(values)) + " A"
