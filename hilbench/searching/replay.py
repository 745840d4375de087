"""A scenario once more, with its evidence: a run folder like that of any other run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hilbench.clock import machine_now
from hilbench.evidence.environment import environment, input_files, site_facts
from hilbench.evidence.folder import RunFolder
from hilbench.evidence.masking import masked
from hilbench.interrupts import Interrupt
from hilbench.requirements import load_requirements
from hilbench.searching.draw import draw
from hilbench.searching.results import Row
from hilbench.searching.scenario import Scenario
from hilbench.searching.search import ID, KEY, Task, procedure_of, run_scenario, searched_rig
from hilbench.searching.story import Line


@dataclass(frozen=True)
class Replay:
    """A scenario as it went again: its row (None: a signal ended it), what happened, and the folder of the run."""

    row: Row | None
    scenario: Scenario
    story: list[Line]
    path: Path


def replay_words(task: Task) -> list[str]:
    """The command that replays a scenario."""
    words = ["hilbench", "search", task.rig, "--seed", str(task.seed), "--replay"]
    return [*words, "--defect", task.defect] if task.defect else words


def replay(task: Task, out: Path, interrupt: Interrupt | None = None) -> Replay:
    """Run the scenario of ``task`` and write its evidence to a new folder under ``out``."""
    scenario = draw(searched_rig(task.rig, task.defect), task.seed)
    folder = RunFolder.create(out, _head(task, scenario))
    about = procedure_of(scenario, [], None)
    facts = {"id": about.id, "title": about.title, "purpose": about.purpose, "seed": task.seed}
    story: list[Line] = []
    row = run_scenario(task, folder.procedure(f"{ID}-{KEY}", 1, facts).path, story, interrupt=interrupt)
    if row is None:
        folder.finish("ABORTED", reason=interrupt.name if interrupt else "", ended_utc=machine_now())
    else:
        folder.finish("FINISHED", ended_utc=machine_now())
    return Replay(row, scenario, story, folder.path)


def _head(task: Task, scenario: Scenario) -> dict[str, Any]:
    rig = scenario.rig
    return {
        "site": site_facts(rig.electrical),
        "rig": {"name": rig.name, "resolved": masked(rig.model_dump(mode="json", by_alias=True))},
        "controller": rig.controller_title,
        "time": {"mode": "virtual"},
        "seed": task.seed,
        "repeats": 1,
        "inputs": input_files({"rig": rig.path}),
        "plan": [{"key": f"{ID}-{KEY}", "id": ID, "title": f"random scenario {task.seed}", "repeat": 1}],
        "command": replay_words(task),
        "requirements": [
            {"id": profile.id, "edition": profile.edition, "title": profile.title}
            for profile in load_requirements(rig.site.requirements).profiles
        ],
        **environment(),
    }
