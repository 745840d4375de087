"""``hilbench requirements``: the profiles that limits come from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table

from hilbench.cli.rig import complete_rig

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from hilbench.requirements import Clause, Profile, Requirements


def complete(_context: click.Context, _parameter: click.Parameter, begun: str) -> list[CompletionItem | str]:
    """Shipped profiles that begin so."""
    from hilbench.requirements import profile_names

    return [name for name in profile_names() if name.startswith(begun)]


@click.group()
def requirements() -> None:
    """List, show and check requirement profiles: limits with their clause, source and how sure the bench is of them.

    A rig names its profiles, shipped ones or files beside it:

    \b
    requirements = ["generic-v0", "us-nec-2023", "our-site.toml"]

    Of several limits on the same quantity the strictest counts, so that a profile can only tighten. For one run a
    profile can be added with `hilbench run --requirements our-site.toml`.
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
@click.argument("profile", metavar="PROFILE", shell_complete=complete)
@click.option("--metric", metavar="NAME", help="Only clauses on this metric.")
@click.option("--rig", metavar="RIG", shell_complete=complete_rig, help="Reckon the limits of this rig's service.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(profile: str, metric: str | None, rig: str | None, as_json: bool) -> None:
    """Show every clause of PROFILE, the id of a shipped one or a TOML file.

    \b
    hilbench requirements show generic-v0 --metric t90
    hilbench requirements show our-site.toml --rig workplace-10

    With a rig each limit is a number, and it says where another profile of the rig is stricter.
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
    here = {} if rig is None else limits_here(profile, rig)
    for clause in clauses:
        console.print(f"[bold]{clause.id}[/]  {clause.metric} {clause.limit_text}{_when(clause.when)}", highlight=False)
        if clause.id in here:
            console.print(f"  here: [bold]{here[clause.id]}[/]", soft_wrap=True, highlight=False)
        console.print(f"  {clause.text}", soft_wrap=True)
        guard = "the uncertainty is kept as a guard band" if clause.guard == "U" else "simple acceptance"
        console.print(f"  [dim]{clause.source} ({clause.confidence}); {guard}[/]", soft_wrap=True)


def limits_here(profile: str, rig: str) -> dict[str, str]:
    """What each clause of a profile comes to at the service of a rig, in words, beside the rig's own profiles."""
    from hilbench.measuring.context import site_context
    from hilbench.requirements import load_requirements
    from hilbench.rig import load_rig

    loaded, own = load_rig(rig), _read(profile).id
    together = load_requirements(dict.fromkeys([*loaded.site.requirements, profile]))
    known = site_context(loaded, together)
    return {clause.id: _here(clause, together, known) for clause in together.clauses if clause.profile == own}


def _here(clause: Clause, together: Requirements, known: Mapping[str, float]) -> str:
    procedure = clause.procedures[0] if clause.procedures else ""
    missing = sorted({*clause.limit, *clause.tolerance, *clause.when} - known.keys() - {"constant"})
    if missing:
        return f"depends on {' and '.join(missing)}, which a run knows"
    if not clause.applies(clause.metric, procedure, known):
        return "does not apply"
    limit, tolerance = clause.limit_value(known), clause.tolerance_value(known)
    unit = "" if clause.unit == "1" else f" {clause.unit}"
    said = f"{clause.op} {limit:g}{f' with a tolerance of {tolerance:g}' if tolerance else ''}{unit}"
    others = [one for one in together.clauses if one.profile != clause.profile and _settled(one, known)]
    first = next(iter(together.only([clause, *others]).applicable(clause.metric, procedure, known)))
    return said if first is clause else f"{said}; {first.profile}/{first.id} is stricter: {first.limit_text}"


def _settled(clause: Clause, known: Mapping[str, float]) -> bool:
    """True where nothing of the clause depends on the run."""
    return {*clause.limit, *clause.tolerance, *clause.when} <= known.keys() | {"constant"}


@requirements.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
def lint(files: tuple[Path, ...]) -> None:
    """Check profile files, each by itself and all together: exit code 2 with every problem and its place.

    A clause that no procedure measures is a problem too: no run would ever judge it.
    """
    from hilbench.errors import InputError
    from hilbench.procedures.measured import unmeasured
    from hilbench.requirements import load_requirements

    found = load_requirements([], files)
    for path, profile in zip(files, found.profiles, strict=True):
        if problems := list(unmeasured(profile)):
            raise InputError(str(path), problems)
    for profile in found.profiles:
        click.echo(f"{profile.id}: {len(profile.clause)} clauses, no problems")


def _shipped() -> list[Profile]:
    from hilbench.requirements import load_requirements, profile_names

    return [load_requirements([name]).profiles[0] for name in profile_names()]


def _read(name: str) -> Profile:
    from hilbench.requirements import load_requirements

    return load_requirements([name]).profiles[0]


def _when(conditions: dict[str, Any]) -> str:
    """Conditions in words."""
    signs = {"min": ">=", "max": "<=", "above": ">", "below": "<"}
    said = [
        f"{name} {signs[field]} {getattr(allowed, field):g}"
        for name, allowed in conditions.items()
        for field in sorted(allowed.model_fields_set)
    ]
    return f"   where {' and '.join(said)}" if said else ""
