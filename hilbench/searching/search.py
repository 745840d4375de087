"""One scenario from its seed to its row; the same function searches and replays, so that both see the same."""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from hilbench import clock
from hilbench.bench import Bench
from hilbench.interrupts import Interrupt
from hilbench.measuring import Measure
from hilbench.procedures import Procedure
from hilbench.reference import check_settings
from hilbench.rig import Rig, load_rig
from hilbench.runner import Job, Progress, perform
from hilbench.searching.draw import check_rig, draw
from hilbench.searching.judge import Found, judge
from hilbench.searching.play import play
from hilbench.searching.results import Row, Subject
from hilbench.searching.scenario import GENERATION, Scenario
from hilbench.searching.story import Line, story

ID, KEY = "worst", "worst-case"
MEASURED = ("breaker_fraction", "peak_ratio", "time_above_rating", "ampere_seconds_above_rating", "time_above_budget")
_NOTHING = Found("", "cannot-trip", 0.0, 0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Task:
    """A scenario to run: rig by name or path, the controller's defect if it shall have one, and the seed."""

    rig: str
    defect: str | None
    seed: int


@cache
def searched_rig(rig: str, defect: str | None) -> Rig:
    """The rig to search; raises ``InputError`` for one that is not emulated, or a defect that does not exist."""
    loaded = load_rig(rig)
    check_rig(loaded)
    broken = loaded.with_inputs(defect=defect)
    check_settings(broken)
    return broken


def subject_of(rig: str, defect: str | None) -> Subject:
    """What results of this rig and defect belong to."""
    loaded = searched_rig(rig, defect)
    return Subject(loaded.name, hashlib.sha256(loaded.path.read_bytes()).hexdigest(), defect, GENERATION)


def search_one(task: Task, progress: Progress | None = None, interrupt: Interrupt | None = None) -> Row | None:
    """Run one scenario and judge it; None when a signal ended it early."""
    with _no_collector():
        return run_scenario(task, progress=progress, interrupt=interrupt)


@contextmanager
def _no_collector() -> Iterator[None]:
    """Rubbish is collected between scenarios: looking for it all the time would cost a third more."""
    _freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.collect()


@cache
def _freeze() -> None:
    """What is there before the first scenario stays."""
    gc.collect()
    gc.freeze()


def run_scenario(
    task: Task,
    folder: Path | None = None,
    told: list[Line] | None = None,
    *,
    progress: Progress | None = None,
    interrupt: Interrupt | None = None,
) -> Row | None:
    """Run one scenario and judge it; None when a signal ended it early. Its evidence goes to ``folder``.

    ``told`` gets what happened; then the metrics that a report shows are measured too.
    """
    scenario = draw(searched_rig(task.rig, task.defect), task.seed)
    verdicts: list[Found] = []
    procedure = procedure_of(scenario, verdicts, told)
    job = Job(task.rig, procedure.id, task.seed, folder, defect=task.defect)
    work = perform(job, scenario.rig, procedure, progress, interrupt or Interrupt())
    result = clock.run(work, "virtual", scenario.rig.run.epoch)
    ended = interrupt is not None and interrupt.number is not None and not verdicts
    return None if ended else _row(scenario, verdicts, result)


def procedure_of(scenario: Scenario, verdicts: list[Found], told: list[Line] | None) -> Procedure:
    """The scenario as a procedure of the bench: it leaves the worst pole in ``verdicts``, its story in ``told``."""

    async def run(bench: Bench, measure: Measure) -> None:
        """Random cars, building load and faults as drawn from the seed; see the events."""
        start = await play(bench, scenario)
        verdicts.append(judge(scenario.rig, bench.record, start, clock.time()))
        if told is not None:
            told.extend(story(scenario, bench.record, start))
            for metric in MEASURED:
                measure(metric, since=start)
            bench.tabulate_peaks()

    title = f"random scenario {scenario.seed}"
    return Procedure(ID, KEY, title, "Whatever happens at once, no breaker trips.", run)


def _row(scenario: Scenario, verdicts: list[Found], result: dict[str, Any]) -> Row:
    found = verdicts[0] if verdicts else _NOTHING
    digests = result["hashes"]["traces_sha256"] if "hashes" in result else result["traces"]  # as a folder keeps them
    traces = "".join(f"{role} {digest}\n" for role, digest in sorted(digests.items()))
    row = Row(
        seed=scenario.seed,
        **{**asdict(found), "outcome": str(found.outcome)},
        duration_s=scenario.duration_s,
        stations=len(scenario.rig.stations),
        beyond=scenario.beyond,
        faults=scenario.faults,
        trace=hashlib.sha256(traces.encode()).hexdigest()[:16],
    )
    error = result["error"] or ("" if verdicts else "it ended without a verdict")
    return replace(row, outcome="error", error=error) if error else row
