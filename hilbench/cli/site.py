"""``hilbench site``: the electrical site of a rig on paper."""

from __future__ import annotations

import json
from dataclasses import asdict
from itertools import groupby
from typing import TYPE_CHECKING

import click

from hilbench.cli.rig import complete_rig, summary

if TYPE_CHECKING:
    from hilbench.loads import Row, Sheet
    from hilbench.rig import Rig


@click.group()
def site() -> None:
    """A site on paper: its load calculation, and what holds there when something is lost."""


@site.command()
@click.argument("name", metavar="RIG", shell_complete=complete_rig)
@click.option(
    "--edition",
    type=click.Choice(["nec-2023", "nec-2026", "iec-60364"]),
    help="Rules to calculate by (default: what [loads] says, else nec-2023 at 60 Hz and iec-60364 at 50 Hz).",
)
@click.option("--json", "as_json", is_flag=True, help="Print the sheet as JSON on standard output.")
def loads(name: str, edition: str | None, as_json: bool) -> int:
    """Print the load calculation of RIG, a file or a shipped name.

    For every node of the site: its stations at their rating, the load and the OCPD that they would need without load
    management, and what counts with the setting (budget_a) of the load management in force. Loads beside the stations
    stand in the rig file; without any, the building is worst_base_a:

    \b
      [loads]
      edition = "nec-2026"
      other = [{ name = "House, Article 120", va = 17040, monitored = true }]

    Exit code 1 when a bound is not kept. The clauses' wording is not public: a sheet helps who signs, it does not sign.
    """
    from hilbench.loads import calculate
    from hilbench.rig import load_rig

    rig = load_rig(name)
    sheet = calculate(rig.electrical, rig.loads, edition)  # type: ignore[arg-type]  # click checked the choice
    if as_json:
        click.echo(json.dumps({"site": rig.name, "permitted": sheet.permitted, **asdict(sheet)}, indent=2))
    else:
        _print(rig, sheet)
    return 0 if sheet.permitted else 1


@site.command()
@click.argument("name", metavar="RIG", shell_complete=complete_rig)
def fallbacks(name: str) -> int:
    """Print what holds at RIG when something is lost: after how long, until when, and whether the sums are kept.

    The figures are those of the reference controller with the rig's settings. Exit code 1 when the fallbacks of a node
    add up, beside the worst building, to more than its budget.
    """
    from rich.console import Console
    from rich.table import Table

    from hilbench.reference import fallback_table
    from hilbench.rig import load_rig

    rig = load_rig(name)
    losses, sums = fallback_table(rig)
    console = Console(highlight=False, markup=False)
    table = Table("lost", "what holds", "after", "until", "shown by", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for one in losses:
        table.add_row(one.lost, one.holds, f"{one.after_s:g} s" if one.after_s else "at once", one.ends, one.proc)
    console.print(summary(rig))
    console.print(table)
    for node in sums:
        parts = f"fallbacks {node.fallbacks_a:.1f} A + building {node.building_a:.1f} A per line"
        console.print(f"{node.node}: {parts}, budget {node.limit_a:.1f} A: {'ok' if node.kept else 'NOT KEPT'}")
    return 0 if all(node.kept for node in sums) else 1


def _print(rig: Rig, sheet: Sheet) -> None:
    from rich.console import Console
    from rich.table import Table

    from hilbench.loads import continuous_kw

    console = Console(highlight=False, markup=False)
    console.print(f"{summary(rig)}; by {sheet.edition}")
    service = rig.electrical.service
    share = f"80 % of {service.rating_a:g} A at {service.voltage_v:g} V is {continuous_kw(rig.electrical):.1f} kW"
    console.print(f"Continuous load of the service: {share}.")
    for node, rows in groupby(sheet.rows, key=lambda row: row.node):
        table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 2))
        for row in rows:
            table.add_row(_result(row), row.what, row.how, f"{row.clause} ({row.confidence})")
        console.print(f"\n{node}")
        console.print(table)
    console.print()
    console.print(_conclusion(sheet))


def _result(row: Row) -> str:
    verdict = {None: "", True: " ok", False: " NOT KEPT"}[row.keeps]
    return f"{row.value:.2f} {row.unit}{verdict}"


def _conclusion(sheet: Sheet) -> str:
    if not sheet.permitted:
        return "Not permitted as it stands: see NOT KEPT."
    if sheet.managed:
        return "Permitted with load management at the settings above, and only with it."
    return "Permitted, with or without load management."
