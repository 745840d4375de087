"""``hilbench pilot``: measure the control pilot, and the tables that it is read by."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hilbench.cli.params import Between
from hilbench.cli.pilot_plots import (
    draws,
    parts_of_stretches,
    picture_options,
    plot_course,
    plot_record,
    svg_of_course,
    svg_of_record,
)
from hilbench.cli.pilot_render import render
from hilbench.cli.pilot_watch import watch

if TYPE_CHECKING:
    from hilbench.metrics.pilot import Pilot
    from hilbench.metrics.pilot_verdicts import Check
    from hilbench.waveform import Waveform

TABLES = ("iec2017", "j1772_2017", "j1772_2010", "strict")


@click.group()
def pilot() -> None:
    """Measure the control pilot of IEC 61851-1 and SAE J1772, and show the tables that it is read by."""


pilot.add_command(watch)
pilot.add_command(render)


@pilot.command()
@click.argument("source", metavar="FILE|ADDRESS")
@click.option("--rate", type=Between(1e3, 1e11), metavar="HZ", help="Samples per second, where FILE does not say.")
@click.option("--channel", metavar="NAME", help="Channel by name or number, where there are several.")
@click.option("--for", "span", type=Between(1e-4, 100), default=0.01, show_default=True, help="Seconds, at an ADDRESS.")
@click.option("--probe", type=Between(0.1, 1000), default=10.0, show_default=True, help="Attenuation, at an ADDRESS.")
@click.option("--scale", type=Between(-1e6, 1e6), metavar="V", help="Volts per unit of FILE; of WAV, of full scale.")
@click.option("--mode", type=click.Choice(["careful", "fast"]), default="careful", show_default=True)
@click.option("--table", type=click.Choice(TABLES), default="iec2017", show_default=True, help="Edition to read it by.")
@click.option("--threshold", type=Between(-15, 15), metavar="V", help="Where duty is taken  [default: half way]")
@click.option("--limit", type=Between(0, 80), metavar="A", help="Current that the station was told to offer.")
@click.option("--windows", type=click.Choice(["corners", "iec"]), default="corners", show_default=True)
@click.option("--gain", type=Between(0, 1), default=0.0, metavar="U", help="Relative standard uncertainty of the gain.")
@click.option("--offset", type=Between(0, 10), default=0.0, metavar="U", help="Standard uncertainty of the offset [V].")
@click.option(
    "--clock", type=Between(0, 1), default=0.0, metavar="U", help="Relative standard uncertainty of the clock."
)
@click.option("--stream", is_flag=True, help="List the states and duty cycles over time instead.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, and draw nothing into the terminal.")
@picture_options
def measure(source: str, stream: bool, limit: float | None, **options: Any) -> int:
    """Measure the pilot in FILE (.csv, .npy, .wav, a sigrok session .sr, .npz of a run) or at ADDRESS (oscilloscope).

    Duty, frequency, levels, rise and fall time, state and current, each with its expanded uncertainty (k = 2), and a
    verdict on each by the requirement profiles generic-v0 and, for editions of J1772, pilot-j1772. The verdict on the
    duty is about the source: what the capacitance of the cable moves is taken away.

    \b
    hilbench pilot measure scope.csv --limit 16
    hilbench pilot measure plug-in.npy --rate 1e6 --stream
    hilbench pilot measure card.wav --scale 15 --json
    hilbench pilot measure scope.csv --limit 16 --svg pilot.svg
    hilbench pilot measure TCPIP::192.168.1.20::5555::SOCKET --channel 2 --limit 16

    Exit code 0 when every verdict is PASS, 1 at a FAIL, 2 when FILE cannot be used, 3 when something is INCONCLUSIVE,
    4 when the oscilloscope fails.
    """
    record = _taken(source, options) if is_address(source) else _record(Path(source), options)
    if stream:
        return _stream(record, options)
    from hilbench.metrics.pilot import measure as measured
    from hilbench.metrics.pilot_verdicts import checks
    from hilbench.pilot_limits import pilot_limits

    found = measured(record, options["mode"], table=options["table"], threshold_v=options["threshold"])
    judged = checks(found, pilot_limits(options["table"]), limit, options["windows"])
    _tell(found, judged, record, options)
    if options["svg"]:
        svg_of_record(options["svg"], record, found, judged, limit)
    return exit_code(judged)


def _tell(found: Pilot, judged: tuple[Check, ...], record: Waveform, options: dict[str, Any]) -> None:
    from hilbench.cli.pilot_show import show, to_json
    from hilbench.metrics.pilot_facts import facts

    if options["as_json"]:
        click.echo(json.dumps(to_json(found, judged), indent=2))
        return
    show(found, judged, record)
    if draws(options["plot"]):
        plot_record(record, facts(found))


def exit_code(judged: tuple[Check, ...]) -> int:
    """1 at a FAIL, 3 when something is open, else 0."""
    kept = [check.kept for check in judged]
    return 1 if False in kept else 3 if None in kept else 0


def is_address(source: str) -> bool:
    """A VISA resource name or tcp://host:port, not a file."""
    return "::" in source or source.startswith("tcp://")


