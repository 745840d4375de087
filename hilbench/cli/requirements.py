"""``hilbench requirements``: the profiles that limits come from."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from hilbench.requirements import Profile


def _complete(_context: click.Context, _parameter: click.Parameter, begun: str) -> list[CompletionItem | str]:
    from hilbench.requirements import profile_names

    return [name for name in profile_names() if name.startswith(begun)]


@click.group()
def requirements() -> None:
    """List, show and check requirement profiles: limits with their clause, source and how sure the bench is of them.

    A rig names its profiles, shipped ones or files beside it:

    \b
    requirements = ["generic-v0", "us-nec-2023", "our-site.toml"]

    Of several limits on the same quantity the strictest counts, so that a profile can only tighten.
    """


@requirements.command("list")
def list_() -> None:
    """List the shipped profiles."""
    table = Table(box=None, pad_edge=False)
    for heading in ("id", "clauses", "title"):
        table.add_column(heading)
    for profile in _shipped():
        table.add_row(profile.id, str(len(profile.clause)), profile.title)
    Console().print(table)


@requirements.command()
@click.argument("profile", metavar="PROFILE", shell_complete=_complete)
@click.option("--metric", metavar="NAME", help="Only clauses on this metric.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(profile: str, metric: str | None, as_json: bool) -> None:
    """Show every clause of PROFILE, the id of a shipped one or a TOML file.

    \b
    hilbench requirements show generic-v0 --metric t90
    hilbench requirements show our-site.toml
    """
    found = _read(profile)
    clauses = [clause for clause in found.clauses() if metric in (None, clause.metric)]
    if metric is not None and not clauses:
        from hilbench.errors import InputError

        known = sorted({clause.metric for clause in found.clauses()})
        raise InputError("--metric", f"{found.id} has no clause on {metric!r}; it has {', '.join(known)}")
    if as_json:
        import json

        click.echo(json.dumps([clause.model_dump(mode="json") for clause in clauses], indent=2))
        return
    console = Console()
    console.print(f"[bold]{found.id}[/]  {found.title}, edition {found.edition}\n{found.text}\n")
    for clause in clauses:
        console.print(f"[bold]{clause.id}[/]  {clause.metric} {clause.limit_text}{_when(clause.when)}")
        console.print(f"  {clause.text}", soft_wrap=True)
        guard = "the uncertainty is kept as a guard band" if clause.guard == "U" else "simple acceptance"
        console.print(f"  [dim]{clause.source} ({clause.confidence}); {guard}[/]", soft_wrap=True)


@requirements.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
def lint(files: tuple[Path, ...]) -> None:
    """Check profile files, each by itself and all together: exit code 2 with every problem and its place."""
    from hilbench.requirements import load_requirements

    found = load_requirements([], files)
    for profile in found.profiles:
        click.echo(f"{profile.id}: {len(profile.clause)} clauses, no problems")


def _shipped() -> list[Profile]:
    from hilbench.requirements import load_requirements, profile_names

    return [load_requirements([name]).profiles[0] for name in profile_names()]


def _read(name: str) -> Profile:
    from hilbench.errors import InputError, Problem
    from hilbench.requirements import load_requirements, profile_names, read_profile

    names = profile_names()
    if name in names:
        return load_requirements([name]).profiles[0]
    if name.endswith(".toml"):
        return read_profile(name)
    near = get_close_matches(name, names)
    remedy = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}, and TOML files"
    raise InputError("PROFILE", Problem(name, "no such profile", remedy))


def _when(conditions: dict[str, Any]) -> str:
    """Conditions in words."""
    signs = {"min": ">=", "max": "<=", "above": ">", "below": "<"}
    said = [
        f"{name} {signs[field]} {getattr(allowed, field):g}"
        for name, allowed in conditions.items()
        for field in sorted(allowed.model_fields_set)
    ]
    return f"   where {' and '.join(said)}" if said else ""
