"""``hilbench search``: thousands of random scenarios with faults, and the worst of them."""

from __future__ import annotations

import math
import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from hilbench.campaign import run_tasks
from hilbench.cli import ERROR, FAILED, PASSED, SIGNALLED
from hilbench.interrupts import Aborted, Interrupt, listening
from hilbench.rig import DEFAULT_RIG
from hilbench.searching.replay import Replay, replay, replay_words
from hilbench.searching.results import ResultFile, Row, Summary, summarise
from hilbench.searching.search import Task, search_one, searched_rig, subject_of

COLOUR = {"cannot-trip": "green", "indeterminate": "yellow", "must-trip": "bold red", "error": "bold magenta"}
MEANING = {
    "cannot-trip": "no breaker can have tripped",
    "indeterminate": "a fast one may have tripped",
    "must-trip": "every breaker trips",
    "error": "the bench failed: nothing learnt",
}
METRICS = {
    "fraction": "thermal fraction of breaker",
    "rise": "rise of it above the warm start",
    "peak_ratio": "peak current / rating",
    "above_s": "time above rating [s]",
    "above_as": "charge above rating [A.s]",
}
FAULTS_SHOWN = 8


@click.command()
@click.argument("rig", default=DEFAULT_RIG)
@click.option("--scenarios", default=100, show_default=True, type=click.IntRange(1), help="How many to run.")
@click.option("--first-seed", default=0, show_default=True, type=click.IntRange(0), help="Seed of the first one.")
@click.option("--seed", type=click.IntRange(0), help="Only the scenario of this seed.")
@click.option("--replay", "again", is_flag=True, help="Run it (--seed) with its story and a report.")
@click.option("--defect", help="Give the controller a deliberate mistake (see hilbench selftest --list).")
@click.option("--workers", default=0, help="Worker processes (default: one per core).")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="JSON lines to write, and to go on with.")
@click.option("--worst", default=5, show_default=True, type=click.IntRange(1), help="How many of the worst to show.")
@click.option("--runs", default=Path("runs"), show_default=True, type=click.Path(path_type=Path), help="For reports.")
def search(
    rig: str,
    scenarios: int,
    first_seed: int,
    seed: int | None,
    again: bool,
    defect: str | None,
    workers: int,
    out: Path | None,
    worst: int,
    runs: Path,
) -> None:
    """Search for the worst: random scenarios with faults on small sites made of RIG.

    A scenario takes two to six stations of RIG with random makes, cars and OCPP versions behind a service that just
    bears what they draw without a controller, lets building and cars come and go, and breaks links, meter, controller
    and supply, several at once. Every OCPD of the tree is then judged on the true currents: "must-trip" is a finding
    about the controller. What no controller could prevent is not drawn.

    \b
    hilbench search                                        100 scenarios on the default site
    hilbench search europe-3ph --scenarios 10000 --out e.jsonl   a night; the same command goes on with it
    hilbench search --seed 12345 --replay                  one again: story, run folder, report
    hilbench search --defect fails-open-on-link-loss       a broken controller must be found

    RIG must be emulated as a whole. Exit code 0: no trip among all; 1: at least one; 4: the bench failed in one.
    """
    if again and seed is None:
        raise click.UsageError("--replay needs --seed: that of the scenario to run again")
    seeds = range(first_seed, first_seed + scenarios) if seed is None else range(seed, seed + 1)
    searched_rig(rig, defect)
    console = Console()
    if again:
        sys.exit(_replay(console, Task(rig, defect, seeds[0]), runs))
    file = ResultFile(out, subject_of(rig, defect)) if out else None
    tasks = [Task(rig, defect, one) for one in seeds if file is None or one not in file.rows]
    rows = [] if file is None else [row for number, row in file.rows.items() if number in seeds]
    with listening() as interrupt:
        rows += _search(console, tasks, workers or os.cpu_count() or 1, file, interrupt, done=len(rows))
    _report(console, rig, defect, summarise(rows, worst))
    if interrupt.number is not None:
        console.print(f"[bold magenta]ABORTED[/] by {interrupt.name}; {len(rows)} of {len(seeds)} scenarios are judged")
        sys.exit(SIGNALLED + interrupt.number)
    sys.exit(exit_code(rows))


def exit_code(rows: list[Row]) -> int:
    """A trip is a finding about the controller, whatever else failed."""
    outcomes = {row.outcome for row in rows}
    return FAILED if "must-trip" in outcomes else ERROR if "error" in outcomes else PASSED


def _search(
    console: Console, tasks: list[Task], workers: int, file: ResultFile | None, interrupt: Interrupt, done: int
) -> list[Row]:
    rows: list[Row] = []
    try:
        with _progress(console, len(tasks) + done, done) as tell:
            for _task, row in run_tasks(search_one, tasks, workers, interrupt=interrupt):
                rows.append(row)
                if file:
                    file.add(row)
                tell(row)
    except Aborted:
        pass  # what was found stands, and is reported
    finally:
        if file:
            file.close()
    return rows


