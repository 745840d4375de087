"""``hilbench rig``: check, list and show rig files, and the JSON Schema for editors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from hilbench.rig import Rig, StationEntry
    from hilbench.site import Node


def complete_rig(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Shell completion of a rig: shipped names, then files."""
    from hilbench.rig import rig_files

    names = [CompletionItem(name) for name in rig_files() if name.startswith(incomplete)]
    return [*names, CompletionItem(incomplete, type="file")]


@click.group()
def rig() -> None:
    """Check, list and show rig files."""


@rig.command()
@click.argument("name", metavar="RIG", shell_complete=complete_rig)
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
def check(name: str, strict: bool) -> int:
    """Check RIG, a file or a shipped name: every problem with its key, its line and what to do.

    Structural problems come first; a file without them is held against the electrical rules (continuous load, branch
    circuits, sum of fallbacks, voltages, phases). Exit code 2 when there is an error.
    """
    from hilbench.rig_lint import lint, located

    loaded, data, text = _checked(name)
    findings = lint(loaded)
    for severity, problem, rule in located(findings, data, text):
        click.echo(f"{name}: {severity}: {problem} [{rule.clause}; {rule.confidence}]")
    errors = sum(finding.severity == "error" for finding in findings)
    warnings = len(findings) - errors
    click.echo(f"{summary(loaded)}: {_count(errors, 'error')}, {_count(warnings, 'warning')}")
    return 2 if errors or (strict and warnings) else 0


def _checked(name: str) -> tuple[Rig, dict[str, Any], str]:
    """The rig, and the tables and the text of its file; raises ``InputError`` with the controller's settings too."""
    from hilbench.errors import InputError
    from hilbench.reference import setting_problems
    from hilbench.rig import find_rig, parse_rig
    from hilbench.tomlfile import read_toml

    path = find_rig(name)
    data, text = read_toml(path, name)
    controller = data.get("controller")
    problems = setting_problems(controller, text) if isinstance(controller, dict) else []
    try:
        loaded = parse_rig(data, text, name, path.resolve())
    except InputError as error:
        raise InputError(name, [*error.problems, *problems]) from None
    if problems:
        raise InputError(name, problems)
    return loaded, data, text


def _count(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"


def summary(loaded: Rig) -> str:
    """One line: what the rig is."""
    site = loaded.electrical
    service = site.service
    volts = f"{service.voltage_v:g} V {service.wiring}"
    return (
        f"{loaded.name}: {_count(len(loaded.stations), 'station')}, {service.rating_a:g} A service of {volts}, "
        f"budget {site.nodes[0].limit_a:g} A"
    )


@rig.command("list")
def list_command() -> None:
    """List the rigs that come with the bench."""
    from hilbench.rig import load_rig, rig_files

    for name in rig_files():
        loaded = load_rig(name)
        clock = "real time" if loaded.real_parts else "virtual time"
        click.echo(f"{summary(loaded)}; {loaded.controller.kind} controller, {clock}")


@rig.command()
@click.argument("name", metavar="[RIG]", shell_complete=complete_rig, default="workplace-10")
def show(name: str) -> None:
    """Show the electrical tree of RIG with every role, and what plays it."""
    from rich.console import Console
    from rich.tree import Tree

    from hilbench.rig import load_rig

    loaded = load_rig(name)
    site = loaded.electrical
    trees: dict[str, Tree] = {}
    for node in site.nodes:
        label = _node_line(node)
        trees[node.id] = Tree(label) if node.parent is None else trees[node.parent].add(label)
    for name, meter in loaded.meters.items():
        trees[meter.node].add(f"meter.{name}  {meter.device} {meter.whereabouts}, every {meter.interval_s:g} s")
    for entry in loaded.stations:
        trees[entry.feeder].add(_station_line(entry))
    console = Console(highlight=False, markup=False)
    console.print(summary(loaded))
    console.print(trees["service"])
    console.print(f"controller  {loaded.controller.kind} at {loaded.controller.ocpp}")
    for step in loaded.safe_plan.steps:
        console.print(f"{step.role}  {step.kind} at {step.address}, within {step.timeout_s:g} s")


def _node_line(node: Node) -> str:
    return f"{node.id}  {node.title}: {node.rating_a:.4g} A, budget {node.limit_a:.4g} A"


def _station_line(entry: StationEntry) -> str:
    rotation = f"{entry.connection}, {entry.max_a:g} A on {entry.branch_a:g} A, fallback {entry.fallback_a:g} A"
    return f"{entry.role}  {rotation}; {entry.device}, {entry.vehicle}"


@rig.command()
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write to a file instead of the terminal.")
def schema(out: Path | None) -> None:
    """Write the JSON Schema of rig files, for completion and checks in an editor."""
    from hilbench.reference import setting_schema
    from hilbench.rig import rig_schema

    text = json.dumps(rig_schema(setting_schema()), indent=2) + "\n"
    if out is None:
        click.echo(text, nl=False)
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.FileError(str(out), error.strerror or str(error)) from None
