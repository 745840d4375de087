"""``hilbench quirks``: what cars, stations, meters and controllers are on record for."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from hilbench.cli.quirk_names import complete_quirk

if TYPE_CHECKING:
    from hilbench.quirk_proof import Proof
    from hilbench.runner import Job
    from hilbench_emulators.quirks import Quirk


@click.group()
def quirks() -> None:
    """List, show and prove misbehaviours of real cars, stations, meters and controllers.

    \b
    hilbench run --quirk M3                          the site meter answers every 10 s
    hilbench run --quirk Q1:draws_a=25 --only 2.4    cars draw 25 A, whatever they are offered
    hilbench quirks prove C1 M1 E6                   the naive law fails, the reference passes
    """


@quirks.command("list")
@click.option("--who", help="Only those of car, station, meter, controller, board, 'DC car' or 'DC station'.")
@click.option("--markdown", is_flag=True, help="Print a page of documentation.")
def list_(who: str | None, markdown: bool) -> None:
    """List all entries."""
    from hilbench.errors import InputError
    from hilbench_emulators.quirks import quirks as known

    chosen = [one for one in known().values() if who in (None, one.who)]
    if not chosen:
        raise InputError("--who", f"nobody is called {who!r}; there are {', '.join(_culprits())}")
    if markdown:
        click.echo(page(chosen))
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("id", "name", "who", "shown by", "what it does", "source"):
        table.add_column(heading, no_wrap=heading in ("id", "who", "shown by"))
    for one in chosen:
        table.add_row(one.id, one.name, one.who, one.procedure or "-", escape(one.title), escape(one.source))
    Console().print(table)


@quirks.command()
@click.argument("names", metavar="ID...", nargs=-1, required=True, shell_complete=complete_quirk)
def show(names: tuple[str, ...]) -> None:
    """Show everything about entries, by id or name."""
    from hilbench_emulators.quirks import quirk

    for name in names:
        for line in told(quirk(name)):
            click.echo(line)


def told(one: Quirk) -> list[str]:
    """An entry in words."""
    lines = [f"{one.id}  {one.name}: {one.title}", f"  who         {one.who}", f"  reported    {one.figure}"]
    lines.append(f"  source      {one.source} ({one.confidence})")
    for name, parameter in one.parameters.items():
        lines.append(f"  parameter   {name} = {parameter.default:g} {parameter.unit}: {parameter.meaning}")
    lines.append(f"  played by   {'the procedure itself' if one.by == 'procedure' else f'{one.by}: {one.use}'}")
    if one.hidden:
        lines.append(f"  not shown   {one.hidden}")
    elif one.device:
        lines.append(f"  shown by    {one.procedure}: the device {one.device}, for {one.good}")
    else:
        lines.append(f"  shown by    {one.procedure} on {one.rig}, in which the naive law fails: {one.naive}")
    return lines if one.device else [*lines, f"  good        a good controller {one.good}"]


def page(chosen: list[Quirk]) -> str:
    """A table in Markdown."""
    rows = ["| id | name | who | reported | shown by | source |", "|---|---|---|---|---|---|"]
    for one in chosen:
        cells = (one.id, one.name, one.who, one.figure, one.procedure or one.hidden, one.source)
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(rows)


def _culprits() -> list[str]:
    from hilbench_emulators.quirks import quirks as known

    return sorted({one.who for one in known().values()})


@quirks.command()
@click.argument("names", metavar="[ID]...", nargs=-1, shell_complete=complete_quirk)
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0), help="Seed of everything random.")
@click.option("--jobs", default=0, help="Worker processes (default: one per core).")
@click.option("--json", "as_json", is_flag=True, help="Print JSON on standard output.")
@click.option("--markdown", is_flag=True, help="Print a table in Markdown on standard output.")
def prove(names: tuple[str, ...], seed: int, jobs: int, as_json: bool, markdown: bool) -> None:
    """Prove entries (default: all): in its procedure the naive law must FAIL where the reference controller passes.

    Entries of DC are about a station or a car: it must fail by itself, or be coped with, as the entry says. Exit code 1
    when an entry is not proven.
    """
    import os

    from hilbench.quirk_proof import plan, proof
    from hilbench_emulators.quirks import quirk
    from hilbench_emulators.quirks import quirks as known

    chosen = [quirk(name) for name in names] or list(known().values())
    console = Console(stderr=as_json or markdown)
    results, reasons = _run(console, plan(chosen, seed), jobs or os.cpu_count() or 1)
    proofs = [proof(one, seed, results, reasons) for one in chosen if not one.hidden]
    if as_json:
        click.echo(json.dumps([_plain(one) for one in proofs], indent=2))
    elif markdown:
        click.echo("\n".join(_rows(proofs)))
    _show_proofs(console, proofs, [one for one in chosen if one.hidden])
    sys.exit(0 if all(one.holds for one in proofs) else 1)


def _run(console: Console, wanted: list[Job], workers: int) -> tuple[dict[Job, dict[str, Any]], dict[Job, str]]:
    from hilbench.campaign import Aborted, run_jobs
    from hilbench.cli.run import summary

    results: dict[Job, dict[str, Any]] = {}
    columns = (TextColumn("{task.description:<28}"), BarColumn(30), MofNCompleteColumn(), TimeElapsedColumn())
    try:
        with Progress(*columns, console=console, transient=True) as bars:
            task = bars.add_task("proofs", total=len(wanted))
            for job, result in run_jobs(wanted, workers):
                results[job] = result
                bars.update(task, advance=1, description=f"{job.defect or 'reference'} {job.procedure}")
    except Aborted as aborted:
        console.print(f"[bold magenta]ABORTED[/] by {aborted}")
        sys.exit(128 + aborted.number)
    return results, {job: summary(result, most=1) for job, result in results.items()}


def _show_proofs(console: Console, proofs: list[Proof], hidden: list[Quirk]) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in ("id", "name", "in", "naive law or device", "", "reference", ""):
        table.add_column(heading, no_wrap=heading in ("id", "in"))
    for one in proofs:
        who = one.quirk.naive or one.quirk.name
        mark = "[green]proven[/]" if one.holds else "[bold red]NOT PROVEN[/]"
        told = f"{who}: {one.naive}"
        table.add_row(one.quirk.id, one.quirk.name, one.quirk.procedure, told, escape(one.reason), one.reference, mark)
    console.print(table)
    for left in hidden:
        console.print(f"[dim]{left.id} {left.name}: not shown, {left.hidden}[/]")
    console.print(f"{sum(one.holds for one in proofs)} of {len(proofs)} entries proven, {len(hidden)} not shown here")


def _plain(one: Proof) -> dict[str, Any]:
    entry = one.quirk
    return {
        "id": entry.id,
        "name": entry.name,
        "source": entry.source,
        "figure": entry.figure,
        "procedure": entry.procedure,
        "naive": entry.naive or entry.name,
        "naive_verdict": one.naive,
        "found": one.reason,
        "reference_verdict": one.reference,
        "proven": one.holds,
    }


def _rows(proofs: list[Proof]) -> list[str]:
    rows = ["| id | reported | source | procedure | naive law | reference |", "|---|---|---|---|---|---|"]
    for one in proofs:
        entry = one.quirk
        who = f"{entry.naive or entry.name}: {one.naive}"
        cells = (entry.id, entry.figure, entry.source, entry.procedure, who, one.reference)
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return rows
