"""``hilbench compare RUN_A RUN_B``: do two runs agree, within their uncertainty or a tolerance?"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from hilbench.cli import FAILED, PASSED
from hilbench.evidence.compare import Pair, Value
from hilbench.evidence.compare import compare as compare_runs
from hilbench.evidence.files import plain
from hilbench.evidence.reader import RunEvidence, load_run
from hilbench.evidence.words import metric_title


def _tolerance(_context: click.Context, _parameter: click.Parameter, text: str) -> float:
    """A share, given as ``10%`` or ``0.1``."""
    try:
        share = float(text.removesuffix("%")) / (100.0 if text.endswith("%") else 1.0)
    except ValueError:
        share = -1.0
    if not 0.0 <= share < 1.0:
        raise click.BadParameter(f"{text!r} is no share: give it as 10% or 0.1, below 100%")
    return share


@click.command()
@click.argument("run_a", type=click.Path(path_type=Path))
@click.argument("run_b", type=click.Path(path_type=Path))
@click.option(
    "--tolerance", default="0", show_default=True, callback=_tolerance, help="Allow this share more, such as 10%."
)
@click.option("--json", "as_json", is_flag=True, help="Print every pair as JSON on standard output.")
def compare(run_a: Path, run_b: Path, tolerance: float, as_json: bool) -> None:
    """Compare every measured value of the run folders RUN_A and RUN_B.

    \b
    hilbench compare runs/0001 runs/0002                  the same scenario on two clocks, or twice
    hilbench compare baseline runs/0007 --tolerance 10%   a controller against its last release

    Two values agree when they differ by no more than their combined stated uncertainty, plus the tolerance. Exit code
    0: all agree; 1: not all; 2: no run folder, or nothing in common.
    """
    first, second = load_run(run_a), load_run(run_b)
    pairs = compare_runs(first, second, tolerance)
    if as_json:
        click.echo(json.dumps(plain([{**asdict(pair), "difference": pair.difference} for pair in pairs])))
    else:
        _print(Console(), first, second, pairs)
    sys.exit(PASSED if all(pair.agrees for pair in pairs) else FAILED)


def _print(console: Console, first: RunEvidence, second: RunEvidence, pairs: list[Pair]) -> None:
    for letter, run in (("A", first), ("B", second)):
        console.print(f"[bold]{letter}[/]  {run.path}: {_facts(run)}", highlight=False)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("procedure", "metric", "A", "B", "may differ", ""):
        table.add_column(heading, justify="left" if heading in ("procedure", "metric", "") else "right")
    before = ""
    for pair in pairs:
        mark = "[green]agrees[/]" if pair.agrees else f"[bold red]{_complaint(pair)}[/]"
        metric = metric_title(pair.metric) + (f" #{pair.occurrence}" if pair.occurrence > 1 else "")
        name = "" if pair.procedure == before else pair.procedure
        table.add_row(name, metric, _text(pair.first), _text(pair.second), f"{pair.allowed:.3g}", mark)
        before = pair.procedure
    console.print(table)
    console.print(f"{sum(pair.agrees for pair in pairs)} of {len(pairs)} values agree")


def _facts(run: RunEvidence) -> str:
    head: dict[str, Any] = run.head
    site, time = head.get("site"), head.get("time")
    place = site.get("name") if isinstance(site, dict) else site
    mode = time.get("mode") if isinstance(time, dict) else time
    return f"{place}, {head.get('controller')}, {mode} time, seed {head.get('seed')}, {run.verdict}"


def _text(value: Value | None) -> str:
    return "-" if value is None else f"{value.value:.4g} ± {value.uncertainty:.2g} {value.unit}"


def _complaint(pair: Pair) -> str:
    if pair.first is None:
        return "only in B"
    return "only in A" if pair.second is None else f"differs by {pair.difference:+.3g}"
