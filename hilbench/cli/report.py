"""``hilbench report RUN``: render a run again from its folder, or check that the folder is as it was written."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from hilbench.errors import HilbenchError
from hilbench.evidence.manifest import NAME, ManifestCheck, check_manifest, write_manifest
from hilbench.evidence.reader import load_run
from hilbench.evidence.render import render
from hilbench.evidence.words import headline

EXIT_BAD_INPUT = 2
EXIT_CHANGED = 4


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--verify", is_flag=True, help="Check every file against the manifest and change nothing.")
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
    click.echo(folder / "report.html")


def _verify(folder: Path) -> int:
    load_run(folder)
    check = check_manifest(folder)
    if not check.present:
        click.echo(f"{folder}: no {NAME}: the run was cut off before its end, nothing vouches for its files")
        return EXIT_CHANGED
    if check.ok:
        click.echo(f"{folder}: every file is as {NAME} says")
        return 0
    for word, names in (("changed", check.changed), ("missing", check.missing), ("extra", check.extra)):
        for name in names:
            click.echo(f"{word}: {name}")
    return EXIT_CHANGED


def _differences(check: ManifestCheck) -> str:
    return f"{len(check.changed)} files changed, {len(check.missing)} missing, {len(check.extra)} extra since the run ended"
