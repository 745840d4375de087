"""``hilbench procedures``: what the acceptance catalogue holds."""

from __future__ import annotations

import click
from rich.console import Console
from rich.table import Table

from hilbench.procedures import catalogue, select


@click.command()
@click.argument("names", nargs=-1)
@click.option("--long", "-l", is_flag=True, help="Also print the stimulus and what the rig must offer.")
def procedures(names: tuple[str, ...], long: bool) -> None:
    """List the acceptance procedures, or those called NAMES (id or name)."""
    console = Console()
    chosen = select(names) if names else catalogue()
    table = Table(box=None, pad_edge=False)
    for heading in ("id", "name", "purpose"):
        table.add_column(heading)
    for procedure in chosen:
        text = procedure.purpose
        if long:
            text += f"\n[dim]Stimulus: {(procedure.run.__doc__ or '').strip()}[/]"
            text += f"\n[dim]Needs: {', '.join(sorted(procedure.needs)) or 'nothing beyond stations and a meter'}[/]"
        table.add_row(procedure.id, procedure.key, text)
    console.print(table)