class _Teller:
    """Moves the bar, and keeps its words at the trips and the largest thermal fraction so far."""

    def __init__(self, bars: Progress, total: int, done: int) -> None:
        self._bars, self._trips, self._most = bars, 0, 0.0
        self._task = bars.add_task("scenarios", total=total, completed=done)

    def __call__(self, row: Row) -> None:
        self._trips += row.outcome == "must-trip"
        self._most = max(self._most, row.fraction)
        words = f"scenarios, {self._trips} trips, thermal fraction up to {self._most:.2f}"
        self._bars.update(self._task, advance=1, description=words)


@contextmanager
def _progress(console: Console, total: int, done: int) -> Iterator[_Teller]:
    columns = (TextColumn("{task.description}"), BarColumn(24), MofNCompleteColumn())
    times = (TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, *times, console=console, transient=True) as bars:
        yield _Teller(bars, total, done)


def _report(console: Console, rig: str, defect: str | None, found: Summary) -> None:
    total = sum(found.outcomes.values())
    whose = f"defect {defect}" if defect else "as it is"
    console.print(f"[bold]{rig}[/]   {total} random scenarios with faults, reference controller {whose}\n")
    table = _table("verdict of the worst OCPD", "", "scenarios")
    for outcome, count in found.outcomes.items():
        if count or outcome in ("cannot-trip", "must-trip"):
            table.add_row(f"[{COLOUR[outcome]}]{outcome}[/]", MEANING[outcome], str(count))
    console.print(table)
    console.print()
    _figures(console, found)
    _worst(console, rig, defect, found)


def _figures(console: Console, found: Summary) -> None:
    table = _table("of the worst OCPD of each", "median", "P95", "largest")
    for name, figures in found.quantiles.items():
        table.add_row(METRICS[name], *("-" if math.isnan(one) else f"{one:.3g}" for one in figures))
    console.print(table)
    console.print()


def _worst(console: Console, rig: str, defect: str | None, found: Summary) -> None:
    table = _table("the worst", "where", "fraction", "peak", "above rating", "what it had")
    for row in found.worst:
        above = f"{row.above_s:.2f} s, {row.above_as:.3g} A.s"
        verdict = f"[{COLOUR[row.outcome]}]{row.seed}[/]"
        had = ", ".join([*row.faults, *(["beyond worst_base_a"] if row.beyond else [])])
        table.add_row(verdict, row.where, f"{row.fraction:.3f}", f"{row.peak_ratio:.2f}", above, had or "no fault")
    console.print(table)
    if found.common:
        words = ", ".join(f"{fault} {among} of {overall}" for fault, among, overall in found.common[:FAULTS_SHOWN])
        console.print(f"\nof the scenarios that had it, so many are among the worst tenth: {words}")
    if found.worst:
        command = shlex.join(replay_words(Task(rig, defect, found.worst[0].seed)))
        console.print(f"\nthe worst again: [bold]{command}[/]", soft_wrap=True)


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def _replay(console: Console, task: Task, runs: Path) -> int:
    with listening() as interrupt:
        found = replay(task, runs, interrupt)
    _site(console, found)
    for t, who, what in found.story:
        console.print(f"{t:8.1f} s  {who:<12} {what}", highlight=False, markup=False, soft_wrap=True)
    report = found.path / "report.html"
    if found.row is None:
        console.print(
            f"[bold magenta]ABORTED[/] by {interrupt.name}; evidence up to then is kept      report: {report}"
        )
        return SIGNALLED + (interrupt.number or 0)
    row = found.row
    verdict = f"[{COLOUR[row.outcome]}]{row.outcome}[/] {row.error or row.where}"
    console.print(
        f"\n{verdict}: thermal fraction {row.fraction:.3f}, peak {row.peak_ratio:.2f} of the rating, "
        f"{row.above_s:.2f} s and {row.above_as:.3g} A.s above it; frames {row.trace}      report: {report}",
        highlight=False,
    )
    return exit_code([row])


def _site(console: Console, found: Replay) -> None:
    """The site of the scenario, before its story."""
    rig = found.scenario.rig
    site = rig.electrical
    root = site.nodes[0]
    beyond = ", building beyond that" if found.scenario.beyond else ""
    console.print(
        f"[bold]{rig.name}, scenario {found.scenario.seed}[/]   service {root.rating_a:g} A, "
        f"budget {root.limit_a:g} A, worst building {site.worst_base_a:g} A{beyond}   {found.scenario.duration_s:g} s",
        highlight=False,
    )
    for node in site.nodes[1:]:
        console.print(f"  feeder {node.id}: {node.rating_a:.4g} A, budget {node.limit_a:g} A", highlight=False)
    for entry in rig.stations:
        least = found.scenario.least[entry.role]
        console.print(
            f"  {entry.role}: {entry.connection} on {entry.feeder}, {entry.max_a:g} A, OCPP {entry.ocpp}, "
            f"make {entry.personality}, {entry.vehicle}; at worst {least:.1f} A whatever it is told",
            highlight=False,
        )
    console.print()
