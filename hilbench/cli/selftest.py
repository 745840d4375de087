"""``hilbench selftest``: does the bench catch what it claims to catch, and nothing else?"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict, replace
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from hilbench.campaign import Aborted, run_jobs
from hilbench.cli.run import COLOUR, brief, summary, worst_first
from hilbench.controller.defects import DEFECTS
from hilbench.reference import POLICIES
from hilbench.rig import DEFAULT_RIG
from hilbench.runner import Job
from hilbench.selftest import (
    GOOD_SEEDS,
    Outcome,
    counterpart,
    defect_jobs,
    escaped,
    false_alarms,
    good_jobs,
    outcome,
    same_measurement,
)


@click.command()
@click.option("--rig", default=DEFAULT_RIG, show_default=True, help="Emulated rig to prove the bench on.")
@click.option("--defect", multiple=True, help="Only these defects (may be repeated).")
@click.option(
    "--only", multiple=True, metavar="ID", help="Only these procedures with the good controller; may be repeated."
)
@click.option("--seeds", default=GOOD_SEEDS, show_default=True, type=click.IntRange(0), help="Good-controller seeds.")
@click.option("--seed", default=1, show_default=True, help="First seed.")
@click.option("--jobs", default=0, help="Worker processes (default: one per core).")
@click.option("--list", "listing", is_flag=True, help="List the defects with their sources and stop.")
@click.option("--policy", type=click.Choice(POLICIES), help="Prove another policy instead; its runs only.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcomes as JSON on standard output.")
def selftest(
    rig: str,
    defect: tuple[str, ...],
    only: tuple[str, ...],
    seeds: int,
    seed: int,
    jobs: int,
    listing: bool,
    policy: str | None,
    as_json: bool,
) -> None:
    """Prove the bench: every broken controller must FAIL, the good one must PASS.

    Each defect runs against the one procedure that must catch it, on the rig on which it shows, and the good
    controller in the same one beside it; then the good controller runs every procedure over SEEDS seeds. Exit code 0
    only when nothing escaped and there was no false alarm.
    """
    console = Console(stderr=as_json)
    if listing:
        _list(console)
        return
    broken = [] if policy else defect_jobs(rig, defect, seed)
    good = [*map(counterpart, broken), *good_jobs(rig, seeds, seed, only, policy)]
    outcomes = _perform(console, list(dict.fromkeys([*broken, *good])), jobs or os.cpu_count() or 1)
    if as_json:
        click.echo(json.dumps([asdict(found) for found in outcomes]))
    _table(console, outcomes)
    sys.exit(1 if escaped(outcomes) or false_alarms(outcomes) else 0)


def _list(console: Console) -> None:
    table = Table(box=None)
    for heading in ("defect", "what it does wrong", "caught by", "source"):
        table.add_column(heading)
    for name, entry in DEFECTS.items():
        table.add_row(name, entry.title, entry.caught_by[0], entry.source)
    console.print(table)


def _perform(console: Console, plan: list[Job], workers: int) -> list[Outcome]:
    results: dict[Job, dict[str, Any]] = {}
    columns = (TextColumn("{task.description:<28}"), BarColumn(30), MofNCompleteColumn(), TimeElapsedColumn())
    try:
        with Progress(*columns, console=console, transient=True) as bars:
            task = bars.add_task("selftest", total=len(plan))
            for job, result in run_jobs(plan, workers):
                results[job] = result
                bars.update(task, advance=1, description=f"{job.defect or 'good controller'} {job.procedure}")
    except Aborted as aborted:
        console.print(f"[bold magenta]ABORTED[/] by {aborted}")
        sys.exit(128 + aborted.number)
    found = [_outcome(job, results) for job in results]
    return sorted(found, key=lambda one: (one.subject == "good controller", one.subject, one.procedure, one.seed))


def _outcome(job: Job, results: dict[Job, dict[str, Any]]) -> Outcome:
    """A row of the table; of a defect with what the good controller had in the same measurement."""
    result = results[job]
    found, good = outcome(job, result, summary(result, most=1)), results.get(counterpart(job))
    worst = next(iter(worst_first(result)), None)
    if job.defect is None or good is None or worst is None:
        return found
    ours = same_measurement(worst, result, good)
    return replace(found, good=brief(ours) if ours else "", good_verdict=good["verdict"])


def _table_of_defects(console: Console, outcomes: list[Outcome]) -> None:
    """The figure by which each was found out, and the good controller's in the same measurement."""
    table = Table(box=None, pad_edge=False)
    for heading in ("defect and source", "in", "what was found", "", "good controller there", ""):
        table.add_column(heading, no_wrap=heading in ("in", ""))
    for found in outcomes:
        mark, good = _coloured(found.verdict), _coloured(found.good_verdict)
        who = f"{found.subject}\n[dim]{escape(found.source)}[/]"
        table.add_row(who, found.procedure, escape(found.reason), mark, escape(found.good), good)
    if outcomes:
        console.print(table)


def _coloured(verdict: str) -> str:
    return f"[{COLOUR[verdict]}]{verdict}[/]" if verdict else ""


def _table(console: Console, outcomes: list[Outcome]) -> None:
    _table_of_defects(console, [found for found in outcomes if found.subject != "good controller"])
    table = Table(box=None, pad_edge=False)
    for heading in ("controller", "procedure", "what was found", "verdict"):
        table.add_column(heading)
    for procedure in sorted({found.procedure for found in outcomes if found.subject == "good controller"}):
        runs = [found for found in outcomes if (found.subject, found.procedure) == ("good controller", procedure)]
        passed = [found for found in runs if found.verdict == "PASS"]
        failed = next((f"seed {found.seed}: {found.reason}" for found in runs if found.verdict != "PASS"), "")
        colour = "green" if len(passed) == len(runs) else "bold red"
        table.add_row("good controller", procedure, failed, f"[{colour}]{len(passed)} of {len(runs)} PASS[/]")
    console.print(table)
    defects = [found for found in outcomes if found.subject != "good controller"]
    good = len(outcomes) - len(defects)
    console.print(
        f"{len(defects) - len(escaped(outcomes))} of {len(defects)} defects caught, "
        f"{len(false_alarms(outcomes))} false alarms in {good} runs of the good controller"
    )
