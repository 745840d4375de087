"""``hilbench ccs``: what a car and a DC station said to each other."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from hilbench.ccs.course import Course
    from hilbench.ccs.session import Entry

MOST_BYTES = 1 << 30


@click.group()
def ccs() -> None:
    """Read captures of CCS charging sessions: DIN 70121, ISO 15118-2 and ISO 15118-20."""


@ccs.command()
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--summary", "only_summary", is_flag=True, help="Only the summary, no line a message.")
@click.option("--plot/--no-plot", default=True, help="Draw offer, request and output of the loop in the terminal.")
@click.option("--svg", type=click.Path(path_type=Path, dir_okay=False), metavar="OUT", help="Draw them here.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: every message with all it holds, and the summary.")
def decode(file: Path, only_summary: bool, plot: bool, svg: Path | None, as_json: bool) -> None:
    """Tell a charging session in words: a line for each message with its time, a summary, and a plot.

    FILE (- is standard input) is a capture of the IP traffic between car and station, pcap or pcapng, or text with one
    message a line: an optional time, any words, and the message in hexadecimal digits, with or without its V2GTP
    header. The namespace is the one that supportedAppProtocol agreed on; without that, the first that fits.

    \b
    tcpdump -i eth1 -w session.pcap ; hilbench ccs decode session.pcap
    hilbench ccs decode session.pcapng --summary --svg session.svg
    echo "18:00:01.25 01fe80010000000480400040" | hilbench ccs decode -
    hilbench ccs decode session.pcap --json | jq .summary.loop

    Not covered: SLAC and the power line modem, which are below IP; connections under TLS; WPT and ACDP.

    Exit code 0 when something of a session was found, readable or not; 2 when FILE cannot be read, is no capture, or
    has no V2G message.
    """
    from hilbench.ccs.capture import entries
    from hilbench.ccs.course import course
    from hilbench.ccs.pcap import CaptureError
    from hilbench.ccs.story import summary
    from hilbench.errors import InputError

    try:
        found = entries(_content(file))
    except CaptureError as error:
        raise InputError(str(file), str(error)) from None
    if not found:
        raise InputError(str(file), "no V2G message in it (over TCP, not encrypted, is what can be read)")
    total, way = summary(found), course(found)
    if svg is not None:
        _draw(svg, way)
    if as_json:
        messages = [] if only_summary else [_as_json(entry) for entry in found]
        click.echo(json.dumps({"messages": messages, "summary": total}, indent=2))
    else:
        _show(found, total, only_summary)
        if plot:
            _plot(way, found[-1].time_s - found[0].time_s)


def _draw(file: Path, way: Course) -> None:
    from hilbench.cli.sketch import drawing
    from hilbench.errors import InputError

    text = drawing("CCS session: offer, request and output", way.curves, way.changes[:12], way.unit)
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(str(file), f"cannot be written: {error.strerror or error}") from error


def _plot(way: Course, length_s: float) -> None:
    from hilbench.cli.sketch import sketch

    lines = sketch(way.curves, length_s, way.unit)
    for line in ["", *lines] if lines else []:
        click.echo(line)


def _content(file: Path) -> bytes:
    from hilbench.errors import InputError

    try:
        if str(file) == "-":
            return sys.stdin.buffer.read()
        if file.stat().st_size > MOST_BYTES:
            raise InputError(str(file), "more than 1 GiB: cut it with editcap or tcpdump first")
        return file.read_bytes()
    except OSError as error:
        raise InputError(str(file), error.strerror or str(error)) from None


def _show(found: list[Entry], total: dict[str, Any], only_summary: bool) -> None:
    from hilbench.ccs.story import line, summary_lines

    if not only_summary:
        for entry in found:
            click.echo(line(entry, found[0].time_s))
        click.echo()
    for text in summary_lines(total):
        click.echo(text)


def _as_json(entry: Entry) -> dict[str, Any]:
    shown: dict[str, Any] = {"time_s": entry.time_s, "schema": entry.schema}
    if entry.ends is not None:
        shown |= {"from": str(entry.ends[0]), "to": str(entry.ends[1])}
    if entry.problem:
        return shown | {"problem": entry.problem}
    return shown | {"name": entry.name, "body": _plain(entry.body)}


def _plain(value: Any) -> Any:
    """Bytes in hexadecimal digits."""
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value.hex() if isinstance(value, bytes) else value