def _taken(address: str, options: dict[str, Any]) -> Waveform:
    """A record of an oscilloscope, now."""
    from hilbench import clock
    from hilbench.cli.pilot_watch import taken

    channel = options["channel"] or "1"
    if not channel.isdigit() or not 1 <= int(channel) <= 8:
        raise click.BadParameter(f"{channel!r} is no channel of an oscilloscope; 1 to 8 are", param_hint="--channel")
    rate_hz = options["rate"] or 1e6
    return clock.run(taken(address, int(channel), options["probe"], options["span"], rate_hz), "real")


def _record(file: Path, options: dict[str, Any]) -> Waveform:
    """The record with what was said about the instrument."""
    from dataclasses import replace

    from hilbench.records import read_record
    from hilbench.waveform import Accuracy

    dt_s = None if options["rate"] is None else 1.0 / options["rate"]
    record = read_record(file, dt_s=dt_s, channel=options["channel"], volts_per_unit=options["scale"])
    told = Accuracy(options["gain"], options["offset"], options["clock"])
    return record if told == Accuracy() else replace(record, accuracy=told)


def _stream(record: Waveform, options: dict[str, Any]) -> int:
    from hilbench.cli.pilot_show import show_stream, stream_json
    from hilbench.metrics.pilot_stream import stretches
    from hilbench.metrics.pilot_times import time_checks
    from hilbench.pilot_limits import pilot_limits

    found = stretches([record], options["table"])
    judged = time_checks(found, pilot_limits(options["table"]))
    if options["as_json"]:
        click.echo(json.dumps(stream_json(found, judged), indent=2))
    else:
        show_stream(found, judged)
        if draws(options["plot"]):
            plot_course(parts_of_stretches(found))
    if options["svg"]:
        svg_of_course(options["svg"], "Control pilot over time", parts_of_stretches(found), judged)
    return exit_code(judged)


@pilot.command()
@click.argument("name", metavar="[EDITION]", type=click.Choice(TABLES), default="iec2017")
@click.option("--duty", type=Between(0, 100), metavar="PCT", help="The current that this duty cycle means.")
@click.option("--current", type=Between(0, 80), metavar="A", help="The duty cycle that offers this current.")
def table(name: str, duty: float | None, current: float | None) -> None:
    """Print what duty cycles mean in an edition: iec2017, j1772_2017, j1772_2010 or strict.

    \b
    hilbench pilot table
    hilbench pilot table j1772_2017 --duty 9.7
    hilbench pilot table --current 52
    """
    from hilbench.metrics.pilot_table import duty_table

    rules = duty_table(name)
    if duty is not None:
        band = rules.band(duty)
        meaning = "not permitted" if band is None else "digital communication required" if band.digital else ""
        click.echo(f"{duty:g} % is {meaning or f'{rules.current_a(duty):.2f} A'} ({name})")
    if current is not None:
        wanted = rules.duty_pct(current)
        offered = "none" if math.isnan(wanted) else f"{wanted:.3f} %, which means {rules.current_a(wanted):.2f} A"
        click.echo(f"{current:g} A is offered by {offered} ({name})")
    if duty is None and current is None:
        from hilbench.cli.pilot_show import show_table

        show_table(rules)
