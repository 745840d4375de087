"""``hilbench can``: what is in logs of a CAN bus."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hilbench.errors import InputError

if TYPE_CHECKING:
    from hilbench.canlogs.report import Session


@click.group()
def can() -> None:
    """Read logs of a CAN bus: what a CHAdeMO car and charger said to each other."""


@can.command()
@click.argument("log", metavar="LOG", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@click.option("--channel", metavar="NAME", help="The bus, where LOG has several  [default: the one with CHAdeMO]")
@click.option("--session", "number", type=click.IntRange(1), metavar="N", help="Only the Nth session.")
@click.option("--all", "everything", is_flag=True, help="Every moment, also those that repeat.")
@click.option("--plot/--no-plot", default=True, help="Draw current and voltage in the terminal.")
@click.option(
    "--svg", type=click.Path(path_type=Path, dir_okay=False), metavar="OUT", help="Draw the first session here."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def decode(
    log: Path, channel: str | None, number: int | None, everything: bool, plot: bool, svg: Path | None, as_json: bool
) -> None:
    """Tell the CHAdeMO sessions in LOG (- is standard input) in words and figures.

    candump logs and its output with absolute, relative or no time stamps, Vector .asc, PEAK .trc, CSV of SavvyCAN,
    python-can and others, .blf (with python-can: the extra can), and any text with an id and eight bytes in hex on a
    line are read; gzip too. Frames of other ids are passed over. Who speaks is told by the id.

    The story tells what is on CAN, and what that leaves open is said: the lines d1, d2 and k are not in a log, times
    of a log without stamps are counted, and a figure that the log does not give is left out.

    \b
    hilbench can decode session.log
    hilbench can decode savvycan.csv --svg session.svg
    candump -L can0 | hilbench can decode - --json

    Exit code 0 when a session was found, 2 when there is none or LOG cannot be read.
    """
    from hilbench.canlogs.reading import read_log
    from hilbench.canlogs.report import sessions

    source = "standard input" if str(log) == "-" else str(log)
    read = read_log(source, _content(log))
    found, notes = sessions(read, channel)
    numbered = _chosen(source, found, number)
    if svg is not None:
        from hilbench.cli.can_show import drawing

        _write(svg, drawing(numbered[0][1]))
    if as_json:
        from hilbench.cli.can_json import to_json

        click.echo(json.dumps(to_json(read, [*read.notes, *notes], numbered), indent=1))
    else:
        from hilbench.cli.can_show import show

        show(read, [*read.notes, *notes], numbered, everything, plot)


def _chosen(source: str, found: list[Session], number: int | None) -> list[tuple[int, Session]]:
    numbered = list(enumerate(found, 1))
    if number is None:
        return numbered
    if number > len(found):
        raise InputError(source, f"has {len(found)} session{'s' if len(found) > 1 else ''}, not {number}")
    return [numbered[number - 1]]


def _content(log: Path) -> bytes:
    if str(log) == "-":
        return sys.stdin.buffer.read()
    try:
        return log.read_bytes()
    except OSError as error:
        raise InputError(str(log), f"cannot be read: {error.strerror or error}") from error


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(str(file), f"cannot be written: {error.strerror or error}") from error
