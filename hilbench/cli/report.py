"""``hilbench report RUN``: render a run again from its folder, or check that the folder is as it was written."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from hilbench.errors import HilbenchError
from hilbench.evidence.manifest import NAME, ManifestCheck, check_manifest, write_manifest
from hilbench.evidence.overview import reason
from hilbench.evidence.reader import load_run
from hilbench.evidence.render import render
from hilbench.evidence.safe_state import guardian_words
from hilbench.evidence.schemas import folder_violations
from hilbench.evidence.words import headline

EXIT_BAD_INPUT = 2
EXIT_CHANGED = 4


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--verify", is_flag=True, help="Check every file against manifest and schema, change nothing.")
def report(run: Path, verify: bool) -> None:
    """Render report.html and junit.xml of the run folder RUN again, also when the run was cut off.

    The evidence itself is left as it is. Exit code 0: done or verified; 2: RUN is no run folder; 4: --verify found
    files that differ from the manifest, or no manifest.
    """
    try:
        if verify:
            sys.exit(_verify(run))
        _render(run)
    except (HilbenchError, OSError) as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(EXIT_BAD_INPUT)


def _render(folder: Path) -> None:
    intact = check_manifest(folder)
    run = load_run(folder)
    render(run)
    if intact.ok:
        write_manifest(folder)  # the renderings are new, everything else is what the manifest already vouched for
    elif intact.present:
        click.echo(f"warning: {_differences(intact)}; {NAME} is left as it was", err=True)
    click.echo(f"{run.verdict}: {headline(run)}")
    if said := guardian_words(run):
        click.echo(f"  {said}")
    for procedure in run.procedures:
        if procedure.verdict == "INCOMPLETE":
            click.echo(f"  {procedure.id} {procedure.title}: {reason(procedure)}")
        for problem in dict.fromkeys(procedure.problems):
            click.echo(f"  damaged: {procedure.folder}: {problem}", err=True)
    click.echo(folder / "report.html")


def _verify(folder: Path) -> int:
    run = load_run(folder)
    departures = folder_violations(folder)
    for text in departures:
        click.echo(f"not as the schema says: {text}")
    check = check_manifest(folder)
    if not check.present:
        click.echo(f"{folder}: no {NAME}: the run is {run.status}, nothing vouches for its files")
    for word, names in (("changed", check.changed), ("missing", check.missing), ("extra", check.extra)):
        for name in names:
            click.echo(f"{word}: {name}")
    if not check.ok or departures:
        return EXIT_CHANGED
    click.echo(f"{folder}: {run.verdict}; every file is as {NAME} says")
    return 0


def _differences(check: ManifestCheck) -> str:
    counts = f"{len(check.changed)} files changed, {len(check.missing)} missing, {len(check.extra)} extra"
    return f"{counts} since the run ended"
