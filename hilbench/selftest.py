"""The bench's own proof: broken controllers must fail, the good one must pass, and a table says so.

Every defect of the reference controller is one realistic mistake with the report it comes from. A defect is *caught*
when the procedure that is meant for it says FAIL (not ERROR, not INCONCLUSIVE); the good controller raises a *false
alarm* with anything but PASS.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from hilbench.controller.defects import DEFECTS
from hilbench.errors import InputError
from hilbench.metrics.statistics import runs_without_failure
from hilbench.nature import fitting
from hilbench.procedures import select
from hilbench.rig import load_rig
from hilbench.runner import Job

GOOD_SEEDS = runs_without_failure(0.95, 0.95)
"""59: with no failure in so many seeds, P95 is met with 95 % confidence."""


@dataclass(frozen=True)
class Outcome:
    """What became of one job: whose it was, what the procedure said, and its worst finding in words.

    Of a defect also its ``source``, and what the ``good`` controller had in the same measurement, in words.
    """

    subject: str
    procedure: str
    seed: int
    verdict: str
    reason: str
    rig: str = ""
    source: str = ""
    good: str = ""
    good_verdict: str = ""


def defect_jobs(rig: str, names: Sequence[str], seed: int) -> list[Job]:
    """One job per defect, with the procedure that must catch it; all defects when ``names`` is empty.

    On ``rig``, or on the one on which the defect shows.
    """
    unknown = [name for name in names if name not in DEFECTS]
    if unknown:
        raise InputError("--defect", f"no defect {', '.join(unknown)}; there are {', '.join(DEFECTS)}")
    chosen = names or list(DEFECTS)
    return [
        Job(DEFECTS[name].rig or rig, DEFECTS[name].caught_by[0], seed, folder=None, defect=name) for name in chosen
    ]


def counterpart(job: Job) -> Job:
    """The good controller in the same procedure, rig and seed."""
    return replace(job, defect=None)


def good_jobs(
    rig: str, seeds: int, first_seed: int, procedures: Sequence[str] = (), policy: str | None = None
) -> list[Job]:
    """Every procedure (or those of ``procedures``, by id or name) with the good controller over ``seeds`` seeds.

    Those that make no sense for the rig, or for a controller of another ``policy``, are left out.
    """
    wanted = [one.id for one in fitting(select(procedures), load_rig(rig).with_inputs(policy=policy))[0]]
    return [
        Job(rig=rig, procedure=procedure, seed=first_seed + number, folder=None, policy=policy)
        for number in range(seeds)
        for procedure in wanted
    ]


def outcome(job: Job, result: dict[str, Any], reason: str) -> Outcome:
    """A job and its result as a row of the table."""
    subject = job.defect or "good controller"
    source = DEFECTS[job.defect].source if job.defect else ""
    return Outcome(subject, job.procedure, job.seed, result["verdict"], reason, job.rig, source)


def same_measurement(found: dict[str, Any], result: dict[str, Any], good: dict[str, Any]) -> dict[str, Any] | None:
    """Of the ``good`` controller's result the measurement that ``found`` is in ``result``; None when it has none.

    A procedure measures in the same order whoever controls, unless it ends early.
    """
    ours = good["measurements"]
    at = result["measurements"].index(found)
    return ours[at] if at < len(ours) and ours[at]["metric"] == found["metric"] else None


def escaped(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Defects that their procedure did not fail."""
    return [found for found in outcomes if found.subject != "good controller" and found.verdict != "FAIL"]


def false_alarms(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Runs of the good controller that did not pass."""
    return [found for found in outcomes if found.subject == "good controller" and found.verdict != "PASS"]
